"""How much a source holds, found without reading its rows."""

from pathlib import Path
from urllib.parse import unquote

from pyspark.sql import SparkSession

from birchtar.lake.files import FileSystem
from birchtar.lake.load import load
from birchtar.lake.paths import is_local, local
from birchtar.lake.source import Source


def count_stored(spark: SparkSession, source: Source) -> int:
    """Return the number of rows of a Parquet, ORC or Delta source, from its footers or its log. A small Spark job."""
    return load(spark, source).count()


def size_of(spark: SparkSession, source: Source) -> int:
    """Return the bytes of the files that a source reads; of a database's table 0. Lists files, reads none."""
    if source.format == "jdbc":
        return 0
    if source.format != "delta":
        # Any format lists the same files; as texts they need no look inside for a schema.
        source = source.model_copy(update={"format": "text", "schema_": None})
    files = [unquote(file) for file in load(spark, source).inputFiles()]
    if all(map(is_local, files)):
        return sum(Path(local(file)).stat().st_size for file in files)
    return sum(FileSystem(spark, file).size(file) for file in files)
