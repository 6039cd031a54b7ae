"""Keep the fields that are named, and no others."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import by_position, schema_of
from transforms.drop_fields import without
from transforms.paths import fields_in, parse_paths, require


def select_fields(df: DataFrame, paths: str | Sequence[str], *, strict: bool = False) -> DataFrame:
    """Keep the fields that the paths name; a path into a struct, or an array of structs, keeps that struct's rest out.

    Lazy. Null structs, arrays and elements stay null. Names, types and rows are unchanged; when no path is there, as
    many rows stay, without columns.

    Glue: SelectFields. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        paths: What to keep; case matters. Of fields with one and the same path, all stay.
        strict: Refuse a path that is not there; otherwise it is passed over, as Glue does.

    Returns:
        The columns in the order in which the paths first name them; inside a struct, the order stays.

    Raises:
        PathSyntaxError: A path cannot be read.
        MissingColumnError: ``strict`` is set and a path is not there.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, array(named_struct('name', 'Ada', 'age', 36)) AS friends, 'x' AS note")
        >>> df.transform(select_fields, ["friends.name", "id"]).collect()
        [Row(friends=[Row(name='Ada')], id=1)]

    Source:
        reference: Glue transforms, "SelectFields", "Paths".
    """
    schema, wanted = schema_of(df), parse_paths(paths)
    for path in wanted if strict else ():
        require(schema, path)
    places: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for field in fields_in(schema):
        places.setdefault(field.path, []).append(field.position)
    chosen = [place for path in dict.fromkeys(wanted) for place in places.get(path, [])]
    whole = set(chosen)
    partly = {place[:depth] for place in chosen for depth in range(1, len(place))}
    gone = []
    for field in fields_in(schema):
        inside = any(field.position[:depth] in whole for depth in range(1, len(field.position) + 1))
        if not inside and field.position not in partly:
            gone.append(field.position)
    left = sorted({place[0] for place in chosen})
    order = [left.index(first) for first in dict.fromkeys(place[0] for place in chosen)]
    rest = without(df, gone)
    if order == list(range(len(order))):
        return rest
    names = [schema.names[left[place]] for place in order]
    return by_position(rest).select(*(F.col(f"c{place}") for place in order)).toDF(*names)
