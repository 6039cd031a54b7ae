"""Bring newer rows into a frame, by keys."""

from collections.abc import Sequence
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame

from transforms.choices.stack import Conflicts, stack
from transforms.core.columns import by_position
from transforms.core.join_keys import equal_keys


def merge_frames(
    df: DataFrame, other: DataFrame, keys: str | Sequence[str], *, conflicts: Conflicts = "choice"
) -> DataFrame:
    """Return all rows of ``other``, and the rows of ``df`` whose key ``other`` does not have. Lazy.

    So ``other`` holds new and changed rows; its keys that ``df`` lacks come in too. Nothing else is removed: a key that
    occurs several times in ``other`` comes as often, and so does one of ``df`` that stays. A null key equals a null
    key, so that running the same merge twice changes nothing. Columns are put together as in `union`.

    Glue: mergeDynamicFrame. Cost: lazy; one anti join by the keys. ``other`` is computed twice; cache it if costly.

    Args:
        df: The frame so far, Glue's source.
        other: New and changed rows, Glue's staging frame.
        keys: Paths of columns, or of fields inside structs, that both frames have and that together name a row.
        conflicts: What to do with fields that have several types; see `union`.

    Returns:
        The columns of ``df`` in their order, then those that only ``other`` has. The order of rows is not defined.

    Raises:
        TransformError: There are no keys, or ``conflicts`` is not known.
        PathSyntaxError: A key cannot be read.
        MissingColumnError: A key is not in both frames.
        DuplicateColumnError: A key names several fields.
        ColumnTypeError: A key is of types that do not compare, or lies inside an array; or as in `union`.

    Example:
        >>> df = spark.createDataFrame([(1, "old"), (2, "old")], "id INT, text STRING")
        >>> new = spark.createDataFrame([(2, "new"), (3, "new")], "id INT, text STRING")
        >>> df.transform(merge_frames, new, "id").sort("id").collect()
        [Row(id=1, text='old'), Row(id=2, text='new'), Row(id=3, text='new')]

    Source:
        reference: Glue transforms, "mergeDynamicFrame". What null keys do Glue does not say.
    """
    equal = equal_keys(df, other, keys, keys, where="merge_frames", nulls_meet=True)
    kept = by_position(df, "df").join(by_position(other, "other"), reduce(and_, equal), how="left_anti")
    return stack([kept.toDF(*df.columns), other], conflicts, where="merge_frames")
