"""What a Python function can be given of a frame, and which frames it cannot be given."""

from collections import Counter
from collections.abc import Iterator

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.choices.bare_choices import bare, speakable
from transforms.errors import ColumnTypeError, DuplicateColumnError
from transforms.nested.values import COLUMN, members, row_of
from transforms.paths import format_path
from transforms.records.types import SCALARS
from transforms.rejects import ERROR_COLUMN, ERROR_TYPE


def record_names(schema: t.StructType) -> list[str]:
    """Return the names of the fields that a record of this frame has: its columns but the error column.

    Raises:
        DuplicateColumnError: A name occurs twice, in the frame or in a struct, or is ``_error`` in another case.
        ColumnTypeError: The error column has another type, or a column is of a type that Python has no value for.
    """
    _require_single_names(schema, ())
    require_error_type(schema)
    names = [name for name in schema.names if name != ERROR_COLUMN]
    for name in names:
        if name.lower() == ERROR_COLUMN:
            raise DuplicateColumnError(
                f"The column `{name}` differs only in case from `{ERROR_COLUMN}`, the column of rejected rows."
                " Give it another name."
            )
        _require_python_type(schema[name].dataType, (name,))
    return names


def require_error_type(schema: t.StructType) -> None:
    """Check that the error column, if there is one, is that of rejected rows.

    Raises:
        ColumnTypeError: It is a column of the user's own.
    """
    wanted = ERROR_TYPE.replace(": ", ":").replace(", ", ",")
    if ERROR_COLUMN in schema.names and schema[ERROR_COLUMN].dataType.simpleString() != wanted:
        raise ColumnTypeError(
            f"The column `{ERROR_COLUMN}` is kept for rejected rows and must be of type {wanted},"
            f" but here it is {schema[ERROR_COLUMN].dataType.simpleString()}. Give it another name."
        )


def record_columns(schema: t.StructType, *, of_batches: bool = False) -> list[Column]:
    """Return what a record is made of, as columns of the frame `by_position`: its fields, then the earlier error.

    A choice is the value that it holds, as a VARIANT; where that cannot hold it, and in batches, it is a struct.

    The error is there where the frame has it, or has nothing else; Arrow cannot count the rows of no columns. Columns
    of the frame are named with `COLUMN` before their number.
    """
    fields = enumerate(members(row_of(schema if of_batches else speakable(schema))))
    columns = [F.expr(bare(field.value).sql).alias(f"c{at}") for at, field in fields if field.name != ERROR_COLUMN]
    if ERROR_COLUMN in schema.names:
        columns.append(F.col(f"{COLUMN}{schema.names.index(ERROR_COLUMN)}"))
    return columns or [F.lit(None).cast(ERROR_TYPE)]


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
