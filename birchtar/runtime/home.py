"""The folder of what set-up makes: jars, the bundled Java's shim, the class-data archive."""

import os
from pathlib import Path

import birchtar
from birchtar.runtime.errors import RuntimeSetupError


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


def folder_in_home(name: str) -> Path:
    """Return a folder in `home`, made where it is not there.

    Raises:
        RuntimeSetupError: It cannot be made, or nothing can be written to it.
    """
    folder = home() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("it is not writable")
    except OSError as error:
        raise RuntimeSetupError(
            f"Set-up needs to write to {folder}, but cannot: {error}. Set BIRCHTAR_HOME to a folder that it may use."
        ) from error
    return folder
