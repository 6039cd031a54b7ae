"""What ran, newest first."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from birchtar.state.database import State, now
from birchtar.state.owners import Owner, is_alive
from birchtar.state.runs import SUCCEEDED, UNFINISHED
from birchtar.state.tables import jobs, runs
from birchtar.state.waiting import WAITING


@dataclass(frozen=True)
class PastRun:
    """A run as it is remembered, finished or not; all times in UTC."""

    job: str
    number: int
    state: str
    attempt: int
    kind: str
    started_at: datetime
    prepared_at: datetime | None
    finished_at: datetime | None
    error: str | None
    report: dict[str, Any] | None
    scope: str | None
    """The interval of a backfill."""
    is_dead: bool
    """Whether it is not finished and no process works on it: the next run of the job takes it over. One that was
    waiting has lost its place."""


def list_runs(state: State, job: str | None = None, *, limit: int = 20) -> list[PastRun]:
    """Return the latest runs of a job, or of all jobs, newest first."""
    query = select(runs).order_by(runs.c.id.desc()).limit(limit)
    if job is not None:
        query = query.where(runs.c.job == job)

    def work(connection: Connection) -> list[PastRun]:
        moment = now(connection)
        return [_past(row._asdict(), moment) for row in connection.execute(query)]

    return state.read(work)


def scoped_runs(connection: Connection, job: str) -> dict[str, tuple[int, str]]:
    """Return the scopes of a job that a run has done or begun, each with that run's number and state: the last such."""
    states = (SUCCEEDED, *UNFINISHED)
    query = select(runs.c.scope, runs.c.number, runs.c.state).where(
        runs.c.job == job, runs.c.scope.is_not(None), runs.c.state.in_(states)
    )
    return {row.scope: (row.number, row.state) for row in connection.execute(query.order_by(runs.c.number))}


class DoneScope(NamedTuple):
    """The last run of a scope that has succeeded."""

    number: int
    began: datetime


def done_scopes(state: State, job: str) -> dict[str, DoneScope]:
    """Return the scopes of a job of which a run has succeeded, each with the last one."""
    number, began = func.max(runs.c.number).label("number"), func.max(runs.c.started_at).label("began")
    query = select(runs.c.scope, number, began).where(
        runs.c.job == job, runs.c.scope.is_not(None), runs.c.state == SUCCEEDED
    )
    return state.read(
        lambda connection: {
            row.scope: DoneScope(row.number, row.began) for row in connection.execute(query.group_by(runs.c.scope))
        }
    )


def job_names(state: State) -> list[str]:
    """Return the names of all jobs that ever ran."""
    return state.read(lambda connection: list(connection.scalars(select(jobs.c.name).order_by(jobs.c.name))))


def _past(row: dict[str, Any], moment: datetime) -> PastRun:
    told = {field.name: row[field.name] for field in fields(PastRun) if field.name in row}
    owner = Owner(**row["owner"]) if row["owner"] else None
    works = owner is not None and is_alive(owner, row["lease_until"] or moment, now=moment)
    return PastRun(**told, is_dead=row["state"] in (WAITING, *UNFINISHED) and not works)
