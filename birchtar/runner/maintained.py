"""The tables that `compact` and `vacuum` are told to look after."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from birchtar.lake.errors import LakeError
from birchtar.lake.files import is_hidden
from birchtar.lake.maintain import Table, table_at
from birchtar.lake.paths import absolute, covers, is_local, local
from birchtar.lake.sink import Sink
from birchtar.runner.load import load

if TYPE_CHECKING:
    from birchtar.state.database import State

_CONFIGS = (".yaml", ".yml")


def tables_of(said: str) -> list[Table]:
    """Return the table in a folder, or all that a job writes and that are there. Starts no Spark.

    Raises:
        ConfigError: The job's config is wrong.
        LakeError: There is no such folder, or no table in it.
    """
    if not said.lower().endswith(_CONFIGS):
        return [table_at(said)]
    plan = load(said)
    collections = {table.name for table in plan.tables if table.is_collection}
    return [
        Table(path, sink.format, sink.target_file_size, tuple(sink.zorder_by), _has_header(sink))
        for name, sink in plan.job.outputs.items()
        for path in (_members(sink.path) if name in collections else [sink.path])
        if not is_local(path) or Path(local(path)).is_dir()
    ]


def require_unread(table: Table) -> None:
    """Refuse to put files together that a bookmark knows: the large ones would be new to it, their rows read again.

    Raises:
        LakeError: With the jobs. Delta tables are read by version, so it does not matter to them.
    """
    if table.format == "delta":
        return
    from birchtar.state.bookmark_views import bookmarks_below

    state = _state()
    if state is not None and (known := bookmarks_below(state, absolute(table.path))):
        readers = ", ".join(f"{job} (input {name})" for job, name in known)
        raise LakeError.at(
            [table.path],
            f"bookmarks know its files: {readers}. Compacted files would be new to them, and all rows be read again."
            " Write the table as Delta, which is read by version; or reset the bookmark (`birchtar bookmark reset`).",
        )


def require_published(table: Table) -> None:
    """Refuse to clean up beside a table for which an unfinished run has rows that wait to be published.

    Raises:
        LakeError: With the run, and what to do.
    """
    from birchtar.state.publishing import waiting_outputs

    state, path = _state(), absolute(table.path)
    for job, run, plan in waiting_outputs(state) if state is not None else ():
        if covers(path, plan["path"]) or covers(plan["path"], path):
            raise LakeError.at(
                [table.path],
                f"run {run} of job `{job}` is not finished: rows that it has computed wait beside the table. Run the"
                f" job again, which publishes them, or give them up with `birchtar abandon {job}`.",
            )


def _state() -> "State | None":
    """Return the state database, if there is one."""
    # Here, for with it comes SQLAlchemy, which takes longer to load than all else that a table of text files needs.
    from birchtar.state.database import open_state
    from birchtar.state.errors import NoStateError

    try:
        return open_state(must_exist=True)
    except NoStateError:
        return None


def _members(path: str) -> Iterator[str]:
    """Yield the folders of an output that is several tables."""
    for entry in sorted(Path(local(path)).iterdir()) if is_local(path) and Path(local(path)).is_dir() else ():
        if entry.is_dir() and not is_hidden(entry.name):
            yield str(entry)


def _has_header(sink: Sink) -> bool:
    said = {key.lower(): str(value).lower() for key, value in sink.options.items()}
    return said.get("header", "true") == "true"
