"""The rows of a plan, read back from the very files that were staged."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from birchtar.lake.delta.plan import Plan
from birchtar.lake.many_paths import AS_THEY_ARE
from birchtar.lake.rejects import named

_FILE = "_birchtar_file"


def staged_rows(spark: SparkSession, plan: Plan) -> DataFrame:
    """Return a frame of the staged rows, in the columns and types that they had. Lazy; lists nothing.

    What partition a row belongs to is not in Delta's files, nor are its folders' names to be trusted: the plan tells.
    """
    schema = StructType.fromJson(plan["schema"])
    if not plan["files"]:
        return spark.createDataFrame([], schema)
    partitions = list(plan["files"][0]["partition"])
    stored = StructType([field for field in schema if not _is_among(field, partitions)])
    # A name may hold what Spark would take for a pattern. Without the second option it would read such files twice.
    reader = spark.read.schema(stored).options(**AS_THEY_ARE, recursiveFileLookup="true")
    df = reader.parquet(*(f"{plan['folder']}/{file['path']}" for file in plan["files"]))
    if partitions:
        df = df.withColumn(_FILE, F.col("_metadata.file_name")).join(
            F.broadcast(_partitions(spark, plan, partitions)), _FILE, how="inner"
        )
    return df.select(*(_typed(field, partitions) for field in schema))


def _is_among(field: StructField, names: list[str]) -> bool:
    """Tell whether a column has one of some names, in any case: a table may write it otherwise than our rows."""
    return field.name.lower() in map(str.lower, names)


def _partitions(spark: SparkSession, plan: Plan, columns: list[str]) -> DataFrame:
    rows = [(file["path"].rpartition("/")[2], *map(file["partition"].get, columns)) for file in plan["files"]]
    return spark.createDataFrame(rows, StructType([StructField(name, StringType()) for name in (_FILE, *columns)]))


def _typed(field: StructField, partitions: list[str]) -> Column:
    column = named(field.name)
    # Spark drops a field's metadata, which may hold a comment, unless it is said again.
    typed = column.cast(field.dataType) if _is_among(field, partitions) else column
    return typed.alias(field.name, metadata=field.metadata)
