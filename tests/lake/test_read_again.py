"""Rejected records are read again with the columns that stand in their files' paths."""

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql.types import StructType

from birchtar.lake.read_again import read_again
from birchtar.lake.source import Source


@pytest.mark.parametrize(
    ("kind", "folder", "expected"),
    [
        ("STRING", "a+b", "a+b"),
        ("STRING", "a%2Fb%25", "a/b%"),
        ("STRING", "100%", "100%"),
        ("STRING", "__HIVE_DEFAULT_PARTITION__", None),
        ("SMALLINT", "7", 7),
        ("DECIMAL(9,2)", "1.50", Decimal("1.50")),
        ("DATE", "2024-01-31", date(2024, 1, 31)),
        ("INT", "many", None),
    ],
)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_columns_of_folders_come_back_as_they_were(spark, form, kind, folder, expected):
    record = {"csv": '{"id":"1"}', "json": '{"id": 1}'}[form]
    rows = spark.createDataFrame(
        [("x", "CAST", record, f"/town=above/lake/day=9/town={folder}/x", None)],
        "id STRING, code STRING, record STRING, file STRING, position BIGINT",
    )
    schema = StructType.fromDDL(f"id INT, town {kind}, above STRING")
    more = {"header": False} if form == "csv" else {}
    source = Source(path="file:/town=above/lake", format=form, schema={"id": "INT"}, **more)
    (row,) = read_again(spark, source, rows, schema).collect()
    assert (row.id, row.town, row.above, row._error) == (1, expected, None, None)


def test_what_stands_above_the_input_is_no_column_of_its_own(spark):
    rows = spark.createDataFrame(
        [("x", "CAST", '{"id": 1, "town": null}', "/town=above/lake/x.json", None)],
        "id STRING, code STRING, record STRING, file STRING, position BIGINT",
    )
    source = Source(path="file:/town=above/lake", format="json", schema={"id": "INT", "town": "STRING"})
    (row,) = read_again(spark, source, rows, StructType.fromDDL("id INT, town STRING")).collect()
    assert (row.id, row.town) == (1, None)
