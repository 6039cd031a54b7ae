"""Join two frames on equal keys and keep all columns of both."""

from collections.abc import Sequence
from typing import Literal, get_args

from pyspark.sql import DataFrame

from transforms.core.equi_join import equi_join
from transforms.errors import TransformError, say_known

How = Literal["inner", "left", "right", "outer", "left_semi", "left_anti"]


def join(
    df: DataFrame,
    other: DataFrame,
    keys: str | Sequence[str],
    other_keys: str | Sequence[str] | None = None,
    *,
    how: How = "inner",
) -> DataFrame:
    """Join two frames where all keys are equal; every column of both stays, the keys included. Lazy.

    A key that is null equals nothing, not even null; a null inside a struct or array that is a key equals null there.
    A key that occurs m times here and n times there gives m x n rows. A frame can be joined with itself.

    A column of ``other`` whose name ``df`` has gets a leading dot: ``.zip`` beside ``zip``; more dots where that name
    is taken. Names that differ only in case count as the same (``.Zip`` beside ``zip``): Spark could not tell them
    apart. To drop such a column: ``drop_fields(["`.zip`"])``.

    Glue: Join; Studio's Join. Cost: lazy, one shuffle of both frames, none where one is small enough to broadcast.

    Args:
        df: The left frame. Its columns keep their names.
        other: The right frame.
        keys: Columns of ``df``, or fields inside its structs. Case matters.
        other_keys: As many of ``other``, compared in this order; by default those of the same names.
        how: ``inner``; ``left``, ``right`` and ``outer`` also keep the rows of that side, or both, that match nothing;
            ``left_semi`` and ``left_anti`` keep the rows of ``df`` that match something, or nothing, once each.

    Returns:
        The columns of ``df``, then those of ``other``; of ``left_semi`` and ``left_anti`` only those of ``df``.

    Raises:
        TransformError: There are no keys, unequally many, or ``how`` is none of the six.
        PathSyntaxError: A key cannot be read.
        MissingColumnError: A key is not there.
        DuplicateColumnError: A key names several fields.
        ColumnTypeError: A key lies inside an array, or two keys are of types that do not compare. Only types of one
            kind do: numbers; strings; dates and timestamps. Spark would cast a string to compare it with a number, and
            fail at the first value that is none.

    Example:
        >>> people = spark.createDataFrame([("Ada", 1), ("Bob", 2)], "name STRING, zip INT")
        >>> towns = spark.createDataFrame([(1, "Ulm")], "zip INT, town STRING")
        >>> people.transform(join, towns, "zip").show()
        +----+---+----+----+
        |name|zip|.zip|town|
        +----+---+----+----+
        | Ada|  1|   1| Ulm|
        +----+---+----+----+
        <BLANKLINE>

    Source:
        reference: Glue transforms, "Join". Glue does not say which side gets the dot.
    """
    if how not in get_args(How):
        raise TransformError(f"join cannot join how={how!r}. {say_known(how, get_args(How), kind='way')}")
    return equi_join(df, other, keys, keys if other_keys is None else other_keys, how, where="join")
