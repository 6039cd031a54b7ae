"""Make timestamps of numbers and texts."""

from typing import Literal, get_args

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DateType,
    IntegralType,
    NullType,
    NumericType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from transforms.core.columns import schema_of
from transforms.core.new_columns import name_in_place, put_columns
from transforms.errors import TransformError, say_known
from transforms.nested.row_values import RowValue, row_value, wrong_type

Unit = Literal["seconds", "milliseconds", "microseconds", "iso", "autodetect"]

_MICROSECONDS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
_TIME_ALONE = r"^\s*T?\d{1,2}:"
_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800
"""In seconds since 1970: the years that Spark's timestamps are made for."""


def to_timestamp(df: DataFrame, column: str, unit: Unit = "autodetect", *, new_column: str | None = None) -> DataFrame:
    """Make timestamps of numbers that count from 1970, or of ISO texts. What is neither becomes null. Lazy.

    Texts are read as numbers where a number is wanted. An ISO text without a zone is of the session's time zone. A
    time without a date, or outside the years 1 to 9999, becomes null. Dates and timestamps are taken as they are,
    whatever the unit.

    Glue: Studio's To Timestamp (``gs_to_timestamp``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of the number, text, date or timestamp.
        unit: What a number counts, with fractions; ``iso`` for texts such as ``2013-01-02T05:17:00.5Z``;
            ``autodetect`` decides for each value: a number below 10**11 counts seconds, below 10**14
            milliseconds, else microseconds, and what is no number is ISO.
        new_column: Name of the timestamp; by default it takes the place of the source.

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        TransformError: The unit is none of the five, or the column lies inside a struct and no name is given.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: The path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: The column has another type, or is a number and the unit is ``iso``.

    Example:
        >>> df = spark.createDataFrame([("1357017420",), ("2013-01-01T05:17:00Z",), ("soon",)], "at STRING")
        >>> [str(row.at) for row in df.transform(to_timestamp, "at").collect()]
        ['2013-01-01 05:17:00', '2013-01-01 05:17:00', 'None']

    Source:
        reference: Glue transforms, "To timestamp". How a unit is detected Glue does not say.
    """
    if unit not in get_args(Unit):
        raise TransformError(f"to_timestamp: there is no unit {unit!r}. {say_known(unit, get_args(Unit), kind='unit')}")
    value = row_value(schema_of(df), column, where="to_timestamp")
    name = name_in_place(value, new_column, where="to_timestamp")
    return put_columns(df, {name: _timestamp(value, unit)})


def _timestamp(value: RowValue, unit: Unit) -> Column:
    if isinstance(value.data_type, DateType | TimestampType | TimestampNTZType | NullType):
        return value.column.cast("timestamp")
    if isinstance(value.data_type, StringType):
        # Spark would take a time without a date for one of today.
        read = value.column.try_cast("timestamp")
        first, last = (F.timestamp_micros(F.lit(end)) for end in (_YEAR_1 * 1_000_000, _YEAR_10000 * 1_000_000 - 1))
        # `between` reads each text once, where two comparisons read it twice.
        iso = F.when(~value.column.rlike(_TIME_ALONE) & read.between(first, last), read)
        if unit == "iso":
            return iso
        number = value.column.try_cast("decimal(38,6)")
        return (
            F.when(number.isNull(), iso).otherwise(_counted(number, unit))
            if unit == "autodetect"
            else _counted(number, unit)
        )
    if not isinstance(value.data_type, NumericType) or unit == "iso":
        kinds = "Numbers count seconds, milliseconds or microseconds; texts can be iso."
        raise wrong_type(value, f"which is not read as {unit}. {kinds}", where="to_timestamp")
    whole = isinstance(value.data_type, IntegralType)
    return _counted(value.column.cast("bigint") if whole else value.column.try_cast("decimal(38,6)"), unit)


def _counted(number: Column, unit: Unit) -> Column:
    if unit != "autodetect":
        return _since_1970(number, _MICROSECONDS[unit])
    return (
        F.when(_is_below(number, 10**11), _since_1970(number, 1_000_000))
        .when(_is_below(number, 10**14), _since_1970(number, 1_000))
        .otherwise(_since_1970(number, 1))
    )


def _is_below(number: Column, size: int) -> Column:
    return (number > -size) & (number < size)


def _since_1970(number: Column, microseconds: int) -> Column:
    each = 1_000_000 // microseconds
    in_range = (number >= _YEAR_1 * each) & (number < _YEAR_10000 * each)
    return F.when(in_range, F.timestamp_micros((number * microseconds).cast("bigint")))
