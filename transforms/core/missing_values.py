"""Which values are missing, and what the others of their column say."""

from collections.abc import Callable, Sequence
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.core.columns import by_position
from transforms.core.comparable import require_comparable
from transforms.nested.row_values import NESTED, RowValue, wrong_type

Statistic = Literal["mean", "median", "mode"]

_STATISTICS: dict[Statistic, Callable[[Column], Column]] = {
    "mean": F.avg,
    "median": F.median,
    "mode": lambda column: F.mode(column, deterministic=True),
}


def present(value: RowValue) -> Column:
    """Return the value, and null where it is missing: an empty text, or NaN."""
    if isinstance(value.data_type, t.StringType):
        return F.when(value.column != "", value.column)
    if isinstance(value.data_type, t.DoubleType | t.FloatType):
        return F.when(~F.isnan(value.column), value.column)
    return value.column


def statistics(df: DataFrame, values: Sequence[RowValue], statistic: Statistic, *, where: str) -> list[Column]:
    """Return for each column a constant of its type: the statistic of what is present. Starts one job, one pass.

    Raises:
        ColumnTypeError: A column is nested, or no number and the statistic is of numbers.
    """
    made = _STATISTICS[statistic]
    for value in values:
        if isinstance(value.data_type, NESTED) or (
            statistic != "mode" and not isinstance(value.data_type, t.NumericType | t.NullType)
        ):
            raise wrong_type(value, f"which has no {statistic}.", where=where)
        require_comparable(value.data_type, where=f"{where}: `{value.name}`", sorts=True)
    (row,) = by_position(df).agg(*(made(present(value)).alias(f"s{at}") for at, value in enumerate(values))).collect()
    return [
        F.lit(found).cast(value.data_type) if statistic == "mode" else as_type(F.lit(found), value.data_type)
        for found, value in zip(row, values, strict=True)
    ]


def as_type(column: Column, data_type: t.DataType) -> Column:
    """Return a number as another type of number, null where it does not fit; for whole ones it is rounded."""
    return (F.round(column) if isinstance(data_type, t.IntegralType) else column).try_cast(data_type)
