"""Values at any depth of a row, as SQL text: how to reach them and how to put new structs and arrays together.

Text and not `Column`, because a column of columns is a message within messages over Spark Connect, which stops at a
hundred; a text is one, however deep it reaches. The texts are for a frame whose columns are named by position.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from transforms.core.type_names import type_text
from transforms.paths import Position, quote

COLUMN = "__c"
"""Before the number of a column; names that hold it cannot be told from a user's, should anyone choose such a one."""

ELEMENT = "__e"
"""Before the number of the variable of an element, or of a map's value."""

KEY = "__k"
"""Before the number of the variable of a map's key."""

SHALLOW = 12
"""How many levels Spark takes without trouble; see `in_branch`."""


@dataclass(frozen=True)
class Value:
    """A value in each row: the text that gives it, and its type as far as it is known before Spark analyses it."""

    sql: str
    data_type: DataType
    nullable: bool = True
    arrays: int = 0
    """How many arrays it lies in, each opened by a lambda whose variable the text may name."""
    is_kept: bool = True
    """Whether it is as it came in, so that Spark itself keeps the metadata of the fields inside it."""


class Named(NamedTuple):
    """A field of a struct to be, or a column."""

    name: str
    value: Value
    metadata: dict[str, Any]


def row_of(schema: StructType) -> Value:
    """Return the row itself, which has columns as its members and no text of its own."""
    return Value("", schema, nullable=False)


def member(struct: Value, index: int) -> Value:
    """Return the field at this index of a struct value.

    Names that differ only in case cannot be told apart in SQL. To reach a field that has such a name the struct is cast
    to ``f0``, ``f1``, ...: only then, because Spark reads all fields of a column that it has to cast.
    """
    assert isinstance(struct.data_type, StructType)  # noqa: S101  # callers walk the schema
    names, field = struct.data_type.names, struct.data_type[index]
    if not struct.sql:
        text = f"{COLUMN}{index}"
    elif index not in _twins(tuple(names)):
        text = f"{struct.sql}.{quote(field.name)}"
    else:
        fields = enumerate(struct.data_type.fields)
        places = StructType([StructField(f"f{place}", inner.dataType, inner.nullable) for place, inner in fields])
        text = f"CAST({struct.sql} AS {type_text(places, not_null=True)}).f{index}"
    return Value(
        text,
        field.dataType,
        struct.nullable or field.nullable,
        struct.arrays,
        is_kept=struct.is_kept and not text.startswith("CAST"),
    )


@lru_cache(maxsize=64)
def _twins(names: tuple[str, ...]) -> frozenset[int]:
    """Return the places of names that differ from another in case only, or not at all."""
    times = Counter(name.lower() for name in names)
    return frozenset(place for place, name in enumerate(names) if times[name.lower()] > 1)


def members(struct: Value) -> list[Named]:
    """Return all fields of a struct value, in their order."""
    assert isinstance(struct.data_type, StructType)  # noqa: S101  # callers walk the schema
    fields = enumerate(struct.data_type.fields)
    return [Named(field.name, member(struct, index), field.metadata or {}) for index, field in fields]


def value_at(schema: StructType, position: Position) -> Value:
    """Return the value of the field at a position that lies in no array."""
    value = row_of(schema)
    for index in position:
        value = member(value, index)
    return value


def in_branch(value: Value, root: Value, depth: int) -> Value:
    """Return a value that lies deep in the column ``root``, so that many such values can be selected at once.

    Spark looks for what the values that it computes have in common, and for paths into one column the time of that
    doubles with every level: at thirty levels it does not end. It does not look into branches.
    """
    if depth <= SHALLOW:
        return value
    always = f"{root.sql} IS NOT NULL" if root.nullable else "spark_partition_id() >= 0"
    return replace(value, sql=f"CASE WHEN {always} THEN {value.sql} END", nullable=True)


def text_literal(text: str) -> str:
    """Return a text as SQL that means exactly this, whatever signs are in it and however Spark reads escapes.

    Example:
        >>> text_literal("*'")
        "CAST(X'2a27' AS STRING)"
    """
    return f"CAST(X'{text.encode().hex()}' AS STRING)"


def element_of(array: Value) -> Value:
    """Return what the variable of a lambda over the array stands for."""
    assert isinstance(array.data_type, ArrayType)  # noqa: S101  # callers walk the schema
    inner = array.data_type
    return Value(f"{ELEMENT}{array.arrays}", inner.elementType, inner.containsNull, array.arrays + 1, array.is_kept)


