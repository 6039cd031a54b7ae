"""The first half of a run: all is computed and written where nobody looks, and planned how readers get to see it."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pyspark.sql import SparkSession

from birchtar.lake.delta.dead_files import name_files
from birchtar.lake.label import Label
from birchtar.runner.accounting import account
from birchtar.runner.damaged import Found, around_damage
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.harmless import harmless
from birchtar.runner.input_reports import input_report, new_files_report
from birchtar.runner.pending import Pending, find_pending, require_unchanged
from birchtar.runner.plan import Plan
from birchtar.runner.progress import Progress
from birchtar.runner.quarantine import examples, stage_rejects
from birchtar.runner.quarantine_table import record_lines
from birchtar.runner.replayed import READ, Replayed, Selection, choose, stage_resolved
from birchtar.runner.report import ConflictReport, Report
from birchtar.runner.rules import judge, require_rules
from birchtar.runner.sensitive import sensitive_fields
from birchtar.runner.span import Span, find_between
from birchtar.runner.staged import StagedOutput
from birchtar.runner.staging import discard, stage_outputs
from birchtar.runner.tables import Tables, make_tables
from birchtar.runner.threshold import Threshold, is_passed
from birchtar.state.bookmarks import bookmarks_of
from birchtar.state.database import State
from birchtar.state.errors import StateError
from birchtar.state.publishing import RunOutput, fail, prepare
from birchtar.state.runs import Run
from transforms.choices.format_schema import format_schema


def compute(
    plan: Plan,
    spark: SparkSession,
    state: State,
    owned: Run,
    progress: Progress,
    selection: Selection | None,
    span: Span | None,
) -> tuple[Report, list[StagedOutput]]:
    """Stage all outputs and the rejected rows; when all is there, say so in the state database.

    Raises:
        JobError: Something failed; what was staged is deleted, and the run has failed.
        LostRunError: Another process took the run over.
    """
    started = time.monotonic()
    report = Report(owned.job, owned.number, owned.attempt)
    if owned.is_takeover:
        report.notes.append(f"Run {owned.number} had died before anything was published; it was computed again.")
    label = Label(owned.writer, "", owned.number, owned.attempt)
    name_files(spark, label)
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
        is_idle = all(each.is_empty for each in pending.values()) and all(map(plan.waits_for_new, plan.job.outputs))
        if pending and is_idle:
            report.inputs += [new_files_report(plan, pending, name, 0) for name in pending]
            report.notes.append("There is nothing new to read.")
            prepare(state, owned, [], report=report.as_json())
            return report, []
        told, staged = around_damage(
            spark, plan, pending, lambda damage: _stage(plan, spark, label, progress, pending, damage, replayed)
        )
        report = replace(told, job=report.job, notes=[*report.notes, *told.notes])
        require_unchanged(spark, pending)
        require_rules(report.rules)
        _require_few_rejects(spark, report, staged, plan.job.max_rejected)
        report.seconds = time.monotonic() - started
    except BaseException as error:
        with suppress(Exception):  # what went wrong first is what the user has to hear
            discard(spark, staged)
            fail(state, owned, harmless(error) if hides else sentence(error))
        if hides and isinstance(error, Exception) and not isinstance(error, StateError):
            raise JobError(harmless(error)) from None
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
        report.notes += tables.notes
        staged += stage_outputs(spark, plan, tables, label, progress)
        report.outputs += [output.report for output in staged]
        report.notes += [f"output {each.report.name}: {said}" for each in staged for said in each.staged.warnings]
        tables.hear_all(plan.wanted())
        if found := stage_rejects(spark, tables, label, plan.name):
            staged.append(found[0])
            report.rejects += found[1]
        if replayed is not None:
            staged.append(stage_resolved(replayed, label, plan.name))
            report.resolved += replayed.resolved
        report.inputs += [input_report(spark, plan, tables, pending, name) for name in plan.job.inputs]
        report.tables += account(plan, tables, report)
        report.input_schemas |= {name: tables.inputs[name].schema.json() for name in pending}
        report.rules += judge(tables.checks, tables.unheard)
    except BaseException:
        with suppress(Exception):  # what went wrong first is what the user has to hear
            discard(spark, staged)
        raise
    finally:
        tables.close()
    return report, staged


def _require_few_rejects(
    spark: SparkSession, report: Report, staged: Sequence[StagedOutput], most: Threshold | None
) -> None:
    """Stop a run that rejected too much, before anything of it is published; the message shows some of the rows."""
    rejected = sum(found.rows for found in report.rejects)
    entered = sum(each.rows for each in report.resolved if each.step != READ)
    read = sum(found.rows or 0 for found in report.inputs) + entered
    if most is None or not is_passed(most, rejected, read):
        return
    reasons = ", ".join(
        f"{rows:,} {code} in {found.table}, {found.step}"
        for found in report.rejects
        for code, rows in found.codes.items()
    )
    shown = "\n".join(line for row in examples(spark, staged) for line in record_lines(row))
    raise JobError(
        f"{rejected:,} of {read:,} rows were rejected, more than `max_rejected: {most}` allows: {reasons}."
        f" Nothing was published, and these rows are not in the quarantine. Some of them:\n{shown}"
    )


def _schemas(state: State, owned: Run) -> dict[str, str]:
    found = state.read(lambda connection: bookmarks_of(connection, owned.job))
    return {each.input: each.schema for each in found if each.schema is not None}


def _planned(output: StagedOutput) -> RunOutput:
    told = output.report
    return RunOutput(told.name, told.path, told.format, output.staged.plan, told.rows, told.files, told.bytes)


def _tell_conflicts(report: Report, tables: Tables) -> None:
    for name, conflicts in tables.conflicts.items():
        report.conflicts += [ConflictReport(name, str(conflict)) for conflict in conflicts]
        if conflicts:
            report.schemas[name] = format_schema(tables.frames[name].schema)
