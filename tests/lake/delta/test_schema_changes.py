"""Rows whose columns are not the table's: refused, left out, added, widened or rescued."""

import json
from itertools import zip_longest

import pyarrow.parquet
import pytest

from birchtar.lake.errors import LakeError

FIRST = "id INT, worth INT, word STRING"


@pytest.fixture
def begun(spark, table):
    table.write(spark.createDataFrame([(1, 10, "a")], FIRST), 1, mode="append")
    return table


def columns(table):
    return [(field.name, field.type.type) for field in table.other().schema().fields]


def test_new_columns_are_added(spark, begun):
    begun.write(
        spark.createDataFrame([(2, 2.5)], "id SMALLINT, size DOUBLE"), 2, mode="append", schema_changes="evolve"
    )
    assert columns(begun)[3:] == [("size", "double")]
    assert begun.rows() == [(1, 10, "a", None), (2, None, None, 2.5)]


def test_nested_fields_are_added(spark, table):
    table.write(spark.createDataFrame([(1, (1,))], "id INT, s STRUCT<a: INT>"), 1, mode="append")
    new = spark.createDataFrame([(2, (2, "x"))], "id INT, s STRUCT<a: INT, b: STRING>")
    table.write(new, 2, mode="append", schema_changes="evolve")
    assert sorted(table.other().to_pyarrow_table()["s"].to_pylist(), key=str) == [
        {"a": 1, "b": None},
        {"a": 2, "b": "x"},
    ]


def test_new_columns_are_left_out_with_a_warning(spark, begun):
    df = spark.createDataFrame([(2, 20, 2.5)], "id INT, worth SMALLINT, size DOUBLE")
    staged = begun.stage(df, 2, mode="append", schema_changes="warn")
    begun.publish(staged.plan, 2, staged, mode="append", schema_changes="warn")
    assert staged.plan["warnings"] == [
        "`size` is not in the table and was left out",
        "`word` is missing and came out null",
    ]
    assert begun.rows() == [(1, 10, "a"), (2, 20, None)]


def test_types_are_widened_in_place(spark, begun):
    settings = {"mode": "append", "schema_changes": "widen"}
    staged = begun.stage(spark.createDataFrame([(2**40, 20, "b")], "id BIGINT, worth INT, word STRING"), 2, **settings)
    assert columns(begun)[0] == ("id", "integer")
    begun.publish(staged.plan, 2, staged, **settings)
    # The table's feature is newer than deltalake, so Spark reads it.
    read = spark.read.format("delta").load(begun.path)
    assert read.dtypes[0] == ("id", "bigint")
    assert sorted(map(tuple, read.collect())) == [(1, 10, "a"), (2**40, 20, "b")]
    assert begun.beside() == ["table"]
    assert begun.publish(staged.plan, 2, **settings).skipped


def test_what_does_not_fit_is_rescued_as_json(spark, begun):
    rows = [(2, "20", "b", 1.5), (3, "many", None, None), (2**40, None, "c", None)]
    df = spark.createDataFrame(rows, "id BIGINT, worth STRING, word STRING, size DOUBLE")
    begun.write(df, 2, mode="append", schema_changes="rescue")
    assert columns(begun) == [("id", "integer"), ("worth", "integer"), ("word", "string"), ("_rescued_data", "string")]
    told = sorted(begun.rows(), key=str)
    rescued = {row[:3]: row[3] and json.loads(row[3]) for row in told}
    assert rescued == {
        (1, 10, "a"): None,
        (2, 20, "b"): {"size": 1.5},
        (3, None, None): {"worth": "many"},
        (None, None, "c"): {"id": 2**40},
    }
    begun.write(spark.createDataFrame([(4, 40, "d")], FIRST), 3, mode="append", schema_changes="rescue")
    assert begun.rows("id", "_rescued_data")[-1] == (4, None)


def test_a_value_is_not_rounded_into_its_column(spark, begun):
    df = spark.createDataFrame(
        [(2, 2.0, "b"), (3, 2.5, "c"), (4, float("nan"), "d")], "id INT, worth DOUBLE, word STRING"
    )
    begun.write(df, 2, mode="append", schema_changes="rescue")
    assert begun.rows("id", "worth") == [(1, 10), (2, 2), (3, None), (4, None)]


