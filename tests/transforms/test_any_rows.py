"""What the transforms of rows and columns keep, whatever the frame: names, types, nulls, NaN and every row."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType, StructField, StructType
from random_frames import Frame, few_examples, frames

from transforms.add_identifier import add_identifier
from transforms.add_uuid import add_uuid
from transforms.autobalance import autobalance
from transforms.concatenate import concatenate
from transforms.conditional_router import conditional_router
from transforms.derive_column import derive_column
from transforms.drop_duplicates import drop_duplicates
from transforms.errors import TransformError
from transforms.explode import explode
from transforms.extract_regex import extract_regex
from transforms.fill_missing import fill_missing
from transforms.lookup import lookup
from transforms.mask_columns import mask_columns
from transforms.merge_frames import merge_frames
from transforms.parse_json import parse_json
from transforms.pivot import pivot
from transforms.redact_columns import redact_columns
from transforms.remove_null_rows import remove_null_rows
from transforms.spigot import spigot
from transforms.split_rows import split_rows
from transforms.to_timestamp import to_timestamp
from transforms.union import union
from transforms.unpivot import unpivot

SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
NUMBERS = st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0, math.nan]))
OPERANDS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.sampled_from(["1", "-2.5", "0"]))


@few_examples
@given(st.lists(st.tuples(NUMBERS, st.sampled_from([None, "", "1", "x", "NaN"])), max_size=6), SIGNS, OPERANDS, SIGNS)
def test_split_rows_puts_every_row_in_exactly_one_part(spark, values, sign, operand, other_sign):
    data = [(number, *value) for number, value in enumerate(values)]
    df = spark.createDataFrame(data, "id INT, `x.x` DOUBLE, text STRING")
    parts = split_rows(df, {"`x.x`": {sign: operand}, "text": {other_sign: 1}})
    found = Counter(row.id for part in parts.values() for row in part.select("id").collect())
    assert found == Counter(range(len(values)))


@few_examples
@given(frames())
def test_rows_and_schema_stay_as_they_are(spark, frame: Frame):
    df = frame.on(spark)
    assert df.transform(union, df).schema == df.schema
    assert df.transform(union, df).collect() == frame.rows * 2
    assert df.transform(autobalance, 2).schema == df.schema
    routed = conditional_router(df, {"none": "false"})
    assert routed["default_group"].collect() == frame.rows
    kept = df.transform(remove_null_rows).collect()
    assert kept == [row for row in frame.rows if any(value is not None for value in row)]


@few_examples
@given(frames())
def test_dropping_duplicates_of_a_doubled_frame_gives_its_distinct_rows(spark, frame: Frame):
    df = frame.on(spark)
    once, doubled = df.transform(drop_duplicates), df.transform(union, df, distinct=True)
    assert once.count() == len({as_key(row) for row in frame.rows})
    assert doubled.schema == df.schema
    distinct = Counter(map(repr, doubled.collect()))
    assert distinct == Counter(map(repr, once.collect()))
    assert set(distinct) <= set(map(repr, df.collect()))


def as_key(value):
    """Return a value so that Python finds equal what Spark does: zeros of both signs, and maps in any order."""
    if isinstance(value, tuple | list):
        return tuple(map(as_key, value))
    if isinstance(value, dict):
        return frozenset((key, as_key(item)) for key, item in value.items())
    return value


ODD = """
SELECT 1 AS id, 'a' AS `t.t`, 'b' AS `🙂`, 'c' AS `b``t`, named_struct() AS empty, 7 AS `*`, 8 AS `a[0]`, '9' AS ` `,
       named_struct('id', 1, 'Id', 'x', 'a.b', array(array(1))) AS s, map('k', array('v')) AS m, '2013' AS c0
