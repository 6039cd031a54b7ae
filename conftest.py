"""One Spark for the whole test run, reached in the classic way and over Spark Connect.

The process that needs it first starts it. Others that run tests beside it are its guests: they work in the same Java.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from birchtar.runner.session import all_settings

# What several tests share lies beside them, and pytest's importlib mode puts no folder on the path.
sys.path.append(str(Path(__file__).parent / "tests"))

from shared_java import guest_session, way_into

# Only Alembic can load it; pytest would, to look for doctests.
collect_ignore = ["birchtar/state/migrations/env.py"]

_ENDED: dict[str, str] = {}
_CONNECT_SWITCH = "SPARK_CONNECT_MODE_ENABLED"
"""PySpark reads this variable at every call of `functions` to choose between classic and Connect columns."""


@pytest.fixture(scope="session")
def classic_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A local session that also serves Spark Connect, so that both share one Java."""
    own = tmp_path_factory.getbasetemp()
    meeting_place = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    if _is_first(meeting_place):
        yield from _host(meeting_place)
    else:
        yield from _guest(meeting_place)


def _is_first(meeting_place: Path) -> bool:
    try:
        (meeting_place / "host").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _host(meeting_place: Path) -> Iterator[SparkSession]:
    """Start Spark, tell the guests how to reach it, and stop it when they are gone."""
    way = meeting_place / "way.json"
    try:
        session = _started()
    except BaseException:
        _write(way, _ENDED)
        raise
    _write(way, way_into(session))
    yield session
    _write(way, _ENDED)
    while any(psutil.pid_exists(int(guest.suffix[1:])) for guest in meeting_place.glob("guest.*")):
        time.sleep(0.1)
    session.stop()


def _guest(meeting_place: Path) -> Iterator[SparkSession]:
    """Work in the host's Java, if it is not about to stop it."""
    here, way = meeting_place / f"guest.{os.getpid()}", meeting_place / "way.json"
    here.touch()
    while not way.exists():
        time.sleep(0.1)
    if found := json.loads(way.read_text()):
        yield guest_session(found)
        here.unlink()
    else:
        here.unlink()
        session = _started()
        yield session
        session.stop()


def _started() -> SparkSession:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = all_settings("local", verbose=False)
    # Java's second compiler pays where queries run long; here it took more time than all else that Java did.
    quick = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
    settings |= {
        "spark.driver.extraJavaOptions": f"{settings['spark.driver.extraJavaOptions']} {quick}",
        "spark.master": "local[2]",
        "spark.driver.memory": "4g",
        "spark.sql.shuffle.partitions": "2",
        # A broadcast of three rows takes a page like one of a million: 64 MB each, and many of them at a time.
        "spark.buffer.pageSize": "1m",
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        # Of thousands of queries Spark would keep a thousand plans, and collect garbage among them all the time.
        "spark.sql.ui.retainedExecutions": "20",
        # Else models go to a folder below /tmp that all users of a machine would share.
        "spark.connect.session.connectML.mlCache.memoryControl.enabled": "false",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }
    builder = SparkSession.builder.appName("tests")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@pytest.fixture(scope="session")
def connect_spark(classic_spark: SparkSession) -> Iterator[SparkSession]:
    """A Spark Connect client of the one Java; use it through `spark`, which sets PySpark's switch."""
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    port = classic_spark.conf.get("spark.connect.grpc.binding.port")
    session = ConnectSession.builder.remote(f"sc://127.0.0.1:{port}").create()
    yield session
    session.stop()


@pytest.fixture
def spark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SparkSession:
    """The session under test: classic, unless a folder's conftest asks for ``connect`` by parameter."""
    if getattr(request, "param", "classic") == "connect":
        session = request.getfixturevalue("connect_spark")
        monkeypatch.setenv(_CONNECT_SWITCH, "1")
        return session
    os.environ.pop(_CONNECT_SWITCH, None)
    return request.getfixturevalue("classic_spark")


def _write(file: Path, way: dict[str, str]) -> None:
    """Write a small file that nobody else can read, and nobody half."""
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(way))
    new.rename(file)


@pytest.fixture(autouse=True)
def _doctest_names(request: pytest.FixtureRequest, doctest_namespace: dict[str, object]) -> None:
    """Gives `spark` to the doctests that name it, and starts none for the others."""
    if _is_spark_doctest(request.node):
        doctest_namespace["spark"] = request.getfixturevalue("classic_spark")


def _is_spark_doctest(item: pytest.Item) -> bool:
    test = getattr(item, "dtest", None)
    return test is not None and any("spark" in example.source for example in test.examples)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what needs Spark: `-m "not spark"` is the fast part."""
    if {"spark", "classic_spark"} & set(getattr(item, "fixturenames", ())) or _is_spark_doctest(item):
        item.add_marker("spark")
