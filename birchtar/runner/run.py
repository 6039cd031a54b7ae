"""One run of a job, as one transaction: staged where nobody looks, then published, then remembered.

A run that dies before everything is staged leaves nothing that a reader could see; the next run of the job takes over
its number and its inputs and computes it again. From then on a run is only ever finished: whoever comes next publishes
what is staged, as it was planned, without computing it a second time.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pyspark.sql import SparkSession

from birchtar.runner.apart import require_apart
from birchtar.runner.compute import compute
from birchtar.runner.plan import Plan
from birchtar.runner.progress import Progress
from birchtar.runner.publication import publish_run
from birchtar.runner.replayed import Selection
from birchtar.runner.report import Report
from birchtar.runner.sensitive import sensitive_fields
from birchtar.runner.span import BACKFILL, Span
from birchtar.runner.staged import StagedOutput
from birchtar.state.database import State
from birchtar.state.heartbeat import Heartbeat
from birchtar.state.publishing import fail
from birchtar.state.runs import PREPARED, Busy, Run, begin


def may_follow(plan: Plan) -> bool:
    """Return whether another run, right behind one, adds no row a second time.

    It adds none to an output that it replaces or merges into, nor where a bookmark keeps it from reading rows again.
    """
    return all(output.mode != "append" or plan.waits_for_new(name) for name, output in plan.job.outputs.items())


def run(
    plan: Plan,
    spark: SparkSession,
    state: State,
    progress: Progress,
    *,
    on_wait: Callable[[Busy], None] | None = None,
    span: Span | None = None,
) -> Report:
    """Run a job to its end, or finish the run of it that died.

    While another process runs the same job, this one waits or fails, as the config's ``when_busy`` says. With a span
    it is a run of a backfill: it reads what lies in that interval, moves no bookmark, and only runs of the same
    interval are in its way; one that succeeded is not repeated unless the span says so.

    Raises:
        JobError: Something failed. No output has changed, unless the message says that the next run will finish it.
        JobBusyError: Another process runs the job, and ``when_busy`` is ``fail``.
        JobDoneError: The backfill of the interval has succeeded before.
    """
    begun = partial(begin, state, plan.name, when_busy=plan.job.when_busy, on_wait=on_wait)
    if span is not None:
        check = None if span.again else partial(require_apart, plan=plan, spans=[span])
        begun = partial(begun, kind=BACKFILL, scope=span.scope, once=not span.again, check=check)
    while True:
        owned = begun()
        if owned.kind != "replay" or owned.state == PREPARED:
            return carry_out(plan, spark, state, owned, progress, span=span)
        fail(state, owned, "The replay died before it had changed anything. Replay again.")


def carry_out(
    plan: Plan,
    spark: SparkSession,
    state: State,
    owned: Run,
    progress: Progress,
    selection: Selection | None = None,
    span: Span | None = None,
) -> Report:
    """Do all of a run of ours, or what is left of it.

    Args:
        plan: The job.
        spark: A session to work beside.
        state: Where runs are kept.
        owned: The run, just begun or taken over.
        progress: Is told how far it is.
        selection: Of a replay that is to be computed, which rejected rows it sends through the job.
        span: Of a backfill, the interval that it reads.

    Raises:
        JobError: As `run`.
    """
    # A session of the run's own: its views and settings meet nobody else's.
    spark = spark.newSession()
    with Heartbeat(state, owned):
        staged: list[StagedOutput] = []
        if owned.state != PREPARED:
            report, staged = compute(plan, spark, state, owned, progress, selection, span)
        else:
            report = replace(Report.from_json(owned.report or {}), attempt=owned.attempt)
            report.notes.append(f"Run {owned.number} had died when all was computed; it was finished now.")
        return publish_run(spark, state, owned, report, staged, hides=bool(sensitive_fields(plan)))
