"""What is on this machine, and what is wrong with it; found without starting Spark."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import home
from birchtar.runtime.jars import listed, problems
from birchtar.runtime.java import find_java

_PINNED = {"pyspark": "4.2.0", "delta-spark": "4.4.0"}
_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    good: bool
    says: str


def findings() -> Iterator[Finding]:
    """Yield what was found, in the order in which Spark will need it."""
    python = f"{platform.python_version()} at {sys.executable}"
    yield Finding("Python", sys.version_info >= _OLDEST_PYTHON, python)
    yield _asked("Java", _java)
    for package, pinned in _PINNED.items():
        yield _package(package, pinned)
    wrong = list(problems())
    yield from (Finding("jar", False, f"{sentence} Run `birchtar setup`.") for sentence in wrong)
    if not wrong:
        yield Finding("jars", True, ", ".join(jar.coordinates for jar in listed()) + f" in {home() / 'jars'}")
    for folder in dict.fromkeys((home(), Path.cwd(), Path(tempfile.gettempdir()))):
        yield _writable(folder)


def _java() -> str:
    java = find_java()
    return f"{java.version} at {java.home}, found by {java.found_by}"


def _asked(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, ask())
    except RuntimeSetupError as error:
        return Finding(name, False, str(error))


def _package(name: str, pinned: str) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding(name, False, f"not installed; {pinned} is needed. Run `make setup`.")
    good = found == pinned
    return Finding(name, good, found if good else f"{found} is installed, {pinned} is needed. Run `make setup`.")


def _writable(folder: Path) -> Finding:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    good = existing.is_dir() and os.access(existing, os.W_OK)
    return Finding("folder", good, f"{folder} {'is' if good else 'is not'} writable")
