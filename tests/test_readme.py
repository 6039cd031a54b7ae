"""What the README shows is what happens."""

import re
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from birchtar.runner.cli import app, main
from birchtar.runner.load import load
from birchtar.runner.problems import ConfigError
from birchtar.runner.progress import Progress
from birchtar.runner.run import run
from birchtar.runner.steps import TRANSFORMS
from birchtar.state.database import open_state
from transforms.drop_fields import drop_fields

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_job_makes_the_table_that_is_shown(spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(blocks("csv")[0])
    Path("people.yaml").write_text(blocks("yaml")[0])
    with Progress(Console(), spark.sparkContext) as progress:
        run(load("people.yaml"), spark, open_state(), progress)
    assert "[('Ulm', 1)]" in blocks("python")[0]
    assert duckdb.sql("SELECT * FROM 'towns/*.parquet'").fetchall() == [("Ulm", 1)]

    said = blocks("console")[2]
    setting = re.search(r"--set (\S+)\n", said)[1]
    with pytest.raises(ConfigError) as caught:
        load("people.yaml", [setting])
    assert str(caught.value) in said


def test_the_input_with_conflicts_is_read_and_resolved(spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("providers.json").write_text('{"provider id": 7}\n{"provider id": "n/a"}\n')
    Path("job.yaml").write_text(blocks("yaml")[1] + "outputs:\n  clean: {path: clean, format: parquet}\n")
    with Progress(Console(), spark.sparkContext) as progress:
        report = run(load("job.yaml"), spark, open_state(), progress)
    assert duckdb.sql("SELECT * FROM 'clean/*.parquet' ORDER BY 1").fetchall() == [(7,), (None,)]
    assert len(report.conflicts) == 1


def test_the_rules_keep_good_rows_and_set_others_apart(spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    flights = ["AA,1,1,733", "AA,1,1,733", "UA,9,1,200", ",7,1,90", "B6,3,1,0"]
    Path("flights.csv").write_text("carrier,flight,day,distance\n" + "\n".join(flights) + "\n")
    Path("job.yaml").write_text(blocks("yaml")[2])
    with Progress(Console(), spark.sparkContext) as progress:
        report = run(load("job.yaml"), spark, open_state(), progress)
    assert sorted(row.carrier for row in spark.read.format("delta").load(f"{tmp_path}/good").collect()) == [
        "AA",
        "AA",
        "UA",
    ]
    assert [(rule.rule.split()[0], rule.holds, rule.broken) for rule in report.rules] == [
        ("not_null", False, 1),
        ("between", False, 1),
        ("unique", False, 2),
        ("row_count", True, None),
    ]


def test_the_job_that_remembers_reads_each_file_once(spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIRCHTAR_STATE_URL", raising=False)
    Path("sales").mkdir()
    Path("sales/monday.csv").write_text("id,town\n1,Ulm\n")
    Path("sales.yaml").write_text(blocks("yaml")[3])
    for _ in range(2):
        with Progress(Console(), spark.sparkContext) as progress:
            run(load("sales.yaml"), spark, open_state(), progress)
    assert duckdb.sql("SELECT * FROM 'table/*.parquet'").fetchall() == [(1, "Ulm")]
    said = next(block for block in blocks("console") if "bookmark diff" in block)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["bookmark", "diff", "sales.yaml"])
    assert capsys.readouterr().out.strip() == said.splitlines()[-1]


def test_the_commands_that_are_named_are_there():
    named = re.findall(r"^\| `birchtar ([a-z ]+?)(?: [A-Z-].*)?` \|", README, re.MULTILINE)
    assert len(named) == len(re.findall(r"^\| `birchtar ", README, re.MULTILINE)) > 0
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    known |= {
        f"{group.name} {command.name or command.callback.__name__}"
        for group in app.registered_groups
        for command in group.typer_instance.registered_commands
    }
    assert set(named) <= known


def test_the_transform_that_is_shown_gives_what_is_shown(spark):
    df = spark.createDataFrame([(1, ("Ulm", None))], "id INT, home STRUCT<town: STRING, zip: STRING>")
    assert str(df.transform(drop_fields, ["home.zip"]).collect()) in blocks("python")[1]


def test_the_transforms_in_the_table_are_there():
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) <= set(TRANSFORMS)


def test_the_make_targets_that_are_named_are_there():
    targets = re.findall(r"^(\w+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake (\w+)", README)) - {"alone"} <= set(targets)


def test_the_summary_that_is_shown_is_that_of_the_flights_job():
    # test_flights checks the same numbers against the run itself.
    shown = re.findall(r"^ (in|out) +(\w+) +([\d,]+) ", blocks("text")[0], re.MULTILINE)
    checked = (ROOT / "tests/jobs/test_flights.py").read_text()
    for _, name, rows in shown:
        number = rows.replace(",", "")
        assert f'"{name}": {number}' in checked or f'("{name}", {number},' in checked
