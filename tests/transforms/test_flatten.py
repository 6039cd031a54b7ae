"""flatten and unnest: which columns come of structs, and what stays nested."""

import pytest
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from transforms.cast_fields import cast_fields
from transforms.errors import DuplicateColumnError, TransformError
from transforms.flatten import flatten
from transforms.rejects import accepted
from transforms.unnest import unnest


@pytest.fixture
def people(spark):
    home = "STRUCT<zip: STRING, geo: STRUCT<lat: INT, `l.n`: INT>>"
    schema = f"id INT, home {home}, pets ARRAY<STRUCT<name: STRING>>, m MAP<STRING, STRUCT<a: INT>>"
    rows = [(1, ("10", (5, 6)), [("Rex",)], {"k": (1,)}), (2, ("20", None), [], {}), (2, None, None, None)]
    return spark.createDataFrame(rows, schema)


FLAT = ["id", "home.zip", "home.geo.lat", "home.geo.l.n", "pets", "m"]
ROWS = [(1, "10", 5, 6, [("Rex",)], {"k": (1,)}), (2, "20", None, None, [], {}), (2, None, None, None, None, None)]


def test_structs_become_columns_at_all_depths(people):
    flat = people.transform(unnest)
    assert flat.columns == FLAT
    assert flat.collect() == ROWS
    assert people.transform(flatten).collect() == ROWS


@pytest.mark.parametrize(
    ("levels", "columns"),
    [
        (0, ["id", "home", "pets", "m"]),
        (1, ["id", "home.zip", "home.geo", "pets", "m"]),
        (2, FLAT),
        (9, FLAT),
    ],
)
def test_so_many_levels(people, levels, columns):
    assert people.transform(flatten, levels).columns == columns


def test_a_negative_number_of_levels_is_refused(people):
    with pytest.raises(TransformError, match="not negative, got -1"):
        people.transform(flatten, -1)


def test_a_flat_or_empty_frame(people):
    assert people.select("id").transform(unnest).collect() == [(1,), (2,), (2,)]
    assert people.limit(0).transform(unnest).collect() == []


def test_structs_without_fields_give_no_column(spark):
    assert spark.sql("SELECT named_struct() AS e, named_struct('f', named_struct()) AS s, 1 AS x").transform(
        unnest
    ).collect() == [(1,)]


def test_names_that_meet_are_refused_but_twins_are_not(spark):
    with pytest.raises(DuplicateColumnError, match=r"The fields `a.b` and a.b would both become the column `a.b`"):
        spark.sql("SELECT 1 AS `a.b`, named_struct('b', 2) AS a").transform(unnest)
    twins = spark.sql("SELECT named_struct('id', 1, 'Id', named_struct('x', 2, 'X', 3)) AS s, 4 AS `S.id`")
    assert twins.transform(unnest).columns == ["s.id", "s.Id.x", "s.Id.X", "S.id"]
    assert twins.transform(unnest).collect() == [(1, 2, 3, 4)]
    assert spark.sql("SELECT 1 AS a, 2 AS a").transform(unnest).collect() == [(1, 2)]


def test_the_errors_of_rejected_rows_stay_as_they_are(spark):
    df = spark.sql("SELECT named_struct('a', 1) AS s").transform(cast_fields, {"s.a": "string"}, misfits="reject")
    assert df.transform(unnest).columns == ["s.a", "_error"]
    assert df.transform(unnest).transform(accepted).collect() == [("1",)]


def test_types_nullability_and_metadata_stay_and_choices_are_kept(spark):
    choice = StructType([StructField("int", IntegerType()), StructField("string", StringType())])
    inner = StructType(
        [StructField("a", IntegerType(), False, {"m": 1}), StructField("c", choice, True, {"choice": [""]})]
    )
    schema = StructType([StructField("s", inner, False, {"n": 1}), StructField("c", choice, False, {"choice": [""]})])
    assert spark.createDataFrame([], schema).transform(unnest).schema == StructType(
        [
            StructField("s.a", IntegerType(), False, {"m": 1}),
            StructField("s.c", choice, True, {"choice": [""]}),
            StructField("c", choice, False, {"choice": [""]}),
        ]
    )


def test_a_file_is_read_without_what_is_not_used(spark, people, tmp_path, capsys):
    path = str(tmp_path / "people")
    people.write.parquet(path)
    capsys.readouterr()
    spark.read.parquet(path).transform(unnest).select("`home.geo.lat`").explain(mode="formatted")
    assert "ReadSchema: struct<home:struct<geo:struct<lat:int>>>" in capsys.readouterr().out
