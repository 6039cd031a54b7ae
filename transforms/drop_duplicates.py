"""Keep one row of those that are equal, or that have equal keys."""

from collections.abc import Sequence
from typing import Literal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.core.columns import by_position, schema_of
from transforms.core.comparable import comparable
from transforms.errors import TransformError
from transforms.nested.row_values import RowValue, column_values, row_values


def drop_duplicates(
    df: DataFrame,
    keys: str | Sequence[str] | None = None,
    *,
    order_by: str | Sequence[str] | None = None,
    keep: Literal["first", "last"] = "first",
) -> DataFrame:
    """Keep one row of all rows that are equal, or whose keys are; the other columns of that row stay with it. Lazy.

    Null keys are equal, and so are NaN keys; texts differ by case. Maps are equal if their entries are, whatever
    their order. Spark keeps no order of rows, so without ``order_by`` any one of them stays.

    Glue: Studio's Drop Duplicates. Cost: lazy; one shuffle by the keys, with ``order_by`` a sort too.

    Args:
        df: Any frame.
        keys: Paths of columns, or of fields inside structs, that together name a row; by default all columns.
        order_by: Paths of what decides which row stays. A null loses to any value; among ties any one row stays.
        keep: The row that comes ``first``, the smallest, or ``last``, the largest by ``order_by``.

    Returns:
        The same columns in the same order, one row per distinct key.

    Raises:
        TransformError: The list of keys is empty, or ``keep`` is ``last`` without an ``order_by``.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A key is inside an array, or is or holds a variant; or, with ``order_by``, has no order.

    Example:
        >>> df = spark.createDataFrame([(1, 1), (1, 2), (2, None)], "id INT, version INT")
        >>> df.transform(drop_duplicates, "id", order_by="version", keep="last").sort("id").collect()
        [Row(id=1, version=2), Row(id=2, version=None)]

    Source:
        reference: Glue transforms, "DropDuplicates". Glue promises the first row, but says not by what order.
    """
    if keep not in ("first", "last"):
        raise TransformError(f"drop_duplicates cannot keep {keep!r}; it keeps the first or the last.")
    if keep == "last" and not order_by:
        raise TransformError("drop_duplicates: rows have no order of their own. To keep the last, say `order_by`.")
    if keys is not None and not keys:
        raise TransformError("drop_duplicates needs at least one key, or none said for whole rows.")
    names, more = _keys(df, keys, sorts=bool(order_by))
    keyed = by_position(df).select("*", *more) if more else by_position(df)
    if order_by:
        order = [
            _order(value, keep) for value in row_values(schema_of(df), order_by, where="drop_duplicates, `order_by`")
        ]
        rank = F.row_number().over(Window.partitionBy(*names).orderBy(*order))
        kept = keyed.select("*", rank.alias("rank")).where("rank = 1")
    else:
        kept = keyed.dropDuplicates(names) if names else keyed.limit(1)
    return kept.select(*(f"c{position}" for position in range(len(df.columns)))).toDF(*df.columns)


def _keys(df: DataFrame, keys: str | Sequence[str] | None, *, sorts: bool) -> tuple[list[str], list[Column]]:
    """Return the names of the keys in the frame by position, and the columns that it needs more for them."""
    schema = schema_of(df)
    found = column_values(schema) if keys is None else row_values(schema, keys, where="drop_duplicates")
    names, more = [], []
    for number, key in enumerate(found):
        column = comparable(key.column, key.data_type, where=f"drop_duplicates: `{key.name}`", sorts=sorts)
        is_as_it_is = column is key.column and len(key.position) == 1
        names.append(f"c{key.position[0]}" if is_as_it_is else f"k{number}")
        more += [] if is_as_it_is else [column.alias(f"k{number}")]
    return names, more


def _order(value: RowValue, keep: str) -> Column:
    where = f"drop_duplicates, `order_by` `{value.name}`"
    column = comparable(value.column, value.data_type, where=where, sorts=True)
    return column.asc_nulls_last() if keep == "first" else column.desc_nulls_last()
