"""Files of any file system that Spark reaches, by Spark's own listing, which works side by side on many folders."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem, is_hidden, is_passed_over
from birchtar.lake.globs import unescaped
from birchtar.lake.listing_filters import file_filter
from birchtar.lake.local_listing import hidden_input, passed_over, too_deep
from birchtar.lake.places import places_of
from birchtar.state.listed import ListedFile

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from birchtar.lake.source import OptionValue

_AT_ONCE = 10_000
"""Files whose texts cross from Java to Python in one call."""

_BETWEEN = "\0"
"""The one character that no file's name holds."""

_STATUS = re.compile(
    r"\w+\{path=(?P<path>.*); isDirectory=\w+; length=(?P<size>\d+);.*? modification_time=(?P<time>-?\d+);", re.DOTALL
)
"""How a file's status of Hadoop looks as a text: so all that is told of many files comes over in one call."""


def list_through_spark(
    spark: "SparkSession", paths: Sequence[str], options: "Mapping[str, OptionValue]"
) -> Iterator[ListedFile]:
    """Yield the files of some paths, as `birchtar.lake.listing.list_files` describes; times in whole milliseconds.

    More than 32 folders are listed by Spark's executors side by side. What is listed once crosses to Python in one call
    per ten thousand files.

    Raises:
        LakeError: There are files beside partition folders, or below the folders that are read, which Spark would pass
            over; or a path is a hidden file.
    """
    from birchtar.lake.many_paths import load_paths  # with it comes PySpark, which local listings do without

    places = places_of(spark, paths, options)
    for path in places:
        if is_passed_over(path.rstrip("/").rpartition("/")[2]) and FileSystem(spark, path).is_file(unescaped(path)):
            raise hidden_input(unescaped(path))
    # As texts they need no look inside for a schema.
    df = load_paths(spark, spark.read.options(**options).format("text"), places)
    index: Any = df._jdf.queryExecution().analyzed().collectLeaves().head().relation().location()
    folders = _partition_folders(index)
    if not folders:
        _require_none_below(spark, index, {key.lower(): str(value) for key, value in options.items()})
    for file in _files(index.allFiles()):
        folder, _, name = file.path.rpartition("/")
        if not folders or folder in folders:
            yield file
        elif file.size:
            raise passed_over(folder, name, min(folders))


def _files(statuses: Any) -> Iterator[ListedFile]:
    """Yield the files of a sequence of Java's, those with hidden names left out."""
    for start in range(0, statuses.size(), _AT_ONCE):
        for text in statuses.slice(start, start + _AT_ONCE).mkString(_BETWEEN).split(_BETWEEN):
            file = _listed(text)
            if not is_hidden(file.path.rpartition("/")[2]):
                yield file


def _require_none_below(spark: "SparkSession", index: Any, options: Mapping[str, str]) -> None:
    """Raise where files lie below the folders that are read: Spark has listed them, and reads none of their rows."""
    found = index.leafFiles()
    if options.get("recursivefilelookup", "").lower() == "true" or found.size() == index.allFiles().size():
        return
    roots = set(index.rootPaths().mkString(_BETWEEN).split(_BETWEEN))
    accepts = file_filter(options, spark)
    for file in _files(found.values().toSeq()):
        folder, _, name = file.path.rpartition("/")
        if file.size and not roots & {folder, file.path} and (accepts is None or accepts(file)):
            above = max((root for root in roots if folder.startswith(f"{root.rstrip('/')}/")), key=len)
            raise too_deep(folder, name, above)


def _partition_folders(index: Any) -> set[str]:
    """Return the folders that Spark reads as partitions; files beside them it lists, but reads none of their rows."""
    spec = index.partitionSpec()
    if spec.partitionColumns().isEmpty():
        return set()
    paths = (spec.partitions().apply(at).path().toString() for at in range(spec.partitions().size()))
    return set(paths)


def _listed(text: str) -> ListedFile:
    match = _STATUS.match(text)
    if match is None:
        raise LakeError(f"This Hadoop tells of a file in a way that is not known here: {text}")
    return ListedFile(match["path"], int(match["size"]), int(match["time"]) * 1000)
