"""`birchtar bookmark ...` as a user calls it. No Spark: runs are written down as a job would have."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from birchtar.runner.cli import main
from birchtar.runner.load import load
from birchtar.state.bookmarks import move_bookmarks
from birchtar.state.database import open_state
from birchtar.state.intents import RunFile, RunInput, record_intent
from birchtar.state.publishing import prepare, succeed
from birchtar.state.runs import begin, release

JOB = """
inputs:
  days: {path: days, format: csv, bookmark: true, max_files: 2, options: {pathGlobFilter: "*.csv"}}
  sales: {path: sales, format: delta, bookmark: true}
  orders:
    {format: jdbc, url: "jdbc:postgresql://h/d", table: orders, bookmark: true, bookmark_keys: [day, id]}
  towns: {path: towns.csv, format: csv}
tables:
  all: {sql: "SELECT * FROM days, sales, orders, towns"}
outputs:
  all: {path: out, format: delta, mode: append}
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIRCHTAR_STATE_URL", raising=False)
    (tmp_path / "days").mkdir()
    (tmp_path / "sales").mkdir()
    (tmp_path / "towns.csv").write_text("id\n")
    (tmp_path / "job.yaml").write_text(JOB)
    return open_state()


def day(name: str, second: int, text: str = "id\n1\n") -> RunFile:
    """Writes a file; its time is the given second of 2001."""
    file = Path("days", name)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    os.utime(file, (1_000_000_000 + second, 1_000_000_000 + second))
    return RunFile(f"file:{file.absolute()}", len(text), (1_000_000_000 + second) * 1_000_000)


def run(state, *files: RunFile, version: int | None = None) -> None:
    owned = begin(state, "job")
    read = [RunInput("days", "files", files=files)]
    read += [RunInput("sales", "delta", until=["id", version])] if version is not None else []
    record_intent(state, owned, read)
    prepare(state, owned, [])
    succeed(state, owned, {}, lambda connection: move_bookmarks(connection, owned, read, {}))


def call(capsys, *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["bookmark", *arguments])
    said = capsys.readouterr()
    assert ended.value.code == code, said
    return said.err if code else said.out


def as_json(capsys, *arguments: str):
    return json.loads(call(capsys, *arguments, "--json"))


def delta_log(*versions: int) -> None:
    Path("sales/_delta_log").mkdir(parents=True)
    for version in versions:
        info = {"commitInfo": {"timestamp": 1_000_000_000_000, "operation": "WRITE"}}
        Path(f"sales/_delta_log/{version:020}.json").write_text(json.dumps(info) + "\n")


def test_show_tells_mark_run_and_latest_files(state, capsys):
    run(state, day("a.csv", 1), version=3)
    run(state, day("b.csv", 2))
    shown = call(capsys, "show", "job")
    assert "version 3" in shown
    assert "days/b.csv (run 2)" in shown
    told = as_json(capsys, "show", "job.yaml", "days")
    (days,) = told["bookmarks"]
    assert (days["known_files"], days["run"], days["history"]) == (2, 2, [1, 2])
    assert days["latest_files"][0]["modified"] == "2001-09-09T01:46:42+00:00"


def test_unknown_jobs_and_inputs_are_named_with_the_nearest(state, capsys):
    run(state, day("a.csv", 1))
    assert "knows no job `jbo`. Did you mean `job`?" in call(capsys, "show", "jbo", code=1)
    assert "`dais` is not there. Did you mean `days`?" in call(capsys, "diff", "job.yaml", "dais", code=1)
    assert "`towns` has no bookmark." in call(capsys, "diff", "job.yaml", "towns", code=1)


def test_diff_tells_what_the_next_run_reads_within_its_limits(state, capsys):
    run(state, day("a.csv", 1), day("b.csv", 2), day("gone.csv", 3))
    Path("days/gone.csv").unlink()
    day("b.csv", 9, "id\n1\n2\n")
    for name, second in (("c.csv", 5), ("d.csv", 20), ("left.txt", 0)):
        day(name, second)
    (days,) = as_json(capsys, "diff", "job.yaml", "days")["inputs"]
    assert [(file["state"], Path(file["path"]).name, file["size"]) for file in days["reads"]] == [
        ("new", "c.csv", 5),
        ("changed", "b.csv", 7),
    ]
    assert (days["left"], days["known"], days["gone"]) == (1, 1, 1)
    said = call(capsys, "diff", "job.yaml", "days")
    assert "days: 1 new and 1 changed files, 12 bytes; 1 left for later runs; 1 known; 1 gone" in said
    assert "gone.csv" in said
    assert as_json(capsys, "show", "job")["bookmarks"][0]["run"] == 1


