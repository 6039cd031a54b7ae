"""Which tables `compact` may put together."""

from pathlib import Path

import pytest

from birchtar.lake.errors import LakeError
from birchtar.lake.maintain import table_at
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
