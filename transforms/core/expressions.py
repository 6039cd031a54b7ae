"""Columns from a user's expressions."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import by_position, schema_of, unused_name
from transforms.core.generators import one_value, one_value_column
from transforms.core.new_columns import require_clear_names
from transforms.core.sql_errors import Expression, analysed_parts
from transforms.records.columns import require_error_type
from transforms.rejects import ERROR_COLUMN, has_rejects


def with_expressions(df: DataFrame, expressions: Mapping[str, Expression], *, where: str) -> DataFrame:
    """Return the frame with the value of each expression in place of the column of its name, or behind the others.

    All see the columns as they came in. Rows rejected earlier get nulls. Lazy.

    Raises:
        TransformError: An expression is wrong, as `analysed` tells; or a name is not clear.
    """
    require_error_type(schema_of(df))
    names = df.columns
    require_clear_names(names, list(expressions))
    rows = analysed_parts(
        lambda some: _with_values(df, [expressions[name] for name in some]),
        list(expressions),
        df,
        where=f"{where}, expressions",
        where_of=lambda name: f"{where}, expression for `{name}`",
    )
    at = {name: position for position, name in enumerate(names)}
    at |= {name: position for position, name in enumerate(expressions, start=len(names))}
    wanted = [*names, *(name for name in expressions if name not in names)]
    places = [position if names.count(name) > 1 else at[name] for position, name in enumerate(wanted)]
    return by_position(rows).select(*(f"c{place}" for place in places)).toDF(*wanted)


def _with_values(df: DataFrame, values: Sequence[Expression]) -> DataFrame:
    """Return the frame with a value of each expression behind it, under names that no expression can mean."""
    free = unused_name(df.columns, "value of an expression")
    columns = [F.expr(one_value(value)) if isinstance(value, str) else one_value_column(value) for value in values]
    if has_rejects(df):
        columns = [F.when(F.col(ERROR_COLUMN).isNull(), value) for value in columns]
    return df.select("*", *(value.alias(f"{free} {position}") for position, value in enumerate(columns)))
