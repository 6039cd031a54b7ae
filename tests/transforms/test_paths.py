"""The path language: what parses, what does not, and what an error says."""

import pytest
from pyspark.sql.types import ArrayType, IntegerType, MapType, StringType, StructType

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, PathSyntaxError
from transforms.paths import (
    find,
    format_path,
    leaf_paths,
    parse_array_path,
    parse_path,
    parse_paths,
    position_of,
    require,
)

LINES = ArrayType(ArrayType(StructType().add("text", "string")))
ADDRESS = StructType().add("zip", "string").add("lines", LINES)
SCHEMA = StructType().add("id", "integer").add("address", ADDRESS).add("m", MapType(StringType(), IntegerType()))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("a", ("a",), id="one name"),
        pytest.param("a.b.c", ("a", "b", "c"), id="three names"),
        pytest.param("`a.b`", ("a.b",), id="a dot in back-ticks is part of the name"),
        pytest.param("a.`b.c`.d", ("a", "b.c", "d"), id="back-ticks in the middle"),
        pytest.param("a b.c-d", ("a b", "c-d"), id="spaces and dashes need no quotes"),
        pytest.param("`a``b`", ("a`b",), id="a doubled back-tick is one"),
        pytest.param("`.zip`", (".zip",), id="the name that join gives a clashing column"),
        pytest.param("🙂.é", ("🙂", "é"), id="any letters"),
        pytest.param("a[].b[][]", ("a", "b"), id="marks of arrays are no part of the name"),
        pytest.param("`a[]`.b", ("a[]", "b"), id="but in back-ticks they are"),
        pytest.param("a[0].b[]c", ("a[0]", "b[]c"), id="nor are these marks"),
    ],
)
def test_a_path_is_names_joined_by_dots(text: str, names: tuple[str, ...]):
    assert parse_path(text) == names
    assert parse_path(format_path(names)) == names


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "`a", "a`b", "``", "`a`b"])
def test_what_is_no_path_is_refused(text: str):
    with pytest.raises(PathSyntaxError):
        parse_path(text)


def test_a_lone_text_is_one_path():
    assert parse_paths("a.b") == [("a", "b")]
    assert parse_paths(["a", "b"]) == [("a",), ("b",)]


def test_a_path_walks_structs_and_arrays_but_not_maps():
    assert find(SCHEMA, ("address", "lines", "text")).simpleString() == "string"
    assert find(SCHEMA, ("m", "key")) is None


def test_names_match_case_sensitively_and_the_error_names_the_near_miss():
    with pytest.raises(MissingColumnError, match="There is no field `address.Zip`. Did you mean `zip`?"):
        require(SCHEMA, ("address", "Zip"))


def test_a_path_through_a_scalar_says_its_type():
    with pytest.raises(MissingColumnError, match="`id` is of type int"):
        require(SCHEMA, ("id", "x"))


def test_leaves_are_in_schema_order():
    assert list(leaf_paths(SCHEMA)) == [("id",), ("address", "zip"), ("address", "lines", "text"), ("m",)]


@pytest.mark.parametrize(("text", "marks"), [("a", 0), ("a[]", 1), ("a[].b", 0), ("`a[]`[][]", 2)])
def test_marks_behind_the_last_name_are_counted(text: str, marks: int):
    assert parse_array_path(text)[1] == marks


def test_a_path_has_one_position():
    assert position_of(SCHEMA, ("address", "lines")) == (1, 1)
    assert position_of(SCHEMA, ("address", "lines", "text"), enters_arrays=True) == (1, 1, 0)
    with pytest.raises(ColumnTypeError, match="`address.lines.text` lies inside the array `address.lines`"):
        position_of(SCHEMA, ("address", "lines", "text"))
    twice = StructType().add("a", "integer").add("a", "string")
    with pytest.raises(DuplicateColumnError, match="`a` names 2 fields"):
        position_of(twice, ("a",))
