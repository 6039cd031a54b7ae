"""Values from many places of a row, at any depth, brought into rows of their own: for one aggregate over all places."""

from collections.abc import Callable
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructType

from transforms.choices.bare_choices import holds_choice
from transforms.choices.choice import ChoiceType
from transforms.core.columns import by_position
from transforms.nested.values import COLUMN, Value, element_of, members, once, row_of

_PAIRS = "array<struct<place: int, value: variant>>"

Pick = Callable[[Value], list[str]]
"""Returns, as SQL, what is wanted of a place itself, each made by `pair`; nothing for most places."""


def gather(df: DataFrame, types: StructType, pick: Pick, wanted: Callable[[DataType], bool]) -> DataFrame:
    """Return a row with ``place`` and ``value``, a VARIANT, for each value picked. Lazy.

    Args:
        df: Its first columns have the given types, in their order.
        types: The types as `to_choices` makes them.
        pick: Is asked once per place, outer ones first, in the order of the schema.
        wanted: Whether there is anything to pick in values of a type.
    """
    single: list[str] = []
    many: list[str] = []
    for _, value, _ in members(row_of(types)):
        if not wanted(value.data_type):
            continue
        if _is_built(value.data_type):
            many.append(once(value, lambda column: Value(_of_value(column, pick, wanted), NullType())).sql)
        else:
            _collect(value, pick, wanted, single, many)
    pairs = F.expr(_joined(single, many))
    return by_position(df, COLUMN).select(F.explode(pairs).alias("it")).select("it.place", "it.value")


def pair(place: int, value: Value) -> str:
    """Return a value with the number of its place."""
    return f"struct({place} AS place, {value.sql} AS value)"


def _is_built(data_type: DataType) -> bool:
    """Return whether what is inside of a value lies in what its own, long expression makes.

    There Spark looks for what the expressions of all places have in common, which takes it twice as long, and twice as
    much code, for each level.
    """
    if not isinstance(data_type, StructType):
        return False
    inner = [field.dataType for field in data_type.fields]
    return any(map(holds_choice, inner)) or (
        isinstance(data_type, ChoiceType) and any(isinstance(one, StructType) for one in inner)
    )


def _of_value(value: Value, pick: Pick, wanted: Callable[[DataType], bool]) -> str:
    single: list[str] = []
    many: list[str] = []
    _collect(value, pick, wanted, single, many)
    return _joined(single, many)


def _collect(value: Value, pick: Pick, wanted: Callable[[DataType], bool], single: list[str], many: list[str]) -> None:
    single += pick(value)
    data_type = value.data_type
    if isinstance(data_type, StructType):
        for _, inner, _ in members(value):
            if wanted(inner.data_type):
                _collect(inner, pick, wanted, single, many)
    elif isinstance(data_type, ArrayType | MapType):
        elements = value
        if isinstance(data_type, MapType):
            inner_type = ArrayType(data_type.valueType, data_type.valueContainsNull)
            elements = replace(value, sql=f"map_values({value.sql})", data_type=inner_type)
        element = element_of(elements)
        if wanted(element.data_type):
            inside = f"transform({elements.sql}, {element.sql} -> {_of_value(element, pick, wanted)})"
            many.append(f"coalesce(flatten({inside}), CAST(array() AS {_PAIRS}))")


def _joined(single: list[str], many: list[str]) -> str:
    parts = ([f"array_compact(array({', '.join(single)}))"] if single else []) + many
    return f"concat({', '.join(parts)})" if len(parts) > 1 else parts[0]
