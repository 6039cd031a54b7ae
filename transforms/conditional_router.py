"""Send rows to named frames by conditions."""

from collections.abc import Mapping
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.core.sql_errors import analysed
from transforms.errors import TransformError


def conditional_router(
    df: DataFrame, groups: Mapping[str, Column | str], *, default: str = "default_group"
) -> dict[str, DataFrame]:
    """Send each row to every group whose condition it meets, and to the default group if it meets none. Lazy.

    A condition that is null for a row is not met. Each frame computes ``df`` for itself; cache a frame that is costly,
    or that would not come out the same again.

    Glue: Studio's Conditional Router. Cost: lazy; ``df`` is computed once for each frame that is used.

    Args:
        df: Any frame.
        groups: By the name of a group its condition, an SQL text such as ``price > 10``. SQL does not tell upper from
            lower case.
        default: Name of the group of all other rows.

    Returns:
        The frames by name, in the order given and the default group last, with the same columns in the same order.

    Raises:
        TransformError: There are no groups, one has the default's name, or a condition does not parse.
        MissingColumnError: A condition names a column or field that is not there.
        DuplicateColumnError: A condition names a column that occurs twice.
        ColumnTypeError: A condition is not a boolean.

    Example:
        >>> df = spark.createDataFrame([(5,), (50,), (None,)], "price INT")
        >>> frames = conditional_router(df, {"cheap": "price < 10", "priced": "price > 0"})
        >>> {name: [row.price for row in frame.collect()] for name, frame in frames.items()}
        {'cheap': [5], 'priced': [5, 50], 'default_group': [None]}

    Source:
        reference: Glue transforms, "Conditional router".
    """
    if not groups:
        raise TransformError("conditional_router needs at least one group with its condition.")
    if default in groups:
        raise TransformError(
            f"conditional_router: `{default}` is the default group, which has no condition. Name the group otherwise."
        )
    conditions = {name: F.expr(said) if isinstance(said, str) else said for name, said in groups.items()}
    frames = {
        name: analysed(partial(df.where, condition), df, where=f"conditional_router, group `{name}`")
        for name, condition in conditions.items()
    }
    met = F.coalesce(*(F.when(condition, F.lit(1)) for condition in conditions.values()))
    return frames | {default: df.where(met.isNull())}
