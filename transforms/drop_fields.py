"""Drop fields, at the top or inside structs and arrays of structs."""

from collections.abc import Collection, Sequence

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from transforms.core.columns import schema_of
from transforms.nested.rebuild import rebuild
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
    wanted, schema = set(parse_paths(paths)), schema_of(df)
    for path in sorted(wanted) if strict else ():
        require(schema, path)
    return without(df, [field.position for field in fields_in(schema) if field.path in wanted])


def without(df: DataFrame, positions: Collection[Position]) -> DataFrame:
    """Return the frame without the fields at these positions, nor the structs that lose all their fields. Lazy."""
    if not positions:
        return df
    gone = emptied(schema_of(df), positions)
    return rebuild(df, dict.fromkeys(gone, lambda field, scope: []))


def emptied(schema: StructType, positions: Collection[Position], *, filled: Position | None = None) -> list[Position]:
    """Return these positions and those of the structs that lose all their fields, without what is inside others.

    Args:
        schema: Any schema.
        positions: What is dropped.
        filled: A struct that gets another field, so that it stays; and so does what it is in.
    """
    gone = set(positions)
    for field in reversed(list(fields_in(schema))):
        struct = fields_of(field.data_type)
        stays = filled is not None and filled[: len(field.position)] == field.position
        if struct and not stays and all((*field.position, index) in gone for index in range(len(struct))):
            gone.add(field.position)
    return [place for place in gone if not any(place[:depth] in gone for depth in range(1, len(place)))]
