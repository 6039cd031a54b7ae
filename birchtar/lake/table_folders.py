"""Whether files fit the folders of a table that is there already: readers pass over those that do not."""

import errno
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import unquote

from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.label import Label
from birchtar.lake.paths import is_local, local
from birchtar.lake.writable import refusal


def require_same_folders(files: FileSystem, path: str, partition_by: Sequence[str]) -> None:
    """Refuse to add files by other partition columns than the table has. Looks at one file of it.

    Raises:
        LakeError: The table has others, or none.
    """
    first = next(files.data_files(path), None) if files.exists(path) else None
    if first is None:
        return
    there = [unquote(folder.partition("=")[0]) for folder in first.name.split("/")[:-1] if "=" in folder]
    if there != list(partition_by):
        raise LakeError.at(
            [path],
            f"the table is partitioned by {_named(there)}, and the output says {_named(partition_by)}: readers would"
            f" not see all rows. Say `partition_by: [{', '.join(there)}]`, write to another place, or replace the table"
            " with `mode: overwrite`.",
        )


def require_same_spelling(files: FileSystem, path: str, folders: Iterable[str]) -> None:
    """Refuse to replace a partition that the table has by another text of its value, such as 01 for 1.

    Raises:
        LakeError: There is one; its rows would stay beside the new ones.
    """
    steps = [folder.split("/") for folder in folders if folder]
    wanted = {("/".join(each[:depth]), name) for each in steps for depth, name in enumerate(each)}
    there = {parent: files.names_in(f"{path}/{parent}" if parent else path) for parent, _ in wanted}
    for parent, name in sorted(wanted):
        if others := [other for other in there[parent] if other != name and _value(other) == _value(name)]:
            raise LakeError.at(
                [path],
                f"the table has the partition {others[0]}, and the new rows are of {name}, which is the same: the old"
                " ones would stay beside them. Rename that folder, or let the column have the type that it had.",
            )


def require_one_disk(path: str, label: Label) -> None:
    """Refuse a local folder into which no file can be moved from beside it: it would be copied, and seen half-written.

    Raises:
        LakeError: The folder is a mount point.
    """
    if not is_local(path) or not Path(local(path)).is_dir():
        return
    folder = Path(local(path))
    probe = f".{folder.name}.{label.folder}.probe"  # of no other output that is written beside this one
    beside = folder.parent / probe
    try:
        beside.touch()
        beside.rename(folder / probe)
        (folder / probe).unlink()
    except OSError as error:
        refused = folder if beside.exists() else folder.parent
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if error.errno == errno.EXDEV:
            raise LakeError.at(
                [path],
                "the folder is a disk's own (a mount point), into which no file can be moved as a whole. Let the output"
                " be a folder in it.",
            ) from None
        if told := refusal(refused, error):
            raise LakeError.at([path], told) from None
        what = f"no file can be put beside the folder and moved into it: {error.strerror}."
        raise LakeError.at([path], what) from None


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns) or "nothing"


def _value(folder: str) -> tuple[str, Decimal | str]:
    key, _, text = folder.partition("=")
    try:
        return unquote(key), Decimal(unquote(text))
    except InvalidOperation:
        return unquote(key), unquote(text)
