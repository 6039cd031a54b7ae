"""Drop fields, at the top or inside structs and arrays of structs."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StructField, StructType

from transforms.columns import by_position, fields_by_position
from transforms.paths import Position, fields_in, fields_of, parse_paths, require


def drop_fields(df: DataFrame, paths: str | Sequence[str], *, strict: bool = False) -> DataFrame:
    """Drop the fields that the paths name; a struct that loses its last field goes too, and so on upwards.

    An array goes when its elements have lost their last field. Null structs, null arrays and null elements stay null.
    When all columns go, as many rows stay, without columns. A field of a struct that can be null may become nullable;
    nothing else about what stays changes. Lazy.

    Glue: DropFields. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        paths: What to drop; case matters. Of fields with one and the same path, all go. Paths do not enter maps.
        strict: Refuse a path that is not there; otherwise it is passed over, as Glue does.

    Returns:
        What is left, in the same order.

    Raises:
        PathSyntaxError: A path cannot be read.
        MissingColumnError: ``strict`` is set and a path is not there.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, array(named_struct('name', 'Ada', 'age', 36)) AS friends")
        >>> df.transform(drop_fields, ["friends.age", "nowhere"]).collect()
        [Row(id=1, friends=[Row(name='Ada')])]

    Source:
        reference: Glue transforms, "DropFields", "Paths".
    """
    wanted = set(parse_paths(paths))
    for path in sorted(wanted) if strict else ():
        require(df.schema, path)
    return without(df, [field.position for field in fields_in(df.schema) if field.path in wanted])


def without(df: DataFrame, positions: Collection[Position]) -> DataFrame:
    """Return the frame without the fields at these positions, nor the structs that lose all their fields. Lazy."""
    if not positions:
        return df
    schema = df.schema
    cut = _cut(schema, positions)
    columns = [
        _left_of(F.col(f"c{index}"), field, (index,), cut)
        for index, field in enumerate(schema.fields)
        if (index,) not in cut.gone
    ]
    return by_position(df).select(*columns)


class _Cut(NamedTuple):
    gone: set[Position]
    touched: set[Position]
    """What stays, but loses something inside; and some of what is gone."""


def _cut(schema: StructType, positions: Collection[Position]) -> _Cut:
    gone = set(positions)
    for field in reversed(list(fields_in(schema))):
        struct = fields_of(field.data_type)
        if struct and all((*field.position, index) in gone for index in range(len(struct))):
            gone.add(field.position)
    return _Cut(gone, {position[:depth] for position in gone for depth in range(1, len(position))})


def _rest(column: Column, data_type: DataType, nullable: bool, at: Position, cut: _Cut) -> Column:
    """Return a column of structs, or arrays of them, without what is cut from it."""
    if isinstance(data_type, ArrayType):
        inner, has_nulls = data_type.elementType, data_type.containsNull
        return F.transform(column, lambda element: _rest(element, inner, has_nulls, at, cut))
    struct = cast(StructType, data_type)
    source, names = fields_by_position(column, struct)
    members = [
        _left_of(source.getField(name), field, (*at, index), cut)
        for index, (name, field) in enumerate(zip(names, struct.fields, strict=True))
        if (*at, index) not in cut.gone
    ]
    return F.when(column.isNotNull(), F.struct(*members)) if nullable else F.struct(*members)


def _left_of(column: Column, field: StructField, at: Position, cut: _Cut) -> Column:
    left = _rest(column, field.dataType, field.nullable, at, cut) if at in cut.touched else column
    return left.alias(field.name, metadata=field.metadata) if field.metadata else left.alias(field.name)
