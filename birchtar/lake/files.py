"""Folders of data files on any file system that Spark can reach, moved so that no reader meets half a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


BEING_COPIED = "._COPYING_"
"""How the name of a file ends that Hadoop's own tools have not copied to its end."""


def is_hidden(name: str) -> bool:
    """Return whether Spark, Hive and others pass over a file or folder of this name.

    Example:
        >>> is_hidden("_SUCCESS"), is_hidden(".part-0.crc"), is_hidden("_day=1")
        (True, True, False)
    """
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def is_passed_over(name: str) -> bool:
    """Return whether Spark passes over a file or folder of this name, one that Hadoop's tools still copy included.

    Example:
        >>> is_passed_over("_SUCCESS"), is_passed_over("a.csv._COPYING_"), is_passed_over("a.csv")
        (True, True, False)
    """
    return (name[:1] in "._" and is_hidden(name)) or name.endswith(BEING_COPIED)


@dataclass(frozen=True)
class DataFile:
    """A data file below a folder."""

    name: str
    """Its path below the folder, such as ``month=1/part-00000.parquet``."""
    size: int
    """In bytes."""


class FileSystem:
    """The file system of one path, through Hadoop's own client: local disks, HDFS, object stores."""

    def __init__(self, spark: "SparkSession", path: str) -> None:
        jvm: Any = spark._jvm
        conf = spark._jsparkSession.sessionState().newHadoopConf()
        self._path = jvm.org.apache.hadoop.fs.Path
        self._files = self._path(path).getFileSystem(conf)
        self._context = jvm.org.apache.hadoop.fs.FileContext.getFileContext(self._files.getUri(), conf)
        rename = jvm.org.apache.hadoop.fs.Options.Rename
        self._no_options = spark.sparkContext._gateway.new_array(rename, 0)  # type: ignore[union-attr]

    def exists(self, path: str) -> bool:
        """Return whether a file or folder is there."""
        return bool(self._files.exists(self._path(path)))

    def is_file(self, path: str) -> bool:
        """Return whether there is a file, and no folder."""
        return bool(self._files.exists(self._path(path)) and self._files.getFileStatus(self._path(path)).isFile())

    def size(self, path: str) -> int:
        """Return the bytes of a file."""
        return int(self._files.getFileStatus(self._path(path)).getLen())

    def status(self, path: str) -> tuple[int, int] | None:
        """Return a file's bytes and when it was changed, in microseconds since 1970; None where it is not there."""
        if not self.exists(path):
            return None
        found = self._files.getFileStatus(self._path(path))
        return int(found.getLen()), int(found.getModificationTime()) * 1000

    def names_in(self, folder: str) -> list[str]:
        """Return the names of the files and folders in a folder, hidden ones too; none where it is not there."""
        if not self.exists(folder):
            return []
        return [str(status.getPath().getName()) for status in self._files.listStatus(self._path(folder))]

    def data_files(self, folder: str) -> Iterator[DataFile]:
        """Yield the data files below a folder: all but those that readers pass over."""
        root = self._files.makeQualified(self._path(folder)).toString().rstrip("/") + "/"
        listed = self._files.listFiles(self._path(folder), True)
        while listed.hasNext():
            status = listed.next()
            name = status.getPath().toString().removeprefix(root)
            if not any(map(is_hidden, name.split("/"))):
                yield DataFile(name, status.getLen())

    def move(self, source: str, target: str) -> None:
        """Rename a file or folder; the target's parent is made, the target itself must not be there."""
        parent = self._path(target).getParent()
        self._files.mkdirs(parent)
        self._context.rename(self._path(source), self._path(target), self._no_options)

    def touch(self, path: str) -> None:
        """Make an empty file, unless it is there."""
        self._files.create(self._path(path), True).close()

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all that is in it; what is not there is no error."""
        self._files.delete(self._path(path), True)

    def delete_if_empty(self, folder: str) -> None:
        """Delete a folder with nothing in it; another one stays as it is."""
        if not self.names_in(folder):
            self._files.delete(self._path(folder), False)
