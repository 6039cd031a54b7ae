"""Which files of a bookmarked input the next run reads, of all that are new or changed."""

from dataclasses import dataclass, field

from birchtar.lake.source import Source
from birchtar.state.known_files import Difference
from birchtar.state.listed import Listing


@dataclass(frozen=True)
class NextFiles:
    """What an input's own keys make of a difference."""

    chosen: Listing
    """Read by the next run, the oldest first."""
    wanted: Listing
    """Also those that the input's limits leave for later runs."""
    ignored: Listing = field(default_factory=Listing)
    """Changed since they were read, and not to be read again."""


def next_files(source: Source, difference: Difference) -> NextFiles:
    """Choose files as the input says by ``changed_files``, ``max_files`` and ``max_bytes``."""
    wanted, ignored = difference.new, Listing()
    if source.changed_files == "report":
        ignored = difference.changed
    elif difference.changed:
        wanted = Listing.of([*wanted, *difference.changed])
    return NextFiles(first(wanted, max_files=source.max_files, max_bytes=source.most_bytes), wanted, ignored)


def first(files: Listing, *, max_files: int | None = None, max_bytes: int | None = None) -> Listing:
    """Return the oldest files, by time and then by path, as many as the limits allow; at least one, if there is one.

    Example:
        >>> from birchtar.state.listed import ListedFile
        >>> files = Listing.of([ListedFile("b", 5, 1), ListedFile("a", 5, 1), ListedFile("c", 5, 0)])
        >>> first(files, max_bytes=10).paths
        ['c', 'a']
    """
    taken, total = Listing(), 0
    for file in sorted(files, key=lambda file: (file.modified, file.path)):
        total += file.size
        is_over = (max_files is not None and len(taken) >= max_files) or (max_bytes is not None and total > max_bytes)
        if is_over and len(taken):
            break
        taken.add(*file)
    return taken
