"""Columns by position and free names: what makes dotted, twin and odd column names harmless."""

from collections.abc import Iterable

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from transforms.errors import ColumnTypeError
from transforms.paths import quote


def schema_of(df: DataFrame) -> StructType:
    """Return the schema of a frame.

    Raises:
        ColumnTypeError: It is nested deeper than Spark Connect can carry.
    """
    try:
        return df.schema
    except PySparkException as error:
        if "deserializing response" not in str(error):
            raise
        raise ColumnTypeError(
            "The schema of this frame is nested deeper than Spark Connect can carry: 31 structs in one another, or 19"
            " arrays of structs. Use a classic Spark session, or drop or unnest the deepest fields by SQL first."
        ) from None


def column(name: str) -> Column:
    """Return the column of exactly this name; dots and back-ticks in it are part of the name."""
    return F.col(quote(name))


def unused_name(names: Iterable[str], wanted: str) -> str:
    """Return ``wanted``, or with a number behind it where the names have it already, whatever the case.

    Example:
        >>> unused_name(["rank", "id"], "Rank")
        'Rank_2'
    """
    taken = {name.lower() for name in names}
    candidate, number = wanted, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{wanted}_{number}"
    return candidate


def by_position(df: DataFrame, prefix: str = "c") -> DataFrame:
    """Return the frame with its columns named ``c0``, ``c1``, ... so that no name can be ambiguous. Lazy.

    Columns whose names differ only in case, or not at all, cannot be told apart by name in Spark; by position they can.
    """
    return df.toDF(*(f"{prefix}{position}" for position in range(len(schema_of(df).fields))))


def has_twins(struct: StructType) -> bool:
    """Return whether some names of a struct differ only in case, or not at all."""
    return len({name.lower() for name in struct.names}) < len(struct.names)


def fields_by_position(column: Column, struct: StructType) -> tuple[Column, list[str]]:
    """Return a struct column, and the names by which to get its fields, in their order.

    They are the fields' own names, unless some differ only in case, or not at all. Then the column is cast to
    ``f0``, ``f1``, ...: only then, because Spark reads all fields of a column that it has to cast.
    """
    if not has_twins(struct):
        return column, struct.names
    names = [f"f{position}" for position in range(len(struct.names))]
    fields = zip(names, struct.fields, strict=True)
    return column.cast(StructType([StructField(name, field.dataType, field.nullable) for name, field in fields])), names
