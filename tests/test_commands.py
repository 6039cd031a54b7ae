"""The commands as a user types them: real processes, their words and exit codes."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import jsonschema
import pyarrow
import pyspark
import pytest
import yaml
from own_java import SHORT_JAVA, without_spark
from pyarrow import parquet

ROOT = Path(__file__).parents[1]
BIRCHTAR = Path(sys.executable).with_name("birchtar")


def call(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=cwd, env=without_spark() | environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a job, its data and a function of the user's."""
    (tmp_path / "people.csv").write_text("name,age\nAda,36\nBob,41\nCy,7\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "places.py").write_text(
        "import transforms\n\n\ndef with_place(row):\n    return {'name': row['name'], 'place': transforms.__file__}\n"
    )
    (tmp_path / "job.yaml").write_text(
        """
inputs:
  people: {path: people.csv, format: csv}
tables:
  adults: {from: people, steps: [{filter_rows: {where: age >= 18}}]}
  placed:
    from: adults
    steps: [{map_rows: {function: "mine.places:with_place", schema: "name STRING, place STRING"}}]
outputs:
  adults: {path: out/adults, format: delta}
  placed: {path: out/placed, format: parquet}
"""
    )
    return tmp_path


def test_a_run_ends_with_a_summary_and_no_noise(place: Path):
    done = call(BIRCHTAR, "run", "job.yaml", "--show", "1", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr, "colours or a progress bar away from a terminal"
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["in", "people", "3", "28", "bytes", "people.csv"] in lines
    assert [line[:3] for line in lines if line[:1] == ["out"]] == [["out", "adults", "2"], ["out", "placed", "2"]]
    assert re.search(r"job: done in \d+\.\d s", done.stdout)
    assert "Exception" not in done.stderr
    assert duckdb.sql(f"SELECT count(*) FROM '{place}/out/placed/*.parquet'").fetchall() == [(2,)]


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_wrong_config_ends_with_2_and_starts_no_spark(place: Path, command: str):
    (place / "job.yaml").write_text((place / "job.yaml").read_text().replace("filter_rows", "filter_row"))
    # With no Java to be found, anything that starts Spark would fail otherwise.
    done = call(BIRCHTAR, command, "job.yaml", cwd=place, JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("job.yaml:5:35: there is no step `filter_row`. Did you mean `filter_rows`?")


def test_validate_says_what_a_right_config_holds(place: Path):
    done = call(BIRCHTAR, "validate", "job.yaml", cwd=place, JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (0, "job.yaml: 1 inputs, 2 tables, 2 outputs.\n")


def test_a_wrong_call_ends_with_2(place: Path):
    assert call(BIRCHTAR, "run", cwd=place).returncode == 2
    assert call(BIRCHTAR, "rum", "job.yaml", cwd=place).returncode == 2


def test_a_failure_ends_with_1_and_one_sentence_and_verbose_shows_the_trace(place: Path):
    failing = ["run", "job.yaml", "--set", "tables.adults.steps.0.filter_rows.where=age / 0 > 1"]
    (place / "other.yaml").write_text((place / "job.yaml").read_text().replace("out/", "other/"))
    done = call(BIRCHTAR, *failing, "other.yaml", cwd=place)
    assert done.returncode == 1
    assert "Not run: other.yaml.\n" in done.stderr
    assert not (place / "other").exists()
    assert re.search(r"^job.yaml:1[01]:3: output \w+: Division by zero.", done.stderr, re.MULTILINE)
    assert "\tat " not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert "Traceback" in call(BIRCHTAR, *failing, "--verbose", cwd=place).stderr
    assert not (place / "out" / "placed").exists() or duckdb.sql(f"FROM '{place}/out/placed/*.parquet'")


def test_small_text_files_are_put_together_and_dead_runs_cleared_away_without_spark(place: Path):
    for name in "abc":
        (place / "out" / "log").mkdir(parents=True, exist_ok=True)
        (place / "out" / "log" / f"{name}.json").write_text(f'{{"name": "{name}"}}\n')
    done = call(BIRCHTAR, "compact", "out/log", cwd=place, JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (0, "out/log: 3 files became 1.\n")
    left = place / "out" / ".log.0a1b.staged"
    left.mkdir()
    done = call(BIRCHTAR, "vacuum", "out/log", "--older-than", "0d", "--dry-run", cwd=place, JAVA_HOME="/nowhere")
    assert done.stdout == f"Would delete {left}\nout/log: 1 to delete.\n"
    done = call(BIRCHTAR, "vacuum", "out/log", "--older-than", "0d", cwd=place, JAVA_HOME="/nowhere")
    assert done.stdout == f"Deleted {left}\nout/log: 1 deleted.\n"
    assert not left.exists()
    done = call(BIRCHTAR, "compact", "out/logs", cwd=place, JAVA_HOME="/nowhere")
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "out/logs: there is no such folder.")


def test_all_tables_of_a_job_are_put_together(place: Path):
    text = (place / "job.yaml").read_text()
    (place / "job.yaml").write_text(
        text.replace("format: delta", "format: csv").replace("placed, format: parquet", "gone, format: csv")
    )
    for name in "ab":
        (place / "out" / "adults").mkdir(parents=True, exist_ok=True)
        (place / "out" / "adults" / f"{name}.csv").write_text(f"name\n{name}\n")
    done = call(BIRCHTAR, "compact", "job.yaml", cwd=place, JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (0, "out/adults: 2 files became 1.\n"), done.stderr


def test_no_java_is_a_sentence_with_1(place: Path):
    done = call(BIRCHTAR, "run", "job.yaml", cwd=place, JAVA_HOME="/nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith("The Java of JAVA_HOME does not run: /nowhere/bin/java")


def test_the_page_of_transforms_that_is_committed_is_the_one_that_is_printed(place: Path):
    printed = call(BIRCHTAR, "transforms", cwd=place, JAVA_HOME="/nowhere").stdout
    assert printed == (ROOT / "docs/transforms.md").read_text(), "run: birchtar transforms > docs/transforms.md"


def test_the_schema_that_is_committed_is_the_one_that_is_printed_and_fits_the_sample_configs(place: Path):
    printed = call(BIRCHTAR, "schema", cwd=place, JAVA_HOME="/nowhere").stdout
    assert printed == (ROOT / "conf/schema/job.json").read_text(), "run: birchtar schema > conf/schema/job.json"
    validator = jsonschema.Draft202012Validator(json.loads(printed))
    for config in sorted((ROOT / "conf/jobs").glob("*.yaml")):
        validator.validate(yaml.safe_load(config.read_text()))
        assert config.read_text().startswith("# yaml-language-server: $schema=../schema/job.json\n")
    wrong = yaml.safe_load((place / "job.yaml").read_text().replace("where", "were"))
    assert not validator.is_valid(wrong)


def test_make_alone_prints_every_target_with_a_sentence():
    done = call("make", cwd=ROOT)
    said = dict(re.findall(r"^make (\w+)\s+(\S.*)$", done.stdout, re.MULTILINE))
    assert set(said) >= {"help", "setup", "run", "test", "lint", "data", "submit", "shell", "clean"}


def test_the_shell_has_delta_and_transforms(place: Path):
    shell = subprocess.run(
        [BIRCHTAR, "shell"],
        cwd=place,
        input="from transforms.drop_fields import drop_fields\n"
        "spark.range(2).selectExpr('id', '1 AS x').transform(drop_fields, ['x']).write.format('delta').save('t')\n"
        "print('rows', spark.read.format('delta').load('t').count())\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=without_spark() | SHORT_JAVA,
    )
    assert "rows 2" in shell.stdout, shell.stderr


def place_of_transforms(place: Path) -> set[str]:
    found = duckdb.sql(f"SELECT DISTINCT place FROM '{place}/out/placed/*.parquet'").fetchall()
    return {path for (path,) in found}


def test_spark_submit_runs_the_same_job_locally(place: Path):
    done = call(BIRCHTAR, "submit", "job.yaml", "--master", "local[2]", cwd=place, **SHORT_JAVA)
    assert done.returncode == 0, done.stderr
    assert re.search(r"job: done in \d+\.\d s", done.stdout)
    assert duckdb.sql(f"SELECT count(*) FROM '{place}/out/placed/*.parquet'").fetchall() == [(2,)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a standalone master with one worker, from the same wheel."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"spark://127.0.0.1:{free.getsockname()[1]}"
    home = Path(pyspark.__file__).parent
    host, port = url.removeprefix("spark://").split(":")
    environment = (
        without_spark()
        | SHORT_JAVA
        | {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(tmp_path / "worker"),
        }
    )
    common = ["--host", host, "--webui-port", "0"]
    commands = [
        ["org.apache.spark.deploy.master.Master", *common, "--port", port],
        ["org.apache.spark.deploy.worker.Worker", *common, "--cores", "2", "--memory", "2g", url],
    ]
    logs = [tmp_path / "master.log", tmp_path / "worker.log"]
    running = []
    try:
        for command, log in zip(commands, logs, strict=True):
            with log.open("w") as file:
                program = [home / "bin" / "spark-class", *command]
                running.append(subprocess.Popen(program, env=environment, stdout=file, stderr=file))
        _wait_for("Registering worker", logs[0])
        yield url
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(timeout=30)


def _wait_for(text: str, log: Path) -> None:
    for _ in range(300):
        if text in log.read_text():
            return
        time.sleep(0.2)
    raise AssertionError(f"{text!r} is not in {log}:\n{log.read_text()}")


def test_spark_submit_runs_the_same_job_on_a_cluster(place: Path, cluster: str):
    memory = ["--conf", "spark.executor.memory=1g"]
    done = call(BIRCHTAR, "submit", "job.yaml", "--master", cluster, *memory, cwd=place, **SHORT_JAVA)
    assert done.returncode == 0, done.stderr
    assert duckdb.sql(f"SELECT count(*) FROM '{place}/out/placed/*.parquet'").fetchall() == [(2,)]
    # Executors take our packages from the zip that travelled with the job.
    assert all("birchtar.zip" in path for path in place_of_transforms(place))


def test_help_loads_neither_spark_nor_the_state_database():
    code = """
import sys
from birchtar.runner.cli import app
app(["--help"], standalone_mode=False)
print("loaded", {"pyspark", "sqlalchemy", "pyarrow", "pandas"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded set()\n")


def test_commands_on_bookmarks_runs_and_the_quarantine_load_nothing_of_spark(tmp_path: Path):
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "a.csv").write_text("id\n1\n")
    (tmp_path / "job.yaml").write_text(
        """
inputs:
  sales: {path: sales, format: csv, schema: {id: INT}, bookmark: true}
tables:
  good: {from: sales, steps: [{filter_rows: {where: id > 0}}], rules: [{not_null: id}]}
  days: {sql: SELECT count(*) FROM good}
outputs:
  good: {path: out, format: delta, mode: append}
"""
    )
    rejected = {"run": [1, 2], "id": ["a", "b"], "code": ["CAST", "RULE"], "rejected_at": [datetime(2024, 1, 31)] * 2}
    rejected |= {name: ["sales"] * 2 for name in ("table", "step", "message", "record", "rule", "file")}
    (tmp_path / "data/quarantine/job").mkdir(parents=True)
    file = tmp_path / "data/quarantine/job/part-0.parquet"
    parquet.write_table(pyarrow.table(rejected), file, use_deprecated_int96_timestamps=True)
    code = """
import sys
from birchtar.runner.cli import app
for said in sys.argv[1:]:
    print(f"-- {said}", flush=True)
    app(said.split(), standalone_mode=False)
print("loaded", {"pyspark", "py4j", "pandas", "sqlglot"} & set(sys.modules))
"""
    done = call(
        sys.executable,
        "-c",
        code,
        "bookmark set job.yaml sales --all-known",
        "bookmark show job",
        "bookmark diff job.yaml",
        "bookmark explain job.yaml sales/a.csv",
        "bookmark rewind job --to 0 --yes",
        "bookmark reset job.yaml --yes",
        "runs",
        "quarantine list",
        "quarantine show job --json",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "sales: nothing new; 1 known; 0 gone" in done.stdout
    assert '"rejected_at": "2024-01-31 00:00:00"' in done.stdout
    assert done.stdout.count('"code"') == 2
    assert done.stdout.endswith("loaded set()\n")
