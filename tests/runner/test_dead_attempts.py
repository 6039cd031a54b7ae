"""What a process that is killed leaves in the folder of a Delta table."""

from pathlib import Path

from deltalake import DeltaTable
from killed_run import Began, Death

JOB = """
inputs: {people: {path: people.csv, format: csv}}
outputs: {people: {path: out, format: delta, mode: append}}
"""


def test_the_next_attempt_of_a_run_that_was_killed_deletes_the_data_files_that_no_commit_names(
    config, place, run_file, in_our_java
):
    config(JOB)
    run_file()
    assert Began(in_our_java, Death("stage all outputs", "after")).was_killed()
    there = {file.name for file in Path("out").glob("*.parquet")}
    assert len(there) == 2
    assert run_file().attempt == 2
    files = {Path(uri).name for uri in DeltaTable("out").file_uris()}
    assert {file.name for file in Path("out").glob("*.parquet")} == files
    assert len(there & files) == 1
