"""A number or a time as a value of another type, where that is the same number or time."""

from pyspark.sql import types as t

from transforms.core.type_names import type_text
from transforms.nested.values import Value

_FRACTIONS = (t.DoubleType, t.FloatType)

_MOST_EXACT = 2**53
"""Up to here a double holds each whole number. Beyond, casts round, and what is cast back is not what was."""


def same_value(value: Value, target: t.DataType) -> str | None:
    """Return, as SQL, a value as another type, null where that would change it; None where no value of its type fits.

    Numbers fit numbers, whatever their types, if the number is the same: 2 and 2.0, but not 2.5 and 2, nor a whole
    number beyond 2^53 and a double. A date fits timestamps, as its midnight in the session's time zone.

    Example:
        >>> same_value(Value("v", t.DateType()), t.TimestampType())
        'CAST(v AS timestamp)'
        >>> same_value(Value("v", t.StringType()), t.IntegerType()) is None
        True
    """
    source, sql, to = value.data_type, value.sql, type_text(target)
    if isinstance(source, t.DateType) and isinstance(target, t.TimestampType | t.TimestampNTZType):
        return f"CAST({sql} AS {to})"
    if not isinstance(source, t.NumericType) or not isinstance(target, t.NumericType):
        return None
    cast = f"try_cast({sql} AS {to})"
    is_same = f"try_cast({cast} AS {type_text(source)}) = {sql}"
    if isinstance(source, _FRACTIONS) != isinstance(target, _FRACTIONS):
        is_same += f" AND {sql} BETWEEN -{_MOST_EXACT} AND {_MOST_EXACT}"
    return f"CASE WHEN {is_same} THEN {cast} END"
