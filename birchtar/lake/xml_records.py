"""The records of XML files: their texts, and whether what stands around them is well-formed.

Spark's own reader gives up a whole file, without a word, behind an element that is not closed. So files are taken apart
here: a record goes from a start tag to the end tag behind it, whatever is wrong inside. What is left, the elements
around the records, has to be well-formed; otherwise a tag is broken that would have begun or ended a record, or the
file is cut off.
"""

from uuid import uuid4

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.charsets import CHARSETS, decoded, standard_names
from birchtar.lake.rejects import CORRUPT, named, permissive
from birchtar.lake.texts import TEXT

POSITION = "_birchtar_position"
"""The column of a record's number in its file, from 1; a name that no file has."""

TROUBLE = "_birchtar_trouble"
"""The column of what is wrong with a file, of a row that is no record."""

_CHARSET, _PIECES = "_birchtar_charset", "_birchtar_pieces"

_BREAK = "\x1e"
"""A sign that XML does not allow."""

_DECLARED = r"""^\ufeff?\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.-]+)["']"""
_PROLOG = r"<\?xml\s[^>]*+>|<!DOCTYPE[^\[>]*+(?:\[[^\]]*+\]\s*+)?>"
_ONLY_ELEMENTS = r"^\ufeff?\s*(?:<(?s:.*)>\s*)?$"
_CDATA = r"<!\[CDATA\[(?s:.*?)\]\]>"
_COMMENT = r"<!--[^-]*+(?:-[^-]++)*+-->"
_ATTRIBUTES = r"""(?:\s(?:[^"'<>/]++|"[^"<]*+"|'[^'<]*+'|/(?!>))*+)?"""


def records_of(texts: DataFrame, tag: str, encoding: str | None) -> DataFrame:
    """Return the records of files: the text of each in the column `TEXT`, and its `POSITION`. Lazy.

    Args:
        texts: A text per file in the column `TEXT`, and columns that its records get.
        tag: The name of the elements that are records.
        encoding: That of all files, one of `CHARSETS`; None where each says its own, or is in UTF-8.

    Returns:
        In an order of their files, and behind these for each file with something wrong around its records a row that
        has no text, but says so in `TROUBLE`. A text may hold bytes that are not UTF-8.
    """
    kept = [named(name) for name in texts.columns if name != TEXT]
    told = F.regexp_extract(F.substr(named(TEXT), F.lit(1), F.lit(200)), _DECLARED, 1)
    charset = standard_names(told) if encoding is None else F.lit(encoding)
    df = texts.select(*kept, decoded(named(TEXT).cast("binary"), charset).alias(TEXT), charset.alias(_CHARSET))
    df = df.select(*kept, _pieces_as_they_are(named(TEXT), tag).alias(_PIECES), _CHARSET)
    found = F.filter(_PIECES, lambda piece: _is_record(piece, tag))
    records = F.when(_is_known(named(_CHARSET)), found).otherwise(F.array().cast("array<string>"))
    around = F.array_join(F.filter(_PIECES, lambda piece: ~_is_record(piece, tag)), "")
    df = df.select(*kept, records.alias(_PIECES), _trouble(named(_CHARSET), around, tag).alias(TROUBLE))
    return df.select(*kept, F.inline(_rows(named(_PIECES), named(TROUBLE))))


def _is_known(charset: Column) -> Column:
    return charset.isin("", *CHARSETS)


def is_opened(record: Column, tag: str) -> Column:
    """Tell whether a record begins with a start tag; otherwise it has an end tag alone."""
    return record.rlike(rf"^<\Q{tag}\E[\s/>]")


def _is_record(piece: Column, tag: str) -> Column:
    return is_opened(piece, tag) | piece.rlike(rf"</\Q{tag}\E\s*+>$")


def _rows(records: Column, trouble: Column) -> Column:
    no_text, no_number = F.lit(None).cast("string"), F.lit(None).cast("bigint")
    of_records = F.transform(
        records,
        lambda text, at: F.struct(text.alias(TEXT), no_text.alias(TROUBLE), (at + 1).cast("bigint").alias(POSITION)),
    )
    of_file = F.array(F.struct(no_text.alias(TEXT), trouble.alias(TROUBLE), no_number.alias(POSITION)))
    return F.when(trouble.isNull(), of_records).otherwise(F.concat(of_records, of_file))


def _trouble(charset: Column, around: Column, tag: str) -> Column:
    """Return what is wrong with a file, null where nothing is."""
    unknown = F.concat(
        F.lit("The file says that its encoding is "),
        charset,
        F.lit(f", in which none can be read. Known are {', '.join(CHARSETS)}."),
    )
    broken = (
        f"What stands around the elements <{tag}> is not well-formed: a tag is damaged, or the file is cut off. The"
        " elements that were found were read."
    )
    return F.when(~_is_known(charset), unknown).when(~_is_well_formed(around), broken)


def _pieces_as_they_are(text: Column, tag: str) -> Column:
    """Return a text's pieces. Bytes that are not UTF-8 stay what they are; Spark's functions would replace them."""
    latin = F.decode(text.cast("binary"), "ISO-8859-1")
    pieces = F.transform(
        _pieces(latin, tag.encode().decode("ISO-8859-1")), lambda piece: F.encode(piece, "ISO-8859-1").cast("string")
    )
    return F.when(F.is_valid_utf8(text), _pieces(text, tag)).otherwise(pieces)


def _pieces(text: Column, tag: str) -> Column:
    """Return a text cut before each start and behind each end of an element."""
    name = rf"\Q{tag}\E"
    # An element that closes itself gets an end as well.
    closed = F.regexp_replace(_without_hidden(text), rf"<{name}({_ATTRIBUTES})/>", f"<{tag}$1></{tag}>")
    cut = F.regexp_replace(closed, rf"(</{name}\s*+>)|(<{name}(?=[\s/>]))", f"$1{_BREAK}$2")
    return F.split(cut, _BREAK)


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
