"""Which runs set rows apart, how many, why and where: what `birchtar quarantine list` tells without opening a file."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from birchtar.state.runs import Run
from birchtar.state.tables import quarantine


@dataclass(frozen=True)
class RejectedRows:
    """The rows of one run that one input, step or rule rejected for one reason."""

    table: str
    step: str
    rule: str
    """Empty where reading or a step rejected them."""
    code: str
    rows: int
    path: str


def index_rejects(connection: Connection, run: Run, found: Iterable[RejectedRows]) -> None:
    """Write down what a run rejected; once, however often it is called."""
    if connection.scalar(select(quarantine.c.id).where(quarantine.c.run_id == run.id).limit(1)) is not None:
        return
    rows = [{"run_id": run.id, "job": run.job, "resolved": 0, **vars(each)} for each in found]
    if rows:
        connection.execute(insert(quarantine), rows)
