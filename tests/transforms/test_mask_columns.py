"""mask_columns: what stays at the ends."""

import pytest

from transforms.errors import TransformError
from transforms.mask_columns import mask_columns


@pytest.fixture
def cards(spark):
    return spark.createDataFrame(
        [("45561234", 1234), ("12", None), ("", 1), (None, 22), ("añ🙂yz", 5)], "card STRING, pin INT"
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["********", "**", "", None, "*****"]),
        ({"keep_last": 4}, ["****1234", "**", "", None, "*ñ🙂yz"]),
        ({"keep_first": 1, "keep_last": 1}, ["4******4", "**", "", None, "a***z"]),
        ({"keep_first": 2, "mask": "'#"}, ["45'#'#'#'#'#'#", "'#'#", "", None, "añ'#'#'#"]),
    ],
)
def test_the_middle_is_hidden_and_short_texts_are_whole(cards, arguments, expected):
    assert [row.card for row in cards.transform(mask_columns, "card", **arguments).collect()] == expected


def test_numbers_become_texts(cards):
    rows = cards.transform(mask_columns, ["pin"], keep_first=1)
    assert [row.pin for row in rows.collect()] == ["1***", None, "*", "2*", "*"]
    assert rows.columns == cards.columns


def test_wrong_arguments_are_told(cards):
    with pytest.raises(TransformError, match="cannot keep -1 characters"):
        cards.transform(mask_columns, "card", keep_last=-1)
