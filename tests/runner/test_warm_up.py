"""The job that set-up runs to record Spark's classes: set-up passes over its failure, so it is shown here to work."""

import duckdb
from rich.console import Console

from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.run import run
from birchtar.runner.warm_up import write_job
from birchtar.state.database import open_state


def test_it_runs(spark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(load(write_job()), spark, open_state(), Progress(Console(quiet=True), spark.sparkContext))
    assert duckdb.sql("FROM 'counts/*.csv'").fetchall() == [("Ulm", 9, 1_080_000)]
