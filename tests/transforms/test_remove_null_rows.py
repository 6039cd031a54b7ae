"""remove_null_rows: what counts as nothing."""

import math

import pytest
from pyspark.sql import functions as F

from transforms.remove_null_rows import remove_null_rows


@pytest.fixture
def rows(spark):
    rows = [
        (1, None, None, None, None),
        (None, "", [], {}, None),
        (None, " ", None, None, None),
        (None, None, None, None, None),
        (None, None, None, None, math.nan),
        (None, None, [None], None, None),
    ]
    return spark.createDataFrame(rows, "`a.b` INT, s STRING, a ARRAY<INT>, m MAP<STRING, INT>, x DOUBLE")


def test_rows_of_nulls_go(rows):
    kept = rows.transform(remove_null_rows)
    assert kept.count() == 5
    assert kept.schema == rows.schema


def test_extended_takes_empty_values_for_null(rows):
    assert [row[1:4] for row in rows.transform(remove_null_rows, extended=True).collect()] == [
        (None, None, None),
        (" ", None, None),
        (None, None, None),
        (None, [None], None),
    ]


def test_structs_without_fields_no_columns_and_many(spark):
    empty = spark.sql("SELECT named_struct() AS e")
    assert empty.transform(remove_null_rows).count() == 1
    assert empty.transform(remove_null_rows, extended=True).collect() == []
    assert spark.range(2).select().transform(remove_null_rows).count() == 2
    wide = spark.range(2).select(*(F.when(F.col("id") > 0, 1).alias(f"c {number}") for number in range(2000)))
    assert wide.transform(remove_null_rows).count() == 1
