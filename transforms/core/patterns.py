"""Regular expressions as Spark reads them."""

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from transforms.core.constants import constant
from transforms.errors import TransformError

_MORE_THAN_ANY = 100_000

_GROUPS: dict[str, int] = {}
"""What was found before; Java reads a pattern in one way only."""


def count_groups(spark: SparkSession, pattern: str, *, where: str) -> int:
    """Return how many groups a regular expression has. Starts no Spark job.

    Raises:
        TransformError: Java cannot read the pattern.
    """
    if pattern not in _GROUPS:
        _GROUPS[pattern] = _count(spark, pattern, where)
    return _GROUPS[pattern]


def _count(spark: SparkSession, pattern: str, where: str) -> int:
    # The alternative matches the empty text, so Spark looks at the number of the group and tells how many there are.
    probe = F.regexp_extract(F.lit(""), f"{pattern}\n|", _MORE_THAN_ANY)
    try:
        constant(spark, F.regexp_extract(F.lit(""), pattern, 0))  # what is behind it below could complete it
        constant(spark, probe)
    except PySparkException as error:
        about = error.getMessageParameters() or {}
        if "groupCount" in about:
            return int(about["groupCount"])
        raise TransformError(
            f"{where}: {pattern!r} is no regular expression that Java can read. Brackets come in pairs, and a sign"
            " that is meant as itself has a backslash before it."
        ) from error
    return 0


def literal_replacement(text: str) -> str:
    r"""Return a text so that `regexp_replace` puts in exactly this.

    Example:
        >>> print(literal_replacement("$1"))
        \$1
    """
    return text.replace("\\", "\\\\").replace("$", "\\$")
