"""A bookmarked input is read file by file, once each, whatever comes late, changes or goes."""

import os
from pathlib import Path

import duckdb
import pytest

from birchtar.runner.failures import JobError

JOB = """
inputs: {days: {path: days, format: csv, schema: "id INT, town STRING", bookmark: true%s}}
outputs:
  days: {path: out, format: %s, mode: append}
"""


@pytest.fixture
def day(place: Path):
    """Writes a file of one day; its time is the given second of 2001."""
    (place / "days").mkdir()

    def write(name: str, *ids: int, second: int = 0, town: str = "Ulm") -> Path:
        file = place / "days" / name
        file.write_text("id,town\n" + "".join(f"{id_},{town}\n" for id_ in ids))
        os.utime(file, (1_000_000_000 + second, 1_000_000_000 + second))
        return file

    return write


def ids(kind="parquet"):
    if kind == "delta":
        from deltalake import DeltaTable

        return sorted(DeltaTable("out").to_pyarrow_table().to_pydict()["id"])
    return [row[0] for row in duckdb.sql("SELECT id FROM 'out/*.parquet' ORDER BY id").fetchall()]


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_each_file_is_read_once_also_one_that_comes_late_or_again_after_a_run_with_nothing_new(run_job, day, kind):
    job = JOB % ("", kind)
    day("b.csv", 1, 2, second=50)
    assert run_job(job).inputs[0].files == 1
    day("a.csv", 3, second=10)  # older than what was read, and before it by name
    report = run_job(job)
    assert (report.inputs[0].rows, report.inputs[0].files, report.outputs[0].rows) == (1, 1, 1)
    before = sorted(Path("out").rglob("*"))
    nothing = run_job(job)
    assert nothing.notes == ["There is nothing new to read."]
    assert sorted(Path("out").rglob("*")) == before
    (Path("days") / "b.csv").unlink()
    day("c.csv", 4, second=5)
    run_job(job)
    assert ids(kind) == [1, 2, 3, 4]


def test_a_changed_file_is_read_again_as_a_whole(run_job, day):
    job = JOB % ("", "parquet")
    day("a.csv", 1)
    run_job(job)
    day("a.csv", 1, 2, second=9)
    run_job(job)
    assert ids() == [1, 1, 2]


def test_a_changed_file_is_told_of_and_left_where_the_job_says_so(run_job, day):
    job = JOB % (", changed_files: report", "parquet")
    day("a.csv", 1)
    run_job(job)
    file = day("a.csv", 1, 2, second=9)
    for _ in range(2):
        assert run_job(job).notes == [
            f"input days: 1 files have changed since they were read, and are not read again: {file}",
            "There is nothing new to read.",
        ]
    assert ids() == [1]


def test_a_bounded_run_takes_the_oldest_files_and_leaves_the_others_for_the_next(run_job, day):
    job = JOB % (", max_files: 2", "parquet")
    for name, second in (("a", 3), ("b", 1), ("c", 2)):
        day(f"{name}.csv", second, second=second)
    assert run_job(job).notes == ["input days: 1 new files are left for the next run"]
    assert ids() == [1, 2]
    run_job(job)
    assert ids() == [1, 2, 3]


def test_a_failed_run_reads_the_same_files_again(run_job, day):
    day("a.csv", 1)
    job = JOB % ("", "parquet")
    with pytest.raises(JobError, match="no_such_column"):
        run_job(job.replace("append}", "append, sort_by: [no_such_column]}"))
    run_job(job)
    assert ids() == [1]


def test_an_input_with_nothing_new_is_empty_beside_one_that_has(run_job, day, place):
    (place / "other").mkdir()
    job = """
    inputs:
      days: {path: days, format: csv, bookmark: true}
      other: {path: other, format: json, bookmark: true, schema: {id: INT, town: STRING}}
    tables: {both: {from: days, steps: [union: {other: other}]}}
    outputs: {both: {path: out, format: parquet, mode: append}}
    """
    day("a.csv", 1)
    run_job(job)
    (place / "other" / "a.json").write_text('{"id": 2, "town": "Bonn"}\n')
    report = run_job(job)
    assert [(read.rows, read.files) for read in report.inputs] == [(0, 0), (1, 1)]
    assert ids() == [1, 2]


def test_rejected_rows_are_remembered_as_read(run_job, day):
    file = day("a.csv", 1)
    file.write_text("id,town\n1,Ulm\nx,Bonn\n")
    job = JOB % ("", "parquet")
    assert run_job(job).rejects[0].codes == {"CAST": 1}
    assert run_job(job).notes == ["There is nothing new to read."]
    assert duckdb.sql("SELECT run, code FROM 'data/quarantine/job/*.parquet'").fetchall() == [(1, "CAST")]


def test_a_file_that_changes_while_it_is_read_stops_the_run(run_job, day, monkeypatch):
    from birchtar.runner import compute as module

    day("a.csv", 1)
    staging = module.stage_outputs

    def grow(*arguments):
        day("a.csv", 1, 2, second=7)
        return staging(*arguments)

    told = r"input days: changed, or gone, while the run read it: .*a\.csv\. Nothing was"
    with monkeypatch.context() as patch:
        patch.setattr(module, "stage_outputs", grow)
        with pytest.raises(JobError, match=told):
            run_job(JOB % ("", "parquet"))
    assert not list(Path("out").rglob("*.parquet"))
    assert run_job(JOB % ("", "parquet")).inputs[0].rows == 2
    assert ids() == [1, 2]


def test_a_file_that_goes_before_it_is_read_stops_the_run(run_job, day, monkeypatch):
    from birchtar.runner import compute as module

    day("a.csv", 1)
    day("b.csv", 2)
    staging = module.stage_outputs

    def delete(*arguments):
        Path("days/b.csv").unlink()
        return staging(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, "stage_outputs", delete)
        with pytest.raises(JobError, match=r"changed, or gone, while the run read it: .*b\.csv\. Nothing was"):
            run_job(JOB % ("", "parquet"))
    assert run_job(JOB % ("", "parquet")).inputs[0].rows == 1
    assert ids() == [1]


@pytest.mark.parametrize("bookmark", ["true", "false"])
def test_files_in_folders_that_spark_passes_over_stop_the_run(run_job, place: Path, bookmark):
    (place / "nest/2024").mkdir(parents=True)
    (place / "nest/2024/x.json").write_text('{"id": 1}\n')
    with pytest.raises(JobError, match=r"nest/2024: its files, such as x.json, lie below .*recursiveFileLookup"):
        run_job(f"""
            inputs: {{people: {{path: nest, format: json, schema: {{id: INT}}, bookmark: {bookmark}}}}}
            outputs: {{people: {{path: out, format: parquet, mode: append}}}}
        """)
