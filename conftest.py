"""One Spark for the whole test run, reached in the classic way and over Spark Connect.

Of two test processes, one runs all that is classic, and the other what is over Connect, beside it in the same Spark.
"""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from birchtar.runner.session import all_settings

# Only Alembic can load it; pytest would, to look for doctests.
collect_ignore = ["birchtar/state/migrations/env.py"]

_ENDED = "ended"
_CONNECT_SWITCH = "SPARK_CONNECT_MODE_ENABLED"
"""PySpark reads this variable at every call of `functions` to choose between classic and Connect columns."""


@pytest.fixture(scope="session")
def meeting_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def classic_spark(meeting_place: Path) -> Iterator[SparkSession]:
    """A local session that also serves Spark Connect, so that both share one JVM."""
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
    server, client = meeting_place / "server", meeting_place / "client"
    try:
        session = builder.getOrCreate()
    except BaseException:
        _write(server, _ENDED)
        raise
    _write(server, str(port))
    yield session
    _write(server, _ENDED)
    while client.exists() and psutil.pid_exists(int(client.read_text())):
        time.sleep(0.1)
    session.stop()


@pytest.fixture(scope="session")
def connect_spark(request: pytest.FixtureRequest, meeting_place: Path) -> Iterator[SparkSession]:
    """A Spark Connect client of the one JVM; use it through `spark`, which sets PySpark's switch."""
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    server, client = meeting_place / "server", meeting_place / "client"
    _write(client, str(os.getpid()))
    if not _is_started_elsewhere(request.session):
        request.getfixturevalue("classic_spark")
    while not server.exists():
        time.sleep(0.1)
    if server.read_text() == _ENDED:
        client.unlink()
        request.getfixturevalue("classic_spark")
    session = ConnectSession.builder.remote(f"sc://127.0.0.1:{server.read_text()}").create()
    yield session
    session.stop()
    client.unlink(missing_ok=True)


@pytest.fixture
def spark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SparkSession:
    """The session under test: classic, unless a folder's conftest asks for ``connect`` by parameter."""
    if getattr(request, "param", "classic") == "connect":
        session = request.getfixturevalue("connect_spark")
        monkeypatch.setenv(_CONNECT_SWITCH, "1")
        return session
    os.environ.pop(_CONNECT_SWITCH, None)
    return request.getfixturevalue("classic_spark")


def _write(file: Path, text: str) -> None:
    """Write a small file that nobody reads half."""
    file.with_suffix(".new").write_text(text)
    file.with_suffix(".new").rename(file)


def _is_started_elsewhere(session: pytest.Session) -> bool:
    """Tell whether another process runs the classic tests, so that it starts the Spark of this run."""
    has_colleague = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1
    return has_colleague and any(
        item.get_closest_marker("spark") and not _is_over_connect(item) for item in session.items
    )


@pytest.fixture(autouse=True)
def _doctest_names(request: pytest.FixtureRequest, doctest_namespace: dict[str, object]) -> None:
    """Gives `spark` to the doctests that name it, and starts none for the others."""
    if _is_spark_doctest(request.node):
        doctest_namespace["spark"] = request.getfixturevalue("classic_spark")


def _is_spark_doctest(item: pytest.Item) -> bool:
    test = getattr(item, "dtest", None)
    return test is not None and any("spark" in example.source for example in test.examples)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what needs Spark: `-m "not spark"` is the fast part. A group is what one process runs, and no other."""
    if {"spark", "classic_spark"} & set(getattr(item, "fixturenames", ())) or _is_spark_doctest(item):
        item.add_marker("spark")
        item.add_marker(pytest.mark.xdist_group("connect" if _is_over_connect(item) else "classic"))


def _is_over_connect(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("spark") == "connect"
