"""Where PostgreSQL's server programs are: on this machine, else from Debian's packages, for which nobody need be root.

Nothing is installed: the packages are unpacked below `.birchtar/postgresql`, once, with what libraries are missing.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from birchtar.runtime.home import folder_in_home

_TOO_LONG = 300
"""Seconds for one call of apt."""

_NOT_NEEDED = ("libllvm", "libc6", "libgcc", "libstdc++")
"""The first compiles queries, which the tests switch off; the others must be those that the system was built with."""


class NoPostgresError(Exception):
    """There is no PostgreSQL, and none can be got; the message is the reason for which tests are skipped."""


@dataclass(frozen=True)
class Programs:
    """The folder of `postgres` and `initdb`, and what must be set to run them."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)


def find_programs() -> Programs:
    """Return the programs of this machine, else those fetched before, else fetch them: some 20 MB.

    Raises:
        NoPostgresError: None of that works here.
    """
    if here := _installed():
        return Programs(here)
    fetched = folder_in_home("postgresql") / "debian"
    if not fetched.is_dir():
        _fetch(fetched)
    libraries = ":".join(str(path) for path in sorted(fetched.glob("usr/lib/*-linux-gnu*")))
    folder = next(fetched.glob("usr/lib/postgresql/*/bin"))
    return Programs(folder, {"LD_LIBRARY_PATH": libraries})


def _installed() -> Path | None:
    """Prefer the newest of Debian's folders; elsewhere the programs are on the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found = (Path(program).resolve().parent for program in [shutil.which("postgres")] if program)
    return next(
        (path for path in (*folders, *found) if (path / "postgres").exists() and (path / "initdb").exists()), None
    )


def _fetch(target: Path) -> None:
    """Unpack the server and the libraries that it lacks here; the folder appears under its name when it is whole."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise NoPostgresError("there is no PostgreSQL here, and no Debian to fetch it from")
    with TemporaryDirectory(dir=target.parent) as name:
        place = Path(name)
        apt = Apt(place)
        server = next((package for package in apt.needs("postgresql") if package.startswith("postgresql-")), None)
        if server is None:
            raise NoPostgresError("there is no PostgreSQL here, and apt knows of none; it may have no network")
        unpacked = place / "unpacked"
        for package in apt.download([server, *apt.missing_libraries(server)]):
            subprocess.run(["dpkg", "-x", package, unpacked], check=True, capture_output=True)
        shutil.rmtree(next(unpacked.glob("usr/lib/postgresql/*/lib/bitcode")), ignore_errors=True)
        unpacked.chmod(0o755)
        try:
            unpacked.rename(target)
        except OSError:
            if not target.exists():  # else another process was faster
                raise


class Apt:
    """apt with lists and packages in a folder of our own, so that an ordinary user may use it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        for folder in ("state/lists/partial", "cache/archives/partial", "packages"):
            (place / folder).mkdir(parents=True)
        place.chmod(0o755)
        # Its exit code says nothing: one of many sources may be out of reach, or a clean-up be forbidden to us.
        self._call("apt-get", "update", check=False)

    def needs(self, *packages: str) -> Iterator[str]:
        """Yield what packages depend on, of alternatives all."""
        kinds = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
        for line in self._call("apt-cache", "depends", *kinds, *packages, check=False).splitlines():
            kind, _, name = line.strip().lstrip("|").partition(": ")
            if kind in ("Depends", "PreDepends"):
                yield name

    def missing_libraries(self, package: str) -> list[str]:
        """Return the libraries that a package needs, directly or not, and that are not on this machine."""
        installed = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package}\n"], capture_output=True, text=True, check=True
        )
        known, missing, latest = set(installed.stdout.split()), list[str](), [package]
        while latest:
            needed = {name for name in self.needs(*latest) if name.startswith("lib")} - known
            latest = sorted(name for name in needed if not name.startswith(_NOT_NEEDED))
            known |= needed
            missing += latest
        return missing

    def download(self, packages: list[str]) -> list[Path]:
        self._call("apt-get", "download", *packages, cwd=self._place / "packages")
        return sorted((self._place / "packages").glob("*.deb"))

    def _call(self, program: str, *arguments: str, check: bool = True, cwd: Path | None = None) -> str:
        state, cache = self._place / "state", self._place / "cache"
        # What dpkg knows to be installed is not ours.
        options = {"Dir::State": state, "Dir::State::status": "/var/lib/dpkg/status", "Dir::Cache": cache}
        settings = [f"-o{key}={value}" for key, value in (options | {"Debug::NoLocking": "1"}).items()]
        try:
            done = subprocess.run(
                [program, *settings, *arguments],
                cwd=cwd,
                env={**os.environ, "LC_ALL": "C"},
                capture_output=True,
                text=True,
                timeout=_TOO_LONG,
                check=check,
            )
        except (subprocess.SubprocessError, OSError) as error:
            said = str(getattr(error, "stderr", "") or error).strip()
            raise NoPostgresError(f"there is no PostgreSQL here, and {program} could not fetch it: {said}") from error
        return done.stdout
