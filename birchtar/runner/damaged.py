"""A run that meets a damaged file: all damaged files of its inputs are found, and it computes once more, past them."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pyspark.sql import DataFrame, SparkSession

from birchtar.lake.damage import find_damage, find_unsound, past_damage, say, united, without_damaged
from birchtar.lake.damaged_file import Damage
from birchtar.lake.errors import SchemaMismatchError
from birchtar.lake.source import WHOLE_FORMATS, Source
from birchtar.runner.failures import JobError, texts_of
from birchtar.runner.located import located
from birchtar.runner.pending import Pending, new_of, require_unchanged
from birchtar.runner.plan import Plan

Found = Mapping[str, list[Damage]]
"""Per input, its damaged files."""

_T = TypeVar("_T")

_READING = re.compile(
    r"FAILED_READ_FILE|CANNOT_READ|Could not read|UNABLE_TO_INFER_SCHEMA|EOFException|ZipException|IOException"
    r"|protobuf|parquet|orc|avro",
    re.IGNORECASE,
)
"""What Spark's readers say of a damaged file. What says so for another reason costs a look at the files, no more."""

_MOST_NAMED = 5


def around_damage(spark: SparkSession, plan: Plan, pending: Mapping[str, Pending], work: Callable[[Found], _T]) -> _T:
    """Do the work of a run; where it stops at damaged files, do it again, told of all of them.

    Raises:
        JobError: A file is damaged that the config does not let go to the quarantine, or is not as it was listed;
            nothing was done.
    """
    damage: Found = {}
    while True:
        try:
            return work(damage)
        except Exception as error:
            if not _is_of_reading(error):
                raise
            require_unchanged(spark, pending)
            found = dict(_found(spark, plan, pending))
            if not found or found == damage:
                raise
            _require_allowed(plan, found)
            damage = found


def read_around(
    spark: SparkSession, source: Source, damage: list[Damage], read: Callable[[Source], DataFrame]
) -> DataFrame:
    """Return the rows of an input that can be read, and a row with ``_error`` per damaged file of it.

    Args:
        spark: The run's own session.
        source: The input, of exactly the files that the run reads.
        damage: Its damaged files, as far as they are known: what Spark would not notice is looked for.
        read: How the input is read.
    """
    if not damage and find_unsound(spark, source):
        damage = find_damage(spark, source)  # of all files, for what is read past damage does not stop at any
    parts = without_damaged(spark, source, damage)
    return united(spark, source, [read(past_damage(part, damage)) for part in parts], damage)


def _is_of_reading(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, SchemaMismatchError):
            return True  # the header may be of a file that is damaged
        if any(_READING.search(text) for text in texts_of(error)):
            return True
        error = error.__cause__
    return False


def _found(spark: SparkSession, plan: Plan, pending: Mapping[str, Pending]) -> Iterator[tuple[str, list[Damage]]]:
    for name, source in plan.job.inputs.items():
        read: Source | DataFrame = located(source)
        if name in pending:
            read = new_of(spark, located(source), pending[name])
        if isinstance(read, Source) and (found := find_damage(spark, read)):
            yield name, found


def _require_allowed(plan: Plan, found: Found) -> None:
    told = []
    for name, damage in found.items():
        source = plan.job.inputs[name]
        if source.format in WHOLE_FORMATS and source.corrupt_files == "fail":
            files = "\n".join(say(each) for each in damage[:_MOST_NAMED])
            more = f"\nand {len(damage) - _MOST_NAMED:,} more files" if len(damage) > _MOST_NAMED else ""
            told.append(f"{plan.place(('inputs', name))}: input {name}: {files}{more}")
    if told:
        raise JobError(
            "\n".join(told) + "\nNothing was published. Repair or remove what is damaged, or say"
            " `corrupt_files: quarantine`: then the other files are read."
        )
