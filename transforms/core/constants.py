"""What Spark makes of a constant: how a pattern or a text is checked before there are rows."""

from pyspark.errors import PySparkException
from pyspark.sql import Column, SparkSession


def constant(spark: SparkSession, value: Column) -> object:
    """Return the value of an expression that names no column. Starts no Spark job: the planner computes it.

    Raises:
        PySparkException: Spark cannot compute it.
    """
    return spark.sql("SELECT * FROM VALUES (0) AS one(row)").select(value).collect()[0][0]


def say_cause(error: PySparkException) -> str:
    """Return the first sentence of what Spark says, without its error class, plan and Java stack."""
    parameters = error.getMessageParameters() or {}
    if "value" in parameters and "parameter" in parameters:
        return f"{parameters['value'].strip(chr(39))} is no {parameters['parameter'].strip('`')}"
    text = str(error).strip().partition("\n")[0]
    return text.rpartition("] ")[2].partition(" SQLSTATE")[0] or text
