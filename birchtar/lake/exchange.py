"""Two folders change places in one step, where the system can do that."""

import ctypes
import errno
import os

_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTTY}
"""What a kernel or a file system answers that does not know the call."""


def exchange(a: str, b: str) -> bool:
    """Let two files or folders of one local file system change places: a reader finds either, never none.

    Who has listed one of them before, and opens its files by their paths after, does not find them there.

    Args:
        a: A path.
        b: Another one.

    Returns:
        False, and nothing was done, where the system or its file system cannot: anything but Linux, some network disks.

    Raises:
        OSError: One of them is not there, may not be renamed, or they are on two file systems.
    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), a, None, b)
