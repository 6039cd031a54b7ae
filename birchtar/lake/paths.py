"""Paths of local files and of other file systems."""

import re
from glob import glob, has_magic
from os.path import abspath, realpath
from pathlib import Path
from urllib.parse import urlsplit


def is_local(path: str) -> bool:
    """Return whether the path is on this machine.

    Example:
        >>> is_local("data/raw"), is_local("file:///data"), is_local("s3a://bucket/data")
        (True, True, False)
    """
    return urlsplit(path).scheme in ("", "file")


def local(path: str) -> str:
    """Return a local path without its scheme, absolute.

    Example:
        >>> local("file:///data/raw")
        '/data/raw'
    """
    return abspath(re.sub("^file:(//[^/]*)?", "", path))  # noqa: PTH100 - resolves no links


def exists(path: str) -> bool:
    """Return whether a local path, or at least one that fits the glob, is there."""
    path = re.sub(r"\{[^{}]*\}", "*", local(path))  # Spark knows `{a,b}` in a glob, Python does not
    return bool(glob(path)) if has_magic(path) else Path(path).exists()  # noqa: PTH207 - Path.glob refuses absolute patterns


def covers(outer: str, inner: str) -> bool:
    """Return whether two paths are one, or the second lies inside the first.

    Example:
        >>> covers("data/curated", "data/curated/./flights"), covers("data/curated", "data/curated_2")
        (True, False)
    """
    outer, inner = (local(path) if is_local(path) else path for path in (outer, inner))
    return f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/")


def without_links(path: str) -> str:
    """Return the absolute path of the folder itself, where a local one is a link; of other systems the path.

    Example:
        >>> without_links("file:/data/raw/../x"), without_links("s3a://bucket/data")
        ('file:/data/x', 's3a://bucket/data')
    """
    return f"file:{realpath(local(path))}" if is_local(path) else path


def absolute(path: str) -> str:
    """Return the path with its scheme: one without names a file of this machine, relative to the current folder.

    Spark would take it from the folder in which Java was started, or from a cluster's own file system.

    Example:
        >>> absolute("s3a://bucket/data"), absolute("/data/raw")
        ('s3a://bucket/data', 'file:/data/raw')
    """
    return f"file:{local(path)}" if is_local(path) else path
