"""Rules on one row: each returns what a good row fulfils. A row for which that is null passes, as in SQL's CHECK.

Columns are paths, so a field of a struct will do. All are lazy.
"""

from collections.abc import Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from transforms.core.comparisons import Operand, meets
from transforms.core.patterns import count_groups
from transforms.core.sql_errors import analysed
from transforms.errors import ColumnTypeError, TransformError
from transforms.rules.values import rule_value, rule_values


def not_null(df: DataFrame, columns: str | Sequence[str]) -> Column:
    """Return whether each of the columns has a value.

    Raises:
        TransformError: There are no columns.
        MissingColumnError: A column is not there.

    Example:
        >>> df = spark.createDataFrame([(1, "a"), (2, None)], "id INT, town STRING")
        >>> [row[0] for row in df.select(not_null(df, ["id", "town"])).collect()]
        [True, False]
    """
    return reduce(and_, [value.column.isNotNull() for value in rule_values(df, columns, rule="not_null")])


def is_in(df: DataFrame, column: str, values: Sequence[Operand]) -> Column:
    """Return whether the column has one of the values; null passes.

    Raises:
        TransformError: There are no values, or one is null: null passes anyway.
        MissingColumnError: The column is not there.
        ColumnTypeError: A value is nothing that compares with the column.

    Example:
        >>> df = spark.createDataFrame([("open",), ("lost",), (None,)], "state STRING")
        >>> [row[0] for row in df.select(is_in(df, "state", ["open", "closed"])).collect()]
        [True, False, None]
    """
    if not values:
        raise TransformError("The rule `in` needs at least one value.")
    value = rule_value(df, column, rule="in")
    return _any_of([meets(value, "=", each, df.sparkSession, where="The rule `in`") for each in values])


def _any_of(conditions: Sequence[Column]) -> Column:
    """Return that one of some conditions holds: in pairs, for a chain of hundreds is too deep for Spark."""
    half = len(conditions) // 2
    return _any_of(conditions[:half]) | _any_of(conditions[half:]) if half else conditions[0]


def between(df: DataFrame, column: str, lowest: Operand | None = None, highest: Operand | None = None) -> Column:
    """Return whether the column lies between two values or at one of them; null passes, NaN does not.

    Args:
        df: Any frame.
        column: A number, date, time or text.
        lowest: The least that is allowed; None allows anything.
        highest: The most that is allowed; None allows anything.

    Raises:
        TransformError: There is neither a lowest nor a highest value.
        MissingColumnError: The column is not there.
        ColumnTypeError: A value is nothing that compares with the column.

    Example:
        >>> df = spark.createDataFrame([(5,), (11,), (None,)], "n INT")
        >>> [row[0] for row in df.select(between(df, "n", 0, 10)).collect()]
        [True, False, None]
    """
    value = rule_value(df, column, rule="between")
    limits = [(sign, limit) for sign, limit in ((">=", lowest), ("<=", highest)) if limit is not None]
    if not limits:
        raise TransformError("The rule `between` needs `lowest`, `highest`, or both.")
    where = "The rule `between`"
    return reduce(and_, [meets(value, sign, limit, df.sparkSession, where=where) for sign, limit in limits])


def matches(df: DataFrame, column: str, pattern: str) -> Column:
    """Return whether the whole text of a column matches a regular expression of Java's; null passes.

    Raises:
        TransformError: Java cannot read the pattern.
        MissingColumnError: The column is not there.
        ColumnTypeError: The column holds no texts.

    Example:
        >>> df = spark.createDataFrame([("N14228",), ("14228",), (None,)], "tailnum STRING")
        >>> [row[0] for row in df.select(matches(df, "tailnum", "N[0-9A-Z]+")).collect()]
        [True, False, None]
    """
    value = rule_value(df, column, rule="matches")
    if not isinstance(value.data_type, StringType):
        kind = value.data_type.simpleString()
        raise ColumnTypeError(f"The rule `matches` is for texts; `{value.name}` is of type {kind}.")
    count_groups(df.sparkSession, pattern, where="The rule `matches`")
    return value.column.rlike(rf"\A(?:{pattern})\z")


def fulfils(df: DataFrame, expression: str) -> Column:
    """Return what an SQL text says of a row: true for a good one; null passes. Names in it follow Spark: any case.

    Raises:
        TransformError: The text does not parse, or is no condition.
        MissingColumnError: It names a column that is not there.

    Example:
        >>> df = spark.createDataFrame([(1, 2), (3, 2), (None, 2)], "a INT, b INT")
        >>> [row[0] for row in df.select(fulfils(df, "a < b")).collect()]
        [True, False, None]
    """
    # As a filter, so that Spark itself says where the text is no condition.
    analysed(lambda: df.where(F.expr(expression)), df, where="The rule `expression`")
    return F.expr(expression)
