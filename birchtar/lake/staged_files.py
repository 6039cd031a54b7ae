"""Tables of plain files, written in two phases: staged in a hidden folder beside the table, then moved into it.

A reader meets whole files only; one that has listed a folder just before it is replaced may find a file gone, which is
an error, never wrong rows. What is staged is published by renames that another process can finish, however often
it begins again: a hidden mark in a staged folder tells whether that folder is still the new one, or by now the old.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from birchtar.lake.compact_files import recover_dead
from birchtar.lake.errors import LakeError
from birchtar.lake.exchange import exchange
from birchtar.lake.files import DataFile, FileSystem, is_hidden
from birchtar.lake.hidden import hidden_folder, remove_dead
from birchtar.lake.label import Label
from birchtar.lake.paths import is_local, local
from birchtar.lake.table_folders import require_same_spelling

Plan = Mapping[str, Any]
"""How to publish what is staged; plain values, for the state database."""

_WRITE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def stage_files(
    spark: SparkSession, save: Callable[[str], None], mode: str, path: str, label: Label
) -> tuple[Plan, list[DataFile]]:
    """Write files beside the table; nothing of the table changes.

    Args:
        spark: The session, for its file system.
        save: Writes the files to a folder that is not there yet.
        mode: What the files do to the table.
        path: The table's folder.
        label: The run and output.

    Returns:
        The plan for `publish_files`, and the files.
    """
    files = FileSystem(spark, path)
    staged, mark = hidden_folder(path, label), f".{label.folder}"
    remove_dead(files, path, label)
    if is_local(path):
        recover_dead(Path(local(path)))
    try:
        save(staged)
        written = list(files.data_files(staged))
        folders = _folders(written) if mode == "overwrite_partitions" else [""] if mode == "overwrite" else []
        require_same_spelling(files, path, folders)
        for folder in folders:
            files.touch(f"{_below(staged, folder)}/{mark}")
    except BaseException:
        files.delete(staged)
        raise
    plan = {"hidden": staged, "path": path, "mode": mode, "folders": folders, "mark": mark}
    return plan | {"write": _write_of(written)}, written


def files_in_place(plan: Plan) -> list[str] | None:
    """Return which appended files of a plan are in their table by now; None where that cannot be seen from here."""
    if plan["mode"] != "append" or not is_local(plan["path"]) or not plan.get("write"):
        return None
    table = Path(local(plan["path"]))
    found = sorted(str(file.relative_to(table)) for file in table.rglob(f"*{plan['write']}*"))
    return [name for name in found if not any(map(is_hidden, name.split("/")))]


def publish_files(spark: SparkSession, plan: Plan) -> None:
    """Move what is staged into the table. Safe to begin again, also by another process, until `clean_files`.

    To append moves the files one by one, each whole: a reader may see some of them only. To replace a folder lets it
    change places with the staged one, in one step where the system can; else two renames do it, between which a reader
    finds no folder.

    Raises:
        LakeError: What was staged is gone, and was not published.
    """
    files = FileSystem(spark, plan["path"])
    staged, path, mark = plan["hidden"], plan["path"], plan["mark"]
    if not files.exists(staged) and not files.exists(f"{path}/{mark}"):
        shown = staged.removeprefix("file:")
        raise LakeError(
            f"{shown} is gone: its rows were computed, but did not reach the table yet."
            " `birchtar abandon JOB` gives the run up; the next one reads the same inputs again."
        )
    for folder in plan["folders"]:
        _replace(files, _below(staged, folder), _below(path, folder), mark)
    if plan["mode"] == "append":
        _append(files, staged, path)


def clean_files(spark: SparkSession, plan: Plan) -> None:
    """Delete what publishing left: the old files, the marks, the hidden folder. Also discards what is not published."""
    files = FileSystem(spark, plan["path"])
    for folder in plan["folders"]:
        files.delete(f"{_below(plan['path'], folder)}/{plan['mark']}")
    files.delete(_replaced(plan["hidden"]))
    files.delete(plan["hidden"])


def _write_of(written: list[DataFile]) -> str | None:
    """Return what the names of all files of a write have in common, and no other file's."""
    found = _WRITE.search(written[0].name) if written else None
    return found and found[0]


def _append(files: FileSystem, staged: str, path: str) -> None:
    for file in list(files.data_files(staged)):
        files.move(f"{staged}/{file.name}", f"{path}/{file.name}")


def _replace(files: FileSystem, staged: str, path: str, mark: str) -> None:
    """Put a staged folder in the place of the table's, unless that was done."""
    if not files.exists(f"{staged}/{mark}"):
        return
    old = _replaced(staged)
    if files.exists(path) and not files.exists(old):
        if is_local(path) and exchange(local(staged), local(path)):
            return
        files.move(path, old)
    if files.exists(path):
        _append(files, staged, path)  # somebody wrote between the two renames; a dead process never made the second
        files.delete(f"{staged}/{mark}")
    else:
        files.move(staged, path)


def _folders(written: list[DataFile]) -> list[str]:
    return sorted({file.name.rpartition("/")[0] for file in written})


def _below(root: str, folder: str) -> str:
    return f"{root}/{folder}" if folder else root


def _replaced(staged: str) -> str:
    return f"{staged.removesuffix('.staged')}.replaced"
