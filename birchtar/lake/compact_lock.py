"""One compaction of a table at a time; those of other tables, in the same folder too, do not wait for it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from birchtar.lake.errors import LakeError

_PATIENCE = 30.0
"""For how many seconds one waits for another process that compacts the same table."""
_BETWEEN = 0.1


def lock_of(table: Path) -> Path:
    """Return the file beside a table's folder that its compaction locks: the folder itself changes its place.

    Example:
        >>> lock_of(Path("/lake/orders")).as_posix()
        '/lake/.orders.compact.lock'
    """
    return table.parent / f".{table.name}.compact.lock"


class CompactedElsewhereError(LakeError):
    """Another process compacts the table."""


@contextmanager
def alone(table: Path, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Keep other compactions away from a table. The lock goes with the process that holds it, however that ends.

    Args:
        table: The table's folder.
        patience: For how many seconds one waits for another process.

    Raises:
        CompactedElsewhereError: Another process compacts the table and does not end soon.
        LakeError: No file can be put beside the table.
    """
    until = time.monotonic() + patience
    while (descriptor := _locked(table)) is None:
        if time.monotonic() >= until:
            raise CompactedElsewhereError.at(
                [str(table)], "another process is compacting this table. Try again when it is done."
            )
        time.sleep(_BETWEEN)
    try:
        yield
    finally:
        with suppress(OSError):  # it may stay: without a process that holds it, it stops nobody
            lock_of(table).unlink()
        os.close(descriptor)


def _locked(table: Path) -> int | None:
    """Return the lock's descriptor; None where another holds it, or held it and has just removed the file."""
    try:
        descriptor = os.open(lock_of(table), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise LakeError.at([str(table)], f"no file can be put beside the folder: {error.strerror}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(lock_of(table))):  # noqa: PTH116 - beside its like
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
