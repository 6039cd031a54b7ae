"""From a DataFrame to the files of a table. What a failed write leaves behind, no reader takes for data."""

import uuid
from dataclasses import dataclass

from pyspark.sql import DataFrame, DataFrameWriter
from pyspark.sql import functions as F

from birchtar.lake.errors import LakeError
from birchtar.lake.files import DataFile, FileSystem
from birchtar.lake.sink import COMPRESSION_NAMES, DEFAULT_COMPRESSION, Sink


@dataclass(frozen=True)
class Written:
    """What a write added to a table."""

    files: int
    bytes: int


def write(df: DataFrame, sink: Sink, path: str) -> Written:
    """Write all rows of a frame as the sink says. Starts the Spark jobs that compute the frame.

    Delta commits the rows in one transaction. The files of other formats are written to a hidden folder beside the
    table and renamed into it when all of them are whole: a reader sees the old files or the new ones, and after
    a failure the old ones. Rows come out in as few files as the target size allows.

    Args:
        df: What to write. Its nulls and duplicates stay.
        sink: The format, and how the rows are laid out in files.
        path: The table's folder; of a sink for several tables, one below the sink's own.

    Raises:
        LakeError: The sink names a column that the frame does not have, or a type that the format cannot hold.
    """
    _check(df, sink)
    writer = _writer(_laid_out(df, sink), sink)
    files = FileSystem(df.sparkSession, path)
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
    if not set(df.columns) - set(sink.partition_by):
        raise LakeError("The table has no column beside those it is partitioned by.")
    if sink.format == "csv":
        nested = [f"`{name}` ({kind})" for name, kind in df.dtypes if kind.startswith(("array", "map", "struct"))]
        if nested:
            raise LakeError(f"CSV cannot hold {', '.join(nested)}. Flatten it with `relationalize`, or write JSON.")


def _laid_out(df: DataFrame, sink: Sink) -> DataFrame:
    """Bring rows that share a file together, and lets Spark choose the number of files by their size."""
    together = df.hint("rebalance", *sink.partition_by)
    order = [*sink.partition_by, *sink.sort_by] if sink.sort_by else []
    return together.sortWithinPartitions(*(F.col(f"`{name}`") for name in order)) if order else together


def _writer(df: DataFrame, sink: Sink) -> DataFrameWriter:
    compression = sink.compression or DEFAULT_COMPRESSION[sink.format]
    options = {"compression": COMPRESSION_NAMES[sink.format][compression]}
    if sink.format == "csv":
        options["header"] = "true"
    writer = df.write.format(sink.format).options(**(options | sink.options))
    return writer.partitionBy(*sink.partition_by) if sink.partition_by else writer


def _write_delta(df: DataFrame, writer: DataFrameWriter, sink: Sink, path: str) -> Written:
    from delta.tables import DeltaTable

    if sink.mode == "overwrite_partitions":
        writer = writer.option("partitionOverwriteMode", "dynamic")
    elif sink.mode == "overwrite":
        writer = writer.option("overwriteSchema", "true")
    writer.mode("append" if sink.mode == "append" else "overwrite").save(path)
    last = DeltaTable.forPath(df.sparkSession, path).history(1).select("operationMetrics").first()
    metrics = last[0] if last else {}
    return Written(int(metrics.get("numFiles", 0)), int(metrics.get("numOutputBytes", 0)))


def _publish(files: FileSystem, written: list[DataFile], staged: str, path: str, sink: Sink) -> None:
    if sink.mode == "overwrite":
        _swap(files, staged, path)
        return
    if sink.mode == "overwrite_partitions":
        for folder in sorted({file.name.rpartition("/")[0] for file in written}):
            _swap(files, f"{staged}/{folder}", f"{path}/{folder}")
        return
    for file in written:
        files.move(f"{staged}/{file.name}", f"{path}/{file.name}")


def _swap(files: FileSystem, staged: str, path: str) -> None:
    """Put one folder in the place of another, by two renames."""
    old = f"{_beside(path)}.{uuid.uuid4().hex}.replaced"
    there = files.exists(path)
    if there:
        files.move(path, old)
    try:
        files.move(staged, path)
    except Exception:
        if there:
            files.move(old, path)
        raise
    files.delete(old)


def _beside(path: str) -> str:
    """Return the start of a hidden name beside a folder: readers pass over names with a leading dot."""
    parent, _, name = path.rstrip("/").rpartition("/")
    return f"{parent}/.{name}" if parent else f".{name}"
