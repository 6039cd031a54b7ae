"""Which runs set rows apart, how many, why and where: what `birchtar quarantine list` tells without opening a file."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from birchtar.state.database import State
from birchtar.state.runs import Run
from birchtar.state.tables import quarantine, runs


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


@dataclass(frozen=True)
class Indexed:
    """A line of the index: rows that one run rejected at one place for one reason."""

    job: str
    run: int
    table: str
    step: str
    rule: str
    code: str
    rows: int
    resolved: int
    """How many of them a replay has sent through the job again."""
    path: str


def list_rejects(state: State, job: str | None = None) -> list[Indexed]:
    """Return what runs rejected, the newest first."""
    q = quarantine.c
    columns = (q.job, runs.c.number, q.table, q.step, q.rule, q.code, q.rows, q.resolved, q.path)
    query = select(*columns).join(runs, runs.c.id == q.run_id).order_by(q.run_id.desc(), q.id)
    if job is not None:
        query = query.where(q.job == job)
    return state.read(lambda connection: [Indexed(*row) for row in connection.execute(query)])


def resolve_rejects(connection: Connection, job: str, resolved: Iterable[tuple[int, str, str, str, str, int]]) -> None:
    """Count rejected rows as resolved: each a run's number, a table, a step, a rule, a code, and how many rows."""
    q = quarantine.c
    for run, table, step, rule, code, rows in resolved:
        run_id = select(runs.c.id).where(runs.c.job == job, runs.c.number == run).scalar_subquery()
        here = (q.run_id == run_id) & (q.table == table) & (q.step == step) & (q.rule == rule) & (q.code == code)
        connection.execute(update(quarantine).where(here).values(resolved=q.resolved + rows))
