"""Split a frame in two by comparing columns with values."""

from collections.abc import Mapping
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import by_position, schema_of
from transforms.core.comparisons import Operand, meets
from transforms.errors import TransformError
from transforms.nested.row_values import row_value


def split_rows(
    df: DataFrame,
    comparison: Mapping[str, Mapping[str, Operand]],
    name1: str = "frame1",
    name2: str = "frame2",
) -> dict[str, DataFrame]:
    """Split the rows in two frames: those that meet all comparisons, and all others. Lazy.

    Every row is in exactly one of the two. A row whose value is null, NaN or not comparable meets nothing, not even
    ``!=``, and goes to the second. Values compare as their column does: a text in a column of numbers is read as a
    number (``"100"``), and for a number in a column of texts the texts are, where they are numbers.

    Each of the two frames computes ``df`` for itself; cache a frame that is costly, or that would not come out the
    same again.

    Glue: SplitRows. Cost: lazy; ``df`` is computed once for each frame that is used.

    Args:
        df: Any frame.
        comparison: By the path of a column, or of a field inside structs, values by operator: ``=``, ``!=``, ``<``,
            ``<=``, ``>``, ``>=``. As in ``{"age": {">": 10, "<": 20}, "town": {"=": "Ulm"}}``.
        name1: Name of the frame of rows that meet all comparisons.
        name2: Name of the frame of all other rows.

    Returns:
        The two frames by their names, with the same columns in the same order.

    Raises:
        TransformError: There is nothing to compare, an operator is not known, a value is null or NaN, or both names
            are the same.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A column is nested or inside an array, or a value is nothing that its type can hold.

    Example:
        >>> df = spark.createDataFrame([("Ada", 36), ("Bob", 9), ("Cy", None)], "name STRING, age INT")
        >>> parts = split_rows(df, {"age": {">": 10}}, "old", "others")
        >>> parts["old"].collect(), parts["others"].collect()
        ([Row(name='Ada', age=36)], [Row(name='Bob', age=9), Row(name='Cy', age=None)])

    Source:
        reference: Glue transforms, "SplitRows". Where null goes Glue does not say.
    """
    if name1 == name2:
        raise TransformError(f"split_rows needs two names; both are `{name1}`.")
    schema = schema_of(df)
    met = [
        meets(row_value(schema, path, where="split_rows"), operator, operand, df.sparkSession, where="split_rows")
        for path, operators in comparison.items()
        for operator, operand in operators.items()
    ]
    if not met:
        raise TransformError('split_rows needs at least one comparison, as in {"age": {">": 10}}.')
    condition = F.coalesce(reduce(and_, met), F.lit(False))
    rows = by_position(df)
    return {name1: rows.where(condition).toDF(*df.columns), name2: rows.where(~condition).toDF(*df.columns)}
