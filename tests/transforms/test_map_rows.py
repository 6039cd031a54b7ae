"""map_rows: new values by expressions, by a function of records and by a function of batches; and what is rejected."""

import copy
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.map_rows import map_rows
from transforms.rejects import ERROR_TYPE, accepted, rejected

FLIGHTS = "flight INT, carrier STRING, delay DOUBLE, route STRUCT<origin: STRING, stops: ARRAY<STRUCT<code: STRING>>>"


@pytest.fixture
def flights(spark):
    rows = [
        (1, "UA", 5.0, ("EWR", [("IAH",)])),
        (2, "AA", None, ("JFK", None)),
        (3, None, -2.0, None),
        (3, None, -2.0, None),
    ]
    return spark.createDataFrame(rows, FLIGHTS).coalesce(1)


def rows_of(df):
    return [tuple(row) for row in df.collect()]


class TestExpressions:
    @pytest.mark.parametrize(
        ("expressions", "columns", "first"),
        [
            pytest.param({"b": "a + 1"}, ["a", "b", "s"], (1, 2, (5,)), id="a column is replaced in its place"),
            pytest.param({"z": "a", "c": "0"}, ["a", "b", "s", "z", "c"], (1, 3, (5,), 1, 0), id="new ones last"),
            pytest.param({"a": "b", "b": "a"}, ["a", "b", "s"], (3, 1, (5,)), id="all see the input"),
            pytest.param({"s": "s.x * 2"}, ["a", "b", "s"], (1, 3, 10), id="another type"),
            pytest.param({"z": "NULL + a"}, ["a", "b", "s", "z"], (1, 3, (5,), None), id="null"),
            pytest.param({"a.`": "1"}, ["a", "b", "s", "a.`"], (1, 3, (5,), 1), id="a new odd name"),
        ],
    )
    def test_replace_or_add_a_column(self, spark, expressions, columns, first):
        df = spark.sql("SELECT 1 AS a, 3 AS b, struct(5 AS x) AS s")
        mapped = map_rows(df, expressions=expressions)
        assert mapped.columns == columns
        assert rows_of(mapped) == [first]

    def test_may_be_columns(self, flights):
        assert map_rows(flights, expressions={"carrier": F.lower("carrier")}).first().carrier == "ua"

    def test_leave_the_other_columns_and_types_alone(self, flights):
        mapped = map_rows(flights, expressions={"carrier": "lower(carrier)"})
        assert mapped.schema == flights.schema
        assert [row.carrier for row in mapped.collect()] == ["ua", "aa", None, None]

    def test_work_beside_twins_dots_and_duplicates(self, spark):
        df = spark.sql("SELECT 1 AS id, 2 AS Id, 3 AS `a.b`, 4 AS x, 5 AS x, struct(6 AS y, 7 AS Y) AS s")
        mapped = map_rows(df, expressions={"Id": "`a.b` + 1", "a.b": "0"})
        assert mapped.columns == ["id", "Id", "a.b", "x", "x", "s"]
        assert rows_of(mapped) == [(1, 4, 0, 4, 5, (6, 7))]

    def test_are_not_evaluated_on_rows_rejected_earlier(self, spark):
        rows = [(0, ("OLD", "m", "{}")), (2, None)]
        df = spark.createDataFrame(rows, f"id INT, _error {ERROR_TYPE}").coalesce(1)
        mapped = map_rows(df, expressions={"half": "4 DIV id"})
        assert mapped.columns == ["id", "_error", "half"]
        assert rows_of(mapped) == [(0, ("OLD", "m", "{}"), None), (2, None, 2)]

    def test_start_no_job(self, spark):
        df = spark.range(1).select(F.raise_error(F.lit("computed")).cast("int").alias("x"))
        assert map_rows(df, expressions={"y": "x + 1"}).columns == ["x", "y"]

    def test_go_over_an_empty_frame_of_a_thousand_columns(self, spark):
        df = spark.range(0).select(*(F.col("id").alias(f"c{position}") for position in range(1000)))
        mapped = map_rows(df, expressions={f"c{position}": f"c{position} + 1" for position in range(0, 1000, 2)})
        assert mapped.columns == df.columns
        assert mapped.collect() == []

    @pytest.mark.parametrize(
        ("expressions", "error", "sentence"),
        [
            pytest.param({"z": "fligt"}, MissingColumnError, "expression for `z`: .* Did you mean `flight`", id="name"),
            pytest.param({"y": "1", "z": "y"}, MissingColumnError, "expression for `z`: .* no column `y`", id="other"),
            pytest.param({"y": "1", "z": "1 +"}, TransformError, "expression for `z`: Syntax error", id="syntax"),
            pytest.param(
                {"Flight": "1"}, DuplicateColumnError, "`Flight` differs only in case from `flight`", id="case"
            ),
            pytest.param(
                {"z": "1", "Z": "1"}, DuplicateColumnError, "`Z` differs only in case from `z`", id="new twin"
            ),
            pytest.param({"_error": "1"}, DuplicateColumnError, "`_error` is kept for rejected rows", id="error"),
            pytest.param({"z": "carrier + DATE'2020-01-01'"}, ColumnTypeError, "for `z`: .* mismatch", id="type"),
            pytest.param({"z": "*"}, TransformError, "expression", id="star"),
            pytest.param({}, TransformError, "either a function or expressions", id="none"),
        ],
    )
    def test_that_are_wrong_are_refused_at_once(self, flights, expressions, error, sentence):
        with pytest.raises(error, match=sentence):
            map_rows(flights, expressions=expressions)


