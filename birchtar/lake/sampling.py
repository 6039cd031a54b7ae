"""A share of the records, of which types are found where the user asks for no more."""

from pyspark.sql import DataFrame

_SEED = 1
"""Always the same, so that the same files have the same types."""


def sampled(df: DataFrame, share: float | None) -> DataFrame:
    """Return about this share of the rows; all where it is None. Lazy."""
    return df if share is None else df.sample(share, _SEED)
