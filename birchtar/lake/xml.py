"""XML files: each element of one name is a row, or rejected with its text; and nothing is passed over that is damaged.

Spark's own reader gives up a whole file, without a word, behind an element that is not closed. So files are taken apart
here: a record goes from a start tag to the end tag behind it, whatever is wrong inside. What is left, the elements
around the records, has to be well-formed; otherwise a tag is broken that would have begun or ended a record, or the
file is cut off.
"""

import codecs
from uuid import uuid4

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

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
from birchtar.lake.source import Source
from birchtar.lake.texts import TEXT, encoding_of, load_texts

POSITION = "_birchtar_position"
"""The column of a record's number in its file, from 1; a name that no file has."""

TROUBLE = "_birchtar_trouble"
"""The column of what is wrong with a file."""

NOT_DECODED = (
    r"The record holds bytes that are not of the file's encoding; here they are \xNN. If the file has another encoding,"
    " name it: `options: {encoding: ...}`."
)

_CHARSETS = [
    *(f"ISO-8859-{part}" for part in (1, 2, 3, 4, 5, 7, 9, 10, 13, 15)),
    *(f"WINDOWS-{page}" for page in (1250, 1251, 1252, 1253, 1254, 1257)),
]
"""Charsets of one byte a sign that can be read, beside Unicode's."""

_KNOWN = f"Known are UTF-8, UTF-16, UTF-32, {', '.join(_CHARSETS)}."

