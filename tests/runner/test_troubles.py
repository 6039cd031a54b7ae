"""A full disk, a read-only target, a locked state database, two runs at once: told plainly, and nothing is lost."""

import os
import shutil
import sqlite3
import subprocess
import threading
import time
from importlib import import_module
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from killed_run import Began
from pyspark.sql import SparkSession

from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.runner.cli import main
from birchtar.runner.failures import JobError
from birchtar.state.database import open_state
from birchtar.state.history import list_runs

JOB = """
inputs: {days: {path: days, format: csv, schema: "id INT, note STRING", bookmark: true}}
outputs:
  days: {path: %s, format: %s, mode: append}
"""


@pytest.fixture
def days(place: Path):
    (place / "days").mkdir()
    (place / "days" / "a.csv").write_text("id,note\n" + "".join(f"{n},{os.urandom(64).hex()}\n" for n in range(40_000)))
    return place


@pytest.fixture
def disk(tmp_path_factory):
    """A disk of its own that can be made larger, or read-only; only root may make one."""
    folder = tmp_path_factory.mktemp("disk")

    def mount(*options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", *options, "tmpfs", folder], capture_output=True, check=False
        )

    if mount("size=1m").returncode:
        pytest.skip("only root can make a small disk")
    yield folder, mount
    subprocess.run(["umount", "-l", folder], check=True)


def count(kind, path):
    if kind == "delta":
        return DeltaTable(str(path)).to_pyarrow_table().num_rows
    return duckdb.sql(f"SELECT count(*) FROM '{path}/*.{kind}'").fetchall()[0][0]


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_full_disk_fails_the_run_and_the_next_has_all_rows(run_job, days, disk, kind):
    folder, mount = disk
    with pytest.raises(JobError, match="No space left on device") as caught:
        run_job(JOB % (f"{folder}/out", kind))
    assert "job.yaml:" in str(caught.value)
    assert "\tat " not in str(caught.value)
    assert not DeltaTable.is_deltatable(f"{folder}/out")
    assert kind == "delta" or not list(folder.rglob("*.parquet"))
    mount("remount,size=100m")
    run_job(JOB % (f"{folder}/out", kind))
    assert count(kind, folder / "out") == 40_000


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_target_that_is_read_only_is_told_and_can_be_written_later(run_job, days, disk, kind):
    folder, mount = disk
    mount("remount,ro,size=100m")
    with pytest.raises(JobError) as caught:
        run_job(JOB % (f"{folder}/out", kind))
    told = str(caught.value).partition(": ")[2]
    assert told == (
        f"output days: {folder}/out: {folder} is on a read-only file system. Mount it so that it can be written to, or"
        " let the output have another `path`."
    )
    mount("remount,rw,size=100m")
    run_job(JOB % (f"{folder}/out", kind))
    assert count(kind, folder / "out") == 40_000


def test_what_cannot_be_published_waits_beside_its_table_and_is_published_by_the_next_run(run_job, days, monkeypatch):
    from birchtar.runner import publication as module

    def fail(*_):
        raise OSError("the network is gone")

    with monkeypatch.context() as patch:
        patch.setattr(module, "publish", fail)
        with pytest.raises(JobError, match=r"output days: the network is gone\nEverything is computed and waits"):
            run_job(JOB % ("out", "parquet"))
    (run,) = list_runs(open_state())
    assert (run.state, run.error) == ("PREPARED", "output days: the network is gone")
    report = run_job(JOB % ("out", "parquet"))
    assert report.notes == ["Run 1 had died when all was computed; it was finished now."]
    assert count("parquet", "out") == 40_000


def test_a_run_waits_for_a_state_database_that_is_locked(run_job, days):
    run_job(JOB % ("out", "parquet"))
    (days / "days" / "b.csv").write_text("id,note\n1,x\n")
    locked = sqlite3.connect(".birchtar/state.db", isolation_level=None, check_same_thread=False)
    locked.execute("BEGIN EXCLUSIVE")
    threading.Timer(4, lambda: locked.execute("COMMIT")).start()
    began = time.monotonic()
    run_job(JOB % ("out", "parquet"))
    assert time.monotonic() - began > 3.5
    assert count("parquet", "out") == 40_001


