"""Thirty levels, on classic Spark and over Spark Connect: every transform bears them, or says that Connect does not."""

import json

import pytest
from deep_frames import LEVELS, deep_arrays, deep_structs, innermost, innermost_element
from pyspark.sql.types import ArrayType, StructType

from transforms.apply_mapping import apply_mapping
from transforms.cast_fields import cast_fields
from transforms.choices.bare_choices import bare_choices
from transforms.choices.choice import choices_in
from transforms.choices.count_choices import count_choices
from transforms.choices.rescue_choices import rescue_choices
from transforms.drop_fields import drop_fields
from transforms.drop_null_fields import drop_null_fields
from transforms.errors import ColumnTypeError, DuplicateColumnError
from transforms.filter_array import filter_array
from transforms.filter_rows import filter_rows
from transforms.flatten import flatten
from transforms.join import join
from transforms.map_array import map_array
from transforms.map_rows import map_rows
from transforms.merge_frames import merge_frames
from transforms.paths import fields_in, fields_of
from transforms.relationalize import relationalize
from transforms.rename_field import rename_field
from transforms.resolve_choice import resolve_choice
from transforms.select_fields import select_fields
from transforms.simplify_ddb_json import simplify_ddb_json
from transforms.split_fields import split_fields
from transforms.unbox import unbox
from transforms.union import union
from transforms.unnest import unnest
from transforms.with_fields import with_fields

A, B = innermost("a"), innermost("b")
ARRAY_A, ARRAY_B = innermost_element("a"), innermost_element("b")
LEAF = tuple(A.split("."))


def last_names(df):
    """The names in the innermost struct."""
    here = df.schema
    while True:
        inner = [fields_of(field.dataType) for field in here.fields if fields_of(field.dataType) is not None]
        if not inner:
            return here.names
        here = inner[0]


def last_value(df):
    """What the innermost struct holds, as a tuple."""
    value, data_type = df.collect()[0], df.schema
    while True:
        if isinstance(data_type, ArrayType):
            value, data_type = value[0], data_type.elementType
        inner = [place for place, field in enumerate(data_type.fields) if fields_of(field.dataType) is not None]
        if not inner:
            return tuple(value)
        value, data_type = value[inner[0]], data_type.fields[inner[0]].dataType
        if isinstance(data_type, ArrayType):
            value, data_type = value[0], data_type.elementType


@pytest.mark.parametrize(
    ("deep", "edit", "expected"),
    [
        pytest.param(deep_structs, lambda df: drop_fields(df, B), (1,), id="drop_fields"),
        pytest.param(deep_arrays, lambda df: drop_fields(df, ARRAY_B), (1,), id="drop_fields in arrays"),
        pytest.param(deep_structs, lambda df: drop_null_fields(df, in_every_row=True), (1,), id="drop_null_fields"),
        pytest.param(
            deep_arrays, lambda df: drop_null_fields(df, in_every_row=True), (1,), id="drop_null_fields in arrays"
        ),
        pytest.param(
            deep_arrays,
            lambda df: drop_null_fields(df, null_integers=[1]),
            None,
            id="drop_null_fields of values in arrays",
        ),
        pytest.param(deep_structs, lambda df: filter_rows(df, f"{A} = 1"), (1, None), id="filter_rows"),
        pytest.param(deep_structs, lambda df: map_rows(df, expressions={"x": A}), (1, None), id="map_rows"),
        pytest.param(deep_structs, lambda df: select_fields(df, A), (1,), id="select_fields"),
        pytest.param(deep_arrays, lambda df: select_fields(df, ARRAY_A), (1,), id="select_fields in arrays"),
        pytest.param(deep_structs, lambda df: split_fields(df, A)["frame2"], (None,), id="split_fields"),
        pytest.param(deep_structs, lambda df: rename_field(df, B, innermost("c")), (1, None), id="rename_field"),
        pytest.param(
            deep_arrays,
            lambda df: rename_field(df, ARRAY_B, innermost_element("c")),
            (1, None),
            id="rename_field in arrays",
        ),
        pytest.param(deep_structs, lambda df: cast_fields(df, {A: "string"}), ("1", None), id="cast_fields"),
        pytest.param(
            deep_arrays, lambda df: cast_fields(df, {ARRAY_A: "string"}), ("1", None), id="cast_fields in arrays"
        ),
        pytest.param(
            deep_structs, lambda df: with_fields(df, {innermost("c"): "a + 1"}), (1, None, 2), id="with_fields"
        ),
        pytest.param(
            deep_arrays, lambda df: with_fields(df, {ARRAY_A: "a + 1"}), (2, None), id="with_fields in arrays"
        ),
        pytest.param(
            deep_arrays,
            lambda df: filter_array(df, innermost_element("a").rpartition(".")[0], "a = 1"),
            (1, None),
            id="filter_array",
        ),
        pytest.param(
            deep_arrays,
            lambda df: map_array(df, innermost_element("a").rpartition(".")[0], "named_struct('a', a + 1)"),
            (2,),
            id="map_array",
        ),
        pytest.param(
            deep_structs, lambda df: apply_mapping(df, [("s", "t")]), (1, None), id="apply_mapping of columns"
        ),
        pytest.param(
            deep_structs, lambda df: apply_mapping(df, [(A, "int", A, "long"), (B, B)]), (1, None), id="apply_mapping"
        ),
        pytest.param(deep_structs, simplify_ddb_json, (1, None), id="simplify_ddb_json"),
    ],
)
def test_thirty_levels(spark, deep, edit, expected):
    made = edit(deep(spark))
    if expected is None:
        assert made.count() == 1
    else:
        assert last_value(made) == expected


