"""The tables that `compact` and `vacuum` are told to look after."""

from collections.abc import Iterator
from pathlib import Path

from birchtar.lake.files import is_hidden
from birchtar.lake.maintain import Table, table_at
from birchtar.lake.paths import is_local, local
from birchtar.runner.load import load

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
        Table(path, sink.format, sink.target_file_size, tuple(sink.zorder_by))
        for name, sink in plan.job.outputs.items()
        for path in (_members(sink.path) if name in collections else [sink.path])
        if not is_local(path) or Path(local(path)).is_dir()
    ]


def _members(path: str) -> Iterator[str]:
    """Yield the folders of an output that is several tables."""
    for entry in sorted(Path(local(path)).iterdir()) if is_local(path) and Path(local(path)).is_dir() else ():
        if entry.is_dir() and not is_hidden(entry.name):
            yield str(entry)