_UNICODE = ("", "UTF-8", "UTF8", "US-ASCII", "ASCII", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32")

_BREAK = "\x1e"
"""A sign that XML does not allow."""

_DECLARED = r"""^\ufeff?\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.-]+)["']"""
"""How a file begins that tells its encoding."""

_RECORDS, _PARSED = "_birchtar_records", "_birchtar_parsed"
_PROLOG = r"<\?xml\s[^>]*+>|<!DOCTYPE[^\[>]*+(?:\[[^\]]*+\]\s*+)?>"
_ONLY_ELEMENTS = r"^\ufeff?\s*(?:<(?s:.*)>\s*)?$"
_CDATA = r"<!\[CDATA\[(?s:.*?)\]\]>"
_COMMENT = r"<!--[^-]*+(?:-[^-]++)*+-->"
_ATTRIBUTES = r"""(?:\s(?:[^"'<>/]++|"[^"<]*+"|'[^'<]*+'|/(?!>))*+)?"""


def read_xml(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of XML files, as `birchtar.lake.read.read` describes them.

    Attributes are columns whose names begin with ``_``, as Spark has it. Without a schema, types are inferred by a
    Spark job over all records. A file is held in memory as a whole. An element inside one of the same name breaks both.

    A row may be rejected that tells of a file and has no record: there is something around the file's records that is
    not well-formed.

    Raises:
        LakeError: Without a schema there is no record to take the columns from; the encoding that the options name is
            not known; or a column is called ``_error``.
    """
    declared = source.declared()
    texts = load_texts(spark, source, declared)
    folders = [name for name in texts.columns if name != TEXT]
    records = _records(texts, source)
    if declared is None:
        inside = _inferred(records, source, folders)
        names = [*inside.names, *folders]
    else:
        inside = StructType([field for field in declared.fields if field.name not in folders])
        names = declared.names
    refuse_error_column(names, source.paths)
    return parsed_records(records, inside, source, names)


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
    is_opened = text.rlike(_starts(source))
    is_bad = ~is_opened | named(_PARSED).isNull() | corrupt.isNotNull()
    is_text = F.lit(True) if says_encoding(source) else F.is_valid_utf8(text)
    trouble = named(TROUBLE) if TROUBLE in records.columns else F.lit(None).cast("string")
    what = f" of the schema {source.ddl}" if source.ddl else ""
    said = (
        F.when(trouble.isNotNull(), trouble)
        .when(~is_text, NOT_DECODED)
        .when(~is_opened, f"There is an end of <{source.row_tag}>, but its start tag is damaged or missing.")
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


def _records(texts: DataFrame, source: Source) -> DataFrame:
    """Return a row for each record, with the columns of folders, and one for each file with trouble around these."""
    tag, kept = source.row_tag or "", [named(name) for name in texts.columns if name != TEXT]
    charset = _charset(source)
    # Files in UTF-16 and UTF-32 are texts already.
    text = decoded(named(TEXT).cast("binary"), charset)
    df = texts.select(*kept, text.alias(TEXT), charset.alias(TROUBLE))
    latin = F.decode(named(TEXT).cast("binary"), "ISO-8859-1")
    pieces = F.when(F.is_valid_utf8(TEXT), _pieces(named(TEXT), tag)).otherwise(
        F.transform(_pieces(latin, _as_latin(tag)), lambda piece: F.encode(piece, "ISO-8859-1").cast("string"))
    )
    is_known = named(TROUBLE).isin([*_UNICODE, *_CHARSETS])
    unknown = F.concat(
        F.lit("The file cannot be read: it says that its encoding is "),
        named(TROUBLE),
        F.lit(f". {_KNOWN}"),
    )
    df = df.select(*kept, F.when(is_known, pieces).alias(TEXT), F.when(~is_known, unknown).alias(TROUBLE))
    starts, ends = _starts(source), rf"</\Q{tag}\E\s*+>$"
    records = F.filter(TEXT, lambda piece: piece.rlike(starts) | piece.rlike(ends))
    around = F.array_join(F.filter(TEXT, lambda piece: ~piece.rlike(starts) & ~piece.rlike(ends)), "")
    broken = (
        f"What stands around the elements <{tag}> is not well-formed: a tag is damaged, or the file is cut off. The"
        " elements that were found were read."
    )
    trouble = F.when(named(TROUBLE).isNotNull(), named(TROUBLE)).when(~_is_well_formed(around), broken)
    df = df.select(*kept, records.alias(_RECORDS), trouble.alias(TROUBLE))
    none = F.lit(None).cast("string")
    of_records = F.transform(
        F.coalesce(named(_RECORDS), F.array().cast("array<string>")),
        lambda piece, at: F.struct(piece.alias(TEXT), none.alias(TROUBLE), (at + 1).cast("bigint").alias(POSITION)),
    )
    of_file = F.array(F.struct(none.alias(TEXT), named(TROUBLE), F.lit(None).cast("bigint").alias(POSITION)))
    both = F.when(named(TROUBLE).isNull(), of_records).otherwise(F.concat(of_records, of_file))
    return df.select(*kept, F.inline(both))


def _inferred(records: DataFrame, source: Source, folders: list[str]) -> StructType:
    texts = records.where(named(TEXT).rlike(_starts(source))).select(TEXT)
    reader = records.sparkSession.read.options(**permissive(source.options))
    found = reader.xml(texts, rowTag=source.row_tag, columnNameOfCorruptRecord=CORRUPT).schema
    own = {CORRUPT, *(name.lower() for name in folders)}
    fields = [field for field in found.fields if field.name not in own and field.name.lower() not in own]
    if not fields:
        what = f"there is no element <{source.row_tag}> with anything in it to take the columns from"
        raise LakeError.at(source.paths, f"{what}. Check `row_tag`, or declare a schema.")
    return StructType(fields)


def _pieces(text: Column, tag: str) -> Column:
    """Return a text cut before each start and behind each end of an element."""
    name = rf"\Q{tag}\E"
    plain = _without_hidden(text)
    # An element that closes itself gets an end as well.
    closed = F.regexp_replace(plain, rf"<{name}({_ATTRIBUTES})/>", f"<{tag}$1></{tag}>")
    cut = F.regexp_replace(closed, rf"(</{name}\s*+>)|(<{name}(?=[\s/>]))", f"$1{_BREAK}$2")
    return F.split(cut, _BREAK)


def _starts(source: Source) -> str:
    return rf"^<\Q{source.row_tag}\E[\s/>]"


def _without_hidden(text: Column) -> Column:
    """Return a text without comments, and with what is in CDATA sections escaped: neither can hold a tag then."""
    bare = F.when(F.contains(text, F.lit("<!--")), F.regexp_replace(text, f"({_CDATA})|{_COMMENT}", "$1"))
    bare = bare.otherwise(text)
    parts = F.regexp_extract_all(bare, F.lit(rf"{_CDATA}|(?s:(?:(?!{_CDATA}).)++)"), F.lit(0))
    plain = F.array_join(F.transform(parts, _without_section), "")
    return F.when(F.contains(bare, F.lit("<![CDATA[")), plain).otherwise(bare)


def _without_section(part: Column) -> Column:
    inside = F.substr(part, F.lit(len("<![CDATA[") + 1), F.length(part) - len("<![CDATA[]]>"))
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        inside = F.replace(inside, F.lit(sign), F.lit(name))
    return F.when(part.startswith("<![CDATA[") & part.endswith("]]>"), inside).otherwise(part)


def _is_well_formed(text: Column) -> Column:
    root = f"w{uuid4().hex}"
    bare = F.regexp_replace(text, _PROLOG, "")
    schema = StructType([StructField(root, StringType()), StructField(CORRUPT, StringType())])
    parsed = F.from_xml(F.concat(F.lit(f"<{root}>"), bare, F.lit(f"</{root}>")), schema, permissive({}))
    return bare.rlike(_ONLY_ELEMENTS) & parsed.getField(CORRUPT).isNull()


def _charset(source: Source) -> Column:
    """Return the name of the encoding that the options, or else a file itself, tells; in upper case."""
    said = encoding_of(source)
    if said is None:
        found = F.regexp_extract(F.substr(named(TEXT), F.lit(1), F.lit(200)), _DECLARED, 1)
        return F.replace(F.upper(found), F.lit("CP125"), F.lit("WINDOWS-125"))
    said = said.replace("CP125", "WINDOWS-125")
    if said not in (*_UNICODE, *_CHARSETS):
        raise LakeError.at(source.paths, f"XML in the encoding {said} cannot be read. {_KNOWN}")
    return F.lit(said)


def decoded(bits: Column, charset: Column | str) -> Column:
    """Return bytes as a text, of a charset of one byte a sign; those of another are taken for UTF-8. Lazy."""
    latin = F.decode(bits, "ISO-8859-1")
    text = bits.cast("string")
    for name in _CHARSETS:
        text = F.when(F.lit(charset) == name, F.translate(latin, *_signs(name))).otherwise(text)
    return text


def _signs(charset: str) -> tuple[str, str]:
    """Return the signs that bytes stand for in ISO-8859-1, and those that they stand for in a charset.

    Example:
        >>> _signs("ISO-8859-9")
        ('ÐÝÞðýþ', 'ĞİŞğış')
    """
    codec = codecs.lookup(charset)
    pairs = [(chr(byte), codec.decode(bytes([byte]), "replace")[0]) for byte in range(0x80, 0x100)]
    other = [(latin, sign) for latin, sign in pairs if latin != sign]
    return "".join(latin for latin, _ in other), "".join(sign for _, sign in other)


def _as_latin(tag: str) -> str:
    return tag.encode().decode("latin-1")
