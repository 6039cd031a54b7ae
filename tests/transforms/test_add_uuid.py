"""add_uuid: 36 characters, another for each row."""

from uuid import UUID

from transforms.add_uuid import add_uuid


def test_each_row_gets_another(spark):
    rows = spark.range(5).transform(add_uuid).collect()
    assert len({UUID(row.uuid) for row in rows}) == 5
    assert {len(row.uuid) for row in rows} == {36}


def test_a_column_can_be_replaced_and_empty_frames_stay_empty(spark):
    df = spark.range(0).selectExpr("1 AS `a.b`", "id AS x").transform(add_uuid, "a.b")
    assert df.dtypes == [("a.b", "string"), ("x", "bigint")]
    assert df.collect() == []
