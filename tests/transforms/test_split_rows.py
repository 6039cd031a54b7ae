"""split_rows: which rows meet the comparisons, and that every row is in one part."""

import math
from collections import Counter

import pytest

from transforms.errors import ColumnTypeError, MissingColumnError, TransformError
from transforms.split_rows import split_rows

ROWS = [
    (1, 9, 1.5, "12", ("Ulm",)),
    (2, 100, math.nan, "x", (None,)),
    (3, 200, None, None, None),
    (3, 200, -0.0, "", ("ulm",)),
]


@pytest.fixture
def people(spark):
    return spark.createDataFrame(ROWS, "id INT, age BIGINT, size DOUBLE, text STRING, home STRUCT<town: STRING>")


def _ids(df, comparison):
    parts = split_rows(df, comparison)
    assert list(parts) == ["frame1", "frame2"]
    assert parts["frame1"].schema == parts["frame2"].schema == df.schema
    both = [[row.id for row in part.select("id").collect()] for part in parts.values()]
    assert sorted(both[0] + both[1]) == [1, 2, 3, 3]
    return both[0]


@pytest.mark.parametrize(
    ("comparison", "ids"),
    [
        pytest.param({"age": {">": 9, "<": 200}}, [2], id="all comparisons of a column"),
        pytest.param({"age": {">=": 100}, "home.town": {"=": "ulm"}}, [3], id="of several columns, one in a struct"),
        pytest.param({"age": {">": "100", "<=": "200"}}, [3, 3], id="a text against numbers"),
        pytest.param({"age": {">": "99.5"}}, [2, 3, 3], id="a text with a fraction against ints"),
        pytest.param({"age": {"<": 9.5}}, [1], id="a fraction against ints"),
        pytest.param({"age": {"!=": 9}}, [2, 3, 3], id="unequal"),
        pytest.param({"size": {"!=": 1.5}}, [3], id="NaN and null are not unequal"),
        pytest.param({"size": {">": 0}}, [1], id="NaN is not large"),
        pytest.param({"size": {"=": 0}}, [3], id="minus zero is zero"),
        pytest.param({"text": {">": 10}}, [1], id="texts that are numbers against a number"),
        pytest.param({"text": {">=": "12"}}, [1, 2], id="texts against a text"),
        pytest.param({"home.town": {"<=": "Ulm"}}, [1], id="case matters"),
        pytest.param({"age": {"<": 10**30}}, [1, 2, 3, 3], id="more than a long"),
    ],
)
def test_rows_that_meet_all_comparisons_come_first(people, comparison, ids):
    assert _ids(people, comparison) == ids


def test_names_and_types(spark):
    df = spark.sql("SELECT DATE '2020-01-02' AS `a.b`, true AS `a b`, 1.10BD AS d, named_struct('A', 1, 'a', 2) AS s")
    parts = split_rows(
        df, {"`a.b`": {">": "2020-01-01"}, "a b": {"=": True}, "d": {"=": 1.1}, "s.a": {"=": 2}}, "x", "y"
    )
    assert [(name, part.count()) for name, part in parts.items()] == [("x", 1), ("y", 0)]


def test_every_row_is_in_exactly_one_part_whatever_it_holds(spark):
    values = [None, math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0]
    rows = [(number, value) for number, value in enumerate(values * 2)]
    df = spark.createDataFrame(rows, "n INT, x DOUBLE")
    for sign in ("=", "!=", "<", "<=", ">", ">="):
        parts = split_rows(df, {"x": {sign: 0}})
        found = Counter(row.n for part in parts.values() for row in part.collect())
        assert found == Counter(range(len(rows)))


@pytest.mark.parametrize(
    ("comparison", "error", "said"),
    [
        ({}, TransformError, "at least one comparison"),
        ({"age": {}}, TransformError, "at least one comparison"),
        ({"age": {"==": 1}}, TransformError, "no operator `==`. Did you mean `=`"),
        ({"age": {"=": None}}, TransformError, "nothing compares with None"),
        ({"age": {"=": math.nan}}, TransformError, "nothing compares with nan"),
        ({"age": {"=": "old"}}, ColumnTypeError, "`age` is of type bigint, and 'old' is nothing"),
        ({"home": {"=": "x"}}, ColumnTypeError, "`home` is of type struct<town:string>, which does not compare"),
        ({"agee": {"=": 1}}, MissingColumnError, "Did you mean `age`"),
    ],
)
def test_wrong_arguments_are_told(people, comparison, error, said):
    with pytest.raises(error, match=said):
        split_rows(people, comparison)


def test_the_names_must_differ(people):
    with pytest.raises(TransformError, match="both are `x`"):
        split_rows(people, {"age": {"=": 1}}, "x", "x")
