"""Rows of other columns are not added to a table that is there."""

import duckdb
import pytest

from birchtar.lake.errors import LakeError
from birchtar.lake.sink import Sink


@pytest.mark.parametrize("kind", ["parquet", "orc", "avro", "delta"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("SELECT 1 AS id, 'x' AS name, 2 AS extra", "`extra` is new", id="one more"),
        pytest.param("SELECT 1 AS id, 2 AS name", "`name` is string there and int here", id="another type"),
    ],
)
def test_new_columns_and_other_types_are_refused(spark, tmp_path, write, kind: str, query: str, said: str):
    path = f"{tmp_path}/t"
    write(spark.sql("SELECT 1 AS id, 'x' AS name"), Sink(path=path, format=kind), path)
    with pytest.raises(LakeError, match=f"The table {path} has other columns: {said}. Select what fits"):
        write(spark.sql(query), Sink(path=path, format=kind, mode="append"), path)
    assert spark.read.format(kind).load(path).count() == 1


def test_a_missing_column_is_null_in_delta_and_refused_elsewhere(spark, tmp_path, write):
    for kind in ("delta", "parquet"):
        path = f"{tmp_path}/{kind}"
        write(spark.sql("SELECT 1 AS id, 'x' AS name"), Sink(path=path, format=kind), path)
    less = spark.sql("SELECT 2 AS id")
    write(less, Sink(path=f"{tmp_path}/delta", format="delta", mode="append"), f"{tmp_path}/delta")
    assert sorted(map(tuple, spark.read.format("delta").load(f"{tmp_path}/delta").collect())) == [(1, "x"), (2, None)]
    with pytest.raises(LakeError, match="`name` is missing here"):
        write(less, Sink(path=f"{tmp_path}/parquet", format="parquet", mode="append"), f"{tmp_path}/parquet")


def test_partitions_are_compared_by_name_alone(spark, tmp_path, write):
    path = f"{tmp_path}/t"
    sink = Sink(path=path, format="parquet", mode="append", partition_by=["day"])
    write(spark.sql("SELECT 1 AS id, '2013-01-01' AS day"), sink, path)
    write(spark.sql("SELECT 2 AS id, '2013-01-02' AS day"), sink, path)
    assert duckdb.sql(f"SELECT count(*) FROM '{path}/*/*.parquet'").fetchall() == [(2,)]
