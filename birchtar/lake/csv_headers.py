"""Headers of packed CSV files that break off: where one is hit, nobody knows what the values below it are."""

from collections import Counter
from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.csv import csv_reader, numbered
from birchtar.lake.many_paths import AS_THEY_ARE, load_paths
from birchtar.lake.rejects import CORRUPT, named, source_file
from birchtar.lake.source import Source

_LINE = "_birchtar_line"
_UNFOLDED = {"recursiveFileLookup": "true"}
"""The option by which names of folders are no columns."""


def with_another_header(spark: SparkSession, source: Source, broken: Sequence[str], whole: Sequence[str]) -> set[str]:
    """Return which CSV files that break off do not begin with the header of the others. Starts two jobs.

    Args:
        spark: The session.
        source: The input, with the options by which files are read up to where they break off.
        broken: The files that break off, as users write paths. One that has no line is not returned.
        whole: The other files. Where none has a line, the header is what most of the broken files begin with.
    """
    sample = _lines(spark, source, whole or broken, None)
    width = len(numbered(sample.columns))
    first_lines = _lines(spark, source, broken, width).groupBy(source_file().alias("file")).agg(F.first(_LINE))
    headers = {file: tuple(line) for file, line in first_lines.collect()}
    if not headers:
        return set()
    first = _lines(spark, source, whole, width).select(_LINE).first() if whole else None
    header = tuple(first[_LINE]) if first else Counter(headers.values()).most_common(1)[0][0]
    return {file for file, found in headers.items() if found != header}


def _lines(spark: SparkSession, source: Source, files: Sequence[str], width: int | None) -> DataFrame:
    """Return the lines of files; given how many values a header has, also as arrays of these and what is malformed."""
    options = source.options | AS_THEY_ARE | _UNFOLDED
    reader = csv_reader(spark, source.model_copy(update={"options": options}), header=False)
    if width is None:
        return load_paths(spark, reader, files)
    names = [*(f"_c{position}" for position in range(width)), CORRUPT]
    reader = reader.schema(StructType([StructField(name, StringType()) for name in names]))
    lines = load_paths(spark, reader.option("columnNameOfCorruptRecord", CORRUPT), files)
    return lines.withColumn(_LINE, F.array(*map(named, names)))
