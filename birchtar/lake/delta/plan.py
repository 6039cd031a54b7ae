"""What the two phases of a write tell each other."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict


class StagedFile(TypedDict):
    """A data file that waits to be published."""

    path: str
    """Below the table, or below the hidden folder."""
    partition: dict[str, str | None]
    """As Delta's log would have it: texts, times in UTC."""
    rows: int
    bytes: int


class Plan(TypedDict):
    """All that another process needs to publish what was staged. Plain JSON."""

    kind: Literal["files", "folder"]
    """``files``: Delta's own data files, inside the table, in no commit. ``folder``: a hidden Parquet folder."""
    folder: str
    """Where the files are: the table or the hidden folder."""
    files: list[StagedFile]
    schema: dict[str, Any]
    """Of the rows, as Spark writes it in JSON."""
    rows: int
    bytes: int
    base: int
    """The table's version when it was staged; -1 where there was no table."""
    widen: dict[str, str]
    """Columns of the table that have to take another type before the rows fit."""
    warnings: list[str]
    """What the user should hear about columns that did not fit."""


@dataclass(frozen=True)
class Staged:
    """Rows that wait to be published."""

    plan: Plan
    pending: Any = field(default=None, repr=False)
    """The open transaction, in the process that staged; a plan alone does without."""

    @property
    def rows(self) -> int:
        """Return the staged rows; those of a merge before it is known which of them win."""
        return self.plan["rows"]

    @property
    def files(self) -> int:
        """Return the staged files."""
        return len(self.plan["files"])

    @property
    def bytes(self) -> int:
        """Return the bytes of the staged files."""
        return self.plan["bytes"]


@dataclass(frozen=True)
class Published:
    """What publishing added to a table."""

    files: int
    bytes: int
    version: int | None
    """The table's new version. None where nothing had to change, or an earlier try had published already."""
    retries: int = 0
    """How often another writer came in between, and it was tried again."""
    skipped: bool = False
    """An earlier try had published already; files and bytes are those that were staged."""
    inserted: int = 0
    """Rows that a merge added; of other modes all rows."""
    updated: int = 0
    deleted: int = 0
