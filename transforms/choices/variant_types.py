"""The types of values that say themselves what they are, such as JSON: all values are looked at, none in Python."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    DataType,
    IntegerType,
    LongType,
    NullType,
    StructField,
    StructType,
    VariantType,
)

from transforms.choices.choice import ChoiceType
from transforms.choices.count_choices import TypeCount
from transforms.choices.gather import gather, pair
from transforms.choices.variant_columns import BIG, Read, read_columns
from transforms.choices.variant_rows import objects
from transforms.choices.variant_shapes import Fractions, Numbers, WholeNumbers, parse_shape
from transforms.core.columns import by_position
from transforms.core.type_names import type_name
from transforms.nested.values import Value, text_literal
from transforms.rejects import accepted

_INT = 2**31

_WHOLE = ("int", "long", "decimal")


class _Found(NamedTuple):
    """Values of one kind at one place."""

    shape: DataType
    times: int
    example: str


_Kinds = Mapping[str, _Found]
"""What was found at a place, by kind."""


class CountedChoice(ChoiceType):
    """A choice that knows how often each of its types was found."""

    def __init__(self, fields: list[StructField], counts: tuple[TypeCount, ...] | None = None) -> None:
        super().__init__(fields)
        self.counts = counts
        """None where fractions are among them: those are not looked at one by one."""


def variant_types(read: Read) -> StructType:
    """Return the columns that rows have, with choices, as types of their own, where values differ in type.

    Rejected rows teach nothing.

    Whole numbers of a place are ints if all fit, else longs, else decimals; numbers with a point or exponent are
    doubles. Both in one place are a choice, as in Glue. A field that is always null has the type null.

    Starts one Spark job over all rows for the shape of the rows, a second that looks at numbers and at places with
    values of several types and counts these, and one more for each level of such places inside one another.

    Raises:
        TransformError: An object has too many different keys.
    """
    variants = accepted(read(None))
    shape = parse_shape(_shape(variants))
    if not isinstance(shape, StructType):  # some rows are arrays of rows, or no rows at all
        shape = parse_shape(_shape(accepted(objects(variants))))
    if not isinstance(shape, StructType):
        return StructType()
    while _is_open(shape):
        looked_at = StructType([field for field in shape.fields if _is_open(field.dataType)])
        found = _look(accepted(read_columns(read, looked_at)), looked_at)
        numbers = count()
        shape = StructType([_closed_field(field, found, numbers) for field in shape.fields])
    return shape


def _shape(variants: DataFrame) -> str:
    [(shape,)] = by_position(variants).agg(F.schema_of_variant_agg("c0")).collect()
    return shape or "VOID"


def _is_open(data_type: DataType) -> bool:
    if isinstance(data_type, StructType):
        return any(_is_open(field.dataType) for field in data_type.fields)
    if isinstance(data_type, ArrayType):
        return _is_open(data_type.elementType)
    return isinstance(data_type, VariantType | WholeNumbers | Numbers)


def _look(df: DataFrame, types: StructType) -> Mapping[int, _Kinds]:
    """Look at the values of all open types, in one pass; of those that can tell nothing new, at none."""
    numbers = count()

    def pick(value: Value) -> list[str]:
        is_leaf = not isinstance(value.data_type, StructType | ArrayType)
        return [_worth_a_look(value, next(numbers))] if is_leaf and _is_open(value.data_type) else []

    values = gather(df, types, pick, _is_open)
    shape = F.schema_of_variant("value").alias("shape")
    shaped = values.select("place", "value", shape).where("shape <> 'VOID'")
    kinds = shaped.select("place", _kind(F.col("shape"), F.col("value")).alias("kind"), "value")
    example = F.to_json(F.any_value("value"))
    rows = kinds.groupBy("place", "kind").agg(F.schema_of_variant_agg("value"), F.count("*"), example).collect()
    found: dict[int, dict[str, _Found]] = {}
    for place, kind, text, times, shown in rows:
        found.setdefault(place, {})[kind] = _Found(parse_shape(text), times, shown)
    return found


def _worth_a_look(value: Value, place: int) -> str:
    sql, data_type = value.sql, value.data_type
    if isinstance(data_type, WholeNumbers):
        made = pair(place, replace(value, sql=f"CAST({sql} AS VARIANT)"))
        return f"CASE WHEN {sql} >= {_INT} OR {sql} < -{_INT} THEN {made} END"
    if isinstance(data_type, Numbers) and data_type.has_fractions:
        shape = f"schema_of_variant({sql})"
        return f"CASE WHEN {shape} = 'BIGINT' OR {shape} RLIKE {text_literal(BIG)} THEN {pair(place, value)} END"
    return f"CASE WHEN {sql} IS NOT NULL THEN {pair(place, value)} END"


def _kind(shape: Column, value: Column) -> Column:
    is_int = F.try_variant_get(value, "$", "int").isNotNull()
    return (
        F.when(shape == "BIGINT", F.when(is_int, "int").otherwise("long"))
        .when(shape.rlike(BIG), "decimal")
        .when(shape.startswith("DECIMAL") | shape.isin("DOUBLE", "FLOAT"), "double")
        .otherwise(F.regexp_extract(shape, r"^\w+", 0))
    )


def _closed_field(field: StructField, found: Mapping[int, _Kinds], numbers: Iterator[int]) -> StructField:
    return StructField(field.name, _closed(field.dataType, found, numbers))


def _closed(data_type: DataType, found: Mapping[int, _Kinds], numbers: Iterator[int]) -> DataType:
    """Return the type with what was open in it closed, or open further inside; in the order of `_look`."""
    if isinstance(data_type, StructType):
        fields = [_closed_field(field, found, numbers) for field in data_type.fields]
        return CountedChoice(fields, data_type.counts) if isinstance(data_type, CountedChoice) else StructType(fields)
    if isinstance(data_type, ArrayType):
        return ArrayType(_closed(data_type.elementType, found, numbers))
    if not _is_open(data_type):
        return data_type
    kinds = found.get(next(numbers), {})
    if isinstance(data_type, WholeNumbers):
        return LongType() if kinds else IntegerType()
    if isinstance(data_type, Numbers) and data_type.has_fractions:
        fractions, whole = Fractions.of(data_type.exact), _whole(kinds)
        return CountedChoice.of(sorted([fractions, whole], key=type_name)) if whole else fractions
    return _of_kinds(kinds)


def _of_kinds(kinds: _Kinds) -> DataType:
    whole = [kinds[kind] for kind in _WHOLE if kind in kinds]
    found = {kind: one for kind, one in kinds.items() if kind not in _WHOLE}
    if whole and (data_type := _whole(kinds)):
        found["whole"] = _Found(data_type, sum(one.times for one in whole), whole[0].example)
    if "double" in found:
        shape = found["double"].shape
        found["double"] = found["double"]._replace(
            shape=Fractions.of(shape.exact if isinstance(shape, Numbers) else None)
        )
    ordered = sorted(found.values(), key=lambda one: type_name(one.shape))
    if len(ordered) < 2:
        return ordered[0].shape if ordered else NullType()
    fields = [StructField(type_name(one.shape), one.shape) for one in ordered]
    return CountedChoice(fields, tuple(TypeCount(type_name(one.shape), one.times, one.example) for one in ordered))


def _whole(kinds: _Kinds) -> DataType | None:
    """Return the type that holds all whole numbers."""
    if "decimal" in kinds:
        found = kinds["decimal"].shape
        return found.exact if isinstance(found, Numbers) else None
    if "long" in kinds:
        return LongType()
    return IntegerType() if "int" in kinds else None
