"""All rows of several frames, by the names of their columns."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.choices.stack import Conflicts, stack
from transforms.drop_duplicates import drop_duplicates


def union(
    df: DataFrame,
    other: DataFrame | Sequence[DataFrame],
    *,
    conflicts: Conflicts = "choice",
    distinct: bool = False,
) -> DataFrame:
    """Put the rows of frames together, columns and fields by name; what a frame lacks is null. Lazy.

    No row is dropped or merged, unless ``distinct`` is set. Structs, also in arrays and maps, are put together field
    by field. Names are compared with their case. Where a field has several types, ``conflicts`` says what becomes of
    it:

    - ``choice``: it becomes a choice of the types, as in Glue; `resolve_choice` makes one of it.
    - ``widest``: the type that has room for all: of numbers the widest (a long beside a double becomes a double, which
      has 15 exact digits; decimals of more digits than the widest type keeps become texts), of a date and a timestamp
      the timestamp, of other scalars a text.
    - ``fail``: it is an error, which names all such fields.

    Glue: Union; Studio's Union. Cost: lazy; with ``distinct`` a shuffle of all rows.

    Args:
        df: Any frame.
        other: Another frame, or several.
        conflicts: What to do with fields of several types.
        distinct: Keep one of rows that are equal.

    Returns:
        The columns of ``df`` in their order, then those that only others have, in theirs.

    Raises:
        TransformError: ``conflicts`` is none of the three.
        ColumnTypeError: There are conflicts and they are to fail, or nothing has room for both sides, such as a
            struct and a number; or there are choices in a frame where the widest type is asked for.

    Example:
        >>> one, two = spark.sql("SELECT 1 AS id, 'a' AS x"), spark.sql("SELECT 2L AS id, true AS y")
        >>> one.transform(union, two, conflicts="widest").show()
        +---+----+----+
        | id|   x|   y|
        +---+----+----+
        |  1|   a|NULL|
        |  2|NULL|true|
        +---+----+----+
        <BLANKLINE>

    Source:
        reference: Glue transforms, "Union"; section 4, "Union".
    """
    rows = stack([df, *([other] if isinstance(other, DataFrame) else other)], conflicts, where="union")
    return drop_duplicates(rows) if distinct else rows
