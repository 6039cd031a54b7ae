"""Staged rows are seen by nobody until they are published, and are then published once, by whichever process."""

import json
import os
import subprocess
import sys

import pytest
from deltalake import DeltaTable
from own_java import SHORT_JAVA

from birchtar.lake.delta import discard
from birchtar.lake.errors import LakeError

COLUMNS = "id INT, day INT, worth DOUBLE"


def days(spark, *rows):
    return spark.createDataFrame(list(rows), COLUMNS).coalesce(1)


def test_nobody_sees_what_is_staged_until_it_is_published(spark, table):
    staged = table.stage(days(spark, (1, 10, 1.5), (2, 20, 2.5)), 1, mode="append", partition_by=["day"])
    assert (staged.rows, staged.files) == (2, 2)
    assert not DeltaTable.is_deltatable(str(table.folder))
    published = table.publish(staged.plan, 1, staged, mode="append", partition_by=["day"])
    assert table.rows("id", "day", "worth") == [(1, 10, 1.5), (2, 20, 2.5)]
    assert (published.files, published.version, published.retries) == (2, 0, 0)
    assert published.bytes == sum((table.folder / name).stat().st_size for name in table.data_files())
    assert table.beside() == ["table"]


OVERWRITES = [
    pytest.param({"mode": "append"}, [(1, 10), (2, 20), (3, 10), (4, 10)], id="append"),
    pytest.param({"mode": "overwrite"}, [(3, 10), (4, 10)], id="overwrite"),
    pytest.param({"mode": "overwrite_partitions"}, [(2, 20), (3, 10), (4, 10)], id="partitions"),
    pytest.param({"replace_where": "day = 10"}, [(2, 20), (3, 10), (4, 10)], id="where partition"),
    pytest.param({"replace_where": "id > 1 OR day = 10"}, [(3, 10), (4, 10)], id="where rows"),
]


@pytest.mark.parametrize("by_plan", [pytest.param(False, id="same process"), pytest.param(True, id="plan alone")])
@pytest.mark.parametrize(("settings", "expected"), OVERWRITES)
def test_every_mode_in_the_same_process_and_by_its_plan_alone(spark, table, settings, expected, by_plan):
    settings = settings | {"partition_by": ["day"]}
    table.write(days(spark, (1, 10, 1.0), (2, 20, None)), 1, **settings | {"replace_where": None, "mode": "append"})
    staged = table.stage(days(spark, (3, 10, None), (4, 10, 4.0)), 2, **settings)
    assert table.version() == 0
    plan = json.loads(json.dumps(staged.plan))
    published = table.publish(plan, 2, None if by_plan else staged, **settings)
    assert table.rows("id", "day") == expected
    assert (published.version, published.inserted, published.files) == (1, 2, 1)
    again = table.publish(plan, 2, **settings)
    assert again.skipped
    assert table.version() == 1
    committed = {action["path"] for version in (0, 1) for action in adds(table, version)}
    assert table.data_files() == committed  # nothing staged is left over


def adds(table, version):
    text = (table.folder / "_delta_log" / f"{version:020d}.json").read_text()
    return [action["add"] for action in map(json.loads, text.splitlines()) if "add" in action]


def test_rows_that_a_plan_brings_back_are_the_rows_that_were_staged(spark, table):
    df = spark.sql(
        """SELECT * FROM VALUES
        (1, 'a b', TIMESTAMP '2020-01-01 01:00:00.5', DATE '1969-12-31', 1.50BD, ARRAY(STRUCT(1 AS x)), MAP('k', 1)),
        (2, 'c/d=%{x}*', NULL, DATE '2020-02-29', -0.05BD, NULL, NULL),
        (3, NULL, TIMESTAMP '1500-01-01 00:00:00', NULL, NULL, ARRAY(), MAP())
        AS t(id, text, at, day, worth, list, map)"""
    )
    expected = sorted(map(str, df.collect()))
    settings = {"mode": "append", "partition_by": ["text", "at", "day", "worth"]}
    staged = table.stage(df, 1, **settings)
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        table.publish(staged.plan, 1, **settings)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    read = spark.read.format("delta").load(table.path)
    assert read.dtypes == df.dtypes
    assert sorted(map(str, read.select(df.columns).collect())) == expected


