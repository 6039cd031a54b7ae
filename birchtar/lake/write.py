"""From a DataFrame to a table, in two phases: staged where no reader looks, then published."""

import errno
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StringType, StructField, StructType

from birchtar.lake import delta
from birchtar.lake.columns import require_fitting_columns
from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.label import Label
from birchtar.lake.many_paths import AS_THEY_ARE
from birchtar.lake.paths import local, without_links
from birchtar.lake.rejects import EXACT_TIMES, named, quoted
from birchtar.lake.sink import COMPRESSION_NAMES, DEFAULT_COMPRESSION, Sink
from birchtar.lake.source import option_of
from birchtar.lake.staged_files import clean_files, publish_files, stage_files
from birchtar.lake.table_folders import require_one_disk, require_same_folders
from birchtar.lake.writable import unwritable

if TYPE_CHECKING:
    import pyarrow

_CSV = {"header": "true", "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}
"""CSV as everybody else reads it: spaces belong to the value."""


_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"

Plan = Mapping[str, Any]
"""How to publish what is staged; plain values, for the state database."""


@dataclass(frozen=True)
class Staged:
    """What a run has written for an output, and no reader sees yet."""

    plan: Plan
    files: int
    bytes: int
    warnings: list[str] = field(default_factory=list)
    """What a user has to know of columns that do not fit the table."""
    open: Any = field(default=None, repr=False)
    """Delta's open transaction, in the process that staged. A plan alone does without."""


def stage(df: DataFrame, sink: Sink, path: str, label: Label) -> Staged:
    """Write all rows of a frame as the sink says, where no reader looks. Starts the Spark jobs that compute the frame.

    Rows come out in as few files as the target size allows, which is the session's
    ``spark.sql.adaptive.advisoryPartitionSizeInBytes``.

    Args:
        df: What to write. Its nulls and duplicates stay, but a partition's empty text comes back as null, and so does
            Hive's word for null: all have the same folder, with Spark and Hive alike.
        sink: The format, and how the rows are laid out in files.
        path: The table's folder; of a sink for several tables, one below the sink's own.
        label: The run and output.

    Raises:
        LakeError: The sink names a column that the frame does not have, or a type that the format cannot hold; or
            nothing can be written to the folder.
    """
    _check(df, sink)
    with _blaming(path):
        return _staged(df, sink, path, label)


@contextmanager
def _blaming(path: str) -> Iterator[None]:
    """Tell what keeps a folder from being written, where something fails for that."""
    try:
        yield
    except LakeError:
        raise
    except Exception as error:
        if told := unwritable(path):
            raise told from error
        raise


def _staged(df: DataFrame, sink: Sink, path: str, label: Label) -> Staged:
    rows = _laid_out(df, sink)
    plan: dict[str, Any] = {"sink": sink.model_dump(mode="json"), "path": path, "label": asdict(label)}
    if sink.format == "delta":
        open_ = delta.stage(rows, sink, path, label)
        return Staged(plan | {"staged": open_.plan}, open_.files, open_.bytes, open_.plan["warnings"], open_)
    path = plan["path"] = without_links(path)  # what is staged beside a link may lie on another disk than its folder
    require_one_disk(path, label)
    require_fitting_columns(df, sink, path)
    if sink.mode != "overwrite":
        require_same_folders(FileSystem(df.sparkSession, path), path, sink.partition_by)
    save = _writer(rows, sink).mode("errorifexists").save
    staged, written = stage_files(df.sparkSession, save, sink.mode, path, label)
    return Staged(plan | {"staged": staged}, len(written), sum(file.size for file in written))


def stage_arrow(spark: SparkSession, rows: "pyarrow.Table", path: str, label: Label) -> Staged:
    """Write rows that this process holds to one Parquet file of a local table, where no reader looks. No Spark job.

    Args:
        spark: The session, for its file system.
        rows: What is to be added to the table.
        path: The table's folder.
        label: The run and output.

    Raises:
        LakeError: Nothing can be written to the folder.
    """
    sink, path = Sink(path=path, format="parquet", mode="append"), without_links(path)
    require_one_disk(path, label)

    def save(folder: str) -> None:
        from pyarrow.parquet import write_table

        Path(local(folder)).mkdir(parents=True)
        try:
            write_table(rows, f"{local(folder)}/part-00000-{uuid.uuid4()}.snappy.parquet", compression="snappy")
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise LakeError(f"{local(path)} is on a disk that is full. Make room, and run the job again.") from error

    with _blaming(path):
        staged, written = stage_files(spark, save, sink.mode, path, label)
    plan = {"sink": sink.model_dump(mode="json"), "path": path, "label": asdict(label), "staged": staged}
    return Staged(plan, len(written), sum(file.size for file in written))


def without_empty_files(spark: SparkSession, staged: Staged) -> Staged:
    """Return what was staged of a frame that has no rows: nothing, where files are appended to some that are there."""
    if staged.plan["sink"]["format"] == "delta" or staged.plan["sink"]["mode"] != "append":
        return staged
    hidden, path = staged.plan["staged"]["hidden"], staged.plan["path"]
    files = FileSystem(spark, path)
    if not files.exists(path) or not any(files.data_files(path)):
        return staged
    for file in list(files.data_files(hidden)):
        files.delete(f"{hidden}/{file.name}")
    return replace(staged, files=0, bytes=0)


def count_staged(spark: SparkSession, staged: Staged) -> int:
    """Return how many rows were staged. Starts a Spark job over plain files."""
    if staged.plan["sink"]["format"] == "delta":
        return int(staged.plan["staged"]["rows"])
    return staged_rows(spark, staged.plan).count() if staged.files else 0


def staged_rows(spark: SparkSession, plan: Plan) -> DataFrame:
    """Return the rows of plain files that are staged and not published yet. Lazy."""
    sink = Sink.model_validate(plan["sink"])
    reader = spark.read.format(sink.format).options(**AS_THEY_ARE)
    if sink.format == "csv":
        reader = reader.options(**_csv(sink), multiLine=True)
    return reader.load(plan["staged"]["hidden"])


def publish(spark: SparkSession, plan: Plan, staged: Staged | None = None) -> None:
    """Let readers see what was staged: Delta by a commit, other formats by moving whole files into the table.

    Safe to begin again, also by another process, until `clean`.

    Args:
        spark: The session to work with.
        plan: What `stage` planned.
        staged: All that `stage` returned, in the same process: with it Delta copies nothing.
    """
    sink = Sink.model_validate(plan["sink"])
    if sink.format == "delta":
        label = Label(**plan["label"])
        delta.publish(spark, sink, plan["path"], label, plan["staged"], staged.open if staged else None)
    else:
        publish_files(spark, plan["staged"])


def clean(spark: SparkSession, plan: Plan) -> None:
    """Delete what staging and publishing left beside a table that was published."""
    if plan["sink"]["format"] != "delta":
        clean_files(spark, plan["staged"])
    elif plan["staged"]["kind"] == "folder":
        delta.discard(spark, plan["staged"])


def discard(spark: SparkSession, plan: Plan) -> None:
    """Delete what was staged and shall not be published."""
    if plan["sink"]["format"] == "delta":
        delta.discard(spark, plan["staged"])
    else:
        clean_files(spark, plan["staged"])


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
    if empty := [path for field in df.schema.fields for path in _without_fields(field)]:
        raise LakeError(
            f"{sink.format} cannot hold objects without fields: {', '.join(f'`{path}`' for path in empty)}. Drop them"
            f" with the step drop_fields: {{paths: {json.dumps(empty, ensure_ascii=False)}}}."
        )


def _without_fields(field: StructField, outer: str = "") -> Iterator[str]:
    """Yield the paths of fields that are, or have as elements or values, structs without fields."""
    path = outer + (quoted(field.name) if "." in field.name or "`" in field.name else field.name)
    inner = field.dataType
    while isinstance(inner, ArrayType | MapType):
        inner = inner.elementType if isinstance(inner, ArrayType) else inner.valueType
    if isinstance(inner, StructType):
        if not inner.fields:
            yield path
        for each in inner.fields:
            yield from _without_fields(each, f"{path}.")


def _laid_out(df: DataFrame, sink: Sink) -> DataFrame:
    """Bring rows that share a file together, and lets Spark choose the number of files by their size."""
    texts = [name for name in sink.partition_by if isinstance(df.schema[name].dataType, StringType)]
    if texts:
        # What a folder says as null is null from here on: else rows of one folder by two names would write over each
        # other's files, and a merge would not find its own row again.
        df = df.withColumns({name: F.when(~named(name).isin("", _NULL_FOLDER), named(name)) for name in texts})
    together = df.hint("rebalance", *map(named, sink.partition_by))
    order = [*sink.partition_by, *sink.sort_by] if sink.sort_by else []
    return together.sortWithinPartitions(*map(named, order)) if order else together


def _writer(df: DataFrame, sink: Sink) -> DataFrameWriter:
    compression = sink.compression or DEFAULT_COMPRESSION[sink.format]
    options = {"compression": COMPRESSION_NAMES[sink.format][compression]}
    if sink.format in ("csv", "json"):
        options |= EXACT_TIMES
    if sink.format == "csv":
        options |= _csv(sink)
    writer = df.write.format(sink.format).options(**(options | sink.options))
    return writer.partitionBy(*sink.partition_by) if sink.partition_by else writer


def _csv(sink: Sink) -> dict[str, Any]:
    """Return the options of CSV for a sink: a quote inside quotes is doubled, whatever the quote is, as it is read."""
    return _CSV | {"escape": option_of(sink.options, "quote") or '"'} | sink.options
