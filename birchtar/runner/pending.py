"""What is new to a run: of each bookmarked input, what no earlier run has read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyspark.sql import DataFrame, SparkSession
from sqlalchemy import Connection

from birchtar.lake.declared import as_declared
from birchtar.lake.delta_changes import DeltaMark, newest, read_appended, read_changes
from birchtar.lake.errors import LakeError
from birchtar.lake.jdbc_bookmark import KeyMark, newest_keys, read_keys, read_range
from birchtar.lake.listing import list_files
from birchtar.lake.read_files import empty_frame, restricted
from birchtar.lake.source import TEXT_FORMATS, Source
from birchtar.lake.unchanged import changed_since
from birchtar.runner.bookmark_kinds import CHANGES, DELTA, KEYS, RANGE, kind_of
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.located import located
from birchtar.runner.next_files import next_files
from birchtar.runner.plan import Plan
from birchtar.runner.read_once import require_read_once
from birchtar.state.bookmarks import FILES, Bookmark, bookmark_of
from birchtar.state.database import State
from birchtar.state.intents import RunFile, RunInput, intent, record_intent
from birchtar.state.known_files import Difference, new_files, settle
from birchtar.state.listed import Listing
from birchtar.state.runs import RUNNING, Run, lock

_MOST_SHOWN = 5
"""Files that a message names."""


@dataclass(frozen=True)
class Pending:
    """What a run reads of one bookmarked input."""

    read: RunInput
    bookmark: Bookmark
    all_new: Listing = field(default_factory=Listing)
    """Of files, also those that the input's limits leave for a later run."""
    notes: list[str] = field(default_factory=list)
    file: str | None = None
    """The path of some file of the input, new or not."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return not self.read.files if self.read.kind == FILES else self.read.until in (None, self.read.since)


def find_pending(plan: Plan, spark: SparkSession, state: State, run: Run) -> dict[str, Pending]:
    """Return what is new to a run, and write it down as what it means to read.

    A run that was taken over reads what it meant to read when it died, if all of that is still as it was.

    Raises:
        JobError: An input cannot be listed; or a backfill has read a file, and an output would get its rows twice.
        LostRunError: The run is no longer ours.
    """
    pending = each_bookmarked(plan, lambda name, source: _pending(name, source, spark, state, run))
    if run.is_takeover:
        pending = _as_before(pending, state, run)
    record_intent(state, run, [each.read for each in pending.values()])
    require_read_once(plan, spark, state, run, pending)
    return pending


def each_bookmarked(plan: Plan, look: Callable[[str, Source], Pending]) -> dict[str, Pending]:
    """Return what a look at each bookmarked input finds.

    Raises:
        JobError: A look failed; the message says at which input.
    """
    pending = {}
    for name, source in plan.job.inputs.items():
        if source.bookmark:
            try:
                pending[name] = look(name, located(source))
            except LakeError as error:
                raise JobError(f"{plan.place(('inputs', name))}: input {name}: {sentence(error)}") from error
    return pending


def _pending(name: str, source: Source, spark: SparkSession, state: State, run: Run) -> Pending:
    kind = kind_of(source)
    found = state.write(lambda connection: bookmark_of(connection, run, name, kind))
    if kind == FILES:
        return _pending_files(name, source, found, spark, state, run)
    if kind == KEYS:
        last = newest_keys(spark, source, _keys(found.mark))
        return Pending(RunInput(name, kind, found.mark, last and last.as_json()), found)
    return Pending(RunInput(name, kind, found.mark, list(newest(spark, source))), found)


def _pending_files(name: str, source: Source, found: Bookmark, spark: SparkSession, state: State, run: Run) -> Pending:
    listed = list_files(source.paths, spark=spark, options=source.options)
    difference = state.read(lambda connection: new_files(connection, found.id, listed))
    if difference.quiet:
        difference = state.write(lambda connection: _settled(connection, run, found, listed))
    found_files, notes = next_files(source, difference), []
    if ignored := found_files.ignored:
        what = "have changed since they were read, and are not read again"
        notes.append(f"input {name}: {len(ignored):,} files {what}: {_say(ignored.paths)}")
    chosen, wanted = found_files.chosen, found_files.wanted
    changed = set(difference.changed.paths)
    if again := [path for path in chosen.paths if path in changed]:
        were = (
            "1 file has changed since it was"
            if len(again) == 1
            else f"{len(again):,} files have changed since they were"
        )
        notes.append(f"input {name}: {were} read, and all of it is read again: {_say(again)}")
    if left := len(wanted) - len(chosen):
        notes.append(f"input {name}: {left:,} new files are left for the next run")
    files = tuple(RunFile(*file) for file in chosen)
    until = None if left or ignored else difference.digest
    read = RunInput(name, FILES, found.run_number, until, files, bytes=sum(chosen.sizes))
    return Pending(read, found, wanted, notes, next(iter(listed.paths), None))


def _settled(connection: Connection, run: Run, found: Bookmark, listed: Listing) -> Difference:
    """Settle what is gone, and return the difference anew: what is known may have changed since it was looked at."""
    lock(connection, run, RUNNING)
    difference = new_files(connection, found.id, listed)
    settle(connection, found.id, difference)
    return difference


def _as_before(pending: dict[str, Pending], state: State, run: Run) -> dict[str, Pending]:
    """Return what the run meant to read before it was taken over, unless a file of it has changed or is gone."""
    before = {read.input: read for read in intent(state, run)}
    same = before.keys() == pending.keys() and all(
        read.since == pending[name].read.since and set(read.files) <= set(pending[name].all_new)
        for name, read in before.items()
    )
    return {name: replace(each, read=before[name]) for name, each in pending.items()} if same else pending


def new_of(spark: SparkSession, source: Source, pending: Pending) -> Source | DataFrame:
    """Return what is new: files as a source that `birchtar.lake.read.read` can read, anything else as a frame.

    Raises:
        LakeError: There is nothing to take the columns from; or what is new cannot be read.
    """
    read = pending.read
    if read.kind == RANGE:
        return as_declared(read_range(spark, source, read.since, read.until), source)
    if read.kind == KEYS:
        return as_declared(read_keys(spark, source, _keys(read.since), _keys(read.until)), source)
    if read.kind in (DELTA, CHANGES):
        reads = read_appended if read.kind == DELTA else read_changes
        if read.until is None:  # the table was made later
            return as_declared(reads(spark, source, None, newest(spark, source)), source).limit(0)
        since = DeltaMark(*read.since) if read.since else None
        return as_declared(reads(spark, source, since, DeltaMark(*read.until)), source)
    has_text = source.format not in TEXT_FORMATS or any(file.size for file in read.files)
    # Where there is nothing in any new file, the columns are those of the files before.
    if pending.is_empty or (not has_text and pending.bookmark.schema is not None):
        return empty_frame(spark, source, pending.bookmark.schema, pending.file)
    parts = restricted(source, [file.path for file in read.files])
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


def _keys(mark: dict[str, list[str]] | None) -> KeyMark | None:
    return KeyMark(**mark) if mark else None  # type: ignore[arg-type]  # as KeyMark.as_json made it


def _say(paths: Sequence[str]) -> str:
    shown = ", ".join(path.removeprefix("file:") for path in paths[:_MOST_SHOWN])
    more = len(paths) - _MOST_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
