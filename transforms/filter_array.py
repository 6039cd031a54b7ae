"""Keep the elements of an array for which a condition is true."""

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType

from transforms.errors import ColumnTypeError
from transforms.nested.array_elements import edit_array, elements_at, with_each
from transforms.nested.values import Value, element_of


def filter_array(df: DataFrame, path: str, where: str) -> DataFrame:
    """Keep the elements of an array, at any depth, for which ``where`` is true; false and null drop the element.

    Lazy. In the condition ``_`` is the element; if it is a struct, its fields can be named too. Other names are those
    of the structs around the array and at last the columns; ``_row.name`` is a column whatever is further inside. A
    null array stays null, an array that loses all elements stays as an empty one. Rows stay as they are.

    Glue: none; its Filter drops rows. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        path: The path of the array, also inside structs and other arrays: ``orders[].items``. Of an array of arrays,
            ``matrix`` has the inner arrays as its elements and ``matrix[]`` theirs.
        where: An SQL condition, such as ``price > 0`` or ``_ IS NOT NULL``.

    Returns:
        The same fields in the same order with unchanged types.

    Raises:
        TransformError: The condition does not parse or cannot be used on an element.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: There is no such field, or no name that is in the condition.
        DuplicateColumnError: The path names several fields, or a name in the condition can mean several.
        ColumnTypeError: The field is no array, or the condition is not a boolean.

    Example:
        >>> df = spark.sql("SELECT 2 AS least, array(named_struct('price', 1), named_struct('price', 3)) AS items")
        >>> df.transform(filter_array, "items", "price >= least").collect()
        [Row(least=2, items=[Row(price=3)])]
    """

    def filtered(array: Value, bound: str) -> Value:
        return replace(array, sql=f"filter({array.sql}, {element_of(array).sql} -> {bound})", is_kept=False)

    place = f"filter_array, `{path}`"
    try:
        return edit_array(df, path, where, filtered, where=place)
    except ColumnTypeError:
        found = elements_at(edit_array(df, path, where, with_each, where=place), path)
        if isinstance(found, BooleanType):
            raise
        raise ColumnTypeError(f"{place}: The condition is of type {found.simpleString()}, not a boolean.") from None
