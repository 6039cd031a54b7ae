"""Whose a run is: begun by one process, or taken over from one that died.

Whoever begins or changes a run holds the lock of its job's row meanwhile, and every change first looks whether the run
is still ours: in a takeover its attempt is counted up.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, select, update
from sqlalchemy.dialects import sqlite

from birchtar.state.database import State, now
from birchtar.state.errors import JobBusyError, JobDoneError, LostRunError, StateError
from birchtar.state.owners import Owner, is_alive, this_process
from birchtar.state.tables import jobs, runs
from birchtar.state.waiting import WAITING, keep_place, leave, waiting_before

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
    scope: str | None = None
    """The interval of a backfill."""

    @property
    def writer(self) -> str:
        """The name by which tables remember what was written to them.

        Of an ordinary run it is the job's: tables take its numbers in their order, and none twice. Runs that have a
        scope end in any order, so each has a name of its own.
        """
        # No hyphen: what begins with the job's key and one is taken for what its dead runs have left.
        return self.job_key if self.scope is None else f"{self.job_key}_{self.number}"


@dataclass(frozen=True)
class Busy:
    """A run that another process works on, or that waits before ours."""

    job: str
    number: int
    owner: Owner
    started_at: datetime
    state: str = RUNNING
    place: int | None = None
    """The id of the run of ours that waits in the queue."""
    ahead: int = 0
    """How many wait before it."""

    def __str__(self) -> str:
        what = "is waited for" if self.state == WAITING else "is running"
        queue = "" if self.place is None else f" {self.ahead} in the queue before this run."
        return (
            f"Job `{self.job}` {what} already: run {self.number}, by {self.owner},"
            f" since {self.started_at:%Y-%m-%d %H:%M:%S} UTC.{queue}"
        )


@dataclass(frozen=True)
class _Wanted:
    """What `begin` was asked for."""

    job: str
    kind: str
    scope: str | None
    queues: bool
    once: bool
    check: Callable[[Connection], None] | None


def begin(
    state: State,
    job: str,
    *,
    kind: str = "run",
    when_busy: Literal["wait", "queue", "fail"] = "wait",
    on_wait: Callable[[Busy], None] | None = None,
    scope: str | None = None,
    once: bool = False,
    check: Callable[[Connection], None] | None = None,
) -> Run:
    """Begin the next run of a job, or take over the one whose process died; two processes never own one run.

    Args:
        state: Where runs are kept.
        job: The job's name; the first run of that name makes the job.
        kind: What a new run is called.
        when_busy: What to do while another process runs the job. Of those that `wait` any may be the next; those that
            `queue` take a place that all can see, and begin in the order in which they came, before all who do not.
        on_wait: Called once, before the waiting begins.
        scope: Of a run that may go beside others of the job: only those of the same scope are in its way.
        once: Whether to begin none where one of the same scope has succeeded.
        check: Called before a new run is begun, while nobody else can begin one of the job; what it raises, `begin`
            raises.

    Raises:
        JobBusyError: Another process runs the job, and `when_busy` is `fail`.
        JobDoneError: It is to run `once`, and has.
    """
    wanted = _Wanted(job, kind, scope, when_busy == "queue", once, check)
    place: int | None = None
    try:
        while isinstance(found := state.write(partial(_begin, wanted=wanted, place=place)), Busy):
            if when_busy == "fail":
                raise JobBusyError(f"{found} Wait until it has ended, or end that process.")
            place = found.place
            if on_wait:
                on_wait(found)
                on_wait = None
            # Not in step with others that wait.
            time.sleep(random.uniform(*_LOOKS))  # noqa: S311 - nothing secret
    except BaseException:
        if place is not None:
            # Where the database is gone, the place is lost with this process.
            with suppress(StateError):
                state.write(lambda connection: leave(connection, place))
        raise
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
    lock_job(connection, run.job)
    return _check(connection, run, *states)


def _begin(connection: Connection, wanted: _Wanted, place: int | None) -> Run | Busy:
    key = lock_job(connection, wanted.job)
    moment = now(connection)
    mine = {"owner": asdict(this_process()), "lease_until": moment + LEASE}
    new = {"job": wanted.job, "kind": wanted.kind, "scope": wanted.scope, "started_at": moment}
    alike = (runs.c.job == wanted.job) & runs.c.scope.is_not_distinct_from(wanted.scope)
    last = connection.execute(select(runs).where(alike, runs.c.state.in_(UNFINISHED))).one_or_none()
    ahead = waiting_before(connection, alike, place, moment)
    working = [last] if last and last.owner and is_alive(Owner(**last.owner), last.lease_until, now=moment) else []
    if working or ahead:
        busy = [*working, *ahead][0]
        place = keep_place(connection, place, new, mine) if wanted.queues else None
        owner = Owner(**busy.owner)
        return Busy(wanted.job, busy.number, owner, busy.started_at, busy.state, place, len(ahead))
    if last is not None:
        leave(connection, place)
        connection.execute(update(runs).where(runs.c.id == last.id).values(attempt=last.attempt + 1, **mine))
        return _run(last, key, attempt=last.attempt + 1, is_takeover=True)
    if wanted.once:
        _refuse_done(connection, wanted, alike)
    if wanted.check:
        wanted.check(connection)
    place = keep_place(connection, place, new, mine)
    connection.execute(update(runs).where(runs.c.id == place).values(state=RUNNING, started_at=moment))
    return _run(connection.execute(select(runs).where(runs.c.id == place)).one(), key, attempt=1, is_takeover=False)


def _run(row: Row[Any], key: str, *, attempt: int, is_takeover: bool) -> Run:
    return Run(
        row.id, row.job, key, row.number, attempt, row.state, row.kind, is_takeover, report=row.report, scope=row.scope
    )


def _refuse_done(connection: Connection, wanted: _Wanted, alike: ColumnElement[bool]) -> None:
    done = select(runs.c.number).where(alike, runs.c.state == SUCCEEDED).limit(1)
    if (number := connection.scalar(done)) is not None:
        raise JobDoneError(f"Run {number} of job `{wanted.job}` has done {wanted.scope or 'this'} already.")


def lock_job(connection: Connection, job: str) -> str:
    """Make the job's row where it is not there, lock it, and return its key; SQLite has locked the whole database."""
    new = {"name": job, "key": uuid4().hex[:16]}
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # takes longer to load than most commands to answer

        connection.execute(postgresql.insert(jobs).values(new).on_conflict_do_nothing())
    else:
        connection.execute(sqlite.insert(jobs).values(new).on_conflict_do_nothing())
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
