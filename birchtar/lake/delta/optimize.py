"""OPTIMIZE and VACUUM of a Delta table: Delta's own, with numbers of their own and words of ours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.delta.lock import committing
from birchtar.lake.delta.log import Log
from birchtar.lake.delta.retry import with_retries
from birchtar.lake.errors import LakeError

_LEAST_RETENTION = timedelta(days=7)


@dataclass(frozen=True)
class Optimized:
    """What OPTIMIZE did."""

    files_removed: int
    files_added: int
    bytes_removed: int
    bytes_added: int


def optimize(
    spark: SparkSession, path: str, target: int, zorder_by: Sequence[str] = (), where: str | None = None
) -> Optimized:
    """Put the small files of a Delta table together, by one commit; a table that is clustered is clustered anew.

    Rows stay as they are, and readers of older versions keep their files. Other writers' appends go through; where
    one replaced the same files, it is tried again.

    Args:
        spark: A session; it is left as it was.
        path: The table's folder, with its scheme.
        target: About how many bytes the files shall have.
        zorder_by: Columns by which rows are brought near each other.
        where: A condition on partition columns: only their files.

    Raises:
        LakeError: A column is not there, or cannot be used so.
    """
    own = SparkSession(spark.sparkContext, spark._jsparkSession.cloneSession())
    own.conf.set("spark.databricks.delta.optimize.maxFileSize", str(target))
    own.conf.set("spark.databricks.delta.optimize.minFileSize", str(target * 3 // 4))
    columns = StructType.fromJson(Log(own, path).schema()).names
    for name in zorder_by:
        if name not in columns:
            raise LakeError.at([path], f"zorder_by: there is no column `{name}`. There are: {', '.join(columns)}.")
    statement = f"OPTIMIZE {_table(path)}" + (f" WHERE {where}" if where else "")
    if zorder_by:
        statement += f" ZORDER BY ({', '.join(f'`{name}`' for name in zorder_by)})"

    def attempt() -> Optimized:
        with committing(path):
            row = own.sql(statement).first()
        metrics = row["metrics"] if row else None
        if metrics is None:
            return Optimized(0, 0, 0, 0)
        removed, added = metrics["filesRemoved"], metrics["filesAdded"]
        return Optimized(
            metrics["numFilesRemoved"], metrics["numFilesAdded"], removed["totalSize"] or 0, added["totalSize"] or 0
        )

    return _told(path, attempt)


def vacuum(spark: SparkSession, path: str, older_than: timedelta, *, dry_run: bool) -> list[str]:
    """Delete files of a Delta table that no version of the given age or younger needs, and return their paths.

    Args:
        spark: A session; it is left as it was.
        path: The table's folder, with its scheme.
        older_than: At least seven days, or what the table's `delta.deletedFileRetentionDuration` says: a younger file
            may belong to a reader, or to a run that has staged it and not published yet.
        dry_run: Only tell; then at most a thousand files are named.

    Raises:
        LakeError: The age is too small.
    """
    log = Log(spark, path)
    least = _LEAST_RETENTION
    if "delta.deletedFileRetentionDuration" in log.properties():
        least = timedelta(milliseconds=log.delta.DeltaLog.tombstoneRetentionMillis(log.snapshot().metadata()))
    if older_than < least:
        raise LakeError.at(
            [path],
            f"vacuum keeps the files of the last {_words(least)} at least, for readers and for runs that are not"
            f" published yet. To keep less, set the table's property delta.deletedFileRetentionDuration.",
        )
    own = SparkSession(spark.sparkContext, spark._jsparkSession.cloneSession())
    # Delta lists folders in as many tasks as this says, which is 10,000 where nobody says anything.
    own.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", 4 * spark.sparkContext.defaultParallelism)
    own.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")  # checked above, with clearer words
    hours = older_than.total_seconds() / 3600
    told = own.sql(f"VACUUM {_table(path)} RETAIN {hours:.4f} HOURS DRY RUN").collect()
    if told and not dry_run:  # Delta writes two versions, also where it deletes nothing
        with committing(path):
            own.sql(f"VACUUM {_table(path)} RETAIN {hours:.4f} HOURS").collect()
    return [row[0] for row in told]


def _words(age: timedelta) -> str:
    """Return an age as people say it.

    Example:
        >>> _words(timedelta(days=7)), _words(timedelta(hours=36))
        ('7 days', '36.0 hours')
    """
    return f"{age / timedelta(hours=1)} hours" if age % timedelta(days=1) else f"{age.days} days"


def _told(path: str, attempt: Callable[[], Optimized]) -> Optimized:
    try:
        return with_retries(attempt)[0]
    except PySparkException as error:
        raise LakeError.at([path], str(error).splitlines()[0]) from error


def _table(path: str) -> str:
    return f"delta.`{path.replace('`', '``')}`"