class TestRecords:
    def test_make_a_new_row_of_each_row(self, flights):
        def shout(record):
            return {"who": (record["carrier"] or "?") + "!", "stops": (record["route"] or {}).get("stops")}

        mapped = map_rows(flights, shout, schema="who STRING, stops ARRAY<STRUCT<code: STRING>>, gone DATE")
        assert mapped.columns == ["who", "stops", "gone", "_error"]
        assert rows_of(accepted(mapped)) == [
            ("UA!", [("IAH",)], None),
            ("AA!", None, None),
            ("?!", None, None),
            ("?!", None, None),
        ]
        assert rejected(mapped).collect() == []

    def test_that_fail_are_rejected_as_they_came_in_and_the_others_stay(self, flights):
        def double(record):
            record["route"] = "spoilt"
            return {"delay": record["delay"] * 2}

        mapped = map_rows(flights, double, schema="delay DOUBLE")
        assert [row.delay for row in mapped.collect()] == [10.0, None, -4.0, -4.0]
        (bad,) = rejected(mapped).collect()
        assert bad.code == "FUNCTION"
        assert bad.message.startswith(
            "TypeError: unsupported operand type(s) for *: 'NoneType' and 'int' (test_map_rows"
        )
        assert bad.record == (
            '{"flight": 2, "carrier": "AA", "delay": null, "route": {"origin": "JFK", "stops": null}}'
        )

    def test_that_do_not_fit_the_schema_are_rejected_and_nothing_is_cut(self, spark):
        results = [
            {"n": 1, "s": {"t": "x"}},
            {"n": 2**70},
            {"n": "3"},
            {"n": 1, "m": 2},
            {"s": {"t": "x", "u": 1}},
            {"s": {"t": 5}},
            {"n": True},
            None,
            [("n", 1)],
            np.array([1, 2]),
            {},
            {"n": None},
        ]
        mapped = map_rows(spark.range(12).coalesce(1), lambda r: results[r["id"]], schema="n INT, s STRUCT<t: STRING>")
        errors = [row._error and (row._error.code, row._error.message) for row in mapped.collect()]
        assert errors == [
            None,
            ("SCHEMA", "`n` is declared int, which cannot hold 1180591620717411303424."),
            ("SCHEMA", "`n` is declared int, but the function returned str: '3'."),
            ("SCHEMA", "The function returned `m`, which is not in the schema. There are these fields: n, s."),
            ("SCHEMA", "The function returned `s.u`, which is not in the schema. There are these fields: t."),
            ("SCHEMA", "`s.t` is declared string, but the function returned int: 5."),
            ("SCHEMA", "`n` is declared int, but the function returned bool: True."),
            ("FUNCTION", "The function returned None instead of a record."),
            ("FUNCTION", "The function returned a list instead of a record."),
            ("FUNCTION", "The function returned a ndarray instead of a record."),
            ("FUNCTION", "The function returned an empty dict instead of a record."),
            None,
        ]
        assert rows_of(accepted(mapped)) == [(1, ("x",)), (None, None)]

    def test_may_be_handled_by_a_function_of_an_importable_module(self, flights):
        mapped = map_rows(flights, copy.deepcopy, schema=FLIGHTS)
        assert accepted(mapped).collect() == flights.collect()

    def test_pass_untouched_when_they_were_rejected_earlier(self, spark):
        old = ("OLD", "m", "{}")
        df = spark.createDataFrame([(0, old, 1), (2, None, 1), (0, None, 1)], f"id INT, _error {ERROR_TYPE}, n INT")
        mapped = map_rows(
            df.coalesce(1), lambda r: {"half": 4 // r["id"], "keys": list(r)}, schema="half INT, keys ARRAY<STRING>"
        )
        assert mapped.columns == ["half", "keys", "_error"]
        first, second, third = rows_of(mapped)
        assert first == (None, None, old)
        assert second == (2, ["id", "n"], None)
        assert third[2].record == '{"id": 0, "n": 1}'

    def test_of_an_empty_frame_are_none_and_the_function_is_not_called(self, spark):
        mapped = map_rows(spark.createDataFrame([], FLIGHTS), lambda r: 1 / 0, schema="a INT NOT NULL, b STRING")
        assert mapped.schema.simpleString() == f"struct<a:int,b:string,_error:{ERROR_TYPE}>".replace(": ", ":").replace(
            ", ", ","
        )
        assert mapped.collect() == []

    def test_hold_and_give_back_every_kind_of_value(self, spark):
        df = spark.sql("""SELECT CAST(1.50 AS DECIMAL(5,2)) d, TIMESTAMP'2020-01-01 00:00:00' t, DATE'2020-01-01' day,
            TIMESTAMP_NTZ'2020-01-01 00:00:00' n, X'00ff' b, map(1, array(NULL, 'x')) m, CAST('NaN' AS DOUBLE) f, 1Y y,
            map('k', named_struct('A', 1, 'a', 2)) z, array(array(1, NULL), NULL) a, named_struct() e, NULL v,
            INTERVAL '1' DAY i, CAST(NULL AS STRUCT<x: INT>) s, 2.5F g""")
        for mapped in (map_rows(df, dict, schema=df.schema), map_rows(df, dict)):
            assert [field.dataType for field in mapped.schema[:-1]] == [field.dataType for field in df.schema]
            assert str(accepted(mapped).collect()) == str(df.collect())

    def test_may_hold_datetimes_of_any_zone(self, spark):
        spark.conf.set("spark.sql.session.timeZone", "America/New_York")
        try:
            df = spark.sql("SELECT timestamp_seconds(0) AS t, TIMESTAMP_NTZ'2020-01-01 00:00:00' AS n")

            def later(record):
                assert record == {"t": datetime(1970, 1, 1, tzinfo=UTC), "n": datetime(2020, 1, 1)}
                east = timezone(timedelta(hours=2))
                return {"t": record["t"].astimezone(east), "naive": datetime(1970, 1, 1), "n": record["n"]}

            mapped = map_rows(df, later, schema="t TIMESTAMP, naive TIMESTAMP, n TIMESTAMP_NTZ")
            seconds = mapped.select(F.unix_timestamp("t"), F.unix_timestamp("naive"), "n", "_error.message")
            assert rows_of(seconds) == [(0, 0, datetime(2020, 1, 1), None)]
        finally:
            spark.conf.set("spark.sql.session.timeZone", "UTC")

    def test_may_have_odd_names(self, spark):
        df = spark.sql("SELECT 1 AS `a.b`, 2 AS `c ``d`, 3 AS `🙂`, 4 AS id, 5 AS Id, struct(6 AS x, 7 AS X) AS s")
        assert rows_of(map_rows(df, dict)) == [(1, 2, 3, 4, 5, (6, 7), None)]
        assert map_rows(df, dict).columns == [*df.columns, "_error"]

    def test_may_be_empty(self, spark):
        assert rows_of(map_rows(spark.range(2).select(), lambda record: {"n": len(record)}, schema="n INT")) == [
            (0, None),
            (0, None),
        ]

    def test_may_have_a_thousand_fields_and_be_nested_deeply(self, spark):
        columns = [(F.col("id") + position).alias(f"c{position}") for position in range(1000)]
        wide = spark.range(2).select(*columns).coalesce(1)
        assert [row.c999 for row in map_rows(wide, dict, schema=wide.schema).collect()] == [999, 1000]
        deep = spark.range(1).select("id")
        for _ in range(10):
            deep = deep.select(F.array(F.struct(*deep.columns)).alias("id"))
        assert accepted(map_rows(deep, dict)).collect() == deep.collect()


class TestLearntSchema:
    def test_names_the_types_of_the_results(self, flights):
        def result(record):
            return {
                "int": record["flight"] + 1,
                "number": 1 if record["flight"] == 1 else 0.5,
                "none": None,
                "day": date(2020, 1, 1),
                "price": Decimal("1.5"),
                "nested": [{"a": record["carrier"]}, {"b": b"x"}],
                "carrier": record["carrier"],
            } | ({"late": True} if record["flight"] == 3 else {})

        mapped = map_rows(flights, result)
        assert accepted(mapped).schema.simpleString() == (
            "struct<int:bigint,number:double,none:string,day:date,price:decimal(38,18),"
            "nested:array<struct<a:string,b:binary>>,carrier:string,late:boolean>"
        )
        assert accepted(mapped).count() == 4

    def test_keeps_the_type_of_a_column_that_is_passed_on_untouched(self, spark):
        df = spark.sql("SELECT 1 AS i, 1.5BD AS d, map('k', 1) AS m, CAST(NULL AS DATE) AS n, 2 AS grown, 3Y AS gone")

        def grow(record):
            del record["gone"]
            return record | {"grown": record["grown"] * 2**40}

        mapped = map_rows(df, grow)
        assert (
            accepted(mapped).schema.simpleString()
            == "struct<i:int,d:decimal(2,1),m:map<string,int>,n:date,grown:bigint>"
        )
        assert rows_of(accepted(mapped)) == [(1, Decimal("1.5"), {"k": 1}, None, 2**41)]

    def test_rejects_what_does_not_fit_it_later(self, spark):
        results = [{"n": 1}, {"n": 0.5}, {"n": 2, "m": 3}]
        mapped = map_rows(spark.range(3).coalesce(1), lambda r: results[r["id"]], sample_rows=1)
        assert [row.n for row in mapped.collect()] == [1, None, None]
        assert [row.message for row in rejected(mapped).collect()] == [
            "`n` is declared bigint, but the function returned float: 0.5.",
            "The function returned `m`, which is not in the schema. There are these fields: n.",
        ]

    def test_is_learnt_from_the_good_rows(self, flights):
        mapped = map_rows(flights, lambda r: {"x": r["route"]["origin"], "y": r["delay"] + 1})
        assert rows_of(accepted(mapped)) == [("EWR", 6.0)]
        assert rejected(mapped).count() == 3

    @pytest.mark.parametrize(
        ("results", "sentence"),
        [
            pytest.param(
                [{"a": {"b": 1}}, {"a": {"b": "late"}}],
                r"different types for `a.b`: int \(1\) and str \('late'\). Return one type, or declare `schema`",
                id="two types",
            ),
            pytest.param([{"a": {1}}], r"set \(\{1\}\) for `a`, which no Spark type stands for", id="no type"),
            pytest.param([{"a": [1, "x"]}], r"int \(1\) and str \('x'\)", id="two types in a list"),
            pytest.param([{"a": {1: 2}}], "the key 1 in `a`", id="a key that is no text"),
            pytest.param([{"_error": 1}], "`_error` is kept for rejected rows", id="the error column"),
            pytest.param([5], "failed for each of the 1 rows .* returned a int instead of a record", id="no dict"),
            pytest.param([], "without rows. Declare `schema`", id="no rows"),
        ],
    )
    def test_cannot_be_learnt(self, spark, results, sentence):
        with pytest.raises(TransformError, match=sentence):
            map_rows(spark.range(len(results)), lambda r: results[r["id"]])


def with_late(batch):
    return batch.append_column("late", pc.greater(batch["delay"], 0.0)).select(["flight", "late"])


def with_late_in_pandas(frame):
    return frame.assign(late=frame["delay"] > 0)[["flight", "late"]]


class TestBatches:
    @pytest.mark.parametrize(
        ("takes", "function", "null"),
        [
            pytest.param("arrow", with_late, None, id="arrow"),
            pytest.param("pandas", with_late_in_pandas, False, id="pandas, where a null compares as false"),
        ],
    )
    def test_are_mapped_at_once(self, flights, takes, function, null):
        mapped = map_rows(flights, function, takes=takes, schema="flight INT, late BOOLEAN, gone STRING")
        assert rows_of(mapped) == [
            (1, True, None, None),
            (2, null, None, None),
            (3, False, None, None),
            (3, False, None, None),
        ]

    @pytest.mark.parametrize("takes", ["arrow", "pandas"])
    def test_may_get_more_or_fewer_rows(self, flights, takes):
        def twice_without_first(batch):
            if takes == "arrow":
                return pa.concat_tables([batch.slice(1), batch.slice(1)])
            return batch.loc[[1, 2, 3, 1, 2, 3]]

        mapped = map_rows(flights, twice_without_first, takes=takes, schema=flights.schema)
        expected = flights.where("flight > 1").collect()
        assert accepted(mapped).collect() == expected + expected

    @pytest.mark.parametrize("takes", ["arrow", "pandas"])
    def test_lose_only_the_rows_that_fail(self, spark, takes):
        def fail_on_seven(batch):
            if 7 in (batch["id"].to_pylist() if takes == "arrow" else list(batch["id"])):
                raise RuntimeError("seven")
            return batch

        mapped = map_rows(spark.range(20).coalesce(1), fail_on_seven, takes=takes, schema="id BIGINT")
        assert sorted(row.id for row in accepted(mapped).collect()) == [*range(7), *range(8, 20)]
        (bad,) = rejected(mapped).collect()
        assert (bad.code, bad.record) == ("FUNCTION", '{"id": 7}')
        assert bad.message.startswith("RuntimeError: seven (test_map_rows.py:")

    @pytest.mark.parametrize(
        ("function", "schema", "code", "message"),
        [
            pytest.param(
                lambda t: t.rename_columns(["ids"]),
                "id INT",
                "SCHEMA",
                "The function returned `ids`, which is not in the schema. Did you mean `id`?",
                id="another column",
            ),
            pytest.param(
                lambda t: t,
                "id STRING",
                "SCHEMA",
                "`id` is declared string, but the function returned int: 0.",
                id="another type",
            ),
            pytest.param(
                lambda t: t,
                "id INT, n INT NOT NULL",
                "SCHEMA",
                "`n` is declared NOT NULL, but the function returned no value for it.",
                id="no value",
            ),
            pytest.param(
                lambda t: t.to_pylist(),
                "id INT",
                "FUNCTION",
                "TypeError: The function returned a list instead of a pyarrow.Table.",
                id="no table",
            ),
        ],
    )
    def test_that_do_not_fit_are_rejected(self, spark, function, schema, code, message):
        (row,) = map_rows(spark.range(1), function, takes="arrow", schema=schema).collect()
        assert row._error == (code, message, '{"id": 0}')

    @pytest.mark.parametrize("takes", ["arrow", "pandas"])
    def test_hold_and_give_back_every_kind_of_value(self, spark, takes):
        df = spark.sql("""SELECT id, IF(id = 0, 9007199254740993, NULL) AS big, IF(id = 0, 1Y, NULL) AS small,
            IF(id = 0, true, NULL) AS yes, IF(id = 0, 'x', NULL) AS text, IF(id = 0, DATE'2020-01-01', NULL) AS day,
            IF(id = 0, TIMESTAMP'2020-01-01 00:00:00', NULL) AS t, TIMESTAMP_NTZ'2020-01-01 00:00:00.5' AS n,
            IF(id = 0, 1.5BD, NULL) AS d, IF(id = 0, array(named_struct('x', 1, 'X', 2)), NULL) AS a, X'00' AS b,
            IF(id = 0, map('k', array(1)), NULL) AS m, 0.5F AS f, CAST(NULL AS STRUCT<x: INT>) AS s, id AS `a.b`
            FROM range(2)""").coalesce(1)
        mapped = map_rows(df, copy.copy, takes=takes, schema=df.schema)
        assert mapped.collect() == [(*row, None) for row in df.collect()]

    def test_do_not_hold_rows_rejected_earlier(self, spark):
        old = ("OLD", "m", "{}")
        df = spark.createDataFrame([(0, old), (2, None)], f"id INT, _error {ERROR_TYPE}").coalesce(1)
        mapped = map_rows(df, lambda batch: batch, takes="arrow", schema="id INT")
        assert rows_of(mapped) == [(None, old), (2, None)]

    def test_of_an_empty_frame_are_none(self, spark):
        mapped = map_rows(spark.range(0), lambda batch: 1 / 0, takes="pandas", schema="id BIGINT")
        assert mapped.collect() == []

    def test_of_pandas_may_hold_whole_floats_for_ints(self, spark):
        def shifted(frame):
            return frame.assign(id=frame["id"].astype("float64").shift(), x=["a", float("nan")])

        mapped = map_rows(spark.range(2).coalesce(1), shifted, takes="pandas", schema="id INT, x STRING")
        assert rows_of(mapped) == [(None, "a", None), (0, None, None)]


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        pytest.param({}, TransformError, "either a function or expressions", id="nothing"),
        pytest.param({"function": dict, "expressions": {"a": "1"}}, TransformError, "either", id="both"),
        pytest.param({"expressions": {"a": "1"}, "schema": "a INT"}, TransformError, "`schema`", id="schema"),
        pytest.param({"function": "a:b"}, TransformError, "can be called, got 'a:b'", id="no function"),
        pytest.param({"function": dict, "takes": "rows"}, TransformError, "record, arrow or pandas", id="takes"),
        pytest.param({"function": dict, "takes": "arrow"}, TransformError, "needs a `schema`", id="batches"),
        pytest.param({"function": dict, "sample_rows": 0}, TransformError, "sample_rows=0", id="no sample"),
        pytest.param({"function": dict, "schema": "a INTT"}, TransformError, "INTT", id="no DDL"),
        pytest.param({"function": dict, "schema": "a INT, a INT"}, DuplicateColumnError, "`a`", id="duplicate"),
        pytest.param({"function": dict, "schema": "_error INT"}, TransformError, "kept for rejected", id="error"),
        pytest.param({"function": dict, "schema": "v VARIANT"}, ColumnTypeError, "variant", id="variant"),
        pytest.param(
            {
                "function": dict,
                "schema": StructType([StructField("a", IntegerType()), StructField("a", IntegerType())]),
            },
            DuplicateColumnError,
            "`a` occurs twice",
            id="duplicate in a type",
        ),
    ],
)
def test_wrong_arguments_are_refused_at_once(spark, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        map_rows(spark.range(1), **arguments)


def test_a_frame_with_duplicate_names_gives_no_records(spark):
    with pytest.raises(DuplicateColumnError, match="`id` occurs twice"):
        map_rows(spark.sql("SELECT 1 AS id, 2 AS id"), dict, schema="id INT")
