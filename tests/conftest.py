"""Real databases for tests that ask for them: a file of SQLite, and a server of PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from postgres_programs import NoPostgresError, find_programs
from postgres_server import PostgresServer

from birchtar.runtime.errors import RuntimeSetupError

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that runs; where there can be none, who asks for it is skipped."""
    try:
        server = PostgresServer(find_programs())
    except (NoPostgresError, RuntimeSetupError) as error:
        pytest.skip(str(error))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    postgres.run(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a file that is not there yet."""
    return f"sqlite:///{tmp_path}/state.db"
