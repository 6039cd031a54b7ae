"""Rejected rows, read from their files without Spark."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birchtar.runner.failures import JobError
from birchtar.runner.places import QUARANTINE, quarantine_path, resolved_path
from transforms.errors import say_known

if TYPE_CHECKING:
    from birchtar.state.database import State


def require_here(job: str, chosen: Mapping[str, str | int | None], state: "State | None" = None) -> None:
    """Refuse to look for rejected rows below a folder that has none, where the state database knows of some.

    Args:
        job: The job's name.
        chosen: What columns of the quarantine have to hold; None: anything.
        state: Where they are counted; else it is opened, if it is there.

    Raises:
        JobError: With the folder; the job ran in another one, or its quarantine was deleted.
    """
    folder = Path(quarantine_path(job)).absolute()
    if folder.is_dir():
        return
    # Here, for with them comes SQLAlchemy, which takes longer to load than the rows to read.
    from birchtar.state.database import open_state
    from birchtar.state.errors import NoStateError
    from birchtar.state.quarantine import list_rejects

    try:
        state = state or open_state(must_exist=True)
    except NoStateError:
        return
    found = list_rejects(state, job)
    meant = (each for each in found if all(wanted in (None, getattr(each, key)) for key, wanted in chosen.items()))
    if left := sum(each.rows - each.resolved for each in meant):
        raise JobError(
            f"There is no folder {folder}, but {left:,} rejected rows of the job `{job}` are not resolved, as"
            f" {state.place} has it. Go to the folder that the job runs in: its quarantine lies below it."
        )


def records(
    job: str,
    *,
    reason: str | None = None,
    run: int | None = None,
    table: str | None = None,
    rule: str | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Return rejected rows of a job that no replay has resolved, the newest first; None of a choice means all.

    Raises:
        JobError: The job has no quarantine below the current folder.
    """
    import pyarrow
    import pyarrow.compute as pc

    # Neither pyarrow's data sets nor nanoseconds: they bring pandas with them, which takes longer than all of this.
    from pyarrow.parquet import ParquetFile

    folder = Path(quarantine_path(job))
    files = sorted(folder.glob("*.parquet"))
    if not files:
        there = [path.name for path in Path(QUARANTINE).glob("[!_.]*")]
        hint = say_known(job, there, kind="job")
        raise JobError(
            f"{folder} holds no rejected rows: no run of `{job}` that published its outputs rejected any. Of a run that"
            f" was stopped `birchtar runs` shows why, with some rows. {hint}"
        )
    chosen = {"code": reason, "run": run, "table": table, "rule": rule}
    # Of files of several versions the newest knows all columns.
    files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    tables = [_chosen(ParquetFile(file, coerce_int96_timestamp_unit="us").read(), chosen) for file in files]
    found = pyarrow.concat_tables(tables, promote_options="default")
    for file in Path(resolved_path(job)).glob("*.parquet"):
        resolved = ParquetFile(file).read(["id"])["id"]
        found = found.filter(pc.invert(pc.is_in(found["id"], value_set=resolved)))
    order = pc.sort_indices(found, [("run", "descending"), ("table", "ascending"), ("id", "ascending")])
    return found.take(order).slice(0, limit).to_pylist()  # type: ignore[no-any-return]  # pyarrow has no types


def _chosen(rows: Any, chosen: dict[str, str | int | None]) -> Any:
    """Return those rows of a table of pyarrow that hold some values; a column that is not there holds none."""
    import pyarrow.compute as pc

    for column, wanted in chosen.items():
        if wanted is not None:
            there = column in rows.column_names
            rows = rows.filter(pc.equal(rows[column], wanted)) if there else rows.slice(0, 0)
    return rows
