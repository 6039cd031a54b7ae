"""Where a user wants a bookmark to stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from birchtar.lake.errors import LakeError
from birchtar.lake.listing import list_files
from birchtar.lake.paths import absolute, is_local
from birchtar.lake.source import Source
from birchtar.runner.bookmark_diff import listing_of
from birchtar.runner.bookmark_kinds import kind_of
from birchtar.runner.command_options import StartSpark
from birchtar.runner.failures import JobError
from birchtar.state.bookmark_changes import Change, set_files, set_mark
from birchtar.state.bookmarks import FILES
from birchtar.state.database import State
from birchtar.state.listed import Listing
from transforms.errors import say_known


@dataclass(frozen=True)
class Wish:
    """What a user says; one of these."""

    files: Sequence[str] = ()
    """Files, folders and globs."""
    all_known: bool = False
    version: int | None = None
    keys: Sequence[str] = ()
    """Each as ``key=value``."""


def set_bookmark(state: State, job: str, name: str, source: Source, wish: Wish, start: StartSpark) -> list[Change]:
    """Set the bookmark of an input; what it then knows is never read. Returns what changed, nothing if all was so.

    Starts Spark for a version of a Delta table, which has to be there, and to look into databases and remote storage.

    Raises:
        JobError: The wish does not fit the input, or names what is not there.
        JobBusyError, StateError: As `birchtar.state.bookmark_changes.set_mark` and `set_files`.
    """
    kind = kind_of(source)
    _require_fitting(name, kind, wish)
    try:
        if kind == FILES:
            listed = listing_of(source, start)
            chosen = listed if wish.all_known else _chosen(name, source, listed, wish.files, start)
            return set_files(state, job, name, chosen)
        mark = _key_mark(name, source, wish, start) if kind == "keys" else _version(name, source, wish, start)
    except LakeError as error:
        raise JobError(f"input {name}: {error}") from error
    return set_mark(state, job, name, kind, mark)


def _require_fitting(name: str, kind: str, wish: Wish) -> None:
    said = [
        option
        for option, is_said in (
            ("--files", bool(wish.files)),
            ("--all-known", wish.all_known),
            ("--version", wish.version is not None),
            ("--keys", bool(wish.keys)),
        )
        if is_said
    ]
    own = {FILES: "--files", "keys": "--keys"}.get(kind, "--version")
    what = {FILES: "files", "keys": "a database's table"}.get(kind, "a Delta table")
    if len(said) != 1 or said[0] not in (own, "--all-known"):
        found = " and ".join(said) or "nothing"
        raise JobError(
            f"input {name}: its bookmark is one of {what}: it takes one of {own} and --all-known, not {found}."
        )


def _chosen(name: str, source: Source, listed: Listing, said: Sequence[str], start: StartSpark) -> Listing:
    known, wanted = {file.path: file for file in listed}, dict[str, None]()
    for path in said:
        try:
            spark = None if is_local(path) else start()
            below = list_files([absolute(path)], spark=spark, options={"recursiveFileLookup": True})
            found = [file.path for file in below if file.path in known]
        except LakeError:
            found = []
        if not found:
            hint = say_known(absolute(path), known, kind="file") if len(known) <= _FEW else ""
            raise JobError(f"input {name}: {path} is none of its {len(known):,} files. {hint}".strip())
        wanted |= dict.fromkeys(found)
    return Listing.of(known[path] for path in wanted)


_FEW = 2_000
"""Paths among which the closest is looked for."""


def _version(name: str, source: Source, wish: Wish, start: StartSpark) -> list[object]:
    from birchtar.lake.delta_changes import DeltaMark, newest

    last = newest(start(), source)
    if wish.version is None:
        return list(last)
    if not 0 <= wish.version <= last.version:
        raise JobError(f"input {name}: there is no version {wish.version}; the table's are 0 to {last.version}.")
    return list(DeltaMark(last.table, wish.version))


def _key_mark(name: str, source: Source, wish: Wish, start: StartSpark) -> dict[str, object] | None:
    from birchtar.lake.jdbc_bookmark import KeyMark, newest_keys

    if wish.all_known:
        last = newest_keys(start(), source, None)
        return last.as_json() if last else None
    said = dict(pair.partition("=")[::2] for pair in wish.keys if "=" in pair)
    if said.keys() != set(source.bookmark_keys) or len(said) != len(wish.keys):
        keys = " ".join(f"--keys {key}=VALUE" for key in source.bookmark_keys)
        raise JobError(f"input {name}: say a value of each of its `bookmark_keys`, once: {keys}.")
    return KeyMark.at(source, [said[key] for key in source.bookmark_keys]).as_json()