def test_before_the_first_run_all_is_new_and_looking_makes_no_state_database(state, capsys):
    day("a.csv", 1)
    shutil.rmtree(".birchtar")
    assert "days: 1 new and 0 changed files" in call(capsys, "diff", "job.yaml", "days")
    assert "new: the next run reads it: no run has read it" in call(capsys, "explain", "job.yaml", "days/a.csv")
    assert not Path(".birchtar").exists()


def test_diff_of_a_local_delta_table_needs_its_log_only(state, capsys):
    run(state, version=1)
    delta_log(0, 1, 2, 3)
    said = call(capsys, "diff", "job.yaml", "sales")
    assert "sales: what lies behind version 1, up to version 3" in said
    assert said.count("WRITE") == 2
    run(state, version=3)
    assert "nothing new" in call(capsys, "diff", "job.yaml", "sales")


def test_diff_says_that_a_prepared_run_comes_first(state, capsys):
    owned = begin(state, "job")
    prepare(state, owned, [])
    release(state, owned)
    day("a.csv", 1)
    assert "is not finished: the next one only publishes" in call(capsys, "diff", "job.yaml", "days")


@pytest.mark.parametrize(
    ("file", "found", "is_next", "says"),
    [
        ("days/known.csv", "known", False, "as it was when it was read"),
        ("days/changed.csv", "changed", True, "from 5 to 7 bytes and from 2001-09-09 01:46:42 to 2001-09-09 01:46:45"),
        ("days/new.csv", "new", True, "no run has read it"),
        ("days/later.csv", "left", False, "`max_files: 2` leaves it for a later run: it is number 3 of 3"),
        ("days/gone.csv", "gone", False, "no such file"),
        ("days/never.csv", "missing", False, "no such file"),
        ("days/_hidden.csv", "hidden", False, "`_hidden.csv` is hidden"),
        ("days/other.txt", "excluded", False, "`pathGlobFilter: *.csv` leaves it out"),
        ("days/below/a.csv", "excluded", False, "this one lies elsewhere"),
        ("towns.csv", "unread", True, "has no bookmark"),
    ],
)
def test_explain_says_why_a_file_is_read_or_not(state, capsys, file, found, is_next, says):
    run(state, day("known.csv", 1), day("changed.csv", 2), day("gone.csv", 3))
    Path("days/gone.csv").unlink()
    day("changed.csv", 5, "id\n1\n2\n")
    for name, second in (("new.csv", 6), ("later.csv", 7), ("_hidden.csv", 0), ("other.txt", 0)):
        day(name, second)
    if "below" in file:
        day("below/a.csv", 0)  # such files stop a run, which says so
    told = as_json(capsys, "explain", "job.yaml", file)
    (verdict,) = told["inputs"]
    assert (verdict["state"], verdict["next_run_reads_it"]) == (found, is_next)
    assert says in verdict["why"]
    if found in ("known", "changed", "gone"):
        assert verdict["read_by"]["run"] == 1
        assert verdict["read_as"]["size"] == 5
    assert says in call(capsys, "explain", "job.yaml", file)


def test_explain_names_the_closest_file_where_none_is_meant(state, capsys):
    run(state, day("known.csv", 1))
    assert "Did you mean " in (said := call(capsys, "explain", "job.yaml", "dayz/known.csv"))
    assert "days/known.csv?" in said


def test_rewind_tells_what_is_read_again_and_what_becomes_of_outputs(state, capsys):
    run(state, day("a.csv", 1), version=3)
    run(state, day("b.csv", 2), version=5)
    refused = call(capsys, "rewind", "job.yaml", "--to", "1", code=1)
    assert "Nothing was changed: --yes" in refused
    said = call(capsys, "rewind", "job.yaml", "--to", "1", "--yes")
    assert "days: 1 files will be read again: " in said
    assert "sales: from version 5 to version 3" in said
    assert "These outputs will get the rows twice, unless you remove theirs first: `all` (out)." in said
    assert "Nothing to change" in call(capsys, "rewind", "job", "--to", "1", "--yes")
    (days,) = as_json(capsys, "diff", "job.yaml", "days")["inputs"]
    assert [Path(file["path"]).name for file in days["reads"]] == ["b.csv"]
    assert "new: the next run reads it: no run has read it since the rewind, number 3." in call(
        capsys, "explain", "job.yaml", "days/b.csv"
    )


