"""Records that an input rejected, read again from their text in the quarantine as the input is read now."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import AtomicType, StructField, StructType

from birchtar.lake.charsets import decoded
from birchtar.lake.csv import line_names, typed, without_null_values
from birchtar.lake.csv_records import parsed_record
from birchtar.lake.errors import LakeError, MissingPathError
from birchtar.lake.globs import is_glob
from birchtar.lake.json import FOLLOWED, NOT_DECODED
from birchtar.lake.json_records import IS_BROKEN, IS_FOLLOWED, ROW, parsed
from birchtar.lake.paths import is_local, local
from birchtar.lake.raw_text import escaped, restored
from birchtar.lake.rejects import CORRUPT, ENCODING, ERROR_COLUMN, MALFORMED, named, with_error
from birchtar.lake.source import Source
from birchtar.lake.texts import TEXT, encoding_of, folder_value
from birchtar.lake.xml import known_encoding, parsed_records
from birchtar.lake.xml_records import POSITION

_CAME = ("birchtar_id", "birchtar_file", "birchtar_position")
"""What a record brings along; names that no file has."""


def read_again(spark: SparkSession, source: Source, rows: DataFrame, schema: StructType) -> DataFrame:
    """Return rejected records as rows of an input, with ``_error`` where one is rejected once more. Lazy.

    A column that is not in the record but in its file's path, as ``day=1``, comes from there.

    A JSON record that is an array is rejected again: Spark may have rejected it once for each of its elements, so its
    rows would come several times. Bytes that were not UTF-8 are read in the encoding that the input names now.

    Args:
        spark: The session.
        source: The input, CSV, JSON or XML, as it is declared now.
        rows: Rejected records: ``id``, ``code``, ``record``, ``file`` and ``position``.
        schema: The input's columns.

    Returns:
        The columns of the schema and ``_error`` with ``code``, ``message``, ``record``, ``file``, ``position`` and
        ``replay_of``, the id of the record that was rejected before.

    Raises:
        LakeError: The input has no header to take a CSV line's columns from any more.
    """
    came = rows.select(
        "code",
        "record",
        F.col("id").alias(_CAME[0]),
        F.col("file").alias(_CAME[1]),
        F.col("position").alias(_CAME[2]),
    )
    df = _READERS[source.format](spark, source, came, schema)
    there = set(df.columns)
    filled = [_filled(field, there, source).alias(field.name) for field in schema.fields]
    return df.select(*filled, _traced().alias(ERROR_COLUMN))


def _csv(spark: SparkSession, source: Source, came: DataFrame, schema: StructType) -> DataFrame:
    names = _header(spark, source, schema)
    ddl = ", ".join(f"`{name.replace('`', '``')}` STRING" for name in [*names, CORRUPT])
    line = parsed_record(F.col("record"), names, source)
    # Of what did parse once, the quarantine has the texts by their names.
    values = F.from_json("record", ddl, {"mode": "PERMISSIVE"} | _CORRUPT)
    texts = came.select(F.when(F.col("code") == MALFORMED, line).otherwise(values).alias("texts"), *_CAME)
    texts = texts.select(*(F.col("texts").getField(name).alias(name) for name in [*names, CORRUPT]), *_CAME)
    texts = without_null_values(texts, names, source)
    types = {field.name: field.dataType for field in schema.fields if field.name in names}
    return typed(texts, types, source, file=F.coalesce(_CAME[1], F.lit("the quarantine")), also=_CAME)


def _json(spark: SparkSession, source: Source, came: DataFrame, schema: StructType) -> DataFrame:
    bits, charset = restored(F.col("record")), encoding_of(source)
    decoded = F.decode(bits, charset) if charset in _CHARSETS else bits.cast("string")
    text = F.when(F.col("code") == ENCODING, decoded).otherwise(F.col("record"))
    rows = parsed(came.select(text.alias(TEXT), *_CAME), schema, source.options, opens_lists=False)
    fields = [named(ROW).getField(name).alias(name) for name in schema.names]
    message = "The record is not a JSON object of the input's schema."
    is_bad, is_text = named(IS_BROKEN), F.is_valid_utf8(TEXT)
    return with_error(
        rows.select(*fields, TEXT, IS_BROKEN, IS_FOLLOWED, *_CAME),
        [*map(named, schema.names), *map(named, _CAME)],
        code=F.when(~is_text, ENCODING).when(is_bad, MALFORMED),
        message=F.when(~is_text, NOT_DECODED).when(named(IS_FOLLOWED), message + FOLLOWED).otherwise(message),
        record=escaped(named(TEXT)),
    )


def _xml(spark: SparkSession, source: Source, came: DataFrame, schema: StructType) -> DataFrame:
    text = decoded(restored(F.col("record")), F.lit(known_encoding(source) or ""))
    records = came.select(
        F.when(F.col("code") == ENCODING, text).otherwise(F.col("record")).alias(TEXT),
        named(_CAME[2]).alias(POSITION),
        *_CAME,
    )
    return parsed_records(records, schema, source, [*schema.names, *_CAME])


_READERS = {"csv": _csv, "json": _json, "xml": _xml}

_CHARSETS = ("ISO-8859-1", "US-ASCII", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32")
"""What Spark can decode apart from a file."""

_CORRUPT = {"columnNameOfCorruptRecord": CORRUPT}


def _header(spark: SparkSession, source: Source, schema: StructType) -> list[str]:
    """Return the columns of a line: those of the input's files, or, where these are gone, those that are declared."""
    declared = source.declared()
    try:
        return line_names(spark, source, declared)
    except Exception as error:
        if isinstance(error, LakeError) and not isinstance(error, MissingPathError):
            raise
        if declared is None:
            raise LakeError.at(
                source.paths, "there is no file whose header could name the values of a line. Declare a schema."
            ) from error
        return schema.names


def _filled(field: StructField, there: set[str], source: Source) -> Column:
    found = [named(field.name)] if field.name in there else []
    if isinstance(field.dataType, AtomicType):
        value = folder_value(F.regexp_extract(_below(source), f"(?i).*/\\Q{field.name}\\E=([^/]*)/", 1))
        found.append(value.try_cast(field.dataType))
    return F.coalesce(*found) if found else F.lit(None).cast(field.dataType)


def _below(source: Source) -> Column:
    """Return the path of a record's file below the folder that the input names: others say nothing of its columns."""
    file = F.coalesce(named(_CAME[1]), F.lit(""))
    for path in source.paths if source.option("basePath") is None else ():
        base = local(path) if is_local(path) else path.rstrip("/")
        if not is_glob(path):
            file = F.when(file.startswith(F.lit(f"{base}/")), F.substr(file, F.lit(len(base) + 1))).otherwise(file)
    return file


def _traced() -> Column:
    error = F.col(ERROR_COLUMN)
    told = [error[name].alias(name) for name in ("code", "message", "record")]
    came = [named(name).alias(new) for name, new in zip(_CAME, ("replay_of", "file", "position"), strict=True)]
    return F.when(error.isNotNull(), F.struct(*told, *came))
