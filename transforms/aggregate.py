"""Summarise the rows of each group."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.core.aggregations import aggregation
from transforms.core.columns import by_position, schema_of
from transforms.core.comparable import comparable, with_maps
from transforms.core.new_columns import require_single_names
from transforms.errors import TransformError
from transforms.nested.row_values import row_value, row_values


def aggregate(df: DataFrame, aggregations: Sequence[Sequence[str]], *, groups: str | Sequence[str] = ()) -> DataFrame:
    """Make one row of each group of rows, with functions of columns. Lazy.

    The functions: avg, countDistinct, count, first, last, kurtosis, max, min, skewness, stddev_samp, stddev_pop, sum,
    sumDistinct, var_samp, var_pop. They leave nulls out, ``count`` too, save ``first`` and ``last``, which take any
    row's value, for rows have no order. Null keys are one group. A sum too large for its type stops the job, unless
    Spark's ANSI mode is switched off (``spark.sql.ansi.enabled``).

    Glue: Studio's Aggregate. Cost: lazy; one shuffle by the groups.

    Args:
        df: Any frame.
        aggregations: Pairs of a column's path and a function, as in ``[[amount, sum], [amount, avg]]``.
        groups: Paths of the columns that make a group; by default all rows are one, of an empty frame too.

    Returns:
        The groups under their own names, then the functions under Spark's: ``sum(amount)``, ``count(DISTINCT id)``.

    Raises:
        TransformError: There are no pairs, one is no pair, or a function is not known.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields, or two columns of the result would have one name.
        ColumnTypeError: A function does not take a column's type; text is no number. Or a column is in an array,
            or a group is or holds a variant.

    Example:
        >>> df = spark.createDataFrame([("UA", 5), ("UA", None), ("AA", 2)], "carrier STRING, delay INT")
        >>> df.transform(aggregate, [["delay", "sum"], ["delay", "count"]], groups="carrier").sort("carrier").show()
        +-------+----------+------------+
        |carrier|sum(delay)|count(delay)|
        +-------+----------+------------+
        |     AA|         2|           1|
        |     UA|         5|           1|
        +-------+----------+------------+
        <BLANKLINE>

    Source:
        reference: Glue transforms, "Aggregate".
    """
    pairs = [[pair] if isinstance(pair, str) else list(pair) for pair in aggregations]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise TransformError(f"aggregate needs pairs of a column and a function, got {aggregations!r}.")
    schema = schema_of(df)
    keys = row_values(schema, groups, where="aggregate")
    groups_of = [comparable(key.column, key.data_type, where=f"aggregate, `groups` `{key.name}`") for key in keys]
    found = [aggregation(row_value(schema, path, where="aggregate"), said, where="aggregate") for path, said in pairs]
    names = [*(key.path[-1] for key in keys), *(name for name, _ in found)]
    require_single_names(names, where="aggregate")
    made = by_position(df).groupBy(*groups_of).agg(*(column for _, column in found)).toDF(*names)
    return with_maps(made, [key.data_type for key in keys])
