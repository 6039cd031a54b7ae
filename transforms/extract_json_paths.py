"""Take values out of a text of JSON, by their paths."""

import re
from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.core.new_columns import put_columns
from transforms.errors import TransformError
from transforms.nested.row_values import row_value, text_of

_STEP = r"(\.[^.\[\]*'$]+|\.\*|\['[^'?]+'\]|\[\d+\]|\[\*\])"
_PATH = re.compile(rf"\${_STEP}*")


def extract_json_paths(df: DataFrame, column: str, paths: Mapping[str, str], *, drop_column: bool = False) -> DataFrame:
    """Add a column of text for each of some paths into a text of JSON. Lazy.

    A value that is no text, an object or an array too, comes as its JSON. Where the path leads nowhere, the value is
    JSON's null, or the text is no JSON, there is a null. A path with ``[*]`` gives all it finds, as a JSON array; where
    it finds one value only, that value as JSON, a text in its quotes: so Hive and Spark have it.

    Glue: Studio's Extract JSON Path. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of the column with the JSON.
        paths: By the name of the new column its JSON path: ``town.name`` or ``$.town.name``, ``$['a. a']`` for a name
            with odd signs, ``items[0]`` from 0. A column of such a name is replaced in its place.
        drop_column: Leave the text out of the result.

    Returns:
        The same columns in the same order, then the new ones.

    Raises:
        TransformError: There are no paths, one cannot be read, or a text to drop lies inside a struct.
        PathSyntaxError: The column's path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: The path names several fields, or a new name differs from a column's only in case.
        ColumnTypeError: The column is no text.

    Example:
        >>> df = spark.createDataFrame([('{"a. a": 1, "b": {"c": ["x", "y"]}}',)], "payload STRING")
        >>> paths = {"a": "$['a. a']", "c": "b.c[1]", "none": "b.d"}
        >>> df.transform(extract_json_paths, "payload", paths, drop_column=True).collect()
        [Row(a='1', c='y', none=None)]

    Source:
        reference: Glue transforms, "Extract JSON path".
    """
    where = "extract_json_paths"
    if not paths:
        raise TransformError("extract_json_paths needs at least one path.")
    value = row_value(schema_of(df), column, where=where)
    text = text_of(value, where=where)
    if drop_column and len(value.path) > 1:
        raise TransformError(f"{where}: `{value.name}` lies inside a struct. Drop it with `drop_fields`.")
    columns = {name: F.get_json_object(text, _json_path(path)) for name, path in paths.items()}
    gone = [value.position[0]] if drop_column and value.path[0] not in columns else []
    return put_columns(df, columns, without=gone)


def _json_path(path: str) -> str:
    text = path.strip()
    full = text if text.startswith("$") else f"${text}" if text.startswith("[") else f"$.{text}"
    if not _PATH.fullmatch(full):
        raise TransformError(
            f"extract_json_paths: {path!r} is no JSON path. Write names joined by dots, ['...'] round a name with odd"
            " signs, and [0] for an element: $.town['zip code'].streets[0]."
        )
    return full
