"""From files to a DataFrame. What cannot be read as declared is in the frame's error column, not lost."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.csv import read_csv
from birchtar.lake.errors import SchemaMismatchError
from birchtar.lake.jdbc import read_table
from birchtar.lake.json import read_json
from birchtar.lake.many_paths import load_source
from birchtar.lake.rejects import named
from birchtar.lake.source import Source
from birchtar.lake.xml import read_xml


def read(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of a source.

    A CSV, JSON or XML record that does not parse, or does not fit the declared schema, becomes a row whose ``_error``
    says so and holds the record's text; its other columns hold what could be read. See the contract of rejected rows in
    `transforms.rejects`. Frames of the other formats have no such column. Reading these three without a schema starts a
    Spark job over all rows; reading JSON starts one over all lines, which looks for more than one value on a line.

    Raises:
        SchemaMismatchError: A column of the declared schema is not in the files. Of JSON and XML it is null instead.
        LakeError: Without a schema, CSV, JSON or XML files hold nothing to take the columns from; or a column of
            theirs is called ``_error``.
    """
    if source.format == "csv":
        return read_csv(spark, source)
    if source.format == "json":
        return read_json(spark, source)
    if source.format == "xml":
        return read_xml(spark, source)
    return as_declared(load(spark, source), source)


def as_declared(df: DataFrame, source: Source) -> DataFrame:
    """Return the columns that a source of a format that knows its types declares; all where it declares none."""
    declared = source.declared()
    return df if declared is None else _selected(df, declared, source)


def load(spark: SparkSession, source: Source) -> DataFrame:
    """Return what Spark makes of a source's files, or a database's table, by itself."""
    if source.format == "jdbc":
        return read_table(spark, source)
    # Delta takes one path only, and as a text.
    reader = spark.read.options(**source.options).format(source.format)
    return reader.load(source.paths[0]) if source.format == "delta" else load_source(spark, reader, source)


def _selected(df: DataFrame, declared: StructType, source: Source) -> DataFrame:
    """Take the declared columns, cast to their declared types, of files that know their own."""
    missing = [name for name in declared.names if name not in df.columns]
    if missing:
        raise SchemaMismatchError.of(missing, df.columns, source.paths)
    return df.select(*(named(field.name).cast(field.dataType).alias(field.name) for field in declared.fields))
