"""How we connect: SQLite so that it loses nothing and readers never wait, PostgreSQL so that nobody waits for ever."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from birchtar.state.errors import StateError

WRITES = "birchtar_writes"
"""The execution option of a connection whose next transaction writes."""

_HOW = (
    "Write sqlite:////folder/state.db (four strokes before an absolute path)"
    " or postgresql://user:password@host/database."
)
_SQLITE_WAIT = 1
"""Seconds that SQLite itself waits for a lock. Short, for Ctrl-C is not heard meanwhile; we try again."""

_POSTGRESQL_ARGUMENTS = {"connect_timeout": 10, "tcp_user_timeout": 30_000, "keepalives_idle": 30}
_POSTGRESQL_SETTINGS = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '5min'"
"""A machine that vanishes in a transaction must not keep its locks."""


def state_url(url: str | None) -> URL:
    """Return where the state is: as told, else `BIRCHTAR_STATE_URL`, else `.birchtar/state.db` in the current folder.

    Raises:
        StateError: It is no URL of SQLite or PostgreSQL.
    """
    told = url or os.environ.get("BIRCHTAR_STATE_URL")
    if not told:
        return URL.create("sqlite", database=str(Path(".birchtar", "state.db").absolute()))
    try:
        made = make_url(told)
    except (ArgumentError, ValueError):
        # Not shown: what we cannot read may hold a password anywhere.
        raise StateError(f"BIRCHTAR_STATE_URL is not the URL of a database. {_HOW}") from None
    if made.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return made.set(drivername="postgresql+psycopg")
    if made.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise StateError(f"The state cannot be kept in `{made.drivername}`. {_HOW}")
    if made.database in (None, "", ":memory:") or str(made.database).startswith("file:"):
        raise StateError(f"The state needs a database in a file, to be there for the next run. {_HOW}")
    return made.set(database=str(Path(str(made.database)).absolute()))


def connect(url: URL) -> Engine:
    """Return an engine for a URL of `state_url`. Nothing is opened yet."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _SQLITE_WAIT})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    arguments = {key: value for key, value in _POSTGRESQL_ARGUMENTS.items() if key not in url.query}
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=arguments)
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Leave transactions to us, and set what SQLite forgets from connection to connection."""
    connection.isolation_level = None
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    """Take the lock of a writer at once: a reader that becomes one may have to give up half-way."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, record: object) -> None:
    connection.execute(_POSTGRESQL_SETTINGS)
    connection.commit()
