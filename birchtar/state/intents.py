"""What a run means to read, written down before it reads: who takes it over reads the same."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from birchtar.state.database import State
from birchtar.state.runs import RUNNING, SUCCEEDED, UNFINISHED, Run, lock
from birchtar.state.tables import run_files, run_inputs, runs

_AT_ONCE = 10_000
"""Rows that go to the database in one statement."""


class RunFile(NamedTuple):
    """A file, as it was listed."""

    path: str
    size: int
    modified: int
    """Microseconds since 1970, UTC."""


@dataclass(frozen=True)
class RunInput:
    """What a run reads of one input: files, or what lies between two marks."""

    input: str
    kind: str
    """files, delta, changes or keys."""
    since: Any = None
    """The mark before the run, as JSON; None at the first. Of files the run that moved the bookmark last."""
    until: Any = None
    """The mark that the run moves the bookmark to."""
    files: tuple[RunFile, ...] = ()
    rows: int | None = None
    bytes: int | None = None


def record_intent(state: State, run: Run, inputs: Iterable[RunInput]) -> None:
    """Write down what each input reads, in place of what was written down for this run before.

    Raises:
        LostRunError: The run is no longer ours, or is PREPARED: what it has read is then a fact.
    """
    inputs = list(inputs)

    def work(connection: Connection) -> None:
        lock(connection, run, RUNNING)
        for table in (run_inputs, run_files):
            connection.execute(delete(table).where(table.c.run_id == run.id))
        for read in inputs:
            marks = {"since": read.since, "until": read.until, "rows": read.rows, "bytes": read.bytes}
            connection.execute(insert(run_inputs).values(run_id=run.id, input=read.input, kind=read.kind, **marks))
            for rows in _file_rows(run, read):
                connection.execute(insert(run_files), rows)

    state.write(work)


def read_by_others(connection: Connection, run: Run, name: str, files: Iterable[RunFile]) -> list[str]:
    """Return which files of an input other unfinished runs of the same job mean to read, too."""
    query = select(run_files.c.path).join(runs, runs.c.id == run_files.c.run_id)
    others = query.where(
        runs.c.job == run.job, runs.c.id != run.id, runs.c.state.in_(UNFINISHED), run_files.c.input == name
    )
    theirs = set(connection.scalars(others))
    return [file.path for file in files if file.path in theirs] if theirs else []


def marks_of_others(connection: Connection, run: Run, name: str) -> list[RunInput]:
    """Return what other runs of the same job read of an input between marks, as far as bookmarks do not tell of it.

    To one of the job's own runs that are backfills, finished or not; to a backfill's run the unfinished ones of the
    job's own.
    """
    others = runs.c.scope.is_(None) if run.scope else runs.c.scope.is_not(None)
    states = UNFINISHED if run.scope else (SUCCEEDED, *UNFINISHED)
    query = select(run_inputs).join(runs, runs.c.id == run_inputs.c.run_id)
    found = query.where(
        runs.c.job == run.job, runs.c.id != run.id, others, runs.c.state.in_(states), run_inputs.c.input == name
    )
    return [RunInput(row.input, row.kind, row.since, row.until) for row in connection.execute(found)]


def intent(state: State, run: Run) -> list[RunInput]:
    """Return what was written down for a run, by input's name and file's path. The files of a finished run are gone."""

    def work(connection: Connection) -> list[RunInput]:
        files = defaultdict[str, list[RunFile]](list)
        of_run = select(run_files).where(run_files.c.run_id == run.id).order_by(run_files.c.path)
        for row in connection.execute(of_run):
            files[row.input].append(RunFile(row.path, row.size, row.modified))
        inputs = select(run_inputs).where(run_inputs.c.run_id == run.id).order_by(run_inputs.c.input)
        return [
            RunInput(row.input, row.kind, row.since, row.until, tuple(files[row.input]), row.rows, row.bytes)
            for row in connection.execute(inputs)
        ]

    return state.read(work)


def _file_rows(run: Run, read: RunInput) -> Iterator[list[dict[str, Any]]]:
    rows = ({"run_id": run.id, "input": read.input, **file._asdict()} for file in read.files)
    while part := list(islice(rows, _AT_ONCE)):
        yield part
