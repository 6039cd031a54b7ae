"""A job run for each interval of a range.

Each interval is a transaction of its own, like any run: published as a whole or not at all, taken over where its
process died. It moves no bookmark. Intervals may run at once, beside each other and beside the job's ordinary runs:
only runs of the same interval are in each other's way (`birchtar.state.runs.begin`, the scope). So the outputs have to
take several writers: appending and merging do, in Delta and in plain files; replacing a whole table does not, and is
refused. With `overwrite_partitions` the last of two intervals that write one partition wins: it is for jobs whose
intervals are whole partitions, which nobody can check for the user, who therefore has to say so in the config
(`partitions_arrive_whole`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime

from pyspark.sql import SparkSession

from birchtar.lake.source import Source
from birchtar.runner.bookmark_kinds import KEYS, kind_of
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.intervals import Interval
from birchtar.runner.plan import Plan
from birchtar.runner.progress import Progress
from birchtar.runner.run import run
from birchtar.runner.span import Span
from birchtar.state.database import State
from birchtar.state.errors import JobDoneError
from birchtar.state.history import done_scopes
from birchtar.state.runs import FAILED, SUCCEEDED, Busy

DONE_BEFORE = "done before"


@dataclass(frozen=True)
class Outcome:
    """What became of one interval."""

    interval: Interval
    state: str
    """SUCCEEDED, FAILED or done before."""
    run: int | None = None
    read: int | None = None
    """Rows of the bookmarked inputs, as far as they were counted."""
    written: int | None = None
    rejected: int | None = None
    seconds: float = 0.0
    error: str = ""
    notes: list[str] = field(default_factory=list)


def require_backfillable(plan: Plan, spans: Sequence[Span]) -> list[str]:
    """Refuse a job that cannot be run by intervals, before Spark starts. Returns what the user has to know.

    Raises:
        JobError: No input has a bookmark, an output is overwritten, or an input does not go by such intervals.
    """
    inputs = {name: source for name, source in plan.job.inputs.items() if source.bookmark}
    if not inputs:
        raise JobError(
            f"{plan.file}: no input has a bookmark (`bookmark: true`): nothing says what an interval is to restrict."
        )
    for name, source in inputs.items():
        _require_kind(f"{plan.place(('inputs', name))}: input {name}", source, spans[0])
    notes = []
    for name, sink in plan.job.outputs.items():
        if sink.mode == "overwrite":
            raise JobError(
                f"{plan.place(('outputs', name))}: output {name}: `mode: overwrite` would keep the rows of one interval"
                " only. A backfill needs append, merge, scd2 or overwrite_partitions."
            )
        if sink.mode == "overwrite_partitions":
            notes.append(f"output {name}: where two intervals write one partition, it keeps the rows of the last only.")
    return notes


def backfill(
    plan: Plan,
    spark: SparkSession,
    state: State,
    progress: Progress,
    spans: Sequence[Span],
    *,
    parallel: int = 1,
    again: bool = False,
    on_wait: Callable[[Busy], None] | None = None,
) -> list[Outcome]:
    """Run a job for each interval, the earliest first, several at once; one that fails stops no other.

    Args:
        plan: The job.
        spark: A session; each run makes one of its own from it.
        state: Where runs are remembered.
        progress: Shows how far the outputs are.
        spans: The intervals.
        parallel: How many run at once.
        again: Run also those that have succeeded before, and read also files that the bookmark knows.
        on_wait: Called where another process works on an interval, before that is waited for.

    Returns:
        What became of each, in their order.
    """

    def one(span: Span) -> Outcome:
        return _outcome(plan, spark, state, progress, replace(span, again=again), on_wait)

    with ThreadPoolExecutor(parallel, thread_name_prefix="backfill") as pool:
        futures: list[Future[Outcome]] = []
        try:
            futures += [pool.submit(one, span) for span in spans]
            wait(futures)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            spark.sparkContext.cancelAllJobs()
            raise
    return [future.result() for future in futures]


def done_before(state: State, plan: Plan, spans: Sequence[Span]) -> list[Outcome]:
    """Return the outcomes of those intervals that have succeeded before."""
    done = done_scopes(state, plan.name)
    return [Outcome(span.interval, DONE_BEFORE, done[span.scope].number) for span in spans if span.scope in done]


def _outcome(
    plan: Plan,
    spark: SparkSession,
    state: State,
    progress: Progress,
    span: Span,
    on_wait: Callable[[Busy], None] | None,
) -> Outcome:
    began = time.monotonic()
    try:
        report = run(plan, spark, state, progress, on_wait=on_wait, span=span)
    except JobDoneError:
        return Outcome(span.interval, DONE_BEFORE)
    except Exception as error:
        return Outcome(span.interval, FAILED, seconds=time.monotonic() - began, error=sentence(error))
    counted = [read.rows for read in report.inputs if read.rows is not None and plan.job.inputs[read.name].bookmark]
    return Outcome(
        span.interval,
        SUCCEEDED,
        report.number,
        sum(counted) if counted else None,
        sum(wrote.rows for wrote in report.outputs),
        sum(rejected.rows for rejected in report.rejects),
        time.monotonic() - began,
        notes=report.notes,
    )


def notes_of(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what several runs told alike, once."""
    yield from dict.fromkeys(note for outcome in outcomes for note in outcome.notes if note.startswith("input "))


def _require_kind(where: str, source: Source, span: Span) -> None:
    is_number = not isinstance(span.interval.start, datetime)
    if is_number and kind_of(source) != KEYS:
        raise JobError(f"{where}: only a database's keys lie in intervals of numbers. Say --from and --to as dates.")
