"""union: columns by name, missing ones null, and what becomes of several types."""

import pytest

from transforms.choices.choice import choices_in
from transforms.errors import ColumnTypeError, TransformError
from transforms.union import union


def test_columns_go_by_name_and_missing_ones_are_null(spark):
    one = spark.sql("SELECT 1 AS id, 'a' AS x, named_struct('p', 1) AS s")
    two = spark.sql("SELECT named_struct('q', true) AS s, 2.5D AS `y.y`, 2 AS id")
    rows = one.transform(union, two)
    assert rows.columns == ["id", "x", "s", "y.y"]
    assert rows.collect() == [(1, "a", (1, None), None), (2, None, (None, True), 2.5)]


def test_no_row_is_lost_or_merged_and_order_and_types_stay(spark):
    one = spark.createDataFrame([(1,), (1,), (None,)], "id INT")
    assert one.transform(union, one).collect() == [(1,), (1,), (None,)] * 2
    assert one.transform(union, one).schema == one.schema
    assert one.transform(union, one.where("id > 5")).collect() == one.collect()
    assert one.transform(union, [one, one], distinct=True).count() == 2


def test_case_twins_are_columns_of_their_own(spark):
    one, two = spark.sql("SELECT 1 AS id, 2 AS Id"), spark.sql("SELECT 3 AS Id, 4 AS ID, 5 AS id")
    assert one.transform(union, two).collect() == [(1, 2, None), (5, 3, 4)]


def test_several_types_become_a_choice(spark):
    rows = spark.sql("SELECT 1 AS id").transform(union, spark.sql("SELECT 'x' AS id"))
    assert [(found.path, found.choice.names) for found in choices_in(rows.schema)] == [("id", ["int", "string"])]
    assert rows.collect() == [((1, None),), ((None, "x"),)]


@pytest.mark.parametrize(
    ("one", "two", "wide", "values"),
    [
        ("1Y", "2L", "bigint", [1, 2]),
        ("1", "2.5D", "double", [1.0, 2.5]),
        ("1.25BD", "2", "decimal(12,2)", None),
        ("CAST(1 AS FLOAT)", "2L", "double", [1.0, 2.0]),
        ("1", "CAST(1.5 AS DECIMAL(38, 37))", "string", ["1", "1.5" + "0" * 36]),
        ("0.5D", "CAST(1.5 AS DECIMAL(16, 1))", "string", ["0.5", "1.5"]),
        ("0.5D", "CAST(1.5 AS DECIMAL(15, 1))", "double", [0.5, 1.5]),
        ("CAST(1 AS DECIMAL(38, 0))", "CAST(1.5 AS DECIMAL(38, 37))", "string", ["1", "1.5" + "0" * 36]),
        ("DATE '2020-01-01'", "TIMESTAMP '2020-01-02 00:00:00'", "timestamp", None),
        ("1", "'x'", "string", ["1", "x"]),
        ("true", "2", "string", ["true", "2"]),
        ("NULL", "2", "int", [None, 2]),
        ("array(1)", "array(2L)", "array<bigint>", [[1], [2]]),
        (
            "array(named_struct('a', 1))",
            "array(named_struct('a', 'x'))",
            "array<struct<a:string>>",
            [[("1",)], [("x",)]],
        ),
        ("map('k', 1)", "map('l', 2L)", "map<string,bigint>", [{"k": 1}, {"l": 2}]),
    ],
)
def test_the_widest_type(spark, one, two, wide, values):
    rows = spark.sql(f"SELECT {one} AS x").transform(union, spark.sql(f"SELECT {two} AS x"), conflicts="widest")
    assert rows.dtypes == [("x", wide)]
    assert values is None or [row.x for row in rows.collect()] == values
    assert rows.count() == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (1, 2, 0)])
def test_the_widest_number_does_not_depend_on_the_order_of_the_frames(spark, order):
    one, *others = [[spark.sql(f"SELECT {x} AS x") for x in ("1L", "2.25BD", "0.5D")][place] for place in order]
    rows = one.transform(union, others, conflicts="widest")
    assert rows.dtypes == [("x", "double")]
    assert sorted(row.x for row in rows.collect()) == [0.5, 1.0, 2.25]


def test_conflicts_can_fail_with_all_their_names(spark):
    one, two = (
        spark.sql("SELECT 1 AS id, named_struct('b', 1) AS a, map(1, 1) AS m"),
        spark.sql("SELECT 'x' AS id, named_struct('b', 2L) AS a, map('x', 1) AS m"),
    )
    with pytest.raises(
        ColumnTypeError, match=r"`id` \(int, string\), `a.b` \(int, long\), keys of `m` \(int, string\)"
    ):
        one.transform(union, two, conflicts="fail")


def test_wrong_arguments_are_told(spark):
    one, two = spark.sql("SELECT 1 AS id"), spark.sql("SELECT named_struct('a', 1) AS id")
    with pytest.raises(ColumnTypeError, match="no type has room for both types of `id`: int and struct<a:int>"):
        one.transform(union, two, conflicts="widest")
    with pytest.raises(TransformError, match="Did you mean `widest`"):
        one.transform(union, two, conflicts="wide")
    with pytest.raises(ColumnTypeError, match="`id` is a choice already. Use `resolve_choice` first"):
        one.transform(union, two).transform(union, one, conflicts="widest")
