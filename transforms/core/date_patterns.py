"""Patterns of dates: Spark's own, or the codes of Python's `strftime`."""

import re
from datetime import UTC, datetime

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from transforms.core.constants import constant
from transforms.errors import TransformError

_CODES = {
    "%a": "EEE",
    "%A": "EEEE",
    "%b": "MMM",
    "%B": "MMMM",
    "%d": "dd",
    "%f": "SSSSSS",
    "%H": "HH",
    "%I": "hh",
    "%j": "DDD",
    "%m": "MM",
    "%M": "mm",
    "%p": "a",
    "%S": "ss",
    "%y": "yy",
    "%Y": "yyyy",
    "%z": "xx",
    "%Z": "z",
    "%%": "%",
}

_READABLE: set[str] = set()
"""Patterns that Spark could read before."""


def spark_pattern(spark: SparkSession, pattern: str, *, where: str) -> str:
    """Return a pattern as Spark reads it; one with a ``%`` is taken to be Python's. Starts no Spark job.

    Raises:
        TransformError: Python's codes hold one that Spark has no letter for, or Spark cannot read the pattern.
    """
    wanted = from_python(pattern, where=where) if "%" in pattern else pattern
    if wanted in _READABLE:
        return wanted
    try:
        constant(spark, F.date_format(F.lit(datetime(2020, 1, 1, tzinfo=UTC)), wanted))
    except PySparkException as error:
        raise TransformError(
            f"{where}: {pattern!r} is no pattern of dates. Write Spark's letters, as in 'yyyy-MM-dd HH:mm', with other"
            " text in quotes, or Python's codes, as in '%Y-%m-%d %H:%M'."
        ) from error
    _READABLE.add(wanted)
    return wanted


def from_python(pattern: str, *, where: str) -> str:
    """Return the codes of Python's `strftime` as Spark's letters, and what stands between them in quotes.

    Example:
        >>> from_python("%Y-%m-%dT%H:%M", where="")
        "yyyy'-'MM'-'dd'T'HH':'mm"
    """
    unknown = [code for code in re.findall("%.?", pattern) if code not in _CODES]
    if unknown:
        raise TransformError(f"{where}: the code {unknown[0]!r} is not known. There are: {' '.join(sorted(_CODES))}.")
    parts = re.split("(%.)", pattern)
    return "".join(_CODES[part] if at % 2 else _quoted(part) for at, part in enumerate(parts))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if text else ""
