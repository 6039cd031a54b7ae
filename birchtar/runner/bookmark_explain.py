"""Why one file was read or not, and whether the next run would read it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import islice

from sqlalchemy import Connection

from birchtar.lake.errors import LakeError
from birchtar.lake.files import is_hidden
from birchtar.lake.listing_filters import file_filter
from birchtar.lake.local_listing import expanded
from birchtar.lake.paths import absolute, covers, is_local, local
from birchtar.lake.source import Source
from birchtar.runner.bookmark_diff import listing_of
from birchtar.runner.bookmark_kinds import kind_of
from birchtar.runner.command_options import StartSpark
from birchtar.runner.moments import shown
from birchtar.runner.next_files import next_files
from birchtar.state.bookmark_views import Reader, reader, reads_now, set_back
from birchtar.state.bookmarks import FILES, find_bookmark
from birchtar.state.database import State
from birchtar.state.known_files import Difference, Explanation, explain, latest_files, new_files
from birchtar.state.listed import ListedFile, Listing

_NOBODY = -1
"""An id that no bookmark has: it knows no file."""

_CHOOSING = ("pathGlobFilter", "modifiedBefore", "modifiedAfter")
"""Options of Spark's reader that leave files out by their names and times."""

_COMPARED = 2_000
"""Paths among which the closest is looked for."""


@dataclass(frozen=True)
class Verdict:
    """What is known of a file in one input."""

    input: str
    state: str
    """new, changed, known, left, ignored, gone, missing, hidden, excluded, folder, unread or unknown."""
    is_next: bool
    """Whether the next run reads it."""
    why: str
    read_by: Reader | None = None
    """The run, or the user's change, that it is known by."""
    read_as: ListedFile | None = None
    """As it was then."""
    listed: ListedFile | None = None
    """As it is now."""
    reads_now: Reader | None = None
    """A run that is not finished, and means to read it."""


def explain_file(
    state: State, job: str, inputs: Mapping[str, Source], path: str, start: StartSpark
) -> tuple[list[Verdict], str | None]:
    """Return what every input makes of a file, and where none has to do with it the closest path that one knows.

    Args:
        state: Where bookmarks are kept.
        job: The job's name.
        inputs: All inputs of the job, with paths as Spark takes them.
        path: The file, as a user names it.
        start: Starts Spark, which lists what is not on this machine.
    """
    file, near, verdicts = absolute(path), list[str](), list[Verdict]()
    for name, source in inputs.items():
        if source.format == "jdbc":
            continue
        if not source.bookmark or kind_of(source) != FILES:
            verdicts += _without_files(name, source, file)
        else:
            verdicts += _of_files(state, job, name, source, file, start, near)
    closest = None if verdicts else next(iter(get_close_matches(file, near, 1, cutoff=0.5)), None)
    return verdicts, closest


def _without_files(name: str, source: Source, file: str) -> Iterable[Verdict]:
    if any(covers(root, file) for root in _roots(source)):
        if source.bookmark:
            why = "it belongs to a Delta table, of which the bookmark knows versions, not files"
            yield Verdict(name, "unread", False, f"{why}: see `birchtar bookmark diff`.")
        else:
            why = "the input has no bookmark: every run reads all of its files, whatever runs before have read."
            yield Verdict(name, "unread", True, why)


def _of_files(
    state: State, job: str, name: str, source: Source, file: str, start: StartSpark, near: list[str]
) -> Iterable[Verdict]:
    trouble = ""
    try:
        listed = listing_of(source, start)
    except LakeError as error:
        listed, trouble = Listing(), f" The input cannot be listed now: {error}"

    def look(connection: Connection) -> tuple[Explanation, Reader | None, Reader | None, Difference, Reader | None]:
        bookmark = find_bookmark(connection, job, name)
        of = bookmark.id if bookmark else _NOBODY
        found = explain(connection, of, file, listed)
        by = reader(connection, job, found.run_number) if found.run_number else None
        near.extend(_candidates(file, listed, [known.path for known, _ in latest_files(connection, of, _COMPARED)]))
        difference = new_files(connection, of, listed) if found.state in ("new", "changed") else Difference()
        return found, by, reads_now(connection, job, file), difference, set_back(connection, job, of)

    found, by, now, difference, back = state.read(look)
    verdict = partial(Verdict, name, read_by=by, read_as=found.known, listed=found.listed, reads_now=now)
    if found.state == "nowhere" and not any(covers(root, file) for root in _roots(source)):
        return
    if found.state == "known":
        yield verdict("known", False, "it is as it was when it was read.")
    elif found.listed is None:
        kind, why = _why_not_listed(source, file)
        kind = "gone" if found.known and kind == "missing" else kind
        yield verdict(kind, False, why + trouble)
    else:
        unread = "no run has read it" + (f" since the {back.kind}, number {back.number}" if back else "")
        yield verdict(*_listed(source, found, difference, unread))


