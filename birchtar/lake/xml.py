"""XML files: each element of one name is a row, or rejected with its text."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.charsets import CHARSETS, standard_name
from birchtar.lake.csv import says_encoding
from birchtar.lake.errors import LakeError
from birchtar.lake.raw_text import escaped
from birchtar.lake.rejects import (
    CORRUPT,
    CORRUPT_FILE,
    ENCODING,
    MALFORMED,
    named,
    permissive,
    refuse_error_column,
    with_error,
)
from birchtar.lake.sampling import sampled
from birchtar.lake.source import Source
from birchtar.lake.texts import TEXT, encoding_of, load_texts
from birchtar.lake.xml_records import POSITION, TROUBLE, is_opened, records_of

NOT_DECODED = (
    r"The record holds bytes that are not UTF-8; here they are \xNN. If the file has another encoding, name it:"
    " `options: {encoding: ...}`."
)

_PARSED = "_birchtar_parsed"


def read_xml(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of XML files, as `birchtar.lake.read.read` describes them.

    Attributes are columns whose names begin with ``_``, as Spark has it. Without a schema, types are inferred by a
    Spark job over all records; with one, of an element that stands twice in a record but is no array the last counts.
    An element inside one of the same name breaks both. Each file is held in memory as a whole. Spark rounds to the
    digits of a declared decimal, and to six digits of a second; `birchtar.lake.json.read_json` says what helps.

    A row may be rejected that tells of a file and has no record: there is something around the file's records that is
    not well-formed, or it is in an unknown encoding.

    Raises:
        LakeError: Without a schema there is no record to take the columns from; the encoding that the options name is
            not known; or a column is called ``_error``.
    """
    declared, encoding = source.declared(), known_encoding(source)
    texts = load_texts(spark, source, declared)
    folders = [name for name in texts.columns if name != TEXT]
    records = records_of(texts, source.row_tag or "", encoding)
    if declared is None:
        inside = _inferred(records, source, folders)
        names = [*inside.names, *folders]
    else:
        inside = StructType([field for field in declared.fields if field.name not in folders])
        names = declared.names
    refuse_error_column(names, source.paths)
    return parsed_records(records, inside, source, names)


def known_encoding(source: Source) -> str | None:
    """Return the standard name of the encoding that the options tell.

    Raises:
        LakeError: It is not known.
    """
    said = encoding_of(source)
    encoding = None if said is None else standard_name(said)
    if encoding is not None and encoding not in CHARSETS:
        what = f"XML in the encoding {said} cannot be read. Known are {', '.join(CHARSETS)}."
        raise LakeError.at(source.paths, what)
    return encoding


def parsed_records(records: DataFrame, inside: StructType, source: Source, names: list[str]) -> DataFrame:
    """Return records as rows, or with an ``_error`` that has a ``position``. Lazy.

    Args:
        records: Their texts in the column `TEXT`, and `POSITION`; and, if any, what is wrong with a file in `TROUBLE`.
        inside: The columns that are in the records.
        source: Where the records are from.
        names: The columns that are wanted: those that are not inside are columns of ``records``.
    """
    text, corrupt = named(TEXT), named(_PARSED).getField(CORRUPT)
    schema = StructType([*inside.fields, StructField(CORRUPT, StringType())])
    value = F.from_xml(text, schema, permissive(source.options))
    # A generator lets no condition through to where it would have the text parsed once more.
    rows = records.select("*", F.explode(F.array(value)).alias(_PARSED))
    has_start = is_opened(text, source.row_tag or "")
    is_bad = ~has_start | named(_PARSED).isNull() | corrupt.isNotNull()
    is_text = F.lit(True) if says_encoding(source) else F.is_valid_utf8(text)
    trouble = named(TROUBLE) if TROUBLE in records.columns else F.lit(None).cast("string")
    what = f" of the schema {source.ddl}" if source.ddl else ""
    said = (
        F.when(trouble.isNotNull(), trouble)
        .when(~is_text, NOT_DECODED)
        .when(~has_start, f"There is an end of <{source.row_tag}>, but its start tag is damaged or missing.")
        .otherwise(f"The record is not a well-formed element <{source.row_tag}>{what}.")
    )
    return with_error(
        rows,
        [(named(_PARSED).getField(name) if name in inside.names else named(name)).alias(name) for name in names],
        code=F.when(trouble.isNotNull(), CORRUPT_FILE).when(~is_text, ENCODING).when(is_bad, MALFORMED),
        message=said,
        record=escaped(text),
        position=named(POSITION),
    )


def _inferred(records: DataFrame, source: Source, folders: list[str]) -> StructType:
    texts = records.where(is_opened(named(TEXT), source.row_tag or "")).select(TEXT)
    texts = sampled(texts, source.sampling_ratio)
    reader = records.sparkSession.read.options(**permissive(source.options))
    found = reader.xml(texts, rowTag=source.row_tag, columnNameOfCorruptRecord=CORRUPT).schema
    own = {CORRUPT, *(name.lower() for name in folders)}
    fields = [field for field in found.fields if field.name not in own and field.name.lower() not in own]
    if not fields:
        what = f"there is no element <{source.row_tag}> with anything in it to take the columns from"
        raise LakeError.at(source.paths, f"{what}. Check `row_tag`, or declare a schema.")
    return StructType(fields)
