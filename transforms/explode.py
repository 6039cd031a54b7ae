"""Give each element of an array or a map a row of its own."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType

from transforms.choices.choice import mark_of
from transforms.core.columns import by_position, schema_of
from transforms.core.new_columns import name_in_place, put_by_position, put_columns, require_single_names
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.row_values import row_value, with_mark, wrong_type


def explode(
    df: DataFrame,
    column: str,
    *,
    new_column: str | None = None,
    key_column: str | None = None,
    value_column: str | None = None,
    keep_nulls: bool = False,
) -> DataFrame:
    """Make a row of each element of an array, or of each entry of a map; the other columns are repeated. Lazy.

    A row whose array or map is null or empty goes, unless ``keep_nulls`` is set. A null element is an element. The
    order of a map's entries is not defined.

    Glue: Studio's Explode Array Or Map Into Rows (``gs_explode``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of the array or map. It stays, unless a new column has its name.
        new_column: Where the elements of an array go; by default they take the array's place.
        key_column: Where the keys of a map go; by default to a new column ``key``.
        value_column: Where the values of a map go; by default to a new column ``value``.
        keep_nulls: Keep a row without elements, with null in the new columns.

    Returns:
        The same columns in the same order, new ones behind them.

    Raises:
        TransformError: The array lies inside a struct and no ``new_column`` is given; or one is given for a map.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: Two new columns have one name, a new name differs from a column's only in case, or by
            default entries would take the place of a column.
        ColumnTypeError: The column is neither an array nor a map.

    Example:
        >>> df = spark.createDataFrame([(1, ["sports", "winter"]), (5, [])], "id INT, category ARRAY<STRING>")
        >>> df.transform(explode, "category", keep_nulls=True).collect()
        [Row(id=1, category='sports'), Row(id=1, category='winter'), Row(id=5, category=None)]

    Source:
        reference: Glue transforms, "Explode".
    """
    source = row_value(schema_of(df), column, where="explode")
    if isinstance(source.data_type, ArrayType):
        names = [name_in_place(source, new_column, where="explode")]
    elif isinstance(source.data_type, MapType):
        if new_column is not None:
            raise TransformError(
                f"explode: `{source.name}` is a map, whose entries go to `key_column` and `value_column`, not to"
                " `new_column`."
            )
        names = [
            _of_entries(df.columns, given, default) for given, default in ((key_column, "key"), (value_column, "value"))
        ]
    else:
        raise wrong_type(source, "neither an array nor a map.", where="explode")
    require_single_names(names, where="explode")
    rows = F.explode_outer(source.column) if keep_nulls else F.explode(source.column)
    inner = _inner(source.opened)
    if len(names) == 1 and not mark_of(inner):
        return put_columns(df, {names[0]: rows})
    # Spark's explode forgets the mark, and makes neighbours only: marks and places come afterwards.
    width = len(df.columns)
    inside = [f"c{width + number}" for number in range(len(names))]
    exploded = by_position(df).select("*", rows.alias(*inside))
    columns = {name: F.col(at) for name, at in zip(names, inside, strict=True)}
    columns[names[-1]] = with_mark(columns[names[-1]], inner)
    return put_by_position(exploded, [*df.columns, *inside], columns, without=range(width, width + len(names)))


def _of_entries(there: list[str], given: str | None, default: str) -> str:
    """Return where keys or values go; a column that nobody named keeps its values."""
    if given is None and default in there:
        raise DuplicateColumnError(
            f"explode: there is a column `{default}` already. Say `{default}_column`: another name, or this one to"
            " replace it."
        )
    return default if given is None else given


def _inner(data_type: DataType) -> DataType:
    """Return the type of the elements of an array or the values of a map."""
    if isinstance(data_type, ArrayType):
        return data_type.elementType
    return data_type.valueType if isinstance(data_type, MapType) else data_type
