"""Add the time at which the rows are computed."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.date_patterns import spark_pattern
from transforms.core.new_columns import put_columns


def add_current_timestamp(df: DataFrame, column: str = "timestamp", *, pattern: str | None = None) -> DataFrame:
    """Add a column with the current time, the same in all rows of one computation. Lazy.

    A frame that is computed again gets the time of then.

    Glue: Studio's Add Current Timestamp (``gs_now``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Name of the column. One of that name is replaced in its place.
        pattern: Write the time as text: Spark's letters (``yyyy-MM-dd HH:mm``) or Python's codes (``%Y-%m-%d``), in
            the session's time zone. By default the column is a timestamp.

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        TransformError: The pattern cannot be read.
        DuplicateColumnError: The name differs from a column's only in case.

    Example:
        >>> df = spark.createDataFrame([(1,)], "id INT")
        >>> df.transform(add_current_timestamp, "seen", pattern="%Y").schema.simpleString()
        'struct<id:int,seen:string>'

    Source:
        reference: Glue transforms, "Add current timestamp".
    """
    now = F.current_timestamp()
    if pattern is not None:
        now = F.date_format(now, spark_pattern(df.sparkSession, pattern, where="add_current_timestamp, `pattern`"))
    return put_columns(df, {column: now})
