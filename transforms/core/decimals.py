"""Decimals that have room for the digits of several numbers."""

from collections.abc import Iterable

from pyspark.sql.types import ByteType, DataType, DecimalType, IntegerType, LongType, ShortType

WHOLE_DIGITS: dict[type[DataType], int] = {ByteType: 3, ShortType: 5, IntegerType: 10, LongType: 19}
"""Types of whole numbers, narrowest first, and the digits that they have."""

DOUBLE_DIGITS = 15
"""As many digits of a decimal a double always keeps."""

_MOST_DIGITS = 38


def as_decimal(data_type: DataType | None) -> DecimalType | None:
    """Return the decimal that holds all numbers of a type exactly; None where there is no such one.

    Example:
        >>> as_decimal(LongType()), as_decimal(DecimalType(5, 2))
        (DecimalType(19,0), DecimalType(5,2))
    """
    if isinstance(data_type, DecimalType):
        return data_type
    digits = WHOLE_DIGITS.get(type(data_type))  # type: ignore[arg-type]  # None is no type of numbers
    return None if digits is None else DecimalType(digits, 0)


def with_room_for(decimals: Iterable[DecimalType | None]) -> DecimalType | None:
    """Return the decimal that holds what each of some holds; None where one is None, or Spark has too few digits.

    Example:
        >>> with_room_for([DecimalType(5, 2), DecimalType(19, 0)])
        DecimalType(21,2)
        >>> with_room_for([DecimalType(38, 0), DecimalType(3, 1)]) is None
        True
    """
    before = behind = 0
    for decimal in decimals:
        if decimal is None:
            return None
        before, behind = max(before, decimal.precision - decimal.scale), max(behind, decimal.scale)
    return DecimalType(before + behind, behind) if before + behind <= _MOST_DIGITS else None
