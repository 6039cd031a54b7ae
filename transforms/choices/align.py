"""Rows of one schema, laid out as another that has room for them."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, NullType, StructField, StructType

from transforms.choices.choice import ChoiceType, chosen, members_of, named, plain, to_choices
from transforms.choices.merge_types import numbered
from transforms.core.columns import by_position
from transforms.core.type_names import type_name
from transforms.errors import ColumnTypeError


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
    there = {
        key: (F.col(f"c{position}"), field) for position, (key, field) in enumerate(numbered(to_choices(df.schema)))
    }
    columns = []
    for key, field in numbered(to_choices(schema)):
        column, source = there.get(key, (F.lit(None), StructField(field.name, NullType())))
        columns.append(named(fit(column, source.dataType, field.dataType, field.name), field))
    return by_position(df).select(*columns)


def fit(column: Column, source: DataType, target: DataType, path: str) -> Column:
    """Return a column of one type as another that has room for it; in both, choices are types of their own.

    Raises:
        ColumnTypeError: The target has no room for the type.
    """
    if _bare(source) == _bare(target):
        return column
    if isinstance(source, NullType):
        return F.lit(None).cast(plain(target))
    if isinstance(target, ChoiceType):
        return _into_choice(column, source, target, path)
    if isinstance(source, StructType) and isinstance(target, StructType) and not isinstance(source, ChoiceType):
        return _into_struct(column, source, target, path)
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        inner, wanted = source.elementType, target.elementType
        return F.transform(column, lambda element: fit(element, inner, wanted, f"{path}[]"))
    if isinstance(source, MapType) and isinstance(target, MapType):
        return _into_map(column, source, target, path)
    if isinstance(source, StructType | ArrayType | MapType) or isinstance(target, StructType | ArrayType | MapType):
        raise _no_room(path, source, target)
    return column.cast(target)


def _into_choice(column: Column, source: DataType, target: ChoiceType, path: str) -> Column:
    if isinstance(source, ChoiceType):
        members = {field.name: (column.getField(field.name), field.dataType) for field in source.fields}
        if missing := [field.dataType for field in source.fields if field.name not in target.names]:
            raise _no_room(path, missing[0], target)
        none = (F.lit(None), NullType())
        return F.when(
            column.isNotNull(),
            F.struct(*(named(fit(*members.get(to.name, none), to.dataType, path), to) for to in target.fields)),
        )
    name = type_name(source)
    if name not in target.names:
        raise _no_room(path, source, target)
    return chosen(target, name, fit(column, source, target[name].dataType, path))


def _into_struct(column: Column, source: StructType, target: StructType, path: str) -> Column:
    members = {
        key: (member, field.dataType)
        for member, (key, field) in zip(members_of(column, source), numbered(source), strict=True)
    }
    fields = [
        named(fit(*members.get(key, (F.lit(None), NullType())), field.dataType, f"{path}.{field.name}"), field)
        for key, field in numbered(target)
    ]
    return F.when(column.isNotNull(), F.struct(*fields))


def _into_map(column: Column, source: MapType, target: MapType, path: str) -> Column:
    inner, wanted = source.valueType, target.valueType
    values = F.transform_values(column, lambda _, value: fit(value, inner, wanted, f"{path}{{}}"))
    if source.keyType == target.keyType:
        return values
    return F.transform_keys(values, lambda key, _: key.cast(target.keyType))


def _bare(data_type: DataType) -> DataType:
    """Return a type without what says nothing of the values: metadata, and what can be null."""
    if isinstance(data_type, StructType):
        fields = [StructField(field.name, _bare(field.dataType)) for field in data_type.fields]
        return ChoiceType(fields) if isinstance(data_type, ChoiceType) else StructType(fields)
    if isinstance(data_type, ArrayType):
        return ArrayType(_bare(data_type.elementType))
    if isinstance(data_type, MapType):
        return MapType(_bare(data_type.keyType), _bare(data_type.valueType))
    return data_type


def _no_room(path: str, source: DataType, target: DataType) -> ColumnTypeError:
    return ColumnTypeError(
        f"`{path}` is of type {type_name(source)}; the wanted type {plain(target).simpleString()} has no room for it."
    )
