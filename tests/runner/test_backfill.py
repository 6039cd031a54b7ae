"""A job run by intervals: each once, none in the way of another, bookmarks as they were."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from own_java import SHORT_JAVA, without_spark
from rich.console import Console

from birchtar.lake.delta_changes import DeltaMark, versions_between
from birchtar.lake.source import Source
from birchtar.runner import compute, publication
from birchtar.runner.apart import require_apart
from birchtar.runner.backfill import backfill, done_before, require_backfillable
from birchtar.runner.bookmark_set import Wish, set_bookmark
from birchtar.runner.cli import main
from birchtar.runner.dated_paths import DatedPaths
from birchtar.runner.failures import JobError
from birchtar.runner.intervals import intervals
from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.span import Span
from birchtar.state.abandon import abandon as give_up
from birchtar.state.bookmark_views import view_bookmarks
from birchtar.state.database import open_state
from birchtar.state.history import list_runs
from birchtar.state.intents import RunFile, RunInput, record_intent
from birchtar.state.publishing import RunOutput, prepare
from birchtar.state.runs import begin, release

JOB = """
inputs: {days: {path: days, format: csv, schema: "id INT", bookmark: true, max_files: 1%s}}
outputs: {days: {path: out, format: %s, mode: append}}
"""
JANUARY = 1_704_067_200
"""2024-01-01 in seconds since 1970."""


@pytest.fixture
def filled(spark, config):
    """Runs a backfill of a job, given as a text, from January 1 to a day of it."""

    def fill(text: str, last: int, pattern: str | None = None, **how):
        dates = DatedPaths(pattern) if pattern else None
        spans = [Span(each, dates) for each in intervals("2024-01-01", f"2024-01-{last:02}", "1d")]
        plan, state = load(config(text)), open_state()
        require_backfillable(plan, spans)
        with Progress(Console(), spark.sparkContext) as progress:
            return backfill(plan, spark, state, progress, spans, **how)

    return fill


def day(name: str, number: int, *ids: int) -> None:
    file = Path("days", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("id\n" + "".join(f"{id_}\n" for id_ in ids))
    os.utime(file, (JANUARY + 86_400 * (number - 1),) * 2)


def told(outcomes):
    return [(str(each.interval)[8:10], each.state, each.read, each.written) for each in outcomes]


def test_files_are_read_by_their_times_each_interval_once_and_no_bookmark_moves(filled, place):
    for name, number, *ids in (("a", 1, 1), ("b", 2, 2, 3), ("c", 2, 4), ("d", 4, 5)):
        day(f"{name}.csv", number, *ids)
    job = JOB % ("", "delta")
    assert told(filled(job, 4, parallel=2)) == [
        ("01", "SUCCEEDED", 1, 1),
        ("02", "SUCCEEDED", 3, 3),
        ("03", "SUCCEEDED", 0, 0),
    ]
    assert told(filled(job, 5)) == [
        ("01", "done before", None, None),
        ("02", "done before", None, None),
        ("03", "done before", None, None),
        ("04", "SUCCEEDED", 1, 1),
    ]
    assert sorted(DeltaTable("out").to_pyarrow_table().to_pydict()["id"]) == [1, 2, 3, 4, 5]
    state = open_state()
    assert view_bookmarks(state, "job") == []
    assert {(past.kind, past.scope) for past in list_runs(state)} == {
        ("backfill", f"2024-01-0{number}..2024-01-0{number + 1}") for number in (1, 2, 3, 4)
    }
    assert told(filled(job, 2, again=True)) == [("01", "SUCCEEDED", 1, 1)]


def test_files_are_read_by_the_dates_in_their_paths_and_those_without_are_told_of(filled, place):
    day("day=2024-01-01/a.csv", 9, 1)
    day("day=2024-01-02/b.csv", 9, 2)
    day("day=unknown/c.csv", 1, 3)
    outcomes = filled(JOB % (', options: {pathGlobFilter: "*.csv"}', "parquet"), 3, "day=%Y-%m-%d")
    assert told(outcomes) == [("01", "SUCCEEDED", 1, 1), ("02", "SUCCEEDED", 1, 1)]
    assert "1 files have no date day=%Y-%m-%d in their paths" in outcomes[0].notes[0]
    assert sorted(duckdb.sql("SELECT id FROM 'out/*.parquet'").fetchall()) == [(1,), (2,)]


def test_an_interval_that_fails_stops_no_other_and_is_done_the_next_time(filled, place, monkeypatch):
    for number in (1, 2, 3):
        day(f"{number}.csv", number, number)
    staging = compute.stage_outputs

    def fail_once(spark, plan, tables, label, progress):
        if [row.id for row in tables.inputs["days"].select("id").collect()] == [2]:
            raise JobError("no room")
        return staging(spark, plan, tables, label, progress)

    job = JOB % ("", "parquet")
    with monkeypatch.context() as patch:
        patch.setattr(compute, "stage_outputs", fail_once)
        outcomes = filled(job, 4, parallel=3)
    assert [each.state for each in outcomes] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert outcomes[1].error == "no room"
    plan, state = load("job.yaml"), open_state()
    spans = [Span(each) for each in intervals("2024-01-01", "2024-01-04", "1d")]
    assert len(done_before(state, plan, spans)) == 2
    assert [each.state for each in filled(job, 4)] == ["done before", "SUCCEEDED", "done before"]
    assert sorted(duckdb.sql("SELECT id FROM 'out/*.parquet'").fetchall()) == [(1,), (2,), (3,)]


def test_an_interval_that_died_when_all_was_staged_is_published_and_not_computed_again(filled, place, monkeypatch):
    day("a.csv", 1, 1)
    job = JOB % ("", "delta")

    def die(*_):
        raise JobError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish", die)
        assert filled(job, 2)[0].state == "FAILED"
    Path("days/a.csv").unlink()
    assert told(filled(job, 2)) == [("01", "SUCCEEDED", 1, 1)]
    assert DeltaTable("out").to_pyarrow_table().to_pydict() == {"id": [1]}


def test_ordinary_runs_and_backfills_of_one_job_write_one_table(filled, run_job, place):
    day("a.csv", 1, 1)
    job = JOB % ("", "delta")
    for _ in range(2):
        run_job(job)
        day("b.csv", 2, 2)
    assert told(filled(job, 3, again=True)) == [("01", "SUCCEEDED", 1, 1), ("02", "SUCCEEDED", 1, 1)]
    day("c.csv", 3, 3)
    assert run_job(job).outputs[0].rows == 1
    assert sorted(DeltaTable("out").to_pyarrow_table().to_pydict()["id"]) == [1, 1, 2, 2, 3]


def test_what_a_run_has_read_no_backfill_appends_again(filled, run_job, place):
    day("a.csv", 1, 1)
    job = JOB % ("", "parquet")
    run_job(job)
    day("b.csv", 2, 2)
    first, second = filled(job, 3)
    assert (first.state, second.state) == ("FAILED", "SUCCEEDED")
    assert (
        f"input days: 1 of the 1 files, such as {place}/days/a.csv, is in 2024-01-01..2024-01-02 known" in first.error
    )
    assert "would be appended twice (output days). Say --again" in first.error
    assert ids() == [1, 2]


def test_what_a_backfill_has_read_no_run_appends_again(spark, filled, run_job, place):
    day("a.csv", 1, 1)
    day("b.csv", 9, 2)
    job = (JOB % ("", "parquet")).replace(", max_files: 1", "")
    filled(job, 3)
    with pytest.raises(JobError, match=r"input days: 1 of the 2 files, such as .*/days/a\.csv, is in"):
        run_job(job)
    assert ids() == [1]
    source = load(Path("job.yaml")).job.inputs["days"]
    set_bookmark(open_state(), "job", "days", source, Wish(files=["days/a.csv"]), lambda: spark)
    day("late.csv", 1, 3)
    os.utime("days/late.csv")
    run_job(job)
    assert ids() == [1, 2, 3]


def test_what_lies_in_an_interval_by_its_path_and_came_later_is_read(filled, run_job, place):
    day("day=2024-01-01/a.csv", 1, 1)
    job = (JOB % (", options: {pathGlobFilter: '*.csv'}", "parquet")).replace(", max_files: 1", "")
    filled(job, 3, "day=%Y-%m-%d")
    with pytest.raises(JobError, match="intervals that backfills have read"):
        run_job(job)
    Path("days/day=2024-01-01/a.csv").unlink()
    day("day=2024-01-01/late.csv", 1, 2)
    os.utime("days/day=2024-01-01/late.csv")
    run_job(job)
    assert ids() == [1, 2]


def test_a_file_that_another_run_of_the_job_is_about_to_read_is_not_read_beside_it(filled, config, place):
    day("a.csv", 1, 1)
    state = open_state()
    owned = begin(state, "job")
    file = Path("days/a.csv").stat()
    found = RunFile(f"file:{place}/days/a.csv", file.st_size, file.st_mtime_ns // 1000)
    record_intent(state, owned, [RunInput("days", "files", files=(found,))])
    (failed,) = filled(JOB % ("", "parquet"), 2)
    assert "is being read by another run of the job" in failed.error
    assert not Path("out").exists()
    release(state, owned)


def ids():
    return [id_ for (id_,) in duckdb.sql("SELECT id FROM 'out/*.parquet' ORDER BY id").fetchall()]


REPLACED = """
inputs: {days: {path: days, format: csv, schema: "id INT, day STRING", bookmark: true}}
outputs:
  days:
    {path: out, format: parquet, mode: overwrite_partitions, partition_by: [day], partitions_arrive_whole: true}