SAYS = {
    "d DATE": {"2024-01-02": True, " 2024-1-2 ": True, "2024-01-02 10:11:12": False, "today": False},
    "m DECIMAL(10,2)": {"1.50": True, "01.5000": True, "1e2": True, "1.239": False, "1.2400000001": False},
    "w DECIMAL(38,0)": {"7": True, "7.5": False},
    "n TIMESTAMP_NTZ": {"2024-01-02 10:00:00.123456": True, "2024-01-02 10:00:00+05:00": False, "10:00": False},
    "t TIMESTAMP": {"2024-01-02T10:00:00+05:00": True, "2024-01-02": True, "2024-01-02 10:00:00.1234567": False},
    "f FLOAT": {"0.1": True, "16777216": True, "16777217": False, "NaN": True},
    "i INT": {"7": True, "7.9": False},
}


def test_a_text_says_no_more_than_what_it_becomes(spark, table):
    table.write(spark.createDataFrame([], f"id INT, {', '.join(SAYS)}"), 1, mode="append")
    names = [column.split(" ")[0] for column in SAYS]
    rows = list(enumerate(zip_longest(*(texts for texts in SAYS.values()))))
    texts = spark.createDataFrame([(at, *row) for at, row in rows], f"id INT, {' STRING, '.join(names)} STRING")
    table.write(texts, 2, mode="append", schema_changes="rescue")
    for at, row in rows:
        kept = dict(zip(names, table.rows("id", *names)[at][1:], strict=True))
        rescued = json.loads(table.rows("id", "_rescued_data")[at][1] or "{}")
        fits = {name: SAYS[column].get(text) for name, column, text in zip(names, SAYS, row, strict=True)}
        assert {name for name, value in kept.items() if value is not None} == {name for name in names if fits[name]}
        assert rescued == {name: text for name, text in zip(names, row, strict=True) if fits[name] is False}


def test_what_is_rescued_keeps_its_microseconds(spark, begun):
    df = spark.sql("SELECT 2 AS id, TIMESTAMP '2024-01-02 03:04:05.123456' AS worth")
    begun.write(df, 2, mode="append", schema_changes="rescue")
    assert begun.rows("_rescued_data")[-1] == ('{"worth":"2024-01-02T03:04:05.123456Z"}',)


def test_a_merge_adds_columns_too(spark, begun):
    settings = {"mode": "merge", "keys": ["id"], "schema_changes": "evolve"}
    published = begun.write(spark.createDataFrame([(1, 0.5), (2, 2.5)], "id INT, size DOUBLE"), 2, **settings)
    assert (published.updated, published.inserted) == (1, 1)
    assert begun.rows() == [(1, 10, "a", 0.5), (2, None, None, 2.5)]


@pytest.mark.parametrize(
    ("how", "schema", "row", "message"),
    [
        pytest.param("fail", "id INT, more INT", (1, 1), "`more` is new", id="fail: new"),
        pytest.param("fail", "id BIGINT", (1,), "`id` is int there and bigint here", id="fail: wider"),
        pytest.param("warn", "id BIGINT", (1,), "`id` is int there and bigint here", id="warn: wider"),
        pytest.param("evolve", "id BIGINT, word INT", (1, 1), "`word` is string there", id="evolve: other"),
        pytest.param("widen", "id STRING", ("1",), "`id` is int there and string here", id="widen: other"),
        pytest.param("rescue", "id INT, _rescued_data INT", (1, 1), "`_rescued_data` already", id="rescue: taken"),
    ],
)
def test_a_change_that_is_not_allowed_is_refused(spark, begun, how, schema, row, message):
    with pytest.raises(LakeError, match=message):
        begun.stage(spark.createDataFrame([row], schema), 2, mode="append", schema_changes=how)
    assert begun.version() == 0


def test_rows_outside_the_condition_are_refused_with_their_number(spark, begun):
    df = spark.createDataFrame([(1, 1, "x"), (9, 1, "y"), (None, 1, "z")], FIRST).coalesce(1)
    before = begun.data_files()
    with pytest.raises(LakeError, match="for 2 of the new rows `id < 5` is not true"):
        begun.stage(df, 2, replace_where="id < 5")
    assert begun.version() == 0
    # Delta itself leaves an empty file where it found no row of an old one to keep.
    left = [pyarrow.parquet.read_metadata(begun.folder / name).num_rows for name in begun.data_files() - before]
    assert sum(left) == 0
