"""A declared schema over files that know their types: no value becomes another one on the way."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import Row

from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.read import read
from birchtar.lake.source import Source


@pytest.fixture
def declared(spark, tmp_path):
    """Reads the rows of an SQL query from Parquet, with some columns declared."""

    def read_declared(query, schema):
        spark.sql(query).write.parquet(str(tmp_path / "p"))
        return read(spark, Source(path=str(tmp_path / "p"), format="parquet", schema=schema))

    return read_declared


def values(sql_type, *literals):
    """Return a query whose rows have these values in `v`, and their number in `n`."""
    return " UNION ALL ".join(f"SELECT {n} AS n, CAST({v} AS {sql_type}) AS v" for n, v in enumerate(literals))


CASTS = [
    ("DOUBLE", "INT", ["1.0D", "null", "1.7D", "1e10D", "double('NaN')"], [1, None]),
    ("BIGINT", "INT", ["5", "3000000000"], [5]),
    ("BIGINT", "DOUBLE", ["9007199254740992", "9007199254740993", "9223372036854775807"], [9007199254740992.0]),
    ("DOUBLE", "BIGINT", ["1e15D", "9223372036854775808D", "0.5D"], [10**15]),
    ("DOUBLE", "FLOAT", ["1.5D", "1e300D", "0.1234567890123D"], [1.5]),
    ("DOUBLE", "DECIMAL(5,2)", ["1.25D", "1.239D", "12345D"], [Decimal("1.25")]),
    ("DECIMAL(10,4)", "DECIMAL(10,2)", ["1.2300", "1.2345"], [Decimal("1.23")]),
    ("DECIMAL(30,10)", "DOUBLE", ["1.5", "12345678901234567890.0123456789"], [1.5]),
    ("INT", "BOOLEAN", ["1", "0", "2"], [True, False]),
    (
        "TIMESTAMP",
        "DATE",
        ["'2024-01-02 00:00:00'", "'2024-01-02 10:00:00'"],
        [date(2024, 1, 2)],
    ),
    ("STRING", "INT", ["'7'", "' 7 '", "'abc'", "'1.7'"], [7, 7]),
    ("STRING", "DATE", ["'2024-01-02'", "'2024-01-02 00:00:00'", "'2024-01-02 x'", "'10:00'"], [date(2024, 1, 2)] * 2),
    ("STRING", "DECIMAL(5,2)", ["'1.23'", "'1.2300'", "'1.234'", "'1e-9'"], [Decimal("1.23")] * 2),
    ("STRING", "DOUBLE", ["'1.5'", "'inf'", "'1e400'"], [1.5, float("inf")]),
    ("BINARY", "STRING", ["'é'", "X'FF'"], ["é"]),
]


@pytest.mark.parametrize(("ours", "theirs", "literals", "kept"), CASTS, ids=[f"{a} as {b}" for a, b, *_ in CASTS])
def test_a_value_comes_as_it_was_or_is_rejected(declared, ours, theirs, literals, kept):
    df = declared(values(ours, *literals), f"n INT, v {theirs}").orderBy("n")
    assert [row.v for row in df.where("_error IS NULL").collect()] == kept
    rejected = df.where("_error IS NOT NULL").select("n", "v", "_error.code").collect()
    assert [tuple(row) for row in rejected] == [(n, None, "CAST") for n in range(len(kept), len(literals))]


@pytest.mark.parametrize(
    ("query", "schema", "row"),
    [
        pytest.param("SELECT 1 AS i, 2.5F AS f", "i BIGINT, f DOUBLE", (1, 2.5), id="wider"),
        pytest.param("SELECT 1.50 AS d, true AS b", "d STRING, b STRING", ("1.50", "true"), id="texts"),
        pytest.param("SELECT DATE '2024-01-02' AS d", "d TIMESTAMP", (datetime(2024, 1, 2),), id="a day's begin"),
        pytest.param("SELECT named_struct('a', 1, 'b', 2) AS s", "s STRUCT<b: BIGINT>", ((2,),), id="nested, by name"),
        pytest.param("SELECT map(1, 2) AS m", "m MAP<BIGINT, STRING>", ({1: "2"},), id="map"),
    ],
)
def test_casts_that_cannot_lose_anything_reject_nothing(declared, query, schema, row):
    df = declared(query, schema)
    assert "_error" not in df.columns
    assert [tuple(each) for each in df.collect()] == [row]


def test_the_error_says_what_does_not_fit_and_the_record_is_as_it_was_read(declared):
    query = "SELECT 7 AS id, 1.7D AS `a.b`, TIMESTAMP '2024-01-02 03:04:05.123456' AS at, CAST(null AS STRING) AS s"
    df = declared(query, "`a.b` INT, at DATE, s STRING, id INT")
    (row,) = df.collect()
    assert row[:4] == (None, None, None, 7)
    assert row._error.code == "CAST"
    assert row._error.message == "`a.b` is not an int: 1.7; `at` is not a date: 2024-01-02T03:04:05.123456Z"
    assert json.loads(row._error.record) == {"a.b": 1.7, "at": "2024-01-02T03:04:05.123456Z", "s": None, "id": 7}


def test_values_inside_of_others_are_looked_at_too(declared):
    one = "named_struct('id', {}, 'items', array(null, named_struct('price', {}, 'more', 'x')), 'by', map('k', {}))"
    rows = [(1, "1.0D", "2.0D"), (2, "1.5D", "2.0D"), (3, "1.0D", "2.5D")]
    query = " UNION ALL ".join(f"SELECT {one.format(*row)} AS o" for row in rows) + " UNION ALL SELECT null"
    kind = "STRUCT<by: MAP<STRING, INT>, id: INT, items: ARRAY<STRUCT<price: INT>>>"
    df = declared(query, {"o": kind})
    good = [row.o for row in df.where("_error IS NULL").collect()]
    assert sorted(good, key=str) == [None, Row(by={"k": 2}, id=1, items=[None, Row(price=1)])]
    errors = df.where("_error IS NOT NULL").select("_error.*").collect()
    said = [(error.message, json.loads(error.record)["o"]["id"]) for error in errors]
    message = "`o` holds what is not of its type struct<by:map<string,int>,id:int,items:array<struct<price:int>>>"
    assert sorted(said) == [(message, 2), (message, 3)]


@pytest.mark.parametrize(
    ("query", "schema", "message"),
    [
        pytest.param(
            "SELECT 1 AS born", "born DATE", "p: .*`born` is an int and cannot become a date. Declare", id="plain"
        ),
        pytest.param("SELECT array(1) AS a", "a STRING", "`a` is an array<int> and cannot become a string", id="text"),
        pytest.param(
            "SELECT array(named_struct('b', 1)) AS a",
            "a ARRAY<STRUCT<c: INT>>",
            r"`a\[\].c` is not there.* b",
            id="name",
        ),
        pytest.param("SELECT map(1.5D, 1) AS m", "m MAP<INT, INT>", "keys of `m` are double and cannot all", id="keys"),
        pytest.param("SELECT 1.5D AS _error", "_error INT", "a column `_error`", id="the error's name"),
    ],
)
def test_what_can_never_become_the_declared_type_is_told_at_once(declared, query, schema, message):
    with pytest.raises(LakeError, match=message):
        declared(query, schema)


def test_an_error_of_a_column_that_is_not_there_names_the_others(declared):
    with pytest.raises(SchemaMismatchError, match="`x`, which the files do not have. They have: n"):
        declared("SELECT 1 AS n", "x INT")


def test_a_time_keeps_its_instant(declared):
    df = declared("SELECT TIMESTAMP_NTZ '2024-01-02 03:04:05.5' AS t", "t TIMESTAMP")
    (row,) = df.collect()
    assert row._error is None
    assert row.t.astimezone(UTC) == datetime(2024, 1, 2, 3, 4, 5, 500_000, UTC)
