"""A machine of the test's own: no Java but what the test puts there, an empty folder for what set-up makes."""

from pathlib import Path

import pytest

from birchtar.runtime.jars import listed


@pytest.fixture(scope="session")
def real_jars() -> dict[str, Path]:
    """The jars that set-up fetched for this test run, by file name; found before a test moves BIRCHTAR_HOME."""
    return {jar.file: jar.path for jar in listed()}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place with `home` for BIRCHTAR_HOME and `bin` as the only folder on the path."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("BIRCHTAR_HOME", str(tmp_path / "home"))
    for name in ("JAVA_HOME", "BIRCHTAR_JAVA", "BIRCHTAR_JARS_FROM"):
        monkeypatch.setenv(name, "")
    return tmp_path


@pytest.fixture
def java_of():
    """Makes a Java that only knows its version, and writes down how it was called; returns its home."""

    def make(home: Path, version: str) -> Path:
        program = home / "bin" / "java"
        program.parent.mkdir(parents=True)
        program.write_text(
            f"""#!/bin/sh
echo "$@" >> "{home}/calls"
case "$*" in *-version*) ;; *) exit 1 ;; esac
echo '    java.home = {home}' >&2
echo 'openjdk version "{version}" 2024-04-16' >&2
"""
        )
        program.chmod(0o755)
        return home

    return make
