"""Values at any depth of a row, as SQL text: how to reach them and how to put new structs and arrays together.

Text and not `Column`, because a column of columns is a message within messages over Spark Connect, which stops at a
hundred; a text is one, however deep it reaches. The texts are for a frame whose columns are named by position.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyspark.sql.types import ArrayType, DataType, StructField, StructType

from transforms.paths import Position, quote
from transforms.type_names import type_text

COLUMN = "__c"
"""Before the number of a column; names that hold it cannot be told from a user's, should anyone choose such a one."""

ELEMENT = "__e"
"""Before the number of an element's variable."""


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

    Names that differ only in case cannot be told apart in SQL. Such a struct is cast to ``f0``, ``f1``, ...: only then,
    because Spark reads all fields of a column that it has to cast.
    """
    assert isinstance(struct.data_type, StructType)  # noqa: S101  # callers walk the schema
    names, field = struct.data_type.names, struct.data_type[index]
    if not struct.sql:
        text = f"{COLUMN}{index}"
    elif len({name.lower() for name in names}) == len(names):
        text = f"{struct.sql}.{quote(field.name)}"
    else:
        places = [StructField(f"f{place}", inner.dataType) for place, inner in enumerate(struct.data_type.fields)]
        text = f"CAST({struct.sql} AS {type_text(StructType(places))}).f{index}"
    return Value(
        text,
        field.dataType,
        struct.nullable or field.nullable,
        struct.arrays,
        is_kept=struct.is_kept and not text.startswith("CAST"),
    )


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


def element_of(array: Value) -> Value:
    """Return what the variable of a lambda over the array stands for."""
    assert isinstance(array.data_type, ArrayType)  # noqa: S101  # callers walk the schema
    inner = array.data_type
    return Value(f"{ELEMENT}{array.arrays}", inner.elementType, inner.containsNull, array.arrays + 1, array.is_kept)


def each(array: Value, change: Callable[[Value], Value]) -> Value:
    """Return the array with each element changed. A null array stays null."""
    old = element_of(array)
    new = change(old)
    if new == old:
        return array
    text = f"transform({array.sql}, {old.sql} -> {new.sql})"
    return Value(text, ArrayType(new.data_type, new.nullable), array.nullable, array.arrays, is_kept=False)


def struct_of(fields: Sequence[Named], *, unless_null: Value | None = None) -> Value:
    """Return a struct of these fields; null where ``unless_null`` is."""
    text = f"struct({', '.join(f'{field.value.sql} AS {quote(field.name)}' for field in fields)})"
    nullable = unless_null is not None and unless_null.nullable
    if unless_null is not None and nullable:
        text = f"CASE WHEN {unless_null.sql} IS NOT NULL THEN {text} END"
    struct = StructType([StructField(name, value.data_type, value.nullable, data) for name, value, data in fields])
    return Value(text, struct, nullable, unless_null.arrays if unless_null else 0, is_kept=False)
