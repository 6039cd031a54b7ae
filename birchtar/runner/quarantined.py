"""Rejected rows, read from their files without Spark."""

from pathlib import Path
from typing import Any

from birchtar.runner.failures import JobError
from birchtar.runner.places import QUARANTINE, quarantine_path
from transforms.errors import say_known


def records(
    job: str,
    *,
    reason: str | None = None,
    run: int | None = None,
    table: str | None = None,
    rule: str | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Return rejected rows of a job, the newest first; None of a choice means all.

    Raises:
        JobError: The job has no quarantine below the current folder.
    """
    import pyarrow.compute as pc
    from pyarrow import dataset

    folder = Path(quarantine_path(job))
    files = sorted(map(str, folder.glob("*.parquet")))
    if not files:
        there = [path.name for path in Path(QUARANTINE).glob("[!_.]*")]
        hint = say_known(job, there, kind="job")
        raise JobError(f"{folder} holds no rejected rows: no run of `{job}` rejected any. {hint}")
    # Of files of several versions the newest knows all columns.
    schema = dataset.dataset(max(files, key=lambda file: Path(file).stat().st_mtime)).schema
    chosen = {"code": reason, "run": run, "table": table, "rule": rule}
    condition = None
    for column, wanted in chosen.items():
        if wanted is not None:
            holds = pc.field(column) == wanted
            condition = holds if condition is None else condition & holds
    found = dataset.dataset(files, schema=schema).to_table(filter=condition)
    newest = found.sort_by([("run", "descending"), ("table", "ascending"), ("id", "ascending")])
    return newest.slice(0, limit).to_pylist()  # type: ignore[no-any-return]  # pyarrow has no types
