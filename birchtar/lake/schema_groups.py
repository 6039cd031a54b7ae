"""Files of one source whose schemas differ, read group by group."""

from collections.abc import Iterator
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.load import load
from birchtar.lake.many_paths import load_source
from birchtar.lake.paths import absolute, is_local, local
from birchtar.lake.read_files import restricted
from birchtar.lake.source import Source


def read_groups(spark: SparkSession, source: Source) -> Iterator[DataFrame]:
    """Yield a frame for the Parquet or ORC files of each schema that occurs. Lazy, but for the files' footers.

    A schema is told by its columns' names and types, and by their order; footers of local files are read without
    Spark. Columns of partition folders are there as always, of the types that all files together give them.
    """
    whole = load(spark, source)
    groups: dict[str, list[str]] = {}
    for file in sorted(whole.inputFiles()):
        groups.setdefault(_footer(spark, source, file), []).append(absolute(unquote(file)))
    if len(groups) < 2:
        yield whole
        return
    for part in (part for files in groups.values() for part in restricted(source, files)):
        yield _with_folders_of(whole, part, load(spark, part))


def _with_folders_of(whole: DataFrame, part: Source, df: DataFrame) -> DataFrame:
    """Return the rows of some files; the columns of their folders have the types that they have in the whole."""
    folders = {
        unquote(folder.partition("=")[0]) for path in part.paths for folder in path.split("/")[:-1] if "=" in folder
    }
    typed = {field.name: field for field in whole.schema.fields if field.name in folders}
    schema = StructType([typed.get(field.name, field) for field in df.schema.fields])
    if schema == df.schema:
        return df
    reader = df.sparkSession.read.options(**part.options).format(part.format).schema(schema)
    return load_source(df.sparkSession, reader, part)


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
