"""A file that cannot be read, and what Java says of it."""

import re
from dataclasses import dataclass
from typing import Any

from birchtar.lake.errors import LakeError

_NO_ACCESS = re.compile(
    r"AccessControlException|AccessDenied|Permission denied|FileNotFoundException|Input/output error"
    r"|(SocketTimeout|Connect|UnknownHost|NoRouteToHost)Exception"
)
"""What is said of a file that nobody could look into: whether it is sound is not known, and it may be another time."""

_SLIPS = ("ClassCastException", "IndexOutOfBoundsException", "NullPointerException")
"""What readers trip over where a file is not as they take for granted; their messages tell of Java alone."""

_SENSELESS = "Its parts do not fit each other"


@dataclass(frozen=True)
class Damage:
    """A file that cannot be read, or not to its end."""

    file: str
    code: str
    what: str
    position: int | None = None
    """Of a packed file, how many bytes could be unpacked."""


def shown(file: str) -> str:
    """Return a file's path as a user would write it."""
    return file.removeprefix("file://").removeprefix("file:")


def reason(error: Exception) -> str:
    """Return the deepest cause that Java names, in one sentence without the names of classes."""
    cause: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    text = ""
    while cause is not None:
        name = cause.getClass().getSimpleName()
        text = _SENSELESS if name in _SLIPS else str(cause.getMessage() or name)
        cause = cause.getCause()
    first = (text or str(error)).strip().splitlines()[0][:300]
    # Spark sends the trace of a task as text: of it the first line alone counts.
    return f"{first.rstrip('.!')}."


def require_access(file: str, error: Exception) -> None:
    """Raise a LakeError where what went wrong tells nothing of the file but that nobody can open it."""
    if _NO_ACCESS.search(str(error)):
        raise LakeError.at([file], f"the file cannot be opened: {reason(error)}") from None
