"""Add a random identifier."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.new_columns import put_columns


def add_uuid(df: DataFrame, column: str = "uuid") -> DataFrame:
    """Add a column with a random UUID for each row, a text of 36 characters. Lazy.

    A frame that is computed twice gets other values the second time: write it, or cache it, before it is used twice.

    Glue: Studio's UUID (``gs_uuid``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Name of the column. One of that name is replaced in its place.

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        DuplicateColumnError: The name differs from a column's only in case.

    Example:
        >>> df = spark.createDataFrame([(1,)], "id INT")
        >>> [len(row.uuid) for row in df.transform(add_uuid).collect()]
        [36]

    Source:
        reference: Glue transforms, "UUID".
    """
    return put_columns(df, {column: F.expr("uuid()")})
