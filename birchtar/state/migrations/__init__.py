"""How a state database is made and brought to the newest version. Alembic is loaded only where there is work for it.

A change of `tables.py` comes with a file in `versions/`, named here last, that makes it in a database that has data.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, inspect, text

from birchtar.state.errors import StateError

REVISIONS = ("0001", "0002", "0003")
"""All that there are, the newest last."""

_LOCK = 4_815_162_342
"""PostgreSQL knows locks by number: whoever holds this one brings the tables to the newest."""


def is_newest(connection: Connection, place: str) -> bool:
    """Whether the database has the tables that this program expects. Costs two small queries.

    Raises:
        StateError: They are of a newer program.
    """
    # Asked for first, for on PostgreSQL a failed statement ends the transaction.
    if not inspect(connection).has_table("alembic_version"):
        return False
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision not in (None, *REVISIONS):
        raise StateError(
            f"The state database {place} has the version {revision}, which this program does not know"
            f" (it knows {', '.join(REVISIONS)}). A newer Birchtar has used it: use that one, or another database."
        )
    return bool(revision == REVISIONS[-1])


def migrate(connection: Connection, place: str) -> None:
    """Bring the database to the newest version in this transaction, unless another process just did."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if is_newest(connection, place):
        return
    from alembic import command
    from alembic.config import Config

    with _folder() as folder:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        command.upgrade(config, "head")


@contextmanager
def _folder() -> Iterator[Path]:
    """Give this package as a folder, which Alembic needs, also where it travels in a zip."""
    package = files(__name__)
    with TemporaryDirectory(prefix="birchtar-migrations-") as name:
        folder = Path(name)
        (folder / "versions").mkdir()
        (folder / "env.py").write_bytes((package / "env.py").read_bytes())
        for revision in (package / "versions").iterdir():
            if revision.name.endswith(".py"):
                (folder / "versions" / revision.name).write_bytes(revision.read_bytes())
        yield folder
