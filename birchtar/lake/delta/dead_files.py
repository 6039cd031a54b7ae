"""Data files in a Delta table's folder that an attempt of a run has written and will never commit.

A process that is killed while it writes leaves such files, and so do the tasks of a write that fails. Delta gives its
files random names; so a run lets them begin with a name of its own, by which they are found again.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from pyspark.sql import SparkSession

from birchtar.lake.delta.log import Log, holds_plain_parquet
from birchtar.lake.files import FileSystem
from birchtar.lake.label import Label

_PREFIX = "spark.databricks.delta.testOnly.dataFileNamePrefix"
"""Delta made it for its own tests. Should it go, then no file is found here, and VACUUM deletes them in its time."""


def name_files(spark: SparkSession, label: Label) -> None:
    """Let the data files that a session writes for Delta tables begin with the name of an attempt of a run.

    Nobody else may write in the session: files of another run by this name could be taken for dead.
    """
    spark._jsparkSession.sessionState().conf().setConfString(_PREFIX, f"{label.folder}-")


def delete_dead(log: Log, label: Label, attempts: Iterable[int]) -> None:
    """Delete the files of some attempts of a run from a table's folder. Lists the folder.

    What the table consists of stays, whoever wrote it; time travel is no concern, for an attempt that was published
    is never followed by another.

    Args:
        log: The table's, which may not be there yet.
        label: The run, and the output that writes to this table.
        attempts: Those that are dead, and have published nothing.
    """
    names = tuple(f"{replace(label, attempt=attempt).folder}-" for attempt in attempts)
    files = FileSystem(log.spark, log.path)
    there = files.data_files(log.path) if files.exists(log.path) else ()
    dead = [file.name for file in there if _name(file.name).startswith(names)]
    committed = _committed(log) if dead else set()
    for file in dead:
        if _name(file) not in committed:
            files.delete(f"{log.path}/{file}")


def delete_empty(log: Log, label: Label, named: Collection[str]) -> None:
    """Delete the file that Spark has written for a frame without rows, and that Delta leaves out of the table.

    Lists the table's folder, not those of its partitions: for them Spark writes no such file.

    Args:
        log: The table's.
        label: The run's.
        named: Names of files that the transaction adds: they stay.
    """
    files = FileSystem(log.spark, log.path)
    if log.version() >= 0 and not holds_plain_parquet(log):  # such a table's files lie in folders of random names
        there = [file.name for file in files.data_files(log.path)]
    else:
        there = files.names_in(log.path)
    for file in there:
        if (name := _name(file)).startswith(f"{label.folder}-") and name not in named:
            files.delete(f"{log.path}/{file}")


def delete_unmade_log(log: Log) -> None:
    """Delete the empty log of a table that no commit has made, where no file waits for one."""
    files, folder = FileSystem(log.spark, log.path), f"{log.path}/_delta_log"
    if log.version() < 0 and files.exists(folder) and not any(files.data_files(log.path)):
        for each in (f"{folder}/_staged_commits", folder):
            files.delete_if_empty(each)


def _committed(log: Log) -> set[str]:
    if log.version() < 0:
        return set()
    return set(map(_name, log.spark.read.format("delta").load(log.path).inputFiles()))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
