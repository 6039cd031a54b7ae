"""Which values are missing, and what the others of their column say."""

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.core.columns import by_position
from transforms.core.comparable import require_comparable
from transforms.errors import TransformError
from transforms.nested.row_values import NESTED, RowValue, wrong_type

Statistic = Literal["mean", "median", "mode"]

_KEPT_BY_DOUBLES = 10**15
"""Below it doubles keep each whole number, and the middle of two."""

_MOST_DIGITS = 39
"""One more than Spark's decimals have: a mean is rounded up to no more than the highest number."""


def present(value: RowValue) -> Column:
    """Return the value, and null where it is missing: an empty text, or NaN."""
    if isinstance(value.data_type, t.StringType):
        return F.when(value.column != "", value.column)
    if isinstance(value.data_type, t.DoubleType | t.FloatType):
        return F.when(~F.isnan(value.column), value.column)
    return value.column


def statistics(df: DataFrame, values: Sequence[RowValue], statistic: Statistic, *, where: str) -> list[Column]:
    """Return for each column a constant of its type: the statistic of what is present. Starts one job, one pass.

    Of whole numbers and decimals the statistic is exact, rounded half up to the digits that the type has. A median of
    more than 15 digits takes one more job for each such column, which sorts it.

    Raises:
        ColumnTypeError: A column is nested, or no number and the statistic is of numbers.
        TransformError: Numbers add up to more digits than Spark has, so there is no mean.
    """
    for value in values:
        if isinstance(value.data_type, NESTED) or (
            statistic != "mode" and not isinstance(value.data_type, t.NumericType | t.NullType)
        ):
            raise wrong_type(value, f"which has no {statistic}.", where=where)
        require_comparable(value.data_type, where=f"{where}: `{value.name}`", sorts=True)
    rows = by_position(df)
    (row,) = rows.agg(*(_aggregate(value, statistic).alias(f"s{at}") for at, value in enumerate(values))).collect()
    return [
        _constant(_statistic(rows, value, statistic, found, where=where), value.data_type)
        for found, value in zip(row, values, strict=True)
    ]


def _constant(found: object, data_type: t.DataType) -> Column:
    return F.timestamp_micros(F.lit(found)) if isinstance(data_type, t.TimestampType) else F.lit(found).cast(data_type)


def _aggregate(value: RowValue, statistic: Statistic) -> Column:
    column = present(value)
    if statistic == "mode":
        mode = F.mode(column, deterministic=True)
        # Python would take a time for one of its own zone, which may be another, and has an hour twice each autumn.
        if isinstance(value.data_type, t.TimestampType):
            return F.unix_micros(mode)
        return mode.cast("string") if isinstance(value.data_type, t.TimestampNTZType) else mode
    scale = _scale(value)
    if scale is None:
        return F.avg(column) if statistic == "mean" else F.median(column)
    if statistic == "mean":
        return F.struct(F.try_sum(column.cast(t.DecimalType(38, scale))), F.count(column))
    return F.struct(F.median(column), F.count(column), F.min(column), F.max(column))


def _statistic(rows: DataFrame, value: RowValue, statistic: Statistic, found: Any, *, where: str) -> object:
    """Return what the aggregate says, once it is exact."""
    scale = _scale(value)
    if statistic == "mode" or scale is None:
        return found
    total, count, *ends = found
    if count == 0:
        return None
    if statistic == "mean":
        if total is None:
            raise TransformError(
                f"{where}: the numbers of `{value.name}` add up to more than 38 digits, so there is no mean of them."
                " Take the median or a constant."
            )
        return _rounded(Fraction(total) / count, scale)
    if all(abs(end) < _KEPT_BY_DOUBLES / 10**scale for end in ends):
        return _rounded(Fraction(repr(total)), scale)
    inner = rows.select(present(value).alias("value")).where("value IS NOT NULL").sort("value")
    middle = [each for (each,) in inner.offset((count - 1) // 2).limit(2 - count % 2).collect()]
    return _rounded(Fraction(sum(map(Fraction, middle))) / len(middle), scale)


def _scale(value: RowValue) -> int | None:
    """Return how many digits a type has behind the point; None for what holds no exact numbers."""
    if isinstance(value.data_type, t.DecimalType):
        return value.data_type.scale
    return 0 if isinstance(value.data_type, t.IntegralType) else None


def _rounded(number: Fraction, scale: int) -> Decimal:
    shifted = abs(number) * 10**scale
    digits = int(shifted + Fraction(1, 2))
    return Decimal(-digits if number < 0 else digits).scaleb(-scale, Context(prec=_MOST_DIGITS))


def as_type(column: Column, data_type: t.DataType) -> Column:
    """Return a number as another type of number, null where it does not fit; for whole ones it is rounded."""
    return (F.round(column) if isinstance(data_type, t.IntegralType) else column).try_cast(data_type)
