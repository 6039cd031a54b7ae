"""Values in a form that Spark can compare: maps as sorted entries."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, CalendarIntervalType, DataType, MapType, StructType, VariantType

from transforms.core.columns import by_position, fields_by_position
from transforms.core.type_names import type_text
from transforms.errors import ColumnTypeError


def comparable(column: Column, data_type: DataType, *, where: str, sorts: bool = False) -> Column:
    """Return a value with its maps, at any depth, as arrays of entries sorted by key; others come back as they are.

    Raises:
        ColumnTypeError: As `require_comparable`.
    """
    require_comparable(data_type, where=where, sorts=sorts)
    return _with_sorted_maps(column, data_type)


def with_maps(df: DataFrame, types: Sequence[DataType]) -> DataFrame:
    """Return a frame whose first columns `comparable` made of values of these types, with maps in them as they were.

    To be grouped by: in a map Spark itself groups by, a null among numbers becomes 0.
    """
    if not any(_holds(data_type, MapType) for data_type in types):
        return df
    rows = by_position(df)
    columns = [F.col(name) for name in rows.columns]
    again = [
        _with_maps(column, data_type).cast(type_text(data_type)) if _holds(data_type, MapType) else column
        for column, data_type in zip(columns, types, strict=False)
    ]
    return rows.select(*again, *columns[len(types) :]).toDF(*df.columns)


def require_comparable(data_type: DataType, *, where: str, sorts: bool = False) -> None:
    """Check that values of a type can be told apart, as for groups; if it ``sorts``, that they have an order too.

    A window sorts by what it partitions by.

    Raises:
        ColumnTypeError: There is a variant in it, which nothing compares; or, to sort, an interval of months and days.
    """
    if _holds(data_type, VariantType):
        raise ColumnTypeError(f"{where} is or holds a variant, which does not compare. Cast it to string first.")
    if sorts and _holds(data_type, CalendarIntervalType):
        raise ColumnTypeError(f"{where} is or holds an interval of months and days, which has no order. Cast it first.")


def _with_sorted_maps(column: Column, data_type: DataType) -> Column:
    if not _holds(data_type, MapType):
        return column
    if isinstance(data_type, ArrayType):
        inner = data_type.elementType
        return F.transform(column, lambda element: _with_sorted_maps(element, inner))
    if isinstance(data_type, MapType):
        values = data_type.valueType
        keys = F.array_sort(F.map_keys(column))
        return F.transform(
            keys,
            lambda key: F.struct(key.alias("key"), _with_sorted_maps(F.element_at(column, key), values).alias("value")),
        )
    assert isinstance(data_type, StructType)  # noqa: S101  # what else holds a map
    struct, names = fields_by_position(column, data_type)
    members = [
        _with_sorted_maps(struct.getField(name), field.dataType).alias(f"f{position}")
        for position, (name, field) in enumerate(zip(names, data_type.fields, strict=True))
    ]
    return F.when(column.isNotNull(), F.struct(*members))


def _with_maps(column: Column, data_type: DataType) -> Column:
    """Return what `_with_sorted_maps` made of a value as the value; the names of fields in structs are others."""
    if not _holds(data_type, MapType):
        return column
    if isinstance(data_type, ArrayType):
        inner = data_type.elementType
        return F.transform(column, lambda element: _with_maps(element, inner))
    if isinstance(data_type, MapType):
        values = data_type.valueType
        pairs = F.transform(column, lambda entry: F.struct(entry["key"], _with_maps(entry["value"], values)))
        return F.map_from_entries(pairs)
    assert isinstance(data_type, StructType)  # noqa: S101  # what else holds a map
    members = [
        _with_maps(column[f"f{position}"], field.dataType).alias(f"f{position}")
        for position, field in enumerate(data_type.fields)
    ]
    return F.when(column.isNotNull(), F.struct(*members))


def _holds(data_type: DataType, kind: type[DataType]) -> bool:
    """Return whether a type is of a kind, or has one of that kind anywhere inside."""
    if isinstance(data_type, kind):
        return True
    if isinstance(data_type, ArrayType):
        return _holds(data_type.elementType, kind)
    if isinstance(data_type, MapType):
        return _holds(data_type.keyType, kind) or _holds(data_type.valueType, kind)
    return isinstance(data_type, StructType) and any(_holds(field.dataType, kind) for field in data_type.fields)
