"""From files to a DataFrame. What cannot be read as declared is in the frame's error column, not lost."""

from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType, VariantType

from birchtar.lake.csv import read_csv
from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.jdbc import read_table
from birchtar.lake.many_paths import load_paths
from birchtar.lake.rejects import CORRUPT, ERROR_COLUMN, MALFORMED, named, refuse_error_column, with_error
from birchtar.lake.source import Source


def read(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of a source.

    A CSV or JSON record that does not parse, or does not fit the declared schema, becomes a row whose ``_error`` says
    so and holds the record's text; its other columns hold what could be read. See the contract of rejected rows in
    `transforms.rejects`. Frames of the other formats have no such column. Reading CSV and JSON without a schema starts
    a Spark job over all rows.

    Raises:
        SchemaMismatchError: A column of the declared schema is not in the files. Of JSON it is null instead.
        LakeError: Without a schema, CSV or JSON files hold nothing to take the columns from; or a column of theirs is
            called ``_error``.
    """
    if source.format == "csv":
        return read_csv(spark, source)
    if source.format == "json":
        return read_json(spark, source)
    return as_declared(load(spark, source), source)


def as_declared(df: DataFrame, source: Source) -> DataFrame:
    """Return the columns that a source of another format than CSV and JSON declares; all where it declares none."""
    declared = source.declared()
    return df if declared is None else _selected(df, declared, source)


def load(spark: SparkSession, source: Source) -> DataFrame:
    """Return what Spark makes of a source's files, or a database's table, by itself."""
    if source.format == "jdbc":
        return read_table(spark, source)
    # Delta takes one path only, and as a text.
    reader = spark.read.options(**source.options).format(source.format)
    return reader.load(source.paths[0]) if source.format == "delta" else load_paths(spark, reader, source.paths)


def read_json(spark: SparkSession, source: Source, schema: StructType | None = None) -> DataFrame:
    """Return the rows of JSON files, as `read` describes them; by this schema where one is given."""
    settings = _json_reader(spark, source)
    if schema is None:
        schema = source.declared()
    if schema is not None:
        settings = settings.schema(StructType([*schema.fields, StructField(CORRUPT, StringType())]))
    df = load_paths(spark, settings, source.paths)
    names = [name for name in df.columns if name != CORRUPT]
    refuse_error_column(names, source.paths)
    if not names:
        raise LakeError.at(source.paths, "there is no JSON object to take the columns from. Declare a schema.")
    if CORRUPT not in df.columns:
        return df  # every record parsed when the schema was inferred
    kept = [named(name) for name in names]
    corrupt = named(CORRUPT)
    expected = "a JSON object" if source.ddl is None else f"a JSON object of the schema {source.ddl}"
    return with_error(
        df,
        kept,
        code=F.when(corrupt.isNotNull(), MALFORMED),
        message=F.lit(f"The record is not {expected}."),
        record=corrupt,
    )


def read_variants(spark: SparkSession, source: Source) -> DataFrame:
    """Return each JSON record as it is: in one column, a VARIANT, and ``_error`` where it does not parse. Lazy.

    A record that is no object, such as an array of rows, is a VARIANT like any other.
    """
    value = StructField("value", VariantType())
    settings = _json_reader(spark, source).option("singleVariantColumn", "value")
    settings = settings.schema(StructType([value, StructField(CORRUPT, StringType())]))
    df = load_paths(spark, settings, source.paths)
    corrupt = named(CORRUPT)
    return df.select(
        "value",
        F.when(
            corrupt.isNotNull(),
            F.struct(
                F.lit(MALFORMED).alias("code"),
                F.lit("The record is not a JSON object.").alias("message"),
                corrupt.alias("record"),
            ),
        ).alias(ERROR_COLUMN),
    )


def _json_reader(spark: SparkSession, source: Source) -> DataFrameReader:
    reader = spark.read.format("json").options(**source.options)
    return reader.option("mode", "PERMISSIVE").option("columnNameOfCorruptRecord", CORRUPT)


def _selected(df: DataFrame, declared: StructType, source: Source) -> DataFrame:
    """Take the declared columns, cast to their declared types, of files that know their own."""
    missing = [name for name in declared.names if name not in df.columns]
    if missing:
        raise SchemaMismatchError.of(missing, df.columns, source.paths)
    return df.select(*(named(field.name).cast(field.dataType).alias(field.name) for field in declared.fields))
