"""fill_missing: constants, values before, statistics, and models."""

import math
import time
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.fill_missing import fill_missing


@pytest.fixture
def rows(spark):
    data = [
        (1, 10, 1.0, "a", True),
        (2, None, math.nan, "", None),
        (3, 11, None, None, False),
        (4, 12, 4.0, "b", True),
        (5, None, 5.0, "b", None),
    ]
    return spark.createDataFrame(data, "id INT, n INT, `x.x` DOUBLE, s STRING, b BOOLEAN")


def _column(df, name):
    return [row[name] for row in df.sort("id").collect()]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        pytest.param("n", 0, [10, 0, 11, 12, 0], id="a number"),
        pytest.param("n", "7", [10, 7, 11, 12, 7], id="a text that is a number"),
        pytest.param("`x.x`", 2, [1.0, 2.0, 2.0, 4.0, 5.0], id="NaN is missing"),
        pytest.param("s", "?", ["a", "?", "?", "b", "b"], id="the empty text is missing"),
        pytest.param("b", False, [True, False, False, True, False], id="a boolean"),
    ],
)
def test_a_constant_of_the_columns_type(rows, column, value, expected):
    filled = rows.transform(fill_missing, column, "constant", value=value)
    assert _column(filled, column.strip("`")) == expected
    assert filled.dtypes == rows.dtypes


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param("mean", ([10, 11, 11, 12, 11], [1.0, 10 / 3, 10 / 3, 4.0, 5.0]), id="mean, rounded for ints"),
        pytest.param("median", ([10, 11, 11, 12, 11], [1.0, 4.0, 4.0, 4.0, 5.0]), id="median"),
        pytest.param("mode", ([10, 10, 11, 12, 10], [1.0, 1.0, 1.0, 4.0, 5.0]), id="of equally many the smallest"),
    ],
)
def test_statistics_of_what_is_there(rows, how, expected):
    filled = rows.transform(fill_missing, ["n", "`x.x`"], how)
    assert (_column(filled, "n"), _column(filled, "x.x")) == expected
    assert filled.dtypes == rows.dtypes


@pytest.mark.parametrize("how", ["mean", "median"])
@pytest.mark.parametrize(
    ("kind", "there", "expected"),
    [
        pytest.param("BIGINT", ["9007199254740993"] * 2, "9007199254740993", id="more than a double holds"),
        pytest.param("BIGINT", ["9223372036854775807", "9223372036854775805"], "9223372036854775806", id="the middle"),
        pytest.param("DECIMAL(22,2)", ["12345678901234567890.12"] * 2, "12345678901234567890.12", id="decimals"),
        pytest.param("DECIMAL(38,3)", [f"{'1234567' * 5}.678"] * 2, f"{'1234567' * 5}.678", id="all 38 digits"),
        pytest.param("DECIMAL(2,1)", ["-1.5", "-1.4"], "-1.5", id="rounded away from zero"),
        pytest.param("TINYINT", ["1", "2"], "2", id="rounded to a whole number"),
    ],
)
def test_statistics_of_whole_numbers_and_decimals_are_exact(spark, how, kind, there, expected):
    df = spark.createDataFrame([(text,) for text in [*there, None]], "n STRING")
    filled = df.select(F.col("n").cast(kind)).transform(fill_missing, "n", how).select(F.col("n").cast("string"))
    assert sorted(row.n for row in filled.collect()) == sorted([*there, expected])


def test_numbers_that_add_up_to_too_many_digits_have_no_mean(spark):
    df = spark.sql(f"SELECT CAST(n AS DECIMAL(38,0)) AS n FROM VALUES ('{'9' * 38}'), ('{'9' * 38}'), (NULL) AS t(n)")
    with pytest.raises(TransformError, match="`n` add up to more than 38 digits"):
        df.transform(fill_missing, "n", "mean")
    assert df.transform(fill_missing, "n", "median").where(f"n = {'9' * 38}").count() == 3


