"""format_timestamp: Spark's letters and Python's codes."""

import pytest

from transforms.errors import ColumnTypeError, TransformError
from transforms.format_timestamp import format_timestamp


@pytest.fixture
def times(spark):
    return spark.sql(
        "SELECT * FROM VALUES (TIMESTAMP '2013-01-02 15:04:05.678', DATE '2013-01-02'), (NULL, NULL) AS t(at, day)"
    )


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("yyyy-MM-dd HH:mm", "2013-01-02 15:04", id="Spark's letters"),
        pytest.param("%Y-%m-%d %H:%M", "2013-01-02 15:04", id="Python's codes"),
        pytest.param("%d.%m.%yT%I h %p %S.%f", "02.01.13T03 h PM 05.678000", id="letters between codes are text"),
        pytest.param("%A, %d %b o'clock 100%%", "Wednesday, 02 Jan o'clock 100%", id="names, quotes and percent"),
    ],
)
def test_a_time_is_written_by_a_pattern(times, pattern, expected):
    written = times.transform(format_timestamp, "at", pattern, new_column="text")
    assert [row.text for row in written.collect()] == [expected, None]
    assert written.columns == ["at", "day", "text"]


def test_dates_can_be_written_in_place(times):
    written = times.transform(format_timestamp, "day", "%j")
    assert written.dtypes[1] == ("day", "string")
    assert written.collect()[0].day == "002"


def test_wrong_arguments_are_told(times, spark):
    with pytest.raises(TransformError, match="'yyyy-bb' is no pattern of dates"):
        times.transform(format_timestamp, "at", "yyyy-bb")
    with pytest.raises(TransformError, match="the code '%Q' is not known"):
        times.transform(format_timestamp, "at", "%Q")
    with pytest.raises(ColumnTypeError, match="`id` is of type bigint, no date and no timestamp.*to_timestamp"):
        spark.range(1).transform(format_timestamp, "id", "yyyy")
