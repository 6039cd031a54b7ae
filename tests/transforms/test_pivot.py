"""pivot: groups, names and values."""

import pytest

from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError
from transforms.pivot import pivot


@pytest.fixture
def sales(spark):
    rows = [("u", 2, "x", 1), ("u", 10, "y", 2), ("u", 10, "y", 3), ("v", None, "x", 4), ("v", 2, None, None)]
    return spark.createDataFrame(rows, "`who.is` STRING, month INT, kind STRING, n INT")


def test_the_other_columns_make_the_groups_and_values_are_sorted(sales):
    made = sales.drop("kind").transform(pivot, "month", aggregate="sum", values_of="n")
    assert made.columns == ["who.is", "2", "10", "null"]
    assert sorted(made.collect()) == [("u", 1, 5, None), ("v", None, None, 4)]


def test_no_null_no_detour(sales):
    made = sales.where("month IS NOT NULL").drop("kind").transform(pivot, "month", aggregate="count", values_of="n")
    assert sorted(made.collect()) == [("u", 1, 2), ("v", 0, None)]


def test_several_columns_join_their_values(sales):
    made = sales.transform(pivot, ["month", "kind"], aggregate="max", values_of="n")
    assert made.columns == ["who.is", "2_x", "2_null", "10_y", "null_x"]
    assert sorted(made.collect()) == [("u", 1, None, 3, None), ("v", None, None, None, 4)]


def test_null_can_be_among_the_values_that_are_said(sales):
    made = sales.drop("kind").transform(pivot, "month", aggregate="sum", values_of="n", values=[None, "10"])
    assert made.columns == ["who.is", "null", "10"]
    assert sorted(made.collect(), key=str) == [("u", None, 5), ("v", 4, None)]


def test_values_can_be_said(sales):
    made = sales.drop("kind").transform(pivot, "month", aggregate="sum", values_of="n", values=["10", "3"])
    assert made.columns == ["who.is", "10", "3"]
    assert sorted(made.collect(), key=str) == [("u", 5, None), ("v", None, None)]
    both = sales.transform(pivot, ["month", "kind"], aggregate="sum", values_of="n", values=[["10", "y"]])
    assert both.columns == ["who.is", "10_y"]


def test_without_other_columns_there_is_one_row(sales):
    made = sales.select("kind", "n").transform(pivot, "kind", aggregate="sum", values_of="n")
    assert made.collect() == [(5, 5, None)]
    assert made.columns == ["x", "y", "null"]


def test_an_empty_frame_keeps_its_groups(sales):
    made = sales.drop("kind").where("n > 9").transform(pivot, "month", aggregate="sum", values_of="n")
    assert made.columns == ["who.is"]
    assert made.collect() == []


def test_odd_values(spark):
    df = spark.sql("SELECT * FROM VALUES (1, 'a.b', 1), (1, '`', 2), (1, '', 3), (1, '🙂', 4) AS t(g, `p.p`, n)")
    made = df.transform(pivot, "`p.p`", aggregate="first", values_of="n")
    assert made.columns == ["g", "", "`", "a.b", "🙂"]
    assert made.collect() == [(1, 3, 2, 1, 4)]


def test_values_that_join_to_one_name_are_not_mixed(spark):
    df = spark.sql("SELECT * FROM VALUES ('a_b', 'c', 1), ('a', 'b_c', 2) AS t(p, q, n)")
    with pytest.raises(DuplicateColumnError, match="`a_b_c` twice"):
        df.transform(pivot, ["p", "q"], aggregate="sum", values_of="n")


def test_a_map_that_groups_keeps_its_nulls(spark):
    df = spark.sql("SELECT map('a', null) AS m, 'x' AS c, 1 AS n UNION ALL SELECT map('a', 0), 'x', 2")
    made = df.transform(pivot, "c", aggregate="sum", values_of="n")
    assert sorted(map(tuple, made.collect()), key=str) == [({"a": 0}, 2), ({"a": None}, 1)]


def test_columns_that_do_not_compare_are_told(spark):
    df = spark.sql("SELECT 1 AS id, parse_json('1') AS v, 'a' AS k")
    with pytest.raises(ColumnTypeError, match="pivot groups by all other columns: `v` is or holds a variant"):
        df.transform(pivot, "k", aggregate="sum", values_of="id")
    spans = spark.sql("SELECT 1 AS id, make_interval(0, 1, 0, 3) AS span")
    with pytest.raises(ColumnTypeError, match="`span` is or holds an interval of months and days, which has no order"):
        spans.transform(pivot, "span", aggregate="sum", values_of="id")


def test_wrong_arguments_are_told(sales):
    with pytest.raises(TransformError, match="no function `total`"):
        sales.transform(pivot, "month", aggregate="total", values_of="n")
    with pytest.raises(ColumnTypeError, match="`kind` is of type string, but sum needs numbers"):
        sales.transform(pivot, "month", aggregate="sum", values_of="kind")
    with pytest.raises(TransformError, match="at least one column"):
        sales.transform(pivot, [], aggregate="sum", values_of="n")
    with pytest.raises(TransformError, match=r"a text for each of 2 columns; got \('x',\)"):
        sales.transform(pivot, ["month", "kind"], aggregate="sum", values_of="n", values=["x"])
    days = sales.selectExpr("DATE '2013-01-02' AS day", "n")
    with pytest.raises(TransformError, match="'2013-1-2' is no date of `day`; Spark writes that value '2013-01-02'"):
        days.transform(pivot, "day", aggregate="sum", values_of="n", values=["2013-01-02", "2013-1-2"])
    with pytest.raises(TransformError, match="'x' is no int of `n`"):
        sales.transform(pivot, "n", aggregate="count", values_of="kind", values=["x"])
    with pytest.raises(DuplicateColumnError, match="`month` twice"):
        sales.transform(pivot, "kind", aggregate="sum", values_of="n", values=["month"])
