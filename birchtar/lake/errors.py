"""What can be wrong with stored data."""

from collections.abc import Iterable, Sequence


class LakeError(ValueError):
    """Stored data is not what was asked for."""


class SchemaMismatchError(LakeError):
    """Files do not have the declared columns."""

    @classmethod
    def of(cls, missing: Sequence[str], there: Iterable[str], paths: Sequence[str]) -> "SchemaMismatchError":
        """Return the error for columns that are declared but not in the files."""
        files = ", ".join(path.removeprefix("file:") for path in paths)
        names = ", ".join(f"`{name}`" for name in missing)
        return cls(f"{files}: the schema names {names}, which the files do not have. They have: {', '.join(there)}.")
