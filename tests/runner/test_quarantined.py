"""Rejected rows are looked at without Spark."""

import json
from datetime import datetime
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from birchtar.runner.cli import app
from birchtar.runner.failures import JobError
from birchtar.runner.load import load
from birchtar.runner.quarantined import records
from birchtar.runner.replay import replay
from birchtar.runner.replayed import Selection
from birchtar.state.database import open_state
from birchtar.state.history import list_runs
from birchtar.state.publishing import prepare, succeed
from birchtar.state.quarantine import RejectedRows, index_rejects, resolve_rejects
from birchtar.state.runs import begin


@pytest.fixture
def rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The quarantine of a job whose replay has resolved b and d of the rows a to d; d was rejected again, as e."""
    monkeypatch.chdir(tmp_path)
    rows = {"run": [1, 1, 1, 1, 2], "id": list("abcde"), "code": ["CAST", "CAST", "CAST", "RULE", "RULE"]}
    rows |= {name: ["sales"] * 5 for name in ("table", "step", "message", "record", "rule", "file")}
    rows["rejected_at"] = [datetime(2024, 1, 31)] * 5
    for folder, columns in (("job", rows), ("_resolved/job", {"id": ["b", "d"], "replay": [2, 2]})):
        place = tmp_path / "data/quarantine" / folder
        place.mkdir(parents=True)
        parquet.write_table(pyarrow.table(columns), place / "part-0.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param([], ["e", "a", "c"], id="all"),
        pytest.param(["--reason", "CAST"], ["a", "c"], id="of a code"),
        pytest.param(["--run", "1", "--limit", "1"], ["a"], id="as many as are wanted"),
        pytest.param(["--run", "1", "--reason", "RULE"], [], id="all are resolved"),
    ],
)
@pytest.mark.usefixtures("rejected")
def test_the_rows_are_shown_that_no_replay_has_resolved(chosen, expected):
    shown = CliRunner().invoke(app, ["quarantine", "show", "job", "--json", *chosen])
    assert [json.loads(line)["id"] for line in shown.output.splitlines()] == expected


@pytest.mark.usefixtures("rejected")
def test_where_nothing_was_rejected_is_said():
    with pytest.raises(JobError, match="data/quarantine/jobs holds no rejected rows: .* Did you mean `job`"):
        records("jobs")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a quarantine; the state database knows of 12 rows of the job, of which 5 are resolved."""
    monkeypatch.setenv("BIRCHTAR_STATE_URL", f"sqlite:///{tmp_path}/state.db")
    monkeypatch.chdir(tmp_path)
    state = open_state()
    run = begin(state, "job")
    prepare(state, run, [])
    kinds = [("read", "", "CAST", 9), ("rules", "land", "RULE", 3)]
    found = [RejectedRows("sales", step, rule, code, rows, "data/quarantine/job") for step, rule, code, rows in kinds]
    succeed(state, run, {}, lambda connection: index_rejects(connection, run, found))
    resolved = [(1, "sales", "read", "", "CAST", 2), (1, "sales", "rules", "land", "RULE", 3)]
    state.write(lambda connection: resolve_rejects(connection, "job", resolved))
    return tmp_path


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param([], id="all"),
        pytest.param(["--reason", "CAST", "--run", "1", "--table", "sales"], id="by what the index knows"),
        pytest.param(["--where", "record LIKE '%x%'"], id="by a condition, before Spark starts"),
    ],
)
def test_rows_that_lie_below_another_folder_are_told_of(elsewhere, chosen):
    shown = CliRunner().invoke(app, ["quarantine", "show", "job", *chosen])
    assert str(shown.exception) == (
        f"There is no folder {elsewhere}/data/quarantine/job, but 7 rejected rows of the job `job` are not resolved, as"
        f" {elsewhere}/state.db has it. Go to the folder that the job runs in: its quarantine lies below it."
    )


@pytest.mark.parametrize("chosen", [["--reason", "RULE"], ["--run", "2"], ["--table", "x"], ["--rule", "y"]])
@pytest.mark.usefixtures("elsewhere")
def test_where_no_chosen_row_is_unresolved_none_lies_elsewhere(chosen):
    shown = CliRunner().invoke(app, ["quarantine", "show", "job", *chosen])
    assert "data/quarantine/job holds no rejected rows" in str(shown.exception)


@pytest.mark.usefixtures("elsewhere")
def test_a_replay_from_another_folder_is_refused_before_it_begins():
    Path("sales.csv").write_text("id\n1\n")
    text = "inputs: {sales: {path: sales.csv, format: csv}}\noutputs: {sales: {path: out, format: csv, mode: append}}\n"
    Path("job.yaml").write_text(text)
    with pytest.raises(JobError, match="There is no folder .*, but 7 rejected rows of the job `job` are not resolved"):
        replay(load("job.yaml"), None, open_state(), None, Selection())
    assert [run.kind for run in list_runs(open_state())] == ["run"]


def test_a_run_that_rejected_too_much_or_all_leaves_no_file_in_a_delta_table(run_job, place):
    def job(most):
        return f"""
        inputs: {{people: {{path: people, format: csv, schema: "name STRING, age INT", bookmark: true}}}}
        outputs: {{people: {{path: out, format: delta, mode: append, partition_by: [age]}}}}
        max_rejected: {most}
        """

    (place / "people").mkdir()
    (place / "people" / "1.csv").write_text("name,age\nAda,36\nBob,old\n")
    with pytest.raises(JobError, match="more than `max_rejected: 0`"):
        run_job(job(0))
    assert [file for file in (place / "out").rglob("*") if file.is_file()] == []
    assert not (place / "out" / "_delta_log").exists()
    run_job(job(9))
    there = set((place / "out").rglob("*"))
    (place / "people" / "2.csv").write_text("name,age\nCy,young\n")
    assert run_job(job(9)).outputs[0].rows == 0
    assert set((place / "out").rglob("*")) == there
