"""Write a timestamp as text."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, TimestampNTZType, TimestampType

from transforms.core.columns import schema_of
from transforms.core.date_patterns import spark_pattern
from transforms.core.new_columns import name_in_place, put_columns
from transforms.nested.row_values import row_value, wrong_type


def format_timestamp(df: DataFrame, column: str, pattern: str, *, new_column: str | None = None) -> DataFrame:
    """Write a date or timestamp as text, in the session's time zone. Null stays null. Lazy.

    Glue: Studio's Format Timestamp (``gs_format_timestamp``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of a date or timestamp. For texts and numbers see `to_timestamp`.
        pattern: Spark's letters (``yyyy-MM-dd HH:mm``) or Python's codes (``%Y-%m-%d %H:%M``).
        new_column: Name of the text; by default it takes the place of the timestamp.

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        TransformError: The pattern cannot be read, or the column lies inside a struct and no name is given.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: The path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: The column is no date and no timestamp.

    Example:
        >>> df = spark.sql("SELECT TIMESTAMP '2013-01-02 05:17:00' AS left")
        >>> df.transform(format_timestamp, "left", "%H:%M", new_column="hour").collect()[0].hour
        '05:17'

    Source:
        reference: Glue transforms, "Format timestamp".
    """
    value = row_value(schema_of(df), column, where="format_timestamp")
    if not isinstance(value.data_type, DateType | TimestampType | TimestampNTZType):
        reason = "no date and no timestamp. Make it one with `to_timestamp` first."
        raise wrong_type(value, reason, where="format_timestamp")
    wanted = spark_pattern(df.sparkSession, pattern, where="format_timestamp, `pattern`")
    name = name_in_place(value, new_column, where="format_timestamp")
    return put_columns(df, {name: F.date_format(value.column, wanted)})
