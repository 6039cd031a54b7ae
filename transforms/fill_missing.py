"""Put values in the place of missing ones."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, cast, get_args

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.core.comparable import comparable
from transforms.core.constants import constant
from transforms.core.estimates import with_estimates
from transforms.core.missing_values import Statistic, present, statistics
from transforms.core.new_columns import name_in_place, put_columns
from transforms.errors import TransformError, say_known
from transforms.nested.row_values import RowValue, row_values, with_mark, wrong_type

How = Literal["constant", "previous", "mean", "median", "mode", "model"]

_OWNERS = {"value": "constant", "order_by": "previous", "partition_by": "previous", "features": "model"}
"""With which way of filling an argument goes."""


def fill_missing(
    df: DataFrame,
    columns: str | Sequence[str],
    how: How,
    *,
    value: str | int | float | bool | None = None,
    order_by: str | Sequence[str] | None = None,
    partition_by: str | Sequence[str] = (),
    output_column: str | None = None,
    features: str | Sequence[str] | None = None,
    seed: int = 0,
) -> DataFrame:
    """Put values in the place of missing ones: nulls, empty texts and NaN. All other values, and all rows, stay.

    - ``constant``: a ``value`` that the column's type holds as it is. Lazy.
    - ``previous``: the last value before, in the order of ``order_by``, among rows of the same ``partition_by``; what
      comes before the first value stays missing. Lazy, but sorts, and without ``partition_by`` on one core.
    - ``mean``, ``median``: of the numbers there are, of whole numbers and decimals exact, then rounded to the digits
      of the column. ``mode``: the value that is there most often, of equally many the smallest. Starts one job at once,
      one pass for all columns; a median of more than 15 digits takes one more, which sorts the column.
    - ``model``: an estimate from the other columns, learnt from the rows of this very frame that have a value: by
      linear regression for numbers, by a random forest for texts and booleans. Starts several jobs at once: two passes
      to look at the columns and some to learn. Cache a frame that is costly to compute.

    Where a column has no value at all, mean, median and mode leave it missing, and a model is an error.

    Glue: FillMissingValues (``model``). Cost: lazy, one pass, or a training, as said above.

    Args:
        df: Any frame.
        columns: Paths of the columns to fill; for ``model`` one.
        how: Where the values come from.
        value: The constant.
        order_by: Paths of what orders the rows; a null comes first; maps count as their entries. Ties come in any
            order.
        partition_by: Paths of what tells groups of rows apart.
        output_column: Where the filled column goes, if there is one; by default in the place of the column, but for
            ``model`` to ``<column>_filled``, as in Glue.
        features: Paths of the columns a model learns from: numbers, booleans, and texts of at most 32 values. By
            default all such columns but the one to fill. A missing feature counts as the mean, or as a text of its own.
        seed: Makes a random forest the same again.

    Returns:
        The same columns in the same order with unchanged types, a new one behind them.

    Raises:
        TransformError: An argument is missing or does not go with ``how``; there is nothing to learn from; numbers add
            up to more than 38 digits, so there is no mean.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: A column's type does not go with ``how``, or does not hold the constant; or nothing can be put
            in order by it, such as a variant.

    Example:
        >>> df = spark.createDataFrame([(1, "a"), (None, ""), (4, "a")], "n INT, text STRING")
        >>> df.transform(fill_missing, "n", "mean").transform(fill_missing, ["text"], "mode").collect()
        [Row(n=1, text='a'), Row(n=3, text='a'), Row(n=4, text='a')]

    Source:
        reference: Glue transforms, "FillMissingValues". Glue fills by a model alone, and does not say by which.
    """
    given = {"value": value, "order_by": order_by, "partition_by": partition_by, "features": features}
    _require_fitting(how, given)
    schema = schema_of(df)
    values = row_values(schema, columns, where="fill_missing")
    if not values:
        raise TransformError("fill_missing needs at least one column.")
    if len(values) > 1 and (output_column is not None or how == "model"):
        raise TransformError(f"fill_missing fills one column at a time by a model, or to an output; got {len(values)}.")
    if how == "model":
        wanted = None if features is None else row_values(schema, features, where="fill_missing")
        return _by_model(df, values[0], wanted, output_column or f"{values[0].path[-1]}_filled", seed)
    fillings = _fillings(df, values, how, value, order_by, partition_by)
    filled = [
        with_mark(F.coalesce(present(old), new, old.column), old.opened)
        for old, new in zip(values, fillings, strict=True)
    ]
    names = [name_in_place(old, output_column, where="fill_missing", argument="output_column") for old in values]
    return put_columns(df, dict(zip(names, filled, strict=True)))


def _by_model(
    df: DataFrame, old: RowValue, features: Sequence[RowValue] | None, output_column: str, seed: int
) -> DataFrame:
    rows, filled = with_estimates(df, old, features, seed=seed)
    width = len(df.columns)
    kept = rows.select(*(f"c{at}" for at in range(width)), filled.alias("filled")).toDF(*df.columns, "filled")
    return put_columns(kept, {output_column: F.col(f"c{width}")}, without=[width])


def _fillings(
    df: DataFrame,
    values: Sequence[RowValue],
    how: How,
    given: Any,
    order_by: str | Sequence[str] | None,
    partition_by: str | Sequence[str],
) -> list[Column]:
    if how == "constant":
        return [_constant(df, value, given) for value in values]
    if how == "previous":
        order = [column.asc_nulls_first() for column in _sortable(df, order_by or (), "`order_by`")]
        groups = _sortable(df, partition_by, "`partition_by`")
        before = Window.partitionBy(*groups).orderBy(*order).rowsBetween(Window.unboundedPreceding, Window.currentRow)
        return [F.last(present(value), ignorenulls=True).over(before) for value in values]
    return statistics(df, values, cast(Statistic, how), where="fill_missing")


def _sortable(df: DataFrame, paths: str | Sequence[str], argument: str) -> list[Column]:
    where = f"fill_missing, {argument}"
    return [
        comparable(value.column, value.data_type, where=f"{where} `{value.name}`", sorts=True)
        for value in row_values(schema_of(df), paths, where=where)
    ]


def _constant(df: DataFrame, value: RowValue, given: Any) -> Column:
    """Return what was given as the value's type."""
    column = F.lit(given).try_cast(value.data_type)
    try:
        held = constant(df.sparkSession, column)
    except PySparkException:
        held = None
    if held is None or not _is_same(held, given):
        raise wrong_type(value, f"which cannot hold {given!r}.", where="fill_missing")
    return column


def _is_same(held: object, given: object) -> bool:
    """Tell whether a type holds what was given: no digit is lost, and nothing is taken for a truth."""
    if isinstance(held, bool) or isinstance(given, bool):
        return isinstance(held, bool | str)
    if isinstance(held, int | Decimal):
        return held == Decimal(str(given).strip())
    return True


def _require_fitting(how: str, given: Mapping[str, Any]) -> None:
    """Check that each argument goes with ``how``, and that those it needs are there."""
    if how not in get_args(How):
        raise TransformError(f"fill_missing does not know how={how!r}. {say_known(how, get_args(How), kind='way')}")
    for name, owner in _OWNERS.items():
        is_given = given[name] is not None and given[name] != () and given[name] != []
        if is_given and how != owner:
            raise TransformError(f"fill_missing takes `{name}` with how='{owner}', not with {how!r}.")
        if not is_given and how == owner and name in ("value", "order_by"):
            raise TransformError(f"fill_missing with how='{owner}' needs `{name}`.")
