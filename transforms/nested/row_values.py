"""The one value that a row has at a path: what can be compared, sorted by, or made into something else."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    DataType,
    MapType,
    StringType,
    StructType,
    UserDefinedType,
    VariantType,
)

from transforms.choices.choice import ChoiceType, FoundChoice, mark_of, opened_type, path_name
from transforms.choices.refused import say_choice
from transforms.core.columns import fields_by_position
from transforms.errors import ColumnTypeError, TransformError
from transforms.paths import Path, Position, format_path, parse_path, position_of

NESTED = (StructType, ArrayType, MapType, VariantType, UserDefinedType)
"""Types whose values are more than one thing to compare, count or print."""


class RowValue(NamedTuple):
    """A value of each row, as a column of the frame `by_position`."""

    path: Path
    position: Position
    column: Column
    data_type: DataType
    opened: DataType
    """The type as `to_choices` has it."""

    @property
    def name(self) -> str:
        """The path as text."""
        return format_path(self.path)


def row_value(schema: StructType, path: str, *, where: str) -> RowValue:
    """Return the value at a path: of a column, or of a field inside structs.

    Args:
        schema: Schema of the frame; the value's column is for that frame `by_position`.
        path: The path, as the user wrote it.
        where: Who needs the value, for the error's sentence.

    Raises:
        PathSyntaxError: The path cannot be read.
        MissingColumnError: There is no such field.
        DuplicateColumnError: The path names several fields.
        ColumnTypeError: The field lies inside an array, so a row has no one value of it.
    """
    parsed = parse_path(path)
    try:
        position = position_of(schema, parsed)
    except ColumnTypeError as error:
        raise ColumnTypeError(f"{where}: {error} Use `explode` first.") from None
    except TransformError as error:
        raise type(error)(f"{where}: {error}") from None
    first, *inner = position
    column, field = F.col(f"c{first}"), schema[first]
    for index in inner:
        struct = cast(StructType, field.dataType)
        column, names = fields_by_position(column, struct)
        column, field = column.getField(names[index]), struct[index]
    return RowValue(parsed, position, column, field.dataType, opened_type(field))


def row_values(schema: StructType, paths: str | Sequence[str], *, where: str) -> list[RowValue]:
    """Return the values at some paths, as `row_value` does; a lone text is a list of one."""
    return [row_value(schema, path, where=where) for path in ([paths] if isinstance(paths, str) else paths)]


def column_values(schema: StructType) -> list[RowValue]:
    """Return the values of all columns; those of equal names too."""
    return [
        RowValue((field.name,), (position,), F.col(f"c{position}"), field.dataType, opened_type(field))
        for position, field in enumerate(schema.fields)
    ]


def with_mark(column: Column, data_type: DataType) -> Column:
    """Return a column with the mark of its type, as `to_choices` has it. Spark forgets marks at functions."""
    mark = mark_of(data_type)
    return column.alias("marked", metadata=mark) if mark else column


def text_of(value: RowValue, *, where: str) -> Column:
    """Return the value as text: numbers, dates and booleans as Spark writes them. Null stays null.

    Raises:
        ColumnTypeError: The value is nested or binary.
    """
    if isinstance(value.data_type, StringType):
        return value.column
    if isinstance(value.data_type, (*NESTED, BinaryType)):
        advice = "Take a field inside it, or make it a text with `derive_column`."
        raise wrong_type(value, f"which is no text. {advice}", where=where)
    return value.column.cast("string")


def wrong_type(value: RowValue, reason: str, *, where: str) -> ColumnTypeError:
    """Return the error of a value whose type does not do: its type and the reason, or of a choice what resolves it."""
    if isinstance(value.opened, ChoiceType):
        path = ".".join(map(path_name, value.path))
        return ColumnTypeError(f"{where}: {say_choice(FoundChoice(path, value.opened))}")
    return ColumnTypeError(f"{where}: `{value.name}` is of type {value.data_type.simpleString()}, {reason}")
