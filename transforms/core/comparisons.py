"""Comparing a column with a constant, as a config says it."""

import operator
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from math import inf
from typing import Any, TypeGuard

from pyspark.errors import PySparkException
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.core.comparable import require_comparable
from transforms.core.constants import constant
from transforms.errors import TransformError, closest
from transforms.nested.row_values import NESTED, RowValue, wrong_type

Operand = str | bool | int | float | date | datetime | Decimal

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OTHERWISE = {"==": "=", "<>": "!=", "=<": "<=", "=>": ">="}
_DIGITS = 100
"""More than two decimals of Spark have together."""

_LONG_TEXT = t.DecimalType(38, 10)
_MOST_OF_DOUBLES = 2**53
"""From here on doubles do not tell whole numbers apart, and a text is compared as a decimal, if it is one."""

_MOST_EXACT = 10**18
"""Numbers below it are compared as decimals, which have room for both sides."""


def meets(value: RowValue, sign: str, operand: Operand, spark: SparkSession, *, where: str) -> Column:
    """Return whether each value compares so with a constant; null or false where it is null, NaN or does not compare.

    Raises:
        TransformError: There is no such operator, or the constant is null or NaN.
        ColumnTypeError: The value is nested, or its type cannot hold the constant.
    """
    here = f"{where}, `{value.name}`"
    if sign not in _OPERATORS:
        near = _OTHERWISE.get(sign) or closest(sign, _OPERATORS)
        hint = f" Did you mean `{near}`?" if near else ""
        raise TransformError(f"{here}: there is no operator `{sign}`.{hint} There are: {' '.join(_OPERATORS)}.")
    if operand is None or operand != operand:  # NaN alone differs from itself
        raise TransformError(f"{here}: nothing compares with {operand}. For such values use `filter_rows`.")
    if isinstance(value.data_type, NESTED):
        raise wrong_type(value, "which does not compare.", where=where)
    require_comparable(value.data_type, where=here, sorts=True)
    if isinstance(value.data_type, t.DecimalType) and _is_number(operand) and abs(operand) != inf:
        return _meets_exactly(value.column, value.data_type, sign, Decimal(str(operand)))
    column, other = _comparable(value, operand, spark, where=where)
    compared: Column = _OPERATORS[sign](column, other)
    number = Decimal(str(operand)) if _is_number(operand) else Decimal(0)
    if isinstance(value.data_type, t.StringType) and _MOST_OF_DOUBLES <= abs(number) < 10**28:
        exact = value.column.try_cast(_LONG_TEXT)
        in_digits = _meets_exactly(exact, _LONG_TEXT, sign, number)
        compared = F.when(exact.isNotNull(), in_digits).otherwise(compared)
    reads_texts = isinstance(value.data_type, t.StringType) and _is_number(operand)
    may_be_nan = reads_texts or isinstance(value.data_type, t.DoubleType | t.FloatType)
    return compared & ~F.isnan(column) if may_be_nan else compared


def _meets_exactly(column: Column, data_type: t.DecimalType, sign: str, operand: Decimal) -> Column:
    """Return whether decimals compare so with a number, which may have more digits than they.

    Spark would make one type of both, and round where that has no room for all digits.
    """
    with localcontext(prec=_DIGITS + abs(operand.adjusted())):
        unit = Decimal(1).scaleb(-data_type.scale)
        below, above = operand.quantize(unit, ROUND_FLOOR), operand.quantize(unit, ROUND_CEILING)
    most = Decimal(10) ** (data_type.precision - data_type.scale)
    known = column.isNotNull()
    if below != above and sign in ("=", "!="):
        return known & F.lit(sign == "!=")
    if below != above:
        sign = f"{sign[0]}="  # of numbers without these digits those above a number are those from the next one on
    bound = above if sign.startswith(">") else below
    if abs(bound) >= most:
        return known & F.lit(sign == "!=" or (sign.startswith("<") if bound > 0 else sign.startswith(">")))
    compared: Column = _OPERATORS[sign](column, F.lit(bound).cast(data_type))
    return compared


def _comparable(value: RowValue, operand: Operand, spark: SparkSession, *, where: str) -> tuple[Column, Column]:
    """Return both sides as columns of types that compare without a cast that could fail on a row."""
    if isinstance(value.data_type, t.StringType) and _is_number(operand):
        return value.column.try_cast("double"), F.lit(float(operand))
    if isinstance(value.data_type, t.StringType):
        return value.column, F.lit(str(operand).lower() if isinstance(operand, bool) else str(operand))
    if isinstance(value.data_type, t.IntegralType) and isinstance(operand, int) and abs(operand) < 2**63:
        return value.column, F.lit(int(operand))
    if isinstance(value.data_type, t.NumericType) and _is_number(operand):
        is_exact = not isinstance(value.data_type, t.DoubleType | t.FloatType) and abs(float(operand)) < _MOST_EXACT
        return value.column, F.lit(Decimal(str(operand)) if is_exact else float(operand))
    # A time without a zone is one of the session's, not of the zone in which Python runs.
    said = str(operand) if isinstance(operand, datetime) and operand.tzinfo is None else operand
    literal = F.lit(said).try_cast("double" if _is_fraction(value, operand) else value.data_type)
    try:
        found = constant(spark, literal)
    except PySparkException:
        found = None
    if found is None:
        raise wrong_type(value, f"and {operand!r} is nothing that compares with it.", where=where)
    return value.column, literal


def _is_number(operand: Operand) -> TypeGuard[int | float | Decimal]:
    return isinstance(operand, int | float | Decimal) and not isinstance(operand, bool)


def _is_fraction(value: RowValue, operand: Operand) -> bool:
    return isinstance(value.data_type, t.IntegralType) and isinstance(operand, str) and "." in operand
