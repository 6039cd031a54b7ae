"""Keeping tables fit: small files become large ones, and what dead runs left goes away."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from birchtar.lake.compact_files import Compacted, compact_files, recover
from birchtar.lake.errors import LakeError
from birchtar.lake.files import is_hidden
from birchtar.lake.paths import absolute, is_local, local
from birchtar.lake.source import Format
from birchtar.lake.text_forms import size_in_bytes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_STAGED = re.compile(r"\.(?P<name>.+)\.[^.]+\.staged")
_ENDINGS: dict[str, Format] = {kind: kind for kind in ("avro", "csv", "json", "orc", "parquet")}


@dataclass(frozen=True)
class Table:
    """A table to be looked after."""

    path: str
    format: Format
    target_size: str = "128m"
    zorder_by: tuple[str, ...] = ()
    header: bool | None = None
    """Of CSV, whether each file begins with the names of its columns; None where nobody said."""


def age(said: str) -> timedelta:
    """Return an age such as ``7d``, ``12h`` or ``30m``.

    Raises:
        LakeError: It is no age.

    Example:
        >>> age("7d"), age("12h")
        (datetime.timedelta(days=7), datetime.timedelta(seconds=43200))
    """
    match = re.fullmatch(r"(\d+)([dhm])", said.strip().lower())
    if match is None:
        raise LakeError(f"`{said}` is no age; say it as 7d, 12h or 30m.")
    return timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[match[2]]: int(match[1])})


def table_at(path: str) -> Table:
    """Return the table in a local folder: Delta if it has a log, else of the one format that its files' names end in.

    Raises:
        LakeError: There is no such folder, or its files are of no format or several.
    """
    if not is_local(path):
        raise LakeError.at([path], "what kind of table this is cannot be seen from here. Name the job that writes it.")
    folder = Path(local(path))
    if not folder.is_dir():
        raise LakeError.at([path], "there is no such folder.")
    if (folder / "_delta_log").is_dir():
        return Table(path, "delta")
    found = {_ENDINGS[part] for name in _file_names(folder) for part in name.lower().split(".")[1:] if part in _ENDINGS}
    if len(found) != 1:
        there = ", ".join(sorted(found)) or "none"
        raise LakeError.at([path], f"its files should be of one format among {', '.join(_ENDINGS)}; found: {there}.")
    return Table(path, found.pop())


def compact(start: "Callable[[], SparkSession]", table: Table, where: str | None = None) -> Compacted:
    """Put a table's small files together. Rows, columns and partitions stay as they are.

    Delta commits, and readers keep the files of their version. Of other formats, one that has listed the files just
    before may find some gone: an error, never wrong rows.

    Args:
        start: Gives the Spark session. It is not called for CSV and JSON, nor where there is nothing to do.
        table: The table.
        where: A condition on its partition columns: only their files.

    Raises:
        LakeError: The table is not there, or not on a local disk and not Delta; or nobody said whether CSV files
            begin with a header.
    """
    target = size_in_bytes(table.target_size)
    if table.format == "delta":
        from birchtar.lake.delta.optimize import optimize

        done = optimize(start(), absolute(table.path), target, table.zorder_by, where)
        return Compacted(done.files_removed, done.files_added, done.bytes_removed, done.bytes_added, 1)
    folder = _local_folder(table)
    if table.format == "csv" and table.header is None:
        # Taken for a header, a first row that several files share would be gone; taken for a row, a header would come
        # back as one.
        raise LakeError.at([table.path], "do its CSV files begin with a header? Say --header or --no-header.")
    wanted = None if where is None else _matching(start(), folder, where)
    return compact_files(
        start,
        folder,
        table.format,
        target,
        lambda below: wanted is None or below in wanted,
        header=table.header is not False,
    )


def vacuum(start: "Callable[[], SparkSession]", table: Table, older_than: timedelta, *, dry_run: bool) -> list[str]:
    """Delete what nobody needs any more, and return the paths: staged files of dead runs; of Delta also old versions.

    Args:
        start: Gives the Spark session; called for Delta only.
        table: The table.
        older_than: What was touched since then stays: a run may still want to publish it. What a dead compaction left
            goes at any age.
        dry_run: Delete nothing.

    Raises:
        LakeError: The table is not there or is being compacted, or an age that is not safe.
    """
    gone = []
    if table.format == "delta":
        from birchtar.lake.delta.optimize import vacuum as vacuum_delta

        gone += vacuum_delta(start(), absolute(table.path), older_than, dry_run=dry_run)
        if not is_local(table.path):
            return gone
    folder = _local_folder(table)
    dead = recover(folder, dry_run=dry_run)
    gone += map(str, dead)
    for left in _left_behind(folder, older_than):
        if left.resolve() not in dead:
            gone.append(str(left))
            if not dry_run:
                shutil.rmtree(left)
    return gone


def _left_behind(table: Path, older_than: timedelta) -> Iterator[Path]:
    """Yield the hidden folders of runs that are long gone, beside a table and beside its partitions."""
    before = time.time() - older_than.total_seconds()
    beside = [path for path in table.parent.glob(".*.staged") if _name(path) == table.name]
    for path in [*beside, *table.rglob(".*.staged")]:
        if path.is_dir() and _name(path) and not _intent_of(path).exists() and _last_touched(path) < before:
            yield path


def _name(path: Path) -> str | None:
    match = _STAGED.fullmatch(path.name)
    return match and match["name"]


def _intent_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".staged") + ".compact.json")


def _last_touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _local_folder(table: Table) -> Path:
    if not is_local(table.path):
        raise LakeError.at([table.path], "only local folders of plain files can be looked after; or write Delta.")
    folder = Path(local(table.path))
    if not folder.is_dir():
        raise LakeError.at([table.path], "there is no such folder.")
    return folder


def _file_names(folder: Path) -> Iterator[str]:
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        yield from (name for name in files if not is_hidden(name))


def _matching(spark: "SparkSession", table: Path, where: str) -> set[str]:
    """Return the partition folders for which a condition holds. Their values are texts, which Spark casts as needed."""
    from pyspark.errors import PySparkException

    folders = [path.relative_to(table).as_posix() for path in table.rglob("*=*") if path.is_dir()]
    folders = [folder for folder in folders if not any(map(is_hidden, folder.split("/")))]
    rows = [(folder, *(value for _, value in _partition(folder))) for folder in folders]
    depth = max(map(len, rows), default=0)
    rows = [row for row in rows if len(row) == depth]
    if not rows:
        raise LakeError.at([str(table)], "it has no partitions that `where` could choose from.")
    names = [name for name, _ in _partition(str(rows[0][0]))]
    schema = ", ".join(f"`{name}` STRING" for name in ("_birchtar_folder", *names))
    try:
        found = spark.createDataFrame(rows, schema).where(where).select("_birchtar_folder").collect()
    except PySparkException as error:
        raise LakeError.at([str(table)], f"where: {str(error).splitlines()[0]}") from error
    return {row[0] for row in found}


def _partition(folder: str) -> list[tuple[str, str | None]]:
    pairs = (part.partition("=") for part in folder.split("/"))
    return [(name, None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)) for name, _, value in pairs]
