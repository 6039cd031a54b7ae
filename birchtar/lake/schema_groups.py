"""Files of one source whose schemas differ, read group by group."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession

from birchtar.lake.globs import escaped
from birchtar.lake.many_paths import AS_THEY_ARE, load_paths
from birchtar.lake.paths import is_local, local
from birchtar.lake.read import load
from birchtar.lake.source import Source


def read_groups(spark: SparkSession, source: Source) -> Iterator[DataFrame]:
    """Yield a frame for the Parquet or ORC files of each schema that occurs. Lazy, but for the files' footers.

    A schema is told by its columns' names and types, and by their order; footers of local files are read without
    Spark. Columns of partition folders are there as always.
    """
    for path in _roots(source):
        one = source.model_copy(update={"path": path})
        groups: dict[str, list[str]] = {}
        for file in sorted(load(spark, one).inputFiles()):
            groups.setdefault(_footer(spark, one, file), []).append(unquote(file))
        folder = one.options | ({"basePath": path} if isinstance(path, str) and _is_folder(path) else {})
        plain = {key: value for key, value in folder.items() if key not in AS_THEY_ARE}
        if len(groups) < 2:
            yield load(spark, one)
            continue
        for files in groups.values():
            yield load_paths(spark, spark.read.options(**plain).format(source.format), list(map(escaped, files)))


def _roots(source: Source) -> list[str] | list[list[str]]:
    """Return the paths that are read one by one; those of files that were listed already are read together."""
    return [source.paths] if AS_THEY_ARE.items() <= source.options.items() else source.paths


def _footer(spark: SparkSession, source: Source, file: str) -> str:
    """Return a text that is the same for files of the same schema."""
    if not is_local(unquote(file)):
        return str(spark.read.options(**source.options).format(source.format).load(unquote(file)).schema.json())
    place = local(unquote(file))
    if source.format == "parquet":
        from pyarrow.parquet import read_schema

        return str(read_schema(place).remove_metadata())
    from pyarrow.orc import ORCFile

    return str(ORCFile(place).schema.remove_metadata())


def _is_folder(path: str) -> bool:
    return not is_local(path) or Path(local(path)).is_dir()
