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
_AS_FILES = AS_THEY_ARE | {"recursiveFileLookup": "true"}
"""The options by which paths are no globs, and names of folders no columns."""


def with_another_header(spark: SparkSession, source: Source, broken: Sequence[str], whole: Sequence[str]) -> set[str]:
    """Return which CSV files that break off do not begin with the header of the others. Starts up to three jobs.

    Args:
        spark: The session.
        source: The input, with the options by which files are read up to where they break off.
        broken: The files that break off, as users write paths. One that has no line is not returned.
        whole: The other files. Where none has a line, the header is what most of the broken files begin with.
    """
    reader = csv_reader(spark, source.model_copy(update={"options": source.options | _AS_FILES}), header=False)
    # A line of another width is in the last column, so this may be the width of any of them.
    names = [*numbered(load_paths(spark, reader, [*whole, *broken]).columns), CORRUPT]
    reader.schema(StructType([StructField(name, StringType()) for name in names]))
    reader.option("columnNameOfCorruptRecord", CORRUPT)

    def lines(files: Sequence[str]) -> DataFrame:
        return load_paths(spark, reader, files).withColumn(_LINE, F.array(*map(named, names)))

    begins = lines(broken).groupBy(source_file().alias("file")).agg(F.first(_LINE))
    headers = {file: tuple(line) for file, line in begins.collect()}
    if not headers:
        return set()
    first = lines(whole).select(_LINE).first() if whole else None
    header = tuple(first[_LINE]) if first else Counter(headers.values()).most_common(1)[0][0]
    return {file for file, found in headers.items() if found != header}
