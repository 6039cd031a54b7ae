"""Values from many places of a row, at any depth, brought into rows of their own: for one aggregate over all places."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.choices.bare_choices import holds_choice
from transforms.choices.choice import members_of
from transforms.core.columns import by_position

_PAIRS = "array<struct<place: int, value: variant>>"

Pick = Callable[[Column, DataType], list[Column]]
"""Returns what is wanted of a place itself, each made by `pair`; nothing for most places."""


def gather(df: DataFrame, types: StructType, pick: Pick, wanted: Callable[[DataType], bool]) -> DataFrame:
    """Return a row with ``place`` and ``value``, a VARIANT, for each value picked. Lazy.

    Args:
        df: Its first columns have the given types, in their order.
        types: The types as `to_choices` makes them.
        pick: Is asked once per place, outer ones first, in the order of the schema.
        wanted: Whether there is anything to pick in values of a type.
    """
    single: list[Column] = []
    many: list[Column] = []
    for position, field in enumerate(types.fields):
        if not wanted(field.dataType):
            continue
        if _has_inner_choice(field.dataType):
            many.append(_of_field(F.col(f"c{position}"), field.dataType, pick, wanted))
        else:
            _collect(F.col(f"c{position}"), field.dataType, pick, wanted, single, many)
    pairs = _joined(single, many)
    return by_position(df).select(F.explode(pairs).alias("it")).select("it.place", "it.value")


def pair(place: int, value: Column) -> Column:
    """Return a value with the number of its place."""
    return F.struct(F.lit(place).alias("place"), value.alias("value"))


def _of_field(column: Column, data_type: DataType, pick: Pick, wanted: Callable[[DataType], bool]) -> Column:
    """Return what is gathered of a field whose own expression is long; in the plan it stands once."""

    def build(value: Column) -> Column:
        one: list[Column] = []
        more: list[Column] = []
        _collect(value, data_type, pick, wanted, one, more)
        return _joined(one, more)

    return F.transform(F.array(column), build).getItem(0)


def _has_inner_choice(data_type: DataType) -> bool:
    """Return whether a struct or a choice has a choice inside."""
    return isinstance(data_type, StructType) and any(holds_choice(field.dataType) for field in data_type.fields)


def _collect(
    column: Column,
    data_type: DataType,
    pick: Pick,
    wanted: Callable[[DataType], bool],
    single: list[Column],
    many: list[Column],
) -> None:
    single += pick(column, data_type)
    if isinstance(data_type, StructType):
        inside = [field for field in data_type.fields if wanted(field.dataType)]
        members = members_of(column, data_type) if inside else []
        for member, field in zip(members, data_type.fields, strict=False):
            if field in inside:
                _collect(member, field.dataType, pick, wanted, single, many)
    elif isinstance(data_type, ArrayType | MapType):
        is_array = isinstance(data_type, ArrayType)
        inner = data_type.elementType if isinstance(data_type, ArrayType) else data_type.valueType
        if not wanted(inner):
            return

        def of_element(element: Column) -> Column:
            one: list[Column] = []
            more: list[Column] = []
            _collect(element, inner, pick, wanted, one, more)
            return _joined(one, more)

        elements = column if is_array else F.map_values(column)
        none = F.array().cast(_PAIRS)
        many.append(F.coalesce(F.flatten(F.transform(elements, of_element)), none))


def _joined(single: list[Column], many: list[Column]) -> Column:
    parts = ([F.array_compact(F.array(*single))] if single else []) + many
    return F.concat(*parts) if len(parts) > 1 else parts[0]
