"""Rows with a value that does not fit the type it is cast to, however deep it lies."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructType

from transforms.errors import TransformError
from transforms.nested.json_text import WHOLE_RECORD, sql_options
from transforms.nested.values import COLUMN, Named, Value, cast, element_of, member, row_of, text_literal
from transforms.paths import Position, quote
from transforms.records.columns import require_error_type
from transforms.rejects import ERROR_COLUMN, ERROR_TYPE

Misfits = Literal["null", "reject"]


class Cast(NamedTuple):
    """A field, the type that it is cast to, and how the user writes the field."""

    position: Position
    target: DataType
    text: str


def require_misfits(word: str, *, where: str) -> None:
    """Raise if a word does not say what becomes of misfits.

    Raises:
        TransformError: It is not one of `Misfits`.
    """
    if word not in get_args(Misfits):
        raise TransformError(f"{where}: `misfits` is `null` or `reject`, got {word!r}.")


def error_of_misfits(came: StructType, casts: Iterable[Cast], *, where: str) -> Named:
    """Return the column ``_error``: that of the frame, else the code CAST where a value does not fit its type.

    Args:
        came: The frame's columns.
        casts: What is to be cast.
        where: The transform.

    Raises:
        ColumnTypeError: There is a column `_error` of the user's own.
    """
    require_error_type(came)
    said = [
        f"CASE WHEN {_is_misfit(row_of(came), each.position, each.target)} THEN"
        f" {text_literal(f'{where}: a value of `{each.text}` is no {each.target.simpleString()}.')} END"
        for each in casts
    ]
    record = [f"{COLUMN}{at} AS {quote(name)}" for at, name in enumerate(came.names) if name != ERROR_COLUMN]
    error = (
        f"CASE WHEN coalesce({', '.join([*said, 'NULL'])}) IS NOT NULL THEN CAST(struct('CAST' AS code,"
        f" concat_ws(' ', {', '.join([*said, 'NULL'])}) AS message,"
        f" to_json(struct({', '.join(record)}), {sql_options(WHOLE_RECORD)}) AS record) AS {ERROR_TYPE}) END"
    )
    earlier = [f"{COLUMN}{at}" for at, name in enumerate(came.names) if name == ERROR_COLUMN]
    return Named(ERROR_COLUMN, Value(f"coalesce({', '.join([*earlier, error])})", NullType(), is_kept=False), {})


def _is_misfit(value: Value, position: Position, target: DataType) -> str:
    """Return the SQL that tells, never with null, whether a value at a position below this one becomes null."""
    kind = value.data_type
    if isinstance(kind, ArrayType) and (position or isinstance(target, ArrayType)):
        inner = target if position else target.elementType  # type: ignore[attr-defined]  # it is an array then
        return _exists(value, position, inner)
    if position:
        return _is_misfit(member(value, position[0]), position[1:], target)
    if isinstance(kind, StructType) and isinstance(target, StructType):
        pairs = zip(range(len(kind.fields)), target.fields, strict=False)
        return " OR ".join(["false", *(f"({_is_misfit(member(value, at), (), new.dataType)})" for at, new in pairs)])
    if isinstance(kind, MapType) and isinstance(target, MapType):
        entries = replace(value, sql=f"map_values({value.sql})", data_type=ArrayType(kind.valueType))
        return _exists(entries, (), target.valueType)
    return f"{value.sql} IS NOT NULL AND {cast(value, target).sql} IS NULL"


def _exists(array: Value, position: Position, target: DataType) -> str:
    element = element_of(array)
    return f"coalesce(exists({array.sql}, {element.sql} -> {_is_misfit(element, position, target)}), false)"
