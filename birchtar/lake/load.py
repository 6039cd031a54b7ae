"""What Spark's own readers make of a source."""

from pyspark.sql import DataFrame, SparkSession

from birchtar.lake.jdbc import read_table
from birchtar.lake.many_paths import load_source
from birchtar.lake.source import Source


def load(spark: SparkSession, source: Source) -> DataFrame:
    """Return what Spark makes of a source's files, or a database's table, by itself."""
    if source.format == "jdbc":
        return read_table(spark, source)
    # Delta takes one path only, and as a text.
    reader = spark.read.options(**source.options).format(source.format)
    return reader.load(source.paths[0]) if source.format == "delta" else load_source(spark, reader, source)
