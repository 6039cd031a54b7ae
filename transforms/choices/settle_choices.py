"""What becomes of fields with values of several types, by one word for all of a frame."""

from collections.abc import Sequence
from functools import reduce
from typing import Literal, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from transforms.choices.align import align
from transforms.choices.choice import choices_in, walk_choices
from transforms.choices.count_choices import Conflict, count_choices, format_conflicts
from transforms.choices.merge_types import key_conflicts, merge_schemas
from transforms.choices.read_types import final_type
from transforms.choices.rescue_choices import rescue_choices
from transforms.choices.seen_types import seen_types
from transforms.choices.variant_columns import Read, read_columns
from transforms.choices.variant_types import CountedChoice, variant_types
from transforms.choices.widened import as_texts, widened
from transforms.errors import ColumnTypeError
from transforms.rejects import accepted
from transforms.resolve_choice import resolve_choice

OnConflict = Literal["choice", "string", "widest", "fail", "rescue"]
"""What to do where values of one field have several types:

- ``choice``: keep each value in its own type, in a choice.
- ``string``: one text; of what is no text its JSON text.
- ``widest``: the narrowest type that holds all without loss.
- ``fail``: raise an error that lists all such fields.
- ``rescue``: the most frequent type; what is no value of it goes to the column ``_rescued_data``, with its path.
"""


class ConflictError(ColumnTypeError):
    """Values of one field have several types."""


class Settled(NamedTuple):
    """A frame, and what was in conflict in it."""

    df: DataFrame
    conflicts: list[Conflict]


def typed_rows(read: Read, conflicts: OnConflict, *, some: Read | None = None, file_path: str | None = None) -> Settled:
    """Return rows that are read from what says its types itself, such as JSON, in columns.

    Starts the Spark jobs of `variant_types`, and where fractions are in conflict one more that counts. The frame is
    lazy.

    Args:
        read: Reads the rows.
        conflicts: What to do where values of one field have several types.
        some: Reads those rows of which types are found; None where these are all. A value of a type that only others
            have is left to ``read`` where its field has one type, and stops the job that reads it where it has several.
        file_path: For `rescue_choices`.

    Raises:
        ConflictError: There is a conflict, and ``conflicts`` is ``fail``.
        TransformError: An object has too many different keys.
    """
    types = variant_types(some or read)
    df = read_columns(read, _struct(final_type(types)))
    counted = _counted(some or read, types)
    if counted and conflicts in ("string", "widest"):
        # The reader makes these types itself, and gives texts as they are written.
        wanted = as_texts(types) if conflicts == "string" else widened(types)
        return Settled(read_columns(read, _struct(final_type(wanted))), counted)
    return Settled(settle_choices(df, counted, conflicts, file_path=file_path), counted)


def _counted(read: Read, types: StructType) -> list[Conflict]:
    found = [
        Conflict(path, choice.counts or ()) for path, choice in walk_choices(types) if isinstance(choice, CountedChoice)
    ]
    missing = {conflict.path for conflict in found if not conflict.types}
    if not missing:
        return found
    fields = [field for field in types.fields if missing & {path for path, _ in walk_choices(StructType([field]))}]
    later = count_choices(accepted(read_columns(read, _struct(final_type(StructType(fields))))))
    by_path = {conflict.path: conflict for conflict in later}
    return [by_path[conflict.path] if conflict.path in missing else conflict for conflict in found]


def merged_frames(frames: Sequence[DataFrame], conflicts: OnConflict, *, file_path: str | None = None) -> Settled:
    """Return the rows of frames whose schemas may differ; columns and fields are the same if their names are.

    A type that no value has is in conflict with nothing. Where types differ, starts a Spark job that counts. The frame
    is lazy.

    Raises:
        ConflictError: There is a conflict, in keys of maps too, and ``conflicts`` is ``fail``.
    """
    if conflicts == "fail" and (keys := key_conflicts(df.schema for df in frames)):
        told = "\n".join(f"`{path}`: {', '.join(names)}" for path, names in keys.items())
        raise ConflictError(
            f"Keys of one map have several types:\n{told}\nWith any other word for `conflicts` these keys become texts."
        )
    schema = reduce(merge_schemas, (df.schema for df in frames))
    df = reduce(DataFrame.unionAll, (df.transform(align, schema) for df in frames))
    df, counted = seen_types(df, count_choices(df))
    return Settled(settle_choices(df, counted, conflicts, file_path=file_path), counted)


def settle_choices(
    df: DataFrame, counted: Sequence[Conflict], conflicts: OnConflict, *, file_path: str | None = None
) -> DataFrame:
    """Return a frame with its choices settled. Lazy.

    Args:
        df: A frame with choices.
        counted: What `count_choices` counted in it.
        conflicts: What to do.
        file_path: For `rescue_choices`.

    Raises:
        ConflictError: There is a choice, and ``conflicts`` is ``fail``.
    """
    if not counted or conflicts == "choice":
        return df if conflicts != "rescue" else rescue_choices(df, counted, file_path=file_path)
    if conflicts == "fail":
        raise ConflictError(
            f"Values of one field have several types:\n{format_conflicts(counted)}\n"
            "With `conflicts: choice` each value keeps its type; `string`, `widest` and `rescue` make one type of them."
        )
    if conflicts == "rescue":
        return rescue_choices(df, counted, file_path=file_path)
    found = choices_in(df.schema)
    kinds = {path: "string" if conflicts == "string" else widened(choice).simpleString() for path, choice in found}
    return df.transform(resolve_choice, {path: f"cast:{kind}" for path, kind in kinds.items()})


def _struct(data_type: object) -> StructType:
    if not isinstance(data_type, StructType):
        raise TypeError(f"The columns of rows are a struct, not {data_type!r}.")
    return data_type
