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
from birchtar.runner.quarantined import records


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
