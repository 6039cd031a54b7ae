"""Choices: values of which some rows hold one type and some another, as Glue's frames have them.

A choice is a struct whose members are named after types, in Glue's spelling: ``struct<int, string>`` for a field that
is now a number, now a text. In a row at most one member is not null, and a null choice is a null value. A choice never
holds a type twice: structs are merged field by field and arrays by their elements.

What makes such a struct a choice is a mark in a schema's metadata, so that it survives whatever does not look into it.
The nearest field that has a name carries it, under the key ``choice``: a list of the places inside that field's type
where a choice is. ``""`` is the field itself, ``"[]"`` the elements of an array, ``"{}"`` the values of a map, and
``"[][]"`` the elements of its elements.

Code that handles choices does not read marks. It turns a schema into one in which a choice is a type of its own
(`to_choices`), and back (`to_marks`).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from transforms.core.type_names import type_name
from transforms.nested.values import Named, Value, struct_of
from transforms.paths import quote

MARK = "choice"
"""The key in a field's metadata."""


class ChoiceType(StructType):
    """A choice between the types of its fields. Spark does not know it: only for schemas made by `to_choices`."""

    def __init__(self, fields: list[StructField]) -> None:
        super().__init__(fields)
        self.is_choice = True  # without an attribute of its own it would equal a struct of the same fields

    @classmethod
    def of(cls, types: list[DataType]) -> "ChoiceType":
        """Return the choice between types, which must have different names."""
        return cls([StructField(type_name(data_type), data_type) for data_type in types])

    @classmethod
    def typeName(cls) -> str:  # noqa: N802 - Spark's name
        """Return what Glue calls it."""
        return "choice"


def to_choices(schema: StructType) -> StructType:
    """Return the schema with choices in place of structs that are marked so, and without marks.

    A mark on what does not look like a choice (any more) means nothing.

    Example:
        >>> from transforms.core.type_names import parse_type
        >>> marked = to_marks(StructType().add("a", ChoiceType.of([parse_type("int"), parse_type("string")])))
        >>> marked.fields[0].metadata
        {'choice': ['']}
        >>> to_choices(marked)["a"].dataType.typeName()
        'choice'
    """
    return StructType([_opened(field) for field in schema.fields])


def to_marks(schema: StructType) -> StructType:
    """Return the schema as Spark has it: choices become structs that are marked."""
    return StructType([_marked(field) for field in schema.fields])


def mark_of(data_type: DataType) -> dict[str, list[str]]:
    """Return the mark, as metadata, of a field of this type; empty where it holds no choice of its own."""
    places = list(_places(data_type))
    return {MARK: places} if places else {}


def plain(data_type: DataType) -> DataType:
    """Return a type as Spark has it: choices become structs. Fields inside carry their marks."""
    if isinstance(data_type, StructType):
        return to_marks(data_type)
    if isinstance(data_type, ArrayType):
        return ArrayType(plain(data_type.elementType), data_type.containsNull)
    if isinstance(data_type, MapType):
        return MapType(data_type.keyType, plain(data_type.valueType), data_type.valueContainsNull)
    return data_type


def with_leaves(data_type: DataType, change: Callable[[DataType], DataType]) -> DataType:
    """Return a type with those in it changed that hold no others; choices stay choices.

    Metadata, and what cannot be null, is left out: it says nothing of the values.
    """
    if isinstance(data_type, StructType):
        fields = [StructField(field.name, with_leaves(field.dataType, change)) for field in data_type.fields]
        return ChoiceType(fields) if isinstance(data_type, ChoiceType) else StructType(fields)
    if isinstance(data_type, ArrayType):
        return ArrayType(with_leaves(data_type.elementType, change))
    if isinstance(data_type, MapType):
        return MapType(with_leaves(data_type.keyType, change), with_leaves(data_type.valueType, change))
    return change(data_type)


def opened_type(field: StructField) -> DataType:
    """Return the type of a field with choices as types of their own, as `to_choices` has them."""
    return _opened(field).dataType


def unmarked(field: StructField) -> dict[str, Any]:
    """Return the metadata of a field without its mark."""
    return {key: value for key, value in (field.metadata or {}).items() if key != MARK}


class FoundChoice(NamedTuple):
    """A choice in a schema."""

    path: str
    """Where it is, as `resolve_choice` takes it: ``a.b[].c``."""
    choice: ChoiceType


def choices_in(schema: StructType) -> list[FoundChoice]:
    """Return all choices of a schema, marked or with choices as types, each before those inside it.

    Below a choice a path goes on with the name of the alternative: ``a.struct.b``.

    Example:
        >>> from transforms.core.type_names import parse_type
        >>> choice = ChoiceType.of([parse_type("int"), parse_type("string")])
        >>> found = choices_in(to_marks(StructType().add("a.b", ArrayType(StructType().add("c", choice)))))
        >>> [(path, choice.names) for path, choice in found]
        [('`a.b`[].c', ['int', 'string'])]
    """
    return list(walk_choices(to_choices(schema)))


