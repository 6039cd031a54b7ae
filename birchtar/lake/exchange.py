"""Two folders change places at once, so that no moment passes in which a reader finds neither."""

import ctypes
import sys
from functools import cache

_HERE = -100
"""AT_FDCWD: paths are relative to the current folder; ours are absolute."""

_EXCHANGE = 2
"""RENAME_EXCHANGE of Linux's renameat2, and RENAME_SWAP of macOS's renamex_np."""


def exchange(one: str, other: str) -> bool:
    """Let two local files or folders, both there, change names in one step.

    Returns:
        Whether it was done. Not every system and file system can; then nothing has changed.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> old, new = folder / "table", folder / "staged"
        >>> _ = old.write_text("old"), new.write_text("new")
        >>> if exchange(str(old), str(new)):
        ...     assert (old.read_text(), new.read_text()) == ("new", "old")
    """
    library = _c_library()
    first, second = one.encode(), other.encode()
    if sys.platform == "darwin":
        return library is not None and library.renamex_np(first, second, _EXCHANGE) == 0
    return library is not None and library.renameat2(_HERE, first, _HERE, second, _EXCHANGE) == 0


@cache
def _c_library() -> ctypes.CDLL | None:
    """Return the system's C library, where it has the call."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "renamex_np" if sys.platform == "darwin" else "renameat2") else None
