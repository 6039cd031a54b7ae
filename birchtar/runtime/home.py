"""The folder of what set-up makes: jars, the bundled Java's shim, the class-data archive."""

import os
from pathlib import Path

import birchtar


def checkout() -> Path:
    """Return the folder that holds the package `birchtar`: the checkout, where it runs from one."""
    return Path(birchtar.__file__).parents[1]


def home() -> Path:
    """Return the folder; it may not exist yet.

    `BIRCHTAR_HOME` where it is set, else `.birchtar` in the checkout, else `birchtar` in the user's cache folder.
    """
    if named := os.environ.get("BIRCHTAR_HOME"):
        return Path(named).absolute()
    if (checkout() / "pyproject.toml").is_file():
        return checkout() / ".birchtar"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "birchtar"