def each(array: Value, change: Callable[[Value], Value]) -> Value:
    """Return the array with each element changed. A null array stays null."""
    return with_elements(array, change(element_of(array)))


def with_elements(array: Value, new: Value) -> Value:
    """Return the array with what is made of `element_of` it as its elements. A null array stays null."""
    old = element_of(array)
    if new == old:
        return array
    text = f"transform({array.sql}, {old.sql} -> {new.sql})"
    return Value(text, ArrayType(new.data_type, new.nullable), array.nullable, array.arrays, is_kept=False)


def once(value: Value, build: Callable[[Value], Value]) -> Value:
    """Return what is built of a value; in the plan the value stands once, however often it is built upon."""
    alone = element_of(replace(value, data_type=ArrayType(value.data_type)))
    new = build(alone)
    text = f"transform(array({value.sql}), {alone.sql} -> {new.sql})[0]"
    return Value(text, new.data_type, arrays=value.arrays, is_kept=False)


def value_in(a_map: Value) -> Value:
    """Return what the variable of a lambda over the map stands for, for its values."""
    assert isinstance(a_map.data_type, MapType)  # noqa: S101  # callers walk the schema
    inner = a_map.data_type
    return Value(f"{ELEMENT}{a_map.arrays}", inner.valueType, inner.valueContainsNull, a_map.arrays + 1, a_map.is_kept)


def each_value(a_map: Value, change: Callable[[Value], Value]) -> Value:
    """Return the map with each of its values changed. A null map stays null."""
    return with_values(a_map, change(value_in(a_map)))


def with_values(a_map: Value, new: Value) -> Value:
    """Return the map with what is made of `value_in` it as its values. A null map stays null."""
    old = value_in(a_map)
    if new == old:
        return a_map
    assert isinstance(a_map.data_type, MapType)  # noqa: S101  # callers walk the schema
    text = f"transform_values({a_map.sql}, ({KEY}{a_map.arrays}, {old.sql}) -> {new.sql})"
    data_type = MapType(a_map.data_type.keyType, new.data_type, new.nullable)
    return Value(text, data_type, a_map.nullable, a_map.arrays, is_kept=False)


def each_key(a_map: Value, change: Callable[[Value], Value]) -> Value:
    """Return the map with each of its keys changed; they must stay different. A null map stays null."""
    assert isinstance(a_map.data_type, MapType)  # noqa: S101  # callers walk the schema
    inner = a_map.data_type
    old = Value(f"{KEY}{a_map.arrays}", inner.keyType, nullable=False, arrays=a_map.arrays + 1, is_kept=a_map.is_kept)
    new = change(old)
    if new == old:
        return a_map
    text = f"transform_keys({a_map.sql}, ({old.sql}, {ELEMENT}{a_map.arrays}) -> {new.sql})"
    data_type = MapType(new.data_type, inner.valueType, inner.valueContainsNull)
    return Value(text, data_type, a_map.nullable, a_map.arrays, is_kept=False)


def null_of(data_type: DataType) -> Value:
    """Return the null of a type."""
    return Value(f"CAST(NULL AS {type_text(data_type)})", data_type, is_kept=False)


def struct_of(fields: Sequence[Named], *, unless_null: Sequence[Value] = ()) -> Value:
    """Return a struct of these fields; null where all of ``unless_null`` are, if there are any.

    Where one of these never is null, such as a struct that is edited, the new struct stands in an array for a moment:
    Spark does not look into that. Else it would write each struct of a chain of edits into every field of the next.
    """
    text = f"struct({', '.join(f'{field.value.sql} AS {quote(field.name)}' for field in fields)})"
    arrays = max((value.arrays for value in [*unless_null, *(field.value for field in fields)]), default=0)
    nullable = bool(unless_null) and all(value.nullable for value in unless_null)
    if nullable:
        some = " OR ".join(dict.fromkeys(f"{value.sql} IS NOT NULL" for value in unless_null))
        text = f"CASE WHEN {some} THEN {text} END"
    elif unless_null and not arrays:
        text = f"element_at(array({text}), 1)"
    struct = StructType([StructField(name, value.data_type, value.nullable, data) for name, value, data in fields])
    return Value(text, struct, nullable, arrays, is_kept=False)


def cast(value: Value, data_type: DataType) -> Value:
    """Return the value as another type, null where it does not fit; the value itself where the type is the same."""
    target = type_text(data_type)
    if type_text(value.data_type) == target:
        return value
    return Value(f"try_cast({value.sql} AS {target})", data_type, arrays=value.arrays, is_kept=False)
