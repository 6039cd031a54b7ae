"""Files of any file system that Spark reaches, by Spark's own listing, which works side by side on many folders."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from birchtar.lake.errors import LakeError
from birchtar.lake.files import is_hidden
from birchtar.lake.local_listing import passed_over
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
        LakeError: There are files beside partition folders, which Spark would pass over.
    """
    # As texts they need no look inside for a schema.
    df = spark.read.options(**options).format("text").load(list(paths))
    index: Any = df._jdf.queryExecution().analyzed().collectLeaves().head().relation().location()
    folders = _partition_folders(index)
    statuses = index.allFiles()
    for start in range(0, statuses.size(), _AT_ONCE):
        for text in statuses.slice(start, start + _AT_ONCE).mkString(_BETWEEN).split(_BETWEEN):
            file = _listed(text)
            folder, _, name = file.path.rpartition("/")
            if is_hidden(name):
                continue
            if not folders or folder in folders:
                yield file
            elif file.size:
                raise passed_over(folder, name, min(folders))


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
