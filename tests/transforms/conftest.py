"""Every test of a transform runs twice: on classic Spark and over Spark Connect."""

import sys
from pathlib import Path

import pytest

# What several tests share lies beside them, and pytest's importlib mode puts no folder on the path.
sys.path.append(str(Path(__file__).parent))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "spark" in metafunc.fixturenames:
        metafunc.parametrize("spark", ["classic", "connect"], indirect=True)
