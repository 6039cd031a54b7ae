"""JSON files: each record is read whole, or rejected whole, with its text."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType, VariantType

from birchtar.lake.csv import says_encoding
from birchtar.lake.errors import LakeError
from birchtar.lake.json_records import IS_BROKEN, IS_FOLLOWED, ROW, in_elements, is_mixed_list, is_single, parsed
from birchtar.lake.many_paths import load_source
from birchtar.lake.raw_text import escaped
from birchtar.lake.rejects import (
    CORRUPT,
    ENCODING,
    MALFORMED,
    files_of,
    is_from,
    named,
    refuse_error_column,
    with_error,
)
from birchtar.lake.sampling import sampled
from birchtar.lake.source import Source
from birchtar.lake.texts import TEXT, has_texts, is_set, load_texts

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

    Spark's reader passes over what stands behind the first value of a line, or with `multiLine` of a file. So a Spark
    job looks for that first, and for bytes that are not UTF-8. Files without are read by Spark; of the others such
    records are rejected. There a number in a column of texts is written as Spark writes it, 1.1 for 1.10.

    A record that is an array of objects has a row for each; where one of them is not as it has to be, each element is a
    record by itself. Files in another encoding than UTF-8 are not looked at.

    Spark's parser has its own way with declared types, and what it left out nobody can tell behind it: it rounds to the
    digits of a decimal, takes of a text the day for a DATE and six digits of a second for a TIMESTAMP, a lone time for
    today's, and numbers beyond every double for infinite. Where that matters, declare a STRING, or a decimal of more
    digits than there are.
    """
    given = source.declared() if schema is None else schema
    settings = _reader(spark, source)
    if source.sampling_ratio is not None:
        settings = settings.option("samplingRatio", source.sampling_ratio)
    if given is not None:
        settings = settings.schema(_with_corrupt(given.fields))
    df = load_source(spark, settings, source)
    fields = [field for field in df.schema.fields if field.name != CORRUPT]
    names = [field.name for field in fields]
    refuse_error_column(names, source.paths)
    if not names:
        raise LakeError.at(source.paths, "there is no JSON object to take the columns from. Declare a schema.")
    what = "a JSON object" if source.ddl is None else f"a JSON object of the schema {source.ddl}"
    if given is None and source.sampling_ratio is not None:
        # What parsed in the sample says nothing of the other records.
        df = load_source(spark, settings.schema(_with_corrupt(fields)), source)
        what += " of the types that were found in a sample"
    message = f"The record is not {what}."
    by_spark = _by_spark(df, names, message) if CORRUPT in df.columns else df  # else all parsed for the schema
    if not has_texts(source):
        return by_spark
    texts = load_texts(spark, source, StructType(fields))
    inside = StructType([field for field in fields if field.name not in texts.columns])
    files = _troubled(spark, source, texts, inside)
    if not files:
        return by_spark
    checked = _checked(source, in_elements(texts, inside, source.options), inside, names, message)
    is_troubled = is_from(files)
    return by_spark.where(~is_troubled).unionByName(checked.where(is_troubled), allowMissingColumns=True)


def _troubled(spark: SparkSession, source: Source, texts: DataFrame, item: StructType) -> list[str]:
    """Return files in which there is something behind the first value, or bytes that are not UTF-8. Starts a job.

    So are those with an array of which an element is not as it has to be: of such Spark's reader keeps none. A second
    job looks closely at the few lines, if any, that are not beyond doubt.
    """
    is_mixed = is_mixed_list(named(TEXT), item, source.options)
    doubtful = texts.where(~is_single(named(TEXT)) | is_mixed).select(TEXT)
    if doubtful.agg(F.count("*")).collect() == [(0,)]:
        return []
    rows = parsed(doubtful, StructType([]), source.options)
    return files_of(rows.where(named(IS_FOLLOWED) | (_code(source) == ENCODING) | is_mixed))


def _checked(source: Source, texts: DataFrame, inside: StructType, names: Sequence[str], message: str) -> DataFrame:
    rows, code = parsed(texts, inside, source.options), _code(source)
    values = [(named(ROW).getField(name) if name in inside.names else named(name)).alias(name) for name in names]
    return with_error(rows, values, code=code, message=_said(source, code, message), record=escaped(named(TEXT)))


def read_variants(spark: SparkSession, source: Source, *, share: float | None = None) -> DataFrame:
    """Return each JSON record as it is: in one column, a VARIANT, and ``_error`` where it does not parse. Lazy.

    A record that is no object, such as an array of rows, is a VARIANT like any other.

    Args:
        spark: The session.
        source: JSON files.
        share: How much of the records is wanted, taken at random; None for all.
    """
    message = "The record is not a JSON object."
    if not has_texts(source):
        value = StructType([StructField("value", VariantType()), StructField(CORRUPT, StringType())])
        reader = _reader(spark, source).option("singleVariantColumn", "value").schema(value)
        return _by_spark(sampled(load_source(spark, reader, source), share), ["value"], message)
    texts = sampled(load_texts(spark, source).select(TEXT), share)
    rows = parsed(texts, VariantType(), source.options)
    code = _code(source)
    return with_error(
        rows,
        [F.when(code.isNull(), named(ROW)).alias("value")],
        code=code,
        message=_said(source, code, message),
        record=escaped(named(TEXT)),
    )


def _code(source: Source) -> Column:
    code = F.when(named(IS_BROKEN), MALFORMED)
    return code if says_encoding(source) else F.when(~F.is_valid_utf8(TEXT), ENCODING).otherwise(code)


def _said(source: Source, code: Column, message: str) -> Column:
    followed = message + (_FOLLOWED_IN_FILE if is_set(source, "multiLine") else FOLLOWED)
    return F.when(code == ENCODING, NOT_DECODED).when(named(IS_FOLLOWED), followed).otherwise(message)


def _by_spark(df: DataFrame, names: Sequence[str], message: str) -> DataFrame:
    corrupt = named(CORRUPT)
    return with_error(
        df,
        [*map(named, names)],
        code=F.when(corrupt.isNotNull(), MALFORMED),
        message=F.lit(message),
        record=corrupt,
    )


def _with_corrupt(fields: Sequence[StructField]) -> StructType:
    return StructType([*fields, StructField(CORRUPT, StringType())])


def _reader(spark: SparkSession, source: Source) -> DataFrameReader:
    reader = spark.read.format("json").options(**source.options)
    return reader.option("mode", "PERMISSIVE").option("columnNameOfCorruptRecord", CORRUPT)
