"""What a Delta table got since a version: rows that were appended, or all changes from its change data feed."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.paths import absolute, is_local, local
from birchtar.lake.rejects import named
from birchtar.lake.source import Source

CHANGE_TYPE, COMMIT_VERSION = "_change_type", "_commit_version"
_CHANGE = (CHANGE_TYPE, COMMIT_VERSION, "_commit_timestamp")
"""The columns that Delta adds to the rows of a change data feed."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_AT_ONCE = 16
"""Files of another system that are looked for side by side: each takes a round trip."""

_OUT = "Reset the bookmark of this input to read the whole table as it is now."


class UnreadableChangesError(LakeError):
    """What happened to a table since the last run cannot be read from there on."""


class DeltaMark(NamedTuple):
    """How far a Delta table was read."""

    table: str
    """The id that Delta gave the table when it was made."""
    version: int
    """The last version that was read."""


def newest(spark: SparkSession, source: Source) -> DeltaMark:
    """Return the table as it is now. Reads its log, none of its rows.

    Raises:
        LakeError: There is no Delta table.
    """
    snapshot = _log(spark, source).update(False, _none(spark), _none(spark))
    if snapshot.version() < 0:
        raise LakeError.at(source.paths, "there is no Delta table.")
    return DeltaMark(str(snapshot.metadata().id()), int(snapshot.version()))