GONE = float(os.environ.get("BIRCHTAR_STATE_GONE", "6"))
"""Seconds."""


@pytest.mark.parametrize(
    ("module", "step"),
    [
        ("pending", "record_intent"),
        ("compute", "prepare"),
        ("publication", "mark_published"),
        ("publication", "succeed"),
    ],
)
def test_a_run_goes_on_when_the_state_database_is_back(
    run_job, days, postgres, postgres_url, monkeypatch, module, step
):
    monkeypatch.setenv("BIRCHTAR_STATE_URL", postgres_url)
    place = import_module(f"birchtar.runner.{module}")
    work, back = getattr(place, step), []

    def without_a_server(*arguments, **named):
        if not back:
            postgres.stop()
            back.append(threading.Timer(GONE, postgres.start))
            back[0].start()
        return work(*arguments, **named)

    monkeypatch.setattr(place, step, without_a_server)
    run_job(JOB % ("out", "parquet"))
    back[0].join()
    assert count("parquet", "out") == 40_000
    assert [(run.number, run.state, run.attempt) for run in list_runs(open_state())] == [(1, "SUCCEEDED", 1)]
    assert run_job(JOB % ("out", "parquet")).inputs[0].files == 0


def test_two_runs_at_once_read_every_file_once(in_our_java, days):
    (days / "job.yaml").write_text(JOB % ("out", "parquet"))
    both = [Began(in_our_java) for _ in range(2)]
    assert not any(run.was_killed() for run in both)
    assert count("parquet", "out") == 40_000
    found = list_runs(open_state())
    assert [(run.number, run.state, run.attempt) for run in found] == [(2, "SUCCEEDED", 1), (1, "SUCCEEDED", 1)]


