"""Rows of one schema, laid out as another that has room for them."""

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructType

from transforms.choices.choice import ChoiceType, choice_of, marked, plain, to_choices, with_leaves
from transforms.choices.merge_types import have_room, numbered
from transforms.core.columns import schema_of
from transforms.core.type_names import type_name, type_text
from transforms.errors import ColumnTypeError
from transforms.nested.rebuild import select
from transforms.nested.values import (
    Named,
    Value,
    each,
    each_key,
    each_value,
    members,
    null_of,
    row_of,
    struct_of,
)

NULL = null_of(NullType())


def align(df: DataFrame, schema: StructType) -> DataFrame:
    """Return the rows with the columns of a schema that `merge_schemas` made, of this frame's schema and others.

    Columns and fields are found by their names, case included; one that is not there is null. A value whose field is a
    choice there goes to the alternative of its type. Columns that the schema lacks are left out. Lazy.

    Raises:
        ColumnTypeError: The schema has no room for the type of a column.

    Example:
        >>> from transforms.choices.merge_types import merge_schemas
        >>> ids, texts = spark.sql("SELECT 7L AS id"), spark.sql("SELECT 'x' AS id, 1 AS n")
        >>> schema = merge_schemas(ids.schema, texts.schema)
        >>> ids.transform(align, schema).unionAll(texts.transform(align, schema)).show()
        +---------+----+
        |       id|   n|
        +---------+----+
        |{7, NULL}|NULL|
        |{NULL, x}|   1|
        +---------+----+
        <BLANKLINE>
    """
    before = to_choices(schema_of(df))
    there = {key: column for (key, _), column in zip(numbered(before), members(row_of(before)), strict=True)}
    columns = []
    for key, field in numbered(to_choices(schema)):
        source = there.get(key, Named(field.name, NULL, {}))
        value = fit(source.value, field.dataType, field.name)
        same = value.is_kept and source.metadata == field.metadata
        columns.append(marked(field.name, replace(value, is_kept=same), field.metadata))
    return select(df, columns)


def fit(value: Value, target: DataType, path: str) -> Value:
    """Return a value as another type that has room for it; in both types, choices are types of their own.

    Raises:
        ColumnTypeError: The target has no room for the type.
    """
    source = value.data_type
    if _bare(source) == _bare(target):
        return value
    if isinstance(source, NullType):
        return null_of(target)
    if isinstance(target, ChoiceType):
        return _into_choice(value, target, path)
    if isinstance(source, StructType) and isinstance(target, StructType) and not isinstance(source, ChoiceType):
        return _into_struct(value, target, path)
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        return each(value, lambda element: fit(element, target.elementType, f"{path}[]"))
    if isinstance(source, MapType) and isinstance(target, MapType):
        return _into_map(value, target, path)
    if isinstance(source, StructType | ArrayType | MapType) or isinstance(target, StructType | ArrayType | MapType):
        raise _no_room(path, source, target)
    return _cast(value, target)


def _cast(value: Value, target: DataType) -> Value:
    return Value(f"CAST({value.sql} AS {type_text(target)})", target, arrays=value.arrays, is_kept=False)


def _into_choice(value: Value, target: ChoiceType, path: str) -> Value:
    there: dict[str, list[Value]] = {to.name: [] for to in target.fields}
    for old in [member.value for member in members(value)] if isinstance(value.data_type, ChoiceType) else [value]:
        name = _alternative(old.data_type, target)
        if name not in there:
            raise _no_room(path, old.data_type, target)
        there[name].append(fit(old, target[name].dataType, path))
    fields = [Named(to.name, _first(there[to.name], to.dataType), to.metadata or {}) for to in target.fields]
    return choice_of(fields, unless_null=value)


def _alternative(data_type: DataType, choice: ChoiceType) -> str:
    """Return the name of a choice's alternative for values of a type: its own, or texts for decimals without room."""
    name = type_name(data_type)
    return name if name not in choice.names or have_room(data_type, choice[name].dataType) else "string"


def _first(values: list[Value], data_type: DataType) -> Value:
    """Return the only value of some that is not null."""
    if len(values) < 2:
        return values[0] if values else null_of(data_type)
    sql = f"coalesce({', '.join(value.sql for value in values)})"
    return Value(sql, data_type, arrays=values[0].arrays, is_kept=False)


def _into_struct(value: Value, target: StructType, path: str) -> Value:
    source = numbered(value.data_type)  # type: ignore[arg-type]  # a struct
    there = {key: member.value for (key, _), member in zip(source, members(value), strict=True)}
    fields = [
        Named(field.name, fit(there.get(key, NULL), field.dataType, f"{path}.{field.name}"), field.metadata or {})
        for key, field in numbered(target)
    ]
    return struct_of(fields, unless_null=[value])


def _into_map(value: Value, target: MapType, path: str) -> Value:
    values = each_value(value, lambda inner: fit(inner, target.valueType, f"{path}{{}}"))
    return each_key(values, lambda key: key if key.data_type == target.keyType else _cast(key, target.keyType))


def _bare(data_type: DataType) -> DataType:
    return with_leaves(data_type, lambda leaf: leaf)


def _no_room(path: str, source: DataType, target: DataType) -> ColumnTypeError:
    return ColumnTypeError(
        f"`{path}` is of type {type_name(source)}; the wanted type {plain(target).simpleString()} has no room for it."
    )
