"""Drop rows that hold nothing."""

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, MapType, StringType, StructField, StructType

from transforms.core.columns import by_position, schema_of


def remove_null_rows(df: DataFrame, *, extended: bool = False) -> DataFrame:
    """Drop the rows in which every column is null. Lazy.

    A struct is not null because its fields are. NaN is a value.

    Glue: Studio's Remove Null Rows. Cost: lazy, no pass of its own.

    Args:
        df: Any frame. Of one without columns all rows stay.
        extended: Also take empty texts, arrays, maps and structs without fields for null.

    Returns:
        The same columns in the same order.

    Example:
        >>> df = spark.createDataFrame([(1, "a"), (None, ""), (None, None)], "id INT, name STRING")
        >>> df.transform(remove_null_rows).collect()
        [Row(id=1, name='a'), Row(id=None, name='')]
        >>> df.transform(remove_null_rows, extended=True).collect()
        [Row(id=1, name='a')]

    Source:
        reference: Glue transforms, "Remove null rows".
    """
    held = list(_held(schema_of(df).fields, extended))
    if not df.columns:
        return df
    if not held:
        return df.limit(0)
    return by_position(df).where(f"coalesce({', '.join(held)})").toDF(*df.columns)


def _held(fields: list[StructField], extended: bool) -> Iterator[str]:
    """Yield for each column, as SQL, true where it holds something, else null."""
    for position, field in enumerate(fields):
        holds = f"c{position} IS NOT NULL"
        if extended and isinstance(field.dataType, StringType):
            holds = f"c{position} <> ''"
        elif extended and isinstance(field.dataType, ArrayType | MapType):
            holds = f"size(c{position}) > 0"
        elif extended and field.dataType == StructType():
            continue
        yield f"CASE WHEN {holds} THEN true END"
