"""One committer at a time on a local disk, where Delta's own commit of a version is not safe between processes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from birchtar.lake.paths import is_local, local


@contextmanager
def committing(path: str) -> Iterator[None]:
    """Hold a table's lock. On other file systems there is none, for their renames or conditional writes are atomic.

    On local disks Hadoop looks whether a version's file is there and then renames its own into place: of two
    processes that do so at once the second would replace the first's commit, and its rows would be gone. The lock
    goes with the process that holds it, however that ends.
    """
    if not is_local(path):
        yield
        return
    folder = Path(local(path)) / "_delta_log"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".birchtar.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