@pytest.mark.parametrize("nullable", [True, False])
def test_thirty_levels_of_rows_are_asked_for_nulls(spark, nullable):
    data_type, row = StructType().add("a", "integer").add("b", "string"), (1, None)
    for level in range(LEVELS - 2):
        data_type, row = StructType().add("s", data_type).add("b", "integer"), (row, level)
    df = spark.createDataFrame([(row,)], StructType().add("s", data_type, nullable)).where("s.b >= 0")
    made = drop_null_fields(df, in_every_row=True)
    assert (last_names(made), last_value(made)) == (["a"], (1,))


def test_thirty_levels_become_columns(spark):
    flat = unnest(deep_structs(spark))
    assert (flat.columns[0], flat.columns[-1]) == (A, "s.b")
    assert flat.collect() == [(1, None, *range(LEVELS - 2))]
    nullable = deep_structs(spark).union(spark.sql("SELECT NULL"))
    assert nullable.transform(unnest).collect() == [(1, None, *range(LEVELS - 2)), (None,) * LEVELS]
    assert len(flatten(deep_structs(spark), 20).columns) == 21


def test_thirty_levels_as_a_key(spark):
    assert join(deep_structs(spark), deep_structs(spark), A).count() == 1


def test_thirty_levels_relationalized(spark):
    root = relationalize(deep_structs(spark))["root"]
    assert root.collect() == [(1, None, *range(LEVELS - 2))]
    tables = relationalize(deep_arrays(spark))
    assert len(tables) == LEVELS // 2 + 1
    last = list(tables.values())[-1].drop("id").collect()
    assert last == [(0, 1, None), (1, None, None)]


def test_thirty_levels_of_items(spark):
    text = "named_struct('S', 'x')"
    for _ in range(13):
        text = f"named_struct('M', named_struct('s', {text}))"
    found = simplify_ddb_json(spark.sql(f"SELECT named_struct('s', {text}) AS Item"))
    assert len(list(fields_in(found.schema))) == 14
    assert str(found.collect()[0]).endswith("'x'" + ")" * 14)


def test_thirty_levels_unboxed(spark):
    schema = "struct<a: int>"
    for _ in range(28):
        schema = f"struct<s: {schema}>"
    text = '{"s":' * 28 + '{"a":1}' + "}" * 28
    df = spark.createDataFrame([(text,)], "t STRING")
    for wanted in (schema, None):
        found = unbox(df, "t", "json", schema=wanted)
        assert last_value(found.select("t")) == (1,)


def to_texts(df):
    return resolve_choice(df, choice="cast:string")


def a_choice(spark, deep, path):
    """Two rows with a choice, an int in one and a text in the other, as the last of thirty levels."""
    df = deep(spark, LEVELS - 1)
    return union(df, cast_fields(df, {path("a", LEVELS - 1): "string"}))


DEEP = [
    pytest.param(deep_structs, innermost, id="structs"),
    pytest.param(deep_arrays, innermost_element, id="arrays"),
]


def resolve_path(deep, path):
    steps = path("a", LEVELS - 1)
    return steps if deep is deep_structs else steps.replace(".", "[].")


@pytest.mark.parametrize(("deep", "path"), DEEP)
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("cast:string", ("1", None)),
        ("make_cols", (1, None, None)),
        ("make_struct", (1, None)),
        ("project:string", (None, None)),
        ("project:double", (None, None)),
    ],
)
def test_a_choice_at_the_bottom_of_thirty_levels(spark, deep, path, action, expected):
    df = a_choice(spark, deep, path)
    assert [found.path for found in choices_in(df.schema)] == [resolve_path(deep, path)]
    for arguments in ({"choice": action}, {"specs": {resolve_path(deep, path): action}}):
        made = resolve_choice(df, **arguments)
        assert choices_in(made.schema) == []
        assert last_value(made) == expected


