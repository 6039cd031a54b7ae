"""Split a frame into two by its fields."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.drop_fields import drop_fields
from transforms.errors import TransformError
from transforms.select_fields import select_fields


def split_fields(
    df: DataFrame, paths: str | Sequence[str], name1: str = "frame1", name2: str = "frame2", *, strict: bool = False
) -> dict[str, DataFrame]:
    """Make one frame of the fields that the paths name, and another of the rest.

    Lazy. Each row is in both; no key is added to join them by, so name a column that both need in a step before, or
    keep the whole frame. A struct of which only some fields are named is in both, each with its share.

    Glue: SplitFields. Cost: lazy; each of the two frames computes ``df`` when it is used.

    Args:
        df: Any frame.
        paths: What the first frame has; case matters.
        name1: The name of the frame with the named fields.
        name2: The name of the other.
        strict: Refuse a path that is not there; otherwise it is passed over, as Glue does.

    Returns:
        The two frames by name: columns of the first as `select_fields` gives them, of the second as `drop_fields` does.

    Raises:
        TransformError: The two names are the same.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: ``strict`` is set and a path is not there.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, named_struct('city', 'Ulm', 'zip', '89073') AS home")
        >>> parts = split_fields(df, ["home.zip"], "zips", "others")
        >>> parts["zips"].collect(), parts["others"].collect()
        ([Row(home=Row(zip='89073'))], [Row(id=1, home=Row(city='Ulm'))])

    Source:
        reference: Glue transforms, "SplitFields".
    """
    if name1 == name2:
        raise TransformError(f"split_fields needs two different names for its frames, got {name1!r} twice.")
    return {name1: select_fields(df, paths, strict=strict), name2: drop_fields(df, paths)}
