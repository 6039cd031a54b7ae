"""What a job's own runs and its backfills would both read: where an output appends, it would get rows twice."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession
from sqlalchemy import Connection

from birchtar.lake.errors import LakeError
from birchtar.lake.jdbc_bookmark import KeyMark, count_in_ranges
from birchtar.lake.source import Source
from birchtar.runner.bookmark_kinds import KEYS, RANGE, kind_of
from birchtar.runner.dated_paths import DatedPaths
from birchtar.runner.failures import JobError
from birchtar.runner.intervals import Interval
from birchtar.runner.located import located
from birchtar.runner.moments import moment
from birchtar.runner.plan import Plan
from birchtar.runner.scopes import parse_scope
from birchtar.state.bookmarks import FILES
from birchtar.state.database import State
from birchtar.state.history import done_scopes
from birchtar.state.intents import RunFile, RunInput, marks_of_others, read_by_others
from birchtar.state.known_files import new_files
from birchtar.state.listed import ListedFile, Listing
from birchtar.state.runs import Run

if TYPE_CHECKING:
    from birchtar.runner.pending import Pending

_MOST_SHOWN = 3
"""Intervals that a message names."""


def date_of(file: ListedFile | RunFile, dates: DatedPaths | None) -> datetime | None:
    """Return the moment at which a file lies among the intervals of backfills; None where its path says none."""
    return dates.date_of(file.path) if dates else moment(file.modified)


def require_read_once(
    plan: Plan,
    spark: SparkSession,
    state: State,
    run: Run,
    pending: "Mapping[str, Pending]",
    interval: Interval | None = None,
) -> None:
    """Refuse to read for an output that appends what another run of the job has read, or is reading.

    Of a database's table it is asked whether there are such rows, where that is possible.

    Call it when what the run reads is written down: of two runs that are about to read the same, the later one then
    knows of the other.

    Args:
        plan: The job.
        spark: To look into databases.
        state: Where runs are remembered.
        run: The run that is about to read.
        pending: What it reads, per input.
        interval: Of a run of a backfill, its interval.

    Raises:
        JobError: With the input, how much of it there is, and what to do.
    """
    appends = {name: sink for name, sink in plan.job.outputs.items() if sink.mode == "append"}
    for name, each in pending.items():
        outputs = [output for output in appends if name in plan.inputs_of(output)]
        if not outputs or each.is_empty:
            continue
        twice = f"their rows would be appended twice (output {', '.join(outputs)})"
        try:
            if each.read.kind == FILES:
                _require_files(state, run, each, twice, interval)
            else:
                _require_marks(spark, located(plan.job.inputs[name]), state, run, each, twice, interval)
        except LakeError as error:
            raise JobError(f"{plan.place(('inputs', name))}: input {name}: {error}") from None


def _require_files(state: State, run: Run, each: "Pending", twice: str, interval: Interval | None) -> None:
    name, files = each.read.input, each.read.files
    if found := state.read(partial(read_by_others, run=run, name=name, files=files)):
        raise LakeError(f"{_some(found, files)} being read by another run of the job: {twice}.")
    if interval is not None:
        if found := state.read(partial(_known, bookmark_id=each.bookmark.id, files=files)):
            raise LakeError(
                f"{_some(found, files)} in {interval} known to the bookmark, so read by the job's own runs: {twice}."
                " Say --again if they shall be."
            )
    elif found := list(_backfilled(state, run.job, files)):
        raise LakeError(
            f"{_some(found, files)} in intervals that backfills have read, and older than these: {twice}. If that was"
            f" so, make them known: `birchtar bookmark set CONFIG {name} --files PATH`, or `--all-known`; a file that"
            " came later all the same is read when it is touched."
        )


def _require_marks(
    spark: SparkSession,
    source: Source,
    state: State,
    run: Run,
    each: "Pending",
    twice: str,
    interval: Interval | None,
) -> None:
    read = each.read
    others = state.read(partial(marks_of_others, run=run, name=read.input))
    if interval is not None:
        own = RunInput(read.input, kind_of(source), None, each.bookmark.mark)
        shared = [_shared(spark, source, read, [other]) for other in (own, *others) if other.kind == own.kind]
        if found := next(filter(None, shared), None):
            raise LakeError(
                f"{found} in {interval} are known to the bookmark, or being read, so appended by the job's own runs:"
                f" {twice}. Say --again if they shall be."
            )
    elif found := _shared(spark, source, read, [other for other in others if other.kind in (read.kind, RANGE)]):
        behind = " ".join(f"--keys {key}=VALUE" for key in source.bookmark_keys) or "--version NUMBER"
        raise LakeError(
            f"{found} lie in intervals that backfills have read, or are reading: {twice}. If nothing before them is"
            f" missing, go on behind them: `birchtar bookmark set CONFIG {read.input} {behind}`."
        )


def _shared(spark: SparkSession, source: Source, read: RunInput, others: Sequence[RunInput]) -> str:
    """Return what a run and others read both, in words; empty where that is nothing."""
    if not others:
        return ""
    if KEYS in (read.kind, others[0].kind):
        keys, ranges = (read, others) if read.kind == KEYS else (others[0], [read])
        if keys.until is None:
            return ""
        since, until = (KeyMark(**mark) if mark else None for mark in (keys.since, keys.until))
        rows = count_in_ranges(spark, source, since, until, [(each.since, each.until) for each in ranges])
        return f"{rows:,} of its rows" if rows else ""
    table = read.until[0]
    theirs = [other for other in others if other.until and other.until[0] == table]
    first = _version(read.since) + 1
    both = [(max(first, _version(other.since) + 1), min(read.until[1], other.until[1])) for other in theirs]
    told = sorted((low, high) for low, high in both if low <= high)
    spans = " and ".join(f"{low} to {high}" for low, high in told[:_MOST_SHOWN])
    return f"its versions {spans}" if spans else ""


def _version(mark: Sequence[Any] | None) -> int:
    return mark[1] if mark else -1


def _known(connection: Connection, bookmark_id: int, files: Sequence[RunFile]) -> list[str]:
    new = set(new_files(connection, bookmark_id, Listing.of(ListedFile(*file) for file in files)).new.paths)
    return [file.path for file in files if file.path not in new]


def _backfilled(state: State, job: str, files: Sequence[RunFile]) -> Iterator[str]:
    """Yield the files that backfills have read: these lie in their intervals, and were there when they began."""
    known: dict[str, list[tuple[datetime, datetime, datetime]]] = {}
    for scope, (_, began) in done_scopes(state, job).items():
        interval, pattern = parse_scope(scope)
        if isinstance(interval.start, datetime) and isinstance(interval.end, datetime):
            known.setdefault(pattern, []).append((interval.start, interval.end, began))
    covers = [(DatedPaths(pattern) if pattern else None, _Covered(spans)) for pattern, spans in known.items()]
    for file in files if covers else ():
        there = moment(file.modified)
        if any((at := date_of(file, dates)) is not None and covered.has(at, there) for dates, covered in covers):
            yield file.path


class _Covered:
    """Intervals, and when each of them was read."""

    def __init__(self, spans: Iterable[tuple[datetime, datetime, datetime]]) -> None:
        self.spans = sorted(spans)
        self.starts = [start for start, _, _ in self.spans]
        self.furthest = list(accumulate((end for _, end, _ in self.spans), max))

    def has(self, at: datetime, there: datetime) -> bool:
        """Tell whether a moment lies in an interval that was read later than something was there."""
        before = bisect_right(self.starts, at)
        while before and self.furthest[before - 1] > at:
            before -= 1
            _, end, began = self.spans[before]
            if at < end and there < began:
                return True
        return False


def _some(found: Sequence[str], files: Sequence[RunFile]) -> str:
    first, verb = found[0].removeprefix("file:"), "is" if len(found) == 1 else "are"
    return f"{len(found):,} of the {len(files):,} files, such as {first}, {verb}"
