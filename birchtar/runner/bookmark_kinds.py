"""The kinds of bookmarks: what of an input a job remembers."""

from birchtar.lake.source import Source
from birchtar.state.bookmarks import FILES

DELTA, CHANGES, KEYS, RANGE = "delta", "changes", "keys", "range"
"""Versions of a Delta table, for rows that were appended or for all changes; keys of a database's table, and an
interval of them."""


def kind_of(source: Source) -> str:
    """Return of which kind an input's bookmark is.

    Example:
        >>> kind_of(Source(path="x", format="csv")), kind_of(Source(path="x", format="delta"))
        ('files', 'delta')
    """
    return {"delta": DELTA if source.bookmark_by == "version" else CHANGES, "jdbc": KEYS}.get(source.format, FILES)
