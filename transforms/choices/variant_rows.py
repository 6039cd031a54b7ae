"""Rows that are one VARIANT each."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import by_position
from transforms.rejects import ERROR_COLUMN


def objects(df: DataFrame) -> DataFrame:
    """Return rows of VARIANTs as Spark's JSON reader takes them: of an array each element, and nothing but objects.

    Args:
        df: The VARIANT, and maybe ``_error``, in which what is no object is rejected.
    """
    rows = by_position(df)
    shape = F.schema_of_variant("c0")
    elements = F.when(shape.startswith("ARRAY<"), F.col("c0").cast("array<variant>")).otherwise(F.array("c0"))
    opened = rows.select(F.explode(elements).alias("c0"), *rows.columns[1:])
    is_object = F.coalesce(shape.startswith("OBJECT<"), F.lit(False))
    if ERROR_COLUMN not in df.columns:
        return opened.where(is_object).toDF(*df.columns)
    error = F.struct(
        F.lit("MALFORMED").alias("code"),
        F.lit("The record is not a JSON object.").alias("message"),
        F.to_json("c0").alias("record"),
    )
    return opened.select(
        F.when(is_object, F.col("c0")).alias(df.columns[0]),
        F.coalesce("c1", F.when(~is_object, error)).alias(ERROR_COLUMN),
    )
