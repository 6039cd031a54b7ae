"""One run of a job, as one transaction: staged where nobody looks, then published, then remembered.

A run that dies before everything is staged leaves nothing that a reader could see; the next run of the job takes over
its number and its inputs and computes it again. From then on a run is only ever finished: whoever comes next publishes
what is staged, as it was planned, without computing it a second time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession
from sqlalchemy import Connection

from birchtar.lake.label import Label
from birchtar.lake.measure import count_stored, size_of
from birchtar.lake.observed import observed_rows
from birchtar.lake.write import clean, publish
from birchtar.runner.accounting import account
from birchtar.runner.damaged import Found, around_damage
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.hidden import hide_values
from birchtar.runner.located import located
from birchtar.runner.pending import Pending, find_pending, require_unchanged
from birchtar.runner.plan import Plan, inputs_of, owner
from birchtar.runner.progress import Progress
from birchtar.runner.quarantine import stage_rejects
from birchtar.runner.replayed import Replayed, Selection, choose, stage_resolved
from birchtar.runner.report import ConflictReport, InputReport, Report
from birchtar.runner.rules import judge, require_rules
from birchtar.runner.sensitive import sensitive_fields
from birchtar.runner.span import Span, find_between
from birchtar.runner.staged import StagedOutput
from birchtar.runner.staging import discard, stage_outputs
from birchtar.runner.tables import Tables, make_tables
from birchtar.runner.threshold import Threshold, is_passed
from birchtar.state.bookmarks import FILES, bookmarks_of, move_bookmarks
from birchtar.state.database import State
from birchtar.state.errors import StateError
from birchtar.state.heartbeat import Heartbeat
from birchtar.state.intents import intent
from birchtar.state.publishing import RunOutput, fail, mark_published, outputs_of, prepare, succeed
from birchtar.state.quarantine import RejectedRows, index_rejects, resolve_rejects
from birchtar.state.runs import PREPARED, Busy, Run, begin
from transforms.choices.format_schema import format_schema

BACKFILL = "backfill"
"""The kind of a run that reads an interval."""


def job_name(plan: Plan) -> str:
    """Return the name by which a job's runs are remembered: that of its config, without the ending."""
    return Path(plan.file).stem


def may_follow(plan: Plan) -> bool:
    """Return whether another run, right behind one, adds no row a second time.

    It adds none to an output that it replaces or merges into, nor where a bookmark keeps it from reading rows again.
    """
    tables = {table.name: table.reads for table in plan.tables}
    return all(
        output.mode != "append"
        or any(plan.job.inputs[name].bookmark for name in inputs_of(owner(name, set(tables)), tables))
        for name, output in plan.job.outputs.items()
    )


def run(
    plan: Plan,
    spark: SparkSession,
    state: State,
    progress: Progress,
    *,
    on_wait: Callable[[Busy], None] | None = None,
    span: Span | None = None,
    again: bool = False,
) -> Report:
    """Run a job to its end, or finish the run of it that died.

    While another process runs the same job, this one waits or fails, as the config's ``when_busy`` says. With a span
    it is a run of a backfill: it reads what lies in that interval, moves no bookmark, and only runs of the same
    interval are in its way; one that succeeded is not repeated unless it is to run again.

    Raises:
        JobError: Something failed. No output has changed, unless the message says that the next run will finish it.
        JobBusyError: Another process runs the job, and ``when_busy`` is ``fail``.
        JobDoneError: The backfill of the interval has succeeded before.
    """
    kind, scope = ("run", None) if span is None else (BACKFILL, span.scope)
    once, when_busy = span is not None and not again, plan.job.when_busy
    while True:
        owned = begin(state, job_name(plan), kind=kind, when_busy=when_busy, on_wait=on_wait, scope=scope, once=once)
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
            report, staged = _compute(plan, spark, state, owned, progress, selection, span)
        else:
            report = replace(Report.from_json(owned.report or {}), attempt=owned.attempt)
            report.notes.append(f"Run {owned.number} had died when all was computed; it was finished now.")
        return _publish(spark, state, owned, report, staged)


