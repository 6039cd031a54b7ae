"""Choices as the bare values they hold, for what writes values of any type: JSON."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.choices.choice import ChoiceType, members_of, to_choices, unmarked
from transforms.core.columns import by_position


def bare_choices(df: DataFrame) -> DataFrame:
    """Return the frame with each choice as a VARIANT of the one value that it holds. Lazy.

    A null choice is null; what holds no choice is as it was. Spark writes a VARIANT to JSON as the value
    itself, so a file that was read with choices comes out as it went in.

    Example:
        >>> from transforms.choices.choice import ChoiceType, to_marks
        >>> from pyspark.sql.types import IntegerType, StringType
        >>> schema = to_marks(StructType().add("a", ChoiceType.of([IntegerType(), StringType()])))
        >>> df = spark.createDataFrame([((1, None),), ((None, "x"),)], schema)
        >>> df.transform(bare_choices).select(F.to_json(F.struct("a"))).collect()
        [Row(to_json(struct(a))='{"a":1}'), Row(to_json(struct(a))='{"a":"x"}')]
    """
    schema = to_choices(df.schema)
    columns = []
    for position, field in enumerate(schema.fields):
        columns.append(bare(F.col(f"c{position}"), field.dataType).alias(field.name, metadata=unmarked(field)))
    return by_position(df).select(*columns)


def holds_choice(data_type: DataType) -> bool:
    """Return whether a type made by `to_choices` is a choice or has one inside."""
    if isinstance(data_type, StructType):
        return isinstance(data_type, ChoiceType) or any(holds_choice(field.dataType) for field in data_type.fields)
    if isinstance(data_type, ArrayType):
        return holds_choice(data_type.elementType)
    return isinstance(data_type, MapType) and holds_choice(data_type.valueType)


def bare(column: Column, data_type: DataType) -> Column:
    """Return a column with the choices in it as VARIANTs."""
    if not holds_choice(data_type):
        return column
    if isinstance(data_type, ChoiceType):
        return F.coalesce(*(variant_of(column.getField(field.name), field.dataType) for field in data_type.fields))
    if isinstance(data_type, StructType):
        members = [
            bare(member, field.dataType).alias(field.name, metadata=unmarked(field))
            for member, field in zip(members_of(column, data_type), data_type.fields, strict=True)
        ]
        return F.when(column.isNotNull(), F.struct(*members))
    if isinstance(data_type, ArrayType):
        inner = data_type.elementType
        return F.transform(column, lambda element: bare(element, inner))
    value_type = data_type.valueType  # type: ignore[attr-defined]  # nothing else holds a choice
    return F.transform_values(column, lambda _, value: bare(value, value_type))


def variant_of(column: Column, data_type: DataType) -> Column:
    """Return a column as a VARIANT, with the bare values of choices in it."""
    value = bare(column, data_type)
    if isinstance(data_type, ChoiceType):
        return value
    if isinstance(data_type, StructType | ArrayType | MapType):
        return F.to_variant_object(value)
    return value.cast("variant")
