"""The rows of several frames in one, columns by their names."""

from collections.abc import Sequence
from functools import reduce
from typing import Literal, get_args

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from transforms.choices.align import align
from transforms.choices.merged_schemas import merged_schema
from transforms.core.columns import schema_of
from transforms.errors import TransformError, say_known

Conflicts = Literal["choice", "widest", "fail"]
"""What becomes of fields that have one type in one frame and another in another."""


def stack(frames: Sequence[DataFrame], conflicts: Conflicts, *, where: str) -> DataFrame:
    """Return the rows of all frames, with all their columns, as `transforms.union.union` says. Lazy.

    Args:
        frames: At least one.
        conflicts: What to do where types differ.
        where: The transform, for the error's sentence.

    Raises:
        TransformError: There is no such way.
        ColumnTypeError: As `merged_schema`.
    """
    if conflicts not in get_args(Conflicts):
        near = say_known(conflicts, get_args(Conflicts), kind="way")
        raise TransformError(f"{where}: conflicts={conflicts!r} is not known. {near}")
    schema = merged_schema([schema_of(frame) for frame in frames], conflicts, where=where)
    return reduce(
        DataFrame.unionAll, (frame if _is_laid_out(frame, schema) else align(frame, schema) for frame in frames)
    )


def _is_laid_out(frame: DataFrame, schema: StructType) -> bool:
    """Return whether a frame has the columns of the result already, but for what can be null."""
    fields = schema_of(frame).fields
    return [(field.name, field.dataType, field.metadata) for field in fields] == [
        (field.name, field.dataType, field.metadata) for field in schema.fields
    ]