def _compute(
    plan: Plan,
    spark: SparkSession,
    state: State,
    owned: Run,
    progress: Progress,
    selection: Selection | None,
    span: Span | None,
) -> tuple[Report, list[StagedOutput]]:
    """Stage all outputs and the rejected rows; when all is there, say so in the state database."""
    started = time.monotonic()
    report = Report(owned.job, owned.number, owned.attempt)
    if owned.is_takeover:
        report.notes.append(f"Run {owned.number} had died before anything was published; it was computed again.")
    label = Label(owned.writer, "", owned.number, owned.attempt)
    staged: list[StagedOutput] = []
    hides = bool(sensitive_fields(plan))
    replayed: Replayed | None = None
    try:
        pending: dict[str, Pending] = {}
        if selection is None:
            look = partial(find_between, span=span) if span else find_pending
            pending = look(plan, spark, state, owned)
        else:
            replayed = choose(spark, plan, owned.job, selection, _schemas(state, owned))
            report.notes += replayed.left if replayed else []
        if selection is not None and (replayed is None or not replayed.resolved):
            report.notes.append("There is nothing to replay.")
            prepare(state, owned, [], report=report.as_json())
            return report, []
        report.notes += [note for each in pending.values() for note in each.notes]
        if pending and all(each.is_empty for each in pending.values()):
            report.inputs += [_new_files_report(plan, pending, name, 0) for name in pending]
            report.notes.append("There is nothing new to read.")
            prepare(state, owned, [], report=report.as_json())
            return report, []
        told, staged = around_damage(
            spark, plan, pending, lambda damage: _stage(plan, spark, label, progress, pending, damage, replayed)
        )
        report = replace(told, job=report.job, notes=[*report.notes, *told.notes])
        require_unchanged(spark, pending)
        require_rules(report.rules)
        _require_few_rejects(report, plan.job.max_rejected)
        report.seconds = time.monotonic() - started
    except BaseException as error:
        with suppress(Exception):  # what went wrong first is what the user has to hear
            discard(spark, staged)
            fail(state, owned, hide_values(sentence(error)) if hides else sentence(error))
        if hides and isinstance(error, Exception) and not isinstance(error, StateError):
            raise JobError(hide_values(sentence(error))) from None
        raise
    finally:
        if replayed is not None:
            replayed.kept.unpersist()
    # Whatever happens from here on, what is staged stays: the state database may say already that all is prepared.
    prepare(state, owned, [_planned(output) for output in staged], report=report.as_json())
    return report, staged


def _stage(
    plan: Plan,
    spark: SparkSession,
    label: Label,
    progress: Progress,
    pending: Mapping[str, Pending],
    damage: Found,
    replayed: Replayed | None,
) -> tuple[Report, list[StagedOutput]]:
    """Compute all and write it where nobody looks; of a failure nothing is left."""
    report = Report(label.job, label.number, label.attempt)
    staged: list[StagedOutput] = []
    tables = make_tables(spark, plan, pending, damage, replayed)
    try:
        _tell_conflicts(report, tables)
        staged += stage_outputs(spark, plan, tables, label, progress)
        report.outputs += [output.report for output in staged]
        report.notes += [f"output {each.report.name}: {said}" for each in staged for said in each.staged.warnings]
        if found := stage_rejects(spark, tables, label, job_name(plan)):
            staged.append(found[0])
            report.rejects += found[1]
        if replayed is not None:
            staged.append(stage_resolved(replayed, label, job_name(plan)))
            report.resolved += replayed.resolved
        report.inputs += [_input_report(spark, plan, tables, pending, name) for name in plan.job.inputs]
        report.tables += account(plan, tables, report)
        report.input_schemas |= {name: tables.inputs[name].schema.json() for name in pending}
        report.rules += judge(tables.checks, tables.early)
    except BaseException:
        with suppress(Exception):  # what went wrong first is what the user has to hear
            discard(spark, staged)
        raise
    finally:
        tables.close()
    return report, staged


