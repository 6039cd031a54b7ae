"""Add a number that no other row has."""

import time

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.new_columns import put_columns

_LONGS = 10**19
"""More than there are values of a long from 0."""


def add_identifier(df: DataFrame, column: str = "id", *, unique: bool = False) -> DataFrame:
    """Add a column with a number for each row that no other row of the frame has. Lazy.

    The numbers are longs from 0 that grow but leave gaps. They follow the partitions, so a frame that is computed
    twice may number its rows otherwise: write it, or cache it, before it is used twice.

    Glue: Studio's Identifier (``gs_id``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Name of the column. One of that name is replaced in its place.
        unique: Put the time of this call, in microseconds, before the number, so that runs which append to one table
            do not meet. The column is then a DECIMAL(38,0).

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        DuplicateColumnError: The name differs from a column's only in case.

    Example:
        >>> df = spark.createDataFrame([("a",)], "name STRING")
        >>> df.transform(add_identifier, unique=True).schema.simpleString()
        'struct<name:string,id:decimal(38,0)>'

    Source:
        reference: Glue transforms, "Identifier".
    """
    number = F.monotonically_increasing_id()
    if unique:
        start = F.lit(str(time.time_ns() // 1000 * _LONGS)).cast("decimal(36,0)")
        number = (start + number.cast("decimal(20,0)")).cast("decimal(38,0)")
    return put_columns(df, {column: number})
