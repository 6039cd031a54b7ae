"""JSON files: each record is read whole, or rejected whole, with its text."""

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType, VariantType

from birchtar.lake.csv import says_encoding
from birchtar.lake.errors import LakeError
from birchtar.lake.json_lines import read_lines
from birchtar.lake.json_records import IS_BROKEN, ISFOLLOWED, ROW, parsed
from birchtar.lake.json_texts import TEXT, has_texts, is_set, load_texts
from birchtar.lake.many_paths import load_paths
from birchtar.lake.raw_text import escaped
from birchtar.lake.rejects import CORRUPT, ENCODING, MALFORMED, named, refuse_error_column, with_error
from birchtar.lake.source import Source

FOLLOWED = (
    " There is something behind its first JSON value: put each value on a line of its own (Amazon Data Firehose does so"
    " with the processor AppendDelimiterToRecord)."
)
_FOLLOWED_IN_FILE = (
    " There is something behind the file's first JSON value. If each line is a value, leave out the option multiLine;"
    " else put brackets around all values and commas between them."
)
NOT_DECODED = (
    r"The record holds bytes that are not UTF-8; here they are \xNN. If the file has another encoding, name it:"
    " `options: {encoding: ...}`."
)


def read_json(spark: SparkSession, source: Source, schema: StructType | None = None) -> DataFrame:
    """Return the rows of JSON files, as `birchtar.lake.read.read` describes them; by this schema where one is given.

    A line, or with `multiLine` a file, that is an array of objects has a row for each. It is rejected whole where an
    element is something else, as is a line with more than one value.

    Where files have another encoding than UTF-8, which Spark's reader of texts does not know, Spark's reader of JSON
    reads them; it passes over what stands behind the first value of a line.
    """
    told = source.declared() if schema is None else schema
    found = told if told is not None else _inferred(spark, source)
    refuse_error_column(found.names, source.paths)
    if not found.names:
        raise LakeError.at(source.paths, "there is no JSON object to take the columns from. Declare a schema.")
    what = "a JSON object" if source.ddl is None else f"a JSON object of the schema {source.ddl}"
    message = f"The record is not {what}."
    if not has_texts(source):
        return _by_spark(spark, source, found, message)
    texts = load_texts(spark, source, found)
    folders = {name.lower() for name in texts.columns} - {TEXT}
    inside = StructType([field for field in found.fields if field.name.lower() not in folders])
    outside = [name for name in texts.columns if name != TEXT]
    names = found.names if told is None else [*inside.names, *outside]
    checks = not says_encoding(source)
    if is_set(source, "multiline") or is_set(source, "allowcomments"):
        df, code, is_followed, record = _whole(texts, inside, source, checks_encoding=checks)
    else:
        df, code, is_followed, record = read_lines(spark, source, texts, inside, checks_encoding=checks)
    return with_error(
        df, [*map(named, names)], code=code, message=_said(source, code, is_followed, message), record=record
    )


def read_variants(spark: SparkSession, source: Source) -> DataFrame:
    """Return each JSON record as it is: in one column, a VARIANT, and ``_error`` where it does not parse. Lazy.

    A record that is no object, such as an array of rows, is a VARIANT like any other.
    """
    message = "The record is not a JSON object."
    if not has_texts(source):
        value = StructType([StructField("value", VariantType())])
        return _by_spark(spark, source, value, message, singleVariantColumn="value")
    rows = parsed(load_texts(spark, source).select(TEXT), VariantType(), source.options)
    code = _code(named(IS_BROKEN), checks_encoding=not says_encoding(source))
    return with_error(
        rows,
        [F.when(code.isNull(), named(ROW)).alias("value")],
        code=code,
        message=_said(source, code, named(ISFOLLOWED), message),
        record=escaped(named(TEXT)),
    )


def _whole(
    texts: DataFrame, inside: StructType, source: Source, *, checks_encoding: bool
) -> tuple[DataFrame, Column, Column, Column]:
    rows = parsed(texts, inside, source.options)
    fields = [named(ROW).getField(name).alias(name) for name in inside.names]
    df = rows.select(*fields, *texts.columns, IS_BROKEN, ISFOLLOWED)
    return df, _code(named(IS_BROKEN), checks_encoding=checks_encoding), named(ISFOLLOWED), escaped(named(TEXT))


def _code(is_broken: Column, *, checks_encoding: bool) -> Column:
    code = F.when(is_broken, MALFORMED)
    return F.when(~F.is_valid_utf8(TEXT), ENCODING).otherwise(code) if checks_encoding else code


def _said(source: Source, code: Column, is_followed: Column, message: str) -> Column:
    followed = message + (_FOLLOWED_IN_FILE if is_set(source, "multiline") else FOLLOWED)
    return F.when(code == ENCODING, NOT_DECODED).when(is_followed, followed).otherwise(message)


def _inferred(spark: SparkSession, source: Source) -> StructType:
    df = load_paths(spark, _reader(spark, source), source.paths)
    return StructType([field for field in df.schema.fields if field.name != CORRUPT])


def _by_spark(
    spark: SparkSession, source: Source, schema: StructType, message: str, **options: str
) -> DataFrame:
    with_corrupt = StructType([*schema.fields, StructField(CORRUPT, StringType())])
    df = load_paths(spark, _reader(spark, source).options(**options).schema(with_corrupt), source.paths)
    kept = [named(name) for name in df.columns if name != CORRUPT]
    if options:
        kept = kept[:1]
    corrupt = named(CORRUPT)
    return with_error(df, kept, code=F.when(corrupt.isNotNull(), MALFORMED), message=F.lit(message), record=corrupt)


def _reader(spark: SparkSession, source: Source) -> DataFrameReader:
    reader = spark.read.format("json").options(**source.options)
    return reader.option("mode", "PERMISSIVE").option("columnNameOfCorruptRecord", CORRUPT)


