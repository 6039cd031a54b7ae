"""A small job that touches what most jobs need, run once to record Spark's classes (`birchtar.runtime.class_data`)."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from birchtar.runtime.class_data import archive
from birchtar.runtime.home import folder_in_home
from birchtar.runtime.jars import require_jars
from birchtar.runtime.java import Java

_LONGEST = 300
"""Seconds. A machine that takes longer does without."""

_JOB = """
inputs:
  orders: {path: orders.json, format: json}
  towns: {path: towns.csv, format: csv, schema: {town: string, people: int}}
tables:
  flat: {from: orders, steps: [relationalize: {}]}
  joined:
    from: orders
    steps:
      - join: {other: towns, keys: [town], how: left}
      - filter_rows: {where: people > 1}
      - drop_fields: {paths: items.sku}
  counts: {sql: "SELECT town, count(*) AS orders, sum(people) AS people FROM joined GROUP BY ALL ORDER BY town"}
outputs:
  flat: {path: flat, format: parquet}
  joined: {path: joined, format: delta, partition_by: [town]}
  counts: {path: counts, format: csv}
"""


def record_class_data(java: Java) -> Path | None:
    """Record Spark's classes for the Java in use, unless that was done; takes some ten seconds.

    Safe to run beside itself: the archive appears under its name when it is whole.

    Returns:
        The new archive. None where it was there, or where this Java cannot make one; all works without, only slower.

    Raises:
        RuntimeSetupError: A jar is missing.
    """
    wanted = archive(java, require_jars())
    if wanted.exists():
        return None
    with TemporaryDirectory(dir=folder_in_home("java")) as folder:
        recorded = Path(folder) / "new.jsa"
        command = [sys.executable, "-m", __name__, str(recorded)]
        try:
            subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=_LONGEST)  # noqa: S603 - ourselves
            recorded.replace(wanted)
        except (OSError, subprocess.SubprocessError):
            return None
    return wanted


def write_job() -> Path:
    """Write the job and its input to the current folder; return the config."""
    orders = [{"order": n, "town": "Ulm", "items": [{"sku": "a", "tags": ["x"]}, {"sku": "b"}]} for n in range(9)]
    Path("orders.json").write_text("\n".join(map(json.dumps, orders)), encoding="utf-8")
    Path("towns.csv").write_text("town,people\nUlm,120000\n", encoding="utf-8")
    config = Path("job.yaml")
    config.write_text(_JOB, encoding="utf-8")
    return config


def main(recording: Path) -> None:
    """Run the job in the current folder, in a Java that writes the archive when it ends."""
    from rich.console import Console

    from birchtar.runner.load import load
    from birchtar.runner.progress import Progress
    from birchtar.runner.run import run
    from birchtar.runner.session import start
    from birchtar.state.database import open_state

    plan = load(write_job())
    spark = start(recording=recording)
    run(plan, spark, open_state("sqlite:///state.db"), Progress(Console(quiet=True), spark.sparkContext))
    spark.stop()
    java = spark.sparkContext._gateway.proc  # type: ignore[union-attr]  # it is there in a session that we started
    java.stdin.close()
    # An archive that Java did not write to its end would make a later Java crash.
    if code := java.wait():
        sys.exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
