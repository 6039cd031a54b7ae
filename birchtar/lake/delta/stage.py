"""Phase 1 of a write to a Delta table: the rows are on disk, and no reader sees them."""

from pyspark.sql import DataFrame

from birchtar.lake.delta.folder import delete_folder, hidden_folder, write_folder
from birchtar.lake.delta.log import Log, holds_plain_parquet
from birchtar.lake.delta.plan import Label, Plan, Staged
from birchtar.lake.delta.transaction import write_uncommitted
from birchtar.lake.errors import LakeError
from birchtar.lake.sink import Sink


def stage(df: DataFrame, sink: Sink, path: str, label: Label) -> Staged:
    """Write the rows of a frame without making them part of the table. Starts the Spark jobs that compute the frame.

    Args:
        df: What to write, laid out as its files shall be.
        sink: Mode and options of the output.
        path: The table's folder, with its scheme. No table need be there.
        label: Names this write for ever; see `Label`.

    Returns:
        The plan by which any process can publish the rows, and the open transaction for this process. `publish` takes
        both; `discard` takes the plan and removes what was staged.

    Raises:
        LakeError: The table has published this number of the app already.
    """
    log = Log(df.sparkSession, path)
    _refuse_known_number(log, label)
    if log.version() >= 0 and not holds_plain_parquet(log):
        return _in_folder(df, path, log)
    pending = write_uncommitted(df, sink, path, label)
    plan: Plan = {
        "kind": "files",
        "folder": path,
        "files": pending.files,
        "schema": df.schema.jsonValue(),
        "rows": sum(file["rows"] for file in pending.files),
        "bytes": sum(file["bytes"] for file in pending.files),
        "base": int(pending.transaction.readVersion()),
        "warnings": [],
    }
    return Staged(plan, pending)


def _refuse_known_number(log: Log, label: Label) -> None:
    """Refuse a write that the table would take for one that it has: its rows would be lost without a word."""
    if log.has_published(label):
        raise LakeError.at(
            [log.path],
            f"the table has the rows of run {label.version} or a later one of `{label.app}` already. The state database"
            " that counts the runs is not the one that this table was written with, or an older copy of it."
            " Bring back the newer one (BIRCHTAR_STATE_URL), or give the job another name.",
        )


def _in_folder(df: DataFrame, path: str, log: Log) -> Staged:
    folder = hidden_folder(path)
    try:
        files, rows = write_folder(df, folder)
    except BaseException:
        delete_folder(df.sparkSession, folder)
        raise
    plan: Plan = {
        "kind": "folder",
        "folder": folder,
        "files": files,
        "schema": df.schema.jsonValue(),
        "rows": rows,
        "bytes": sum(file["bytes"] for file in files),
        "base": log.version(),
        "warnings": [],
    }
    return Staged(plan)