"""

STEPS = {
    "add_identifier": lambda df: add_identifier(df, "new"),
    "add_uuid": lambda df: add_uuid(df, "new.new"),
    "concatenate": lambda df: concatenate(df, ["`t.t`", "🙂", "s.Id"], "*"),
    "derive_column": lambda df: derive_column(df, "new", "`t.t` || `b``t`"),
    "drop_duplicates": drop_duplicates,
    "drop_duplicates by": lambda df: drop_duplicates(df, ["s.Id", "m"], order_by="`a[0]`"),
    "explode": lambda df: explode(df, "s.`a.b`", new_column="new"),
    "extract_regex": lambda df: extract_regex(df, "🙂", "(.)", ["new `"]),
    "fill_missing": lambda df: fill_missing(df, ["🙂", "`t.t`"], "mode"),
    "lookup": lambda df: lookup(df, df, {"s.Id": "s.Id"}, ["🙂", "empty"]),
    "mask_columns": lambda df: mask_columns(df, ["s.Id", "`b``t`"]),
    "merge_frames": lambda df: merge_frames(df, df, "s.Id"),
    "parse_json": lambda df: parse_json(df, " ", schema="INT"),
    "redact_columns": lambda df: redact_columns(df, ["s.Id", "s.`a.b`"]),
    "split_rows": lambda df: split_rows(df, {"s.Id": {"=": "x"}, "*": {">": 1}})["frame1"],
    "to_timestamp": lambda df: to_timestamp(df, "c0", new_column="c1"),
    "unpivot": lambda df: unpivot(df, ["🙂", "`b``t`"]),
}


@pytest.mark.parametrize("step", STEPS)
def test_odd_names_empty_structs_and_empty_frames(spark, step, tmp_path):
    df = spark.sql(ODD)
    made = STEPS[step](df)
    assert len(made.collect()) >= 1
    untouched = [name for name in ("id", "empty", "m") if name in made.columns]
    assert made.select(*untouched).first() == df.select(*untouched).first()
    assert STEPS[step](df.limit(0)).collect() == []


def test_names_that_are_there_twice(spark):
    df = spark.sql("SELECT 1 AS id, 'x' AS Id, 'y' AS `a b`, 2 AS id")
    assert concatenate(df, ["Id", "a b"], "new").collect() == [(1, "x", "y", 2, "xy")]
    assert drop_duplicates(df, "Id").collect() == [(1, "x", "y", 2)]
    assert split_rows(df, {"Id": {"=": "x"}})["frame1"].columns == ["id", "Id", "a b", "id"]
    assert mask_columns(df, "Id").collect() == [(1, "*", "y", 2)]
    assert union(df, df).columns == ["id", "Id", "a b", "id"]
    for wrong in (
        lambda: derive_column(df, "new", "id"),
        lambda: add_uuid(df, "id"),
        lambda: split_rows(df, {"id": {"=": 1}}),
        lambda: fill_missing(df, "id", "mean"),
        lambda: pivot(df, "a b", aggregate="sum", values_of="id"),
        lambda: unpivot(df, ["Id"]),
    ):
        with pytest.raises(TransformError):
            wrong()


def test_two_thousand_columns(spark, tmp_path):
    wide = spark.range(1).select(*(F.lit(str(number)).alias(f"c.{number}") for number in range(2000)))
    names = [f"`{name}`" for name in wide.columns]
    assert len(concatenate(wide, names, "all").select("all").collect()[0].all) == 6890
    assert len(mask_columns(wide, names).collect()[0]) == 2000
    assert drop_duplicates(wide).count() == 1
    assert unpivot(wide, names).count() == 2000
    assert len(union(wide, wide.drop("c.7")).columns) == 2000
    spigot(wide, str(tmp_path))
    filled = fill_missing(wide, names[:500], "mode")
    assert filled.columns == wide.columns


def test_thirty_levels(spark):
    value, path = "'x'", "v"
    for level in range(29):
        value, path = f"named_struct('v', {value}, 'n', {level})", f"{path}.v"
    df = spark.sql(f"SELECT {value} AS v, 1 AS id")
    assert concatenate(df, [path, "id"], "new").collect()[0].new == "x1"
    assert split_rows(df, {path: {"=": "x"}})["frame1"].count() == 1
    assert redact_columns(df, path).select(f"{path}").collect() == [("*******",)]
    assert drop_duplicates(df, path).count() == 1
    assert lookup(df, df, path, "id").collect()[0][".id"] == 1
    assert union(df, df).count() == 2


def test_metadata_of_other_columns_stays(spark):
    inner = StructType([StructField("b", IntegerType(), True, {"deep": 2})])
    schema = StructType([StructField("a.a", inner, True, {"outer": 1}), StructField("t", StringType(), True, {"t": 3})])
    df = spark.createDataFrame([((1,), "x")], schema)
    for made in (
        concatenate(df, ["t"], "new"),
        derive_column(df, "new", "t"),
        drop_duplicates(df, "t", order_by="t"),
        split_rows(df, {"t": {"=": "x"}})["frame1"],
        explode(derive_column(df, "new", "array(1)"), "new"),
        parse_json(derive_column(df, "new", "'1'"), "new", schema="INT"),
        union(df, df.limit(0)),
        merge_frames(df, df, "t"),
    ):
        assert made.schema.fields[:2] == schema.fields
        assert [field.metadata for field in made.schema.fields[:2]] == [{"outer": 1}, {"t": 3}]
