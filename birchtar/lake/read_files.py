"""An input of which only some files are to be read: those that are new to its bookmark."""

import json
from collections.abc import Sequence
from functools import partial, reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.errors import LakeError
from birchtar.lake.globs import start_of, without_slashes_in_braces
from birchtar.lake.many_paths import AS_THEY_ARE
from birchtar.lake.paths import absolute
from birchtar.lake.read import read
from birchtar.lake.rejects import ERROR_COLUMN
from birchtar.lake.source import TEXT_FORMATS, Source

_CHOOSING = {"basepath", "modifiedafter", "modifiedbefore", "pathglobfilter", "recursivefilelookup"}
"""Options of Spark's reader, in lower case, that have done their work once the files are listed."""


def read_files(spark: SparkSession, source: Source, files: Sequence[str]) -> DataFrame:
    """Return the rows of some files of a source, as `birchtar.lake.read.read` returns those of all.

    Partition columns are there as with the whole source. Where types are inferred, these files alone decide, also on
    those of partition columns.

    Args:
        spark: The session.
        source: The input as it was declared.
        files: Paths as `birchtar.lake.listing.list_files` lists them; at least one.

    Raises:
        SchemaMismatchError, LakeError: As `read`.
    """
    frames = [read(spark, part) for part in restricted(source, files)]
    return reduce(partial(DataFrame.unionByName, allowMissingColumns=True), frames)


def restricted(source: Source, files: Sequence[str]) -> list[Source]:
    """Return sources that together are some files of a source: as a rule one.

    Spark takes one base path, above which no folder is a partition. So of several paths with partition folders below
    them, each makes a source of its own, whose rows are to be united by column names.

    Example:
        >>> source = Source(path=["/a", "/b"], format="csv")
        >>> [part.path for part in restricted(source, ["file:/a/x.csv", "file:/b/day=1/y.csv", "file:/b/z.csv"])]
        [['file:/a/x.csv', 'file:/b/z.csv'], ['file:/b/day=1/y.csv']]
    """
    said = {key.lower(): str(value) for key, value in source.options.items()}
    bases = [said["basepath"]] if "basepath" in said else source.paths
    is_flat = said.get("recursivefilelookup", "").lower() == "true"
    patterns = [] if is_flat else [one for base in bases for one in without_slashes_in_braces(absolute(base))]
    groups: dict[str | None, list[str]] = {}
    for file in files:
        groups.setdefault(_partition_base(file, patterns), []).append(file)
    return [_only(source, base, paths) for base, paths in groups.items()]


def _only(source: Source, base: str | None, files: list[str]) -> Source:
    options = {key: value for key, value in source.options.items() if key.lower() not in _CHOOSING} | AS_THEY_ARE
    # Of files outside of partition folders Spark would read all once more for each whose name looks like a glob.
    options |= {"recursiveFileLookup": "true"} if base is None else {"basePath": base}
    return source.model_copy(update={"path": files, "options": options})


def _partition_base(file: str, patterns: Sequence[str]) -> str | None:
    """Return the folder below which a file lies in partition folders; None where it lies in none."""
    folder = file.rpartition("/")[0]
    if "=" not in folder:
        return None
    for pattern in patterns:
        if (base := start_of(folder, pattern)) is not None and "=" in folder.removeprefix(base):
            return base
    return None


def empty_frame(spark: SparkSession, source: Source, schema: str | None, file: str | None = None) -> DataFrame:
    """Return a frame without rows, for a run in which an input has nothing new.

    Args:
        spark: The session.
        source: The input as it is declared now.
        schema: What the input's columns were when it was last read, as Spark writes a schema in JSON; None where it
            never was. What is declared now counts for more.
        file: The path of some file that the input has, if it has any: columns may stand in the names of its folders.

    Raises:
        LakeError: The input was never read, and declares no schema.
    """
    before = StructType() if schema is None else StructType.fromJson(json.loads(schema))
    declared = source.declared()
    if declared is None:
        if schema is None:
            raise LakeError.at(source.paths, "there is no file to take the columns from yet. Declare a schema.")
        return spark.createDataFrame([], before)
    folders = {folder.partition("=")[0] for folder in (file or "").split("/") if "=" in folder}
    fields = [*declared.fields, *(each for each in before.fields if each.name in folders - set(declared.names))]
    if ERROR_COLUMN in before.names:
        fields.append(before[ERROR_COLUMN])
    elif source.format in TEXT_FORMATS:
        texts = StructType([StructField(name, StringType()) for name in ("code", "message", "record")])
        fields.append(StructField(ERROR_COLUMN, texts))
    return spark.createDataFrame([], StructType(fields))
