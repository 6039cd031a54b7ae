"""Files go only where readers see all of them: by the folders that the table has, whole, and on its own disk."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from birchtar.lake.errors import LakeError
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink
from birchtar.lake.write import clean, publish, stage

MONTHS = "SELECT * FROM VALUES (1, 1, '01'), (2, 2, '02') AS t(id, month, word)"


@pytest.fixture
def store(spark, tmp_path):
    """Writes a table as a run does, each time as a run of its own."""
    numbers = iter(range(1, 100))

    def write(df, path: Path = tmp_path / "lake/table", run: int | None = None, **settings) -> Path:
        path.parent.mkdir(exist_ok=True)
        sink = Sink(path=str(path), **({"format": "parquet", "mode": "append"} | settings))
        staged = stage(df, sink, f"file:{path}", Label("test", path.name, run or next(numbers)))
        publish(spark, staged.plan)
        clean(spark, staged.plan)
        return path

    return write


@pytest.mark.parametrize("kind", ["avro", "csv", "json", "orc", "parquet"])
@pytest.mark.parametrize(
    ("first", "then", "says"),
    [
        (["month"], [], "partitioned by `month`, and the output says nothing"),
        ([], ["month"], "partitioned by nothing, and the output says `month`"),
        (["month"], ["month", "id"], "partitioned by `month`, and the output says `month`, `id`"),
        (["month", "id"], ["id", "month"], "partitioned by `month`, `id`, and the output says `id`, `month`"),
    ],
)
def test_rows_are_not_added_by_other_folders(spark, store, kind, first, then, says):
    df = spark.sql(MONTHS)
    path = store(df, format=kind, partition_by=first)
    before = sorted(path.rglob("*"))
    with pytest.raises(LakeError, match=says):
        store(df, format=kind, partition_by=then)
    assert sorted(path.rglob("*")) == before
    assert sorted(path.parent.iterdir()) == [path]
    store(df, format=kind, partition_by=then, mode="overwrite")
    assert spark.read.format(kind).option("header", True).load(str(path)).count() == 2


def test_names_of_folders_are_told_apart_by_case_and_read_as_they_are_meant(spark, store):
    df = spark.sql(MONTHS).withColumnRenamed("month", "a=b%c")
    store(df, partition_by=["a=b%c"])
    store(df, partition_by=["a=b%c"])
    with pytest.raises(LakeError, match="partitioned by `a=b%c`, and the output says `A=b%c`"):
        store(df.withColumnRenamed("a=b%c", "A=b%c"), partition_by=["A=b%c"])


def test_a_partition_is_not_replaced_by_another_text_of_its_value(spark, store):
    df = spark.sql(MONTHS)
    path = store(df.select("id", F.col("word").alias("month")), partition_by=["month"])
    with pytest.raises(LakeError, match="the table has the partition month=01, and the new rows are of month=1, which"):
        store(df.select("id", "month"), partition_by=["month"], mode="overwrite_partitions")
    assert sorted(folder.name for folder in path.iterdir()) == ["month=01", "month=02"]
    store(df.select("id", F.col("word").alias("month")), partition_by=["month"], mode="overwrite_partitions")
    assert spark.read.parquet(str(path)).count() == 2


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_table_behind_a_link_stays_there(spark, store, tmp_path, mode):
    (tmp_path / "disk").mkdir()
    (tmp_path / "lake").mkdir()
    link = tmp_path / "lake/table"
    link.symlink_to(tmp_path / "disk/table")
    df = spark.sql(MONTHS)
    for _ in range(2):
        store(df, link, mode=mode)
    assert link.is_symlink()
    assert sorted(tmp_path.joinpath("lake").iterdir()) == [link]
    assert spark.read.parquet(str(tmp_path / "disk/table")).count() == (4 if mode == "append" else 2)
    assert sorted(each.name for each in (tmp_path / "disk").iterdir()) == ["table"]


@pytest.mark.skipif(
    not (Path("/dev/shm").is_mount() and os.access("/dev", os.W_OK)),
    reason="There is no second disk on this machine, or only root may write beside it.",
)
def test_a_folder_that_is_a_disk_of_its_own_is_refused(spark, store):
    with pytest.raises(LakeError, match=r"a mount point.*Let the output be a folder in it"):
        store(spark.sql(MONTHS), Path("/dev/shm"))
    assert not list(Path("/dev").glob(".*probe*"))


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_texts_of_times_keep_their_microseconds(spark, store, kind):
    times = "SELECT TIMESTAMP'2024-06-01 23:59:59.123456' AS at, TIMESTAMP_NTZ'2024-06-01 23:59:59.000001' AS local"
    path = store(spark.sql(times), format=kind)
    (file,) = path.glob(f"part-*.{kind}")
    assert "2024-06-01T23:59:59.123456Z" in file.read_text()
    assert "2024-06-01T23:59:59.000001" in file.read_text()
    path = store(spark.sql(times), path.parent / "own", format=kind, options={"timestampFormat": "yyyy"})
    (file,) = path.glob(f"part-*.{kind}")
    assert "2024-06-01T23:59:59.123456Z" not in file.read_text()


def test_tables_of_one_folder_are_written_side_by_side(spark, store, tmp_path):
    df = spark.sql(MONTHS)
    paths = [tmp_path / "lake" / str(number) for number in range(8)]
    for run in (1, 2):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(partial(store, df, run=run), paths))
    assert [spark.read.parquet(str(path)).count() for path in paths] == [4] * 8
    assert sorted(tmp_path.joinpath("lake").iterdir()) == paths
