"""Spread rows evenly over partitions."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.core.columns import by_position, schema_of
from transforms.core.comparable import comparable
from transforms.errors import TransformError
from transforms.nested.row_values import row_values


def autobalance(
    df: DataFrame, partitions: int | None = None, *, columns: str | Sequence[str] | None = None
) -> DataFrame:
    """Spread the rows evenly over partitions, or bring equal values of some columns together. Lazy.

    Glue: Studio's Autobalance Processing. Cost: lazy; one shuffle of all rows.

    Args:
        df: Any frame.
        partitions: How many partitions; by default Spark's ``spark.sql.shuffle.partitions``, which the local profile
            sets to the number of cores.
        columns: Paths of columns; rows with equal values of all of them go to one partition. Balanced only as far
            as the values are.

    Returns:
        The same rows, columns and types; the order of rows is not kept.

    Raises:
        TransformError: There is to be less than one partition, or the list of columns is empty.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A column lies inside an array, or is or holds a variant.

    Example:
        >>> spark.range(8).transform(autobalance, 4).count()
        8

    Source:
        reference: Glue transforms, "Autobalance".
    """
    if partitions is None:
        partitions = int(df.sparkSession.conf.get("spark.sql.shuffle.partitions") or 200)
    if partitions < 1:
        raise TransformError(f"autobalance needs at least one partition, got {partitions}.")
    if columns is None:
        return df.repartition(partitions)
    values = row_values(schema_of(df), columns, where="autobalance")
    if not values:
        raise TransformError("autobalance needs at least one column, or none said for an even spread.")
    keys = (comparable(value.column, value.data_type, where=f"autobalance: `{value.name}`") for value in values)
    return by_position(df).repartition(partitions, *keys).toDF(*df.columns)
