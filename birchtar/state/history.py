"""What ran, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from birchtar.state.database import State
from birchtar.state.tables import runs


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


def list_runs(state: State, job: str | None = None, *, limit: int = 20) -> list[PastRun]:
    """Return the latest runs of a job, or of all jobs, newest first."""
    columns = [runs.c[name] for name in PastRun.__annotations__]
    query = select(*columns).order_by(runs.c.id.desc()).limit(limit)
    if job is not None:
        query = query.where(runs.c.job == job)
    return state.read(lambda connection: [PastRun(**row._mapping) for row in connection.execute(query)])
