"""How far each input of a job has been read. A bookmark moves when a run has succeeded, in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from birchtar.state import known_files
from birchtar.state.errors import StateError
from birchtar.state.intents import RunInput
from birchtar.state.listed import ListedFile
from birchtar.state.runs import UNFINISHED, Run, lock
from birchtar.state.tables import bookmark_marks, bookmarks

FILES = "files"


@dataclass(frozen=True)
class Bookmark:
    """A bookmark as it stands."""

    id: int
    input: str
    kind: str
    """files, delta, changes or keys."""
    mark: Any
    """How far it has read, as plain values; None before the first run. Files are known one by one: theirs is the digest
    of the listing of the last run, if that left none of it unread."""
    schema: str | None
    """The input's schema when it was last read, as Spark writes it in JSON."""
    run_number: int


def bookmark_of(connection: Connection, run: Run, input_name: str, kind: str) -> Bookmark:
    """Return the bookmark of an input of a run's job, made where there is none; under the lock of the job's row.

    Raises:
        LostRunError: The run is no longer ours.
        StateError: As `bookmark_in`.
    """
    lock(connection, run, *UNFINISHED)
    return bookmark_in(connection, run.job, input_name, kind)


def bookmark_in(connection: Connection, job: str, input_name: str, kind: str) -> Bookmark:
    """Return the bookmark of an input, made where there is none. One that was reset becomes of any kind.

    Whoever may make one holds the lock of the job's row: another would make it too.

    Raises:
        StateError: There is one of another kind: the input was something else when it was last read.
    """
    found = find_bookmark(connection, job, input_name)
    if found is None:
        connection.execute(insert(bookmarks).values(job=job, input=input_name, kind=kind, run_number=0))
        return bookmark_in(connection, job, input_name, kind)
    if found.kind == kind:
        return found
    if (found.kind != FILES and found.mark is not None) or known_files.count_known(connection, found.id):
        raise StateError(
            f"The bookmark of the input `{input_name}` is one of {found.kind}, but the input is now one of {kind}."
            f" `birchtar bookmark reset {job} {input_name}` forgets it; then all is read from the beginning."
        )
    connection.execute(delete(bookmark_marks).where(bookmark_marks.c.bookmark_id == found.id))
    connection.execute(update(bookmarks).where(bookmarks.c.id == found.id).values(kind=kind, mark=None))
    return replace(found, kind=kind, mark=None)


def find_bookmark(connection: Connection, job: str, input_name: str) -> Bookmark | None:
    """Return the bookmark of an input, if there is one."""
    return next((each for each in bookmarks_of(connection, job) if each.input == input_name), None)


def bookmarks_of(connection: Connection, job: str) -> list[Bookmark]:
    """Return all bookmarks of a job, by input."""
    b = bookmarks.c
    columns = (b.id, b.input, b.kind, b.mark, b.schema, b.run_number)
    rows = connection.execute(select(*columns).where(b.job == job).order_by(b.input))
    return [Bookmark(*row) for row in rows]


def move_bookmarks(connection: Connection, run: Run, inputs: Sequence[RunInput], schemas: dict[str, str]) -> None:
    """Move the bookmarks of a run's inputs to where it has read. Twice is as once.

    Args:
        connection: In the transaction that ends the run.
        run: The run.
        inputs: What it read.
        schemas: Of each input the schema.
    """
    for read in inputs:
        found = bookmark_of(connection, run, read.input, read.kind)
        if read.kind == FILES:
            known_files.remember(connection, found.id, [ListedFile(*file) for file in read.files], run.number)
            # A user may have made files known since, in another size than the listing has them.
            is_as_seen = found.run_number in (read.since, run.number)
            mark, to_rewind_to = read.until if is_as_seen else None, None
        else:
            mark = to_rewind_to = read.until if read.until is not None else found.mark
        values = {"mark": mark, "schema": schemas.get(read.input, found.schema), "run_number": run.number}
        connection.execute(update(bookmarks).where(bookmarks.c.id == found.id).values(**values))
        m = bookmark_marks.c
        same = (m.bookmark_id == found.id) & (m.run_number == run.number)
        connection.execute(delete(bookmark_marks).where(same))
        connection.execute(
            insert(bookmark_marks).values(bookmark_id=found.id, run_number=run.number, mark=to_rewind_to)
        )
