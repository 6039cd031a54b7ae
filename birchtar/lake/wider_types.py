"""Which types hold all values of which others, as far as Delta widens them in place."""

from pyspark.sql.types import (
    ArrayType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StructType,
    TimestampNTZType,
)

_DIGITS: dict[type[DataType], int] = {ByteType: 3, ShortType: 5, IntegerType: 10, LongType: 20}


def widens(narrow: DataType, wide: DataType) -> bool:
    """Return whether a column of the first type can become one of the second, and no value is changed.

    Example:
        >>> widens(IntegerType(), LongType()), widens(LongType(), DoubleType()), widens(DateType(), TimestampNTZType())
        (True, False, True)
        >>> widens(DecimalType(5, 2), DecimalType(6, 3)), widens(DecimalType(5, 2), DecimalType(5, 3))
        (True, False)
    """
    digits = _DIGITS.get(type(narrow))
    if isinstance(wide, DecimalType):
        if isinstance(narrow, DecimalType):
            whole = narrow.precision - narrow.scale
            return narrow != wide and wide.scale >= narrow.scale and wide.precision - wide.scale >= whole
        return digits is not None and wide.precision - wide.scale >= digits
    if digits is not None:
        return _DIGITS.get(type(wide), 0) > digits or (isinstance(wide, DoubleType) and digits < _DIGITS[LongType])
    return (type(narrow), type(wide)) in {(FloatType, DoubleType), (DateType, TimestampNTZType)}


def extends(new: DataType, old: DataType) -> bool:
    """Return whether a nested type is another with fields added, or left out, at any depth.

    Example:
        >>> extends(StructType().add("a", "integer").add("b", "integer"), StructType().add("a", "integer"))
        True
        >>> extends(StructType().add("a", "integer"), StructType().add("a", "string"))
        False
    """
    if isinstance(new, StructType) and isinstance(old, StructType):
        known = {field.name.lower(): field.dataType for field in old}
        return all(extends(field.dataType, known.get(field.name.lower(), field.dataType)) for field in new)
    if isinstance(new, ArrayType) and isinstance(old, ArrayType):
        return extends(new.elementType, old.elementType)
    if isinstance(new, MapType) and isinstance(old, MapType):
        return extends(new.keyType, old.keyType) and extends(new.valueType, old.valueType)
    return new.simpleString() == old.simpleString()
