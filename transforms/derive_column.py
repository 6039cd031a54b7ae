"""Add or replace a column by an SQL expression."""

from pyspark.sql import Column, DataFrame

from transforms.core.expressions import with_expressions


def derive_column(df: DataFrame, column: str, expression: Column | str) -> DataFrame:
    """Put the value of an SQL expression into a column, new or there already. Lazy.

    Rows rejected earlier get a null. For several columns at once: ``map_rows`` with ``expressions``.

    Glue: Studio's Derived Column (``gs_derived``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Name of the column. One of that name is replaced in its place.
        expression: SQL text over the columns as they are, or a column. SQL does not tell upper from lower case.

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        TransformError: The expression does not parse, or calls a function that is not there.
        MissingColumnError: It names a column or field that is not there.
        DuplicateColumnError: It names a column that occurs twice; or the new name differs from a column's only in case.
        ColumnTypeError: A function in it does not take the type of its argument.

    Example:
        >>> df = spark.createDataFrame([(200, 50)], "total INT, sold INT")
        >>> df.transform(derive_column, "share", "sold * 100 / total").collect()
        [Row(total=200, sold=50, share=25.0)]

    Source:
        reference: Glue transforms, "Derived column".
    """
    return with_expressions(df, {column: expression}, where="derive_column")
