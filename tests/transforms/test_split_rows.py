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
    ("comparison", "ids"),
    [
        pytest.param({"text": {"=": 2**53}}, [1], id="texts beyond what doubles tell apart"),
        pytest.param({"text": {">": 2**53}}, [2, 3], id="texts of more digits than decimals"),
        pytest.param({"whole": {"=": 12345678901234567890}}, [1], id="a decimal beyond a long"),
        pytest.param({"whole": {">": 0.5}}, [1, 2, 3], id="a fraction against decimals without room for it"),
        pytest.param({"whole": {">=": 1.5}}, [1, 2], id="a fraction from below"),
        pytest.param({"whole": {"<": 1.5}}, [3], id="a fraction from above"),
        pytest.param({"whole": {"=": 1.5}}, [], id="a fraction that no whole number is"),
        pytest.param({"whole": {"!=": 1.5}}, [1, 2, 3], id="no whole number is the fraction"),
        pytest.param({"whole": {"<": 10**40}}, [1, 2, 3], id="more than any decimal"),
        pytest.param({"whole": {">": -(10**40)}}, [1, 2, 3], id="less than any decimal"),
        pytest.param({"whole": {">=": 10**38}}, [], id="one more than the largest decimal"),
        pytest.param({"whole": {"!=": 10**40}}, [1, 2, 3], id="unequal to more than any decimal"),
        pytest.param({"price": {">": 1.234}}, [2], id="more digits behind the point"),
        pytest.param({"price": {"<=": 1.239}}, [1, 3], id="more digits behind the point, from above"),
    ],
)
def test_numbers_compare_by_all_their_digits(spark, comparison, ids):
    df = spark.sql(
        "SELECT * FROM VALUES (1, '9007199254740992', 12345678901234567890BD, 1.23BD),"
        " (2, '9007199254740993', 12345678901234567891BD, 1.24BD), (3, '1e30', 1BD, -1.00BD),"
        " (4, 'x', null, null) AS v(id, text, whole, price)"
    ).selectExpr("id", "text", "CAST(whole AS DECIMAL(38, 0)) AS whole", "CAST(price AS DECIMAL(10, 2)) AS price")
    first, second = (sorted(row.id for row in part.collect()) for part in split_rows(df, comparison).values())
    assert (first, sorted(first + second)) == (ids, [1, 2, 3, 4])


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
