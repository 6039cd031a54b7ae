r"""Bytes that are no text, written so that people can read what is one, and that the bytes can be had back.

Each byte that is no UTF-8 is ``\xNN``, and so is a backslash that would begin such a word by itself.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

_LATIN = "ISO-8859-1"
"""The charset in which each byte is a sign."""

_WORD = r"\\x[0-9A-F]{2}"
_PIECE = (
    rf"(?:(?!{_WORD})[\x00-\x7F])+|[\xC2-\xDF][\x80-\xBF]|[\xE0-\xEF][\x80-\xBF]{{2}}|[\xF0-\xF4][\x80-\xBF]{{3}}"
    r"|[\x00-\xFF]"
)


def escaped(raw: Column) -> Column:
    r"""Return bytes as a text. Lazy; null stays null.

    Example:
        >>> df = spark.sql(r"SELECT X'7B22C3A9E9225C784131' AS raw")
        >>> df.select(escaped(F.col("raw"))).first()[0]
        '{"é\\xE9"\\x5CxA1'
    """
    pieces = F.regexp_extract_all(F.decode(raw.cast("binary"), _LATIN), F.lit(_PIECE), F.lit(0))
    return F.array_join(F.transform(pieces, _shown), "")


def restored(text: Column) -> Column:
    r"""Return the bytes of a text that `escaped` wrote. Lazy; null stays null.

    Example:
        >>> df = spark.createDataFrame([(r'{"é\xE9"\x5CxA1',)], ["text"])
        >>> df.select(F.hex(restored(F.col("text")))).first()[0]
        '7B22C3A9E9225C784131'
    """
    pieces = F.regexp_extract_all(text, F.lit(rf"(?s){_WORD}|(?:(?!{_WORD}).)+"), F.lit(0))
    return F.unhex(F.array_join(F.transform(pieces, _digits), ""))


def _shown(piece: Column) -> Column:
    bits = F.encode(piece, _LATIN)
    # A backslash by itself is one before what looks like a byte; where it is not, it does no harm.
    is_text = F.is_valid_utf8(bits.cast("string")) & (piece != "\\")
    return F.when(is_text, bits.cast("string")).otherwise(F.regexp_replace(F.hex(bits), "(..)", r"\\x$1"))


def _digits(piece: Column) -> Column:
    return F.when(piece.rlike(f"^{_WORD}$"), F.substr(piece, F.lit(3))).otherwise(F.hex(piece))
