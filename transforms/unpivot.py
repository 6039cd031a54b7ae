"""Turn columns into rows."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType, StringType

from transforms.choices.choice import ChoiceType, mark_of
from transforms.choices.merged_schemas import widest_number
from transforms.core.columns import by_position, schema_of, unused_name
from transforms.core.new_columns import require_single_names
from transforms.core.sql_errors import analysed
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.row_values import RowValue, row_values, with_mark, wrong_type
from transforms.paths import quote

_MOST_SHOWN = 12


def unpivot(
    df: DataFrame,
    columns: Sequence[str],
    *,
    name_column: str = "name",
    value_column: str = "value",
    keep_nulls: bool = False,
) -> DataFrame:
    """Make a row of each of some columns, with the column's name and its value; the others are repeated. Lazy.

    A null gives no row, unless ``keep_nulls`` is set.

    Glue: Studio's Unpivot Columns Into Rows. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        columns: The columns to turn. Their types must have one in common; numbers of several types
            become of the one that holds them, of whole ones and floats a double.
        name_column: Where the names go.
        value_column: Where the values go.
        keep_nulls: Make rows of nulls too.

    Returns:
        The other columns in their order, then the one of names and the one of values.

    Raises:
        TransformError: There are no columns to turn, or one is a field of a struct.
        PathSyntaxError: A column's path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: Two columns would have one name, whatever the case.
        ColumnTypeError: The columns have no type in common, such as a number and a text. Cast them first.

    Example:
        >>> df = spark.createDataFrame([(2013, 1, None)], "year INT, Jan INT, Feb INT")
        >>> df.transform(unpivot, ["Jan", "Feb"], name_column="month", value_column="sold").collect()
        [Row(year=2013, month='Jan', sold=1)]

    Source:
        reference: Glue transforms, "Unpivot".
    """
    schema, where = schema_of(df), "unpivot"
    if not columns or isinstance(columns, str):
        raise TransformError("unpivot needs a list of at least one column.")
    turned = row_values(schema, columns, where=where)
    inside = next((value.name for value in turned if len(value.path) > 1), None)
    if inside is not None:
        raise TransformError(f"unpivot turns columns, and `{inside}` is a field of a struct. Use `unnest` first.")
    names = [value.path[0] for value in turned]
    require_single_names(names, where=where)
    gone = {value.position[0] for value in turned}
    others = [position for position in range(len(df.columns)) if position not in gone]
    require_single_names([*(df.columns[position] for position in others), name_column, value_column], where=where)
    kept = [df.columns[position] for position in others]
    placed = _with_one_number(df, turned)
    told = kept
    if {name.lower() for name in kept} & {name.lower() for name in names}:  # Spark would not tell them apart
        free = unused_name((name[: len("other ")] for name in names), "other ")
        told = [f"{free}{position}" for position in others]
        placed = placed.toDF(*(f"{free}{at}" if at in others else name for at, name in enumerate(df.columns)))
    try:
        rows = analysed(
            lambda: placed.unpivot(list(map(quote, told)), list(map(quote, names)), name_column, value_column),
            df,
            where=where,
        )
    except ColumnTypeError:
        raise _no_common_type(turned) from None
    if told != kept:
        rows = rows.toDF(*kept, name_column, value_column)
    rows = _marked(rows, turned)
    return rows if keep_nulls else rows.where(F.col(quote(value_column)).isNotNull())


def _with_one_number(df: DataFrame, turned: Sequence[RowValue]) -> DataFrame:
    """Return the frame with numbers of several types as numbers of one that holds them; Spark's choice may round."""
    types = {value.data_type for value in turned}
    if len(types) == 1 or not all(isinstance(data_type, NumericType) for data_type in types):
        return df
    wanted = widest_number(list(types))
    if isinstance(wanted, StringType):
        raise _no_common_type(turned)
    places = {value.position[0] for value in turned if value.data_type != wanted}
    rows = by_position(df)
    cast = [F.col(name).cast(wanted) if at in places else F.col(name) for at, name in enumerate(rows.columns)]
    return rows.select(cast).toDF(*df.columns)


def _no_common_type(turned: Sequence[RowValue]) -> ColumnTypeError:
    choice = next((value for value in turned if isinstance(value.opened, ChoiceType)), None)
    if choice is not None:
        return wrong_type(choice, "which has no type in common with the others.", where="unpivot")
    return ColumnTypeError(
        f"unpivot: the columns have different types, with none in common: {_say_types(turned)}. Cast them first,"
        " as with `cast_fields`."
    )


def _marked(rows: DataFrame, turned: Sequence[RowValue]) -> DataFrame:
    """Return the rows with the mark of the columns that were turned on their values, if it is the same of all."""
    first = turned[0].opened
    if not mark_of(first) or any(mark_of(value.opened) != mark_of(first) for value in turned):
        return rows
    *columns, values = (F.col(f"c{position}") for position in range(len(rows.columns)))
    return by_position(rows).select(*columns, with_mark(values, first)).toDF(*rows.columns)


def _say_types(values: Sequence[RowValue]) -> str:
    """Return the types with their columns, of each type the first few."""
    by_type: dict[str, list[str]] = {}
    for value in values:
        by_type.setdefault(value.data_type.simpleString(), []).append(f"`{value.path[0]}`")
    said = []
    for data_type, names in by_type.items():
        more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
        said.append(f"{data_type} ({', '.join(names[:_MOST_SHOWN])}{more})")
    return ", ".join(said)
