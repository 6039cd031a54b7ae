"""Files to read, written as bytes by the test itself."""

from pathlib import Path

import pytest


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
