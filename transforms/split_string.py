"""Split a text at a pattern into an array."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.core.new_columns import name_in_place, put_columns
from transforms.core.patterns import count_groups
from transforms.nested.row_values import row_value, text_of


def split_string(df: DataFrame, column: str, pattern: str, *, new_column: str | None = None) -> DataFrame:
    r"""Split a text at every match of a pattern; the parts become an array of texts. Lazy.

    Empty parts stay, those at the ends too: ``",a,"`` gives three. An empty text is one empty part. Null stays null.

    Glue: Studio's Split String (``gs_split``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of the text. A number, date or boolean is taken as Spark writes it.
        pattern: A regular expression of Java. To split at one of ``\.[]{}()<>*+-=!?^$|`` write a backslash before it.
        new_column: Name of the array; by default it takes the place of the text.

    Returns:
        The same columns in the same order, a new one behind them.

    Raises:
        TransformError: The pattern is no regular expression, or the text lies inside a struct and no name is given.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: The path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: The column is nested or binary.

    Example:
        >>> df = spark.createDataFrame([(1, "sports,winter")], "product_id INT, categories STRING")
        >>> df.transform(split_string, "categories", ",", new_column="categories_arr").collect()
        [Row(product_id=1, categories='sports,winter', categories_arr=['sports', 'winter'])]

    Source:
        reference: Glue transforms, "Split string". What becomes of empty parts Glue does not say.
    """
    value = row_value(schema_of(df), column, where="split_string")
    count_groups(df.sparkSession, pattern, where="split_string, `pattern`")
    name = name_in_place(value, new_column, where="split_string")
    return put_columns(df, {name: F.split(text_of(value, where="split_string"), pattern)})