def _publish(spark: SparkSession, state: State, owned: Run, report: Report, staged: Sequence[StagedOutput]) -> Report:
    """Let readers see what is staged, output by output, and then remember the run. Safe to begin again at any point."""
    here = {output.report.name: output.staged for output in staged}
    for output in outputs_of(state, owned):
        if output.published_at is None:
            try:
                publish(spark, output.plan, here.get(output.output))
            except Exception as error:
                with suppress(StateError):
                    fail(state, owned, f"output {output.output}: {sentence(error)}")
                raise JobError(
                    f"output {output.output}: {sentence(error)}\nEverything is computed and waits beside its table:"
                    " run the job again when the cause is gone, and it will be published."
                ) from error
            mark_published(state, owned, output.output)
        clean(spark, output.plan)
    read = intent(state, owned)

    def also(connection: Connection) -> None:
        if owned.kind != BACKFILL:
            move_bookmarks(connection, owned, read, report.input_schemas)
        index_rejects(connection, owned, _by_code(report))
        resolve_rejects(connection, owned.job, (astuple(each) for each in report.resolved))

    succeed(state, owned, report.as_json(), also)
    return report


def _schemas(state: State, owned: Run) -> dict[str, str]:
    found = state.read(lambda connection: bookmarks_of(connection, owned.job))
    return {each.input: each.schema for each in found if each.schema is not None}


def _by_code(report: Report) -> list[RejectedRows]:
    return [
        RejectedRows(found.table, found.step, found.rule, code, rows, found.path)
        for found in report.rejects
        for code, rows in found.codes.items()
    ]


def _planned(output: StagedOutput) -> RunOutput:
    told = output.report
    return RunOutput(told.name, told.path, told.format, output.staged.plan, told.rows, told.files, told.bytes)


def _tell_conflicts(report: Report, tables: Tables) -> None:
    for name, conflicts in tables.conflicts.items():
        report.conflicts += [ConflictReport(name, str(conflict)) for conflict in conflicts]
        if conflicts:
            report.schemas[name] = format_schema(tables.frames[name].schema)


def _input_report(
    spark: SparkSession, plan: Plan, tables: Tables, pending: Mapping[str, Pending], name: str
) -> InputReport:
    source = located(plan.job.inputs[name])
    observation = tables.read.get(name)
    if name in pending and pending[name].is_empty:
        rows: int | None = 0
    elif observation in tables.early:
        rows = tables.inputs[name].count()  # it ended before it saw all rows
    elif observation is None:
        rows = count_stored(spark, source)
    else:
        rows = observed_rows(observation)
    if name in pending:
        return _new_files_report(plan, pending, name, rows)
    bytes_read = size_of(spark, source) if name not in tables.replayed else 0
    return InputReport(name, rows, bytes_read, _said_path(plan, name))


def _new_files_report(plan: Plan, pending: Mapping[str, Pending], name: str, rows: int | None) -> InputReport:
    read = pending[name].read
    files = len(read.files) if read.kind == FILES else None
    return InputReport(name, rows, read.bytes or 0, _said_path(plan, name), files)


def _said_path(plan: Plan, name: str) -> str:
    source = plan.job.inputs[name]
    return ", ".join(source.paths) or f"{source.table or 'a query'} of {source.url}"


def _require_few_rejects(report: Report, most: Threshold | None) -> None:
    """Stop a run that rejected too much, before anything of it is published."""
    rejected = sum(found.rows for found in report.rejects)
    read = sum(found.rows or 0 for found in report.inputs)
    if most is None or not is_passed(most, rejected, read):
        return
    reasons = ", ".join(
        f"{rows:,} {code} in {found.table}, {found.step}"
        for found in report.rejects
        for code, rows in found.codes.items()
    )
    raise JobError(
        f"{rejected:,} of {read:,} rows were rejected, more than `max_rejected: {most}` allows: {reasons}."
        " Nothing was published."
    )
