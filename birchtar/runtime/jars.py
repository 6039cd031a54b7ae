"""The jars that Spark gets beside its own: listed once, fetched once, checked before every start."""

import hashlib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import home

SOURCE_VARIABLE = "BIRCHTAR_JARS_FROM"
"""Names where jars come from instead of Maven Central: the URL of a mirror, or a folder that holds the files."""

ELSEWHERE = (
    f"To fetch from elsewhere, set {SOURCE_VARIABLE} to a Maven mirror's URL or to a folder that holds the jars."
)


@dataclass(frozen=True)
class Jar:
    """One line of `jars.toml`."""

    group: str
    artifact: str
    version: str
    sha256: str
    why: str

    @property
    def coordinates(self) -> str:
        """Group, artifact and version, as Maven writes them."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """The name of the file, as in a Maven repository."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> Path:
        """Where set-up puts it."""
        return home() / "jars" / self.file


@cache
def listed() -> tuple[Jar, ...]:
    """Return every jar of `jars.toml`."""
    text = files(__package__).joinpath("jars.toml").read_text(encoding="utf-8")
    return tuple(Jar(**entry) for entry in tomllib.loads(text)["jar"])


def problems() -> Iterator[str]:
    """Yield a sentence for every jar that is missing or not the file that was listed. Reads every jar once."""
    for jar in listed():
        if not jar.path.is_file():
            yield f"The jar {jar.coordinates} is missing: {jar.path} does not exist."
        elif (found := checksum(jar.path)) != jar.sha256:
            yield (
                f"The jar {jar.coordinates} is corrupt: {jar.path} has SHA-256 {found[:12]}...,"
                f" the list says {jar.sha256[:12]}...."
            )


def require_jars() -> list[Path]:
    """Return the paths of all jars, each checked against its SHA-256.

    Raises:
        RuntimeSetupError: One is missing or corrupt. The message says which, and how to get it.
    """
    if wrong := list(problems()):
        raise RuntimeSetupError(
            "\n".join(wrong) + f"\nRun `birchtar setup` (or `make setup`) to fetch it from {source()}. {ELSEWHERE}"
        )
    return [jar.path for jar in listed()]


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source() -> str:
    """Return where jars come from, for people to read."""
    return os.environ.get(SOURCE_VARIABLE) or "Maven Central"
