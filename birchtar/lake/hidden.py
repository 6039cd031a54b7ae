"""Hidden folders beside a table, where a run keeps what no reader shall see yet; readers pass over a leading dot."""

from birchtar.lake.files import FileSystem
from birchtar.lake.label import Label


def hidden_folder(path: str, label: Label) -> str:
    """Return the folder for what an attempt of a run stages for a table.

    Example:
        >>> hidden_folder("/lake/orders", Label("4f1c", "orders", 7))
        '/lake/.orders.4f1c-7-1.staged'
    """
    return f"{_beside(path)}.{label.folder}.staged"


def remove_dead(files: FileSystem, path: str, label: Label) -> None:
    """Delete what this job has left beside a table; to be called before a run of it stages something there.

    By then all earlier runs of the job are finished, and earlier attempts of this one are dead.
    """
    parent, _, name = _beside(path).rpartition("/")
    for found in files.names_in(parent or "."):
        if found.startswith(f"{name}.{label.job}-"):
            files.delete(f"{parent}/{found}" if parent else found)


def _beside(path: str) -> str:
    parent, _, name = path.rstrip("/").rpartition("/")
    return f"{parent}/.{name}" if parent else f".{name}"
