"""Whether files are still as they were listed."""

import os
from collections.abc import Iterable

from pyspark.sql import SparkSession

from birchtar.lake.files import FileSystem
from birchtar.lake.paths import is_local, local


def changed_since(spark: SparkSession, files: Iterable[tuple[str, int, int]]) -> list[str]:
    """Return the paths of files that have another size or time than when they were listed, or are gone.

    Looks at each file once, at none that is not given.

    Args:
        spark: Looks at what is not on this machine.
        files: Paths as `birchtar.lake.listing.list_files` lists them, sizes in bytes, times in microseconds.
    """
    return [path for path, size, modified in files if _now(spark, path) != (size, modified)]


def _now(spark: SparkSession, path: str) -> tuple[int, int] | None:
    if not is_local(path):
        return FileSystem(spark, path).status(path)
    try:
        found = os.stat(local(path))  # noqa: PTH116 - of a million files, where a Path each would cost as much again
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns // 1000
