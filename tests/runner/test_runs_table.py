"""`birchtar runs`: what ran, as a user reads it."""

import re
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import update

from birchtar.runner.cli import main
from birchtar.state.database import open_state
from birchtar.state.owners import this_process
from birchtar.state.publishing import fail, prepare, succeed
from birchtar.state.runs import begin, release
from birchtar.state.tables import runs
from birchtar.state.waiting import keep_place

REPORT = {
    "inputs": [{"name": "flights", "rows": 27_004}, {"name": "airlines", "rows": None}, {"name": "towns", "rows": 16}],
    "outputs": [{"name": "flown", "rows": 26_483}],
    "rejects": [{"table": "flights", "step": "read", "rows": 521}],
}


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIRCHTAR_STATE_URL", raising=False)
    return open_state()


def printed(capsys, *arguments: str) -> list[list[str]]:
    """Return the words of each line, where two spaces or more part two words."""
    with pytest.raises(SystemExit) as ended:
        main(["runs", *arguments])
    assert ended.value.code == 0
    return [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines() if line.strip()]


def finished(state, job: str, report: dict) -> None:
    run = begin(state, job)
    prepare(state, run, [], report=report)
    succeed(state, run, None, lambda connection: None)


def at(state, **times: datetime) -> None:
    state.write(lambda connection: connection.execute(update(runs).values(**times)))


def test_a_run_is_a_line_with_its_counts(state, capsys):
    finished(state, "flights", REPORT)
    at(
        state,
        started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        finished_at=datetime(2026, 1, 2, 3, 4, 17, 250_000, tzinfo=UTC),
    )
    heading, _, line = printed(capsys)
    assert heading == ["job", "run", "state", "started (UTC)", "seconds", "read", "written", "rejected", "error"]
    assert line == ["flights", "1", "SUCCEEDED", "2026-01-02 03:04:05", "12.2", "27,020", "26,483", "521"]


def test_a_failed_run_says_why(state, capsys):
    fail(state, begin(state, "flights"), "conf/jobs/flights.yaml:3: [red]no[/red] such file")
    *_, line = printed(capsys)
    assert line[2] == "FAILED"
    assert line[5:] == ["-", "-", "-", "conf/jobs/flights.yaml:3: [red]no[/red] such file"]


def test_a_run_that_nobody_works_on_any_more_is_told_from_one_that_runs(state, capsys):
    release(state, begin(state, "died", kind="replay"))
    begin(state, "lives")
    _, _, lives, died = printed(capsys)
    assert (lives[0], lives[2], lives[4]) == ("lives", "RUNNING", "-")
    assert (died[0], died[2], died[4]) == ("died", "RUNNING replay, died", "-")


def test_a_run_that_waits_in_the_queue_is_told_from_one_whose_process_died_while_it_waited(state, capsys):
    owned = begin(state, "flights")
    for died in (False, True):
        number = state.write(partial(keep_place, place=None, new=waits(owned), mine=alive(died=died)))
        assert number == owned.id + 1 + died
    _, _, died, lives, _ = printed(capsys)
    assert (lives[1], lives[2], died[1], died[2]) == ("2", "WAITING", "3", "WAITING, died")


def waits(owned):
    return {"job": owned.job, "kind": "run", "scope": None, "started_at": datetime.now(UTC)}


def alive(*, died: bool):
    moment = datetime.now(UTC)
    return {"owner": asdict(this_process()), "lease_until": moment + timedelta(seconds=-60 if died else 60)}


def test_a_backfill_is_told_with_its_interval(state, capsys):
    begin(state, "flights", kind="backfill", scope="2024-01-01..2024-01-02")
    assert printed(capsys)[2][2] == "RUNNING backfill 2024-01-01..2024-01-02"


def test_runs_of_one_job_newest_first_and_no_more_than_asked(state, capsys):
    for job in ("flights", "countries", "flights", "flights"):
        finished(state, job, {})
    assert [line[:2] for line in printed(capsys, "flights", "--limit", "2")[2:]] == [["flights", "3"], ["flights", "2"]]


def test_an_unknown_job_is_refused_with_the_nearest(state, capsys):
    finished(state, "flights", {})
    with pytest.raises(SystemExit) as ended:
        main(["runs", "flihgts"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"{state.place} knows no job `flihgts`. Did you mean `flights`?\n"


def test_where_nothing_ran_that_is_said_and_nothing_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIRCHTAR_STATE_URL", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["runs"])
    assert ended.value.code == 1
    assert f"There is no state database {tmp_path}/.birchtar/state.db: no job has run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_it_loads_no_spark_and_no_alembic(state):
    code = """
import sys
from birchtar.runner.cli import app
app(["runs"], standalone_mode=False)
print("loaded", {"pyspark", "alembic"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded set()\n")
