"""One suite of behaviours for both databases: `state` is SQLite in one run of a test and PostgreSQL in the other."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from birchtar.state.database import State, open_state

# What several tests share lies beside them, and pytest's importlib mode puts no folder on the path.
sys.path.append(str(Path(__file__).parent))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each kind."""
    return request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])


@pytest.fixture
def state(url: str) -> Iterator[State]:
    """A state database that nothing has used yet."""
    opened = open_state(url, patience=30)
    yield opened
    opened.engine.dispose()
