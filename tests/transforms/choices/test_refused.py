"""Choices where one type is needed: each transform says which types there are, and what resolves them."""

import pytest
from pyspark.sql.types import ArrayType, LongType, StringType, StructType

from transforms.aggregate import aggregate
from transforms.apply_mapping import apply_mapping
from transforms.cast_fields import cast_fields
from transforms.choices.choice import ChoiceType, to_choices, to_marks
from transforms.concatenate import concatenate
from transforms.derive_column import derive_column
from transforms.drop_fields import drop_fields
from transforms.drop_null_fields import drop_null_fields
from transforms.errors import ColumnTypeError
from transforms.explode import explode
from transforms.extract_regex import extract_regex
from transforms.fill_missing import fill_missing
from transforms.filter_array import filter_array
from transforms.filter_rows import filter_rows
from transforms.format_timestamp import format_timestamp
from transforms.hash_columns import hash_columns
from transforms.map_array import map_array
from transforms.mask_columns import mask_columns
from transforms.parse_json import parse_json
from transforms.rename_field import rename_field
from transforms.resolve_choice import resolve_choice
from transforms.split_rows import split_rows
from transforms.split_string import split_string
from transforms.to_timestamp import to_timestamp
from transforms.unbox import unbox
from transforms.union import union
from transforms.unpivot import unpivot
from transforms.with_fields import with_fields

ID = ChoiceType.of([LongType(), StringType()])


@pytest.fixture
def mixed(spark):
    inner = StructType().add("q", "integer").add("p", ID)
    fields = StructType().add("k", "integer").add("id", ID).add("s", inner).add("l", ArrayType(inner))
    schema = to_marks(fields.add("two words", ID))
    one, text = (1, None), (None, "x")
    return spark.createDataFrame([(1, one, (1, one), [(1, text)], text)], schema)


def told(path):
    resolved = f'resolve it first with the step resolve_choice: {{specs: {{"{path}": make_cols}}}}, or another action.'
    return f"`{path}` is a choice of long, string; {resolved}"


@pytest.mark.parametrize(
    ("act", "where", "path"),
    [
        pytest.param(lambda df: concatenate(df, ["k", "id"], "x"), "concatenate", "id", id="concatenate"),
        pytest.param(lambda df: concatenate(df, ["s.p"], "x"), "concatenate", "s.p", id="in a struct"),
        pytest.param(lambda df: split_rows(df, {"id": {">": 5}}, "a", "b"), "split_rows", "id", id="split_rows"),
        pytest.param(lambda df: hash_columns(df, "id"), "hash_columns", "id", id="hash_columns"),
        pytest.param(lambda df: mask_columns(df, "l.p"), "mask_columns", "l[].p", id="mask_columns, in an array"),
        pytest.param(lambda df: to_timestamp(df, "id"), "to_timestamp", "id", id="to_timestamp"),
        pytest.param(lambda df: format_timestamp(df, "id", "%H"), "format_timestamp", "id", id="format_timestamp"),
        pytest.param(lambda df: split_string(df, "id", ","), "split_string", "id", id="split_string"),
        pytest.param(lambda df: extract_regex(df, "id", "(a)", ["a"]), "extract_regex", "id", id="extract_regex"),
        pytest.param(lambda df: parse_json(df, "id", schema="a INT"), "parse_json, `id`", "id", id="parse_json"),
        pytest.param(lambda df: unbox(df, "id", "json", schema="a INT"), "unbox, `id`", "id", id="unbox"),
        pytest.param(lambda df: fill_missing(df, "id", "mean"), "fill_missing", "id", id="fill_missing, mean"),
        pytest.param(lambda df: fill_missing(df, "id", "model"), "fill_missing", "id", id="fill_missing, model"),
        pytest.param(
            lambda df: fill_missing(df, "id", "constant", value=0), "fill_missing", "id", id="fill_missing, constant"
        ),
        pytest.param(lambda df: aggregate(df, [["id", "sum"]]), "aggregate", "id", id="aggregate"),
        pytest.param(lambda df: unpivot(df, ["k", "id"]), "unpivot", "id", id="unpivot"),
        pytest.param(lambda df: explode(df, "id"), "explode", "id", id="explode"),
    ],
)
def test_what_needs_one_type_says_what_resolves_a_choice(mixed, act, where, path):
    with pytest.raises(ColumnTypeError) as raised:
        act(mixed)
    assert str(raised.value) == f"{where}: {told(path)}"