def test_an_interruption_right_after_all_was_prepared_leaves_it_to_be_published(run_job, days, monkeypatch):
    from birchtar.runner import compute as module

    prepare = module.prepare

    def interrupted(*arguments, **named):
        prepare(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "prepare", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_job(JOB % ("out", "parquet"))
    run_job(JOB % ("out", "parquet"))
    assert count("parquet", "out") == 40_000


def test_a_run_whose_staged_files_are_gone_can_be_given_up(run_job, days, monkeypatch, capsys):
    from birchtar.runner import publication as module

    with monkeypatch.context() as patch:
        patch.setattr(module, "publish", lambda *_: 1 / 0)
        with pytest.raises(JobError):
            run_job(JOB % ("out", "parquet"))
    (staged,) = Path().glob(".out.*.staged")
    shutil.rmtree(staged)
    with pytest.raises(JobError, match="`birchtar abandon JOB` gives the run up; the next one reads the same inputs"):
        run_job(JOB % ("out", "parquet"))
    with pytest.raises(SystemExit):
        main(["abandon", "job"])
    assert "job: run 1 was PREPARED, and is given up." in capsys.readouterr().out
    run_job(JOB % ("out", "parquet"))
    assert count("parquet", "out") == 40_000


PARTS = """
inputs: {days: {path: days, format: csv, schema: "id INT, note STRING", bookmark: true}}
tables: {parts: {sql: "SELECT *, id % 4 AS part FROM days"}}
outputs: {parts: {path: out, format: parquet, mode: append, partition_by: [part]}}
"""


@pytest.fixture
def half_published(run_job, days, monkeypatch):
    """A run that ended when one of its four files was in the table."""
    moved = []

    def stop(files, source, target, move=FileSystem.move):
        if moved:
            raise KeyboardInterrupt
        moved.append(target)
        move(files, source, target)

    with monkeypatch.context() as patch:
        patch.setattr(FileSystem, "move", stop)
        with pytest.raises(KeyboardInterrupt):
            run_job(PARTS)


def rows_there():
    return duckdb.sql("SELECT count(*), count(DISTINCT id) FROM 'out/*/*.parquet'").fetchall()[0]


def test_what_waits_to_be_published_is_not_cleaned_up(run_job, half_published, capsys):
    assert rows_there() == (10_000, 10_000)
    for what in ("out", "job.yaml"):
        with pytest.raises(SystemExit) as ended:
            main(["vacuum", what, "--older-than", "0h"])
        assert ended.value.code == 1
        assert "out: run 1 of job `job` is not finished: rows" in capsys.readouterr().err
    run_job(PARTS)
    assert rows_there() == (40_000, 40_000)
    with pytest.raises(SystemExit) as ended:
        main(["vacuum", "out", "--older-than", "0h"])
    assert ended.value.code == 0


def test_who_gives_up_a_half_published_run_is_told_which_files_to_delete(run_job, half_published, capsys):
    with pytest.raises(SystemExit):
        main(["abandon", "job"])
    told = capsys.readouterr().out
    assert "parts: 1 of its 4 files are in the table already, so that their rows will be there twice." in told
    files = subprocess.run(told.partition("next run: ")[2], shell=True, capture_output=True, text=True, check=True)
    for file in files.stdout.split():  # with its checksum
        Path(file).unlink()
    run_job(PARTS)
    assert rows_there() == (40_000, 40_000)


def test_who_gives_up_a_run_that_is_committed_is_told_how_to_take_its_rows_out(run_job, days, monkeypatch, capsys):
    from birchtar.runner import publication as module

    run_job(JOB % ("out", "delta"))
    (days / "days" / "b.csv").write_text("id,note\n-1,x\n")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "mark_published", stop)
        with pytest.raises(KeyboardInterrupt):
            run_job(JOB % ("out", "delta"))
    assert count("delta", "out") == 40_001
    with pytest.raises(SystemExit):
        main(["abandon", "job"])
    told = capsys.readouterr().out
    assert "days: its rows are in the table already, by version 1, so that they will be there twice." in told
    restore = "RESTORE TABLE delta.`" + str(Path("out").absolute()) + "` TO VERSION AS OF 0"
    assert restore in told
    SparkSession.active().sql(restore)
    run_job(JOB % ("out", "delta"))
    assert count("delta", "out") == 40_001


@pytest.mark.parametrize("mode", ["append", "merge, keys: [id]"])
def test_a_table_that_another_engine_has_checkpointed_takes_rows(run_job, place, mode):
    for number in (1, 2):
        write_deltalake("out", pa.table({"id": pa.array([number], pa.int32())}), mode="append")
    DeltaTable("out").create_checkpoint()
    (place / "days.csv").write_text("id\n7\n")
    run_job(f"""
    inputs: {{days: {{path: days.csv, format: csv, schema: id INT}}}}
    outputs: {{days: {{path: out, format: delta, mode: {mode}}}}}
    """)
    assert sorted(DeltaTable("out").to_pyarrow_table()["id"].to_pylist()) == [1, 2, 7]


def test_a_full_disk_under_the_quarantine_is_told_and_the_next_run_has_all(run_job, place, disk):
    folder, mount = disk
    Path("data").mkdir()
    Path("data/quarantine").symlink_to(folder)
    (place / "bad.csv").write_text("id\n7\n" + "".join(f"{os.urandom(64).hex()}\n" for _ in range(20_000)))
    job = "inputs: {bad: {path: bad.csv, format: csv, schema: id INT}}\noutputs: {bad: {path: out, format: parquet}}"
    with pytest.raises(LakeError, match=f"^{folder}/job is on a disk that is full. Make room, and run the job again"):
        run_job(job)
    assert not Path("out").exists()
    assert list(folder.iterdir()) == []
    mount("remount,size=64m")
    assert run_job(job).rejects[0].rows == 20_000
    assert (count("parquet", "out"), count("parquet", "data/quarantine/job")) == (1, 20_000)
