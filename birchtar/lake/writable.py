"""Why nothing can be written to a folder of this machine: what Java tells of it is where it failed, not why."""

import errno
import getpass
import os
from contextlib import suppress
from pathlib import Path

from birchtar.lake.errors import LakeError
from birchtar.lake.paths import is_local, local

_ELSEWHERE = "or let the output have another `path`"


def unwritable(path: str) -> LakeError | None:
    """Return the error of a table's folder that cannot be written or made, or None. Makes a file, and deletes it.

    Looked at are the folder, or the nearest one above it that is there, and where else its rows wait: beside it.
    """
    if not is_local(path):
        return None
    folder = Path(local(path))
    for wanted in (folder, folder.parent):
        there = next(each for each in (wanted, *wanted.parents) if os.path.lexists(each))
        if why := _why_not(there):
            return LakeError.at([path], why)
    return None


def refusal(folder: Path, error: OSError) -> str | None:
    """Return what keeps a user from writing to a folder, and what to do; None where it is something else."""
    match error.errno:
        case errno.EROFS:
            return f"{folder} is on a read-only file system. Mount it so that it can be written to, {_ELSEWHERE}."
        case errno.EACCES | errno.EPERM:
            return f"{_user()} may not write to the folder {folder}. Give the user the right to, {_ELSEWHERE}."
    return None


def _why_not(there: Path) -> str | None:
    if not there.is_dir():
        kind = "a file" if there.exists() else "a link to what is not there"
        return f"{there} is {kind}, and a table needs a folder there. Move it away, {_ELSEWHERE}."
    probe = there / f".birchtar-{os.getpid()}.probe"
    try:
        probe.touch()
    except OSError as error:
        return refusal(there, error)
    with suppress(OSError):
        probe.unlink()
    return None


def _user() -> str:
    try:
        return f"The user `{getpass.getuser()}`"
    except (KeyError, OSError):  # one without a name, as in some containers
        return f"The user {os.getuid()}"
