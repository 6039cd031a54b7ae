"""Phase 1 of a write to a Delta table: the rows are on disk, and no reader sees them."""

from contextlib import suppress

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.columns import require_fitting_columns
from birchtar.lake.delta.dead_files import delete_dead, delete_unmade_log
from birchtar.lake.delta.discard import delete_staged
from birchtar.lake.delta.folder import delete_folder, write_folder
from birchtar.lake.delta.log import Log, holds_plain_parquet
from birchtar.lake.delta.mergeable import (
    event_columns,
    require_mergeable,
    require_one_row_per_key,
    require_times,
    require_valid,
    widened_times,
)
from birchtar.lake.delta.plan import Plan, Staged
from birchtar.lake.delta.replaced import Guard
from birchtar.lake.delta.schema_changes import Fit, fit
from birchtar.lake.delta.staged_rows import staged_rows
from birchtar.lake.delta.transaction import Pending, write_uncommitted
from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.hidden import hidden_folder, remove_dead
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink


def stage(df: DataFrame, sink: Sink, path: str, label: Label) -> Staged:
    """Write the rows of a frame without making them part of the table. Starts the Spark jobs that compute the frame.

    Where the table's data files are plain Parquet, the rows go into such files, inside the table's folder but in no
    commit. For `merge` and `scd2`, and where a column has to be widened first, they go into a hidden folder beside it.
    What a process leaves that is killed here no reader meets; the next attempt of the run deletes it.

    Args:
        df: What to write, laid out as its files shall be.
        sink: Mode and options of the output.
        path: The table's folder, with its scheme. No table need be there.
        label: Names this write for ever; see `Label`.

    Returns:
        The plan by which any process can publish the rows, and the open transaction for this process. `publish` takes
        both; `discard` takes the plan and removes what was staged.

    Raises:
        LakeError: The rows do not fit the table, `replace_where`, or the keys of a merge; or the table has published
            this number of the app already.
    """
    log = Log(df.sparkSession, path)
    _refuse_known_number(log, label)
    if label.attempt > 1:
        delete_dead(log, label, range(1, label.attempt))
    there = log.version() >= 0
    fitting = _fit(df, sink, path, log)
    if sink.mode in ("merge", "scd2"):
        require_mergeable(fitting.df, sink, path, StructType.fromJson(log.schema()) if there else None)
        staged = _in_folder(fitting, sink, path, log, label)
        _require_sound(df.sparkSession, staged, sink, log)
        return staged
    if there and (fitting.widen or not holds_plain_parquet(log)):
        return _in_folder(fitting, sink, path, log, label)
    return _in_files(fitting, sink, path, label)


def _refuse_known_number(log: Log, label: Label) -> None:
    """Refuse a write that the table would take for one that it has: its rows would be lost without a word."""
    if log.has_published(label):
        raise LakeError.at(
            [log.path],
            f"the table has the rows of run {label.version} or a later one of `{label.app}` already. The state database"
            " that counts the runs is not the one that this table was written with, or an older copy of it."
            " Bring back the newer one (BIRCHTAR_STATE_URL), or give the job another name.",
        )


def _fit(df: DataFrame, sink: Sink, path: str, log: Log) -> Fit:
    if sink.schema_changes == "fail" or sink.mode not in ("append", "merge", "scd2"):
        require_fitting_columns(df, sink, path)
        return Fit(df)
    table = event_columns(StructType.fromJson(log.schema()), sink) if log.version() >= 0 else None
    fitting = fit(df, table, sink.schema_changes, path, never_rescued=[*sink.keys, *filter(None, [sink.order_by])])
    if sink.mode == "scd2":
        fitting.widen |= widened_times(fitting.widen, sink)
    return fitting


def _require_sound(spark: SparkSession, staged: Staged, sink: Sink, log: Log) -> None:
    """Find out before anything is published what would keep the rows from being merged for ever."""
    rows = staged_rows(spark, staged.plan)
    try:
        if sink.mode == "scd2":
            require_times(rows, sink, log.path)
        elif sink.order_by is None:
            require_one_row_per_key(rows, sink, log.path)
        require_valid(rows, sink, log)
    except BaseException:
        delete_folder(spark, staged.plan["folder"])
        raise


def _in_files(fitting: Fit, sink: Sink, path: str, label: Label) -> Staged:
    guard = None if sink.replace_where is None else Guard(sink.replace_where)
    pending = _written(guard.inside(fitting.df) if guard else fitting.df, sink, path, label)
    try:
        if guard:
            guard.check(path)
    except LakeError:
        delete_staged(fitting.df.sparkSession, path, pending.files)
        delete_unmade_log(pending.log)
        raise
    plan: Plan = {
        "kind": "files",
        "folder": path,
        "files": pending.files,
        "schema": fitting.df.schema.jsonValue(),
        "rows": sum(file["rows"] for file in pending.files),
        "bytes": sum(file["bytes"] for file in pending.files),
        "base": int(pending.transaction.readVersion()),
        "widen": {},
        "warnings": fitting.warnings,
    }
    return Staged(plan, pending)


def _written(df: DataFrame, sink: Sink, path: str, label: Label) -> Pending:
    try:
        return write_uncommitted(df, sink, path, label)
    except BaseException:
        with suppress(Exception):  # what went wrong first is what the user has to hear
            log = Log(df.sparkSession, path)
            delete_dead(log, label, [label.attempt])
            delete_unmade_log(log)
        raise


def _in_folder(fitting: Fit, sink: Sink, path: str, log: Log, label: Label) -> Staged:
    folder = hidden_folder(path, label)
    remove_dead(FileSystem(fitting.df.sparkSession, path), path, label)
    guard = None if sink.replace_where is None else Guard(sink.replace_where)
    try:
        files, rows = write_folder(guard.inside(fitting.df) if guard else fitting.df, folder)
        if guard:
            guard.check(path)
    except BaseException:
        delete_folder(fitting.df.sparkSession, folder)
        raise
    plan: Plan = {
        "kind": "folder",
        "folder": folder,
        "files": files,
        "schema": fitting.df.schema.jsonValue(),
        "rows": rows,
        "bytes": sum(file["bytes"] for file in files),
        "base": log.version(),
        "widen": fitting.widen,
        "warnings": fitting.warnings,
    }
    return Staged(plan)
