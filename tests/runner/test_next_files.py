"""Which of the new files a run reads."""

import pytest

from birchtar.runner.next_files import first
from birchtar.state.listed import ListedFile, Listing

A, B, C = ListedFile("a", 10, 5), ListedFile("b", 20, 4), ListedFile("c", 30, 5)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({}, "bac", id="no limit"),
        pytest.param({"max_files": 2}, "ba", id="so many files"),
        pytest.param({"max_bytes": 30}, "ba", id="so many bytes"),
        pytest.param({"max_bytes": 29}, "b", id="not quite so many"),
        pytest.param({"max_bytes": 1}, "b", id="at least one"),
        pytest.param({"max_files": 3, "max_bytes": 59}, "ba", id="both"),
    ],
)
def test_the_oldest_files_come_first(limits, expected):
    assert "".join(first(Listing.of([C, A, B]), **limits).paths) == expected


def test_of_no_files_none_is_first():
    assert len(first(Listing(), max_files=1)) == 0
