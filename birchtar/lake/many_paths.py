"""Paths handed to Spark's reader: many at once, and as they are, without being taken for globs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pyspark.sql import DataFrame, DataFrameReader, SparkSession

from birchtar.lake.paths import is_local
from birchtar.lake.places import places_of
from birchtar.lake.source import Source

_SINGLY = 100
"""Up to here PySpark hands each path to Java by a call of its own, which takes a tenth of a millisecond."""

AS_THEY_ARE = {"__globPaths__": "false"}
"""Spark's own option, not a documented one, for paths in which no character is special."""

_LISTING = "spark.sql.sources.parallelPartitionDiscovery"


def load_paths(spark: SparkSession, reader: DataFrameReader, paths: Sequence[str]) -> DataFrame:
    """Return what a reader makes of some paths, be they a hundred thousand."""
    if len(paths) <= _SINGLY:
        return reader.load(list(paths))
    java: Any = spark._jvm
    # The one character that no path holds parts them.
    together = java.org.apache.commons.lang3.StringUtils.split("\0".join(paths), "\0")
    settings: Any = reader
    with _settings(spark, _how_to_list(spark, paths)):
        return DataFrame(settings._jreader.load(together), spark)


def load_source(spark: SparkSession, reader: DataFrameReader, source: Source) -> DataFrame:
    """Return what a reader makes of a source's files, each once; a glob finds nothing that is hidden.

    Raises:
        MissingPathError: A glob fits nothing.
    """
    is_listed = AS_THEY_ARE.items() <= source.options.items()
    return load_paths(spark, reader, source.paths if is_listed else places_of(spark, source.paths, source.options))


def _how_to_list(spark: SparkSession, paths: Sequence[str]) -> dict[str, str]:
    """Spark would look at each path in a task of its own, which for small files takes longer than to read them."""
    if all(map(is_local, paths)):
        return {f"{_LISTING}.threshold": str(len(paths))}
    return {f"{_LISTING}.parallelism": str(4 * spark.sparkContext.defaultParallelism)}


@contextmanager
def _settings(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    before = {key: spark.conf.get(key, None) for key in settings}
    try:
        for key, value in settings.items():
            spark.conf.set(key, value)
        yield
    finally:
        for key, former in before.items():
            if former is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, former)
