"""Many small files of a folder become few, in one step for readers, whoever else adds files to it meanwhile.

The new files, and links to those that stay as they are, are made in a hidden folder beside the table, never inside of
it: globs such as DuckDB's ``table/**/*.parquet`` look into hidden folders too. Then the two folders change places, and
files that came to the old one after it was listed are moved over. An intent file says what was listed: whoever finds
one finishes what a killed process began, or takes it back: the next compaction, `vacuum`, or run that adds files.

A reader that has listed a folder just before may find a file of it gone: an error, never wrong rows. What another job
adds between the listing and the exchange is out of sight from the exchange until it is moved over.
"""

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from birchtar.lake.compact_lock import CompactedElsewhereError, alone, lock_of
from birchtar.lake.exchange import exchange
from birchtar.lake.files import is_hidden
from birchtar.lake.rewrite import Kind, TypesChangedError, clean, kind_of, rewrite
from birchtar.lake.source import Format

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_INTENT = "compact.json"
_UNFINISHED = f"{_INTENT}.unfinished"
_TRACE = re.compile(r"\.(?P<table>.+)\.[0-9a-f]{32}\.(staged|replaced|compact\.json(\.unfinished)?)")
_NEAR = 0.75
"""A file of this part of the target size is left as it is."""


@dataclass
class Compacted:
    """What compaction did to a table."""

    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    folders: int = 0
    """Folders in which it put files together."""
    left: list[str] = field(default_factory=list)
    """Why some folder was left as it is."""


@dataclass(frozen=True)
class _Intent:
    table: Path
    folder: Path
    """The table's, or one below it."""
    token: str
    old: list[str]
    """The files that the new ones take the place of."""
    listed: list[str]
    """All files that were there when it began."""
    new: list[str]
    """The files that were made."""

    @property
    def staged(self) -> Path:
        """Return where the new folder is made; after the exchange it is the old one."""
        return self._beside("staged")

    @property
    def replaced(self) -> Path:
        """Return where the old folder goes where two cannot change places."""
        return self._beside("replaced")

    @property
    def file(self) -> Path:
        """Return where this is written down."""
        return self._beside(_INTENT)

    def _beside(self, kind: str) -> Path:
        return self.table.parent / f".{self.table.name}.{self.token}.{kind}"

    def write(self) -> None:
        """Write it down, so that it outlives the process and the machine."""
        parent = self.table.parent
        said = {"table": self.table.name, "folder": self.folder.relative_to(parent).as_posix()}
        unfinished = self._beside(_UNFINISHED)
        with unfinished.open("w", encoding="utf-8") as opened:
            opened.write(json.dumps(vars(self) | said))
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.rename(self.file)

    @classmethod
    def read(cls, file: Path) -> "_Intent":
        """Return what was written down. Inside of tables lie those of versions that took a partition for a table."""
        said = json.loads(file.read_text(encoding="utf-8"))
        said["table"] = said.get("table", said["folder"])
        return cls(**said | {name: file.parent / said[name] for name in ("table", "folder")})


def compact_files(
    start: "Callable[[], SparkSession]",
    table: Path,
    form: Format,
    target: int,
    where: Callable[[str], bool],
    *,
    header: bool = True,
) -> Compacted:
    """Put the small files of each folder of a local table together. Rows, columns and partitions stay as they are.

    Args:
        start: Gives the Spark session; called where a format needs it and there is something to do.
        table: The table's folder.
        form: Its format.
        header: Of CSV, whether each file begins with the names of its columns.
        target: About how many bytes the new files shall have.
        where: Whether to look at a folder, by its path below the table, such as ``year=2024/month=1``.

    Raises:
        LakeError: Another compaction works on it, and does not end soon.
    """
    told, table = Compacted(), table.resolve()
    root = _root(table)
    with alone(root):
        _recover(root)
        for folder in [table, *sorted(path for path in table.rglob("*") if path.is_dir())]:
            below = folder.relative_to(table)
            if any(map(is_hidden, below.parts)) or not where("" if below == Path() else below.as_posix()):
                continue
            if not folder.is_dir():
                continue  # another job has removed it since
            if (table / "_temporary").exists():
                told.left.append(f"{table}: another Spark is writing to it (`_temporary`).")
                break
            _compact_folder(start, root, folder, form, target, told, header)
    return told


