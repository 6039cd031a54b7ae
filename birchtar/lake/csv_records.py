"""CSV records whose values span lines, found in a file's text: a quote that nothing closes costs no line but its own.

Spark's reader takes such a quote for the begin of a value to which all belongs that follows, up to the next quote or
the end of the file. Here a record ends with its quotes, and where these do not fit, with its line.
"""

import re
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.rejects import CORRUPT, files_of, named, quoted
from birchtar.lake.source import OptionValue, Source
from birchtar.lake.texts import TEXT, has_texts, is_set, load_texts, without_mark

_MOST_COLUMNS = {"maxColumns": "100000"}
"""A line of more than 20,480 values is rejected like any other that has too many; Spark alone stops."""

_MOST_BYTES = 256 * 2**20
"""Of a larger file the text is not held in memory to be looked through."""

_END = r"(?:\r\n?|\n|\z)"
_PARSED = "_birchtar_parsed"


def standard(source: Source) -> dict[str, OptionValue]:
    """Return the options of Spark's reader for a source: a quote inside quotes is doubled, whatever the quote is.

    So RFC 4180 has it, and everybody writes it; Spark alone expects a backslash.

    Example:
        >>> standard(Source(path="x", format="csv", options={"quote": "'"}))
        {'escape': "'", 'maxColumns': '100000', 'quote': "'"}
    """
    return {"escape": _escape(source)} | _MOST_COLUMNS | source.options


def files_with_open_quotes(spark: SparkSession, source: Source) -> list[str]:
    """Return files in which quotes do not fit, of a source whose values may span lines. Starts a job then.

    Nothing is looked for where Spark is told of a comment, of another end of lines, or of another encoding than UTF-8.
    """
    own = (source.option(name) for name in ("comment", "lineSep"))
    if not is_set(source, "multiLine") or any(own) or not has_texts(source) or not _pattern(source):
        return []
    texts = load_texts(spark, source)
    texts = texts.where(F.col("_metadata.file_size") <= _MOST_BYTES)
    is_fine = without_mark(named(TEXT)).rlike(rf"(?s)\A(?:{_pattern(source)}{_END})*+\z")
    return files_of(texts.where(~is_fine))


def parsed_records(spark: SparkSession, source: Source, names: Sequence[str]) -> DataFrame:
    """Return the records of files: texts of values, `CORRUPT` where one is malformed, the columns of folders. Lazy.

    Args:
        spark: The session.
        source: The files.
        names: The columns of a line, and of folders.
    """
    texts = load_texts(spark, source, StructType([StructField(name, StringType()) for name in names]))
    folders = [name for name in texts.columns if name != TEXT]
    in_line = [name for name in names if name not in folders]
    record = rf"(?s)(?:{_pattern(source)}|[^\r\n]*+){_END}"
    records = F.regexp_extract_all(without_mark(named(TEXT)), F.lit(record), F.lit(0))
    records = F.transform(records, lambda record: F.rtrim(record, F.lit("\r\n")))
    records = F.filter(records, lambda record: record != "")
    if source.header:
        records = F.slice(records, F.lit(2), F.greatest(F.size(records) - 1, F.lit(0)))
    rows = texts.select(F.explode(records).alias(TEXT), *map(named, folders))
    parsed = rows.select(parsed_record(named(TEXT), in_line, source).alias(_PARSED), *map(named, folders))
    values = [named(_PARSED).getField(name).alias(name) for name in [*in_line, CORRUPT]]
    return parsed.select(*values, *map(named, folders))


def parsed_record(record: Column, names: Sequence[str], source: Source) -> Column:
    """Return a struct of a record's values as texts, and `CORRUPT`, the record, where it is malformed."""
    ddl = ", ".join(f"{quoted(name)} STRING" for name in [*names, CORRUPT])
    empty = null_value_of(source)
    options = standard(source) | {"nullValue": empty, "emptyValue": empty, "mode": "PERMISSIVE"}
    options |= {"columnNameOfCorruptRecord": CORRUPT}
    struct = F.from_csv(record, ddl, {key: str(value) for key, value in options.items()})
    return F.when(has_open_quote(record, source), struct.withField(CORRUPT, record)).otherwise(struct)


def null_value_of(source: Source) -> str:
    """Return the one text that Spark's reader itself can take for null."""
    return source.null_values[0] if len(source.null_values) == 1 else ""


def has_open_quote(record: Column, source: Source) -> Column:
    """Tell whether a quote is opened for the last value of a record, and not closed."""
    if not _pattern(source):
        return F.lit(False)
    separator, _, value = _signs(source)
    return record.rlike(rf"(?s)\A(?:{value}{separator})*+{_opened(source)}\z")


def _pattern(source: Source) -> str:
    """Return the regular expression of a record without its end; empty where there are no quotes."""
    separator, quote, value = _signs(source)
    return rf"{value}(?:{separator}{value})*+" if quote else ""


def _signs(source: Source) -> tuple[str, str, str]:
    """Return the expressions of a separator, a quote, and a value."""
    separator, quote = re.escape(source.option("sep") or source.option("delimiter") or ","), _quote(source)
    bare = rf"(?!{quote})(?:(?!{separator})[^\r\n])*+"
    return separator, quote, rf"(?:{_opened(source)}{quote}[ \t]*+|{bare})"


def _quote(source: Source) -> str:
    """Return the expression of a quote; empty where there are none."""
    return re.escape('"' if source.option("quote") is None else source.option("quote") or "")


def _opened(source: Source) -> str:
    """Return the expression of a value in quotes up to before the quote that closes it."""
    quote = _quote(source)
    escape = re.escape(_escape(source))
    escaped = rf"{quote}{quote}" if escape == quote else rf"{escape}."
    return rf"{quote}(?:[^{quote}{escape}]++|{escaped})*+"


def _escape(source: Source) -> str:
    """Return the sign before a quote that does not close a value: as a rule a quote too."""
    return source.option("escape") or source.option("quote") or '"'
