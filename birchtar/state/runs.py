"""Whose a run is: begun by one process, or taken over from one that died.

Whoever begins or changes a run holds the lock of its job's row meanwhile, and every change first looks whether the run
is still ours: in a takeover its attempt is counted up.
"""

import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from birchtar.state.database import State, now
from birchtar.state.errors import JobBusyError, LostRunError
from birchtar.state.owners import Owner, is_alive, this_process
from birchtar.state.tables import jobs, runs

RUNNING, PREPARED, SUCCEEDED, FAILED = "RUNNING", "PREPARED", "SUCCEEDED", "FAILED"
UNFINISHED = (RUNNING, PREPARED)
LEASE = timedelta(seconds=60)
"""For how long a process that nobody can look at is taken for alive without another word from it."""

_LOOKS = (0.2, 1.0)
"""Seconds between two looks at a busy job, at least and at most."""


@dataclass(frozen=True)
class Run:
    """A run that this process owns."""

    id: int
    job: str
    job_key: str
    """Of no other job, in this state database or another: tables remember by it what a job wrote to them."""
    number: int
    attempt: int
    state: str
    """When it was begun or taken over: RUNNING, to be computed, or PREPARED, to be published as it was planned."""
    kind: str
    """Of a run that was taken over, what that one was: run, replay or backfill."""
    is_takeover: bool
    report: dict[str, Any] | None = None
    """What `prepare` was told, for whoever publishes."""


@dataclass(frozen=True)
class Busy:
    """A run that another process works on."""

    job: str
    number: int
    owner: Owner
    started_at: datetime

    def __str__(self) -> str:
        return (
            f"Job `{self.job}` is running already: run {self.number}, by {self.owner},"
            f" since {self.started_at:%Y-%m-%d %H:%M:%S} UTC."
        )


def begin(
    state: State,
    job: str,
    *,
    kind: str = "run",
    when_busy: Literal["wait", "fail"] = "wait",
    on_wait: Callable[[Busy], None] | None = None,
) -> Run:
    """Begin the next run of a job, or take over the one whose process died; two processes never own one run.

    Args:
        state: Where runs are kept.
        job: The job's name; the first run of that name makes the job.
        kind: What a new run is called.
        when_busy: What to do while another process runs the job.
        on_wait: Called once, before the waiting begins.

    Raises:
        JobBusyError: Another process runs the job, and `when_busy` is `fail`.
    """
    while isinstance(found := state.write(lambda connection: _begin(connection, job, kind)), Busy):
        if when_busy == "fail":
            raise JobBusyError(f"{found} Wait until it has ended, or end that process.")
        if on_wait:
            on_wait(found)
            on_wait = None
        # Not in step with others that wait.
        time.sleep(random.uniform(*_LOOKS))  # noqa: S311 - nothing secret
    return found


def renew(state: State, run: Run) -> None:
    """Tell those who cannot see this process that it lives, for the length of a `LEASE` from now.

    Does nothing to a run that is finished.

    Raises:
        LostRunError: Another process took it over.
    """

    def work(connection: Connection) -> None:
        renewed = connection.execute(update(runs).where(_is_ours(run)).values(lease_until=now(connection) + LEASE))
        if renewed.rowcount == 0:
            _check(connection, run, *UNFINISHED, SUCCEEDED, FAILED)

    state.write(work)


def release(state: State, run: Run) -> None:
    """Give up a run that is not finished, for the next process to take over at once. Otherwise it does nothing."""

    def work(connection: Connection) -> None:
        connection.execute(update(runs).where(_is_ours(run)).values(owner=None, lease_until=None))

    state.write(work)


def lock(connection: Connection, run: Run, *states: str) -> str:
    """Lock the job of a run of ours to the end of the transaction, and return the run's state: one of `states`.

    Raises:
        LostRunError: The run is no longer ours, or in another state.
    """
    _lock_job(connection, run.job)
    return _check(connection, run, *states)


def _begin(connection: Connection, job: str, kind: str) -> Run | Busy:
    key = _lock_job(connection, job)
    moment = now(connection)
    mine = {"owner": asdict(this_process()), "lease_until": moment + LEASE}
    newest_first = select(runs).where(runs.c.job == job).order_by(runs.c.number.desc())
    last = connection.execute(newest_first.limit(1)).one_or_none()
    if last is None or last.state not in UNFINISHED:
        number = last.number + 1 if last else 1
        new = {"job": job, "number": number, "state": RUNNING, "attempt": 1, "kind": kind, "started_at": moment}
        connection.execute(insert(runs).values(**new, **mine))
        run_id = connection.execute(select(runs.c.id).where(runs.c.job == job, runs.c.number == number)).scalar_one()
        return Run(run_id, job, key, number, 1, RUNNING, kind, is_takeover=False)
    if last.owner and is_alive(Owner(**last.owner), last.lease_until, now=moment):
        return Busy(job, last.number, Owner(**last.owner), last.started_at)
    connection.execute(update(runs).where(runs.c.id == last.id).values(attempt=last.attempt + 1, **mine))
    return Run(
        last.id, job, key, last.number, last.attempt + 1, last.state, last.kind, is_takeover=True, report=last.report
    )


def _lock_job(connection: Connection, job: str) -> str:
    """Make the job's row where it is not there, lock it, and return its key; SQLite has locked the whole database."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(jobs).values(name=job, key=uuid4().hex[:16]).on_conflict_do_nothing())
    return str(connection.execute(select(jobs.c.key).where(jobs.c.name == job).with_for_update()).scalar_one())


def _is_ours(run: Run) -> ColumnElement[bool]:
    return (runs.c.id == run.id) & (runs.c.attempt == run.attempt) & runs.c.state.in_(UNFINISHED)


def _check(connection: Connection, run: Run, *states: str) -> str:
    row = connection.execute(select(runs).where(runs.c.id == run.id)).one_or_none()
    if row is None:
        raise LostRunError(f"Run {run.number} of job `{run.job}` is not in the state database any more.")
    if row.attempt != run.attempt:
        who = f": {Owner(**row.owner)} has it" if row.owner else ""
        raise LostRunError(f"Run {run.number} of job `{run.job}` was taken over{who} (attempt {row.attempt}).")
    if row.state not in states:
        raise LostRunError(
            f"Run {run.number} of job `{run.job}` is {row.state}, where {' or '.join(states)} was expected."
        )
    return str(row.state)
