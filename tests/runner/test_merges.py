"""Two processes that merge into one table at once."""

import subprocess
import sys
import time
from pathlib import Path

from deltalake import DeltaTable

from birchtar.lake.delta.lock import committing

SCRIPT = Path(__file__).with_name("merging_run.py")
TIMES = 2


def test_two_processes_merge_into_one_table_at_once_and_the_newest_row_of_each_key_stays(in_our_java, tmp_path):
    table = tmp_path / "table"
    # Nobody may make the table before both are about to: one of them then meets the other's commit for certain.
    with committing(f"file:{table}"):
        running = [
            subprocess.Popen(
                [sys.executable, SCRIPT, table, str(number), str(TIMES)],
                env=in_our_java,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in (1, 2)
        ]
        last = time.monotonic() + 120
        while len(list(table.glob("*.parquet"))) < 2 and time.monotonic() < last:
            assert None in [process.poll() for process in running]
            time.sleep(0.05)
    told = [process.communicate(timeout=300) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert sum(int(conflicts) for conflicts, _ in told) >= 1
    rows = DeltaTable(str(table)).to_pyarrow_table(columns=["id", "version", "word"]).to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == [
        (0, 22, "2-2"),
        (1, 22, "2-2"),
        (2, 22, "2-2"),
        (101, 1, "own"),
        (102, 1, "own"),
        (201, 1, "own"),
        (202, 1, "own"),
    ]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["table"]
