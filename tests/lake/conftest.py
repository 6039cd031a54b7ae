"""Files to read, written as bytes by the test itself."""

import sys
from itertools import count
from pathlib import Path

import pytest

from birchtar.lake.label import Label
from birchtar.lake.write import clean, publish, stage

# What several tests share lies beside them, and pytest's importlib mode puts no folder on the path.
sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def stored(tmp_path: Path):
    """Writes files, by name and text, into a folder of the test's own, and returns the folder's path."""

    def write(**files: str | bytes) -> str:
        folder = tmp_path / "stored"
        folder.mkdir()
        for name, content in files.items():
            path = folder / name.replace("_", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(folder)

    return write


@pytest.fixture
def write():
    """Writes a frame as a sink says, as a run would: stages it, publishes it, and cleans up."""
    numbers = count(1)

    def write_frame(df, sink, path):
        staged = stage(df, sink, path, Label("test", "table", next(numbers)))
        publish(df.sparkSession, staged.plan, staged)
        clean(df.sparkSession, staged.plan)

    return write_frame
