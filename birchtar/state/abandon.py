"""The way out of a run that can never be finished, such as one whose staged files somebody deleted."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from birchtar.state.database import State, now
from birchtar.state.errors import JobBusyError
from birchtar.state.owners import Owner, is_alive
from birchtar.state.publishing import RunOutput, outputs_of_run
from birchtar.state.runs import UNFINISHED, lock_job
from birchtar.state.tables import run_files, runs
from birchtar.state.waiting import ABANDONED


@dataclass(frozen=True)
class Abandoned:
    """A run that nobody will finish."""

    number: int
    state: str
    """What it was: RUNNING or PREPARED."""
    published: list[str]
    """Outputs that readers see already: the next run reads the same inputs again, and appends their rows again."""
    unpublished: list[RunOutput]
    """Those that are not, or only in part."""


def abandon(state: State, job: str) -> list[Abandoned]:
    """Give up the runs of a job that are not finished, so that the next one begins anew. Bookmarks stay where they are.

    Raises:
        JobBusyError: A process works on one of them.
    """

    def work(connection: Connection) -> list[Abandoned]:
        lock_job(connection, job)
        moment = now(connection)
        found = connection.execute(select(runs).where(runs.c.job == job, runs.c.state.in_(UNFINISHED))).all()
        for row in found:
            if row.owner and is_alive(Owner(**row.owner), row.lease_until, now=moment):
                raise JobBusyError(
                    f"Run {row.number} of job `{job}` is at work, by {Owner(**row.owner)}. End it first."
                )
        for row in found:
            give_up(connection, row.id, f"It was {row.state}, and given up.")
        return [_told(connection, row) for row in found]

    return state.write(work)


def give_up(connection: Connection, run_id: int, why: str) -> None:
    """End a run that nobody works on; what it meant to read is forgotten."""
    ended = {"finished_at": now(connection), "owner": None, "lease_until": None, "error": why}
    connection.execute(update(runs).where(runs.c.id == run_id).values(state=ABANDONED, **ended))
    connection.execute(delete(run_files).where(run_files.c.run_id == run_id))


def _told(connection: Connection, row: Row[Any]) -> Abandoned:
    outputs = outputs_of_run(connection, row.id)
    done = [each.output for each in outputs if each.published_at]
    return Abandoned(row.number, row.state, done, [each for each in outputs if not each.published_at])
