"""Change the elements of an array."""

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType

from transforms.choices.choice import has_choices, opened_type
from transforms.nested.array_elements import edit_array, elements_at, with_each


def map_array(df: DataFrame, path: str, expression: str) -> DataFrame:
    """Put the value of an SQL expression in the stead of each element of an array, at any depth.

    Lazy. In the expression ``_`` is the element; if it is a struct, its fields can be named too. Other names are those
    of the structs around the array and at last the columns; ``_row.name`` is a column whatever is further inside. A
    null array stays null; the expression is asked for null elements like for others.

    Glue: none. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        path: The path of the array, also inside structs and other arrays: ``orders[].tags``. Of an array of arrays,
            ``matrix`` has the inner arrays as its elements and ``matrix[]`` theirs.
        expression: SQL, such as ``upper(_)`` or ``price * quantity``.

    Returns:
        The same fields in the same order; the array has as many elements.

    Raises:
        TransformError: The expression does not parse or cannot be used on an element.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: There is no such field, or no name that is in the expression.
        DuplicateColumnError: The path names several fields, or a name in the expression can mean several.
        ColumnTypeError: The field is no array, or types in the expression do not fit.

    Example:
        >>> df = spark.sql("SELECT array('a', 'b', null) AS tags, '!' AS mark")
        >>> df.transform(map_array, "tags", "upper(_) || mark").collect()
        [Row(tags=['A!', 'B!', None], mark='!')]
    """
    where = f"map_array, `{path}`"
    elements = _new_elements(df, path, expression, where) if has_choices(df) else None
    return edit_array(df, path, expression, with_each, where=where, elements=elements)


def _new_elements(df: DataFrame, path: str, expression: str, where: str) -> DataType:
    """Return the type of the expression as `to_choices` has it. Only in a field of a struct does Spark tell a mark."""
    probe = edit_array(
        df, path, expression, lambda array, bound: with_each(array, f"struct({bound} AS new)"), where=where
    )
    inner = elements_at(probe, path)
    assert isinstance(inner, StructType)  # noqa: S101  # made by `struct`
    return opened_type(inner["new"])
