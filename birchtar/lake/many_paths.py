"""Paths handed to Spark's reader: many at once, and as they are, without being taken for globs."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, DataFrameReader, SparkSession

_SINGLY = 100
"""Up to here PySpark hands each path to Java by a call of its own, which takes a tenth of a millisecond."""

AS_THEY_ARE = {"__globPaths__": "false"}
"""Spark's own option, not a documented one, for paths in which no character is special."""


def load_paths(spark: SparkSession, reader: DataFrameReader, paths: Sequence[str]) -> DataFrame:
    """Return what a reader makes of some paths, be they a hundred thousand."""
    if len(paths) <= _SINGLY:
        return reader.load(list(paths))
    java: Any = spark._jvm
    # The one character that no path holds parts them.
    together = java.org.apache.commons.lang3.StringUtils.split("\0".join(paths), "\0")
    settings: Any = reader
    return DataFrame(settings._jreader.load(together), spark)
