"""Where a job's rows go: the `outputs` of a config."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from birchtar.lake.source import Format, OptionValue
from birchtar.lake.text_forms import SIZE

Mode = Literal["append", "overwrite", "overwrite_partitions", "merge", "scd2"]
SchemaChanges = Literal["fail", "warn", "evolve", "widen", "rescue"]
Compression = Literal["gzip", "lz4", "none", "snappy", "zstd"]

COMPRESSION_NAMES: dict[Format, dict[Compression, str]] = {
    "avro": {"gzip": "deflate", "none": "uncompressed", "snappy": "snappy", "zstd": "zstandard"},
    "csv": {"gzip": "gzip", "lz4": "lz4", "none": "none", "snappy": "snappy"},
    "delta": {"gzip": "gzip", "lz4": "lz4_raw", "none": "none", "snappy": "snappy", "zstd": "zstd"},
    "json": {"gzip": "gzip", "lz4": "lz4", "none": "none", "snappy": "snappy"},
    "orc": {"gzip": "zlib", "lz4": "lz4", "none": "none", "snappy": "snappy", "zstd": "zstd"},
    "parquet": {"gzip": "gzip", "lz4": "lz4_raw", "none": "none", "snappy": "snappy", "zstd": "zstd"},
}
"""What Spark calls each compression that a format has. `lz4_raw` is the one of Parquet's two that others read."""

DEFAULT_COMPRESSION: dict[Format, Compression] = {
    "avro": "snappy",
    "csv": "none",
    "delta": "snappy",
    "json": "none",
    "orc": "zstd",
    "parquet": "snappy",
}

OWN_OPTIONS = {
    "compression": "there is the key `compression`",
    "mergeschema": "there is the key `schema_changes`",
    "overwriteschema": "`mode: overwrite` replaces the schema too",
    "partitionoverwritemode": "there is `mode: overwrite_partitions`",
    "path": "there is the key `path`",
    "replacewhere": "there is the key `replace_where`",
    "txnappid": "each run has its own",
    "txnversion": "each run has its own",
}
"""Options of Spark's writer, in lower case, that are ours to set, with what there is instead."""


class Sink(BaseModel):
    """A table as files of one format below one folder."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: Annotated[
        str, Field(description="The folder of the table; for several tables at once, one folder each in it.")
    ]
    format: Annotated[Format, Field(description="How the files are written.")]
    mode: Annotated[
        Mode,
        Field(
            description="`append` adds to what is there; `overwrite` replaces it (the default);"
            " `overwrite_partitions` replaces the partitions that get new rows and leaves the others."
            " For Delta also: `merge` updates the rows of the same `keys` and adds the others;"
            " `scd2` keeps every version of a row with the time from which to which it held."
        ),
    ] = "overwrite"
    partition_by: Annotated[list[str], Field(description="Columns that become folders, outermost first.")] = []
    partitions_arrive_whole: Annotated[
        bool,
        Field(
            description="For `overwrite_partitions` behind an input with `bookmark: true`: you know that all rows of a"
            " partition come in one run, as where each day's folder is complete before a run sees it. Nothing can check"
            " this: rows of a partition that comes in parts are replaced by its last part. Without it such an output is"
            " refused."
        ),
    ] = False
    sort_by: Annotated[list[str], Field(description="Columns by which the rows inside each file are sorted.")] = []
    compression: Annotated[
        Compression | None,
        Field(description="Left out: snappy for Parquet, Avro and Delta, zstd for ORC, none for text."),
    ] = None
    target_file_size: Annotated[
        str, Field(pattern=SIZE, description="About how large files should come out, such as 128m.")
    ] = "128m"
    options: Annotated[
        dict[str, OptionValue], Field(description="Options of Spark's writer, passed on as they are.")
    ] = {}
    replace_where: Annotated[
        str | None,
        Field(
            description="An SQL condition on the table's columns: its rows are replaced by the new ones, the others"
            " stay. A new row for which it does not hold fails the run. For `mode: overwrite` and Delta."
        ),
    ] = None
    keys: Annotated[
        list[str],
        Field(description="Columns that together name a row, for `merge` and `scd2`. Null is a key like any other."),
    ] = []
    order_by: Annotated[
        str | None,
        Field(
            description="Column that tells which of several rows of one key is the newest; a row that comes late does"
            " not replace a newer one. For `scd2` the time from which a row holds."
        ),
    ] = None
    delete_when: Annotated[
        str | None,
        Field(
            description="An SQL condition on the new rows: where it holds, the key's row is deleted, or closed. So is"
            " the old key's of a change feed's update that changes the key (`_change_type = 'update_preimage'`)."
        ),
    ] = None
    valid_from: Annotated[str, Field(description="The column of `scd2` with the time from which a row holds.")] = (
        "valid_from"
    )
    valid_to: Annotated[
        str, Field(description="The column of `scd2` with the time from which a row holds no more; null while it does.")
    ] = "valid_to"
    is_current: Annotated[str, Field(description="The column of `scd2` that is true while a row's version holds.")] = (
        "is_current"
    )
    schema_changes: Annotated[
        SchemaChanges,
        Field(
            description="What happens when the columns are not the table's, for `append`, `merge` and `scd2` to Delta:"
            " `fail` refuses; `warn` leaves new columns out and says so; `evolve` adds new columns;"
            " `widen` also widens the table's types, such as INT to BIGINT; `rescue` puts what does not fit into"
            " the text column `_rescued_data`, as JSON. To `scd2` a row that lacks a column says null of it."
        ),
    ] = "fail"
    cluster_by: Annotated[
        list[str], Field(description="Columns by which a new Delta table keeps its rows together (liquid clustering).")
    ] = []
    zorder_by: Annotated[
        list[str], Field(description="Columns by which `birchtar compact` sorts a Delta table's files (Z-order).")
    ] = []
