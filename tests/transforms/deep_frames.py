"""Frames of thirty levels, the depth that every transform has to bear, over Spark Connect too."""

from pyspark.sql import DataFrame, SparkSession

LEVELS = 30


def deep_structs(spark: SparkSession, levels: int = LEVELS) -> DataFrame:
    """One row: structs `s` in structs, each with a field `b`, and `a` and `b` in the innermost. The row is a level."""
    text = "named_struct('a', 1, 'b', cast(null AS STRING))"
    for level in range(levels - 2):
        text = f"named_struct('s', {text}, 'b', {level})"
    return spark.sql(f"SELECT {text} AS s")


def deep_arrays(spark: SparkSession, levels: int = LEVELS) -> DataFrame:
    """One row: half as many structs, each in an array; the innermost elements are a struct and a null."""
    text = "array(named_struct('a', 1, 'b', cast(null AS STRING)), null)"
    for level in range(levels // 2 - 1):
        text = f"array(named_struct('s', {text}, 'b', {level}))"
    return spark.sql(f"SELECT {text} AS s")


def innermost(name: str, levels: int = LEVELS) -> str:
    """The path of a field in the innermost struct of `deep_structs`."""
    return ".".join(["s"] * (levels - 1) + [name])


def innermost_element(name: str, levels: int = LEVELS) -> str:
    """The path of a field in the innermost struct of `deep_arrays`."""
    return ".".join(["s"] * (levels // 2) + [name])
