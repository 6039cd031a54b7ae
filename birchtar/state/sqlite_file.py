"""The file of a SQLite database: there, or to be made in a folder that is there."""

from pathlib import Path

from sqlalchemy.engine import URL

from birchtar.state.errors import NoStateError, StateError

_ELSEWHERE = "name another place in BIRCHTAR_STATE_URL"


def make_room(url: URL) -> None:
    """Require the folder that a database is to be in; `.birchtar` in the current folder is made.

    Raises:
        StateError: There is no such folder.
    """
    if url.get_backend_name() != "sqlite":
        return
    file = Path(str(url.database))
    if file.parent == Path(".birchtar").absolute():
        try:
            file.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StateError(
                f"The state database {file} cannot be made: {error.strerror}. Make room for it, or {_ELSEWHERE}."
            ) from error
    if not file.parent.is_dir():
        raise StateError(
            f"The state database {file} cannot be made: there is no folder {file.parent}. Make it, or {_ELSEWHERE}."
        )


def require_file(url: URL) -> None:
    """Require a database that is there; of PostgreSQL its server will tell.

    Raises:
        NoStateError: There is no such file.
    """
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise NoStateError(
            f"There is no state database {url.database}: no job has run with it."
            f" Go to the folder in which your jobs run, or {_ELSEWHERE}."
        )
