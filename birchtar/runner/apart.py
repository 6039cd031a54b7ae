"""Backfills of a job whose intervals lie over each other: where an output appends, it would get rows twice."""

from collections.abc import Sequence

from sqlalchemy import Connection

from birchtar.runner.failures import JobError
from birchtar.runner.intervals import overlap
from birchtar.runner.plan import Plan
from birchtar.runner.scopes import parse_scope
from birchtar.runner.span import Span
from birchtar.state.history import scoped_runs
from birchtar.state.runs import SUCCEEDED


def require_apart(connection: Connection, plan: Plan, spans: Sequence[Span]) -> None:
    """Refuse intervals that lie over others that runs have done, or have begun.

    Raises:
        JobError: With the first such interval. One of which a run has succeeded, or is not finished, is no new one.
    """
    appends = [name for name, sink in plan.job.outputs.items() if sink.mode == "append"]
    known = scoped_runs(connection, plan.name) if appends else {}
    # Intervals of one call do not meet, so only those of other calls matter: as a rule there are none.
    own = {span.scope for span in spans}
    others = [(*parse_scope(scope), run) for scope, run in known.items() if scope not in own]
    for span in spans if others else ():
        if span.scope in known:
            continue
        _, pattern = parse_scope(span.scope)
        for other, its_pattern, (number, state) in others:
            if pattern != its_pattern or not overlap(other, span.interval):
                continue
            what = f"{span.interval} lies over {other}"
            twice = f"the rows of both would be appended twice (output {', '.join(appends)})"
            if state == SUCCEEDED:
                raise JobError(
                    f"{what}, which succeeded in run {number}: {twice}. Take the same --step and the same --from as"
                    " then, or say --again if they shall be."
                )
            raise JobError(
                f"{what}, of which run {number} is {state}: {twice}. Let that one end first: the backfill that began"
                f" it finishes it when it is called again, and `birchtar abandon {plan.name}` gives it up."
            )
