"""The narrowest plain type that holds all values of a choice."""

from collections.abc import Callable

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DecimalType,
    DoubleType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from transforms.choices.choice import ChoiceType
from transforms.choices.variant_shapes import Fractions
from transforms.core.type_names import parse_type, type_name

_WHOLE = {"byte": 3, "short": 5, "int": 10, "long": 19}
"""Whole numbers, narrowest first, and the digits that they have."""

_MOST_DIGITS = 38


def widened(data_type: DataType) -> DataType:
    """Return a type made by `to_choices` with the narrowest type in place of each choice that loses no value.

    Whole numbers become the widest of them; with decimals or fractions a decimal that has the digits of both, or a
    double where all whole numbers are ints; dates and timestamps become timestamps; all else becomes texts.

    Example:
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
    if not names <= {*_WHOLE, "decimal", "float", "double"}:
        return StringType()
    if names <= _WHOLE.keys():
        return parse_type(max(names, key=lambda name: _WHOLE[name]))
    if names & {"float", "double"} and not names & {"long", "decimal"}:
        return DoubleType()
    return _decimal(types)


def _decimal(types: list[DataType]) -> DataType:
    before = behind = 0
    for data_type in types:
        exact = data_type.exact if isinstance(data_type, Fractions) else data_type
        if isinstance(exact, DecimalType):
            before, behind = max(before, exact.precision - exact.scale), max(behind, exact.scale)
        elif type_name(data_type) in _WHOLE:
            before = max(before, _WHOLE[type_name(data_type)])
        else:
            return StringType()
    return DecimalType(before + behind, behind) if before + behind <= _MOST_DIGITS else StringType()
