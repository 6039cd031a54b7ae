"""What the next run of a job would read, found without running it. Writes nothing."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from birchtar.lake.delta_log_names import Commit, local_commits, newest_local
from birchtar.lake.errors import LakeError
from birchtar.lake.listing import list_files
from birchtar.lake.paths import is_local
from birchtar.lake.source import Source
from birchtar.runner.bookmark_kinds import KEYS, kind_of
from birchtar.runner.command_options import StartSpark
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.next_files import next_files
from birchtar.state.bookmark_views import Reader, unfinished
from birchtar.state.bookmarks import FILES, find_bookmark
from birchtar.state.database import State
from birchtar.state.known_files import Difference, count_known, gone_files, new_files
from birchtar.state.listed import ListedFile, Listing

_NOBODY = -1
"""An id that no bookmark has: it knows no file."""

_MOST_COMMITS = 100


@dataclass(frozen=True)
class InputDiff:
    """What the next run would read of one input."""

    input: str
    kind: str
    reads: list[tuple[str, ListedFile]] = field(default_factory=list)
    """Of files: new or changed, and the file."""
    left: int = 0
    """New or changed files that the input's limits leave for later runs."""
    ignored: list[ListedFile] = field(default_factory=list)
    """Changed files that are told of and not read."""
    known: int = 0
    """Files that are as they were when they were read."""
    gone: int = 0
    """Files that were read, and are not there any more."""
    some_gone: list[str] = field(default_factory=list)
    since: Any = None
    until: Any = None
    """Marks; of a Delta table versions, of a database's table keys."""
    commits: list[Commit] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return not self.reads if self.kind == FILES else self.until in (None, self.since)


def diff(state: State, job: str, inputs: dict[str, Source], start: StartSpark) -> list[InputDiff]:
    """Return what the next run would read of some inputs. Starts Spark only for databases and remote storage.

    Raises:
        JobError: An input cannot be listed.
    """
    found = []
    for name, source in inputs.items():
        try:
            found.append(_diff(state, job, name, source, start))
        except LakeError as error:
            raise JobError(f"input {name}: {sentence(error)}") from error
    return found


def comes_first(state: State, job: str) -> Reader | None:
    """Return the run that is not finished, and with which the next one has to do first."""
    return state.read(lambda connection: unfinished(connection, job))


def _diff(state: State, job: str, name: str, source: Source, start: StartSpark) -> InputDiff:
    kind = kind_of(source)
    if kind == FILES:
        return _diff_of_files(state, job, name, source, start)
    bookmark = state.read(lambda connection: find_bookmark(connection, job, name))
    mark = bookmark.mark if bookmark else None
    if kind == KEYS:
        from birchtar.lake.jdbc_bookmark import KeyMark, newest_keys

        last = newest_keys(start(), source, KeyMark(**mark) if mark else None)
        return InputDiff(name, kind, since=mark and _keys(mark), until=last and _keys(last.as_json()))
    path, since = source.paths[0], mark[1] if mark else None
    until = newest_local(path) if is_local(path) else _newest(source, start)
    is_short = since is not None and until - since <= _MOST_COMMITS and is_local(path)
    commits = local_commits(path, since + 1, until) if is_short and since is not None else []
    return InputDiff(name, kind, since=since, until=until, commits=commits)


def _newest(source: Source, start: StartSpark) -> int:
    from birchtar.lake.delta_changes import newest

    return newest(start(), source).version


def _diff_of_files(state: State, job: str, name: str, source: Source, start: StartSpark) -> InputDiff:
    listed = listing_of(source, start)

    def compare(connection: Connection) -> tuple[Difference, int, list[str]]:
        bookmark = find_bookmark(connection, job, name)
        of = bookmark.id if bookmark else _NOBODY
        difference = new_files(connection, of, listed)
        gone = count_known(connection, of) - difference.unchanged - len(difference.changed)
        return difference, gone, gone_files(connection, of, listed, _SOME) if gone else []

    difference, gone, some = state.read(compare)
    files, new = next_files(source, difference), set(difference.new.paths)
    reads = [("new" if file.path in new else "changed", file) for file in files.chosen]
    left = len(files.wanted) - len(files.chosen)
    return InputDiff(name, FILES, reads, left, list(files.ignored), difference.unchanged, gone, some)


def listing_of(source: Source, start: StartSpark) -> Listing:
    """Return an input's files as they are now; starts Spark only for remote storage.

    Raises:
        LakeError: They cannot be listed.
    """
    is_here = all(map(is_local, source.paths))
    return list_files(source.paths, spark=None if is_here else start(), options=source.options)


_SOME = 5


def _keys(mark: dict[str, Any]) -> dict[str, str]:
    return dict(zip(mark["keys"], mark["values"], strict=True))
