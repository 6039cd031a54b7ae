"""Bring columns of another frame to the rows that match."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from transforms.core.columns import by_position, schema_of
from transforms.core.equi_join import equi_join
from transforms.errors import TransformError
from transforms.nested.row_values import row_values


def lookup(
    df: DataFrame,
    other: DataFrame,
    keys: str | Sequence[str] | Mapping[str, str],
    columns: str | Sequence[str],
) -> DataFrame:
    """Bring columns of another frame to each row whose keys match there; without a match they are null. Lazy.

    All rows stay. One that matches several rows of ``other`` comes once for each. A null key matches nothing. A column
    whose name ``df`` has gets a leading dot, as in `join`.

    Glue: Studio's Lookup. Cost: lazy; a left join, which Spark broadcasts if ``other`` is small.

    Args:
        df: Any frame.
        other: Where to look; only its keys and the columns to bring are read.
        keys: Columns of the same name in both, or for each column of ``df`` the column of ``other`` that it equals.
        columns: Columns of ``other`` to bring.

    Returns:
        The columns of ``df``, then those brought, in the order of the list.

    Raises:
        TransformError: There are no keys or no columns to bring, or one is a field of a struct.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A key or column is not there.
        DuplicateColumnError: A key or column names several fields.
        ColumnTypeError: Keys are of types that do not compare; see `join`.

    Example:
        >>> flights = spark.createDataFrame([("UA", 1), ("ZZ", 2)], "carrier STRING, flight INT")
        >>> airlines = spark.createDataFrame([("UA", "United")], "code STRING, name STRING")
        >>> flights.transform(lookup, airlines, {"carrier": "code"}, ["name"]).sort("flight").collect()
        [Row(carrier='UA', flight=1, name='United'), Row(carrier='ZZ', flight=2, name=None)]

    Source:
        reference: Glue transforms, "Lookup".
    """
    here = [keys] if isinstance(keys, str) else list(keys)
    there = list(keys.values()) if isinstance(keys, Mapping) else here
    brought = row_values(schema_of(other), columns, where="lookup, `columns`")
    if not brought:
        raise TransformError("lookup needs at least one column to bring.")
    inside = next((value.name for value in brought if len(value.path) > 1), None)
    if inside is not None:
        raise TransformError(f"lookup brings whole columns, and `{inside}` is a field of a struct.")
    joined = equi_join(df, other, here, there, "left", where="lookup")
    width = len(df.columns)
    places = [*range(width), *(width + value.position[0] for value in brought)]
    return by_position(joined).select(*(f"c{at}" for at in places)).toDF(*(joined.columns[at] for at in places))
