"""autobalance: how many partitions, and what comes together."""

import pytest
from pyspark.sql import functions as F

from transforms.autobalance import autobalance
from transforms.errors import ColumnTypeError, MissingColumnError, TransformError


def _parts(df):
    return [row["count"] for row in df.groupBy(F.spark_partition_id()).count().collect()]


def test_rows_are_spread_evenly(spark):
    df = spark.range(0, 90, 1, 1)
    assert _parts(df.transform(autobalance, 3)) == [30, 30, 30]
    assert len(_parts(df.transform(autobalance))) == int(spark.conf.get("spark.sql.shuffle.partitions"))


def test_equal_values_come_together(spark):
    df = spark.sql("SELECT id, named_struct('k.k', id % 5) AS s FROM range(50)")
    spread = df.transform(autobalance, 4, columns="s.`k.k`")
    assert spread.schema == df.schema
    places = spread.select("s", F.spark_partition_id()).distinct().collect()
    assert len(places) == 5


def test_wrong_arguments_are_told(spark):
    with pytest.raises(TransformError, match="at least one partition, got 0"):
        spark.range(1).transform(autobalance, 0)
    with pytest.raises(TransformError, match="at least one column"):
        spark.range(1).transform(autobalance, columns=[])
    with pytest.raises(MissingColumnError, match="Did you mean `id`"):
        spark.range(1).transform(autobalance, columns=["ID"])
    with pytest.raises(ColumnTypeError, match="autobalance: `v` is or holds a variant"):
        spark.sql("SELECT parse_json('1') AS v").transform(autobalance, columns="v")
