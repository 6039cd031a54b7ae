"""Turn the fields of structs into columns with dotted names, some levels deep."""

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from transforms.choices.choice import MARK
from transforms.core.columns import schema_of
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, in_branch, members, row_of
from transforms.paths import Path, format_path
from transforms.rejects import ERROR_COLUMN


def flatten(df: DataFrame, max_levels: int | None = None) -> DataFrame:
    """Put the fields of each struct in its stead, as columns named ``struct.field``.

    Lazy. A null struct gives nulls, a struct without fields no column. Arrays and maps stay as they are, and so do
    choices, which have to be resolved first, and ``_error``.

    Glue: Studio's Flatten. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        max_levels: How many levels to open: 1 opens the columns that are structs, and leaves structs inside them. If
            None, all.

    Returns:
        The columns in the order of the schema. A name that holds a dot keeps it: write it in back-ticks later on.

    Raises:
        TransformError: ``max_levels`` is negative.
        DuplicateColumnError: Two columns would get the same name, as ``a.b`` and the field ``b`` of ``a``. Names that
            differ in case are not the same.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, named_struct('city', 'Ulm', 'at', named_struct('x', 1, 'y', 2)) AS home")
        >>> df.transform(flatten, 1).columns
        ['id', 'home.city', 'home.at']
        >>> df.transform(flatten).columns
        ['id', 'home.city', 'home.at.x', 'home.at.y']

    Source:
        reference: Glue transforms, "Studio visual extras". Choices and structs without fields are not told of there.
    """
    if max_levels is not None and max_levels < 0:
        raise TransformError(f"flatten needs a number of levels that is not negative, got {max_levels}.")
    leaves = list(_leaves(row_of(schema_of(df)), (), max_levels))
    sources: dict[str, Path] = {}
    for path, leaf in leaves:
        other = sources.setdefault(leaf.name, path)
        if other != path:
            raise DuplicateColumnError(
                f"The fields {format_path(other)} and {format_path(path)} would both become the column `{leaf.name}`."
                " Rename one of them first."
            )
    return select(df, [leaf for _, leaf in leaves])


def _leaves(struct: Value, at: Path, levels: int | None, root: Value | None = None) -> Iterator[tuple[Path, Named]]:
    for name, value, metadata in members(struct):
        path, column = (*at, name), root or value
        is_opened = isinstance(value.data_type, StructType) and MARK not in metadata and path != (ERROR_COLUMN,)
        if is_opened and (levels is None or len(at) < levels):
            yield from _leaves(value, path, levels, column)
        else:
            yield path, Named(".".join(path), in_branch(value, column, len(path)), metadata)
