"""Brings the listed jars into the local folder: from Maven Central, a mirror or another folder."""

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import folder_in_home
from birchtar.runtime.ivy import resolve
from birchtar.runtime.jars import SOURCE_VARIABLE, Jar, checksum, listed, source


def fetch_jars() -> list[Jar]:
    """Bring every missing or corrupt jar into the local folder, checked; return those that were fetched.

    Safe to run again and beside itself: a jar appears under its name only when it is whole.

    Raises:
        RuntimeSetupError: The source cannot be reached, lacks a jar, or has another file under its name; or the local
            folder cannot be written.
    """
    wanted = [jar for jar in listed() if not jar.path.is_file() or checksum(jar.path) != jar.sha256]
    if not wanted:
        return []
    folder = folder_in_home("jars")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        fetched = _copy(wanted, Path(source())) if _source_is_folder() else resolve(wanted, Path(work))
        for jar, path in zip(wanted, fetched, strict=True):
            found = checksum(path)
            if found != jar.sha256:
                raise RuntimeSetupError(
                    f"{jar.coordinates} from {source()} is not the listed file: its SHA-256 is {found},"
                    f" jars.toml says {jar.sha256}. It was not kept."
                )
            whole = Path(work) / f"{jar.file}.whole"
            shutil.copyfile(path, whole)
            whole.replace(jar.path)
    return wanted


def _source_is_folder() -> bool:
    named = os.environ.get(SOURCE_VARIABLE)
    return bool(named) and not urlsplit(named).scheme


def _copy(jars: list[Jar], folder: Path) -> list[Path]:
    for jar in jars:
        if not (folder / jar.file).is_file():
            raise RuntimeSetupError(f"The folder {folder}, named by {SOURCE_VARIABLE}, does not hold {jar.file}.")
    return [folder / jar.file for jar in jars]
