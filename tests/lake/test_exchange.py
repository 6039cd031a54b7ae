"""Two folders change places in one step."""

import sys

import pytest

from birchtar.lake.exchange import exchange


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the call")
def test_two_folders_change_places(tmp_path):
    for name in ("a", "b ü"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert exchange(str(tmp_path / "a"), str(tmp_path / "b ü"))
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["b ü"]
    assert [entry.name for entry in (tmp_path / "b ü").iterdir()] == ["a"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the call")
def test_what_is_not_there_cannot_change_places(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "a").is_dir()
