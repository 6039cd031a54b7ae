"""Files in buckets by the crc32 of their paths, and a digest of each bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from zlib import crc32

from birchtar.state.listed import Listing

_DIGEST_BYTES = 16


@dataclass(frozen=True)
class Buckets:
    """A listing, put in order by buckets. There are 65,536; those without files are not in here."""

    digests: dict[int, bytes]
    """Of each bucket with files: of all its paths, sizes and times, the same whatever the order of the listing."""
    _order: Sequence[int]
    _bounds: dict[int, tuple[int, int]]

    def positions(self, number: int) -> Sequence[int]:
        """Return where in the listing the files of a bucket are."""
        start, end = self._bounds[number]
        return self._order[start:end]


def bucket_of(path: str) -> int:
    """Return the bucket of a path."""
    return crc32(path.encode()) >> 16


def in_buckets(listing: Listing) -> Buckets:
    """Put the files of a listing in buckets. A path may be in it only once.

    A bucket is the upper half of the crc32, and in it files go by crc32 and path: so one sort of numbers, which is
    cheap, puts all files in their places, and only those few with the same crc32 are compared by their texts.

    Example:
        >>> from birchtar.state.listed import ListedFile
        >>> one, other = ListedFile("file:/a", 1, 2), ListedFile("file:/b", 3, 4)
        >>> in_buckets(Listing.of([one, other])).digests == in_buckets(Listing.of([other, one])).digests
        True
    """
    import numpy as np  # takes longer to load than those commands need that only look into the state database

    names = list(map(str.encode, listing.paths))
    sums = np.fromiter(map(crc32, names), dtype=np.uint32, count=len(names))
    order = _order(sums, names)
    facts = np.empty((len(names), 2), dtype="<i8")
    facts[:, 0] = np.asarray(listing.sizes)[order]
    facts[:, 1] = np.asarray(listing.modified)[order]
    numbers, starts = np.unique(sums[order] >> 16, return_index=True)
    ends = [*starts[1:].tolist(), len(names)]
    bounds = dict(zip(numbers.tolist(), zip(starts.tolist(), ends, strict=False), strict=False))
    ordered = np.array(names, dtype=object)[order].tolist()
    return Buckets(_digests(bounds, ordered, facts.tobytes()), order.tolist(), bounds)


def _order(sums: Any, names: Sequence[bytes]) -> Any:
    """Return the positions by crc32, and where these are the same by path."""
    import numpy as np

    order = np.argsort(sums)
    ordered = sums[order]
    for value in np.unique(ordered[1:][ordered[1:] == ordered[:-1]]):
        start, end = np.searchsorted(ordered, value), np.searchsorted(ordered, value, side="right")
        order[start:end] = sorted(order[start:end], key=names.__getitem__)
    return order


def _digests(bounds: dict[int, tuple[int, int]], names: Sequence[bytes], facts: bytes) -> dict[int, bytes]:
    """Return blake2b of each bucket's paths and, behind an empty one, its sizes and times, 16 bytes per file."""
    return {
        number: blake2b(
            b"\0".join([*names[start:end], b"", facts[16 * start : 16 * end]]), digest_size=_DIGEST_BYTES
        ).digest()
        for number, (start, end) in bounds.items()
    }