def test_structs_that_can_be_null_stay_null_round_a_choice(spark):
    data_type, one, two = StructType().add("a", "integer").add("b", "string"), (1, None), None
    for level in range(LEVELS - 3):
        data_type = StructType().add("s", data_type).add("b", "integer")
        one, two = (one, level), (two, level)
    df = spark.createDataFrame([(one,), (two,), (None,)], StructType().add("s", data_type))
    both = union(df, cast_fields(df, {innermost("a", LEVELS - 1): "string"}))
    made = resolve_choice(both, choice="cast:integer")
    assert made.collect() == [(one,), (two,), (None,)] * 2
    assert resolve_choice(both, choice="make_struct").collect()[1:3] == [(two,), (None,)]


@pytest.mark.parametrize(("deep", "path"), DEEP)
def test_thirty_levels_match_a_catalog(spark, deep, path):
    schema = deep(spark, LEVELS - 1).schema
    assert last_value(resolve_choice(a_choice(spark, deep, path), choice="match_catalog", schema=schema)) == (1, None)


@pytest.mark.parametrize(("deep", "path"), DEEP)
def test_what_is_no_longer_alone_stays_a_choice_at_thirty_levels(spark, deep, path):
    df = a_choice(spark, deep, path)
    outer = path("b", 2 if deep is deep_structs else 4)
    both = union(df, cast_fields(df, {outer: "string"}))
    assert len(choices_in(both.schema)) == 2
    made = resolve_choice(both, {choices_in(both.schema)[1].path: "cast:int"})
    assert [found.path for found in choices_in(made.schema)] == [resolve_path(deep, path)]
    assert last_value(made) == (1, None)


@pytest.mark.parametrize(("deep", "path"), DEEP)
def test_thirty_levels_merge(spark, deep, path):
    df = deep(spark)
    texts = cast_fields(df, {path("a"): "string"})
    assert last_value(union(df, texts, conflicts="widest")) == ("1", None)
    keyed = deep(spark, LEVELS - 1).selectExpr("*", "1 AS id")
    other = cast_fields(keyed, {path("a", LEVELS - 1): "string"}).selectExpr("s", "2 AS id")
    merged = merge_frames(keyed, other, "id")
    assert [found.path for found in choices_in(merged.schema)] == [resolve_path(deep, path)]
    assert last_value(merged) == (1, None)


@pytest.mark.parametrize(("deep", "path"), DEEP)
def test_thirty_levels_are_counted_and_rescued(spark, deep, path):
    df = a_choice(spark, deep, path)
    [conflict] = count_choices(df)
    assert (conflict.path, [found.times for found in conflict.types]) == (resolve_path(deep, path), [1, 1])
    [first, second] = rescue_choices(df, [conflict]).collect()
    assert first["_rescued_data"] is None
    assert second["_rescued_data"] == json.dumps(
        {resolve_path(deep, path).replace("[]", "[0]"): "1"}, separators=(",", ":")
    )
    assert last_value(bare_choices(df))[1] is None


def test_what_connect_cannot_carry_is_said(spark):
    deeper = deep_structs(spark, 45)
    if "connect" in type(spark).__module__:
        for transform in (unnest, drop_null_fields, simplify_ddb_json, to_texts, bare_choices):
            with pytest.raises(ColumnTypeError, match="nested deeper than Spark Connect can carry"):
                transform(deeper)
    else:
        assert len(unnest(deeper).columns) == 45
        assert to_texts(deeper).schema == deeper.schema
        assert last_names(drop_fields(deeper, innermost("a", 45))) == ["b"]


def test_two_thousand_columns(spark):
    wide = spark.range(2).selectExpr(*(f"id + {number} AS `c {number}`" for number in range(2000)))
    names = wide.columns
    mapped = wide.transform(apply_mapping, [(name, f"`{name}.x`", "int") for name in names])
    assert mapped.columns[-1] == "c 1999.x"
    assert mapped.transform(cast_fields, {f"`{name}.x`": "string" for name in names}).dtypes[1999][1] == "string"
    assert len(wide.transform(select_fields, names[::-1]).columns) == 2000
    nested = wide.selectExpr("struct(*) AS t")
    assert len(nested.transform(unnest).columns) == 2000
    edited = nested.transform(with_fields, {f"t.`c {number}`": f"`c {number}` + 1" for number in range(50)})
    assert edited.select("t.`c 49`", "t.`c 50`").collect() == [(50, 50), (51, 51)]


@pytest.mark.parametrize("transform", [unnest, simplify_ddb_json, lambda df: rename_field(df, "`a.b`", "a")])
def test_frames_without_columns_or_rows(spark, transform):
    bare = spark.range(3).select()
    assert transform(bare).schema == StructType()
    assert transform(spark.sql("SELECT 1 AS x LIMIT 0")).collect() == []


def test_names_that_would_meet(spark):
    df = spark.sql("SELECT named_struct('b', 1) AS a, 2 AS `a.b`")
    with pytest.raises(DuplicateColumnError, match=r"The fields a.b and `a.b` would both become the column `a.b`"):
        unnest(df)
