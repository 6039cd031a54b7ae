"""A frame packed for a Python function: each row one struct, beside the error of rows that were rejected earlier."""

from collections import Counter
from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.columns import by_position
from transforms.errors import ColumnTypeError, DuplicateColumnError
from transforms.paths import format_path
from transforms.record_types import SCALARS
from transforms.rejects import ERROR_COLUMN, ERROR_TYPE


def record_names(schema: t.StructType) -> list[str]:
    """Return the names of the fields that a record of this frame has: its columns but the error column.

    Raises:
        DuplicateColumnError: A name occurs twice, in the frame or in a struct, or is ``_error`` in another case.
        ColumnTypeError: The error column has another type, or a column is of a type that Python has no value for.
    """
    _require_single_names(schema, ())
    for field in schema.fields:
        if field.name == ERROR_COLUMN:
            _require_error_type(field.dataType)
        elif field.name.lower() == ERROR_COLUMN:
            raise DuplicateColumnError(
                f"The column `{field.name}` differs only in case from `{ERROR_COLUMN}`, the column of rejected rows."
                " Give it another name."
            )
        else:
            _require_python_type(field.dataType, (field.name,))
    return [name for name in schema.names if name != ERROR_COLUMN]


def packed(df: DataFrame) -> DataFrame:
    """Return the rows as two columns: ``record``, null for a row rejected earlier, and ``error``, its error. Lazy."""
    record, error = record_and_error(df.schema)
    return by_position(df).select(record.alias("record"), error.alias("error"))


def record_and_error(schema: t.StructType) -> tuple[Column, Column]:
    """Return the record and the earlier error of a row, as columns of the frame `by_position`."""
    record = F.struct(*(F.col(f"c{at}") for at, name in enumerate(schema.names) if name != ERROR_COLUMN))
    if ERROR_COLUMN not in schema.names:
        return record, F.lit(None).cast(ERROR_TYPE)
    error = F.col(f"c{schema.names.index(ERROR_COLUMN)}")
    return F.when(error.isNull(), record), error


def _require_single_names(data_type: t.DataType, path: tuple[str, ...]) -> None:
    if isinstance(data_type, t.StructType):
        twice = next((name for name, times in Counter(data_type.names).items() if times > 1), None)
        if twice is not None:
            raise DuplicateColumnError(
                f"`{format_path((*path, twice))}` occurs twice, but a record has each name once. Rename one first."
            )
    for name, inner in _inner_types(data_type):
        _require_single_names(inner, (*path, name))


def _require_python_type(data_type: t.DataType, path: tuple[str, ...]) -> None:
    if isinstance(data_type, t.MapType) and isinstance(data_type.keyType, t.StructType | t.ArrayType | t.MapType):
        raise _no_value(data_type, path)
    inner = list(_inner_types(data_type))
    if not inner and not isinstance(data_type, t.StructType | t.VariantType) and type(data_type) not in SCALARS:
        raise _no_value(data_type, path)
    for name, inner_type in inner:
        _require_python_type(inner_type, (*path, name))


def _inner_types(data_type: t.DataType) -> Iterator[tuple[str, t.DataType]]:
    match data_type:
        case t.StructType():
            yield from ((field.name, field.dataType) for field in data_type.fields)
        case t.ArrayType():
            yield "element", data_type.elementType
        case t.MapType():
            yield "key", data_type.keyType
            yield "value", data_type.valueType


def _no_value(data_type: t.DataType, path: tuple[str, ...]) -> ColumnTypeError:
    return ColumnTypeError(
        f"`{format_path(path)}` is of type {data_type.simpleString()}, which a Python record cannot hold."
        " Cast it to string or drop it first."
    )


def _require_error_type(data_type: t.DataType) -> None:
    wanted = ERROR_TYPE.replace(": ", ":").replace(", ", ",")
    if data_type.simpleString() != wanted:
        raise ColumnTypeError(
            f"The column `{ERROR_COLUMN}` is kept for rejected rows and must be of type {wanted},"
            f" but here it is {data_type.simpleString()}. Give it another name."
        )
