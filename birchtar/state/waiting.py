"""The queue before a busy job: runs in the state WAITING, in the order of their numbers.

Every function works in a transaction that holds the lock of the job's row.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from birchtar.state.owners import Owner, is_alive
from birchtar.state.tables import runs

WAITING, ABANDONED = "WAITING", "ABANDONED"


def next_number(connection: Connection, job: str) -> int:
    """Return the number of a job's next run; runs of all scopes and changes of bookmarks count together."""
    return int(connection.scalar(select(func.coalesce(func.max(runs.c.number), 0)).where(runs.c.job == job)) or 0) + 1


def keep_place(connection: Connection, place: int | None, new: Mapping[str, Any], mine: Mapping[str, Any]) -> int:
    """Say that we still wait, or take the last place in the queue where we have none, or have lost it.

    Args:
        connection: Holds the lock of the job's row.
        place: The id of the run that waits for us.
        new: What a run is made with: its job, kind, scope and time.
        mine: Whose it is, and for how long at least.
    """
    if place is not None:
        ours = (runs.c.id == place) & (runs.c.state == WAITING)
        if connection.execute(update(runs).where(ours).values(**mine)).rowcount:
            return place
    number = next_number(connection, new["job"])
    connection.execute(insert(runs).values(**new, **mine, number=number, state=WAITING, attempt=1))
    found = select(runs.c.id).where(runs.c.job == new["job"], runs.c.number == number)
    return int(connection.execute(found).scalar_one())


def waiting_before(
    connection: Connection, of: ColumnElement[bool], place: int | None, moment: datetime
) -> Sequence[Row[Any]]:
    """Return the runs that wait before ours, first come first; those whose processes died lose their places.

    Without a place of ours, all that wait are before us.
    """
    query = select(runs).where(of, runs.c.state == WAITING).order_by(runs.c.number)
    ahead = []
    for row in connection.execute(query).all():
        if row.id == place:
            break
        if row.owner and is_alive(Owner(**row.owner), row.lease_until, now=moment):
            ahead.append(row)
        else:
            told = {"finished_at": moment, "lease_until": None, "error": "Its process died while it waited."}
            connection.execute(update(runs).where(runs.c.id == row.id).values(state=ABANDONED, **told))
    return ahead


def leave(connection: Connection, place: int | None) -> None:
    """Give a place up: nothing of the run that waited is kept. It never began."""
    if place is not None:
        connection.execute(delete(runs).where(runs.c.id == place, runs.c.state == WAITING))
