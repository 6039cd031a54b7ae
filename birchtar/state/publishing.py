"""The end of a run: all is staged and planned, then published, then bookmarks and the run's state move together.

Each of these functions does nothing where this attempt of the run has done the same before.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from birchtar.state.database import State, now
from birchtar.state.runs import FAILED, PREPARED, RUNNING, SUCCEEDED, Run, lock
from birchtar.state.tables import run_files, run_outputs, runs


@dataclass(frozen=True)
class RunOutput:
    """An output of a run that is staged, perhaps published."""

    output: str
    path: str
    format: str
    plan: Mapping[str, Any]
    """How to publish it from what is staged, however often, as JSON."""
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    published_at: datetime | None = None


def prepare(state: State, run: Run, outputs: Iterable[RunOutput], *, report: Mapping[str, Any] | None = None) -> None:
    """Say that all is staged, and how it is to be published: from here on the run can only be finished.

    Args:
        state: Where runs are kept.
        run: A run of ours that is RUNNING.
        outputs: All that it publishes, each with its plan.
        report: What the run counted, for the process that finishes it: a later one finds it in its `Run`.

    Raises:
        LostRunError: The run is no longer ours.
        ValueError: It was taken over as PREPARED: its outputs are staged already, and only to be published.
    """
    if run.state == PREPARED:
        raise ValueError(f"Run {run.number} of job `{run.job}` was prepared by an earlier process.")
    rows = [{"run_id": run.id, **asdict(output)} for output in outputs]

    def work(connection: Connection) -> None:
        if lock(connection, run, RUNNING, PREPARED) == PREPARED:
            return
        if rows:
            connection.execute(insert(run_outputs), rows)
        _change(connection, run, state=PREPARED, prepared_at=now(connection), report=report)

    state.write(work)


def outputs_of(state: State, run: Run) -> list[RunOutput]:
    """Return the outputs of a run that was prepared, by name; of those that are published with the time of it."""
    return state.read(lambda connection: outputs_of_run(connection, run.id))


def outputs_of_run(connection: Connection, run_id: int) -> list[RunOutput]:
    """Return the same of a run by its id."""
    columns = [column for column in run_outputs.c if column.name != "run_id"]
    query = select(*columns).where(run_outputs.c.run_id == run_id).order_by(run_outputs.c.output)
    return [RunOutput(**row._mapping) for row in connection.execute(query)]


class Waiting(NamedTuple):
    """An output of an unfinished run that is staged, and not published, or not known to be."""

    job: str
    run: int
    plan: Mapping[str, Any]


def waiting_outputs(state: State) -> list[Waiting]:
    """Return the outputs of all jobs that are still to be published."""
    query = select(runs.c.job, runs.c.number, run_outputs.c.plan).join(runs, runs.c.id == run_outputs.c.run_id)
    query = query.where(runs.c.state == PREPARED, run_outputs.c.published_at.is_(None))
    return state.read(lambda connection: [Waiting(*row) for row in connection.execute(query)])


def mark_published(state: State, run: Run, output: str) -> None:
    """Write down that an output is published, so that who takes the run over need not do it again.

    Raises:
        LostRunError: The run is no longer ours.
        ValueError: `prepare` was told of no such output.
    """

    def work(connection: Connection) -> None:
        lock(connection, run, PREPARED)
        here = (run_outputs.c.run_id == run.id) & (run_outputs.c.output == output)
        if connection.scalar(select(run_outputs.c.output).where(here)) is None:
            raise ValueError(f"Run {run.number} of job `{run.job}` has no output `{output}`.")
        unmarked = here & run_outputs.c.published_at.is_(None)
        connection.execute(update(run_outputs).where(unmarked).values(published_at=now(connection)))

    state.write(work)


def succeed(state: State, run: Run, report: Mapping[str, Any] | None, also: Callable[[Connection], None]) -> None:
    """End a run of which all is published. Bookmarks and the quarantine's index move with it, or nothing does.

    Args:
        state: Where runs are kept.
        run: A run of ours that is PREPARED.
        report: Counts and places; None keeps what `prepare` was told.
        also: Moves bookmarks and the quarantine's index, in the same transaction; called again where that transaction
            was rolled back, and not at all where this attempt has succeeded before.

    Raises:
        LostRunError: The run is no longer ours.
        ValueError: An output is not published.
    """

    def work(connection: Connection) -> None:
        if lock(connection, run, PREPARED, SUCCEEDED) == SUCCEEDED:
            return
        unpublished = (run_outputs.c.run_id == run.id) & run_outputs.c.published_at.is_(None)
        if output := connection.scalar(select(run_outputs.c.output).where(unpublished)):
            raise ValueError(f"Run {run.number} of job `{run.job}` has not published its output `{output}`.")
        also(connection)
        _forget_files(connection, run)
        told = {} if report is None else {"report": report}
        ended = {"finished_at": now(connection), "lease_until": None, "error": None}
        _change(connection, run, state=SUCCEEDED, **ended, **told)

    state.write(work)


def fail(state: State, run: Run, error: str) -> None:
    """Write down why a run failed. One that is PREPARED stays so: the next process finishes it, at once if it likes.

    Raises:
        LostRunError: The run is no longer ours.
    """

    def work(connection: Connection) -> None:
        found = lock(connection, run, RUNNING, PREPARED, FAILED)
        if found == RUNNING:
            _forget_files(connection, run)
            _change(connection, run, state=FAILED, finished_at=now(connection), lease_until=None, error=error)
        if found == PREPARED:
            _change(connection, run, owner=None, lease_until=None, error=error)

    state.write(work)


def _change(connection: Connection, run: Run, **values: Any) -> None:
    connection.execute(update(runs).where(runs.c.id == run.id).values(**values))


def _forget_files(connection: Connection, run: Run) -> None:
    connection.execute(delete(run_files).where(run_files.c.run_id == run.id))
