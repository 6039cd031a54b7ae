"""Turn values of columns into columns."""

from collections.abc import Sequence
from typing import cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from transforms.choices.choice import mark_of
from transforms.core.aggregations import aggregation, keeps_type
from transforms.core.columns import by_position, schema_of
from transforms.core.comparable import comparable, require_comparable, with_maps
from transforms.core.constants import constant
from transforms.core.new_columns import require_single_names
from transforms.errors import TransformError
from transforms.nested.row_values import RowValue, row_value, row_values, text_of, with_mark

_MOST_COLUMNS = 10_000
"""As many as Spark itself takes (``spark.sql.pivotMaxValues``)."""


def pivot(
    df: DataFrame,
    columns: str | Sequence[str],
    *,
    aggregate: str,
    values_of: str,
    values: Sequence[str | Sequence[str | None] | None] | None = None,
) -> DataFrame:
    """Turn each distinct value of some columns into a column of its own, with a function of another column in it.

    The rows are grouped by all columns that are not named here. Where a group has no row with the value, there is a
    null. A null value's column is named ``null``. With several columns the names of their values are joined by ``_``.

    Lazy if the ``values`` are given. Otherwise it starts one job at once, one pass over ``df`` for the distinct
    values; cache a frame that is costly to compute.

    Glue: Studio's Pivot Rows Into Columns (``gs_pivot``). Cost: one pass to find the values, unless they are given.

    Args:
        df: Any frame.
        columns: Paths of the columns whose values become columns.
        aggregate: What to do with several values, a function as in `aggregate`: sum, avg, first, ...
        values_of: Path of the column that the function is of.
        values: Only these values, in this order, as texts or null; for several columns lists of as many. Rows with
            other values give nothing. By default all there are, sorted, null last.

    Returns:
        The columns not named here in their order, then one per value.

    Raises:
        TransformError: There are no columns, the function is not known, or the values are too many or do not fit.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: Two columns of the result would have one name, whatever the case.
        ColumnTypeError: A column is nested, or the function does not take its type; or one that is not named here, so
            that the rows are grouped by it, is or holds a variant. Drop that or cast it first.

    Example:
        >>> rows = [(2013, "Jan", 1), (2013, "Feb", 2), (2014, "Jan", 3), (2014, "Jan", 4)]
        >>> df = spark.createDataFrame(rows, "year INT, month STRING, sold INT")
        >>> df.transform(pivot, "month", aggregate="sum", values_of="sold", values=["Jan", "Feb"]).sort("year").show()
        +----+---+----+
        |year|Jan| Feb|
        +----+---+----+
        |2013|  1|   2|
        |2014|  7|NULL|
        +----+---+----+
        <BLANKLINE>

    Source:
        reference: Glue transforms, "Pivot".
    """
    schema = schema_of(df)
    turned = row_values(schema, columns, where="pivot")
    if not turned:
        raise TransformError("pivot needs at least one column.")
    measured = row_value(schema, values_of, where="pivot, `values_of`")
    _, result = aggregation(measured, aggregate, where="pivot, `aggregate`")
    texts = [text_of(value, where="pivot") for value in turned]
    for value in turned:
        require_comparable(value.data_type, where=f"pivot: `{value.name}`", sorts=True)
    used = {value.position[0] for value in [*turned, measured]}
    groups = [position for position in range(len(df.columns)) if position not in used]
    types = [schema[position].dataType for position in groups]
    keys = [
        comparable(
            F.col(f"c{position}"), data_type, where=f"pivot groups by all other columns: `{schema[position].name}`"
        ).alias(f"c{position}")
        for position, data_type in zip(groups, types, strict=True)
    ]
    found = _distinct(df, turned) if values is None else _said(df, values, turned)
    names = [*(df.columns[position] for position in groups), *("_".join(map(_name, value)) for value in found)]
    require_single_names(names, where="pivot")
    keyed = by_position(df).select("*", _key(texts, found).alias("key"))
    grouped = keyed.groupBy(*keys)
    if not found:
        return with_maps(grouped.agg(result).select(*(f"c{position}" for position in groups)).toDF(*names), types)
    pivoted = grouped.pivot("key", [_key_of(value, found) for value in found]).agg(result)
    pivoted = with_maps(pivoted.toDF(*names), types)
    if not keeps_type(aggregate) or not mark_of(measured.opened):
        return pivoted
    places = [F.col(f"c{position}") for position in range(len(names))]
    results = (with_mark(column, measured.opened) for column in places[len(groups) :])
    return by_position(pivoted).select(*places[: len(groups)], *results).toDF(*names)


_Value = tuple[str | None, ...]


def _said(
    df: DataFrame, values: Sequence[str | Sequence[str | None] | None], turned: Sequence[RowValue]
) -> list[_Value]:
    said: list[_Value] = [(value,) if isinstance(value, str | None) else tuple(value) for value in values]
    wrong = next((value for value in said if len(value) != len(turned)), None)
    if wrong is not None or not said:
        raise TransformError(
            f"pivot: each of `values` is a text for each of {len(turned)} columns; got {wrong or values}."
        )
    for column, texts in zip(turned, zip(*said, strict=True), strict=True):
        _require_held(df, column, texts)
    return said


def _require_held(df: DataFrame, column: RowValue, texts: Sequence[str | None]) -> None:
    """Check that texts are written as Spark writes values of a column; no other value would be found."""
    if isinstance(column.data_type, StringType):
        return
    written = F.array(*(F.lit(text).try_cast(column.data_type).cast("string") for text in texts))
    held = cast(list[str | None], constant(df.sparkSession, written))
    for text, value in zip(texts, held, strict=True):
        if text != value:
            written_so = "" if value is None else f"; Spark writes that value {value!r}"
            raise TransformError(
                f"pivot, `values`: {text!r} is no {column.data_type.simpleString()} of `{column.name}`{written_so}."
            )


def _distinct(df: DataFrame, values: Sequence[RowValue]) -> list[_Value]:
    columns = [F.col(f"v{number}") for number in range(len(values))]
    named = [value.column.alias(f"v{number}") for number, value in enumerate(values)]
    distinct = by_position(df).select(*named).distinct().limit(_MOST_COLUMNS + 1)
    pairs = zip(values, columns, strict=True)
    texts = [text_of(value._replace(column=column), where="pivot") for value, column in pairs]
    rows = distinct.sort(*(column.asc_nulls_last() for column in columns)).select(*texts).collect()
    if len(rows) > _MOST_COLUMNS:
        names = ", ".join(value.name for value in values)
        raise TransformError(
            f"pivot: {names} would make more than {_MOST_COLUMNS} columns. Say which `values` you want."
        )
    return list(dict.fromkeys(tuple(row) for row in rows))


def _name(text: str | None) -> str:
    return "null" if text is None else text


def _is_plain(found: Sequence[_Value]) -> bool:
    return all(len(value) == 1 and value[0] is not None for value in found)


def _key(texts: Sequence[Column], found: Sequence[_Value]) -> Column:
    """Return one text for the values of all columns, which no other values have, not even null."""
    if _is_plain(found):
        return texts[0]
    return F.concat_ws("", *(F.coalesce(F.concat(F.length(text), F.lit(":"), text), F.lit("-")) for text in texts))


def _key_of(value: _Value, found: Sequence[_Value]) -> str:
    if _is_plain(found):
        return str(value[0])
    return "".join("-" if text is None else f"{len(text)}:{text}" for text in value)
