"""A replay: rejected rows go through the corrected job once more, and are resolved in the transaction that ends it."""

from collections.abc import Callable

from pyspark.sql import SparkSession

from birchtar.runner.plan import Plan
from birchtar.runner.progress import Progress
from birchtar.runner.quarantined import require_here
from birchtar.runner.replayable import require_adding
from birchtar.runner.replayed import Selection
from birchtar.runner.report import Report
from birchtar.runner.run import carry_out
from birchtar.state.database import State
from birchtar.state.runs import PREPARED, Busy, begin


def replay(
    plan: Plan,
    spark: SparkSession,
    state: State,
    progress: Progress,
    selection: Selection,
    *,
    on_wait: Callable[[Busy], None] | None = None,
) -> list[Report]:
    """Send rejected rows through their job again, as it is now; each exactly once.

    Rows that an input rejected are read anew from their text and go through all tables; rows that a step or a rule
    rejected enter their table there. Inputs that are only looked up are read as usual, of others nothing is. What is
    rejected again is a new row of the quarantine. A run that died is finished first, and so is a replay that was ready
    to be published.

    Returns:
        What was finished first, and at last the replay.

    Raises:
        JobError: The job overwrites an output, or a row cannot enter it as its config is now; the rows lie below
            another folder; or what `run` raises.
        JobBusyError: As `run`.
    """
    require_adding(plan)
    require_here(plan.name, selection.columns, state)
    reports: list[Report] = []
    while True:
        owned = begin(state, plan.name, kind="replay", when_busy=plan.job.when_busy, on_wait=on_wait)
        if owned.kind == "replay" and owned.state != PREPARED:
            return [*reports, carry_out(plan, spark, state, owned, progress, selection)]
        reports.append(carry_out(plan, spark, state, owned, progress))
