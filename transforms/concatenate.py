"""Join the texts of several columns in a new one."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.core.new_columns import put_columns
from transforms.errors import TransformError
from transforms.nested.row_values import row_values, text_of


def concatenate(
    df: DataFrame, columns: Sequence[str], new_column: str, *, separator: str = "", null_value: str = ""
) -> DataFrame:
    """Add a column with the texts of other columns, one behind the other in the order of the list. Lazy.

    A null counts as ``null_value``, by default as an empty text, so the separators stay as many as they are. Numbers,
    dates and booleans come as Spark writes them. The new column is never null.

    Glue: Studio's Concatenate Columns (``gs_concat``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        columns: Paths of columns, or of fields inside structs. One may come twice.
        new_column: Name of the new column; a column of that name is replaced in its place.
        separator: What stands between two texts.
        null_value: What stands for a null.

    Returns:
        The same columns in the same order, then the new one.

    Raises:
        TransformError: There are no columns to join.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: A column is nested or binary.

    Example:
        >>> df = spark.createDataFrame([("Ada", None), ("Bob", 7)], "name STRING, age INT")
        >>> df.transform(concatenate, ["name", "age"], "who", separator="-", null_value="?").collect()
        [Row(name='Ada', age=None, who='Ada-?'), Row(name='Bob', age=7, who='Bob-7')]

    Source:
        reference: Glue transforms, "Concatenate".
    """
    if not columns or isinstance(columns, str):
        raise TransformError("concatenate needs a list of at least one column.")
    schema = schema_of(df)
    texts = [text_of(value, where="concatenate") for value in row_values(schema, columns, where="concatenate")]
    joined = F.concat_ws(separator, *(F.coalesce(text, F.lit(null_value)) for text in texts))
    return put_columns(df, {new_column: joined})
