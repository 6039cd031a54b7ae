"""add_identifier: unique within a frame, or beyond it."""

import time
from decimal import Decimal

from transforms.add_identifier import add_identifier


def test_numbers_are_unique_in_the_frame(spark):
    df = spark.range(10).repartition(3).selectExpr("id AS x").transform(add_identifier)
    assert df.dtypes == [("x", "bigint"), ("id", "bigint")]
    assert len({row.id for row in df.collect()}) == 10


def test_unique_numbers_differ_between_calls_and_begin_with_the_time(spark):
    before = time.time_ns() // 1000
    one, two = (spark.range(2).transform(add_identifier, "key", unique=True) for _ in range(2))
    keys = [row.key for row in [*one.collect(), *two.collect()]]
    assert len(set(keys)) == 4
    assert one.dtypes[1] == ("key", "decimal(38,0)")
    assert all(before <= key // Decimal(10**19) <= time.time_ns() // 1000 for key in keys)
