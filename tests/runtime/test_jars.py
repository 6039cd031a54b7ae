"""The jars beside Spark's own: found whole, or said to be missing or broken; fetched from a folder or by Ivy."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.fetch_jars import fetch_jars
from birchtar.runtime.jars import listed, require_jars

ROOT = Path(__file__).parents[2]
DELTA, STORAGE, AVRO = "delta-spark_4.2_2.13-4.4.0.jar", "delta-storage-4.4.0.jar", "spark-avro_2.13-4.1.1.jar"
POSTGRESQL = "postgresql-42.7.14.jar"
IN_MAVEN = {
    DELTA: "io/delta/delta-spark_4.2_2.13/4.4.0",
    STORAGE: "io/delta/delta-storage/4.4.0",
    AVRO: "org/apache/spark/spark-avro_2.13/4.1.1",
    POSTGRESQL: "org/postgresql/postgresql/42.7.14",
}


@pytest.fixture
def installed(machine) -> Path:
    """The folder where jars are put, not there yet."""
    return machine / "home" / "jars"


@pytest.fixture
def folder(real_jars, machine, monkeypatch) -> Path:
    """A folder that holds the jars, named as the place to fetch from."""
    folder = machine / "store"
    link_all(real_jars, folder)
    monkeypatch.setenv("BIRCHTAR_JARS_FROM", str(folder))
    return folder


@pytest.fixture
def mirror(real_jars, machine, monkeypatch, java_of) -> Iterator[Path]:
    """A folder laid out as a Maven repository and served at the URL that is named as the place to fetch from."""
    monkeypatch.setenv("BIRCHTAR_JAVA", "bundled")
    folder = machine / "mirror"
    for name, path in real_jars.items():
        link_all({name: path}, folder / IN_MAVEN[name])
    with served(folder) as url:
        monkeypatch.setenv("BIRCHTAR_JARS_FROM", url)
        yield folder


def link_all(jars: dict[str, Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, path in jars.items():
        (folder / name).symlink_to(path)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def replace(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole_jars_are_found(real_jars, installed):
    link_all(real_jars, installed)
    assert require_jars() == [installed / DELTA, installed / STORAGE, installed / AVRO, installed / POSTGRESQL]


def test_a_missing_and_a_broken_jar_are_told_together(real_jars, installed):
    link_all(real_jars, installed)
    (installed / STORAGE).unlink()
    replace(installed / AVRO, "half")
    with pytest.raises(RuntimeSetupError) as error:
        require_jars()
    assert str(error.value) == (
        f"The jar io.delta:delta-storage:4.4.0 is missing: {installed}/{STORAGE} does not exist.\n"
        f"The jar org.apache.spark:spark-avro_2.13:4.1.1 is corrupt: {installed}/{AVRO} has SHA-256"
        f" {sha256(b'half').hexdigest()[:12]}..., the list says 6a19d90bc3b6....\n"
        "Run `birchtar setup` (or `make setup`) to fetch it from Maven Central. To fetch from elsewhere, set"
        " BIRCHTAR_JARS_FROM to a Maven mirror's URL or to a folder that holds the jars."
    )


def test_the_error_names_the_place_that_the_user_chose(installed, monkeypatch):
    monkeypatch.setenv("BIRCHTAR_JARS_FROM", "https://mirror.example/maven")
    with pytest.raises(RuntimeSetupError, match="to fetch it from https://mirror.example/maven"):
        require_jars()


def test_spark_is_not_started_without_them(machine, java_of, monkeypatch):
    """The Java of this test can tell its version, but would fail at anything more."""
    monkeypatch.setenv("JAVA_HOME", str(java_of(machine / "jdk", "17.0.1")))
    program = "from birchtar.runner.session import start; start()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=machine)
    assert done.returncode == 1
    assert "RuntimeSetupError: The jar io.delta:delta-spark_4.2_2.13:4.4.0 is missing" in done.stderr
    assert (machine / "jdk" / "calls").read_text() == "-XshowSettings:properties -version\n"


def test_a_folder_is_copied_from(folder, installed):
    assert [jar.file for jar in fetch_jars()] == [DELTA, STORAGE, AVRO, POSTGRESQL]
    assert names(installed) == [DELTA, STORAGE, POSTGRESQL, AVRO]
    assert not any(path.is_symlink() for path in installed.iterdir())
    assert len(require_jars()) == 4


def test_a_second_fetch_does_nothing(folder, installed, monkeypatch):
    fetch_jars()
    before = {path: path.stat().st_mtime_ns for path in installed.iterdir()}
    monkeypatch.setenv("BIRCHTAR_JARS_FROM", "/nowhere")
    assert fetch_jars() == []
    assert {path: path.stat().st_mtime_ns for path in installed.iterdir()} == before


def test_only_what_is_broken_is_fetched_again(folder, installed):
    fetch_jars()
    replace(installed / STORAGE, "")
    (folder / DELTA).unlink()
    assert [jar.file for jar in fetch_jars()] == [STORAGE]
    assert len(require_jars()) == 4


def test_a_folder_that_lacks_a_jar(folder, installed):
    (folder / AVRO).unlink()
    with pytest.raises(RuntimeSetupError, match=rf"The folder {folder}, named by BIRCHTAR_JARS_FROM, .* hold {AVRO}"):
        fetch_jars()
    assert names(installed) == []


def test_a_folder_with_another_file_under_the_name(folder, installed):
    replace(folder / AVRO, "another version")
    with pytest.raises(
        RuntimeSetupError, match=rf"spark-avro_2.13:4.1.1 from {folder} is not the listed file.*not kept"
    ):
        fetch_jars()
    assert names(installed) == [DELTA, STORAGE]


def test_a_mirror_is_fetched_from_by_ivy(mirror, installed):
    assert [jar.file for jar in fetch_jars()] == [DELTA, STORAGE, AVRO, POSTGRESQL]
    assert names(installed) == [DELTA, STORAGE, POSTGRESQL, AVRO]
    assert len(require_jars()) == 4


def test_a_mirror_need_not_hold_what_the_jars_depend_on(mirror):
    pom = "<project><parent><groupId>g</groupId><artifactId>gone</artifactId><version>1</version></parent></project>"
    (mirror / IN_MAVEN[AVRO] / AVRO.replace(".jar", ".pom")).write_text(pom)
    assert len(fetch_jars()) == 4


def test_a_mirror_that_lacks_a_jar(mirror, installed):
    (mirror / IN_MAVEN[AVRO] / AVRO).unlink()
    with pytest.raises(RuntimeSetupError) as error:
        fetch_jars()
    first, *_, last = str(error.value).splitlines()
    url = os.environ["BIRCHTAR_JARS_FROM"]
    assert first == f"org.apache.spark:spark-avro_2.13:4.1.1 could not be fetched from {url}:"
    assert "not found" in str(error.value)
    assert last.startswith("To fetch from elsewhere, set BIRCHTAR_JARS_FROM")
    assert names(installed) == []


def test_a_mirror_that_serves_another_file(mirror, installed):
    replace(mirror / IN_MAVEN[DELTA] / DELTA, "<html>Please log in</html>")
    with pytest.raises(RuntimeSetupError, match=r"delta-spark_4.2_2.13:4.4.0 from http://.* is not the listed file"):
        fetch_jars()
    assert names(installed) == []


def test_a_mirror_whose_own_checksum_does_not_fit(mirror, installed):
    (mirror / IN_MAVEN[AVRO] / f"{AVRO}.sha1").write_text("0" * 40)
    with pytest.raises(RuntimeSetupError, match=r"^org.apache.spark:spark-avro_2.13:4.1.1 could not[^§]*invalid sha1"):
        fetch_jars()
    assert names(installed) == []


def test_a_mirror_that_does_not_answer(mirror, installed, monkeypatch):
    with served(mirror) as url:
        monkeypatch.setenv("BIRCHTAR_JARS_FROM", url)
    with pytest.raises(RuntimeSetupError, match=rf"could not be fetched from {url}[^§]*Connection refused"):
        fetch_jars()


def test_two_fetches_at_once_both_end_well(mirror, installed):
    program = (
        "from birchtar.runtime.fetch_jars import fetch_jars; from birchtar.runtime.jars import require_jars;"
        "fetch_jars(); require_jars()"
    )
    started = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert names(installed) == [DELTA, STORAGE, POSTGRESQL, AVRO]


def test_a_place_that_cannot_be_written(folder, machine, monkeypatch):
    (machine / "file").write_text("")
    monkeypatch.setenv("BIRCHTAR_HOME", str(machine / "file"))
    with pytest.raises(RuntimeSetupError, match=r"write to .*/file/jars, but cannot: .*Set BIRCHTAR_HOME"):
        fetch_jars()


def test_the_list_fits_the_pinned_packages():
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    versions = dict(pin.split("==") for pin in pinned if "==" in pin)
    delta, storage, avro, _ = listed()
    assert delta.version == storage.version == versions["delta-spark"]
    spark_line = ".".join(versions["pyspark"].split(".")[:2])
    assert delta.artifact == f"delta-spark_{spark_line}_2.13"
    assert avro.artifact == "spark-avro_2.13"
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in listed())
