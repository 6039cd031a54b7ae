"""Values in a form that Spark can compare: maps as sorted entries."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, VariantType

from transforms.core.columns import fields_by_position
from transforms.errors import ColumnTypeError


def comparable(column: Column, data_type: DataType, *, where: str) -> Column:
    """Return a value with its maps, at any depth, as arrays of entries sorted by key; others come back as they are.

    Raises:
        ColumnTypeError: There is a variant in it, which nothing compares.
    """
    if isinstance(data_type, VariantType):
        raise ColumnTypeError(f"{where} is or holds a variant, which does not compare. Cast it to string first.")
    if not _needs_change(data_type):
        return column
    if isinstance(data_type, ArrayType):
        inner = data_type.elementType
        return F.transform(column, lambda element: comparable(element, inner, where=where))
    if isinstance(data_type, MapType):
        values = data_type.valueType
        keys = F.array_sort(F.map_keys(column))
        return F.transform(keys, lambda key: F.struct(key, comparable(F.element_at(column, key), values, where=where)))
    if isinstance(data_type, StructType):
        struct, names = fields_by_position(column, data_type)
        members = [
            comparable(struct.getField(name), field.dataType, where=where).alias(f"f{position}")
            for position, (name, field) in enumerate(zip(names, data_type.fields, strict=True))
        ]
        return F.when(column.isNotNull(), F.struct(*members))
    return column


def _needs_change(data_type: DataType) -> bool:
    if isinstance(data_type, ArrayType):
        return _needs_change(data_type.elementType)
    if isinstance(data_type, StructType):
        return any(_needs_change(field.dataType) for field in data_type.fields)
    return isinstance(data_type, MapType | VariantType)
