"""Which errors of a database pass by themselves, and what to do about those that do not."""

import sqlite3

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

_PASSING_SQLITE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_PASSING_POSTGRESQL = ("08", "40001", "40P01", "53300", "55P03", "57P0", "25P03")
"""Connection lost, deadlock, too many connections, a lock not got in time, the server stops or starts."""

_REFUSED = {
    "failed to resolve host": "Check the host's name in BIRCHTAR_STATE_URL.",
    "could not translate host name": "Check the host's name in BIRCHTAR_STATE_URL.",
    "password": "Check user and password in BIRCHTAR_STATE_URL.",
    'role "': "Check the user in BIRCHTAR_STATE_URL.",
    "pg_hba.conf": "Let the server's pg_hba.conf admit this user from this machine.",
    "permission denied for database": "Let the server's administrator GRANT CONNECT on the database to this user.",
    'database "': "Make it with `createdb`, or name another database in BIRCHTAR_STATE_URL.",
    "invalid connection option": "Check what follows `?` in BIRCHTAR_STATE_URL.",
}
"""How servers and libpq begin or name what trying again does not cure. They give no codes before one is connected."""

_SQLITE = {
    sqlite3.SQLITE_BUSY: "Another process keeps it locked: end that process.",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable, or name another place in BIRCHTAR_STATE_URL.",
    sqlite3.SQLITE_NOTADB: "Restore a copy of it, or move it away: a new one knows no bookmarks and no earlier runs.",
    sqlite3.SQLITE_FULL: "Make room on its disk.",
    sqlite3.SQLITE_IOERR: "Its disk fails, or is not a local one: keep it on a local disk, or use PostgreSQL.",
}
_SQLITE |= {
    sqlite3.SQLITE_LOCKED: _SQLITE[sqlite3.SQLITE_BUSY],
    sqlite3.SQLITE_PROTOCOL: _SQLITE[sqlite3.SQLITE_BUSY],
    sqlite3.SQLITE_PERM: _SQLITE[sqlite3.SQLITE_READONLY],
    sqlite3.SQLITE_CANTOPEN: _SQLITE[sqlite3.SQLITE_READONLY],
    sqlite3.SQLITE_CORRUPT: _SQLITE[sqlite3.SQLITE_NOTADB],
}
_POSTGRESQL = {
    "42501": "GRANT this user what it lacks; it needs CREATE on the schema when it meets the database first.",
    "25006": "This server only reads, as a standby does: name the one that writes in BIRCHTAR_STATE_URL.",
    "53100": "Make room on the server's disk.",
}


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed a little later: the database is locked, busy or out of reach."""
    if not isinstance(error, DBAPIError):
        return False
    if code := getattr(error.orig, "sqlite_errorcode", None):
        return code & 0xFF in _PASSING_SQLITE
    if sqlstate := getattr(error.orig, "sqlstate", None):
        return bool(sqlstate.startswith(_PASSING_POSTGRESQL))
    return error.connection_invalidated or (_is_of_connecting(error) and _refusal(error) is None)


def advice(error: DBAPIError) -> str | None:
    """Say what to do about a database that cannot be used; None where the error is about something else."""
    if code := getattr(error.orig, "sqlite_errorcode", None):
        return _SQLITE.get(code & 0xFF)
    if sqlstate := getattr(error.orig, "sqlstate", None):
        waited = "Look at what its server does." if sqlstate.startswith(_PASSING_POSTGRESQL) else None
        return _POSTGRESQL.get(sqlstate, waited)
    if error.connection_invalidated or _is_of_connecting(error):
        return _refusal(error) or "Check that its server runs and can be reached from here."
    return None


def shown(url: URL) -> str:
    """Return the place of a database without user's secrets: no password, no options.

    Example:
        >>> from sqlalchemy import make_url
        >>> shown(make_url("postgresql+psycopg://ada:secret@db:5432/etl?sslpassword=secret"))
        'postgresql://ada:***@db:5432/etl'
        >>> shown(make_url("sqlite:////data/state.db"))
        '/data/state.db'
    """
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    hosts = {key: value for key, value in url.query.items() if key in ("host", "port")}
    return url.set(drivername="postgresql", query=hosts).render_as_string(hide_password=True)


def reason(error: DBAPIError, url: URL) -> str:
    """Return what the database's driver said, on one line and without the password.

    Example:
        >>> from sqlalchemy import make_url
        >>> url = make_url("postgresql+psycopg://ada:s3cret@db/etl")
        >>> reason(OperationalError(None, None, ValueError("cannot  parse s3cret@db.")), url)
        'cannot parse ***@db'
    """
    said = " ".join(str(error.orig).split())
    secrets = [url.password, *(value for key, value in url.query.items() if "password" in key)]
    for secret in secrets:
        said = said.replace(str(secret), "***") if secret else said
    return said.rstrip(".")


def _is_of_connecting(error: DBAPIError) -> bool:
    """Whether there never was a connection: then there is no statement either."""
    return error.statement is None and isinstance(error, OperationalError | ProgrammingError)


def _refusal(error: DBAPIError) -> str | None:
    said = str(error.orig)
    return next((advice for words, advice in _REFUSED.items() if words in said), None)
