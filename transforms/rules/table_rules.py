"""Rules on a table as a whole: each returns an aggregate of its rows, a struct of ``holds`` and ``found``.

``holds`` is whether the rule is kept, ``found`` the number or moment that decided it, as a text.
"""

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, TimestampNTZType, TimestampType

from transforms.core.constants import constant
from transforms.errors import ColumnTypeError, TransformError
from transforms.rules.values import rule_value


def row_count(df: DataFrame, least: int = 1, most: int | None = None) -> Column:
    """Return whether there are enough rows and not too many.

    Raises:
        TransformError: ``most`` is less than ``least``.

    Example:
        >>> df = spark.range(3)
        >>> df.select(row_count(df, 5).alias("rule")).collect()
        [Row(rule=Row(holds=False, found='3 rows'))]
    """
    if most is not None and most < least:
        raise TransformError(f"The rule `row_count` asks for at least {least} and at most {most} rows.")
    rows = F.count(F.lit(1))
    holds = rows >= least if most is None else (rows >= least) & (rows <= most)
    return F.struct(holds.alias("holds"), F.concat(rows.cast("string"), F.lit(" rows")).alias("found"))


def freshness(df: DataFrame, column: str, max_age: str) -> Column:
    """Return whether the newest moment in a column is not older than this; a table without one is not fresh.

    Args:
        df: Any frame.
        column: A timestamp, or a date, which counts from its first moment on.
        max_age: An interval as SQL has it, such as ``2 days`` or ``90 minutes``.

    Raises:
        TransformError: ``max_age`` is no interval.
        MissingColumnError: The column is not there.
        ColumnTypeError: The column holds no moments.

    Example:
        >>> df = spark.sql("SELECT TIMESTAMP'2013-01-01 05:00:00' AS departure")
        >>> df.select(freshness(df, "departure", "2 days").alias("rule")).collect()
        [Row(rule=Row(holds=False, found='newest is 2013-01-01 05:00:00'))]
    """
    value = rule_value(df, column, rule="freshness")
    if not isinstance(value.data_type, DateType | TimestampType | TimestampNTZType):
        kind = value.data_type.simpleString()
        raise ColumnTypeError(f"The rule `freshness` is for timestamps and dates; `{value.name}` is of type {kind}.")
    newest = F.max(value.column.cast("timestamp"))
    oldest_allowed = F.lit(datetime.now(UTC)) - _interval(df, max_age)
    found = F.concat(F.lit("newest is "), F.coalesce(newest.cast("string"), F.lit("none")))
    return F.struct(F.coalesce(newest >= oldest_allowed, F.lit(False)).alias("holds"), found.alias("found"))


def _interval(df: DataFrame, text: str) -> Column:
    interval = F.lit(text).try_cast("interval")
    try:
        found = constant(df.sparkSession, F.lit(datetime(2000, 1, 1, tzinfo=UTC)) - interval)
    except Exception:
        found = None
    if found is None:
        raise TransformError(f"The rule `freshness`: {text!r} is no interval. Write `2 days` or `90 minutes`.")
    return interval
