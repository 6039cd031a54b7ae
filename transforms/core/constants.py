"""What Spark makes of a constant: how a pattern or a text is checked before there are rows."""

from pyspark.sql import Column, SparkSession


def constant(spark: SparkSession, value: Column) -> object:
    """Return the value of an expression that names no column. Starts no Spark job: the planner computes it.

    Raises:
        PySparkException: Spark cannot compute it.
    """
    return spark.sql("SELECT * FROM VALUES (0) AS one(row)").select(value).collect()[0][0]
