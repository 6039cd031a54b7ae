"""Encodings of one byte a sign, which Spark has for its readers of CSV and JSON alone."""

import codecs
import re

from pyspark.sql import Column
from pyspark.sql import functions as F

_OF_ONE_BYTE = [
    *(f"ISO-8859-{part}" for part in (1, 2, 3, 4, 5, 7, 9, 10, 13, 15)),
    *(f"WINDOWS-{page}" for page in (1250, 1251, 1252, 1253, 1254, 1257)),
]
_UNICODE = ["UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "US-ASCII"]

CHARSETS = [*_UNICODE, *_OF_ONE_BYTE]
"""What files may be written in, if those in UTF-16 and UTF-32 are decoded already."""

_ALIASES = {
    r"^LATIN-?1$": "ISO-8859-1",
    r"^ISO[-_]?8859[-_]": "ISO-8859-",
    r"^CP-?(?=125)": "WINDOWS-",
    r"^UTF(?=[813])": "UTF-",
    r"^ASCII$": "US-ASCII",
}


def standard_name(name: str) -> str:
    """Return an encoding's name as `CHARSETS` has it; an unknown one in upper case.

    Example:
        >>> standard_name("latin1"), standard_name("cp1252"), standard_name("Shift_JIS")
        ('ISO-8859-1', 'WINDOWS-1252', 'SHIFT_JIS')
    """
    name = name.upper()
    for alias, standard in _ALIASES.items():
        name = re.sub(alias, standard, name)
    return name


def standard_names(names: Column) -> Column:
    """Return what `standard_name` returns, for each row. Lazy; an empty name stays empty."""
    names = F.upper(names)
    for alias, standard in _ALIASES.items():
        names = F.regexp_replace(names, alias, standard)
    return names


def decoded(bits: Column, charset: Column) -> Column:
    """Return bytes as a text, of the charset of this standard name; those of Unicode are taken for UTF-8. Lazy.

    A byte that the charset does not have becomes U+FFFD.

    Example:
        >>> df = spark.sql("SELECT X'A4E9' AS bits")
        >>> df.select(decoded(F.col("bits"), F.lit("ISO-8859-15")).alias("text")).collect()
        [Row(text='€é')]
    """
    latin, text = F.decode(bits, "ISO-8859-1"), bits.cast("string")
    for name in _OF_ONE_BYTE:
        text = F.when(charset == name, F.translate(latin, *_signs(name))).otherwise(text)
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