def recover(table: Path, *, dry_run: bool = False) -> list[Path]:
    """Finish or take back what killed compactions of a table began, and delete what they left.

    Args:
        table: The table's folder.
        dry_run: Change nothing.

    Returns:
        The hidden folders that are gone by that, or would be.

    Raises:
        LakeError: A compaction is at work, and does not end soon.
    """
    root = _root(table.resolve())
    if not lock_of(root).exists() and not any(_traces(root)):
        return []
    with alone(root):
        left = sorted(path for path in _traces(root) if path.is_dir())
        if not dry_run:
            _recover(root)
    return left


def recover_dead(table: Path) -> None:
    """Do what `recover` does, if there is anything beside the table and no compaction is at work. Else cheap."""
    root = _root(table.resolve())
    if any(_beside(root)):
        with suppress(CompactedElsewhereError), alone(root, patience=0):
            _recover(root)


def _root(folder: Path) -> Path:
    """Return the folder of the whole table, where that of a partition may be given."""
    while "=" in folder.name:
        folder = folder.parent
    return folder


def _recover(table: Path) -> None:
    """Tidy up behind dead compactions of a table; to be called by who holds its lock, so that none is alive."""
    for path in [path for path in _traces(table) if path.name.endswith(f".{_INTENT}")]:
        _settle(_Intent.read(path))
    for path in list(_traces(table)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _traces(table: Path) -> Iterator[Path]:
    """Yield what compactions keep beside a table, and what they kept beside its partitions in earlier versions."""
    yield from list(_beside(table))
    for path in table.rglob(".*=*"):
        match = _TRACE.fullmatch(path.name)
        if match and "=" in match["table"]:
            yield path


def _beside(table: Path) -> Iterator[Path]:
    for path in table.parent.glob(".*"):
        match = _TRACE.fullmatch(path.name)
        if match and match["table"] == table.name:
            yield path


def _compact_folder(
    start: "Callable[[], SparkSession]",
    table: Path,
    folder: Path,
    form: Format,
    target: int,
    told: Compacted,
    header: bool,
) -> None:
    listed = _data_files(folder)
    sizes = {file: file.stat().st_size for file in listed}
    told.files_before += len(listed)
    told.bytes_before += sum(sizes.values())
    inode = folder.stat().st_ino
    groups = dict[Kind, list[Path]]()
    for file in listed:
        if sizes[file] < _NEAR * target and (kind := kind_of(file, form, header=header)) is not None:
            groups.setdefault(kind, []).append(file)
    wanted = {kind: -(-sum(map(sizes.__getitem__, files)) // target) for kind, files in groups.items()}
    groups = {kind: files for kind, files in groups.items() if len(files) > max(1, wanted[kind])}
    if groups and (why := _why_not(table, folder)):
        told.left.append(f"{folder}: {why}.")
        groups = {}
    if groups:
        old = [file for files in groups.values() for file in files]
        old_names, listed_names = [file.name for file in old], [file.name for file in listed]
        intent = _Intent(table, folder, uuid.uuid4().hex, old_names, listed_names, [])
        try:
            _stage(start, intent, form, {kind: (files, wanted[kind]) for kind, files in groups.items()})
        except TypesChangedError as error:
            told.left.append(f"{folder}: Spark would change its types. {error}.")
        else:
            if _put_in_place(intent, inode):
                told.folders += 1
            else:
                told.left.append(f"{folder}: another job replaced it meanwhile.")
    now = _data_files(folder)
    told.files_after += len(now)
    told.bytes_after += sum(file.stat().st_size for file in now)


def _why_not(table: Path, folder: Path) -> str | None:
    """Return why no other folder can be put in the place of one."""
    if any(entry.is_dir() and not is_hidden(entry.name) for entry in folder.iterdir()):
        return "it holds files and folders side by side"
    if folder.is_symlink():
        return "it is a link"
    if folder.stat().st_dev != table.parent.stat().st_dev:
        return f"it is on another disk than {table.parent}, from where the new files would be moved"
    return None


def _stage(
    start: "Callable[[], SparkSession]", intent: _Intent, form: Format, groups: dict[Kind, tuple[list[Path], int]]
) -> None:
    """Make the whole new folder, then write down what it is for: what has no intent file is only rubbish."""
    try:
        intent.staged.mkdir()
        for number, (kind, (files, wanted)) in enumerate(groups.items()):
            part = intent.staged / f".{intent.token}-{number}"
            rewrite(start, form, kind, files, part, wanted)
            clean(part)
            for file in part.iterdir():
                file.rename(intent.staged / file.name)
                intent.new.append(_data_name(file.name))
            part.rmdir()
        for entry in intent.folder.iterdir():
            name = _data_name(entry.name)
            if name in intent.listed and name not in intent.old:
                (intent.staged / entry.name).hardlink_to(entry)
        shutil.copymode(intent.folder, intent.staged)
        intent.write()
    except BaseException:
        shutil.rmtree(intent.staged, ignore_errors=True)
        raise


def _put_in_place(intent: _Intent, inode: int) -> bool:
    is_there = intent.folder.is_dir() and intent.folder.stat().st_ino == inode
    if is_there and not exchange(str(intent.folder), str(intent.staged)):
        _rename_twice(intent)
    return _settle(intent)


def _rename_twice(intent: _Intent) -> None:
    intent.folder.rename(intent.replaced)
    while not _try_rename(intent.staged, intent.folder):
        # Another job made the folder anew for a file of its own: that comes along.
        _move_over(intent.folder, intent.staged, ())
        shutil.rmtree(intent.folder)


def _try_rename(source: Path, target: Path) -> bool:
    try:
        source.rename(target)
    except OSError:
        if not target.exists():
            raise
        return False
    return True


def _settle(intent: _Intent) -> bool:
    """Bring a folder to its old or its new state, wherever a process stopped. Return whether it is the new one.

    The new files are in the folder that was made for them, so where they are tells whether it has taken its place.
    """
    if _holds_any(intent.staged, intent.new):
        if intent.replaced.exists():
            _put_back(intent)
        _drop(intent, intent.staged, intent.new)
        return False
    behind = intent.replaced if intent.replaced.exists() else intent.staged
    if not behind.exists():
        intent.file.unlink(missing_ok=True)
        return True
    if intent.new and not _holds_any(intent.folder, intent.new):
        # Another job has replaced the folder since, and with it all that was added to the old one.
        intent.file.unlink(missing_ok=True)
        shutil.rmtree(behind)
        return False
    if not all((behind / name).exists() for name in intent.old):
        # It is not what was listed, but what another job had put in its place: that goes back.
        if not exchange(str(intent.folder), str(behind)):
            intent.folder.rename(intent.staged)
            behind.rename(intent.folder)
            behind = intent.staged
        _drop(intent, behind, intent.new)
        return False
    _drop(intent, behind, ())
    return True


def _put_back(intent: _Intent) -> None:
    if intent.folder.exists():
        _move_over(intent.folder, intent.replaced, ())
        shutil.rmtree(intent.folder)
    intent.replaced.rename(intent.folder)


def _drop(intent: _Intent, folder: Path, new: Collection[str]) -> None:
    """Delete a folder, once all that others put into it is where it belongs. Without the intent file it is rubbish."""
    _move_over(folder, intent.folder, {*intent.listed, *new})
    intent.file.unlink(missing_ok=True)
    shutil.rmtree(folder)


def _move_over(source: Path, target: Path, but: Collection[str]) -> None:
    for entry in source.iterdir():
        if _data_name(entry.name) not in but and not (target / entry.name).exists():
            entry.rename(target / entry.name)


def _holds_any(folder: Path, names: list[str]) -> bool:
    return any((folder / name).exists() for name in names)


def _data_files(folder: Path) -> list[Path]:
    """Return the files of a folder; none where another job has removed it."""
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(file for file in files if file.is_file() and not is_hidden(file.name))


def _data_name(name: str) -> str:
    """Return the file that a checksum of Hadoop's belongs to; of other names the name itself."""
    return name.removeprefix(".").removesuffix(".crc") if name.startswith(".") and name.endswith(".crc") else name
