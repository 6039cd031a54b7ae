"""What bookmarks know, for people to look at."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, select

from birchtar.state.bookmarks import FILES, bookmarks_of
from birchtar.state.database import State
from birchtar.state.known_files import count_known, latest_files
from birchtar.state.listed import ListedFile
from birchtar.state.runs import UNFINISHED
from birchtar.state.tables import bookmark_files, bookmark_marks, bookmarks, run_files, runs


@dataclass(frozen=True)
class BookmarkView:
    """One bookmark."""

    input: str
    kind: str
    mark: Any
    """How far it has read; None of files, and before the first run."""
    known: int | None
    """Of files, how many are known, also those that are gone."""
    run_number: int
    """The run, or change, that moved it last; 0 where none did."""
    run_kind: str | None
    moved_at: datetime | None
    latest: tuple[tuple[ListedFile, int], ...]
    """The latest files, each with the number of the run that read it."""
    history: tuple[int, ...]
    """The numbers of all runs and changes that moved it, to rewind to."""


@dataclass(frozen=True)
class Reader:
    """A run, or a user's change, that a file is known by."""

    number: int
    kind: str
    state: str
    at: datetime
    """When it was finished; of one that is not, when it was begun."""


def view_bookmarks(state: State, job: str, *, files: int = 3) -> list[BookmarkView]:
    """Return all bookmarks of a job, by input, each with some of its latest files."""

    def work(connection: Connection) -> list[BookmarkView]:
        views = []
        for found in bookmarks_of(connection, job):
            moved = reader(connection, job, found.run_number)
            known = count_known(connection, found.id) if found.kind == FILES else None
            latest = tuple(latest_files(connection, found.id, files)) if known else ()
            m = bookmark_marks.c
            history = connection.scalars(
                select(m.run_number).where(m.bookmark_id == found.id).order_by(m.run_number)
            ).all()
            kind, moment = (moved.kind, moved.at) if moved else (None, None)
            mark = None if found.kind == FILES else found.mark
            told = (found.input, found.kind, mark, known, found.run_number, kind, moment)
            views.append(BookmarkView(*told, latest, tuple(history)))
        return views

    return state.read(work)


def bookmarks_below(state: State, folder: str) -> list[tuple[str, str]]:
    """Return the bookmarks that know a file below a folder, as the names of jobs and inputs."""
    b, f, below = bookmarks.c, bookmark_files.c, f"{folder.rstrip('/')}/"
    # Not by LIKE, to which upper and lower case are the same in SQLite.
    knows = exists().where(f.bookmark_id == b.id, func.substr(f.path, 1, len(below)) == below)

    def work(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.execute(select(b.job, b.input).where(knows).order_by(b.job, b.input))
        return [(job, name) for job, name in rows]

    return state.read(work)


def reader(connection: Connection, job: str, number: int) -> Reader | None:
    """Return a run of a job by its number; None where there is none."""
    row = connection.execute(select(runs).where(runs.c.job == job, runs.c.number == number)).one_or_none()
    return Reader(number, row.kind, row.state, row.finished_at or row.started_at) if row else None


def set_back(connection: Connection, job: str, bookmark_id: int) -> Reader | None:
    """Return the change by which a bookmark of files forgot some of them last; None where none did."""
    m = bookmark_marks.c
    changes = select(m.run_number).where(m.bookmark_id == bookmark_id, m.mark.is_not(None))
    number = connection.scalar(changes.order_by(m.run_number.desc()).limit(1))
    return None if number is None else reader(connection, job, number)


def unfinished(connection: Connection, job: str) -> Reader | None:
    """Return the run of a job that is not finished, if there is one; the next run takes it over or waits for it."""
    of = (runs.c.job == job) & runs.c.scope.is_(None) & runs.c.state.in_(UNFINISHED)
    number = connection.scalar(select(runs.c.number).where(of))
    return None if number is None else reader(connection, job, number)


def reads_now(connection: Connection, job: str, path: str) -> Reader | None:
    """Return the unfinished run that means to read a file, a backfill's too, if there is one."""
    of = (runs.c.job == job) & runs.c.state.in_(UNFINISHED) & (run_files.c.path == path)
    number = connection.scalar(
        select(runs.c.number).join(run_files, run_files.c.run_id == runs.c.id).where(of).limit(1)
    )
    return None if number is None else reader(connection, job, number)