"""


def test_a_day_that_is_backfilled_again_replaces_its_partition_and_no_other(filled, place):
    day("day=2024-01-01/a.csv", 1, 1)
    day("day=2024-01-02/b.csv", 1, 2)
    assert told(filled(REPLACED, 3, "day=%Y-%m-%d")) == [("01", "SUCCEEDED", 1, 1), ("02", "SUCCEEDED", 1, 1)]
    day("day=2024-01-01/late.csv", 3, 3)
    assert told(filled(REPLACED, 2, "day=%Y-%m-%d", again=True)) == [("01", "SUCCEEDED", 2, 2)]
    rows = duckdb.sql("SELECT id, day::VARCHAR FROM 'out/*/*.parquet' ORDER BY id").fetchall()
    assert rows == [(1, "2024-01-01"), (2, "2024-01-02"), (3, "2024-01-01")]


def test_versions_of_a_delta_table_lie_in_an_interval_by_their_commits(spark, place):
    for number in (1, 2, 3):
        spark.createDataFrame([(number,)], "id INT").write.format("delta").mode("append").save(f"file:{place}/sales")
        commit = place / f"sales/_delta_log/{number - 1:020}.json"
        os.utime(commit, (JANUARY + 86_400 * number,) * 2)
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    source = Source(path=f"file:{place}/sales", format="delta", bookmark=True)
    table = DeltaTable("sales").metadata().id

    def between(first: str, last: str):
        interval = intervals(first, last, "1y")[0]
        return versions_between(spark, source, interval.start, interval.end)

    assert between("2024-01-01", "2024-01-02") == (None, None)
    assert between("2024-01-01", "2024-01-03") == (None, DeltaMark(table, 0))
    assert between("2024-01-03", "2024-02-01") == (DeltaMark(table, 0), DeltaMark(table, 2))


LATER = """
inputs:
  days: {path: days, format: csv, schema: "id INT", bookmark: true}
  sales: {path: sales, format: delta, bookmark: true%s}
