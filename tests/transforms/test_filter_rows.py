"""filter_rows: what stays by an expression, what stays by a predicate, and what becomes of a row that it fails for."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.filter_rows import filter_rows
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


def ids(df):
    return [row[0] for row in df.select(F.col(df.columns[0])).collect()]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param("flight > 1", [2, 3, 3], id="text; duplicates stay"),
        pytest.param("delay > 0", [1], id="text; null drops the row"),
        pytest.param("NOT (delay > 0)", [3, 3], id="text; the negation of null drops it too"),
        pytest.param("CARRIER = 'UA'", [1], id="SQL does not tell upper from lower case"),
        pytest.param("route.stops[0].code = 'IAH'", [1], id="a nested field"),
        pytest.param("CAST(NULL AS BOOLEAN)", [], id="null alone"),
        pytest.param("flight IN (SELECT 2)", [2], id="a subquery"),
    ],
)
def test_a_text_keeps_the_rows_for_which_it_is_true(flights, where, expected):
    kept = filter_rows(flights, where)
    assert ids(kept) == expected
    assert kept.schema == flights.schema


def test_a_column_keeps_the_rows_for_which_it_is_true(flights):
    assert ids(filter_rows(flights, F.col("carrier").isNull())) == [3, 3]


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        pytest.param(lambda r: r["flight"] > 1, [2, 3, 3], id="true and false"),
        pytest.param(lambda r: r["carrier"], [1, 2], id="anything that counts as true"),
        pytest.param(lambda r: r["delay"] is None, [2], id="null is None"),
        pytest.param(lambda r: r["route"] == {"origin": "EWR", "stops": [{"code": "IAH"}]}, [1], id="nested dicts"),
        pytest.param(lambda r: r.clear(), [], id="None is not true"),
        pytest.param(copy.copy, [1, 2, 3, 3], id="a function of an importable module"),
    ],
)
def test_a_predicate_keeps_the_rows_for_which_it_is_true(flights, predicate, expected):
    kept = filter_rows(flights, predicate)
    assert ids(kept) == expected
    assert kept.columns == [*flights.columns, "_error"]
    assert kept.drop("_error").schema == flights.schema


def test_what_a_predicate_does_to_its_record_does_not_reach_the_row(flights):
    def spoil(record):
        record["carrier"] = "spoilt"
        record["route"]["stops"].append("spoilt")
        return True

    one = flights.where("flight = 1")
    assert accepted(filter_rows(one, spoil)).collect() == one.collect()


def test_a_row_for_which_the_predicate_raises_is_rejected_with_its_values(flights):
    kept = filter_rows(flights, lambda record: record["delay"] > 0)
    row = kept.where("flight = 2").first()
    assert (row.carrier, row.route.origin) == ("AA", "JFK")
    assert row._error.code == "FUNCTION"
    assert row._error.message.startswith(
        "TypeError: '>' not supported between instances of 'NoneType' and 'int' (test_"
    )
    assert row._error.record == (
        '{"flight": 2, "carrier": "AA", "delay": null, "route": {"origin": "JFK", "stops": null}}'
    )
    assert ids(accepted(kept)) == [1]


def test_no_kind_of_exception_loses_a_row(spark):
    errors = [KeyError, ValueError, TypeError, StopIteration, AssertionError, RecursionError]

    def fail(record):
        raise errors[record["id"]]("a text that is not UTF-8: \ud800")

    kept = filter_rows(spark.range(6).coalesce(1), fail)
    assert [row.message.partition(":")[0] for row in rejected(kept).collect()] == [kind.__name__ for kind in errors]


@pytest.mark.parametrize("where", ["1 / id > 0", lambda record: 1 / record["id"] > 0], ids=["text", "predicate"])
def test_rows_rejected_earlier_pass_untouched(spark, where):
    rows = [(("OLD", "m", "{}"), 0), (None, 2)]
    df = spark.createDataFrame(rows, f"_error {ERROR_TYPE}, id INT").coalesce(1)
    kept = filter_rows(df, where)
    assert kept.schema == df.schema
    assert kept.collect() == df.collect()


def test_a_chain_of_predicates_collects_all_rejected_rows(spark):
    first = filter_rows(spark.range(4).coalesce(1), lambda r: 1 // r["id"] + 1)
    second = filter_rows(first, lambda r: 1 // (r["id"] - 1) < 1)
    assert [(row.id, row._error is None) for row in second.collect()] == [(0, False), (1, False), (3, True)]


def test_an_empty_frame_stays_empty_and_the_predicate_is_not_called(spark):
    empty = spark.createDataFrame([], FLIGHTS)
    assert filter_rows(empty, "flight > 1").collect() == []
    kept = filter_rows(empty, lambda record: 1 / 0)
    assert (kept.collect(), kept.columns) == ([], [*empty.columns, "_error"])


def test_a_frame_without_columns_keeps_its_rows(spark):
    assert filter_rows(spark.range(3).select(), lambda record: record == {}).count() == 3


def test_types_that_python_takes_apart_come_back_as_they_were(spark):
    df = spark.sql("""SELECT CAST(1.5 AS DECIMAL(38,10)) d, TIMESTAMP'2020-01-01 00:00:00' t, X'00ff' b, 1Y y, NULL v,
        TIMESTAMP_NTZ'0001-01-01 00:00:00' n, map('k', named_struct('A', 1, 'a', 2)) m, CAST('x' AS VARCHAR(3)) c,
        array(CAST(NULL AS DATE)) a, named_struct() e, INTERVAL '1' DAY i, parse_json('{"k": [1]}') p""")
    kept = filter_rows(df, lambda r: r["m"] == {"k": {"A": 1, "a": 2}} and r["p"] == {"k": [1]})
    assert kept.drop("_error").schema == df.schema
    texts = [F.to_json(F.struct(name)) for name in df.columns if name not in "vi"]
    assert kept.select(texts).collect() == df.select(texts).collect()


def test_a_record_holds_python_values(spark):
    expected = {
        "d": Decimal("1.50"),
        "t": datetime(2020, 1, 1, tzinfo=UTC),
        "n": datetime(2020, 1, 1),
        "day": date(2020, 1, 1),
        "b": b"\x00",
        "m": {1: [None, "x"]},
    }
    df = spark.sql("""SELECT CAST(1.5 AS DECIMAL(5,2)) d, TIMESTAMP'2020-01-01 00:00:00' t, DATE'2020-01-01' day,
        TIMESTAMP_NTZ'2020-01-01 00:00:00' n, X'00' b, map(1, array(NULL, 'x')) m""")
    assert filter_rows(df, lambda record: record == expected).count() == 1


@pytest.mark.parametrize(
    ("where", "error", "sentence"),
    [
        pytest.param("carier = 'UA'", MissingColumnError, "no column `carier`. Did you mean `carrier`", id="column"),
        pytest.param(F.expr, TransformError, "needs a column, an SQL text or a function", id="no condition"),
        pytest.param("route.orign = 'x'", MissingColumnError, "no field `orign`. Did you mean `origin`", id="field"),
        pytest.param("flight >", TransformError, "Syntax error at or near end of input", id="syntax"),
        pytest.param("", TransformError, "empty statement", id="empty text"),
        pytest.param("flight", ColumnTypeError, 'of type "INT" is not a boolean', id="no boolean"),
        pytest.param(
            "lenght(carrier) = 2",
            TransformError,
            "There is no function `lenght`. Did you mean `length`",
            id="unknown function",
        ),
        pytest.param("sum(flight) > 1", TransformError, "invalid expressions: sum", id="aggregate"),
    ],
)
def test_a_wrong_condition_is_refused_at_once(flights, where, error, sentence):
    with pytest.raises(error, match=sentence) as raised:
        filter_rows(flights, 5 if where is F.expr else where)
    assert "stacktrace" not in str(raised.value)


def test_an_unknown_column_object_is_refused_at_once(flights):
    with pytest.raises(MissingColumnError, match="no column `carier`. Did you mean `carrier`"):
        filter_rows(flights, F.col("carier") == "UA")


def test_odd_names_work(spark):
    df = spark.sql("SELECT 1 AS `a.b`, 2 AS `c ``d`, 3 AS `🙂`, 4 AS id, 5 AS Id, named_struct('x', 6, 'X', 7) AS s")
    kept = filter_rows(df, lambda r: r == {"a.b": 1, "c `d": 2, "🙂": 3, "id": 4, "Id": 5, "s": {"x": 6, "X": 7}})
    assert kept.drop("_error").schema == df.schema
    assert [tuple(row) for row in kept.collect()] == [(1, 2, 3, 4, 5, (6, 7), None)]
    assert filter_rows(df, "`a.b` = 1 AND `c ``d` = 2 AND `🙂` = 3").count() == 1


@pytest.mark.parametrize(
    ("query", "where", "error", "sentence"),
    [
        pytest.param("1 AS id, 2 AS Id", "ID = 1", DuplicateColumnError, "`id`, `Id`", id="twins in SQL"),
        pytest.param("1 AS `a.b`", "a.b = 1", MissingColumnError, "write `a.b`", id="dot without back-ticks"),
        pytest.param("1 AS id, 2 AS id", bool, DuplicateColumnError, "`id` occurs twice", id="duplicate"),
        pytest.param(
            "array(named_struct('x', 1, 'x', 2)) AS s", bool, DuplicateColumnError, "`s.element.x`", id="in a struct"
        ),
        pytest.param(
            "1 AS _Error", bool, DuplicateColumnError, "differs only in case from `_error`", id="error's case"
        ),
        pytest.param("'x' AS _error", bool, ColumnTypeError, "kept for rejected rows", id="error's type"),
        pytest.param("'x' AS _error", "true", ColumnTypeError, "kept for rejected rows", id="error's type for SQL"),
        pytest.param("INTERVAL '1' YEAR AS i", bool, ColumnTypeError, "`i` is of type interval year", id="no value"),
        pytest.param("map(struct(1), 1) AS m", bool, ColumnTypeError, "`m` is of type map<struct", id="no dict key"),
    ],
)
def test_a_frame_that_gives_no_record_is_refused(spark, query, where, error, sentence):
    with pytest.raises(error, match=sentence):
        filter_rows(spark.sql(f"SELECT {query}"), where)


def test_a_thousand_columns(spark):
    # Sums, for of a thousand mere aliases of one column Spark deduces for minutes which of them are equal.
    columns = [(F.col("id") + position).alias(f"c{position}") for position in range(1000)]
    df = spark.range(3).select(*columns).coalesce(1)
    assert filter_rows(df, "c999 > 999").count() == 2
    assert ids(filter_rows(df, lambda record: record["c999"] > 999)) == [1, 2]
