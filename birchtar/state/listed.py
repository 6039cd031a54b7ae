"""What a listing of an input's files tells of each: its path, its size, and when it was last changed."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple


class ListedFile(NamedTuple):
    """A file as a listing showed it."""

    path: str
    """Absolute, with its scheme, and nothing in it encoded: ``file:/data/a b%.csv``."""
    size: int
    """In bytes."""
    modified: int
    """Microseconds since 1970, UTC; of other file systems than the local one, whole milliseconds."""


_AT_ONCE = 10_000
"""Paths that are put into a digest together."""


@dataclass(frozen=True)
class Listing:
    """Files, held side by side: a million of them take a third of the memory that as many tuples do.

    Example:
        >>> listing = Listing.of([ListedFile("file:/a", 3, 1_000_000)])
        >>> len(listing), list(listing)
        (1, [ListedFile(path='file:/a', size=3, modified=1000000)])
    """

    paths: list[str] = field(default_factory=list)
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    modified: "array[int]" = field(default_factory=lambda: array("q"))

    @classmethod
    def of(cls, files: Iterable[ListedFile]) -> "Listing":
        """Return the listing of some files, in their order."""
        listing = cls()
        for file in files:
            listing.add(*file)
        return listing

    def add(self, path: str, size: int, modified: int) -> None:
        """Add a file at the end."""
        self.paths.append(path)
        self.sizes.append(size)
        self.modified.append(modified)

    def digest(self) -> str:
        """Return a digest of all paths, sizes and times in their order."""
        made = blake2b(digest_size=16)
        for start in range(0, len(self), _AT_ONCE):
            made.update("\0".join([*self.paths[start : start + _AT_ONCE], ""]).encode())
        made.update(self.sizes.tobytes() + self.modified.tobytes())
        return made.hexdigest()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: int) -> ListedFile:
        return ListedFile(self.paths[position], self.sizes[position], self.modified[position])

    def __iter__(self) -> Iterator[ListedFile]:
        return map(ListedFile, self.paths, self.sizes, self.modified)
