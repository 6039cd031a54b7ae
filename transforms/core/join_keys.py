"""Keys on which two frames meet."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.core.columns import fields_by_position, schema_of
from transforms.core.decimals import as_decimal, with_room_for
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.paths import Path, Position, fields_in, format_path, parse_paths, require

Side = Literal["df", "other"]
"""Also what the columns of that frame are called before their number (`by_position`) where keys are compared."""

_FAMILIES: tuple[tuple[type[T.DataType], ...], ...] = (
    (T.NumericType,),
    (T.StringType, T.CharType, T.VarcharType),
    (T.DateType, T.TimestampType, T.TimestampNTZType),
    (T.TimeType,),
    (T.BooleanType,),
    (T.BinaryType,),
    (T.DayTimeIntervalType,),
    (T.YearMonthIntervalType,),
)
"""Types of one family compare without a cast that could fail on a value. A column that is always null fits any."""


class _Key(NamedTuple):
    name: str
    column: Column
    data_type: T.DataType
    nullable: bool


def equal_keys(
    df: DataFrame,
    other: DataFrame,
    keys: str | Sequence[str],
    other_keys: str | Sequence[str],
    *,
    where: str,
    nulls_meet: bool = False,
) -> list[Column]:
    """Return one condition for each pair of keys, over ``by_position(df, "df")`` and ``by_position(other, "other")``.

    Args:
        df: One frame.
        other: The other one.
        keys: Paths in ``df``.
        other_keys: As many paths in ``other``.
        where: Who compares, for the error's sentence.
        nulls_meet: A null equals a null.

    Raises:
        TransformError: There are no keys, or unequally many.
        PathSyntaxError: A key cannot be read.
        MissingColumnError: A key is not there.
        DuplicateColumnError: A key names several fields.
        ColumnTypeError: A key lies inside an array, or two keys are of types that do not compare, or only rounded.
    """
    here, there = parse_paths(keys), parse_paths(other_keys)
    if not here or len(here) != len(there):
        raise TransformError(
            f"{where} needs at least one key, and as many keys of `other` as of `df`;"
            f" got {len(here)} of `df` and {len(there)} of `other`."
        )
    return [
        _equal(_key(df, one, "df", where), _key(other, two, "other", where), nulls_meet)
        for one, two in zip(here, there, strict=True)
    ]


def _key(frame: DataFrame, path: Path, side: Side, where: str) -> _Key:
    """Return the key as a column of the frame by position."""
    name = f"`{format_path(path)}` of `{side}`"
    schema = schema_of(frame)
    first, *inner = _position(schema, path, name, where)
    column, data_type, nullable = F.col(f"{side}{first}"), schema[first].dataType, schema[first].nullable
    for depth, index in enumerate(inner, start=1):
        if isinstance(data_type, T.ArrayType):
            array = format_path(path[:depth])
            raise ColumnTypeError(f"The key {name} lies inside the array `{array}`, so a row has no one value of it.")
        struct = cast(T.StructType, data_type)
        column, names = fields_by_position(column, struct)
        column, data_type = column.getField(names[index]), struct[index].dataType
        nullable |= struct[index].nullable
    return _Key(name, column, data_type, nullable)


def _position(schema: T.StructType, path: Path, name: str, where: str) -> Position:
    places = [field.position for field in fields_in(schema) if field.path == path]
    if not places:
        try:
            require(schema, path)
        except MissingColumnError as error:
            raise MissingColumnError(f"{where} cannot find the key {name}. {error}") from None
    if len(places) > 1:
        raise DuplicateColumnError(f"The key {name} names {len(places)} fields. Rename all but one of them first.")
    return places[0]


def _equal(one: _Key, two: _Key, nulls_meet: bool) -> Column:
    types = f"{one.data_type.simpleString()} and {two.data_type.simpleString()}"
    decimals = [as_decimal(one.data_type), as_decimal(two.data_type)]
    if None not in decimals and with_room_for(decimals) is None:
        raise ColumnTypeError(
            f"The keys {one.name} and {two.name} are of types of which none has room for all digits: {types}. Spark"
            " would round one of them, and other numbers would be equal. Cast both to one type with `cast_fields`."
        )
    if _compare(one.data_type, two.data_type):
        # Spark joins faster on plain equality, and where one side has no nulls, none can meet.
        is_null_safe = nulls_meet and one.nullable and two.nullable
        return one.column.eqNullSafe(two.column) if is_null_safe else one.column == two.column
    raise ColumnTypeError(f"The keys {one.name} and {two.name} are of types that do not compare: {types}.")


def _compare(one: T.DataType, two: T.DataType) -> bool:
    if isinstance(one, T.ArrayType) and isinstance(two, T.ArrayType):
        return _compare(one.elementType, two.elementType)
    if isinstance(one, T.StructType) and isinstance(two, T.StructType):
        pairs = zip(one.fields, two.fields, strict=False)
        return one.names == two.names and all(_compare(a.dataType, b.dataType) for a, b in pairs)
    if isinstance(one, T.StringType) and isinstance(two, T.StringType):
        return one == two  # strings of two collations do not compare
    return any(isinstance(one, (*kin, T.NullType)) and isinstance(two, (*kin, T.NullType)) for kin in _FAMILIES)
