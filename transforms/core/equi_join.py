"""Two frames side by side where their keys are equal, under names that do not clash."""

from collections.abc import Sequence
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame

from transforms.core.columns import by_position
from transforms.core.join_keys import equal_keys


def equi_join(
    df: DataFrame,
    other: DataFrame,
    keys: str | Sequence[str],
    other_keys: str | Sequence[str],
    how: str,
    *,
    where: str,
) -> DataFrame:
    """Return the rows of two frames that meet, as `transforms.join.join` describes them. Lazy.

    Args:
        df: The left frame.
        other: The right frame.
        keys: Paths in ``df``.
        other_keys: As many paths in ``other``.
        how: One of the six ways that `join` knows.
        where: Who joins, for the error's sentence.

    Raises:
        TransformError: As `equal_keys`.
    """
    equal = equal_keys(df, other, keys, other_keys, where=where)
    joined = by_position(df, "df").join(by_position(other, "other"), reduce(and_, equal), how)
    if how in ("left_semi", "left_anti"):
        return joined.toDF(*df.columns)
    return joined.toDF(*df.columns, *_free_names(other.columns, df.columns))


def _free_names(names: Sequence[str], first_names: Sequence[str]) -> list[str]:
    first = {name.lower() for name in first_names}
    taken = first | {name.lower() for name in names}
    free = []
    for name in names:
        if name.lower() in first:
            while name.lower() in taken:
                name = f".{name}"
            taken.add(name.lower())
        free.append(name)
    return free
