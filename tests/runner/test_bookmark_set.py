"""Bookmarks of Delta tables are set where the table itself has to be asked."""

from pathlib import Path

import pytest

from birchtar.runner.bookmark_diff import diff
from birchtar.runner.bookmark_set import Wish, set_bookmark
from birchtar.runner.bookmark_target import bookmarked
from birchtar.runner.failures import JobError
from birchtar.runner.load_job import load_job
from birchtar.state.database import open_state

JOB = """
inputs: {sales: {path: sales, format: delta, bookmark: true}}
outputs: {sales: {path: out, format: parquet, mode: append}}
"""


def test_the_next_run_reads_what_lies_behind_the_version_that_was_set(spark, config, run_job):
    for number in (0, 1, 2):
        spark.createDataFrame([(number,)], "id INT").write.format("delta").mode("append").save(
            f"file:{Path.cwd()}/sales"
        )
    path, state = config(JOB), open_state()
    source = bookmarked(path, load_job(path), "sales")["sales"]
    with pytest.raises(JobError, match="there is no version 3; the table's are 0 to 2"):
        set_bookmark(state, "job", "sales", source, Wish(version=3), lambda: spark)
    (change,) = set_bookmark(state, "job", "sales", source, Wish(version=1), lambda: spark)
    assert (change.before, change.after[1]) == (None, 1)
    assert set_bookmark(state, "job", "sales", source, Wish(version=1), lambda: spark) == []
    (found,) = diff(state, "job", {"sales": source}, lambda: pytest.fail("Spark was started"))
    assert (found.since, found.until, [commit.version for commit in found.commits]) == (1, 2, [2])
    report = run_job(JOB)
    assert (report.number, report.inputs[0].rows, report.outputs[0].rows) == (2, 1, 1)
    set_bookmark(state, "job", "sales", source, Wish(version=0), lambda: spark)
    assert run_job(JOB).outputs[0].rows == 2
    set_bookmark(state, "job", "sales", source, Wish(version=0), lambda: spark)
    set_bookmark(state, "job", "sales", source, Wish(all_known=True), lambda: spark)
    assert run_job(JOB).notes == ["There is nothing new to read."]
