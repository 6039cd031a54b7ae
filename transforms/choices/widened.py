"""The narrowest plain type that holds all values of a choice."""

from collections.abc import Callable

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DoubleType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from transforms.choices.choice import ChoiceType
from transforms.choices.variant_shapes import Fractions
from transforms.core.decimals import WHOLE_DIGITS, as_decimal, with_room_for
from transforms.core.type_names import type_name

_KINDS_OF_NUMBERS = {"byte", "short", "int", "long", "decimal", "float", "double"}


def widened(data_type: DataType) -> DataType:
    """Return a type made by `to_choices` with the narrowest type in place of each choice that loses no value.

    Whole numbers become the widest of them; with decimals or fractions a decimal that has the digits of both, or a
    double where all whole numbers are ints; dates and timestamps become timestamps; all else becomes texts.

    Example:
        >>> from transforms.core.type_names import parse_type
        >>> widened(ChoiceType.of([parse_type("int"), parse_type("double")]))
        DoubleType()
        >>> widened(ChoiceType.of([parse_type("int"), parse_type("string")]))
        StringType()
    """
    if isinstance(data_type, ChoiceType):
        return _widest([field.dataType for field in data_type.fields])
    return inside(data_type, widened)


def as_texts(data_type: DataType) -> DataType:
    """Return a type made by `to_choices` with a text in place of each choice."""
    return StringType() if isinstance(data_type, ChoiceType) else inside(data_type, as_texts)


def inside(data_type: DataType, change: Callable[[DataType], DataType]) -> DataType:
    """Return a type that is no choice, with what is inside changed."""
    if isinstance(data_type, StructType):
        fields = [StructField(f.name, change(f.dataType), f.nullable, f.metadata) for f in data_type.fields]
        return StructType(fields)
    if isinstance(data_type, ArrayType):
        return ArrayType(change(data_type.elementType), data_type.containsNull)
    if isinstance(data_type, MapType):
        return MapType(data_type.keyType, change(data_type.valueType), data_type.valueContainsNull)
    return data_type


def _widest(types: list[DataType]) -> DataType:
    names = {type_name(data_type) for data_type in types}
    if names == {"date", "timestamp"}:
        return TimestampType()
    if not names <= _KINDS_OF_NUMBERS:
        return StringType()
    if all(type(data_type) in WHOLE_DIGITS for data_type in types):
        return max(types, key=lambda data_type: WHOLE_DIGITS[type(data_type)])
    if names & {"float", "double"} and not names & {"long", "decimal"}:
        return DoubleType()
    exact = (data_type.exact if isinstance(data_type, Fractions) else data_type for data_type in types)
    return with_room_for(map(as_decimal, exact)) or StringType()
