"""A range in steps, and the dates in paths."""

from datetime import UTC, datetime

import pytest

from birchtar.runner.dated_paths import DatedPaths, PatternError
from birchtar.runner.intervals import IntervalError, intervals


@pytest.mark.parametrize(
    ("start", "end", "step", "expected"),
    [
        (
            "2024-02-28",
            "2024-03-02",
            "1d",
            ["2024-02-28..2024-02-29", "2024-02-29..2024-03-01", "2024-03-01..2024-03-02"],
        ),
        (
            "2024-01-01",
            "2024-01-01T10:00",
            "6h",
            ["2024-01-01..2024-01-01T06:00", "2024-01-01T06:00..2024-01-01T10:00"],
        ),
        (
            "2024-01-31",
            "2024-05-01",
            "1mo",
            [
                "2024-01-31..2024-02-29",
                "2024-02-29..2024-03-31",
                "2024-03-31..2024-04-30",
                "2024-04-30..2024-05-01",
            ],
        ),
        ("2023-12-01", "2024-01-01", "1mo", ["2023-12-01..2024-01-01"]),
        ("2024-01-01T00:00+02:00", "2024-01-01", "1d", ["2023-12-31T22:00..2024-01-01"]),
        ("9999-11-30", "9999-12-30", "1mo", ["9999-11-30..9999-12-30"]),
        ("-5", "5", "5", ["-5..0", "0..5"]),
        ("0", "1", "0.4", ["0..0.4", "0.4..0.8", "0.8..1"]),
    ],
)
def test_a_range_is_divided_and_its_last_interval_ends_with_it(start, end, step, expected):
    assert [str(each) for each in intervals(start, end, step)] == expected


@pytest.mark.parametrize(
    ("start", "end", "step", "says"),
    [
        ("2024-01-02", "2024-01-02", "1d", "is not before"),
        ("2024-01-02", "2024-01-01", "1d", "is not before"),
        ("yesterday", "2024-01-01", "1d", "--from has to be a date"),
        ("1", "2024-01-01", "1d", "one is a number"),
        ("2024-01-01", "2024-01-02", "0d", "--step has to be a length"),
        ("2024-01-01", "2024-01-02", "1 day", "--step has to be a length"),
        ("9999-01-01", "9999-12-31", "1y", "--step 1y leads past the year 9999"),
        ("2024-01-01", "2024-01-02", "99999999w", "--step 99999999w leads past the year 9999"),
        ("2024-01-01", "2024-01-02", f"{'9' * 30}mo", "leads past the year 9999"),
        pytest.param("2024-01-01", "2024-01-02", f"{'9' * 5000}d", "leads past the year 9999", id="a very long step"),
        ("9999-12-31T23:00-05:00", "9999-12-31", "1d", "--from has to be a date"),
        ("2024-01-01", "0001-01-01T00:00+05:00", "1d", "--to has to be a date"),
        ("1", "9", "1d", "--step has to be a number"),
        ("2000-01-01", "2024-01-02", "1min", "more than 100,000 intervals"),
    ],
)
def test_what_is_no_range_is_refused(start, end, step, says):
    with pytest.raises(IntervalError, match=says):
        intervals(start, end, step)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("day=%Y-%m-%d", "file:/d/day=2024-01-31/a.csv", datetime(2024, 1, 31, tzinfo=UTC)),
        ("day=%Y-%m-%d/hour=%H", "file:/d/day=2024-01-31/hour=07/a.csv", datetime(2024, 1, 31, 7, tzinfo=UTC)),
        ("%Y/%m/%d", "s3a://lake/2024/01/31/a.csv", datetime(2024, 1, 31, tzinfo=UTC)),
        ("%Y%m%d", "file:/d/20240131.csv", datetime(2024, 1, 31, tzinfo=UTC)),
        ("%Y%m%d", "file:/d/202401310.csv", None),
        ("%Y-%m-%d", "file:/2023-01-01/2024-01-31.csv", datetime(2024, 1, 31, tzinfo=UTC)),
        ("%Y-%m-%d", "file:/2023-01-01/2024-02-31.csv", datetime(2023, 1, 1, tzinfo=UTC)),
        ("%Y.%j", "file:/d/2024.060.csv", datetime(2024, 2, 29, tzinfo=UTC)),
        ("100%%/%Y", "file:/100%/2024/a.csv", datetime(2024, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_found_in_a_path(pattern, path, expected):
    assert DatedPaths(pattern).date_of(path) == expected


@pytest.mark.parametrize("pattern", ["day=%m-%d", "%Y-%b", "%Y/%Y", "2024"])
def test_a_pattern_without_a_date_is_refused(pattern):
    with pytest.raises(PatternError, match="takes each of"):
        DatedPaths(pattern)