def test_the_most_frequent_of_any_type(rows, spark):
    filled = rows.transform(fill_missing, ["s", "b"], "mode")
    assert (_column(filled, "s"), _column(filled, "b")) == (["a", "b", "b", "b", "b"], [True, True, False, True, True])
    df = spark.sql(
        "SELECT * FROM VALUES (1, DATE '2020-01-02', TIMESTAMP '2020-01-02 03:04:05.6', 1.10BD), (2, NULL, NULL, NULL)"
        " AS t(id, d, t, n)"
    )
    first, second = df.transform(fill_missing, ["d", "t", "n"], "mode").sort("id").collect()
    assert first[1:] == second[1:]
    assert df.transform(fill_missing, "n", "mean").where("id = 2").collect()[0].n == Decimal("1.10")


def test_the_value_before(rows):
    filled = rows.transform(fill_missing, ["n", "s"], "previous", order_by="id")
    assert (_column(filled, "n"), _column(filled, "s")) == ([10, 10, 11, 12, 12], ["a", "a", "a", "b", "b"])
    grouped = rows.transform(fill_missing, "n", "previous", order_by=["id"], partition_by="b")
    assert _column(grouped, "n") == [10, None, 11, 12, None]


def test_to_another_column_and_from_a_struct(rows):
    filled = rows.transform(fill_missing, "s", "mode", output_column="t")
    assert filled.columns == [*rows.columns, "t"]
    assert _column(filled, "s") == ["a", "", None, "b", "b"]
    nested = rows.select("id", F.struct("n").alias("s")).transform(
        fill_missing, "s.n", "constant", value=1, output_column="n"
    )
    assert _column(nested, "n") == [10, 1, 11, 12, 1]


def test_nothing_there_stays_missing_and_empty_frames_stay_empty(spark):
    df = spark.createDataFrame([(1, None, "")], "id INT, n INT, s STRING")
    assert df.transform(fill_missing, "n", "mean").transform(fill_missing, "s", "mode").collect() == [(1, None, "")]
    assert df.where("id > 1").transform(fill_missing, "n", "median").collect() == []


def test_a_model_of_numbers(spark):
    whole = [3 * i + (100 if i % 2 else 0) for i in range(40)]
    data = [(i, float(i), "odd" if i % 2 else "even", None if i % 5 == 0 else whole[i]) for i in range(40)]
    df = spark.createDataFrame([*data, (40, math.nan, None, None)], "id INT, x DOUBLE, kind STRING, y INT")
    filled = df.transform(fill_missing, "y", "model", features=["x", "kind"])
    assert filled.dtypes == [*df.dtypes, ("y_filled", "int")]
    got = {row.id: (row.y, row.y_filled) for row in filled.collect()}
    assert len(got) == 41
    assert all(new == old for old, new in got.values() if old is not None)
    assert [got[i][1] for i in range(40)] == whole
    assert got[40][1] is not None


def test_a_model_of_texts_is_the_same_each_time(spark):
    sizes = ["low" if i % 4 < 2 else "high" for i in range(60)]
    data = [(i, i % 4, None if i % 7 == 0 else "" if i % 11 == 0 else sizes[i]) for i in range(60)]
    df = spark.createDataFrame(data, "id INT, `n.n` INT, size STRING")
    filled = [df.transform(fill_missing, "size", "model", output_column="z").sort("id").collect() for _ in range(2)]
    assert [row.z for row in filled[0]] == sizes
    assert [row.size for row in filled[0]] == [row[2] for row in data]
    assert filled[0] == filled[1]


