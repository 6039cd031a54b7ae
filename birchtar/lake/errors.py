"""What can be wrong with stored data."""

from collections.abc import Iterable, Sequence
from typing import Self


class LakeError(ValueError):
    """Stored data is not what was asked for."""

    @classmethod
    def at(cls, paths: Sequence[str], what: str) -> Self:
        """Return the error for what is wrong with the files at some paths."""
        return cls(f"{', '.join(path.removeprefix('file:') for path in paths)}: {what}")


class MissingPathError(LakeError):
    """A path or glob leads to nothing."""


class SchemaMismatchError(LakeError):
    """Files do not have the declared columns."""

    @classmethod
    def of(cls, missing: Sequence[str], there: Iterable[str], paths: Sequence[str]) -> "SchemaMismatchError":
        """Return the error for columns that are declared but not in the files."""
        return cls.at(
            paths,
            f"the schema names {', '.join(f'`{name}`' for name in missing)},"
            f" which the files do not have. They have: {', '.join(there)}.",
        )