def walk_choices(data_type: DataType, path: str = "") -> Iterator[FoundChoice]:
    """Yield what `choices_in` returns, of a type made by `to_choices`."""
    for here, found in walk_types(data_type, path):
        if isinstance(found, ChoiceType):
            yield FoundChoice(here, found)


def walk_types(data_type: DataType, path: str = "") -> Iterator[tuple[str, DataType]]:
    """Yield a type and all inside it, each before those inside it, with its path as `choices_in` spells it."""
    yield path, data_type
    if isinstance(data_type, StructType):
        for field in data_type.fields:
            inner = f"{path}.{path_name(field.name)}" if path else path_name(field.name)
            yield from walk_types(field.dataType, inner)
    elif isinstance(data_type, ArrayType):
        yield from walk_types(data_type.elementType, f"{path}[]")
    elif isinstance(data_type, MapType):
        yield from walk_types(data_type.valueType, f"{path}{{}}")


def has_choices(df: DataFrame) -> bool:
    """Return whether a frame holds a choice, at any depth. Starts no Spark job."""
    return bool(choices_in(df.schema))


def say_choices(schema: StructType, writer: str) -> str:
    """Return the sentence with which a writer refuses a frame with choices: which there are, and what resolves them.

    Example:
        >>> from transforms.core.type_names import parse_type
        >>> choice = ChoiceType.of([parse_type("int"), parse_type("string")])
        >>> say_choices(to_marks(StructType().add("id", choice)), "parquet").partition(". ")[0]
        'parquet cannot hold fields with values of several types: `id` (int, string)'
    """
    found = choices_in(schema)
    paths = [path for path, _ in found]
    outer = [path for path in paths if not any(_is_inside(path, other) for other in paths)]
    told = ", ".join(f"`{path}` ({', '.join(choice.names)})" for path, choice in found)
    return (
        f"{writer} cannot hold fields with values of several types: {told}. Resolve them first with the step"
        f" resolve_choice: {{specs: {{{specs_of(outer)}}}}}, or another action for each; or all alike:"
        " resolve_choice: {choice: make_cols}"
    )


def specs_of(paths: Sequence[str]) -> str:
    """Return what `resolve_choice` could be told of these paths, as YAML and JSON write it."""
    return ", ".join(f"{json.dumps(path, ensure_ascii=False)}: make_cols" for path in paths)


def _is_inside(path: str, other: str) -> bool:
    return path.startswith((f"{other}.", f"{other}[", f"{other}{{"))


def path_name(name: str) -> str:
    """Return a name as a path holds it: in back-ticks only where it needs them."""
    return quote(name) if any(sign in name for sign in ".`[]{}") else name


def marked(name: str, value: Value, metadata: Mapping[str, Any]) -> Named:
    """Return a column of a value whose type may hold choices: the type as Spark has it, and marks in the metadata."""
    others = {key: item for key, item in metadata.items() if key != MARK}
    return Named(name, replace(value, data_type=plain(value.data_type)), others | mark_of(value.data_type))


def choice_of(fields: Sequence[Named], *, unless_null: Value) -> Value:
    """Return a choice of these alternatives; null where ``unless_null`` is."""
    struct = struct_of(fields, unless_null=[unless_null])
    return replace(struct, data_type=ChoiceType(struct.data_type.fields))  # type: ignore[attr-defined]  # a struct


def _opened(field: StructField) -> StructField:
    metadata: Mapping[str, Any] = field.metadata or {}
    places = metadata.get(MARK)
    data_type = _opened_type(field.dataType, "", frozenset(places) if isinstance(places, list) else frozenset())
    return StructField(field.name, data_type, field.nullable, unmarked(field))


def _opened_type(data_type: DataType, place: str, places: frozenset[str]) -> DataType:
    if isinstance(data_type, ArrayType):
        return ArrayType(_opened_type(data_type.elementType, f"{place}[]", places), data_type.containsNull)
    if isinstance(data_type, MapType):
        value = _opened_type(data_type.valueType, f"{place}{{}}", places)
        return MapType(data_type.keyType, value, data_type.valueContainsNull)
    if not isinstance(data_type, StructType):
        return data_type
    if isinstance(data_type, ChoiceType) or (place in places and _looks_like_choice(data_type)):
        return ChoiceType(to_choices(data_type).fields)
    return to_choices(data_type)


def _looks_like_choice(struct: StructType) -> bool:
    return bool(struct.fields) and all(field.name == type_name(field.dataType) for field in struct.fields)


def _marked(field: StructField) -> StructField:
    metadata = unmarked(field) | mark_of(field.dataType)
    return StructField(field.name, plain(field.dataType), field.nullable, metadata)


def _places(data_type: DataType, place: str = "") -> Iterator[str]:
    if isinstance(data_type, ChoiceType):
        yield place
    elif isinstance(data_type, ArrayType):
        yield from _places(data_type.elementType, f"{place}[]")
    elif isinstance(data_type, MapType):
        yield from _places(data_type.valueType, f"{place}{{}}")
