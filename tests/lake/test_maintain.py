"""Small files become few, and no row is lost: to no kill, to no job that writes meanwhile, to no second try."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from birchtar.lake import compact_files, compact_lock, rewrite
from birchtar.lake.errors import LakeError
from birchtar.lake.maintain import Table, compact, table_at, vacuum


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "lake" / "table"


def never():
    raise AssertionError("this needs no Spark")


def data(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*") if not path.name.startswith((".", "_")))


def hidden(folder):
    return sorted(path.name for path in folder.parent.rglob(".*") if not path.name.endswith(".crc"))


def text(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)


def csv_rows(folder):
    return sorted(
        duckdb.sql(f"SELECT * FROM read_csv('{folder}/**/*.csv', all_varchar=true, hive_partitioning=false)").fetchall()
    )


@pytest.mark.parametrize("kind", ["parquet", "orc", "avro", "json", "csv"])
def test_rows_columns_and_partitions_stay_as_they_are(spark, folder, kind):
    df = spark.sql(
        "SELECT id, CAST(id AS DECIMAL(9,2)) AS worth, CAST(NULL AS STRING) AS none, CONCAT('0', id % 2) AS day"
        " FROM range(12)"
    )
    df.repartition(4).write.partitionBy("day").option("header", True).format(kind).save(f"file:{folder}")
    read = spark.read.option("header", True).format(kind)
    before = read.load(f"file:{folder}")
    rows, kinds = sorted(map(str, before.collect())), before.dtypes
    assert len(data(folder)) == 8
    done = compact(lambda: spark, Table(str(folder), kind, header=True))
    assert (done.files_before, done.files_after, done.folders) == (8, 2, 2)
    after = read.load(f"file:{folder}")
    assert (sorted(map(str, after.collect())), after.dtypes) == (rows, kinds)
    assert {name.partition("/")[0] for name in data(folder)} == {"day=00", "day=01"}
    assert hidden(folder) == []
    assert compact(never, Table(str(folder), kind, header=True)).folders == 0


def test_text_is_joined_byte_by_byte_and_without_spark(folder):
    text(folder, a='id,"two\nlines"\n1,007\n', b='id,"two\nlines"\n2,"x\ny"', c="other\n5\n", d="other\n6\n")
    done = compact(never, replace(table_at(str(folder)), header=True))
    assert (done.files_before, done.files_after) == (4, 2)
    joined = sorted((folder / name).read_bytes() for name in data(folder))
    assert joined == [b'id,"two\nlines"\n1,007\n2,"x\ny"\n', b"other\n5\n6\n"]


def test_compressed_text_stays_compressed(folder):
    folder.mkdir(parents=True)
    for name in "ab":
        with gzip.open(folder / f"{name}.json.gz", "wt") as file:
            file.write(f'{{"name": "{name}"}}\n')
    compact(never, Table(str(folder), "json"))
    (name,) = data(folder)
    assert gzip.decompress((folder / name).read_bytes()) == b'{"name": "a"}\n{"name": "b"}\n'


def test_files_of_other_columns_are_not_mixed_and_large_ones_stay(spark, folder):
    for number in range(2):
        spark.sql(f"SELECT {number} AS a").write.mode("append").parquet(f"file:{folder}")
        spark.sql(f"SELECT {number} AS a, 'x' AS b").write.mode("append").parquet(f"file:{folder}")
    spark.range(200_000).selectExpr("CAST(id AS INT) AS a").coalesce(1).write.mode("append").parquet(f"file:{folder}")
    (large,) = [path for path in folder.glob("*.parquet") if path.stat().st_size > 100_000]
    compact(lambda: spark, Table(str(folder), "parquet", target_size="100k"))
    schemas = sorted(str(pyarrow.parquet.read_schema(path).names) for path in folder.glob("*.parquet"))
    assert schemas == ["['a', 'b']", "['a']", "['a']"]
    assert large.name in data(folder)
    count = duckdb.sql(f"SELECT count(*), count(b) FROM read_parquet('{folder}/*.parquet', union_by_name=true)")
    assert count.fetchall() == [(200_004, 2)]


def test_only_the_chosen_partitions(spark, folder):
    for day in ("01", "02", "__HIVE_DEFAULT_PARTITION__"):
        text(folder / f"day={day}", a="id\n1\n", b="id\n2\n")
    done = compact(lambda: spark, Table(str(folder), "csv", header=True), where="day = 1 OR day IS NULL")
    assert done.folders == 2
    assert [name.split("/")[0] for name in data(folder)] == [
        "day=01",
        "day=02",
        "day=02",
        "day=__HIVE_DEFAULT_PARTITION__",
    ]


MEANWHILE = [
    pytest.param("_stage", id="after listing"),
    pytest.param("exchange", id="after exchange"),
]


@pytest.mark.parametrize("when", MEANWHILE)
@pytest.mark.parametrize("swaps", [pytest.param(True, id="exchange"), pytest.param(False, id="two renames")])
def test_a_file_that_arrives_meanwhile_is_not_lost(folder, monkeypatch, when, swaps):
    text(folder, a="id\n1\n", b="id\n2\n")
    if not swaps:
        monkeypatch.setattr(compact_files, "exchange", lambda a, b: False)
    real = getattr(compact_files, when)

    def and_then(*arguments):
        result = real(*arguments)
        text(folder, late="id\n3\n")
        return result

    monkeypatch.setattr(compact_files, when, and_then)
    compact(never, Table(str(folder), "csv", header=True))
    assert csv_rows(folder) == [("1",), ("2",), ("3",)]
    assert "late.csv" in data(folder)
    assert hidden(folder) == []


def test_a_folder_that_another_job_replaces_meanwhile_stays_replaced(folder, monkeypatch):
    text(folder, a="id\n1\n", b="id\n2\n")
    real = compact_files.exchange

    def replaced_first(a, b):
        if not (folder.parent / "old").exists():
            folder.rename(folder.parent / "old")
            text(folder, new="id\n9\n")
        return real(a, b)

    monkeypatch.setattr(compact_files, "exchange", replaced_first)
    done = compact(never, Table(str(folder), "csv", header=True))
    assert csv_rows(folder) == [("9",)]
    assert "another job" in done.left[0]


KILLED = """
import os, sys
from pathlib import Path
from birchtar.lake import compact_files, compact_lock
from birchtar.lake.maintain import Table, compact
folder, step, swaps = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True"
if not swaps:
    compact_files.exchange = lambda a, b: False
