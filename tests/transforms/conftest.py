"""Every test of a transform runs twice: on classic Spark and over Spark Connect."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "spark" in metafunc.fixturenames:
        metafunc.parametrize("spark", ["classic", "connect"], indirect=True)
