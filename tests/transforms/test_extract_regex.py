"""extract_regex: one column per group, empty texts without a match."""

import pytest

from transforms.errors import DuplicateColumnError, TransformError
from transforms.extract_regex import extract_regex

DAY = r"(\d+)-(\d+)(?:-(\d+))?"


@pytest.fixture
def days(spark):
    return spark.createDataFrame([("2013-01-02",), ("2013-01",), ("never",), (None,)], "day STRING")


def test_each_group_has_a_column_and_a_missing_match_is_empty(days):
    found = days.transform(extract_regex, "day", DAY, ["y", "m", "d"])
    expected = [
        ("2013-01-02", "2013", "01", "02"),
        ("2013-01", "2013", "01", ""),
        ("never", "", "", ""),
        (None, None, None, None),
    ]
    assert found.collect() == expected
    assert found.columns == ["day", "y", "m", "d"]


@pytest.mark.parametrize("names", [["", "m"], [None, "m", ""]])
def test_groups_without_a_name_are_skipped(days, names):
    assert days.transform(extract_regex, "day", DAY, names).collect()[0] == ("2013-01-02", "01")


def test_without_groups_the_whole_match_is_taken_and_the_source_can_be_replaced(days):
    found = days.transform(extract_regex, "day", r"\d+$", "day")
    assert [row.day for row in found.collect()] == ["02", "01", "", None]


def test_a_pattern_may_end_in_a_comment(days):
    assert days.transform(extract_regex, "day", "(?x)(\\d+) # year", "y").collect()[0].y == "2013"


@pytest.mark.parametrize(
    ("pattern", "names", "error", "said"),
    [
        ("(a)(b)", ["x", "y", "z"], TransformError, "has 2 groups, so at most 2 names; got 3"),
        ("a", ["x", "y"], TransformError, "has no group, so one name"),
        ("(a)", [""], TransformError, "at most 1 names; got 1"),
        ("[", ["x"], TransformError, r"'\[' is no regular expression"),
        ("(a)(b)", ["x", "X"], DuplicateColumnError, "`x` and `X`"),
    ],
)
def test_wrong_arguments_are_told(days, pattern, names, error, said):
    with pytest.raises(error, match=said):
        days.transform(extract_regex, "day", pattern, names)