@pytest.mark.parametrize(
    ("act", "path"),
    [
        pytest.param(lambda df: drop_fields(df, ["id.long"]), "id", id="drop_fields"),
        pytest.param(lambda df: drop_fields(df, ["l.p.string"]), "l[].p", id="drop_fields, in an array"),
        pytest.param(lambda df: rename_field(df, "id.long", "number"), "id", id="rename_field"),
        pytest.param(lambda df: rename_field(df, "k", "s.p.k"), "s.p", id="rename_field, into"),
        pytest.param(lambda df: with_fields(df, {"id.z": "1"}), "id", id="with_fields"),
        pytest.param(lambda df: with_fields(df, {"l[].p.long": "1"}), "l[].p", id="with_fields, in an array"),
        pytest.param(lambda df: cast_fields(df, {"id.long": "int"}), "id", id="cast_fields"),
    ],
)
def test_the_types_of_a_choice_are_no_fields_to_edit(mixed, act, path):
    with pytest.raises(ColumnTypeError) as raised:
        act(mixed)
    assert str(raised.value).endswith(told(path))


@pytest.mark.parametrize("wanted", ["long", "double", "string"])
@pytest.mark.parametrize(
    ("field", "path"), [("id", "id"), ("s.p", "s.p"), ("l[].p", "l[].p"), ("s", "s.p"), ("l", "l[].p")]
)
def test_a_choice_is_not_cast_as_the_struct_that_it_is_to_spark(mixed, field, wanted, path):
    with pytest.raises(ColumnTypeError) as raised:
        cast_fields(mixed, {field: wanted})
    assert str(raised.value) == f"cast_fields, `{field}`: {told(path)}"
    if "[]" not in field:
        with pytest.raises(ColumnTypeError) as raised:
            apply_mapping(mixed, [(field, "z", wanted)])
        assert str(raised.value).endswith(told(path))
    assert apply_mapping(mixed, [("id", "choice", "z", "choice")]).columns == ["z"]


@pytest.mark.parametrize(
    ("act", "expression", "path"),
    [
        pytest.param(lambda df: filter_rows(df, "id > 5"), '"(id > 5)"', "id", id="filter_rows"),
        pytest.param(lambda df: derive_column(df, "z", "id + k"), '"(id + k)"', "id", id="derive_column"),
        pytest.param(lambda df: with_fields(df, {"z": "id + k"}), '"(id + k)"', "id", id="with_fields"),
        pytest.param(
            lambda df: with_fields(df, {"z": "`two words` + 1"}), '"(`two words` + 1)"', "two words", id="odd name"
        ),
        pytest.param(lambda df: map_array(df, "l", "p + 1"), ".p + 1)", "l[].p", id="in an array"),
    ],
)
def test_sparks_complaint_of_a_choice_has_the_users_names_and_what_resolves_it(mixed, act, expression, path):
    with pytest.raises(ColumnTypeError) as raised:
        act(mixed)
    said = str(raised.value)
    assert expression in said
    assert said.endswith(f". {told(path)}")
    assert said.count("is a choice of") == 1


def test_a_complaint_of_what_is_no_choice_names_none(mixed):
    with pytest.raises(ColumnTypeError, match=r'Cannot resolve "\(s \+ 1\)"') as raised:
        with_fields(mixed, {"z": "s + 1"})
    assert "is a choice" not in str(raised.value)


def test_a_column_with_a_name_like_ours_is_not_taken_for_another(spark):
    df = spark.sql("SELECT 1 AS k, array(1) AS __c0")
    with pytest.raises(ColumnTypeError, match=r'Cannot resolve "\(__c0 \+ 1\)"'):
        filter_rows(df, "__c0 + 1 > 2")


def test_union_names_each_earlier_choice_once(mixed):
    with pytest.raises(ColumnTypeError, match=r"union: `id`, `s.p`, `l\[\].p`, `two words` are choices already"):
        union(mixed, mixed, conflicts="widest")
    with pytest.raises(ColumnTypeError, match="union: `id` is a choice already"):
        union(mixed.select("id"), mixed.select("id"), conflicts="fail")


def test_arrays_of_choices_stay_such_when_they_are_filtered(spark):
    schema = to_marks(StructType().add("a", ArrayType(ID)).add("s", StructType().add("a", ArrayType(ArrayType(ID)))))
    df = spark.createDataFrame([([(1, None), None, (None, "x")], ([[(2, None), None]],))], schema)
    found = filter_array(filter_array(df, "a", "_ IS NOT NULL"), "s.a[]", "_ IS NOT NULL")
    assert to_choices(found.schema) == to_choices(df.schema)
    assert resolve_choice(found, choice="cast:string").collect() == [(["1", "x"], ([["2"]],))]


def test_a_choice_goes_with_its_last_value_and_else_keeps_its_types(spark):
    schema = to_marks(StructType().add("k", "integer").add("a", ID).add("b", ID))
    df = spark.createDataFrame([(1, (None, None), (None, "x")), (2, None, None)], schema)
    found = drop_null_fields(df, in_every_row=True)
    assert to_choices(found.schema) == to_choices(df.drop("a").schema)
