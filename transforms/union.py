"""All rows of several frames, by the names of their columns."""

from collections.abc import Sequence
from functools import reduce
from typing import Literal, get_args

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from transforms.choices.align import align
from transforms.choices.merged_schemas import merged_schema
from transforms.core.columns import schema_of
from transforms.drop_duplicates import drop_duplicates
from transforms.errors import TransformError, say_known

Conflicts = Literal["choice", "widest", "fail"]


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
    if conflicts not in get_args(Conflicts):
        near = say_known(conflicts, get_args(Conflicts), kind="way")
        raise TransformError(f"union: conflicts={conflicts!r} is not known. {near}")
    frames = [df, *([other] if isinstance(other, DataFrame) else other)]
    schema = merged_schema([schema_of(frame) for frame in frames], conflicts, where="union")
    rows = reduce(
        DataFrame.unionAll, (frame if _is_laid_out(frame, schema) else align(frame, schema) for frame in frames)
    )
    return drop_duplicates(rows) if distinct else rows


def _is_laid_out(frame: DataFrame, schema: StructType) -> bool:
    """Return whether a frame has the columns of the result already, but for what can be null."""
    fields = schema_of(frame).fields
    return [(field.name, field.dataType, field.metadata) for field in fields] == [
        (field.name, field.dataType, field.metadata) for field in schema.fields
    ]
