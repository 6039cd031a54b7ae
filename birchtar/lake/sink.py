"""Where a job's rows go: the `outputs` of a config."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from birchtar.lake.source import Format, OptionValue

Mode = Literal["append", "overwrite", "overwrite_partitions"]
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
    "mergeschema": "a table's schema changes by `mode: overwrite` only",
    "overwriteschema": "`mode: overwrite` replaces the schema too",
    "partitionoverwritemode": "there is `mode: overwrite_partitions`",
    "path": "there is the key `path`",
    "replacewhere": "there is `mode: overwrite_partitions`",
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
        ),
    ] = "overwrite"
    partition_by: Annotated[list[str], Field(description="Columns that become folders, outermost first.")] = []
    sort_by: Annotated[list[str], Field(description="Columns by which the rows inside each file are sorted.")] = []
    compression: Annotated[
        Compression | None,
        Field(description="Left out: snappy for Parquet, Avro and Delta, zstd for ORC, none for text."),
    ] = None
    target_file_size: Annotated[
        str, Field(pattern=r"^\d+[kKmMgG]?[bB]?$", description="About how large files should come out, such as 128m.")
    ] = "128m"
    options: Annotated[
        dict[str, OptionValue], Field(description="Options of Spark's writer, passed on as they are.")
    ] = {}
