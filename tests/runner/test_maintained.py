"""Which tables `compact` may put together."""

import shutil
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from birchtar.lake import compact_files
from birchtar.lake.errors import LakeError
from birchtar.lake.maintain import compact, table_at
from birchtar.runner.maintained import require_unread

JOB = """
inputs: {silver: {path: silver, format: csv, schema: "id INT", bookmark: true}}
outputs: {silver: {path: gold, format: parquet, mode: append}}
"""


def test_files_that_a_bookmark_knows_are_not_put_together(run_job, place: Path):
    for folder in ("silver", "silver2"):
        (place / folder).mkdir()
        (place / folder / "a.csv").write_text("id\n1\n")
    require_unread(table_at("silver"))
    run_job(JOB)
    with pytest.raises(LakeError, match=r"silver: bookmarks know its files: job \(input silver\)"):
        require_unread(table_at("silver"))
    require_unread(table_at("silver2"))
    require_unread(table_at("gold"))


def rows() -> int:
    return duckdb.sql("SELECT count(*) FROM 'gold/*.parquet'").fetchall()[0][0]


def test_files_that_a_killed_compaction_hid_are_there_again_after_the_next_run(run_job, place: Path, monkeypatch):
    (place / "silver").mkdir()
    (place / "silver" / "a.csv").write_text("id\n1\n")
    run_job(JOB)
    real = compact_files.exchange

    def killed(old: str, new: str) -> None:
        shutil.copy(next(Path(old).glob("*.parquet")), Path(old, "added.snappy.parquet"))
        real(old, new)
        raise KeyboardInterrupt

    shutil.copy(next(Path("gold").glob("*.parquet")), "gold/second.snappy.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(compact_files, "exchange", killed)
        with pytest.raises(KeyboardInterrupt):
            compact(SparkSession.getActiveSession, table_at("gold"))
    assert rows() == 2
    (place / "silver" / "b.csv").write_text("id\n2\n")
    run_job(JOB)
    assert rows() == 4
    assert not [path for path in Path().iterdir() if path.name.startswith(".gold")]