def test_no_rows_make_no_version_but_the_first_makes_the_empty_table_once(spark, table):
    none = days(spark)
    assert table.write(none, 1, mode="append").version == 0
    assert table.write(none, 2, mode="append").version is None
    assert table.write(none, 3).version is None
    assert table.version() == 0
    assert table.rows() == []
    assert [field.name for field in table.other().schema().fields] == ["id", "day", "worth"]
    assert table.write(days(spark, (1, 1, 1.0)), 4).version == 1
    assert table.write(none, 5).version == 2
    assert table.rows() == []


def test_a_write_that_another_ones_commit_thwarts_is_done_anew(spark, table):
    table.write(days(spark, (1, 10, 1.0)), 1)
    staged = table.stage(days(spark, (2, 20, 2.0)), 2)
    spark.createDataFrame([(9, 90, 9.0)], COLUMNS).write.format("delta").mode("append").save(table.path)
    published = table.publish(staged.plan, 2, staged)
    assert published.retries == 1
    assert table.rows("id") == [(2,)]
    assert table.data_files().isdisjoint({file["path"] for file in staged.plan["files"]})


def test_an_append_starts_one_job_however_long_the_log_is(spark, table):
    table.write(spark.range(3), 1, mode="append")
    assert [table.jobs_of_write(spark.range(3), run, mode="append") for run in (2, 3)] == [1, 1]


def test_what_a_failed_run_staged_is_discarded_and_nothing_else(spark, table):
    table.write(days(spark, (1, 10, 1.0)), 1, mode="append")
    before = table.data_files()
    staged = table.stage(days(spark, (2, 20, 2.0)), 2, mode="append")
    assert table.data_files() > before
    discard(spark, staged.plan)
    discard(spark, staged.plan)
    assert table.data_files() == before
    kept = table.stage(days(spark, (2, 20, 2.0)), 2, mode="append")
    table.publish(kept.plan, 2, kept, mode="append")
    table.write(days(spark, (3, 30, 3.0)), 3)
    discard(spark, kept.plan)
    assert DeltaTable(str(table.folder), version=1).to_pyarrow_table().num_rows == 2


def test_a_table_whose_files_are_not_plain_parquet_gets_its_rows_from_a_hidden_folder(spark, table):
    spark.sql(
        f"CREATE TABLE delta.`{table.folder}` (id INT, `a b` STRING) USING delta"
        " TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"
    )
    df = spark.createDataFrame([(1, "x"), (2, None)], "id INT, `a b` STRING").coalesce(1)
    staged = table.stage(df, 1, mode="append")
    assert table.data_files() == set()
    assert [name.startswith(".table.") for name in table.beside()] == [True, False]
    published = table.publish(staged.plan, 1, staged, mode="append")
    assert published.inserted == 2
    assert sorted(map(tuple, spark.read.format("delta").load(table.path).collect())) == [(1, "x"), (2, None)]
    assert table.beside() == ["table"]
    discarded = table.stage(df, 2, mode="append")
    discard(spark, discarded.plan)
    assert table.beside() == ["table"]


def test_two_jobs_of_one_session_stage_side_by_side(spark, table):
    table.write(days(spark, (1, 10, 1.0)), 1, mode="append")
    staged = [table.stage(days(spark, (run, 10, 1.0)), run, mode="append") for run in (2, 3)]
    versions = [
        table.publish(each.plan, run, each, mode="append").version for run, each in zip((2, 3), staged, strict=True)
    ]
    assert versions == [1, 2]
    assert table.rows("id") == [(1,), (2,), (3,)]


def test_a_run_number_that_the_table_has_seen_is_refused_before_anything_is_written(spark, table):
    table.write(days(spark, (1, 10, 1.0)), 7, mode="append")
    before = table.data_files()
    with pytest.raises(LakeError, match="state database"):
        table.stage(days(spark, (2, 20, 2.0)), 1, mode="append")
    assert table.data_files() == before