outputs:
  days: {path: out/days, format: parquet, mode: append}
  sales: {path: out/sales, format: parquet, mode: append}
"""


@pytest.mark.parametrize("by", ["", ", bookmark_by: changes"], ids=["versions", "changes"])
def test_a_table_that_was_made_later_has_nothing_for_an_interval(spark, filled, place, by):
    spark.sql(
        f"CREATE TABLE delta.`{place}/sales` (n INT) USING delta TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    )
    spark.sql(f"INSERT INTO delta.`{place}/sales` VALUES (1)")
    day("a.csv", 1, 7)
    assert told(filled(LATER % by, 2)) == [("01", "SUCCEEDED", 1, 1)]
    assert duckdb.sql("SELECT id FROM 'out/days/*.parquet'").fetchall() == [(7,)]


TWO = """
inputs:
  days: {path: days, format: csv, schema: "id INT", bookmark: %s}
  towns: {path: towns.csv, format: csv}
outputs:
  days: {path: out/days, format: delta, mode: append}
  towns: {path: out/towns, format: delta, mode: %s}
"""


@pytest.mark.parametrize(
    ("text", "range_", "says"),
    [
        (TWO % ("true", "overwrite"), ("2024-01-01", "2024-01-02", "1d"), "output towns: `mode: overwrite` would keep"),
        (TWO % ("false", "append"), ("2024-01-01", "2024-01-02", "1d"), "no input has a bookmark"),
        (TWO % ("true", "append"), ("0", "9", "5"), "only a database's keys lie in intervals of numbers"),
    ],
    ids=["overwritten", "no bookmark", "numbers"],
)
def test_jobs_that_cannot_be_run_by_intervals_are_refused(config, text, range_, says):
    Path("days").mkdir()
    plan = load(config(text))
    with pytest.raises(JobError, match=says):
        require_backfillable(plan, [Span(each) for each in intervals(*range_)])


def test_that_intervals_may_replace_each_others_partitions_is_said(config):
    Path("days").mkdir()
    plan = load(config(TWO % ("true", "overwrite_partitions, partition_by: [id]")))
    (note,) = require_backfillable(plan, [Span(each) for each in intervals("2024-01-01", "2024-01-02", "1d")])
    assert note == "output towns: where two intervals write one partition, it keeps the rows of the last only."


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2024-01-02", "--to", "2024-01-01"], "is not before"),
        (["--from", "2024-01-01", "--to", "2024-01-02", "--by", "path"], "needs --pattern"),
        (["--from", "2024-01-01", "--to", "2024-01-02", "--pattern", "%Y"], "is for --by path"),
        (["--from", "9999-01-01", "--to", "9999-12-31", "--step", "1y"], "--step 1y leads past the year 9999"),
        (["--from", "2024-01-01", "--to", "2024-01-02", "--step", "99999999w"], "leads past the year 9999"),
    ],
)
def test_a_wrong_call_is_refused_before_spark_starts(config, capsys, arguments, says):
    Path("days").mkdir()
    with pytest.raises(SystemExit) as ended:
        main(["backfill", str(config(JOB % ("", "delta"))), *arguments])
    assert ended.value.code == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_the_command_prints_a_line_per_interval_and_ends_with_1_where_one_failed(config):
    day("a.csv", 1, 1)
    day("b.csv", 2, 2)
    config((JOB % ("", "parquet")).replace("mode: append", "mode: append, sort_by: [no_such_column]"))
    command = [str(Path(sys.executable).with_name("birchtar")), "backfill", "job.yaml"]
    range_ = ["--from", "2024-01-01", "--to", "2024-01-03", "--parallel", "2"]

    def call():
        return subprocess.run(
            [*command, *range_],
            env=without_spark() | SHORT_JAVA,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    done = call()
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("FAILED") == 2
    config(JOB % ("", "parquet"))
    done = call()
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith(" 2024")]
    assert [line[:2] + line[3:6] for line in lines] == [
        ["2024-01-01..2024-01-02", "SUCCEEDED", "1", "1", "0"],
        ["2024-01-02..2024-01-03", "SUCCEEDED", "1", "1", "0"],
    ]
    again = call()
    assert (again.returncode, again.stdout.count("done before")) == (0, 2)


@pytest.mark.parametrize(
    ("mode", "step", "says"),
    [
        ("append", "2d", "2024-01-01..2024-01-03 lies over 2024-01-01..2024-01-02, which succeeded in run 1"),
        ("append", "1d", None),
        ("merge, keys: [id]", "2d", None),
    ],
)
def test_intervals_over_others_that_succeeded_are_refused_where_rows_would_come_twice(filled, config, mode, step, says):
    day("a.csv", 1, 1)
    text = JOB.replace("mode: append", f"mode: {mode}") % ("", "delta")
    assert told(filled(text, 2)) == [("01", "SUCCEEDED", 1, 1)]
    spans = [Span(each) for each in intervals("2024-01-01", "2024-01-04", step)]
    with pytest.raises(JobError, match=says) if says else nullcontext():
        plan = load(config(text))
        open_state().read(lambda connection: require_apart(connection, plan, spans))


@pytest.mark.parametrize("became", ["RUNNING", "PREPARED"])
def test_intervals_over_others_that_are_not_finished_begin_no_run(filled, config, became):
    day("a.csv", 1, 1)
    state, week = open_state(), "2023-12-31..2024-01-07"
    owned = begin(state, "job", kind="backfill", scope=week)
    if became == "PREPARED":
        prepare(state, owned, [RunOutput("days", "out", "parquet", {}, 1, 1, 1)], report={})
    (failed,) = filled(JOB % ("", "parquet"), 2)
    assert (failed.state, failed.run) == ("FAILED", None)
    assert f"2024-01-01..2024-01-02 lies over {week}, of which run 1 is {became}" in failed.error
    assert not Path("out").exists()
    assert [(each.number, each.state) for each in list_runs(state)] == [(1, became)]
    release(state, owned)
    give_up(state, "job")
    assert told(filled(JOB % ("", "parquet"), 2)) == [("01", "SUCCEEDED", 1, 1)]
