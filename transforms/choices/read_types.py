"""As what rows that say their types themselves are read, before choices are in place.

A choice is read as a VARIANT. Spark's JSON reader also refuses a struct whose names differ in case only, so there such
a struct is a VARIANT too (`json_type`); a cast of a VARIANT does not (`cast_type`).
"""

from pyspark.sql.types import (
    ArrayType,
    DataType,
    DoubleType,
    NullType,
    StringType,
    StructField,
    StructType,
    VariantType,
)

from transforms.choices.choice import ChoiceType, with_leaves
from transforms.choices.variant_shapes import Fractions
from transforms.core.columns import has_twins


def json_type(data_type: DataType) -> DataType:
    """Return what Spark's JSON reader is told to read."""
    if isinstance(data_type, StructType) and not isinstance(data_type, ChoiceType):
        if has_twins(data_type):
            return VariantType()
        return StructType([StructField(field.name, json_type(field.dataType)) for field in data_type.fields])
    if isinstance(data_type, ArrayType):
        return ArrayType(json_type(data_type.elementType))
    return _scalar(data_type)


def cast_type(data_type: DataType) -> DataType:
    """Return what a VARIANT is cast to."""
    if isinstance(data_type, StructType) and not isinstance(data_type, ChoiceType):
        return StructType([StructField(field.name, cast_type(field.dataType)) for field in data_type.fields])
    if isinstance(data_type, ArrayType):
        return ArrayType(cast_type(data_type.elementType))
    return _scalar(data_type)


def _scalar(data_type: DataType) -> DataType:
    if isinstance(data_type, ChoiceType):
        return VariantType()
    return StringType() if isinstance(data_type, NullType) else data_type


def nulls_as_texts(data_type: DataType) -> DataType:
    """Return a type with a text in place of each null type, as values that are always null are read."""
    return with_leaves(data_type, lambda leaf: StringType() if isinstance(leaf, NullType) else leaf)


def is_ready(read: DataType, wanted: DataType) -> bool:
    """Return whether what was read is what is wanted: no choice, nor a struct with twins, is a VARIANT still."""
    if isinstance(wanted, ArrayType) and isinstance(read, ArrayType):
        return is_ready(read.elementType, wanted.elementType)
    if isinstance(wanted, StructType) and isinstance(read, StructType):
        pairs = zip(read.fields, wanted.fields, strict=True)
        return all(is_ready(one.dataType, other.dataType) for one, other in pairs)
    return not isinstance(wanted, StructType)


def final_type(data_type: DataType) -> DataType:
    """Return a closed type as rows get it: a field that is always null is a text, an empty struct is left out."""
    if isinstance(data_type, ChoiceType):
        return ChoiceType([StructField(field.name, final_type(field.dataType)) for field in data_type.fields])
    if isinstance(data_type, StructType):
        fields = [field for field in data_type.fields if not _is_empty(field.dataType)]
        return StructType([StructField(field.name, final_type(field.dataType)) for field in fields])
    if isinstance(data_type, ArrayType):
        return ArrayType(final_type(data_type.elementType))
    if isinstance(data_type, Fractions):
        return DoubleType()
    return StringType() if isinstance(data_type, NullType) else data_type


def _is_empty(data_type: DataType) -> bool:
    if isinstance(data_type, ArrayType):
        return _is_empty(data_type.elementType)
    if isinstance(data_type, ChoiceType) or not isinstance(data_type, StructType):
        return False
    return all(_is_empty(field.dataType) for field in data_type.fields)
