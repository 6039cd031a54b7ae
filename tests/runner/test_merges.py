"""Two processes that merge into one table at once."""

import time
from pathlib import Path

from deltalake import DeltaTable
from killed_run import Began

from birchtar.lake.delta.lock import committing

JOB = """
inputs: {rows: {path: rows.csv, format: csv, schema: "id INT, version INT, word STRING"}}
outputs: {rows: {path: %s/table, format: delta, mode: merge, keys: [id], order_by: version}}
"""


def job(folder: Path, *rows: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "job.yaml").write_text(JOB % folder.parent)
    (folder / "rows.csv").write_text("id,version,word\n" + "".join(f"{row}\n" for row in rows))


def test_two_processes_merge_into_one_table_at_once_and_the_newest_row_of_each_key_stays(
    in_our_java, tmp_path, monkeypatch
):
    job(tmp_path / "a", "1,1,a", "2,2,a", "3,1,a")
    job(tmp_path / "b", "1,2,b", "2,1,b", "4,1,b")
    table = tmp_path / "table"
    running = []
    # Nobody may make the table before both are about to: one of them then meets the other's commit for certain.
    with committing(f"file:{table}"):
        for name in ("a", "b"):
            monkeypatch.chdir(tmp_path / name)
            running.append(Began(in_our_java))
        last = time.monotonic() + 120
        while len(list(table.glob("*.parquet"))) < 2:
            assert time.monotonic() < last
            time.sleep(0.05)
    assert [process.was_killed() for process in running] == [False, False]
    made = DeltaTable(str(table))
    rows = made.to_pyarrow_table(columns=["id", "version", "word"]).to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == [(1, 2, "b"), (2, 2, "a"), (3, 1, "a"), (4, 1, "b")]
    assert made.version() == 1
