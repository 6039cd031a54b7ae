"""What a Delta table got since a version, in a table that both Spark and another writer add to."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from birchtar.lake.delta_changes import DeltaMark, UnreadableChangesError, newest, read_appended, read_changes
from birchtar.lake.errors import LakeError
from birchtar.lake.source import Source


@pytest.fixture
def source(tmp_path):
    return Source(path=str(tmp_path / "t"), format="delta")


def append(source, *numbers, **settings):
    write_deltalake(source.paths[0], pa.table({"n": list(numbers)}), mode="append", **settings)


def values(df):
    return sorted(row.n for row in df.collect())


def sql(spark, source, text):
    spark.sql(text.replace("TABLE_", f"delta.`{source.paths[0]}`"))


def test_the_first_run_reads_the_whole_table(spark, source):
    append(source, 1, 2)
    append(source, 3)
    assert values(read_appended(spark, source, None, newest(spark, source))) == [1, 2, 3]


def test_later_runs_read_what_was_appended_since(spark, source):
    append(source, 1, 2)
    first = newest(spark, source)
    append(source, 3)
    append(source, 4)
    second = newest(spark, source)
    append(source, 5)
    assert second == DeltaMark(first.table, 2)
    assert values(read_appended(spark, source, first, second)) == [3, 4]
    assert values(read_appended(spark, source, second, newest(spark, source))) == [5]


def test_without_a_new_version_there_are_columns_and_no_rows(spark, source):
    append(source, 1)
    mark = newest(spark, source)
    df = read_appended(spark, source, mark, mark)
    assert (df.columns, df.collect()) == (["n"], [])


def test_older_files_are_not_read(spark, source):
    append(source, 1)
    mark = newest(spark, source)
    for file in DeltaTable(source.paths[0]).file_uris():
        Path(file).unlink()
    append(source, 2)
    assert values(read_appended(spark, source, mark, newest(spark, source))) == [2]


def test_rows_that_are_laid_out_anew_are_no_change(spark, source):
    append(source, 1)
    append(source, 2)
    mark = newest(spark, source)
    append(source, 3)
    sql(spark, source, "OPTIMIZE TABLE_")
    append(source, 4)
    until = newest(spark, source)
    assert until.version == mark.version + 3
    assert values(read_appended(spark, source, mark, until)) == [3, 4]


def test_partitions_and_new_columns(spark, source):
    rows = pa.table({"n": [1, 2], "p": ["a b", "%"]})
    write_deltalake(source.paths[0], rows, partition_by=["p"])
    mark = newest(spark, source)
    more = pa.table({"n": [3, 4], "p": ["%", None], "new": [1.5, None]})
    write_deltalake(source.paths[0], more, mode="append", schema_mode="merge")
    df = read_appended(spark, source, mark, newest(spark, source))
    assert sorted(map(tuple, df.select("n", "p", "new").collect())) == [(3, "%", 1.5), (4, None, None)]


@pytest.mark.parametrize(
    ("change", "operation"),
    [
        pytest.param("DELETE FROM TABLE_ WHERE n = 1", "DELETE", id="deleted"),
        pytest.param("UPDATE TABLE_ SET n = 7 WHERE n = 1", "UPDATE", id="updated"),
        pytest.param("INSERT OVERWRITE TABLE_ VALUES (9)", "WRITE", id="overwritten"),
        pytest.param(
            "MERGE INTO TABLE_ t USING (SELECT 1 n) s ON t.n = s.n WHEN MATCHED THEN DELETE", "MERGE", id="merged"
        ),
        pytest.param("DELETE FROM TABLE_", "DELETE", id="emptied"),
    ],
)
def test_rows_that_were_deleted_or_replaced_stop_the_run(spark, source, change, operation):
    append(source, 1, 2)
    mark = newest(spark, source)
    append(source, 3)
    sql(spark, source, change)
    said = rf"/t: version 2 \({operation}\) deleted or replaced rows, .* `bookmark_by: changes`.* Reset the bookmark"
    with pytest.raises(UnreadableChangesError, match=said):
        read_appended(spark, source, mark, newest(spark, source))


def test_a_merge_that_only_inserts_is_an_append(spark, source):
    append(source, 1)
    mark = newest(spark, source)
    sql(spark, source, "MERGE INTO TABLE_ t USING (SELECT 5 n) s ON t.n = s.n WHEN NOT MATCHED THEN INSERT *")
    assert values(read_appended(spark, source, mark, newest(spark, source))) == [5]


def test_a_rerun_reads_the_same_rows_whatever_came_after(spark, source):
    append(source, 1)
    mark = newest(spark, source)
    append(source, 2)
    until = newest(spark, source)
    append(source, 3)
    sql(spark, source, "DELETE FROM TABLE_ WHERE n = 2")
    assert values(read_appended(spark, source, mark, until)) == [2]


def test_a_table_that_was_replaced_stops_the_run(spark, source, tmp_path):
    append(source, 1)
    mark = newest(spark, source)
    shutil.rmtree(source.paths[0])
    append(source, 2)
    append(source, 3)
    keep_feed(spark, source)
    for read in (read_appended, read_changes):
        with pytest.raises(UnreadableChangesError, match="another table than the one that was read up to version 0"):
            read(spark, source, mark, newest(spark, source))


def keep_feed(spark, source):
    sql(spark, source, "ALTER TABLE TABLE_ SET TBLPROPERTIES (delta.enableChangeDataFeed = true)")


def test_a_log_that_is_cleaned_up_stops_the_run(spark, source, tmp_path):
    append(source, 1)
    mark = newest(spark, source)
    append(source, 2)
    append(source, 3)
    until = newest(spark, source)
    DeltaTable(source.paths[0]).create_checkpoint()
    (tmp_path / "t" / "_delta_log" / f"{1:020}.json").unlink()
    with pytest.raises(UnreadableChangesError, match="version 1 was not read yet, and its log is cleaned up"):
        read_appended(spark, source, mark, until)


def test_a_folder_without_a_table_is_an_error(spark, source):
    with pytest.raises(LakeError, match="/t: there is no Delta table"):
        newest(spark, source)


@pytest.fixture
def fed(source):
    append(source, 1, 2, configuration={"delta.enableChangeDataFeed": "true"})
    return source


def changes(df):
    return sorted((row.n, row._change_type, row._commit_version) for row in df.collect())


def test_changes_are_told_one_by_one(spark, fed):
    mark = newest(spark, fed)
    sql(spark, fed, "UPDATE TABLE_ SET n = 10 WHERE n = 1")
    sql(spark, fed, "DELETE FROM TABLE_ WHERE n = 2")
    until = newest(spark, fed)
    sql(spark, fed, "INSERT INTO TABLE_ VALUES (99)")
    df = read_changes(spark, fed, mark, until)
    assert df.columns == ["n", "_change_type", "_commit_version", "_commit_timestamp"]
    assert changes(df) == [
        (1, "update_preimage", 1),
        (2, "delete", 2),
        (10, "update_postimage", 1),
    ]


def test_the_first_run_by_changes_gets_the_table_as_inserts(spark, fed):
    sql(spark, fed, "DELETE FROM TABLE_ WHERE n = 2")
    mark = newest(spark, fed)
    df = read_changes(spark, fed, None, mark)
    assert changes(df) == [(1, "insert", 1)]
    assert df.dtypes == read_changes(spark, fed, DeltaMark(mark.table, 0), mark).dtypes
    assert df.where("_commit_timestamp IS NULL").count() == 0
    assert read_changes(spark, fed, mark, mark).collect() == []


def test_a_table_without_a_feed_says_how_to_keep_one(spark, source):
    append(source, 1)
    said = r"/t: the table keeps no change data feed. ALTER TABLE delta.`file:/.*/t` SET TBLPROPERTIES"
    with pytest.raises(UnreadableChangesError, match=said):
        read_changes(spark, source, None, newest(spark, source))


def test_a_feed_that_began_too_late_stops_the_run(spark, source):
    append(source, 1)
    mark = newest(spark, source)
    append(source, 2)
    keep_feed(spark, source)
    with pytest.raises(UnreadableChangesError, match="did not keep a change data feed in all versions since"):
        read_changes(spark, source, mark, newest(spark, source))


def vacuum(spark, source):
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    try:
        sql(spark, source, "VACUUM TABLE_ RETAIN 0 HOURS")
    finally:
        spark.conf.unset("spark.databricks.delta.retentionDurationCheck.enabled")


@pytest.mark.parametrize("read", [read_appended, read_changes])
def test_files_that_were_vacuumed_before_they_were_read_stop_the_run(spark, fed, read):
    mark = newest(spark, fed)
    sql(spark, fed, "INSERT INTO TABLE_ VALUES (3)")
    if read is read_changes:
        sql(spark, fed, "UPDATE TABLE_ SET n = 30 WHERE n = 3")
    sql(spark, fed, "OPTIMIZE TABLE_")
    until = newest(spark, fed)
    vacuum(spark, fed)
    append(fed, 4)
    of = "2 files of the versions 1 to 2" if read is read_changes else "1 file of version 1"
    said = f"/t: VACUUM has deleted {of}, not read yet.*deletedFileRetentionDuration .* Reset the bookmark of this"
    with pytest.raises(UnreadableChangesError, match=said):
        read(spark, fed, mark, newest(spark, fed))
    assert values(read(spark, fed, until, newest(spark, fed))) == [4]
