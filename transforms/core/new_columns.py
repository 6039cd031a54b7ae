"""New columns in a frame: each replaces the one of its name in its place, or comes behind the others."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame

from transforms.core.columns import by_position
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.row_values import RowValue
from transforms.rejects import ERROR_COLUMN


def put_columns(df: DataFrame, columns: Mapping[str, Column], *, without: Sequence[int] = ()) -> DataFrame:
    """Return the frame with these columns in place of those of the same names, and else behind all others. Lazy.

    Args:
        df: Any frame.
        columns: Columns of the frame `by_position`, by the names that they get.
        without: Positions of columns to leave out.

    Raises:
        DuplicateColumnError: A name occurs twice in the frame, differs only in case from a column's, or is `_error`.
    """
    return put_by_position(by_position(df), df.columns, columns, without=without)


def put_by_position(
    rows: DataFrame, named: Sequence[str], columns: Mapping[str, Column], *, without: Sequence[int] = ()
) -> DataFrame:
    """Return what `put_columns` does of a frame whose columns are named by position already. Lazy.

    Args:
        rows: A frame `by_position`.
        named: The names that its columns shall have.
        columns: As for `put_columns`.
        without: As for `put_columns`.

    Raises:
        DuplicateColumnError: As `put_columns`.
    """
    places = {f"c{position}": name for position, name in enumerate(named) if position not in without}
    names = list(places.values())
    require_clear_names(names, list(columns))
    made = {name: column.alias(name) for name, column in columns.items()}
    added = [name for name in columns if name not in names]
    # Columns that stay get their names all at once: for each alone, PySpark would call Java a dozen times.
    chosen = [made.get(name, place) for place, name in places.items()]
    return rows.select(*chosen, *(made[name] for name in added)).toDF(*names, *added)


def require_clear_names(names: Sequence[str], wanted: Sequence[str]) -> None:
    """Check that new columns can be told from each other and from those that stay.

    Raises:
        DuplicateColumnError: They cannot: a name is there twice, or differs only in case, or is `_error`.
    """
    taken: dict[str, str] = {name.lower(): name for name in names}
    for name in wanted:
        if name.lower() == ERROR_COLUMN:
            raise DuplicateColumnError(
                f"The column `{ERROR_COLUMN}` is kept for rejected rows. Give yours another name."
            )
        if names.count(name) > 1:
            raise DuplicateColumnError(f"There are {names.count(name)} columns `{name}` to replace. Rename them first.")
        near = taken.setdefault(name.lower(), name)
        if name not in names and near != name:
            raise DuplicateColumnError(f"The new column `{name}` differs only in case from `{near}`. Use one spelling.")


def require_single_names(names: Sequence[str], *, where: str) -> None:
    """Check that no column of a result has the name of another, whatever the case.

    Raises:
        DuplicateColumnError: Two have.
    """
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            other = seen[name.lower()]
            same = f"`{name}` twice" if name == other else f"`{other}` and `{name}`, which differ only in case"
            raise DuplicateColumnError(f"{where}: there would be the columns {same}. Rename one first.")
        seen[name.lower()] = name


def name_in_place(value: RowValue, new_column: str | None, *, where: str, argument: str = "new_column") -> str:
    """Return the name of the column that a result goes to: the new one, or that of the value itself.

    Args:
        value: What the result is made of.
        new_column: The name that was given.
        where: Who asks, for the error's sentence.
        argument: By which argument it was given.

    Raises:
        TransformError: Neither can be: the value lies inside a struct and no name is given.
    """
    if new_column is not None:
        return new_column
    if len(value.path) > 1:
        raise TransformError(f"{where}: `{value.name}` lies inside a struct. Name it by `{argument}`.")
    return value.path[0]
