"""The state database: one transaction per piece of work, tried again as a whole while the database is out of reach."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay
from tenacity.wait import wait_random_exponential

from birchtar.state.connect import WRITES, connect, state_url
from birchtar.state.errors import StateError
from birchtar.state.migrations import is_newest, migrate
from birchtar.state.sqlite_file import make_room, require_file
from birchtar.state.trouble import advice, is_passing, reason, shown

__all__ = ["State", "StateError", "now", "open_state"]

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_SILENT = 3
"""Seconds of waiting that nobody is told of."""


@dataclass(frozen=True)
class State:
    """A state database that is open, for all threads of a process."""

    engine: Engine
    patience: float = 120
    """Seconds for which a piece of work is tried again."""

    @property
    def place(self) -> str:
        """Where it is, for messages: without the password."""
        return shown(self.engine.url)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` finds in one transaction, in which it sees the database at one moment.

        Raises:
            StateError: The database cannot be read, or was out of reach for `patience` seconds.
        """
        return self._patiently(lambda: self._read_once(work))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction, and return what it returns.

        If the database is locked or goes away, the transaction is rolled back and `work` is called again, so beside
        the database it must change nothing, or nothing that a second call would double. In the database its effects
        come once: where the answer to a COMMIT was lost, PostgreSQL is asked what became of the transaction, and
        only if it did not commit is the work done again. A caller's process that dies at that moment knows nothing,
        of course: what the next process does must depend on what it finds in the database. Any other error of `work`
        is raised at once, after the transaction was rolled back.

        Raises:
            StateError: The database cannot be written, or was out of reach for `patience` seconds.
        """
        return self._patiently(lambda: self._write_once(work))

    def _read_once(self, work: Callable[[Connection], T]) -> T:
        # On PostgreSQL each statement would else see what was committed before it; SQLite's transactions are so.
        options = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            return work(connection)

    def _write_once(self, work: Callable[[Connection], T]) -> T:
        with self.engine.connect().execution_options(**{WRITES: True}) as connection:
            result = work(connection)
            transaction = _transaction_id(connection)
            try:
                connection.commit()
            except DBAPIError as error:
                if not (transaction and error.connection_invalidated and self._has_committed(transaction)):
                    raise
        return result

    def _has_committed(self, transaction: int) -> bool:
        """Ask what became of a transaction; while the server still works on it, wait."""

        def ask() -> bool:
            with self.engine.connect() as connection:
                status = connection.scalar(text("SELECT txid_status(:id)"), {"id": transaction})
            if status == "in progress":
                raise _UndecidedError(f"The state database {self.place} does not say whether it has kept our changes.")
            return bool(status == "committed")

        return self._patiently(ask)

    def _patiently(self, attempt: Callable[[], T]) -> T:
        trying = Retrying(
            retry=retry_if_exception(lambda error: is_passing(error) or isinstance(error, _UndecidedError)),
            stop=stop_after_delay(self.patience),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            before_sleep=_Teller(self),
            reraise=True,
        )
        try:
            return trying(attempt)
        except DBAPIError as error:
            if what_to_do := advice(error):
                waited = f" for {self.patience:.0f} s" if is_passing(error) else ""
                said = reason(error, self.engine.url)
                raise StateError(
                    f"The state database {self.place} cannot be used{waited}: {said}. {what_to_do}"
                ) from error
            raise


class _UndecidedError(StateError):
    """A transaction has neither committed nor failed, as far as the server knows."""


class _Teller:
    """Tells once that we wait, where it takes long enough to be noticed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._told = False

    def __call__(self, trying: RetryCallState) -> None:
        if self._told or (trying.seconds_since_start or 0) < _SILENT:
            return
        self._told = True
        error = trying.outcome.exception() if trying.outcome else None
        why = f": {reason(error, self._state.engine.url)}" if isinstance(error, DBAPIError) else ""
        _LOG.warning("Waiting up to %.0f s for the state database %s%s.", self._state.patience, self._state.place, why)


def _transaction_id(connection: Connection) -> int | None:
    """Return PostgreSQL's number of a transaction that has changed something; SQLite has no answer to lose."""
    if connection.dialect.name != "postgresql":
        return None
    number: int | None = connection.scalar(text("SELECT txid_current_if_assigned()"))
    return number


def now(connection: Connection) -> datetime:
    """Return the present by the clock that all who share the database go by: of PostgreSQL the server's."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def open_state(url: str | None = None, *, patience: float = 120, must_exist: bool = False) -> State:
    """Open the state database, made or brought to the newest version where need be.

    Several processes may open it at once, a new one too. SQLite files are made, but no folders, except for
    `.birchtar` in the current folder, the place where nothing else is told.

    Args:
        url: A URL of SQLite or PostgreSQL; else `BIRCHTAR_STATE_URL` says it, else it is `.birchtar/state.db`.
        patience: Seconds for which a database that is locked or out of reach is tried again, then and later.
        must_exist: Whether a SQLite file that is not there is an error: for who only looks.

    Raises:
        StateError: It cannot be reached or read, or a newer version of this program has made it.
    """
    place = state_url(url)
    if must_exist:
        require_file(place)
    make_room(place)
    state = State(connect(place), patience)
    if not state.read(lambda connection: is_newest(connection, state.place)):
        state.write(lambda connection: migrate(connection, state.place))
    return state
