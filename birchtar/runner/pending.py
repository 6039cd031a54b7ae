"""What is new to a run: of each bookmarked input, what no earlier run has read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyspark.sql import DataFrame, SparkSession

from birchtar.lake.errors import LakeError
from birchtar.lake.listing import list_files
from birchtar.lake.paths import absolute
from birchtar.lake.read_files import empty_frame, first, restricted
from birchtar.lake.source import Source
from birchtar.lake.unchanged import changed_since
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.plan import Plan
from birchtar.state.bookmarks import FILES, Bookmark, bookmark_of
from birchtar.state.database import State
from birchtar.state.intents import RunFile, RunInput, intent, record_intent
from birchtar.state.known_files import new_files, settle
from birchtar.state.listed import Listing
from birchtar.state.runs import Run

_MOST_SHOWN = 5
"""Files that a message names."""


@dataclass(frozen=True)
class Pending:
    """What a run reads of one bookmarked input."""

    read: RunInput
    bookmark: Bookmark
    all_new: Listing
    """Also what the input's limits leave for a later run."""
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return not self.read.files


def find_pending(plan: Plan, spark: SparkSession, state: State, run: Run) -> dict[str, Pending]:
    """Return what is new to a run, and write it down as what it means to read.

    A run that was taken over reads what it meant to read when it died, if all of that is still as it was.

    Raises:
        JobError: An input cannot be listed.
        LostRunError: The run is no longer ours.
    """
    pending = {name: _pending(plan, name, source, spark, state, run) for name, source in _bookmarked(plan).items()}
    if run.is_takeover:
        pending = _as_before(pending, state, run)
    record_intent(state, run, [each.read for each in pending.values()])
    return pending


def _bookmarked(plan: Plan) -> dict[str, Source]:
    return {name: source for name, source in plan.job.inputs.items() if source.bookmark}


def _pending(plan: Plan, name: str, source: Source, spark: SparkSession, state: State, run: Run) -> Pending:
    try:
        listed = list_files([absolute(path) for path in source.paths], spark=spark, options=source.options)
    except LakeError as error:
        raise JobError(f"{plan.place(('inputs', name))}: input {name}: {sentence(error)}") from error
    found = state.write(lambda connection: bookmark_of(connection, run, name, FILES))
    difference = state.read(lambda connection: new_files(connection, found.id, listed))
    if difference.quiet:
        state.write(lambda connection: settle(connection, found.id, difference))
    notes = []
    wanted = difference.new
    if difference.changed and source.changed_files == "report":
        what = "have changed since they were read, and are not read again"
        notes.append(f"input {name}: {len(difference.changed):,} files {what}: {_say(difference.changed.paths)}")
    elif difference.changed:
        wanted = Listing.of([*wanted, *difference.changed])
    chosen = first(wanted, max_files=source.max_files, max_bytes=source.max_bytes)
    if len(chosen) < len(wanted):
        notes.append(f"input {name}: {len(wanted) - len(chosen):,} new files are left for the next run")
    files = tuple(RunFile(*file) for file in chosen)
    return Pending(RunInput(name, FILES, files=files, bytes=sum(file.size for file in files)), found, wanted, notes)


def _as_before(pending: dict[str, Pending], state: State, run: Run) -> dict[str, Pending]:
    """Return what the run meant to read before it was taken over, unless a file of it has changed or is gone."""
    before = {read.input: read for read in intent(state, run)}
    same = before.keys() == pending.keys() and all(
        set(read.files) <= set(pending[name].all_new) for name, read in before.items()
    )
    return {name: replace(each, read=before[name]) for name, each in pending.items()} if same else pending


def frame_of(spark: SparkSession, source: Source, pending: Pending) -> Source | DataFrame:
    """Return what is new as a source that `birchtar.lake.read.read` can read, or, where there is nothing, as a frame.

    Raises:
        LakeError: There is nothing to take the columns from; or files in several folders have partitions.
    """
    if pending.is_empty:
        return empty_frame(spark, source, pending.bookmark.schema)
    parts = restricted(source, [file.path for file in pending.read.files])
    if len(parts) > 1:
        raise LakeError.at(
            source.paths,
            "new files lie below several of these paths, some of them in partition folders. Make each path an input"
            " of its own, and unite them by `union`.",
        )
    return parts[0]


def require_unchanged(spark: SparkSession, pending: Mapping[str, Pending]) -> None:
    """Stop a run that has read a file while that was changing: what it read is neither the old nor the new file.

    Raises:
        JobError: With the files. Nothing of the run is published then.
    """
    for name, each in pending.items():
        if changed := changed_since(spark, each.read.files):
            raise JobError(
                f"input {name}: changed, or gone, while the run read it: {_say(changed)}. Nothing was published."
                " Run the job again; files that are still being written are best moved in when they are whole."
            )


def _say(paths: Sequence[str]) -> str:
    shown = ", ".join(path.removeprefix("file:") for path in paths[:_MOST_SHOWN])
    more = len(paths) - _MOST_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
