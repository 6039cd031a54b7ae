"""DynamoDB's JSON, in which each value stands in an object whose one key names its type: ``{"N": "1"}``."""

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, NullType, StructType

from transforms.core.columns import schema_of
from transforms.errors import DuplicateColumnError
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, each, members, row_of, struct_of

_ROOT, _NULL, _MAP, _LIST = "Item", "NULL", "M", "L"
_TAGS = {_NULL, _MAP, _LIST, "S", "N", "B", "BOOL", "SS", "NS", "BS"}


def attributes_to_columns(df: DataFrame, *, open_lists: bool) -> DataFrame:
    """Return the frame with plain values, as `simplify_ddb_json` and `unnest_ddb_json` tell. Lazy.

    Raises:
        DuplicateColumnError: An attribute has the name of another column.
    """
    columns: list[Named] = []
    for column in members(row_of(schema_of(df))):
        columns += [_plain(field, open_lists) for field in (_attributes(column) or [column])]
    names: set[str] = set()
    for name in (column.name for column in columns):
        if name in names:
            raise DuplicateColumnError(f"An attribute in `{_ROOT}` has the name of another column: `{name}`.")
        names.add(name)
    return select(df, columns)


def _attributes(column: Named) -> list[Named]:
    """Return the attributes in the column that is the root of an item; none of any other column."""
    if column.name != _ROOT or not isinstance(column.value.data_type, StructType):
        return []
    attributes = members(column.value)
    return attributes if any(_tags(attribute.value) for attribute in attributes) else []


def _plain(field: Named, open_lists: bool) -> Named:
    value = _untagged(field.value, open_lists)
    return field if value is field.value else Named(field.name, value, {})


def _tags(value: Value) -> set[str]:
    """Return the tags that a value stands in; none if it is not tagged."""
    names = value.data_type.names if isinstance(value.data_type, StructType) else []
    return set(names) if names and _TAGS.issuperset(names) and len(set(names)) == len(names) else set()


def _untagged(value: Value, open_lists: bool) -> Value:
    tags = _tags(value)
    if not tags:
        return value
    if tags == {_NULL}:
        return replace(value, sql="NULL", data_type=NullType(), nullable=True, is_kept=False)
    inside = [field for field in members(value) if field.name != _NULL]
    if len(inside) > 1:
        return value
    tag, inner, _ = inside[0]
    inner = replace(inner, nullable=True)
    if tag == _MAP and isinstance(inner.data_type, StructType):
        return struct_of([_plain(field, open_lists) for field in members(inner)], unless_null=[inner])
    if tag == _LIST and open_lists and isinstance(inner.data_type, ArrayType):
        return each(inner, lambda element: element if _MAP in _tags(element) else _untagged(element, open_lists))
    return inner
