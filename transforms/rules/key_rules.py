"""Rules on keys: rows are held against other rows, of the same table or another. A shuffle, or a broadcast, each."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.core.comparable import comparable
from transforms.core.join_keys import equal_keys
from transforms.errors import TransformError
from transforms.rules.values import rule_values


def unique(df: DataFrame, columns: str | Sequence[str]) -> Column:
    """Return whether no other row has the same values in these columns; a null in one of them passes, as in SQL.

    All rows of a key that occurs twice break the rule: which of them is the right one nobody knows. Lazy; a shuffle.

    Raises:
        TransformError: There are no columns.
        MissingColumnError: A column is not there.
        ColumnTypeError: The values of a column do not compare.

    Example:
        >>> df = spark.createDataFrame([(1,), (2,), (2,), (None,), (None,)], "id INT")
        >>> sorted((row.id, row.good) for row in df.select("id", unique(df, "id").alias("good")).collect() if row.id)
        [(1, True), (2, False), (2, False)]
    """
    values = rule_values(df, columns, rule="unique")
    keys = [comparable(value.column, value.data_type, where="The rule `unique`", sorts=True) for value in values]
    has_null = reduce(or_, [value.column.isNull() for value in values])
    return has_null | (F.count(F.lit(1)).over(Window.partitionBy(*keys)) == 1)


def foreign_key(
    df: DataFrame, columns: str | Sequence[str], other: DataFrame, other_columns: str | Sequence[str] | None = None
) -> Column:
    """Return whether another table has a row with the same key; a null in one of the columns passes, as in SQL.

    Lazy: a join that adds no rows, however often the other table has the key.

    Args:
        df: Any frame.
        columns: The key in this frame.
        other: The table that the key leads to.
        other_columns: The key there; of the same names where it is not given.

    Raises:
        TransformError: There are no columns, or not as many on both sides.
        MissingColumnError: A column is not there.
        ColumnTypeError: The types of both sides do not compare.

    Example:
        >>> towns = spark.createDataFrame([("Ulm",), (None,)], "name STRING")
        >>> df = spark.createDataFrame([("Ulm",), ("Bonn",), (None,)], "town STRING")
        >>> rows = df.select("town", foreign_key(df, "town", towns, "name").alias("good")).collect()
        >>> sorted((str(row.town), row.good) for row in rows)
        [('Bonn', False), ('None', True), ('Ulm', True)]
    """
    here = rule_values(df, columns, rule="foreign_key")
    there = rule_values(other, columns if other_columns is None else other_columns, rule="foreign_key")
    if len(here) != len(there):
        raise TransformError(f"The rule `foreign_key` compares {len(here)} columns with {len(there)}.")
    equal_keys(
        df, other, columns, other_columns or columns, where="The rule `foreign_key`"
    )  # raises where types differ
    whole = reduce(and_, [value.column.isNotNull() for value in there])
    known = other.where(whole).select(*(value.column.alias(f"key{n}") for n, value in enumerate(there)))
    has_null = reduce(or_, [value.column.isNull() for value in here])
    # Of a struct that is made here, Spark compares the fields with the columns of the other table.
    wanted = here[0].column if len(here) == 1 else F.struct(*(value.column for value in here))
    return has_null | wanted.isin(known)