def test_a_file_of_a_time_that_no_calendar_has_is_shown(state, capsys):
    run(state, RunFile(f"file:{Path('days').absolute()}/a.csv", 5, 300_000_000_000_000_000))
    (days,) = as_json(capsys, "show", "job")["bookmarks"]
    assert days["latest_files"][0]["modified"] == "9999-12-31T23:59:59.999999+00:00"
    assert "after the year 9999 UTC" in call(capsys, "explain", "job.yaml", "days/a.csv")


def test_reset_forgets_one_input_or_all(state, capsys):
    run(state, day("a.csv", 1), version=3)
    call(capsys, "reset", "job", "sales", "--yes")
    told = {each["input"]: each for each in as_json(capsys, "show", "job")["bookmarks"]}
    assert (told["sales"]["mark"], told["sales"]["run_kind"], told["days"]["known_files"]) == (None, "reset", 1)
    call(capsys, "reset", "job", "--yes")
    assert as_json(capsys, "show", "job", "days")["bookmarks"][0]["known_files"] == 0


def test_set_makes_files_known_before_the_first_run(state, capsys):
    for name in ("a.csv", "b.csv", "2024-01.csv", "2024-02.csv"):
        day(name, 1)
    assert "2 files are known now" in call(capsys, "set", "job.yaml", "days", "--files", "days/2024-*.csv")
    assert "Nothing to change" in call(capsys, "set", "job.yaml", "days", "--files", "days/2024-01.csv")
    refused = call(capsys, "set", "job.yaml", "days", "--files", "days/c.csv", code=1)
    assert "days/c.csv is none of its 4 files. Did you mean" in refused
    assert "made known by run 1 (set)" in call(capsys, "explain", "job.yaml", "days/2024-01.csv")
    call(capsys, "set", "job.yaml", "days", "--all-known")
    assert as_json(capsys, "diff", "job.yaml", "days")["inputs"][0]["nothing_new"]


@pytest.mark.parametrize("config", ["bf.conf", "bf.2013.yaml", "bf"])
def test_a_config_of_any_ending_is_that_of_the_job_that_a_run_of_it_is_of(state, capsys, config):
    Path("job.yaml").rename(config)
    day("a.csv", 1)
    name = {"bf.conf": "bf", "bf.2013.yaml": "bf.2013", "bf": "bf"}[config]
    assert load(config).name == name
    call(capsys, "set", config, "days", "--all-known")
    assert as_json(capsys, "show", name)["job"] == name
    told = as_json(capsys, "diff", config, "days")
    assert (told["job"], told["inputs"][0]["nothing_new"]) == (name, True)
    assert as_json(capsys, "explain", config, "days/a.csv")["inputs"][0]["state"] == "known"


def test_set_takes_the_keys_of_a_database_in_their_order(state, capsys):
    said = call(capsys, "set", "job.yaml", "orders", "--keys", "id=7", "--keys", "day=2024-01-31")
    assert "orders: from the beginning to day=2024-01-31, id=7" in said
    (orders,) = as_json(capsys, "show", "job")["bookmarks"]
    mark = {"keys": ["day", "id"], "values": ["2024-01-31", "7"], "order": "asc", "of": "orders of postgresql://h/d"}
    assert orders["mark"] == mark
    assert "once: --keys day=VALUE --keys id=VALUE" in call(
        capsys, "set", "job.yaml", "orders", "--keys", "id=7", code=1
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["days", "--version", "3"], "it takes one of --files and --all-known, not --version"),
        (["orders"], "it takes one of --keys and --all-known, not nothing"),
        (["sales", "--version", "3", "--all-known"], "not --all-known and --version"),
    ],
)
def test_set_refuses_what_does_not_fit_the_input(state, capsys, arguments, says):
    assert says in call(capsys, "set", "job.yaml", *arguments, code=1)


def test_local_files_and_what_is_remembered_start_no_java(state):
    run(state, day("a.csv", 1), version=3)
    code = """
import sys
from pyspark.java_gateway import launch_gateway
import pyspark.core.context, pyspark.java_gateway
def refuse(*_, **__): raise AssertionError("Spark was started")
pyspark.java_gateway.launch_gateway = pyspark.core.context.launch_gateway = refuse
from birchtar.runner.cli import app
for arguments in (["show", "job"], ["diff", "job.yaml", "days"], ["explain", "job.yaml", "days/a.csv"],
                  ["set", "job.yaml", "days", "--all-known"], ["rewind", "job", "--to", "0", "--yes"],
                  ["reset", "job", "--yes"]):
    app(["bookmark", *arguments], standalone_mode=False)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_show_and_reset_load_no_spark(state):
    run(state, day("a.csv", 1))
    code = """
import sys
from birchtar.runner.cli import app
app(["bookmark", "show", "job"], standalone_mode=False)
print("loaded", {"pyspark", "alembic"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded set()\n")
