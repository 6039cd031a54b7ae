"""The runs of jobs as a table for people."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from birchtar.runner.output_console import output_console
from birchtar.state.history import PastRun


def print_runs(past: Iterable[PastRun]) -> None:
    """Print a line per run: its state, when it started, how long it took, how many rows it read, wrote and rejected."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("job", overflow="fold")
    for heading in ("run", "state", "started (UTC)", "seconds", "read", "written", "rejected"):
        table.add_column(heading, justify="left" if heading.startswith("sta") else "right", no_wrap=True)
    table.add_column("error", overflow="fold")
    for run in past:
        seconds = f"{(run.finished_at - run.started_at) / timedelta(seconds=1):,.1f}" if run.finished_at else "-"
        rows = (_rows(run.report, kind) for kind in ("inputs", "outputs", "rejects"))
        started = f"{run.started_at:%Y-%m-%d %H:%M:%S}"
        error = run.error or ""
        table.add_row(Text(run.job), str(run.number), _state(run), started, seconds, *rows, Text(error))
    output_console().print(table)


def _state(run: PastRun) -> str:
    """Say of a run whose process is gone that it is: the next one of the job takes it over."""
    name = " ".join([run.state, *([] if run.kind == "run" else [run.kind]), *([run.scope] if run.scope else [])])
    return f"{name}, died" if run.is_dead else name


def _rows(report: dict[str, Any] | None, kind: str) -> str:
    """Add up the rows of a report's inputs, outputs or rejects, as far as they were counted."""
    if report is None or kind not in report:
        return "-"
    counted = [part["rows"] for part in report[kind] if part.get("rows") is not None]
    return f"{sum(counted):,}" if counted or not report[kind] else "-"
