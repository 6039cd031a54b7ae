"""Which paths are on this machine, and which lies in which."""

import os

import pytest

from birchtar.lake.paths import covers, exists, is_local, local


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/raw", True),
        ("/data/raw", True),
        ("file:/data", True),
        ("file:///data", True),
        ("data/month=1/[a-c]*.csv", True),
        ("s3a://bucket/data", False),
        ("hdfs:///data", False),
        ("abfss://box@account.example/data", False),
    ],
)
def test_is_local(path, expected):
    assert is_local(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("file:///data/raw", "/data/raw", id="three slashes"),
        pytest.param("file:/data/raw/", "/data/raw", id="one slash, and one at the end"),
        pytest.param("file://localhost/data", "/data", id="a host"),
        pytest.param("file:///data/a b%20c#d?e", "/data/a b%20c#d?e", id="signs that mean something in a URL"),
        pytest.param("/data/../raw", "/raw", id="up and down"),
    ],
)
def test_local(path, expected):
    assert local(path) == expected


def test_local_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert local("raw") == str(tmp_path / "raw")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("a.csv", True, id="a file"),
        pytest.param("", True, id="a folder"),
        pytest.param("b.csv", False, id="no file"),
        pytest.param("*.csv", True, id="a glob that fits"),
        pytest.param("?.csv", True, id="one letter"),
        pytest.param("[b-z].csv", False, id="a glob that does not fit"),
        pytest.param("{a,b}.csv", True, id="one of several"),
        pytest.param("{b,c}.json", False, id="none of several"),
        pytest.param("*/a.csv", False, id="a folder that is not there"),
    ],
)
@pytest.mark.parametrize("scheme", ["", "file:", "file://"])
def test_exists(tmp_path, scheme, pattern, expected):
    (tmp_path / "a.csv").write_text("")
    assert exists(f"{scheme}{tmp_path}/{pattern}") is expected


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        pytest.param("data", "data", True, id="the same"),
        pytest.param("data", "data/a/b", True, id="inside"),
        pytest.param("data/a", "data", False, id="outside"),
        pytest.param("data/a", "data/ab", False, id="beside, with the same beginning"),
        pytest.param("data/", "data/../data/a/", True, id="on another way"),
        pytest.param("/", "/data", True, id="everything"),
        pytest.param("s3a://bucket/a", "s3a://bucket/a/b", True, id="inside, elsewhere"),
        pytest.param("s3a://bucket/a", "s3a://bucket/ab", False, id="beside, elsewhere"),
        pytest.param("/bucket/a", "s3a://bucket/a", False, id="here and elsewhere"),
    ],
)
def test_covers(outer, inner, expected):
    assert covers(outer, inner) is expected


def test_covers_knows_local_paths_in_all_their_forms():
    here = os.getcwd()  # noqa: PTH109 - as a text
    assert covers("data", f"file://{here}/data/a")
    assert covers(f"file:{here}/data", "data/a")
