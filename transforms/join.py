"""Join two frames on equal keys and keep all columns of both."""

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Literal, NamedTuple, cast, get_args

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from transforms.columns import by_position, fields_by_position, schema_of
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.paths import Path, Position, fields_in, format_path, parse_paths, require

How = Literal["inner", "left", "right", "outer", "left_semi", "left_anti"]

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


def join(
    df: DataFrame,
    other: DataFrame,
    keys: str | Sequence[str],
    other_keys: str | Sequence[str] | None = None,
    *,
    how: How = "inner",
) -> DataFrame:
    """Join two frames where all keys are equal; every column of both stays, the keys included. Lazy.

    A key that is null equals nothing, not even null; a null inside a struct or array that is a key equals null there.
    A key that occurs m times here and n times there gives m x n rows. A frame can be joined with itself.

    A column of ``other`` whose name ``df`` has gets a leading dot: ``.zip`` beside ``zip``; more dots where that name
    is taken. Names that differ only in case count as the same (``.Zip`` beside ``zip``): Spark could not tell them
    apart. To drop such a column: ``drop_fields(["`.zip`"])``.

    Glue: Join; Studio's Join. Cost: lazy, one shuffle of both frames, none where one is small enough to broadcast.

    Args:
        df: The left frame. Its columns keep their names.
        other: The right frame.
        keys: Columns of ``df``, or fields inside its structs. Case matters.
        other_keys: As many of ``other``, compared in this order; by default those of the same names.
        how: ``inner``; ``left``, ``right`` and ``outer`` also keep the rows of that side, or both, that match nothing;
            ``left_semi`` and ``left_anti`` keep the rows of ``df`` that match something, or nothing, once each.

    Returns:
        The columns of ``df``, then those of ``other``; of ``left_semi`` and ``left_anti`` only those of ``df``.

    Raises:
        TransformError: There are no keys, unequally many, or ``how`` is none of the six.
        PathSyntaxError: A key cannot be read.
        MissingColumnError: A key is not there.
        DuplicateColumnError: A key names several fields.
        ColumnTypeError: A key lies inside an array, or two keys are of types that do not compare. Only types of one
            kind do: numbers; strings; dates and timestamps. Spark would cast a string to compare it with a number, and
            fail at the first value that is none.

    Example:
        >>> people = spark.createDataFrame([("Ada", 1), ("Bob", 2)], "name STRING, zip INT")
        >>> towns = spark.createDataFrame([(1, "Ulm")], "zip INT, town STRING")
        >>> people.transform(join, towns, "zip").show()
        +----+---+----+----+
        |name|zip|.zip|town|
        +----+---+----+----+
        | Ada|  1|   1| Ulm|
        +----+---+----+----+
        <BLANKLINE>

    Source:
        reference: Glue transforms, "Join". Glue does not say which side gets the dot.
    """
    if how not in get_args(How):
        raise TransformError(f"join cannot join how={how!r}. It knows {', '.join(get_args(How))}.")
    pairs = _pairs(keys, keys if other_keys is None else other_keys)
    equal = [_equal(_key(df, here, "df"), _key(other, there, "other")) for here, there in pairs]
    joined = by_position(df, "df").join(by_position(other, "other"), reduce(and_, equal), how)
    if how in ("left_semi", "left_anti"):
        return joined.toDF(*df.columns)
    return joined.toDF(*df.columns, *_free_names(other.columns, df.columns))


def _pairs(keys: str | Sequence[str], other_keys: str | Sequence[str]) -> list[tuple[Path, Path]]:
    here, there = parse_paths(keys), parse_paths(other_keys)
    if not here or len(here) != len(there):
        raise TransformError(
            "join needs at least one key, and as many keys of `other` as of `df`;"
            f" got {len(here)} of `df` and {len(there)} of `other`."
        )
    return list(zip(here, there, strict=True))


class _Key(NamedTuple):
    name: str
    column: Column
    data_type: T.DataType


def _key(frame: DataFrame, path: Path, side: Literal["df", "other"]) -> _Key:
    """Return the key as a column of the frame by position."""
    name = f"`{format_path(path)}` of `{side}`"
    schema = schema_of(frame)
    first, *inner = _position(schema, path, name)
    column, data_type = F.col(f"{side}{first}"), schema[first].dataType
    for depth, index in enumerate(inner, start=1):
        if isinstance(data_type, T.ArrayType):
            array = format_path(path[:depth])
            raise ColumnTypeError(f"The key {name} lies inside the array `{array}`, so a row has no one value of it.")
        struct = cast(T.StructType, data_type)
        column, names = fields_by_position(column, struct)
        column, data_type = column.getField(names[index]), struct[index].dataType
    return _Key(name, column, data_type)


def _position(schema: T.StructType, path: Path, name: str) -> Position:
    places = [field.position for field in fields_in(schema) if field.path == path]
    if not places:
        try:
            require(schema, path)
        except MissingColumnError as error:
            raise MissingColumnError(f"join cannot find the key {name}. {error}") from None
    if len(places) > 1:
        raise DuplicateColumnError(f"The key {name} names {len(places)} fields. Rename all but one of them first.")
    return places[0]


def _equal(one: _Key, two: _Key) -> Column:
    if _compare(one.data_type, two.data_type):
        return one.column == two.column
    types = f"{one.data_type.simpleString()} and {two.data_type.simpleString()}"
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


def _free_names(names: Sequence[str], first_names: Sequence[str]) -> list[str]:
    first = {name.lower() for name in first_names}
    taken = first | {name.lower() for name in names}
    free = []
    for name in names:
        if name.lower() in first:
            while name.lower() in taken:
                name = f".{name}"
            taken.add(name.lower())
        free.append(name)
    return free
