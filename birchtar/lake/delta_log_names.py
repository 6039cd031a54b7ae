"""What the log of a Delta table of this machine tells by its files' names, without Spark."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from birchtar.lake.errors import LakeError
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
    folder = Path(local(path), "_delta_log")
    found = [int(match[1]) for name in _names(folder) if (match := _VERSION.fullmatch(name))]
    if not found:
        raise LakeError(f"{local(path)}: there is no Delta table.")
    return max(found)


def local_commits(path: str, start: int, end: int) -> list[Commit]:
    """Return versions of a table, both ends included, as far as their commits are still in the log."""
    commits = []
    for version in range(start, end + 1):
        file = Path(local(path), "_delta_log", f"{version:020}.json")
        if file.is_file():
            commits.append(_commit(version, file))
    return commits


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []


def _commit(version: int, file: Path) -> Commit:
    with file.open(encoding="utf-8") as lines:
        info: dict[str, Any] = next((found for line in lines if (found := json.loads(line).get("commitInfo"))), {})
    moment = info.get("inCommitTimestamp") or info.get("timestamp")
    at = datetime.fromtimestamp(moment / 1000, UTC) if moment else None
    return Commit(version, str(info.get("operation", "")), at)
