"""Typed columns, with choices, out of VARIANTs: only what needs it goes through a VARIANT.

Two schemas tell how rows are read: in both, a choice is a VARIANT at first. Spark's JSON reader also refuses a struct
whose names differ in case only, so there such a struct is a VARIANT too (`json_type`); a cast does not (`cast_type`).
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
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

from transforms.choices.choice import ChoiceType, members_of, named
from transforms.choices.variant_shapes import Fractions
from transforms.core.columns import by_position
from transforms.rejects import ERROR_COLUMN

Read = Callable[[StructType | None], DataFrame]
"""Reads rows as a schema says, in its order; without one, as one VARIANT per row, an object."""

BIG = r"^DECIMAL\((19|[23]\d),0\)$"
"""What Spark calls a whole number beyond a long."""


def read_columns(read: Read, types: StructType) -> DataFrame:
    """Return the columns of a struct type made by `transforms.choices.variant_types`, choices in place. Lazy."""
    if has_twins(types):
        return _cast_rows(objects(read(None)), types)
    df = read(json_type(types))  # type: ignore[arg-type]  # of a struct without twins it is a struct
    rows = by_position(df)
    columns = [
        named(from_json(F.col(f"c{position}"), field.dataType), field) for position, field in enumerate(types.fields)
    ]
    rest = [F.col(f"c{position}").alias(name) for position, name in enumerate(df.columns)][len(columns) :]
    return rows.select(*columns, *rest)


def _cast_rows(df: DataFrame, types: StructType) -> DataFrame:
    rest = [F.col(f"c{position}").alias(name) for position, name in enumerate(df.columns)][1:]
    rows = by_position(df).select(F.col("c0").cast(cast_type(types)).alias("row"), *rest)
    members = members_of(F.col("row"), cast_type(types))  # type: ignore[arg-type]  # of a struct it is a struct
    columns = [
        named(from_cast(member, field.dataType), field) for member, field in zip(members, types.fields, strict=True)
    ]
    return rows.select(*columns, *rows.columns[1:])


def objects(df: DataFrame) -> DataFrame:
    """Return rows of VARIANTs as Spark's JSON reader takes them: of an array each element, and nothing but objects.

    Args:
        df: The VARIANT, and maybe ``_error``, in which what is no object is rejected.
    """
    rows = by_position(df)
    shape = F.schema_of_variant("c0")
    elements = F.when(shape.startswith("ARRAY<"), F.col("c0").cast("array<variant>")).otherwise(F.array("c0"))
    opened = rows.select(F.explode(elements).alias("c0"), *rows.columns[1:])
    is_object = F.coalesce(shape.startswith("OBJECT<"), F.lit(False))
    if ERROR_COLUMN not in df.columns:
        return opened.where(is_object).toDF(*df.columns)
    error = F.struct(
        F.lit("MALFORMED").alias("code"),
        F.lit("The record is not a JSON object.").alias("message"),
        F.to_json("c0").alias("record"),
    )
    return opened.select(
        F.when(is_object, F.col("c0")).alias(df.columns[0]),
        F.coalesce("c1", F.when(~is_object, error)).alias(ERROR_COLUMN),
    )


def has_twins(struct: StructType) -> bool:
    """Return whether names differ in case only."""
    return len({name.lower() for name in struct.names}) < len(struct.names)


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


def from_json(column: Column, data_type: DataType) -> Column:
    """Return a column that was read as `json_type` with its choices and twins in place."""
    if isinstance(data_type, StructType) and not isinstance(data_type, ChoiceType) and has_twins(data_type):
        return from_cast(column.cast(cast_type(data_type)), data_type)
    return _rebuilt(column, data_type, json_type, from_json)


def from_cast(column: Column, data_type: DataType) -> Column:
    """Return a column that was cast to `cast_type` with its choices in place."""
    return _rebuilt(column, data_type, cast_type, from_cast)


def _rebuilt(
    column: Column,
    data_type: DataType,
    read_as: Callable[[DataType], DataType],
    again: Callable[[Column, DataType], Column],
) -> Column:
    if isinstance(data_type, ChoiceType):
        return _choice(column, data_type)
    if not _needs_work(data_type, read_as):
        return column
    if isinstance(data_type, ArrayType):
        inner = data_type.elementType
        return F.transform(column, lambda element: again(element, inner))
    members = [
        named(again(member, field.dataType), field)
        for member, field in zip(
            members_of(column, read_as(data_type)),  # type: ignore[arg-type]  # a struct
            data_type.fields,  # type: ignore[attr-defined]  # nothing else is left
            strict=True,
        )
    ]
    return F.when(column.isNotNull(), F.struct(*members))


def _needs_work(data_type: DataType, read_as: Callable[[DataType], DataType]) -> bool:
    """Return whether what was read is not yet what is wanted."""
    if isinstance(data_type, ChoiceType):
        return True
    if isinstance(data_type, ArrayType):
        return _needs_work(data_type.elementType, read_as)
    if isinstance(data_type, StructType):
        if isinstance(read_as(data_type), VariantType):
            return True
        return any(_needs_work(field.dataType, read_as) for field in data_type.fields)
    return False


def _choice(value: Column, choice: ChoiceType) -> Column:
    """Return the choice for a VARIANT."""
    shape = F.schema_of_variant(value)
    tests = {field.name: _is(shape, field.name, choice) for field in choice.fields}
    members = [named(F.when(tests[field.name], _of_variant(value, field.dataType)), field) for field in choice.fields]
    known = tests[choice.names[0]]
    for name in choice.names[1:]:
        known = known | tests[name]
    unknown = F.raise_error(
        F.concat(F.lit(f"A value is none of {', '.join(choice.names)}, which were there before: "), F.to_json(value))
    )
    return F.when(known, F.struct(*members)).when(value.isNotNull() & (shape != "VOID"), unknown)


def _is(shape: Column, name: str, choice: ChoiceType) -> Column:
    """Tell whether a VARIANT of this shape is held by this alternative of the choice."""
    if name in ("int", "long"):
        return shape == "BIGINT"
    if name == "decimal":
        return (shape == "BIGINT") | shape.rlike(BIG)
    if name == "double":
        is_number = shape.startswith("DECIMAL") | shape.isin("DOUBLE", "FLOAT")
        return is_number & ~shape.rlike(BIG) if "decimal" in choice.names else is_number
    if name in ("struct", "array"):
        return shape.startswith("OBJECT<" if name == "struct" else "ARRAY<")
    return shape == name.upper()


def _of_variant(value: Column, data_type: DataType) -> Column:
    if isinstance(data_type, VariantType):
        return value
    cast = value.cast(cast_type(data_type))
    return _let(cast, lambda it: from_cast(it, data_type)) if _needs_work(data_type, cast_type) else cast


def _let(column: Column, build: Callable[[Column], Column]) -> Column:
    """Return what is built of a column; in the plan it stands once, however often it is built upon."""
    return F.transform(F.array(column), build).getItem(0)


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
