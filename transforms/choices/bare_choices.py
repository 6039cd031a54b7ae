"""Choices as the bare values they hold, for what writes values of any type: JSON."""

from typing import cast

from pyspark.sql import DataFrame
from pyspark.sql.types import (
    AnyTimeType,
    ArrayType,
    CalendarIntervalType,
    DataType,
    DayTimeIntervalType,
    MapType,
    StringType,
    StructType,
    VariantType,
    YearMonthIntervalType,
)

from transforms.choices.choice import ChoiceType, to_choices
from transforms.choices.widened import inside
from transforms.core.columns import schema_of
from transforms.nested.json_text import EXACT_TIMES, sql_options
from transforms.nested.rebuild import select
from transforms.nested.values import Value, each, each_value, members, row_of, struct_of


def bare_choices(df: DataFrame) -> DataFrame:
    """Return the frame with each choice as a VARIANT of the one value that it holds. Lazy.

    A null choice is null; what holds no choice is as it was. Spark writes a VARIANT to JSON as the value
    itself, so a file that was read with choices comes out as it went in.

    Example:
        >>> from transforms.choices.choice import ChoiceType, to_marks
        >>> from pyspark.sql.types import IntegerType, StringType
        >>> schema = to_marks(StructType().add("a", ChoiceType.of([IntegerType(), StringType()])))
        >>> df = spark.createDataFrame([((1, None),), ((None, "x"),)], schema)
        >>> df.transform(bare_choices).selectExpr("to_json(struct(a)) AS text").collect()
        [Row(text='{"a":1}'), Row(text='{"a":"x"}')]
    """
    columns = members(row_of(to_choices(schema_of(df))))
    return select(df, [column._replace(value=bare(column.value)) for column in columns])


def holds_choice(data_type: DataType) -> bool:
    """Return whether a type made by `to_choices` is a choice or has one inside."""
    if isinstance(data_type, StructType):
        return isinstance(data_type, ChoiceType) or any(holds_choice(field.dataType) for field in data_type.fields)
    if isinstance(data_type, ArrayType):
        return holds_choice(data_type.elementType)
    return isinstance(data_type, MapType) and holds_choice(data_type.valueType)


def speakable(schema: StructType) -> StructType:
    """Return the schema with choices as types of their own, but for those of types that a VARIANT does not hold."""
    return cast("StructType", _speakable(to_choices(schema)))


def _speakable(data_type: DataType) -> DataType:
    made = inside(data_type, _speakable)
    return ChoiceType(made.fields) if isinstance(data_type, ChoiceType) and _has_variants(made) else made  # type: ignore[attr-defined]  # a struct


def _has_variants(data_type: DataType) -> bool:
    """Return whether Spark makes VARIANTs of the values of a type."""
    if isinstance(data_type, StructType):
        return all(_has_variants(field.dataType) for field in data_type.fields)
    if isinstance(data_type, ArrayType):
        return _has_variants(data_type.elementType)
    if isinstance(data_type, MapType):
        return isinstance(data_type.keyType, StringType) and _has_variants(data_type.valueType)
    return not isinstance(data_type, AnyTimeType | DayTimeIntervalType | YearMonthIntervalType | CalendarIntervalType)


def bare(value: Value) -> Value:
    """Return a value with the choices in it as VARIANTs."""
    data_type = value.data_type
    if not holds_choice(data_type):
        return value
    if isinstance(data_type, ChoiceType):
        variants = ", ".join(variant_of(member.value).sql for member in members(value))
        return Value(f"coalesce({variants})", VariantType(), arrays=value.arrays, is_kept=False)
    if isinstance(data_type, StructType):
        fields = [member._replace(value=bare(member.value)) for member in members(value)]
        return struct_of(fields, unless_null=[value])
    return each(value, bare) if isinstance(data_type, ArrayType) else each_value(value, bare)


def variant_of(value: Value) -> Value:
    """Return a value as a VARIANT, with the bare values of choices in it; what a VARIANT does not hold, as its text."""
    if isinstance(value.data_type, ChoiceType):
        return bare(value)
    is_nested = isinstance(value.data_type, StructType | ArrayType | MapType)
    if _has_variants(value.data_type):
        text = f"to_variant_object({bare(value).sql})" if is_nested else f"CAST({value.sql} AS VARIANT)"
    elif is_nested:
        text = f"parse_json(to_json({bare(value).sql}, {sql_options(EXACT_TIMES)}))"
    else:
        text = f"CAST(CAST({value.sql} AS STRING) AS VARIANT)"
    return Value(text, VariantType(), value.nullable, value.arrays, is_kept=False)
