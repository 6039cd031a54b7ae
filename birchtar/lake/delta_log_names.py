"""What the log of a Delta table of this machine tells by its files' names, without Spark."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from birchtar.lake.errors import LakeError
from birchtar.lake.label import Label
from birchtar.lake.paths import local

_VERSION = re.compile(r"(\d{20})\.(json|checkpoint\..+)")


class Commit(NamedTuple):
    """One version of a table."""

    version: int
    operation: str
    """Such as WRITE or MERGE; empty where the commit does not say."""
    at: datetime | None


def newest_local(path: str) -> int:
    """Return the newest version of a table.

    Raises:
        LakeError: There is no Delta table.
    """
    newest = _newest(path)
    if newest < 0:
        raise LakeError(f"{local(path)}: there is no Delta table.")
    return newest


def local_commits(path: str, start: int, end: int) -> list[Commit]:
    """Return versions of a table, both ends included, as far as their commits are still in the log."""
    commits = []
    for version in range(start, end + 1):
        file = _file(path, version)
        if file.is_file():
            commits.append(_commit(version, file))
    return commits


def local_version_of(path: str, label: Label, after: int) -> int | None:
    """Return the version by which a write was published, if that came after another version and is still in the log."""
    wanted = {"appId": label.app, "version": label.version}
    for version in range(_newest(path), after, -1):
        file = _file(path, version)
        if file.is_file() and wanted.items() <= _action("txn", file).items():
            return version
    return None


def _newest(path: str) -> int:
    """Return the newest version of a table; -1 where there is none."""
    found = [int(match[1]) for name in _names(Path(local(path), "_delta_log")) if (match := _VERSION.fullmatch(name))]
    return max(found, default=-1)


def _file(path: str, version: int) -> Path:
    return Path(local(path), "_delta_log", f"{version:020}.json")


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []


def _commit(version: int, file: Path) -> Commit:
    info = _action("commitInfo", file)
    moment = info.get("inCommitTimestamp") or info.get("timestamp")
    at = datetime.fromtimestamp(moment / 1000, UTC) if moment else None
    return Commit(version, str(info.get("operation", "")), at)


def _action(kind: str, file: Path) -> dict[str, Any]:
    """Return the first action of a kind in a commit; none where it has no such."""
    with file.open(encoding="utf-8") as lines:
        return next((found for line in lines if (found := json.loads(line).get(kind))), {})
