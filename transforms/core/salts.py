"""Secrets that stand in no job file: they come from the environment or from a file."""

import os
from pathlib import Path

from transforms.errors import TransformError


def read_salt(source: str, *, where: str) -> bytes:
    """Return the secret that ``env:NAME`` or ``file:PATH`` names; a line's end behind it does not count.

    Raises:
        TransformError: There is no such variable or file, it is empty, or the source is of neither kind.
    """
    kind, _, name = source.partition(":")
    if kind == "env" and name:
        found = os.environ.get(name, "").encode()
    elif kind == "file" and name:
        try:
            found = Path(name).read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise TransformError(f"{where}: the file {name} cannot be read: {error.strerror}.") from None
    else:
        raise TransformError(
            f"{where}: write env:NAME for a variable of the environment, or file:PATH. The secret itself has no place"
            " in a job."
        )
    if not found:
        what = f"the variable {name} is not set, or empty" if kind == "env" else f"the file {name} is empty"
        raise TransformError(f"{where}: {what}.")
    return found
