"""aggregate: functions, names and groups."""

import pytest

from transforms.aggregate import aggregate
from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError


@pytest.fixture
def sales(spark):
    rows = [
        ("a", 1, 2.0, ("x",)),
        ("a", 1, None, ("y",)),
        ("a", 3, 4.0, None),
        (None, None, 1.0, None),
        (None, 5, None, None),
    ]
    return spark.createDataFrame(rows, "`g.g` STRING, n INT, x DOUBLE, s STRUCT<t: STRING>")


def test_groups_then_functions_under_sparks_names(sales):
    pairs = [["n", "sum"], ["n", "sumDistinct"], ["n", "count"], ["n", "countDistinct"], ["x", "avg"], ["s.t", "max"]]
    made = sales.transform(aggregate, pairs, groups=["`g.g`"])
    assert made.columns == [
        "g.g",
        "sum(n)",
        "sum(DISTINCT n)",
        "count(n)",
        "count(DISTINCT n)",
        "avg(x)",
        "max(s.t)",
    ]
    assert sorted(made.collect(), key=str) == [("a", 5, 4, 3, 2, 3.0, "y"), (None, 5, 5, 1, 1, 1.0, None)]


def test_all_of_studios_functions(sales):
    names = "avg countDistinct count first last kurtosis max min skewness stddev_samp stddev_pop sum sumDistinct"
    pairs = [["n", name] for name in [*names.split(), "var_samp", "var_pop"]]
    made = sales.where("n < 4").transform(aggregate, pairs)
    (row,) = made.collect()
    expected = (5 / 3, 2, 3, 1, 3, -1.5, 3, 1, 0.707107, 1.154701, 0.942809, 5, 4, 1.333333, 0.888889)
    assert [pytest.approx(value, abs=1e-5) for value in expected] == list(row)


def test_without_groups_an_empty_frame_gives_one_row(spark):
    empty = spark.createDataFrame([], "n INT")
    assert empty.transform(aggregate, [["n", "sum"], ["n", "count"]]).collect() == [(None, 0)]
    assert empty.transform(aggregate, [["n", "count"]], groups="n").collect() == []


def test_groups_that_do_not_compare_are_told(spark):
    df = spark.sql("SELECT 1 AS id, parse_json('1') AS v, named_struct('l', array(parse_json('1'))) AS s")
    for column in ("v", "s"):
        with pytest.raises(ColumnTypeError, match=f"aggregate, `groups` `{column}` is or holds a variant"):
            df.transform(aggregate, [["id", "sum"]], groups=column)


def test_maps_with_the_same_entries_are_one_group(spark):
    df = spark.sql(
        "SELECT *, array(named_struct('x.y', m, 'n', 7)) AS deep FROM VALUES (1, map('a', 1, 'b', null)),"
        " (2, map('b', null, 'a', 1)), (4, map('a', 1, 'b', 0)), (8, null) AS t(id, m)"
    )
    made = df.transform(aggregate, [["id", "sum"]], groups=["m", "deep"]).sort("sum(id)")
    assert made.dtypes == [*df.dtypes[1:], ("sum(id)", "bigint")]
    with_null, with_zero = {"a": 1, "b": None}, {"a": 1, "b": 0}
    assert made.collect() == [
        (with_null, [(with_null, 7)], 3),
        (with_zero, [(with_zero, 7)], 4),
        (None, [(None, 7)], 8),
    ]


@pytest.mark.parametrize(
    ("pairs", "groups", "error", "said"),
    [
        ([], (), TransformError, "needs pairs"),
        (["n", "sum"], (), TransformError, "needs pairs"),
        ([["n"]], (), TransformError, "needs pairs"),
        ([["n", "total"]], (), TransformError, "no function `total`"),
        ([["n", "mean"]], (), TransformError, "There are these functions: avg, count"),
        ([["`g.g`", "sum"]], (), ColumnTypeError, "is of type string, but sum needs numbers; cast it first"),
        ([["n", "sum"], ["n", "sum"]], (), DuplicateColumnError, r"`sum\(n\)` twice"),
    ],
)
def test_wrong_arguments_are_told(sales, pairs, groups, error, said):
    with pytest.raises(error, match=said):
        sales.transform(aggregate, pairs, groups=groups)
