"""What a merged table has to remember beside its rows, so that events may come late.

That is when a row was deleted, and events that made no version of their own because nothing changed by them. Both
matter once an older event comes. They are kept in a small Delta table inside the table's folder, whose name readers
and VACUUM pass over; it moves with the table, and where it is lost, only late events are affected.
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.delta.log import Log
from birchtar.lake.delta.widen import widen

_FOLDER = "_birchtar_late"


def remembered(spark: SparkSession, path: str) -> DataFrame | None:
    """Return what is remembered; None if that is nothing. Lazy."""
    folder = f"{path}/{_FOLDER}"
    return spark.read.format("delta").load(folder) if Log(spark, folder).version() >= 0 else None


def widen_remembered(spark: SparkSession, path: str, columns: dict[str, str]) -> None:
    """Give columns the new types that they have in the table, as far as they are remembered."""
    log = Log(spark, f"{path}/{_FOLDER}")
    if columns and log.version() >= 0:
        there = StructType.fromJson(log.schema()).names
        widen(log, {name: kind for name, kind in columns.items() if name in there})


def remember(df: DataFrame, path: str) -> None:
    """Add to what is remembered. Rows that are in it twice do no harm."""
    writer = df.coalesce(1).write.format("delta").mode("append").option("mergeSchema", "true")
    writer.save(f"{path}/{_FOLDER}")
