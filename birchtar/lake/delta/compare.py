"""Whether two rows are the same: expressions over columns of any type, with null equal to null."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, VariantType

from birchtar.lake.rejects import EXACT_TIMES, named, quoted


def column_of(alias: str, name: str) -> Column:
    """Return the column of exactly this name of an aliased frame."""
    return F.col(f"`{alias}`.{quoted(name)}")


def same_key(keys: Iterable[str], left: str, right: str) -> Column:
    """Return the condition under which two aliased rows have one key; null is a key like any other."""
    condition = F.lit(True)
    for key in keys:
        condition = condition & column_of(left, key).eqNullSafe(column_of(right, key))
    return condition


def same_value(left: Column, right: Column, types: tuple[DataType, DataType]) -> Column:
    """Return the condition under which two values are the same. Nested ones of other types are compared as JSON."""
    if types[0] != types[1] and isinstance(types[0], StructType | ArrayType | MapType):
        return F.to_json(left, EXACT_TIMES).eqNullSafe(F.to_json(right, EXACT_TIMES))
    return comparable(left, types[0]).eqNullSafe(comparable(right, types[1]))


def comparable(column: Column, kind: DataType) -> Column:
    """Return a value that Spark can compare and sort: the column itself, or what it is as text."""
    if isinstance(kind, MapType | VariantType) or (
        isinstance(kind, StructType | ArrayType) and _holds_unsortable(kind)
    ):
        return F.to_json(F.struct(column.alias("value")), EXACT_TIMES)
    return column


def sort_key(schema: StructType, names: Iterable[str]) -> Column:
    """Return one value by which rows are sorted the same way everywhere: their columns, one after the other."""
    return F.struct(*(comparable(named(name), schema[name].dataType).alias(f"c{n}") for n, name in enumerate(names)))


def _holds_unsortable(kind: DataType) -> bool:
    if isinstance(kind, MapType | VariantType):
        return True
    if isinstance(kind, ArrayType):
        return _holds_unsortable(kind.elementType)
    return isinstance(kind, StructType) and any(_holds_unsortable(field.dataType) for field in kind)
