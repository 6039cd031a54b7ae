"""to_timestamp: numbers that count from 1970 and ISO texts."""

import pytest

from transforms.errors import ColumnTypeError, TransformError
from transforms.to_timestamp import to_timestamp

FIVE = "2013-01-01 05:17:00"


def _times(df, *arguments):
    return [row[0] for row in df.transform(to_timestamp, *arguments).selectExpr("CAST(at AS STRING)").collect()]


@pytest.mark.parametrize(
    ("unit", "number"), [("seconds", 1357017420), ("milliseconds", 1357017420000), ("microseconds", 1357017420000000)]
)
def test_numbers_count_in_their_unit_or_by_their_size(spark, unit, number):
    numbers = spark.createDataFrame([(number,), (None,), (2**63 - 1,), (-(2**63),)], "at BIGINT")
    texts = numbers.selectExpr("CAST(at AS STRING) AS at")
    for df in (numbers, texts):
        assert _times(df, "at", unit) == [FIVE, None, None, None]
        assert _times(df, "at")[:2] == [FIVE, None]


def test_fractions_count(spark):
    df = spark.createDataFrame([("1.5",), ("-0.25",), ("NaN",), ("1e400",)], "at STRING")
    assert _times(df, "at", "seconds") == ["1970-01-01 00:00:01.5", "1969-12-31 23:59:59.75", None, None]
    assert _times(df.selectExpr("CAST(at AS DOUBLE) AS at"), "at", "seconds")[:3] == [
        "1970-01-01 00:00:01.5",
        "1969-12-31 23:59:59.75",
        None,
    ]


def test_iso_texts(spark):
    rows = [("2013-01-01T05:17:00Z",), ("2013-01-01T06:17:00+01:00",), ("2013-01-01 05:17",), ("2013-01-01",), ("x",)]
    df = spark.createDataFrame(rows, "at STRING")
    assert _times(df, "at", "iso") == _times(df, "at") == [FIVE, FIVE, FIVE, "2013-01-01 00:00:00", None]
    assert _times(df, "at", "seconds") == [None] * 5


def test_a_time_without_a_date_is_none(spark):
    df = spark.createDataFrame([("10:11:12",), ("T10:11",), (" 9:30",), (FIVE,)], "at STRING")
    assert _times(df, "at") == _times(df, "at", "iso") == [None, None, None, FIVE]


def test_a_new_column_and_types(spark):
    df = spark.sql("SELECT named_struct('day', DATE '2013-01-02') AS s, 1.5BD AS `at.x`")
    assert df.transform(to_timestamp, "s.day", new_column="t").dtypes[2] == ("t", "timestamp")
    assert df.transform(to_timestamp, "`at.x`").dtypes[1] == ("at.x", "timestamp")


def test_wrong_arguments_are_told(spark):
    df = spark.sql("SELECT 1 AS n, array(1) AS a")
    with pytest.raises(TransformError, match="no unit 'second'. Did you mean `seconds`"):
        df.transform(to_timestamp, "n", "second")
    with pytest.raises(ColumnTypeError, match="`a` is of type array<int>"):
        df.transform(to_timestamp, "a")
    with pytest.raises(ColumnTypeError, match="`n` is of type int, which is not read as iso"):
        df.transform(to_timestamp, "n", "iso")


@pytest.mark.parametrize("unit", ["iso", "autodetect"])
def test_years_that_python_does_not_have(spark, unit):
    texts = ["9999-12-31T23:59:59Z", "10000-01-01", "+123456-01-01", "0001-01-03", "0000-12-31"]
    df = spark.createDataFrame([(text,) for text in texts], "at STRING")
    found = [row.at for row in df.transform(to_timestamp, "at", unit).collect()]
    assert [at and at.year for at in found] == [9999, None, None, 1, None]
