"""Python values and Spark types: which values a type takes, and the type that a sample of values has.

A value is taken as it is or not at all: no text becomes a number, no number a text, nothing is rounded or cut. Two
widenings lose nothing and are allowed: an int where a float or a decimal is wanted, and a naive datetime, read as
UTC, where a TIMESTAMP is wanted.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import types as t

from transforms.errors import ColumnTypeError
from transforms.paths import format_path

_NONE: Mapping[str, t.DataType] = {}

_KINDS: dict[type, type] = {kind: kind for kind in (bool, int, float, str, bytes, dict, list)}
_KINDS |= {kind: kind for kind in (Decimal, date, datetime, time, timedelta, type(None))}
_KINDS |= {bytearray: bytes, tuple: list, np.ndarray: list, np.bool_: bool, np.integer: int, np.floating: float}

SCALARS: dict[type[t.DataType], tuple[set[type], pa.DataType | None]] = {
    t.BooleanType: ({bool}, pa.bool_()),
    t.ByteType: ({int}, pa.int8()),
    t.ShortType: ({int}, pa.int16()),
    t.IntegerType: ({int}, pa.int32()),
    t.LongType: ({int}, pa.int64()),
    t.FloatType: ({float, int}, pa.float32()),
    t.DoubleType: ({float, int}, pa.float64()),
    t.DecimalType: ({Decimal, int}, None),
    t.StringType: ({str}, pa.string()),
    t.BinaryType: ({bytes}, pa.binary()),
    t.DateType: ({date}, pa.date32()),
    t.TimestampType: ({datetime}, pa.timestamp("us", tz="UTC")),
    t.TimestampNTZType: ({datetime}, pa.timestamp("us")),
    t.TimeType: ({time}, pa.time64("ns")),
    t.DayTimeIntervalType: ({timedelta}, pa.duration("us")),
    t.NullType: (set(), pa.null()),
}
"""What each Spark type takes from Python, and the Arrow type that carries it; a decimal's depends on its digits."""

_INFERRED: dict[frozenset[type], t.DataType] = {
    frozenset(): t.StringType(),
    frozenset({bool}): t.BooleanType(),
    frozenset({int}): t.LongType(),
    frozenset({float}): t.DoubleType(),
    frozenset({int, float}): t.DoubleType(),
    frozenset({Decimal}): t.DecimalType(38, 18),
    frozenset({int, Decimal}): t.DecimalType(38, 18),
    frozenset({str}): t.StringType(),
    frozenset({bytes}): t.BinaryType(),
    frozenset({date}): t.DateType(),
    frozenset({time}): t.TimeType(),
    frozenset({timedelta}): t.DayTimeIntervalType(),
}


def kind_of(python_type: type) -> type:
    """Return the plain Python type that a type counts as, or the type itself where it counts as none.

    Example:
        >>> kind_of(tuple), kind_of(np.float32), kind_of(set)
        (<class 'list'>, <class 'float'>, <class 'set'>)
    """
    return next((_KINDS[base] for base in python_type.__mro__ if base in _KINDS), python_type)


def kinds_of(values: Iterable[Any]) -> frozenset[type]:
    """Return the kinds that occur among the values, None left out."""
    return frozenset(kind_of(python_type) for python_type in set(map(type, values))) - {type(None)}


def has_zone(value: Any) -> bool:
    """Return whether a value, a datetime or time among others, knows its time zone."""
    return getattr(value, "tzinfo", None) is not None


def infer_schema(records: Sequence[dict[str, Any]], *, known: Mapping[str, t.DataType] = _NONE) -> t.StructType:
    """Return the schema of the records; a field that never has a value is a STRING.

    Fields are in order of first appearance. Ints are BIGINT, ints and floats together DOUBLE, decimals DECIMAL(38,18),
    datetimes TIMESTAMP with a zone and TIMESTAMP_NTZ without, dicts structs, lists and tuples arrays.

    Args:
        records: What a function returned.
        known: Types of fields that need not be learnt.

    Raises:
        ColumnTypeError: Two records have values of different types in one field, or one that Spark has no type for.

    Example:
        >>> infer_schema([{"a": 1, "b": {"c": [True]}}, {"a": 0.5}]).simpleString()
        'struct<a:double,b:struct<c:array<boolean>>>'
    """
    return _struct(records, path=(), known=known)


def _struct(records: Iterable[Any], *, path: tuple[str, ...], known: Mapping[str, t.DataType] = _NONE) -> t.StructType:
    present = [record for record in records if record is not None]
    fields = []
    for name in dict.fromkeys(chain.from_iterable(present)):
        if not isinstance(name, str):
            raise ColumnTypeError(
                f"The function returned the key {name!r} in {_where(path)}, and a field needs a text."
            )
        learnt = known.get(name) or _type([record.get(name) for record in present], path=(*path, name))
        fields.append(t.StructField(name, learnt))
    return t.StructType(fields)


def _type(values: list[Any], *, path: tuple[str, ...]) -> t.DataType:
    kinds = kinds_of(values)
    if kinds == {dict}:
        return _struct(values, path=path)
    if kinds == {list}:
        return t.ArrayType(_type(list(chain.from_iterable(v for v in values if v is not None)), path=path))
    if kinds == {datetime}:
        return _timestamp(values, path=path)
    if kinds not in _INFERRED:
        raise ColumnTypeError(_say_conflict(values, path))
    return _INFERRED[kinds]


def _timestamp(values: list[Any], *, path: tuple[str, ...]) -> t.DataType:
    zoned = {has_zone(value): value for value in values if value is not None}
    if len(zoned) == 2:
        raise ColumnTypeError(
            f"The function returned datetimes with a time zone and without for {_where(path)}:"
            f" {zoned[True]!r} and {zoned[False]!r}. Return one kind, or declare `schema`."
        )
    return t.TimestampType() if True in zoned else t.TimestampNTZType()


def _say_conflict(values: list[Any], path: tuple[str, ...]) -> str:
    examples = {kind_of(type(value)): value for value in reversed(values) if value is not None}
    seen = " and ".join(f"{kind.__name__} ({_short(value)})" for kind, value in reversed(examples.items()))
    if len(examples) == 1:
        return f"The function returned {seen} for {_where(path)}, which no Spark type stands for. Return a plain value."
    return f"The function returned different types for {_where(path)}: {seen}. Return one type, or declare `schema`."


def _where(path: tuple[str, ...]) -> str:
    return f"`{format_path(path)}`" if path else "the record"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
