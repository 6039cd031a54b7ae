"""The texts of files: one per line, or per file, with the columns that its folders name."""

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.many_paths import load_source
from birchtar.lake.rejects import named
from birchtar.lake.source import Source

TEXT = "_birchtar_text"
"""The column of the text; a name that no folder has."""

BARE = " \t\r\n"
"""What JSON takes for space."""

_OF_THE_VALUES = ("charset", "encoding", "mode", "multiline", "wholetext")
"""Options, in lower case, that are no business of the reader of texts, or that it would read in its own way."""

_BIG, _LITTLE = r"[^\xD8-\xDF].|[\xD8-\xDB].[\xDC-\xDF].", r".[^\xD8-\xDF]|.[\xD8-\xDB].[\xDC-\xDF]"

_WIDE = (
    ("^(0000FEFF|000000..)$", "UTF-32", r"\x00(?:\x00[^\xD8-\xDF]|[\x01-\x10].)."),
    ("^FFFE0000$", "UTF-32", r".(?:[^\xD8-\xDF]\x00|.[\x01-\x10])\x00"),
    ("^FEFF", "UTF-16", _BIG),
    ("^FFFE", "UTF-16", _LITTLE),
    ("^00..00", "UTF-16BE", _BIG),
    ("^..00..00$", "UTF-16LE", _LITTLE),
)
"""Encodings of 16 and 32 bits: how a file begins in hex, the name, and a sign of it if bytes were signs."""

_NO_FOLDER = "__HIVE_DEFAULT_PARTITION__"
"""How a folder says null."""


def has_texts(source: Source) -> bool:
    """Tell whether Spark's reader of texts can read the files: not in an encoding other than UTF-8."""
    return encoding_of(source) in (None, "UTF-8", "UTF8") and source.option("singleVariantColumn") is None


def encoding_of(source: Source) -> str | None:
    """Return the encoding that the options name, in upper case."""
    said = source.option("encoding") or source.option("charset")
    return None if said is None else said.upper()


def is_set(source: Source, option: str) -> bool:
    """Tell whether an option is true."""
    return (source.option(option) or "").lower() == "true"


def is_whole(source: Source) -> bool:
    """Tell whether a text is a whole file."""
    return source.format == "xml" or is_set(source, "multiLine")


def load_texts(spark: SparkSession, source: Source, schema: StructType | None = None) -> DataFrame:
    """Return the text of each line, or of each file where that is one, and the columns of folders as ``day=1``. Lazy.

    Args:
        spark: The session.
        source: JSON or XML files.
        schema: Types that folders' columns take instead of those that Spark infers, where their names are there.
    """
    options = {key: value for key, value in source.options.items() if key.lower() not in _OF_THE_VALUES}
    reader = spark.read.format("text").options(**options).option("wholetext", is_whole(source))
    text = StructField(TEXT, StringType())
    df = load_source(spark, reader.schema(StructType([text])), source)
    folders = {name.lower() for name in df.columns}
    told = [field for field in schema or [] if field.name.lower() in folders]
    if told:
        df = load_source(spark, reader.schema(StructType([text, *told])), source)
    return df.withColumn(TEXT, _decoded(named(TEXT))) if is_whole(source) else df


def folders_of(texts: DataFrame) -> Iterator[tuple[str, Column]]:
    """Yield the columns of folders by what the path of the file that is being read says of them."""
    path = F.regexp_replace(F.input_file_name(), "[+]", "%2B")
    for field in texts.schema.fields:
        if field.name != TEXT:
            # Spark has folders' names twice encoded here: once by itself, once as a part of a path.
            told = F.regexp_extract(F.url_decode(path), f"(?i).*/\\Q{field.name}\\E=([^/]*)/", 1)
            yield field.name, folder_value(told).cast(field.dataType)


def folder_value(text: Column) -> Column:
    """Return what a folder's name says behind its `=`: encoded as a rule, and null by Hive's word for it."""
    plain = F.coalesce(F.try_url_decode(F.regexp_replace(text, "[+]", "%2B")), text)
    return F.when(~text.isin("", _NO_FOLDER), plain)


def bare(text: Column) -> Column:
    """Return a text without space around it."""
    return F.btrim(without_mark(text), F.lit(BARE))


def without_mark(text: Column) -> Column:
    """Return a text without a byte order mark, which also stands in mid-file where files were put together."""
    return F.when(text.startswith("\ufeff"), F.substr(text, F.lit(2))).otherwise(text)


def _decoded(text: Column) -> Column:
    """Return a file's text, whose first bytes show an encoding of 16 or 32 bits a sign, as Spark sees it.

    A file that is not of this encoding to its end stays as it is: Spark would stop there.
    """
    bits = text.cast("binary")
    first, latin = F.hex(F.substr(bits, F.lit(1), F.lit(4))), F.decode(bits, "ISO-8859-1")
    decoded = text
    for begins, charset, sign in reversed(_WIDE):
        is_one = first.rlike(begins) & latin.rlike(rf"^(?s:{sign})*+\z")
        decoded = F.when(is_one, F.decode(bits, charset)).otherwise(decoded)
    return decoded
