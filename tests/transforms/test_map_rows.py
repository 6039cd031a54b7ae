"""map_rows: new values by expressions, by a function of records, by a function of batches, and what is rejected."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as F

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.map_rows import map_rows
from transforms.rejects import ERROR_TYPE, accepted, rejected

FLIGHTS = "flight INT, carrier STRING, delay DOUBLE, route STRUCT<origin: STRING, stops: ARRAY<STRUCT<code: STRING>>>"


@pytest.fixture
def flights(spark):
    rows = [(1, "UA", 5.0, ("EWR", [("IAH",)])), (2, "AA", None, ("JFK", None)), (3, None, -2.0, None)]
    return spark.createDataFrame(rows, FLIGHTS).coalesce(1)


def good(df):
    return [tuple(row) for row in df.transform(accepted).collect()]


def bad(df):
    return [tuple(row) for row in df.transform(rejected).collect()]


# By expressions


def test_expressions_replace_and_add_and_all_see_the_columns_as_they_came(flights):
    mapped = map_rows(flights, expressions={"flight": "flight + 1", "next": "flight + 2", "from": "route.origin"})
    assert mapped.columns == ["flight", "carrier", "delay", "route", "next", "from"]
    assert [(row.flight, row.next, row["from"]) for row in mapped.collect()] == [
        (2, 3, "EWR"),
        (3, 4, "JFK"),
        (4, 5, None),
    ]


def test_an_expression_may_be_a_column(flights):
    assert map_rows(flights, expressions={"carrier": F.lower("carrier")}).collect()[0].carrier == "ua"


def test_expressions_add_no_error_column_and_start_no_job(spark):
    df = spark.range(1).select(F.raise_error(F.lit("computed")).cast("int").alias("x"))
    assert map_rows(df, expressions={"y": "x + 1"}).columns == ["x", "y"]


@pytest.mark.parametrize(
    ("expressions", "error", "sentence"),
    [
        pytest.param(
            {"x": "carier"}, MissingColumnError, "no column `carier`. Did you mean `carrier`", id="a near miss"
        ),
        pytest.param({"x": "flight +"}, TransformError, "expression for `x`", id="no expression"),
        pytest.param({"Flight": "1"}, DuplicateColumnError, "differs only in case from `flight`", id="a twin"),
        pytest.param({"_error": "1"}, DuplicateColumnError, "kept for rejected rows", id="the error column"),
    ],
)
def test_a_wrong_expression_is_refused_at_once(flights, expressions, error, sentence):
    with pytest.raises(error, match=sentence):
        map_rows(flights, expressions=expressions)


# By a function of records


def test_a_record_is_a_dict_and_so_is_what_comes_of_it(flights):
    def codes(record):
        route = record["route"] or {}
        return {"flight": record["flight"], "at": {"all": [stop["code"] for stop in route.get("stops") or []]}}

    mapped = map_rows(flights, codes, schema="flight INT, at STRUCT<all: ARRAY<STRING>>")
    assert mapped.columns == ["flight", "at", "_error"]
    assert mapped.schema["_error"].dataType.simpleString() == ERROR_TYPE.replace(" ", "").replace(":", ":")
    assert good(mapped) == [(1, (["IAH"],)), (2, ([],)), (3, ([],))]
    assert bad(mapped) == []


def test_a_record_for_which_the_function_raises_is_rejected_with_its_error(flights):
    mapped = map_rows(flights, lambda record: {"early": -record["delay"]}, schema="early DOUBLE")
    assert good(mapped) == [(-5.0,), (2.0,)]
    ((code, message, record),) = bad(mapped)
    assert code == "FUNCTION"
    assert message.startswith("TypeError: bad operand type for unary -: 'NoneType'")
    assert "test_map_rows.py" in message
    assert json.loads(record) == {
        "flight": 2,
        "carrier": "AA",
        "delay": None,
        "route": {"origin": "JFK", "stops": None},
    }


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        pytest.param(None, "FUNCTION", "None", id="None"),
        pytest.param(7, "FUNCTION", "int", id="no dict"),
        pytest.param({"x": 1, "y": 2}, "SCHEMA", "y", id="a key that the schema does not have"),
        pytest.param({"x": "1"}, "SCHEMA", "x", id="a text for a number"),
        pytest.param({"x": 1.5}, "SCHEMA", "x", id="a float for an int"),
        pytest.param({"x": 2**40}, "SCHEMA", "x", id="an int too large for INT"),
        pytest.param({"x": 2**80}, "SCHEMA", "x", id="an int beyond 64 bits"),
        pytest.param({"x": True}, "SCHEMA", "x", id="a truth value for a number"),
    ],
)
def test_a_result_that_is_no_row_of_the_schema_is_rejected(spark, result, code, said):
    mapped = map_rows(spark.range(2), lambda record: result if record["id"] else {"x": 5}, schema="x INT")
    assert good(mapped) == [(5,)]
    ((found, message, record),) = bad(mapped)
    assert found == code
    assert said in message
    assert json.loads(record) == {"id": 1}


def test_a_missing_key_is_null_and_a_null_for_not_null_is_rejected(spark):
    assert good(map_rows(spark.range(1), lambda r: {}, schema="x INT")) == []
    mapped = map_rows(spark.range(1), lambda r: {"y": 1}, schema="x INT, y INT")
    assert good(mapped) == [(None, 1)]
    assert [code for code, *_ in bad(map_rows(spark.range(1), lambda r: {"y": 1}, schema="x INT NOT NULL, y INT"))] == [
        "SCHEMA"
    ]


def test_every_kind_of_value_goes_in_and_comes_out(spark):
    df = spark.sql(
        """
        SELECT CAST(1.50 AS DECIMAL(5, 2)) AS money, DATE '2013-01-31' AS day, TIMESTAMP '2013-01-31 05:00:00Z' AS at,
               TIMESTAMP_NTZ '2013-01-31 05:00:00' AS clock, X'00FF' AS raw, true AS truth, map('a', 1) AS pairs,
               array(array(1, NULL), NULL) AS nested, CAST('NaN' AS DOUBLE) AS nan
        """
    )
    seen = {
        "money": Decimal("1.50"),
        "day": date(2013, 1, 31),
        "at": datetime(2013, 1, 31, 5, tzinfo=UTC),
        "clock": datetime(2013, 1, 31, 5),
        "raw": b"\x00\xff",
        "truth": True,
        "pairs": {"a": 1},
        "nested": [[1, None], None],
    }

    def check(record):
        record.pop("nan")
        return {"same": record == seen, "was": str(record)}

    assert [row.same for row in map_rows(df, check, schema="same BOOLEAN, was STRING").collect()] == [True]
    back = map_rows(df, lambda record: record, schema=df.schema).drop("_error")
    assert [field.dataType for field in back.schema] == [field.dataType for field in df.schema]
    assert str(back.collect()) == str(df.collect())


def test_the_record_in_a_rejection_is_what_came_in_whatever_the_function_did_to_it(spark):
    def spoil(record):
        record.clear()
        raise ValueError("spoilt")

    ((_, message, record),) = bad(map_rows(spark.range(1), spoil, schema="x INT"))
    assert message.startswith("ValueError: spoilt")
    assert json.loads(record) == {"id": 0}


def test_rows_that_were_rejected_before_pass_untouched(flights):
    once = map_rows(flights, lambda record: {"early": -record["delay"]}, schema="early DOUBLE")
    twice = map_rows(once, lambda record: {"half": record["early"] / 2}, schema="half DOUBLE")
    assert good(twice) == [(-2.5,), (1.0,)]
    assert bad(twice) == bad(once)
    assert [row.x for row in map_rows(once, expressions={"x": "1"}).orderBy("early").collect()] == [None, 1, 1]


# A schema that is learnt


def test_a_schema_is_learnt_from_the_first_rows(flights):
    def function(record):
        return {"flight": record["flight"], "twice": record["flight"] * 2, "part": {"a": [1, 2.5]}, "none": None}

    mapped = map_rows(flights, function)
    assert {field.name: field.dataType.simpleString() for field in mapped.schema} == {
        "flight": "int",
        "twice": "bigint",
        "part": "struct<a:array<double>>",
        "none": "string",
        "_error": ERROR_TYPE.replace(" ", ""),
    }
    assert good(mapped)[0] == (1, 2, ([1.0, 2.5],), None)


def test_a_later_row_that_does_not_fit_what_was_learnt_is_rejected(spark):
    df = spark.range(3).coalesce(1)
    mapped = map_rows(df, lambda r: {"x": "text" if r["id"] == 2 else r["id"] + 1}, sample_rows=2)
    assert good(mapped) == [(1,), (2,)]
    assert [code for code, *_ in bad(mapped)] == ["SCHEMA"]


def test_types_that_do_not_agree_are_an_error_with_both_and_the_path(spark):
    with pytest.raises(ColumnTypeError, match="a.b"):
        map_rows(spark.range(2).coalesce(1), lambda r: {"a": {"b": r["id"] or "none"}})


def test_nothing_can_be_learnt_from_no_rows_or_from_failures(spark):
    with pytest.raises(TransformError, match="Declare `schema`"):
        map_rows(spark.range(0), lambda r: r)
    with pytest.raises(TransformError, match="failed for each of the 1 rows"):
        map_rows(spark.range(1), lambda r: r["no"])


# By a function of batches


def test_a_function_of_arrow_tables(flights):
    def double(table: pa.Table) -> pa.Table:
        return pa.table({"twice": pc.multiply(table["flight"], 2)})

    assert good(map_rows(flights, double, takes="arrow", schema="twice INT")) == [(2,), (4,), (6,)]


def test_a_function_of_pandas_frames_may_change_the_number_of_rows(flights):
    mapped = map_rows(flights, lambda frame: frame[frame.delay > 0][["flight"]], takes="pandas", schema="flight INT")
    assert good(mapped) == [(1,)]


@pytest.mark.parametrize("takes", ["arrow", "pandas"])
def test_of_a_batch_that_fails_only_the_rows_that_fail_are_rejected(spark, takes):
    def refuse_seven(batch):
        ids = batch["id"].to_pylist() if takes == "arrow" else list(batch["id"])
        if 7 in ids:
            raise ValueError("no seven")
        return batch

    mapped = map_rows(spark.range(10).coalesce(1), refuse_seven, takes=takes, schema="id BIGINT")
    assert sorted(good(mapped)) == [(n,) for n in range(10) if n != 7]
    ((code, message, record),) = bad(mapped)
    assert (code, json.loads(record)) == ("FUNCTION", {"id": 7})
    assert message.startswith("ValueError: no seven")


# Odd frames


def test_an_empty_frame_keeps_the_schema_and_calls_nothing(spark):
    mapped = map_rows(spark.range(0), lambda r: 1 / 0, schema="x INT")
    assert (mapped.columns, mapped.count()) == (["x", "_error"], 0)


def test_duplicate_rows_stay(spark):
    df = spark.createDataFrame([(1,), (1,)], "id INT")
    assert good(map_rows(df, lambda r: r, schema="id INT")) == [(1,), (1,)]


def test_odd_names_and_twins_come_through(spark):
    df = spark.sql("SELECT 1 AS `a.b`, 2 AS `c ``d`, 3 AS `🙂`, 4 AS id, 5 AS Id, named_struct('x', 6, 'X', 7) AS s")
    mapped = map_rows(df, lambda record: record, schema=df.schema)
    assert mapped.columns == [*df.columns, "_error"]
    assert [tuple(row)[:6] for row in mapped.collect()] == [(1, 2, 3, 4, 5, (6, 7))]


def test_two_columns_of_one_name_make_no_record(spark):
    with pytest.raises(DuplicateColumnError, match="`id` occurs twice"):
        map_rows(spark.sql("SELECT 1 AS id, 2 AS id"), lambda r: r, schema="id INT")


def test_a_thousand_columns(spark):
    df = spark.range(2).select(*((F.col("id") + n).alias(f"c{n}") for n in range(1000))).coalesce(1)
    mapped = map_rows(df, lambda record: {"sum": sum(record.values())}, schema="sum BIGINT")
    assert good(mapped) == [(499_500,), (500_500,)]


def test_deep_nesting(spark):
    schema, value = "leaf INT", {"leaf": 1}
    for depth in range(20):
        schema, value = f"d{depth} STRUCT<{schema.replace(' ', ': ', 1)}>", {f"d{depth}": value}
    mapped = map_rows(spark.range(1), lambda record: value, schema=schema)
    row = mapped.collect()[0].asDict(recursive=True)
    assert {key: row[key] for key in value} == value


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param({}, "either a function or expressions", id="nothing"),
        pytest.param({"function": len, "expressions": {"x": "1"}}, "either a function or expressions", id="both"),
        pytest.param({"function": "len", "schema": "x INT"}, "can be called", id="no function"),
        pytest.param(
            {"function": len, "takes": "rows", "schema": "x INT"}, "it takes record, arrow or pandas", id="takes"
        ),
        pytest.param({"function": len, "takes": "arrow"}, "needs a `schema`", id="batches without a schema"),
        pytest.param({"function": len, "schema": "x INTT"}, "map_rows, schema 'x INTT'", id="no schema"),
    ],
)
def test_a_wrong_call_is_refused(spark, arguments, sentence):
    with pytest.raises(TransformError, match=sentence):
        map_rows(spark.range(1), **arguments)
