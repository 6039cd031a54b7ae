"""What a run of a backfill reads: of each bookmarked input that which lies in one interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import SparkSession
from sqlalchemy import Connection

from birchtar.lake.delta_changes import versions_between
from birchtar.lake.errors import LakeError
from birchtar.lake.listing import list_files
from birchtar.lake.source import Source
from birchtar.runner.bookmark_kinds import KEYS, RANGE, kind_of
from birchtar.runner.dated_paths import DatedPaths
from birchtar.runner.intervals import Interval, say_bound
from birchtar.runner.pending import Pending, each_bookmarked
from birchtar.runner.plan import Plan
from birchtar.runner.read_once import date_of, require_read_once
from birchtar.state.bookmarks import FILES, Bookmark, find_bookmark
from birchtar.state.database import State
from birchtar.state.intents import RunFile, RunInput, record_intent
from birchtar.state.listed import ListedFile, Listing
from birchtar.state.runs import Run

BACKFILL = "backfill"
"""The kind of a run that reads an interval."""


@dataclass(frozen=True)
class Span:
    """An interval, and how files lie in it."""

    interval: Interval
    dates: DatedPaths | None = None
    """Where in a file's path its date stands; None: a file lies where its time of change does."""
    again: bool = False
    """Read it though it was read before, by a backfill or by the job's own runs."""

    @property
    def scope(self) -> str:
        """The name under which the interval is remembered; its runs are in nobody's way but each other's."""
        return f"{self.interval} by {self.dates.pattern}" if self.dates else str(self.interval)


def find_between(plan: Plan, spark: SparkSession, state: State, run: Run, span: Span) -> dict[str, Pending]:
    """Return what lies in an interval, and write it down as what the run means to read. No bookmark is asked or moved.

    Limits such as ``max_files`` do not count here.

    Raises:
        JobError: An input cannot be listed, or has nothing that lies in intervals of this kind; or a file was read
            before by the job's own runs, and an output would get its rows twice.
    """

    def look(name: str, source: Source) -> Pending:
        found = state.read(lambda connection: _known(connection, run.job, name))
        return _between(name, source, spark, span, found)

    pending = each_bookmarked(plan, look)
    record_intent(state, run, [each.read for each in pending.values()])
    if not span.again:
        require_read_once(plan, spark, state, run, pending, span.interval)
    return pending


def _known(connection: Connection, job: str, name: str) -> Bookmark:
    """Return the bookmark, for the schema in it; where there is none, one that knows nothing."""
    return find_bookmark(connection, job, name) or Bookmark(0, name, "", None, None, 0)


def _between(name: str, source: Source, spark: SparkSession, span: Span, found: Bookmark) -> Pending:
    kind, interval = kind_of(source), span.interval
    start, end = interval.start, interval.end
    if kind == KEYS:
        return Pending(RunInput(name, RANGE, say_bound(start), say_bound(end)), found)
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        raise LakeError("only a database's keys lie in intervals of numbers; this input needs dates or times.")
    if kind == FILES:
        listed = list_files(source.paths, spark=spark, options=source.options)
        notes = list(_undated(name, listed, span))
        files = tuple(RunFile(*file) for file in listed if _lies_in(file, span, start, end))
        read = RunInput(name, FILES, files=files, bytes=sum(file.size for file in files))
        return Pending(read, found, notes=notes, file=next(iter(listed.paths), None))
    since, until = versions_between(spark, source, start, end)
    return Pending(RunInput(name, kind, since and list(since), until and list(until)), found)


def _lies_in(file: ListedFile, span: Span, start: datetime, end: datetime) -> bool:
    at = date_of(file, span.dates)
    return at is not None and start <= at < end


def _undated(name: str, listed: Listing, span: Span) -> Iterator[str]:
    """Tell of files in whose paths no date stands: no interval has them."""
    if span.dates is None:
        return
    undated = [path for path in listed.paths if span.dates.date_of(path) is None]
    if undated and len(undated) == len(listed):
        raise LakeError(f"in none of its {len(listed):,} files' paths is a date {span.dates.pattern}: {undated[0]}")
    if undated:
        yield (
            f"input {name}: {len(undated):,} files have no date {span.dates.pattern} in their paths, so no interval"
            f" has them: {undated[0].removeprefix('file:')}{' ...' if len(undated) > 1 else ''}"
        )
