"""Choices where one type is needed: each transform says which types there are, and what resolves them."""

import pytest
from pyspark.sql.types import ArrayType, LongType, StringType, StructType

from transforms.aggregate import aggregate
from transforms.choices.choice import ChoiceType, to_marks
from transforms.concatenate import concatenate
from transforms.errors import ColumnTypeError
from transforms.explode import explode
from transforms.extract_regex import extract_regex
from transforms.fill_missing import fill_missing
from transforms.format_timestamp import format_timestamp
from transforms.hash_columns import hash_columns
from transforms.mask_columns import mask_columns
from transforms.parse_json import parse_json
from transforms.split_rows import split_rows
from transforms.split_string import split_string
from transforms.to_timestamp import to_timestamp
from transforms.unbox import unbox

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
        pytest.param(lambda df: explode(df, "id"), "explode", "id", id="explode"),
    ],
)
def test_what_needs_one_type_says_what_resolves_a_choice(mixed, act, where, path):
    with pytest.raises(ColumnTypeError) as raised:
        act(mixed)
    assert str(raised.value) == f"{where}: {told(path)}"
