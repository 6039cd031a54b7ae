"""Bookmarks that a user moves: set, taken back, forgotten.

A change is one transaction under the lock of the job's row. It counts as a run of the job, so it has a number, stands
in the list of runs, and can be rewound like any other. Where there is nothing to change, nothing is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from birchtar.state import known_files
from birchtar.state.abandon import give_up
from birchtar.state.bookmarks import FILES, Bookmark, bookmark_in, bookmarks_of
from birchtar.state.database import State, now
from birchtar.state.errors import JobBusyError, StateError
from birchtar.state.listed import Listing
from birchtar.state.owners import Owner, is_alive, this_process
from birchtar.state.runs import PREPARED, RUNNING, SUCCEEDED, lock_job
from birchtar.state.tables import bookmark_files, bookmark_marks, bookmarks, runs
from birchtar.state.waiting import WAITING, next_number

_BACK_TO = "rewound_to"
"""What the history of a bookmark of files has as its mark where files were forgotten."""


@dataclass(frozen=True)
class Change:
    """What becomes of one bookmark."""

    input: str
    kind: str
    """files, delta, changes or keys."""
    before: Any
    after: Any
    """Marks; None is before the first row, and that of files."""
    files: int
    """How many are forgotten, or made known."""
    examples: tuple[str, ...] = ()
    """Some of these files."""


def rewind(state: State, job: str, input_name: str | None, to: int, *, is_trial: bool = False) -> list[Change]:
    """Take bookmarks back to where they were after a run; 0 is before the first.

    Args:
        state: Where bookmarks are kept.
        job: The job's name.
        input_name: One input; None for all.
        to: The number of a run, or of a change.
        is_trial: Return what would change, and change nothing.

    Returns:
        What changed; nothing where all was so already.

    Raises:
        JobBusyError: A run of the job is not finished.
        StateError: There is no such run or bookmark; or what it read was forgotten since.
    """

    def changes(connection: Connection) -> list[Change]:
        _require_run(connection, job, to)
        return [change for each in _asked(connection, job, input_name) if (change := _back(connection, each, to))]

    def apply(connection: Connection, found: Bookmark, change: Change, number: int) -> None:
        if found.kind == FILES:
            known_files.forget_after(connection, found.id, to)
        _move(connection, found, number, change.after, {_BACK_TO: to})

    return _change(state, job, "rewind", changes, apply, is_trial=is_trial)


def reset(state: State, job: str, input_name: str | None, *, is_trial: bool = False) -> list[Change]:
    """Forget all that bookmarks know, also what kind of input they were of: the next run reads from the beginning.

    Arguments, result and errors are those of `rewind`.
    """

    def changes(connection: Connection) -> list[Change]:
        return [change for each in _asked(connection, job, input_name) if (change := _back(connection, each, -1))]

    def apply(connection: Connection, found: Bookmark, change: Change, number: int) -> None:
        known_files.reset(connection, found.id)
        _move(connection, found, number, None, {_BACK_TO: 0})
        connection.execute(update(bookmarks).where(bookmarks.c.id == found.id).values(schema=None))

    return _change(state, job, "reset", changes, apply, is_trial=is_trial)


def set_mark(state: State, job: str, input_name: str, kind: str, mark: Any) -> list[Change]:
    """Let the next run read what lies behind a mark, whatever was read before.

    Raises:
        JobBusyError: A run of the job is not finished; it would move the bookmark to where it has read.
        StateError: The bookmark is of another kind.
    """

    def changes(connection: Connection) -> list[Change]:
        found = bookmark_in(connection, job, input_name, kind)
        return [] if found.mark == mark else [Change(input_name, kind, found.mark, mark, 0)]

    def apply(connection: Connection, found: Bookmark, change: Change, number: int) -> None:
        _move(connection, found, number, change.after, None)

    return _change(state, job, "set", changes, apply, is_trial=False)


def set_files(state: State, job: str, input_name: str, files: Listing) -> list[Change]:
    """Make files known as they are listed, as if they had been read. Also while a run of the job works.

    Raises:
        StateError: The bookmark is not one of files.
    """

    def work(connection: Connection) -> list[Change]:
        lock_job(connection, job)
        found = bookmark_in(connection, job, input_name, FILES)
        difference = known_files.new_files(connection, found.id, files)
        unknown = Listing.of([*difference.new, *difference.changed])
        if not unknown:
            return []
        change = Change(input_name, FILES, None, None, len(unknown), tuple(unknown.paths[:_SHOWN]))
        number = _write_down(connection, job, "set", [change])
        known_files.remember(connection, found.id, unknown, number)
        _move(connection, found, number, None, None)
        return [change]

    return state.write(work)


_SHOWN = 5


def _change(
    state: State,
    job: str,
    what: str,
    changes: Callable[[Connection], list[Change]],
    apply: Callable[[Connection, Bookmark, Change, int], None],
    *,
    is_trial: bool,
) -> list[Change]:
    def work(connection: Connection) -> list[Change]:
        lock_job(connection, job)
        _require_idle(connection, job, what)
        found = changes(connection)
        if found:
            number = _write_down(connection, job, what, found)
            by_input = {each.input: each for each in bookmarks_of(connection, job)}
            for change in found:
                apply(connection, by_input[change.input], change, number)
        return found

    def look(connection: Connection) -> list[Change]:
        _require_idle(connection, job, what, abandon=False)
        return changes(connection)

    return state.read(look) if is_trial else state.write(work)


def _require_idle(connection: Connection, job: str, what: str, *, abandon: bool = True) -> None:
    """Refuse while a run is not finished, or has its number already. One that died before it published is given up."""
    of, moment = (runs.c.job == job) & runs.c.scope.is_(None), now(connection)
    row = connection.execute(select(runs).where(of, runs.c.state.in_((RUNNING, PREPARED)))).one_or_none()
    waiting = connection.execute(select(runs).where(of, runs.c.state == WAITING).order_by(runs.c.number)).all()
    for each, does in ((row, "works"), *((waits, "is about to begin") for waits in waiting)):
        if each and each.owner and is_alive(Owner(**each.owner), each.lease_until, now=moment):
            raise JobBusyError(
                f"Run {each.number} of job `{job}` {does}, by {Owner(**each.owner)}: when it ends it moves its"
                f" bookmarks, and undoes what a {what} would change. Wait until it has ended."
            )
    if row is None:
        return
    if row.state == PREPARED:
        raise JobBusyError(
            f"Run {row.number} of job `{job}` died when all was computed, and has to be finished first, for its rows"
            f" may be in some outputs already: run the job, then {what} the bookmark."
        )
    if abandon:
        give_up(connection, row.id, f"It had died, and was given up by a {what} of the job's bookmarks.")


def _require_run(connection: Connection, job: str, number: int) -> None:
    newest = connection.scalar(select(func.max(runs.c.number)).where(runs.c.job == job)) or 0
    if not 0 <= number <= newest:
        raise StateError(f"Job `{job}` has no run {number}: its runs are 1 to {newest}, and 0 is before the first.")


def _asked(connection: Connection, job: str, input_name: str | None) -> list[Bookmark]:
    found = bookmarks_of(connection, job)
    asked = [each for each in found if input_name in (None, each.input)]
    if not asked:
        names = ", ".join(f"`{each.input}`" for each in found)
        which = f"of an input `{input_name}`" if input_name else "yet"
        raise StateError(f"Job `{job}` has no bookmark {which}. It has those of {names or 'none'}.")
    return asked


def _back(connection: Connection, found: Bookmark, to: int) -> Change | None:
    """Return what going back to a run changes; to -1 forgets also what had no run."""
    m, f = bookmark_marks.c, bookmark_files.c
    if found.kind != FILES:
        history = select(m.mark).where(m.bookmark_id == found.id, m.run_number <= to).order_by(m.run_number.desc())
        after = connection.scalar(history.limit(1))
        return None if after == found.mark else Change(found.input, found.kind, found.mark, after, 0)
    later = (f.bookmark_id == found.id) & (f.run_number > to)
    if to >= 0:
        _require_not_forgotten(connection, found, to)
    files = connection.scalar(select(func.count()).select_from(bookmark_files).where(later)) or 0
    some = connection.scalars(select(f.path).where(later).order_by(f.path).limit(_SHOWN))
    return Change(found.input, found.kind, None, None, files, tuple(some)) if files else None


def _require_not_forgotten(connection: Connection, found: Bookmark, to: int) -> None:
    m = bookmark_marks.c
    for number, mark in connection.execute(
        select(m.run_number, m.mark).where(m.bookmark_id == found.id, m.run_number > to)
    ):
        if mark and mark[_BACK_TO] < to:
            raise StateError(
                f"The bookmark of `{found.input}` was taken back to run {mark[_BACK_TO]} by run {number}: what run {to}"
                f" had read is forgotten. It can go to {mark[_BACK_TO]} or before, or to {number} or after."
            )


def _move(connection: Connection, found: Bookmark, number: int, mark: Any, of_files: Any) -> None:
    moved = {"mark": mark, "run_number": number}
    connection.execute(update(bookmarks).where(bookmarks.c.id == found.id).values(**moved))
    kept = of_files if found.kind == FILES else mark
    connection.execute(insert(bookmark_marks).values(bookmark_id=found.id, run_number=number, mark=kept))


def _write_down(connection: Connection, job: str, what: str, changes: Sequence[Change]) -> int:
    """Add the change to the job's runs, and return its number."""
    number, moment = next_number(connection, job), now(connection)
    told = {"report": {"bookmarks": [asdict(change) for change in changes]}, "owner": asdict(this_process())}
    done = {"state": SUCCEEDED, "attempt": 1, "kind": what, "started_at": moment, "finished_at": moment}
    connection.execute(insert(runs).values(job=job, number=number, **done, **told))
    return number
