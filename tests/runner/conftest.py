"""A folder with a config and its data, to load and to run in."""

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from own_java import SHORT_JAVA, without_spark
from pyspark.sql import SparkSession
from rich.console import Console
from shared_java import way_into

from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.report import Report
from birchtar.runner.run import run
from birchtar.state.database import open_state

# What several tests share lies beside them, and pytest's importlib mode puts no folder on the path.
sys.path.append(str(Path(__file__).parent))

Write = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the test: data files `people.csv` and `towns.csv`, and nothing else."""
    (tmp_path / "people.csv").write_text("name,town,age\nAda,1,36\nBob,2,41\nCy,,7\n")
    (tmp_path / "towns.csv").write_text("id,town\n1,Ulm\n2,Bonn\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def config(place: Path) -> Write:
    """Writes a job's config; a text without inputs or outputs gets `people`, and an output of it."""

    def write(text: str, name: str = "job.yaml") -> Path:
        text = dedent(text).strip() + "\n"
        if "inputs:" not in text:
            text = "inputs: {people: {path: people.csv, format: csv}, towns: {path: towns.csv, format: csv}}\n" + text
        if "outputs:" not in text:
            text += "outputs: {people: {path: out/people, format: parquet}}\n"
        (place / name).write_text(text)
        return place / name

    return write


@pytest.fixture
def run_file(spark: SparkSession):
    """Runs a job from its config, `job.yaml` of the current folder if none is named."""

    def run_config(config: str | Path = "job.yaml") -> Report:
        with Progress(Console(quiet=True), spark.sparkContext) as progress:
            return run(load(config), spark, open_state(), progress)

    return run_config


@pytest.fixture
def run_job(run_file, config):
    """Runs a job from its text."""

    def run_text(text: str) -> Report:
        return run_file(config(text))

    return run_text


@pytest.fixture
def in_our_java(spark: SparkSession) -> dict[str, str]:
    """The environment of a Python process that works in the Java of the tests, which outlives it."""
    return without_spark() | way_into(spark)


@pytest.fixture
def in_a_java_of_its_own() -> dict[str, str]:
    """The environment of a Python process that starts its own Java, which dies with it."""
    return without_spark() | SHORT_JAVA


@pytest.fixture(params=["sqlite", "postgresql"])
def each_state(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is in a file below the current folder in one run of the test, and in a server in the other."""
    if request.param == "postgresql":
        monkeypatch.setenv("BIRCHTAR_STATE_URL", request.getfixturevalue("postgres_url"))