def test_a_model_with_nothing_to_do(spark):
    df = spark.createDataFrame([(1, "a"), (2, "a"), (3, None)], "id INT, s STRING")
    assert [row.s_filled for row in df.transform(fill_missing, "s", "model").collect()] == ["a", "a", "a"]
    assert df.transform(fill_missing, "id", "model", output_column="id").collect() == df.collect()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("n", "average"), TransformError, "does not know how='average'"),
        (("n", "constant"), TransformError, "with how='constant' needs `value`"),
        (("n", "previous"), TransformError, "with how='previous' needs `order_by`"),
        (("n", "mean", {"value": 1}), TransformError, "takes `value` with how='constant', not with 'mean'"),
        (("n", "constant", {"value": "x"}), ColumnTypeError, "`n` is of type int, which cannot hold 'x'"),
        (("n", "constant", {"value": 1.5}), ColumnTypeError, "`n` is of type int, which cannot hold 1.5"),
        (("n", "constant", {"value": "1.5"}), ColumnTypeError, "`n` is of type int, which cannot hold '1.5'"),
        (("n", "constant", {"value": True}), ColumnTypeError, "`n` is of type int, which cannot hold True"),
        (("s", "mean"), ColumnTypeError, "`s` is of type string, which has no mean"),
        ((["n", "s"], "model"), TransformError, "one column at a time"),
        (([], "mode"), TransformError, "at least one column"),
        (("N", "mode"), MissingColumnError, "Did you mean `n`"),
        (("st.n", "mode"), TransformError, "Name it by `output_column`"),
        (("n", "mode", {"output_column": "ID"}), DuplicateColumnError, "differs only in case"),
    ],
)
def test_wrong_arguments_are_told(rows, arguments, error, said):
    columns, how, more = (*arguments, {})[:3]
    with pytest.raises(error, match=said):
        rows.withColumn("st", F.struct("n")).transform(fill_missing, columns, how, **more)


def test_what_a_model_cannot_do_is_told(spark):
    df = spark.sql("SELECT NULL AS v, CAST(NULL AS INT) AS n, array(1) AS a, CAST(id AS STRING) AS s FROM range(150)")
    with pytest.raises(TransformError, match="`n` has no value at all to learn from"):
        df.transform(fill_missing, "n", "model")
    with pytest.raises(ColumnTypeError, match="`a` is of type array<int>, which no model estimates"):
        df.transform(fill_missing, "a", "model")
    with pytest.raises(ColumnTypeError, match="`s` has more than 100 different values"):
        df.transform(fill_missing, "s", "model")
    with pytest.raises(TransformError, match="there is no column to learn from"):
        spark.sql("SELECT IF(id > 2, id, null) AS n, array(1) AS a FROM range(5)").transform(fill_missing, "n", "model")
    with pytest.raises(ColumnTypeError, match="does not learn from `s`, which has more than 32 values"):
        df.selectExpr("IF(s > '3', 1, NULL) AS n", "s").transform(fill_missing, "n", "model", features="s")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"order_by": "v"}, "fill_missing, `order_by` `v` is or holds a variant"),
        ({"order_by": "id", "partition_by": "v"}, "fill_missing, `partition_by` `v` is or holds a variant"),
        ({"order_by": "span"}, "`order_by` `span` is or holds an interval of months and days, which has no order"),
        ({"order_by": "id", "partition_by": ["span"]}, "`partition_by` `span` is or holds an interval"),
    ],
)
def test_what_orders_nothing_is_told(spark, more, said):
    df = spark.sql("SELECT 1 AS id, parse_json('1') AS v, make_interval(0, 1, 0, 3) AS span")
    with pytest.raises(ColumnTypeError, match=said):
        df.transform(fill_missing, "id", "previous", **more)


def test_an_interval_of_months_and_days_has_no_mode(spark):
    with pytest.raises(ColumnTypeError, match="`span` is or holds an interval"):
        spark.sql("SELECT make_interval(0, 1, 0, 3) AS span").transform(fill_missing, "span", "mode")


def test_maps_order_rows_and_tell_groups_apart(spark):
    df = spark.sql(
        "SELECT * FROM VALUES (map('x', 2), map('a', 1, 'b', 2), null), (map('x', 1), map('b', 2, 'a', 1), 7)"
        " AS t(m, g, i)"
    )
    filled = df.transform(fill_missing, "i", "previous", order_by="m", partition_by="g")
    assert sorted((row.m["x"], row.i) for row in filled.collect()) == [(1, 7), (2, 7)]


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NTZ"])
def test_the_most_frequent_time_is_that_of_the_session(spark, monkeypatch, kind):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        moment = f"CAST('2024-11-03 05:30:00' AS {kind})"
        df = spark.sql(f"SELECT * FROM VALUES (1, {moment}), (2, null) AS v(id, at)")
        filled = df.transform(fill_missing, "at", "mode").selectExpr("id", "CAST(at AS STRING) AS at")
        assert filled.dtypes == [("id", "int"), ("at", "string")]
        assert _column(filled, "at") == ["2024-11-03 05:30:00"] * 2
    finally:
        monkeypatch.undo()
        time.tzset()