def test_a_process_that_died_before_the_first_commit_leaves_no_table(spark, table):
    (table.folder / "_delta_log").mkdir(parents=True)
    (table.folder / "_delta_log" / ".birchtar.lock").touch()
    (table.folder / "part-0.parquet").write_bytes(b"half a file")
    table.write(days(spark, (1, 10, 1.0)), 1, mode="append")
    assert table.rows("id") == [(1,)]


def test_delta_keeps_the_tables_own_rules(spark, table):
    table.write(days(spark, (1, 10, 1.0)), 1, mode="append")
    spark.sql(f"ALTER TABLE delta.`{table.folder}` ADD CONSTRAINT positive CHECK (worth > 0)")
    with pytest.raises(Exception, match=r"(?i)constraint"):
        table.stage(days(spark, (2, 20, -2.0)), 2, mode="append")
    assert table.rows("id") == [(1,)]


def test_a_new_table_keeps_its_rows_clustered(spark, table):
    table.write(days(spark, (1, 10, 1.0)), 1, mode="append", cluster_by=["day"])
    table.write(days(spark, (2, 20, 2.0)), 2, mode="append", cluster_by=["day"])
    (detail,) = spark.sql(f"DESCRIBE DETAIL delta.`{table.folder}`").collect()
    assert detail["clusteringColumns"] == ["day"]
    assert table.rows("id") == [(1,), (2,)]


APPENDER = """
import sys
from birchtar.lake.delta import publish, stage
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink
from birchtar.runner.session import start
folder, number = sys.argv[1], int(sys.argv[2])
spark = start("local")
sink, path = Sink(path=folder, format="delta", mode="append"), f"file:{folder}"
for run in (1, 2):
    label = Label(f"job{number}", "out", run)
    staged = stage(spark.range(10 * number + run, 10 * number + run + 1).coalesce(1), sink, path, label)
    publish(spark, sink, path, label, staged.plan, staged)
"""


def test_eight_processes_append_to_one_table_at_once_and_no_row_is_lost(tmp_path):
    command = [sys.executable, "-c", APPENDER, str(tmp_path / "table")]
    how = {"env": os.environ | SHORT_JAVA, "stderr": subprocess.PIPE}
    running = [subprocess.Popen([*command, str(number)], **how) for number in range(8)]
    errors = [process.communicate(timeout=500)[1].decode()[-2000:] for process in running]
    assert [process.returncode for process in running] == [0] * 8, errors
    table = DeltaTable(str(tmp_path / "table"))
    rows = table.to_pyarrow_table()["id"].to_pylist()
    assert sorted(rows) == sorted(10 * number + run for number in range(8) for run in (1, 2))
    assert table.version() == 15


def test_a_process_that_wakes_up_after_another_has_published_its_run_adds_nothing(spark, table):
    table.write(spark.range(2), 1, mode="append")
    staged = table.stage(spark.range(2, 4), 2, mode="append")
    assert not table.publish(staged.plan, 2, mode="append").skipped
    with pytest.raises(Exception, match="(?i)concurrent"):
        staged.pending.commit()
    assert table.rows("id") == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("condition", ["day = 10 AND 1 = 0", "id IS NULL", "false"])
def test_rows_are_outside_a_condition_that_spark_knows_to_be_never_true(spark, table, condition):
    df = days(spark, (1, 10, 1.0), (2, 20, None)).na.fill({"id": 0, "day": 0})
    table.write(df, 1, mode="append")
    with pytest.raises(LakeError, match="for 2 of the new rows"):
        table.write(df, 2, mode="overwrite", replace_where=condition)
    assert len(table.rows()) == 2


def test_a_folder_s_column_of_another_case_is_read_back_from_the_plan(spark, table):
    table.write(days(spark, (1, 10, 1.0)).withColumnRenamed("day", "Day"), 1, mode="append", partition_by=["Day"])
    staged = table.stage(days(spark, (2, 20, 2.0)), 2, mode="append")
    table.publish(staged.plan, 2, mode="append")
    assert table.rows("id", "Day") == [(1, 10), (2, 20)]