def _listed(source: Source, found: Explanation, difference: Difference, unread: str) -> tuple[str, bool, str]:
    """Return state, whether it is read next, and why, of a file that is there and not known as it is."""
    files, path = next_files(source, difference), (found.listed or ListedFile("", 0, 0)).path
    what = _changes(found) if found.known else unread
    if path in files.ignored.paths:
        why = f"{what}, and the input says `changed_files: report`: it is told of, and not read again."
        return "ignored", False, why
    if path not in files.chosen.paths:
        before = sorted(files.wanted, key=lambda file: (file.modified, file.path))
        at = [file.path for file in before].index(path) + 1
        limits = ", ".join(
            f"`{key}: {value}`" for key in ("max_files", "max_bytes") if (value := getattr(source, key)) is not None
        )
        why = f"{what}, and {limits} leaves it for a later run: it is number {at:,} of {len(before):,}, by time."
        return "left", False, why
    return found.state, True, f"{what}."


def _changes(found: Explanation) -> str:
    then, now = found.known, found.listed
    if then is None or now is None:
        return ""
    parts = [f"from {then.size:,} to {now.size:,} bytes"] if then.size != now.size else []
    if then.modified != now.modified:
        parts.append(f"from {shown(then.modified)} to {shown(now.modified)}")
    return f"it has changed since it was read, {' and '.join(parts)}"


def _why_not_listed(source: Source, file: str) -> tuple[str, str]:
    """Return why a listing of the input does not have a file that lies below the input's paths, or did."""
    root = next((root for root in _roots(source) if covers(root, file)), None)
    below = file.removeprefix(root or "").strip("/") or file.rpartition("/")[2]
    hidden = next((part for part in below.split("/") if is_hidden(part)), None)
    if hidden is not None:
        return "hidden", f"the name `{hidden}` is hidden: Spark passes over names that begin with `_` or `.`."
    if is_local(file):
        place = local(file)
        if not os.path.exists(place):  # noqa: PTH110
            return "missing", "there is no such file any more." if root is None else "there is no such file."
        if os.path.isdir(place):  # noqa: PTH112
            return "folder", "it is a folder: name a file in it."
    if root is None:
        return "excluded", "it lies outside of the paths that the input has now."
    for option, value in source.options.items():
        if option.lower() in map(str.lower, _CHOOSING) and not _passes(option, str(value), source, file):
            return "excluded", f"the input's option `{option}: {value}` leaves it out."
    return "excluded", (
        "Spark reads the files of a folder itself or, where there are such, those in partition folders (`key=value`)"
        " below it; this one lies elsewhere. The option recursiveFileLookup reads all."
    )


def _passes(option: str, value: str, source: Source, file: str) -> bool:
    zone = {key.lower(): str(said) for key, said in source.options.items() if key.lower() == "timezone"}
    accepts = file_filter({option.lower(): value, **zone}, None)
    if accepts is None or not is_local(file):
        return True
    stat = os.stat(local(file))  # noqa: PTH116
    return accepts(ListedFile(file, stat.st_size, stat.st_mtime_ns // 1000))


def _roots(source: Source) -> list[str]:
    roots = []
    for path in source.paths:
        try:
            roots += [absolute(root) for root in expanded(path)] if is_local(path) else [path]
        except LakeError:
            roots.append(path)
    return roots


def _candidates(file: str, listed: Listing, known: list[str]) -> list[str]:
    """Return paths that may be meant: those of the same folder or name first, then any; not too many to compare."""
    folder, _, name = file.rpartition("/")
    alike = (path for path in listed.paths if path.startswith(f"{folder}/") or path.endswith(f"/{name}"))
    return list(dict.fromkeys([*islice(alike, _COMPARED), *known[:_COMPARED], *listed.paths[:_COMPARED]]))
