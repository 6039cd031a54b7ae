"""From a DataFrame to the files of a table. What a failed write leaves behind, no reader takes for data."""

import uuid
from dataclasses import dataclass

from pyspark.sql import DataFrame, DataFrameWriter, Row, SparkSession

from birchtar.lake.columns import require_fitting_columns
from birchtar.lake.errors import LakeError
from birchtar.lake.files import DataFile, FileSystem
from birchtar.lake.rejects import named
from birchtar.lake.sink import COMPRESSION_NAMES, DEFAULT_COMPRESSION, Sink

_CSV = {"header": "true", "escape": '"', "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}
"""CSV as everybody else reads it: a quote inside quotes is doubled, and spaces belong to the value."""


@dataclass(frozen=True)
class Written:
    """What a write added to a table."""

    files: int
    bytes: int


def write(df: DataFrame, sink: Sink, path: str) -> Written:
    """Write all rows of a frame as the sink says. Starts the Spark jobs that compute the frame.

    Delta commits the rows in one transaction. The files of other formats are written to a hidden folder beside the
    table and renamed into it when all of them are whole: a reader sees the old files or the new ones, and after
    a failure the old ones. To replace a folder takes two renames; a reader that comes between them finds none, and what
    a process leaves that is killed there, the next write to the folder puts right. Rows come out in as few files as
    the target size allows, which is the session's ``spark.sql.adaptive.advisoryPartitionSizeInBytes``.

    Args:
        df: What to write. Its nulls and duplicates stay, but a partition's empty text comes back as null: both have the
            same folder, with Spark and Hive alike.
        sink: The format, and how the rows are laid out in files.
        path: The table's folder; of a sink for several tables, one below the sink's own.

    Raises:
        LakeError: The sink names a column that the frame does not have, or a type that the format cannot hold.
    """
    _check(df, sink)
    files = FileSystem(df.sparkSession, path)
    _take_back(files, path)
    require_fitting_columns(df, sink, path)
    writer = _writer(_laid_out(df, sink), sink)
    if sink.format == "delta":
        return _write_delta(df, writer, sink, path)
    staged = f"{_beside(path)}.{uuid.uuid4().hex}.staged"
    try:
        writer.mode("errorifexists").save(staged)
        written = list(files.data_files(staged))
        _publish(files, written, staged, path, sink)
    finally:
        files.delete(staged)
    return Written(len(written), sum(file.size for file in written))


def _check(df: DataFrame, sink: Sink) -> None:
    for kind, names in (("partition_by", sink.partition_by), ("sort_by", sink.sort_by)):
        for name in names:
            if name not in df.columns:
                raise LakeError(f"{kind}: there is no column `{name}`. The table has: {', '.join(df.columns)}.")
            if kind == "partition_by" and name.startswith("."):
                raise LakeError(f"partition_by: readers pass over folders like `{name}=...`. Rename the column.")
    if not set(df.columns) - set(sink.partition_by):
        raise LakeError("The table has no column beside those it is partitioned by.")
    if sink.compression not in (None, *(known := COMPRESSION_NAMES[sink.format])):
        raise LakeError(f"compression: {sink.format} has no {sink.compression}. It has: {', '.join(known)}.")
    if sink.format == "csv":
        nested = [f"`{name}` ({kind})" for name, kind in df.dtypes if kind.startswith(("array", "map", "struct"))]
        if nested:
            raise LakeError(f"CSV cannot hold {', '.join(nested)}. Flatten it with `relationalize`, or write JSON.")


def _laid_out(df: DataFrame, sink: Sink) -> DataFrame:
    """Bring rows that share a file together, and lets Spark choose the number of files by their size."""
    together = df.hint("rebalance", *map(named, sink.partition_by))
    order = [*sink.partition_by, *sink.sort_by] if sink.sort_by else []
    return together.sortWithinPartitions(*map(named, order)) if order else together


def _writer(df: DataFrame, sink: Sink) -> DataFrameWriter:
    compression = sink.compression or DEFAULT_COMPRESSION[sink.format]
    options = {"compression": COMPRESSION_NAMES[sink.format][compression]}
    if sink.format == "csv":
        options |= _CSV
    writer = df.write.format(sink.format).options(**(options | sink.options))
    return writer.partitionBy(*sink.partition_by) if sink.partition_by else writer


def _write_delta(df: DataFrame, writer: DataFrameWriter, sink: Sink, path: str) -> Written:
    if sink.mode == "overwrite_partitions":
        writer = writer.option("partitionOverwriteMode", "dynamic")
    elif sink.mode == "overwrite":
        writer = writer.option("overwriteSchema", "true")
    before = _last_commit(df.sparkSession, path)
    writer.mode("append" if sink.mode == "append" else "overwrite").save(path)
    last = _last_commit(df.sparkSession, path)
    if last is None or last == before:
        return Written(0, 0)  # Delta commits nothing where no row came
    metrics = last["operationMetrics"]
    return Written(int(metrics.get("numFiles", 0)), int(metrics.get("numOutputBytes", 0)))


def _last_commit(spark: SparkSession, path: str) -> Row | None:
    from delta.tables import DeltaTable

    if not DeltaTable.isDeltaTable(spark, path):
        return None
    return DeltaTable.forPath(spark, path).history(1).select("version", "operationMetrics").first()


def _publish(files: FileSystem, written: list[DataFile], staged: str, path: str, sink: Sink) -> None:
    if sink.mode == "overwrite":
        _swap(files, staged, path)
        return
    folders = sorted({file.name.rpartition("/")[0] for file in written})
    for folder in filter(None, folders):
        _take_back(files, f"{path}/{folder}")
    if sink.mode == "overwrite_partitions":
        for folder in folders:
            _swap(files, f"{staged}/{folder}", f"{path}/{folder}")
        return
    for file in written:
        files.move(f"{staged}/{file.name}", f"{path}/{file.name}")


def _swap(files: FileSystem, staged: str, path: str) -> None:
    """Put one folder in the place of another, by two renames."""
    there = files.exists(path)
    if there:
        files.move(path, _replaced(path))
    try:
        files.move(staged, path)
    except Exception:
        if there:
            files.move(_replaced(path), path)
        raise
    files.delete(_replaced(path))


def _take_back(files: FileSystem, path: str) -> None:
    """Undo a `_swap` between whose renames the process died; finish one that died behind them."""
    if not files.exists(_replaced(path)):
        return
    if files.exists(path):
        files.delete(_replaced(path))
    else:
        files.move(_replaced(path), path)


def _replaced(path: str) -> str:
    return f"{_beside(path)}.replaced"


def _beside(path: str) -> str:
    """Return the start of a hidden name beside a folder: readers pass over names with a leading dot."""
    parent, _, name = path.rstrip("/").rpartition("/")
    return f"{parent}/.{name}" if parent else f".{name}"