def trace(frame, event, argument):
    global step
    if frame.f_code.co_filename not in (compact_files.__file__, compact_lock.__file__):
        return None
    if event == "line":
        step -= 1
        if step == 0:
            os.kill(os.getpid(), 9)
    return trace
sys.settrace(trace)
compact(None, Table(folder, "csv", header=True))
"""


@pytest.mark.parametrize(
    ("swaps", "below", "stride"),
    [
        pytest.param(True, "", 3, id="exchange"),
        pytest.param(False, "", 4, id="two renames"),
        pytest.param(True, "day=1", 5, id="exchange of a partition"),
        pytest.param(False, "day=1", 7, id="two renames of a partition"),
    ],
)
def test_a_kill_at_any_line_loses_nothing_and_the_next_try_tidies_up(folder, swaps, below, stride):
    killed, part = 0, folder / below
    for step in range(60, 100_000, stride):
        text(part, a="id\n1\n", b="id\n2\n")
        (folder / "_SUCCESS").touch()
        process = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(step), str(swaps)], check=False)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        killed += 1
        if part.exists():
            assert csv_rows(folder) == [("1",), ("2",)]
        else:
            assert not swaps
        done = (
            vacuum(never, Table(str(folder), "csv", header=True), timedelta(days=7), dry_run=False)
            if folder.exists()
            else None
        )
        compact_files.recover(folder)
        assert (csv_rows(folder), hidden(folder)) == ([("1",), ("2",)], []), (step, done)
        compact(never, Table(str(folder), "csv", header=True))
        assert (csv_rows(folder), len(data(folder)), hidden(folder)) == ([("1",), ("2",)], 1, []), (step, done)
        for path in folder.rglob("*.*"):
            path.unlink()
    assert killed > 20


@pytest.mark.parametrize("swaps", [pytest.param(True, id="exchange"), pytest.param(False, id="two renames")])
def test_a_glob_that_looks_into_hidden_folders_finds_each_row_once_at_any_line(folder, monkeypatch, swaps):
    text(folder / "day=1", a="id\n1\n", b="id\n2\n", large="id\n" + "3" * 1000 + "\n")
    text(folder / "day=2", a="id\n4\n")
    if not swaps:
        monkeypatch.setattr(compact_files, "exchange", lambda a, b: False)
    seen, traced = [], {compact_files.__file__, rewrite.__file__}
    files = f"read_csv('{folder}/**/*.csv', columns={{'id': 'VARCHAR'}}, header=true, auto_detect=false)"
    read = f"SELECT string_agg(id[1], '' ORDER BY id) FROM {files}"

    def trace(frame, event, argument):
        if frame.f_code.co_filename not in traced:
            return None
        if event == "line":
            seen.append(duckdb.sql(read).fetchall()[0][0])
        return trace

    sys.settrace(trace)
    try:
        done = compact(never, Table(str(folder), "csv", target_size="1k", header=True))
    finally:
        sys.settrace(None)
    assert (done.folders, len(data(folder)), hidden(folder)) == (1, 3, [])
    assert len(seen) > 200
    # Between two renames a reader finds no folder of that part.
    assert set(seen) == ({"1234"} if swaps else {"1234", "4"})


def test_what_a_dead_compaction_has_staged_goes_at_any_age_and_what_a_living_one_has_stays(folder, monkeypatch):
    text(folder / "day=1", a="id\n1\n")
    token = "0123456789abcdef" * 2
    staged = [folder.parent / f".table.{token}.staged", folder / f".day=1.{token}.staged"]  # as earlier versions did
    others = [folder.parent / f".table.b.{token}.staged", folder / f".b.{token}.staged"]
    for place in (*staged, *others):
        text(place, a="id\n1\n")
    table = Table(str(folder), "csv", header=True)
    monkeypatch.setattr(compact_lock, "_PATIENCE", 0)
    with compact_lock.alone(folder), pytest.raises(LakeError, match="another process"):
        vacuum(never, table, timedelta(days=7), dry_run=False)
    would = vacuum(never, table, timedelta(days=7), dry_run=True)
    assert (would, all(place.exists() for place in staged)) == (list(map(str, staged)), True)
    assert vacuum(never, table, timedelta(days=7), dry_run=False) == would
    text(staged[0], a="id\n1\n")
    compact(never, table)
    assert [place.exists() for place in (*staged, *others)] == [False, False, True, True]


def test_a_partition_is_compacted_beside_the_table_that_it_is_of(folder, monkeypatch):
    for month in (1, 2):
        text(folder / "year=1" / f"month={month}", a="id\n1\n", b="id\n2\n")
    monkeypatch.setattr(compact_lock, "_PATIENCE", 0)
    part = Table(str(folder / "year=1" / "month=1"), "csv", header=True)
    with compact_lock.alone(folder), pytest.raises(LakeError, match="another process"):
        compact(never, part)
    real, inside = compact_files._stage, []

    def and_look(*arguments):
        real(*arguments)
        inside.extend(path.name for path in folder.rglob(".*"))

    monkeypatch.setattr(compact_files, "_stage", and_look)
    assert (compact(never, part).files_after, len(data(folder)), inside, hidden(folder)) == (1, 3, [], [])


def test_a_partition_that_is_a_link_stays(folder):
    text(folder.parent / "disk", a="id\n1\n", b="id\n2\n")
    folder.mkdir()
    (folder / "day=1").symlink_to(folder.parent / "disk")
    done = compact(never, Table(str(folder), "csv", header=True))
    assert (done.files_after, done.left) == (2, [f"{folder}/day=1: it is a link."])


def dies(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize("again", [pytest.param("day=1", id="the same part"), pytest.param("day=2", id="another part")])
def test_a_table_that_is_replaced_after_a_compaction_died_keeps_no_old_row(folder, monkeypatch, again):
    text(folder / "day=1", a="id\n1\n", b="id\n2\n")
    table = Table(str(folder), "csv", header=True)
    with monkeypatch.context() as patched:
        patched.setattr(compact_files, "_settle", dies)
        with pytest.raises(KeyboardInterrupt):
            compact(never, table)
    (behind,) = folder.parent.glob(".*.staged")
    text(behind, late="id\n3\n")
    shutil.rmtree(folder)
    text(folder / again, new="id\n9\n")
    compact(never, table)
    assert (csv_rows(folder), hidden(folder)) == ([("9",)], [])


def test_a_part_that_another_job_removes_meanwhile_stays_removed(folder, monkeypatch):
    for day in (1, 2):
        text(folder / f"day={day}", a="id\n1\n", b="id\n2\n")
    real = compact_files._stage

    def and_remove(*arguments):
        real(*arguments)
        for day in (1, 2):
            shutil.rmtree(folder / f"day={day}")

    monkeypatch.setattr(compact_files, "_stage", and_remove)
    done = compact(never, Table(str(folder), "csv", header=True))
    assert (done.left, data(folder), hidden(folder)) == (
        [f"{folder}/day=1: another job replaced it meanwhile."],
        [],
        [],
    )


def test_two_compactions_of_a_table_at_once_do_not_meet(folder, monkeypatch):
    text(folder, a="id\n1\n", b="id\n2\n")
    table = Table(str(folder), "csv", header=True)
    monkeypatch.setattr(compact_lock, "_PATIENCE", 0)
    with compact_lock.alone(folder):
        with pytest.raises(LakeError, match="another process is compacting this table"):
            compact(never, table)
        with pytest.raises(LakeError, match="another process is compacting this table"):
            vacuum(never, table, timedelta(0), dry_run=False)
    assert (len(data(folder)), hidden(folder)) == (2, [])


def test_a_compaction_waits_for_another_of_its_table(folder):
    text(folder, a="id\n1\n", b="id\n2\n")
    with ThreadPoolExecutor() as pool:
        with compact_lock.alone(folder):
            second = pool.submit(compact, never, Table(str(folder), "csv", header=True))
            time.sleep(0.3)
            assert len(data(folder)) == 2
        assert second.result().files_after == 1
    assert hidden(folder) == []


def test_a_compaction_of_another_table_is_not_waited_for(folder, monkeypatch):
    text(folder, a="id\n1\n", b="id\n2\n")
    table = Table(str(folder), "csv", header=True)
    monkeypatch.setattr(compact_lock, "_PATIENCE", 0)
    with compact_lock.alone(folder.with_name("other")):
        assert compact(never, table).files_after == 1
        assert vacuum(never, table, timedelta(0), dry_run=False) == []


def test_vacuum_removes_what_old_runs_left_hidden_and_nothing_else(folder):
    text(folder, a="id\n1\n")
    text(folder / "day=1", b="id\n1\n")
    names = [
        ".table.0a1b.staged",
        "table/.day=1.0a1b.staged",
        ".other.0a1b.staged",
        ".table.2c3d.staged",
        ".table.replaced",
    ]
    for name in names:
        text(folder.parent / name, x="id\n1\n")
    old = time.time() - 8 * 86400
    for name in names[:3]:
        for path in (folder.parent / name / "x.csv", folder.parent / name):
            os.utime(path, (old, old))
    table = table_at(str(folder))
    would = vacuum(never, table, timedelta(days=7), dry_run=True)
    assert would == [str(folder.parent / name) for name in names[:2]]
    assert vacuum(never, table, timedelta(days=7), dry_run=False) == would
    assert hidden(folder) == [".other.0a1b.staged", ".table.2c3d.staged", ".table.replaced"]
    assert data(folder) == ["a.csv", "day=1/b.csv"]


def test_a_delta_table_is_compacted_and_vacuumed(spark, folder):
    for number in range(4):
        spark.range(number, number + 1).coalesce(1).write.format("delta").mode("append").save(f"file:{folder}")
    table = table_at(str(folder))
    done = compact(lambda: spark, Table(str(folder), "delta", zorder_by=("id",)))
    assert (done.files_before, done.files_after) == (4, 1)
    rows = f"SELECT id FROM read_parquet('{folder}/*.parquet')"
    with pytest.raises(LakeError, match="of the last 7 days at least"):
        vacuum(lambda: spark, table, timedelta(hours=1), dry_run=False)
    assert vacuum(lambda: spark, table, timedelta(days=7), dry_run=False) == []
    assert len(list((folder / "_delta_log").glob("*.json"))) == 5  # four times appended, once compacted
    spark.sql(
        f"ALTER TABLE delta.`{folder}` SET TBLPROPERTIES ('delta.deletedFileRetentionDuration' = 'interval 0 hours')"
    )
    assert len(vacuum(lambda: spark, table, timedelta(0), dry_run=True)) == 4
    assert len(vacuum(lambda: spark, table, timedelta(0), dry_run=False)) == 4
    assert sorted(duckdb.sql(rows).fetchall()) == [(0,), (1,), (2,), (3,)]
    with pytest.raises(LakeError, match="no column `ids`"):
        compact(lambda: spark, Table(str(folder), "delta", zorder_by=("ids",)))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({}, "found: none", id="empty"),
        pytest.param({"a.csv": "", "b.json": ""}, "found: csv, json", id="two formats"),
        pytest.param(None, "no such folder", id="no folder"),
    ],
)
def test_what_is_no_table_is_said(folder, files, message):
    if files is not None:
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_text(content)
    with pytest.raises(LakeError, match=message):
        table_at(str(folder))


def test_csv_files_without_a_header_keep_rows_that_all_of_them_begin_with(folder):
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(f"1,Ulm\n2,{name}\n")
    with pytest.raises(LakeError, match=r"do its CSV files begin with a header\? Say --header or --no-header\."):
        compact(never, Table(str(folder), "csv"))
    compact(never, Table(str(folder), "csv", header=False))
    (file,) = folder.glob("*.csv")
    assert sorted(file.read_text().splitlines()) == ["1,Ulm", "1,Ulm", "2,a", "2,b"]


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        pytest.param("json", '{"id":0}\n'.encode("utf-16"), id="UTF-16"),
        pytest.param("json", '{"id":0}\n'.encode("utf-16-le"), id="UTF-16 that does not say so"),
        pytest.param("json", b'\xef\xbb\xbf{"id":0}\n', id="a mark of UTF-8"),
        pytest.param("json", b'[{"id":0},\n {"id":1}]', id="an array on several lines"),
        pytest.param("json", b'{\n  "id": 0\n}\n', id="an object on several lines"),
        pytest.param("csv", b"id,t\r1,a\r2,b\r", id="ends of lines that are carriage returns"),
        pytest.param("csv", "id\n1\n".encode("utf-16"), id="CSV in UTF-16"),
    ],
)
def test_text_that_cannot_be_joined_stays_as_it_is(folder, ending, content):
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.{ending}").write_bytes(content)
    done = compact(never, Table(str(folder), ending, header=True))
    assert (done.files_before, done.files_after) == (3, 3)
    assert [file.read_bytes() for file in sorted(folder.iterdir())] == [content] * 3


def test_lines_that_end_as_in_windows_are_joined(folder):
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.csv").write_bytes(b"id,t\r\n%d,a\r\n" % number)
    compact(never, Table(str(folder), "csv", header=True))
    assert csv_rows(folder) == [("0", "a"), ("1", "a"), ("2", "a")]
    assert len(data(folder)) == 1


@pytest.mark.parametrize(
    ("column", "stays"),
    [
        pytest.param(pyarrow.array([1], pyarrow.uint32()), True, id="unsigned"),
        pytest.param(pyarrow.array([1], pyarrow.timestamp("us", "UTC")), False, id="microseconds"),
        pytest.param(pyarrow.array([1], pyarrow.timestamp("us")), False, id="microseconds without a zone"),
        pytest.param(pyarrow.array([1], pyarrow.timestamp("ms", "UTC")), False, id="milliseconds"),
        pytest.param(pyarrow.array([[{"a": 1}]]), False, id="a list of structs"),
    ],
)
def test_types_of_parquet_stay_or_the_files_do(spark, folder, column, stays):
    folder.mkdir(parents=True)
    for number in range(2):
        pyarrow.parquet.write_table(pyarrow.table({"c": column}), folder / f"{number}.parquet")
    before = pyarrow.parquet.ParquetFile(folder / "0.parquet").schema.column(0)
    done = compact(lambda: spark, Table(str(folder), "parquet"))
    assert done.files_after == (2 if stays else 1)
    assert [("`c` INT32 INT UINT_32" in said) for said in done.left] == [True] * stays
    after = pyarrow.parquet.ParquetFile(folder / data(folder)[0]).schema.column(0)
    assert (after.physical_type, str(after.logical_type)) == (before.physical_type, str(before.logical_type))
    assert hidden(folder) == []


def test_a_table_behind_a_link_is_compacted_there(folder):
    real = folder.parent.parent / "disk" / "real"
    text(real, a="id\n1\n", b="id\n2\n")
    folder.parent.mkdir()
    folder.symlink_to(real)
    compact(never, Table(str(folder), "csv", header=True))
    assert folder.is_symlink()
    assert (csv_rows(folder), len(data(real))) == ([("1",), ("2",)], 1)
    assert hidden(folder) == hidden(real) == []
