"""The second half of a run: readers get to see what is staged, and then bookmarks, counts and the run move together."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple

from pyspark.sql import SparkSession
from sqlalchemy import Connection

from birchtar.lake.write import clean, publish
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.harmless import harmless
from birchtar.runner.report import Report
from birchtar.runner.span import BACKFILL
from birchtar.runner.staged import StagedOutput
from birchtar.state.bookmarks import move_bookmarks
from birchtar.state.database import State
from birchtar.state.errors import StateError
from birchtar.state.intents import intent
from birchtar.state.publishing import fail, mark_published, outputs_of, succeed
from birchtar.state.quarantine import RejectedRows, index_rejects, resolve_rejects
from birchtar.state.runs import Run


def publish_run(
    spark: SparkSession, state: State, owned: Run, report: Report, staged: Sequence[StagedOutput], *, hides: bool
) -> Report:
    """Let readers see what is staged, output by output, and then remember the run. Safe to begin again at any point.

    Args:
        spark: The run's own session.
        state: Where runs are kept.
        owned: A run of ours that is PREPARED.
        report: What it has counted.
        staged: What this process has staged; nothing where another one did.
        hides: Whether there are values that no message may show.

    Raises:
        JobError: An output cannot be published. The next run of the job begins again here.
        LostRunError: Another process took the run over.
    """
    here = {output.report.name: output.staged for output in staged}
    # What is merged first: whatever keeps it from being published, nothing is appended yet that could come twice.
    for output in sorted(outputs_of(state, owned), key=lambda output: output.plan["sink"]["mode"] == "append"):
        if output.published_at is None:
            try:
                publish(spark, output.plan, here.get(output.output))
            except Exception as error:
                said = f"output {output.output}: {harmless(error) if hides else sentence(error)}"
                with suppress(StateError):
                    fail(state, owned, said)
                raise JobError(
                    f"{said}\nEverything is computed and waits beside its table: run the job again when the cause is"
                    " gone, and it will be published. Where it cannot be mended,"
                    f" `birchtar abandon {owned.job}` gives the run up, and the next one reads its inputs again."
                ) from (None if hides else error)
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


def _by_code(report: Report) -> list[RejectedRows]:
    return [
        RejectedRows(found.table, found.step, found.rule, code, rows, found.path)
        for found in report.rejects
        for code, rows in found.codes.items()
    ]
