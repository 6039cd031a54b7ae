"""Give elements of an array columns of their own."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType

from transforms.core.columns import schema_of
from transforms.core.new_columns import put_columns, require_single_names
from transforms.errors import TransformError
from transforms.nested.row_values import row_value, with_mark, wrong_type


def array_to_columns(
    df: DataFrame, column: str, new_columns: Sequence[str], *, indexes: Sequence[int] | None = None
) -> DataFrame:
    """Add a column for each of some elements of an array. The array stays. Lazy.

    Where the array is null or too short, the column is null.

    Glue: Studio's Array To Columns (``gs_array_to_cols``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of the array.
        new_columns: Names of the new columns. A column of such a name is replaced in its place.
        indexes: Which element each takes, from 1; by default the first ones in order.

    Returns:
        The same columns in the same order, then the new ones, of the type of the elements.

    Raises:
        TransformError: An index is below 1, or there are not as many as names.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: A new name comes twice, or differs from a column's only in case.
        ColumnTypeError: The column is no array.

    Example:
        >>> df = spark.createDataFrame([(["a", "b"],), (["c"],)], "parts ARRAY<STRING>")
        >>> df.transform(array_to_columns, "parts", ["second", "first"], indexes=[2, 1]).collect()
        [Row(parts=['a', 'b'], second='b', first='a'), Row(parts=['c'], second=None, first='c')]

    Source:
        reference: Glue transforms, "Array to columns".
    """
    where = "array_to_columns"
    array = row_value(schema_of(df), column, where=where)
    if not isinstance(array.data_type, ArrayType):
        raise wrong_type(array, "not an array.", where=where)
    places = list(range(1, len(new_columns) + 1)) if indexes is None else list(indexes)
    if len(places) != len(new_columns) or isinstance(new_columns, str) or not new_columns:
        raise TransformError(f"{where} needs a list of names and an index for each; got {new_columns} and {places}.")
    if min(places) < 1:
        raise TransformError(f"{where}: the first element has the index 1; got {min(places)}.")
    require_single_names(new_columns, where=where)
    elements = zip(new_columns, places, strict=True)
    inner = array.opened.elementType  # type: ignore[attr-defined]  # an array
    columns = {name: with_mark(F.get(array.column, F.lit(place - 1)), inner) for name, place in elements}
    return put_columns(df, columns)
