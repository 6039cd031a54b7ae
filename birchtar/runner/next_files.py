"""Which files of a bookmarked input the next run reads, of all that are new or changed."""

from dataclasses import dataclass, field

from birchtar.lake.read_files import first
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
