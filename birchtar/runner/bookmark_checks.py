"""What an input may not say about a database or a bookmark although each value by itself is right."""

import re
from collections.abc import Iterator
from typing import get_args

from birchtar.lake.sink import Sink
from birchtar.lake.source import Format, Source
from birchtar.runner.complaints import Complaint
from birchtar.runner.document import Location

_DATABASE_KEYS = (
    "url",
    "table",
    "query",
    "user",
    "password",
    "bookmark_keys",
    "bookmark_order",
    "partition_column",
    "partitions",
    "lower_bound",
    "upper_bound",
    "fetch_size",
)
_RANGES = ("partition_column", "partitions", "lower_bound", "upper_bound")
_LIMITS = ("max_files", "max_bytes")
_FILE_KEYS = ("changed_files", *_LIMITS)
OF_BOOKMARKS = (*_FILE_KEYS, "bookmark_by", "bookmark_keys", "bookmark_order")
"""Keys that say nothing where there is no bookmark."""

_PINNED = {"versionasof", "timestampasof", "readchangefeed", "readchangedata", "startingversion", "endingversion"}
"""Options of Delta's reader, in lower case, that say what a bookmark is there to say."""

_SECRET_IN_URL = re.compile(
    r"(?i)[^:/@]@|[?&;,(:]\s*(user(name)?|uid|(?!password_?character)\w*(pass|pwd|secret|token)\w*)\s*="
)


def in_database(location: Location, read: Source) -> Iterator[Complaint]:
    """Yield what is wrong in the keys that say where rows come from."""
    if read.format != "jdbc":
        if "path" not in read.model_fields_set:
            yield Complaint(location, "`path` is missing.", of_key=True)
        for key in _said(read, _DATABASE_KEYS):
            yield Complaint((*location, key), f"`{key}` is for jdbc only, not for {read.format}.", of_key=True)
        return
    if read.path:
        yield Complaint((*location, "path"), "`path` is for files; a database has `url` and `table`.", of_key=True)
    if read.url is None:
        yield Complaint(location, "`url` is missing, such as jdbc:postgresql://host:5432/shop.", of_key=True)
    elif _SECRET_IN_URL.search(read.url):
        what = "the URL holds a user or password. Say where they are: `user: env:NAME`, `password: file:/path`."
        yield Complaint((*location, "url"), what)
    if (read.table is None) == (read.query is None):
        yield Complaint(location, "a database needs either `table` or `query`.", of_key=True)
    said = _said(read, _RANGES)
    if said and len(said) < len(_RANGES):
        missing = ", ".join(f"`{key}`" for key in _RANGES if key not in said)
        yield Complaint((*location, said[0]), f"`{said[0]}` needs {missing} beside it.", of_key=True)


def in_bookmark(location: Location, read: Source) -> Iterator[Complaint]:
    """Yield what is wrong in the keys that say what of an input is new."""
    kind = "delta" if read.format == "delta" else "jdbc" if read.format == "jdbc" else "files"
    for key, of in (*((key, "files") for key in _FILE_KEYS), ("bookmark_by", "delta"), ("bookmark_keys", "jdbc")):
        if key not in read.model_fields_set or (of == "jdbc" and kind != "jdbc"):
            continue
        if kind != of:
            what = f"`{key}` is for a bookmark of {_NAMES[of]}, not of {_NAMES[kind]}."
            yield Complaint((*location, key), what, of_key=True)
        elif not read.bookmark:
            yield Complaint((*location, key), f"`{key}` says nothing without `bookmark: true`.", of_key=True)
    if not read.bookmark:
        return
    if kind == "jdbc" and not read.bookmark_keys:
        what = "a bookmark of a database's table needs `bookmark_keys`: columns that grow from row to row."
        yield Complaint((*location, "bookmark"), what, of_key=True)
    for key in sorted({key for key in read.bookmark_keys if read.bookmark_keys.count(key) > 1}):
        yield Complaint((*location, "bookmark_keys"), f"`{key}` stands here twice.")
    if kind == "delta":
        if len(read.paths) > 1:
            yield Complaint((*location, "path"), "a bookmark of a Delta table takes one path.")
        for option in read.options:
            if option.lower() in _PINNED:
                what = f"`{option}` says which versions are read, and so does the bookmark."
                yield Complaint((*location, "options", option), what, of_key=True)


_NAMES = {"files": f"files ({', '.join(sorted(set(get_args(Format)) - {'delta'}))})", "delta": "a Delta table"}
_NAMES["jdbc"] = "a database's table"


def replaces_what_it_keeps(written: Sink, bookmarked: str, read: Source) -> str | None:
    """Return what is wrong where a bookmarked input feeds an output: null if nothing is.

    What a run reads is never all of the input, so an output may not replace rows that only earlier runs have read.
    """
    if written.mode == "overwrite":
        said = "is overwritten" if "mode" in written.model_fields_set else "is overwritten, as outputs are by default"
        there = "" if written.replace_where is None else f" where `{written.replace_where}` is true"
        return _may_not(said, bookmarked, f"what earlier runs wrote{there} would be gone")
    if written.mode != "overwrite_partitions":
        return None
    if not written.partitions_arrive_whole:
        lost = "where a partition's rows come in several runs, those that earlier runs wrote would be gone"
        unless = ", or `partitions_arrive_whole: true` if each comes in one run"
        return _may_not("replaces partitions", bookmarked, lost, unless)
    limits = [key for key in _LIMITS if getattr(read, key) is not None]
    if not limits:
        return None
    return (
        f"`partitions_arrive_whole` cannot hold, for the input `{bookmarked}` has `{limits[0]}`: the rows of a"
        " partition may come in several runs, of which the last would replace the others. Leave out one of the two."
    )


def _may_not(said: str, bookmarked: str, lost: str, unless: str = "") -> str:
    return (
        f"the output {said}, but of its input `{bookmarked}` a run reads only what is new (`bookmark: true`): {lost}."
        f" Take `mode: append`, or for Delta `mode: merge` with `keys`, or no bookmark{unless}."
    )


def _said(read: Source, keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if key in read.model_fields_set]
