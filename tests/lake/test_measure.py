"""Rows and bytes of a source, without reading its rows."""

import pytest

from birchtar.lake.measure import count_stored, size_of
from birchtar.lake.source import Source


@pytest.mark.parametrize("kind", ["parquet", "orc", "delta"])
def test_stored_rows_are_counted(spark, tmp_path, kind):
    spark.range(1000).write.format(kind).save(str(tmp_path / "t"))
    assert count_stored(spark, Source(path=str(tmp_path / "t"), format=kind)) == 1000


def test_bytes_are_those_of_the_files_that_are_read(spark, tmp_path):
    folder = tmp_path / "a b+c%20é"
    (folder / "day=1").mkdir(parents=True)
    (folder / "day=1" / "x y.csv").write_bytes(b"12345")
    (folder / "day=1" / "z.csv").write_bytes(b"123")
    (folder / "day=1" / "_hidden").write_bytes(b"12345678")
    assert size_of(spark, Source(path=str(folder), format="csv", schema="a INT")) == 8
    assert size_of(spark, Source(path=f"{folder}/day=1/x*.csv", format="json")) == 5


def test_bytes_of_a_delta_table_are_those_of_its_newest_version(spark, tmp_path):
    path = tmp_path / "t"
    spark.range(1000).coalesce(1).write.format("delta").save(str(path))
    [old] = path.glob("*.parquet")
    spark.range(10).coalesce(1).write.format("delta").mode("overwrite").save(str(path))
    [new] = set(path.glob("*.parquet")) - {old}
    assert size_of(spark, Source(path=str(path), format="delta")) == new.stat().st_size
