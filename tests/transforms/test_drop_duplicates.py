"""drop_duplicates: what is equal, and which row stays."""

import math

import pytest
from pyspark.sql import functions as F

from transforms.drop_duplicates import drop_duplicates
from transforms.errors import ColumnTypeError, MissingColumnError, TransformError


@pytest.fixture
def versions(spark):
    rows = [(1, 1, "a"), (1, 3, "b"), (1, None, "c"), (None, 2, "d"), (None, 1, "e"), (1, 1, "a")]
    return spark.createDataFrame(rows, "id INT, version INT, text STRING")


def test_whole_rows(versions):
    rows = versions.transform(drop_duplicates).sort("text").collect()
    assert rows == [(1, 1, "a"), (1, 3, "b"), (1, None, "c"), (None, 2, "d"), (None, 1, "e")]


def test_one_row_of_each_key_stays_whole_and_null_keys_are_equal(versions):
    rows = versions.transform(drop_duplicates, "id").collect()
    assert sorted(row.id or 0 for row in rows) == [0, 1]
    assert set(rows) <= set(versions.collect())


@pytest.mark.parametrize(
    ("keep", "texts"), [pytest.param("first", ["a", "e"], id="first"), pytest.param("last", ["b", "d"], id="last")]
)
def test_the_order_says_which_one_and_a_null_loses(versions, keep, texts):
    kept = versions.transform(drop_duplicates, ["id"], order_by=["version", "text"], keep=keep)
    assert kept.schema == versions.schema
    assert sorted(row.text for row in kept.collect()) == texts


def test_maps_nan_and_case(spark):
    df = spark.createDataFrame([(math.nan,), (math.nan,), (-0.0,), (0.0,)], "x DOUBLE")
    assert df.transform(drop_duplicates).count() == 2
    assert spark.sql("SELECT * FROM VALUES ('a'), ('A')").transform(drop_duplicates).count() == 2
    maps = spark.sql(
        "SELECT named_struct('m', map('a', array(map(1, 'x', 2, 'y')), 'b', null)) AS s, 1 AS `x.y` UNION ALL"
        " SELECT named_struct('m', map('b', null, 'a', array(map(2, 'y', 1, 'x')))), 1 UNION ALL"
        " SELECT named_struct('m', map('b', null)), 1 UNION ALL SELECT null, 1 UNION ALL SELECT null, 1"
    )
    assert maps.transform(drop_duplicates).count() == 3
    assert maps.transform(drop_duplicates, ["s.m", "`x.y`"]).schema == maps.schema
    assert maps.transform(drop_duplicates, ["s.m", "`x.y`"]).count() == 3


def test_twin_names_many_columns_and_none(spark):
    twins = spark.sql("SELECT 1 AS id, 2 AS Id, 3 AS id")
    assert twins.transform(drop_duplicates).columns == ["id", "Id", "id"]
    wide = spark.range(2).select(*(F.lit(number).alias(f"c {number}") for number in range(500)))
    assert wide.transform(drop_duplicates).count() == 1
    assert spark.range(3).select().transform(drop_duplicates).count() == 1
    assert spark.range(0).transform(drop_duplicates, "id").collect() == []


def test_wrong_arguments_are_told(versions, spark):
    with pytest.raises(MissingColumnError, match="Did you mean `id`"):
        versions.transform(drop_duplicates, "ID")
    with pytest.raises(TransformError, match="at least one key"):
        versions.transform(drop_duplicates, [])
    with pytest.raises(TransformError, match="say `order_by`"):
        versions.transform(drop_duplicates, "id", keep="last")
    with pytest.raises(TransformError, match="cannot keep 'any'"):
        versions.transform(drop_duplicates, "id", keep="any")
    with pytest.raises(ColumnTypeError, match="`v` is or holds a variant"):
        spark.sql("SELECT parse_json('1') AS v").transform(drop_duplicates)
    spans = spark.sql("SELECT 1 AS id, make_interval(0, 1, 0, 3) AS span")
    for arguments in ({"keys": "id", "order_by": "span"}, {"keys": "span", "order_by": "id"}):
        with pytest.raises(ColumnTypeError, match="`span` is or holds an interval of months and days"):
            spans.transform(drop_duplicates, **arguments)
    assert spans.transform(drop_duplicates, "span").count() == 1
