"""Records that could not be read stay in the frame, with what is wrong with them in the column ``_error``.

That is the transforms' way too (`transforms.rejects`). Storage does not import transforms, so the column's name and
its three fields are written down here as well; a test holds the two together.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ERROR_COLUMN = "_error"

MALFORMED = "MALFORMED"
"""The code of a record that does not parse."""

CAST = "CAST"
"""The code of a record with a value that is not of its declared type."""


def named(name: str) -> Column:
    """Return the column of exactly this name."""
    return F.col("`" + name.replace("`", "``") + "`")


def with_error(df: DataFrame, kept: Sequence[Column], *, code: Column, message: Column, record: Column) -> DataFrame:
    """Return the kept columns and ``_error``, which is null where ``code`` is. Lazy."""
    error = F.when(code.isNotNull(), F.struct(code.alias("code"), message.alias("message"), record.alias("record")))
    return df.select(*kept, error.alias(ERROR_COLUMN))
