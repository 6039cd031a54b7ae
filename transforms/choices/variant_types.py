"""The types of values that say themselves what they are, such as JSON: all values are looked at, none in Python."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
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
from transforms.choices.read_types import cast_type, nulls_as_texts
from transforms.choices.variant_columns import BIG, Read, read_columns
from transforms.choices.variant_rows import objects
from transforms.choices.variant_shapes import Fractions, Numbers, WholeNumbers, merge_shapes, parse_shape
from transforms.core.columns import by_position
from transforms.core.type_names import type_name, type_text
from transforms.nested.values import Value, text_literal
from transforms.rejects import accepted

_INT = 2**31

_FIRST = 1_000
"""How many rows are looked at to know where to look in all."""

_ROW, _ROW_KIND = -1, "ROW"
"""The place and the kind of rows as wholes."""

_WHOLE = ("int", "long", "decimal")


class _Found(NamedTuple):
    """Values of one kind at one place."""

    shape: DataType
    times: int
    example: str


_Kinds = Mapping[str, _Found]
"""What was found at a place, by kind."""


class _Row(VariantType):
    """A row as a whole."""

    @classmethod
    def typeName(cls) -> str:  # noqa: N802 - Spark's name
        """Return the name of the type as which it is looked at."""
        return "variant"


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

    The first rows say which places to look at. So as a rule one Spark job over all rows finds all: their shape, which
    numbers there are, and the types of values where these differ, counted. Where a later row has another shape than the
    first ones, a second job looks at all rows by the shape that is known then; and one more does for each level of
    places with values of several types inside one another.

    Raises:
        TransformError: An object has too many different keys.
    """
    shape, found = _first_look(accepted(read(None)))
    while True:
        numbers = count()
        shape = StructType([_closed_field(field, found, numbers) for field in shape.fields])
        looked_at = _open_fields(shape)
        if not looked_at.fields:
            return shape
        found = _look(accepted(read_columns(read, looked_at)), looked_at)


def _first_look(rows: DataFrame) -> tuple[StructType, Mapping[int, _Kinds]]:
    """Return the shape of the rows, and what is found at its open places."""
    shape, are_opened = _first_shape(rows), False
    while True:
        if not isinstance(shape, StructType | NullType) and not are_opened:  # some rows are arrays of rows
            rows, are_opened = accepted(objects(rows)), True
            shape = _first_shape(rows)
        guess = shape if isinstance(shape, StructType) else StructType()
        found = _look(*_with_rows(rows, _open_fields(guess)))
        shape = found[_ROW][_ROW_KIND].shape if _ROW in found else NullType()
        if isinstance(shape, NullType):
            return StructType(), {}
        if isinstance(shape, StructType) and list(_open_places(shape)) == list(_open_places(guess)):
            return shape, found


def _first_shape(rows: DataFrame) -> DataType:
    shapes = by_position(rows).select(F.schema_of_variant("c0")).limit(_FIRST).collect()
    first: DataType = NullType()
    return reduce(merge_shapes, map(parse_shape, {text for (text,) in shapes}), first)


def _with_rows(rows: DataFrame, types: StructType) -> tuple[DataFrame, StructType]:
    """Return the columns of these types, beside each row as a whole; null where a value is of no such type."""
    whole = StructField("c0", _Row())
    if not types.fields:
        return by_position(rows), StructType([whole])
    cast = F.expr(f"try_variant_get(c0, '$', {text_literal(type_text(cast_type(types)))})")
    return by_position(rows).select(cast.alias("row"), "c0"), StructType([StructField("row", types), whole])


def _open_fields(types: StructType) -> StructType:
    """Return a type without the fields that are closed; but a choice with all, for they tell its values apart."""
    return StructType([StructField(field.name, _open(field.dataType)) for field in types if _is_open(field.dataType)])


def _open(data_type: DataType) -> DataType:
    if isinstance(data_type, ArrayType):
        return ArrayType(_open(data_type.elementType))
    if isinstance(data_type, ChoiceType):
        return nulls_as_texts(data_type)
    return _open_fields(data_type) if isinstance(data_type, StructType) else data_type


def _open_places(data_type: DataType, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield where a type is open, and for what."""
    if isinstance(data_type, StructType):
        for field in data_type.fields:
            yield from _open_places(field.dataType, (*path, field.name))
    elif isinstance(data_type, ArrayType):
        yield from _open_places(data_type.elementType, (*path, "[]"))
    elif _is_open(data_type):
        yield path, (type(data_type), isinstance(data_type, Numbers) and data_type.has_fractions)


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
        if isinstance(value.data_type, _Row):
            return [pair(_ROW, value)]
        is_leaf = not isinstance(value.data_type, StructType | ArrayType)
        return [_worth_a_look(value, next(numbers))] if is_leaf and _is_open(value.data_type) else []

    values = gather(df, types, pick, _is_open)
    shape = F.when(F.col("place") == _ROW, _ROW_KIND).otherwise(F.schema_of_variant("value")).alias("shape")
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
        is_whole = f"{shape} = 'BIGINT' OR (endswith({shape}, ',0)') AND {shape} RLIKE {text_literal(BIG)})"
        return f"CASE WHEN {is_whole} THEN {pair(place, value)} END"
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
