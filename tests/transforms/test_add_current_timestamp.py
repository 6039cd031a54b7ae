"""add_current_timestamp: a time, or a text of it."""

from datetime import UTC, datetime, timedelta

import pytest

from transforms.add_current_timestamp import add_current_timestamp
from transforms.errors import TransformError


def test_all_rows_have_the_time_of_the_computation(spark):
    rows = spark.range(3).transform(add_current_timestamp).selectExpr("id", "unix_seconds(timestamp) AS at").collect()
    assert len({row.at for row in rows}) == 1
    assert abs(rows[0].at - datetime.now(UTC).timestamp()) < timedelta(minutes=5).total_seconds()


@pytest.mark.parametrize("pattern", ["yyyy-MM", "%Y-%m"])
def test_with_a_pattern_it_is_a_text(spark, pattern):
    df = spark.range(1).transform(add_current_timestamp, "id", pattern=pattern)
    assert df.dtypes == [("id", "string")]
    assert df.collect()[0].id[:3] == "202"


def test_a_wrong_pattern_is_told(spark):
    with pytest.raises(TransformError, match="add_current_timestamp, `pattern`: the code '%Q' is not known"):
        spark.range(1).transform(add_current_timestamp, pattern="%Q")