def versions_between(
    spark: SparkSession, source: Source, start: datetime, end: datetime
) -> tuple[DeltaMark | None, DeltaMark | None]:
    """Return the last versions that were committed before each of two moments; None where there is none.

    Reads the table's whole log.

    Raises:
        UnreadableChangesError: The log of what was committed before the first moment is cleaned up.
        LakeError: There is no Delta table.
    """
    from delta.tables import DeltaTable

    table = newest(spark, source).table
    history = DeltaTable.forPath(spark, absolute(source.paths[0])).history()
    commits = history.select("version", F.unix_micros("timestamp").alias("at")).collect()
    bounds = [(moment - _EPOCH) // timedelta(microseconds=1) for moment in (start, end)]
    since, until = (max((row["version"] for row in commits if row["at"] < at), default=None) for at in bounds)
    if since is None and until is not None and (first := min(row["version"] for row in commits)) > 0:
        raise UnreadableChangesError.at(
            source.paths,
            f"its log begins with version {first}, after {start:%Y-%m-%d %H:%M:%S} UTC: what was appended from then on"
            " cannot be told from what was there before.",
        )
    return tuple(None if version is None else DeltaMark(table, version) for version in (since, until))  # type: ignore[return-value]  # of two is two


def read_appended(spark: SparkSession, source: Source, since: DeltaMark | None, until: DeltaMark) -> DataFrame:
    """Return the rows that were appended after a version, up to and including another; lazy, but for the log.

    Only the files that these versions added are read. Commits that only lay out rows anew, such as OPTIMIZE, are
    passed over. Twice with the same versions gives the same rows, whatever happened to the table meanwhile, as long as
    VACUUM has not deleted their files.

    Args:
        spark: The session.
        source: A Delta table.
        since: Where the last run stopped; None for the first, which reads the whole table.
        until: Where this one stops.

    Raises:
        UnreadableChangesError: Rows were deleted, updated or overwritten between the two; the log of these versions is
            cleaned up; VACUUM has deleted their files; or it is another table than the last time.
    """
    if since is None:
        return _at(spark, source, until)
    _require_same_table(source, since, until)
    if since.version == until.version:
        return _at(spark, source, until).limit(0)
    _require_appends(spark, source, since.version + 1, until.version)
    df = _changes(spark, source, since, until, from_files=True)
    return df.select(*(named(name) for name in df.columns if name not in _CHANGE))


def read_changes(spark: SparkSession, source: Source, since: DeltaMark | None, until: DeltaMark) -> DataFrame:
    """Return the changes after a version, up to and including another, from the table's change data feed.

    Each row has ``_change_type`` (insert, delete, update_preimage, update_postimage), ``_commit_version`` and
    ``_commit_timestamp``. The first run gets the whole table as inserts of the version at which it reads.

    Raises:
        UnreadableChangesError: The table keeps no such feed, or did not in all these versions; the log of these
            versions is cleaned up; VACUUM has deleted their files; or it is another table than the last time.
    """
    _require_feed(spark, source, until)
    if since is None:
        return _as_inserts(spark, source, until)
    _require_same_table(source, since, until)
    if since.version == until.version:
        return _as_inserts(spark, source, until).limit(0)
    _require_log(spark, source, since.version + 1, until.version)
    try:
        return _changes(spark, source, since, until, from_files=False)
    except PySparkException as error:
        if error.getCondition() != "DELTA_MISSING_CHANGE_DATA":
            raise
        what = f"the table did not keep a change data feed in all versions since the last run. {_OUT}"
        raise UnreadableChangesError.at(source.paths, what) from None


def _changes(spark: SparkSession, source: Source, since: DeltaMark, until: DeltaMark, *, from_files: bool) -> DataFrame:
    """Return what Delta itself tells of the versions between two: from its feed, or from the files that they added."""
    log, none, jvm = _log(spark, source), _none(spark), spark._jvm
    snapshot = jvm.scala.Some(log.getSnapshotAt(until.version, none, none, False))  # type: ignore[union-attr]
    span = (since.version + 1, until.version)
    java_frame = _cdc_reader(spark).changesToBatchDF(log, *span, spark._jsparkSession, none, snapshot, from_files, none)
    df = DataFrame(java_frame, spark)
    _require_files(spark, source, df.inputFiles(), range(since.version + 1, until.version + 1))
    return df


def _require_files(spark: SparkSession, source: Source, paths: list[str], versions: range) -> None:
    """Raise where files that these versions tell of are deleted. Looks at each."""
    if not (gone := set(_gone(spark, paths))):
        return
    from birchtar.lake.delta.log import Log  # its package imports this module

    log = Log(spark, absolute(source.paths[0]))
    of = [version for version in versions if gone & set(_names(log.commit(version)))] or versions
    raise UnreadableChangesError.at(
        source.paths,
        f"VACUUM has deleted {'1 file' if len(gone) == 1 else f'{len(gone):,} files'} of {_say(of[0], of[-1])}, not"
        " read yet. The table's property delta.deletedFileRetentionDuration says for how long files are kept."
        f" {_OUT}",
    )


def _gone(spark: SparkSession, paths: list[str]) -> Iterator[str]:
    """Yield the names of the files that are not there."""
    if not paths:
        return
    if is_local(paths[0]):
        there: Iterable[bool] = (Path(local(path)).exists() for path in paths)
    else:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            there = list(pool.map(FileSystem(spark, paths[0]).exists, paths))
    for path, is_there in zip(paths, there, strict=True):
        if not is_there:
            yield path.rpartition("/")[2]


def _names(actions: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the names of files that tell of changes; not of those that only lay out rows anew."""
    for action in actions:
        for kind in ("add", "remove", "cdc"):
            if kind in action and (kind == "cdc" or action[kind].get("dataChange", True)):
                yield unquote(action[kind]["path"]).rpartition("/")[2]


def _say(first: int, last: int) -> str:
    return f"version {first}" if first == last else f"the versions {first} to {last}"


def _at(spark: SparkSession, source: Source, mark: DeltaMark) -> DataFrame:
    reader = spark.read.format("delta").options(**source.options).option("versionAsOf", mark.version)
    return reader.load(absolute(source.paths[0]))


def _as_inserts(spark: SparkSession, source: Source, mark: DeltaMark) -> DataFrame:
    from delta.tables import DeltaTable

    history = DeltaTable.forPath(spark, absolute(source.paths[0])).history()
    row = history.where(F.col("version") == mark.version).select("timestamp").first()
    made = F.lit(row["timestamp"] if row else None).cast("timestamp")
    columns = {CHANGE_TYPE: F.lit("insert"), COMMIT_VERSION: F.lit(mark.version).cast("bigint")}
    return _at(spark, source, mark).withColumns(columns | {"_commit_timestamp": made})


def _require_same_table(source: Source, since: DeltaMark, until: DeltaMark) -> None:
    if since.table != until.table or since.version > until.version:
        raise UnreadableChangesError.at(
            source.paths, f"this is another table than the one that was read up to version {since.version}. {_OUT}"
        )


def _require_log(spark: SparkSession, source: Source, start: int, end: int) -> list[str]:
    """Return the files of the log that hold these versions."""
    folder = f"{absolute(source.paths[0]).rstrip('/')}/_delta_log"
    commits = [f"{folder}/{version:020}.json" for version in range(start, end + 1)]
    files = FileSystem(spark, folder)
    # The log is cleaned up from its beginning, so the first commit tells of all.
    if not files.exists(commits[0]):
        raise UnreadableChangesError.at(
            source.paths,
            f"version {start} was not read yet, and its log is cleaned up. The table's property"
            f" delta.logRetentionDuration says for how long it is kept. {_OUT}",
        )
    return commits


def _require_appends(spark: SparkSession, source: Source, start: int, end: int) -> None:
    commits = _require_log(spark, source, start, end)
    log = spark.read.schema(
        "remove STRUCT<path: STRING, dataChange: BOOLEAN>, commitInfo STRUCT<operation: STRING>,"
        " metaData STRUCT<id: STRING>"
    ).json(commits)
    # Where a writer does not say, a removed file counts as a change.
    removes = F.col("remove").isNotNull() & F.coalesce(F.col("remove.dataChange"), F.lit(True))
    version = F.regexp_extract(F.col("_metadata.file_name"), r"^(\d+)\.json$", 1).cast("bigint")
    found = (
        log.groupBy(version.alias("version"))
        .agg(F.count_if(removes).alias("removed"), F.max("commitInfo.operation").alias("operation"))
        .where("removed > 0")
        .orderBy("version")
        .first()
    )
    if found is not None:
        raise UnreadableChangesError.at(
            source.paths,
            f"version {found['version']} ({found['operation'] or 'an unnamed operation'}) deleted or replaced rows, and"
            " `bookmark_by: version` reads appended ones only. Take `bookmark_by: changes`, which reads the change data"
            f" feed. Or: {_OUT}",
        )


def _require_feed(spark: SparkSession, source: Source, mark: DeltaMark) -> None:
    none = _none(spark)
    metadata = _log(spark, source).getSnapshotAt(mark.version, none, none, False).metadata()
    if not _cdc_reader(spark).isCDCEnabledOnTable(metadata, spark._jsparkSession):
        raise UnreadableChangesError.at(
            source.paths,
            f"the table keeps no change data feed. ALTER TABLE delta.`{absolute(source.paths[0])}` SET TBLPROPERTIES"
            " (delta.enableChangeDataFeed = true) makes it keep one from then on.",
        )


def _log(spark: SparkSession, source: Source) -> Any:
    jvm: Any = spark._jvm
    return jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, absolute(source.paths[0]))


def _cdc_reader(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    return jvm.org.apache.spark.sql.delta.commands.cdc.CDCReader


def _none(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    return jvm.scala.Option.empty()
