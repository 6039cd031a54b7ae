"""conditional_router: every group a row meets, and the default."""

import pytest

from transforms.conditional_router import conditional_router
from transforms.errors import ColumnTypeError, MissingColumnError, TransformError


@pytest.fixture
def prices(spark):
    return spark.createDataFrame([(1, 5), (2, 50), (3, None), (3, None)], "id INT, `a.price` INT")


def test_a_row_goes_to_every_group_it_meets_and_else_to_the_default(prices):
    frames = conditional_router(prices, {"cheap": "`a.price` < 10", "priced": "`a.price` > 0"})
    assert {name: [row.id for row in frame.collect()] for name, frame in frames.items()} == {
        "cheap": [1],
        "priced": [1, 2],
        "default_group": [3, 3],
    }
    assert {frame.schema.simpleString() for frame in frames.values()} == {prices.schema.simpleString()}


def test_the_default_group_can_have_another_name(prices):
    assert list(conditional_router(prices, {"a": "true"}, default="rest")) == ["a", "rest"]


def test_wrong_arguments_are_told(prices):
    with pytest.raises(TransformError, match="at least one group"):
        conditional_router(prices, {})
    with pytest.raises(TransformError, match="`default_group` is the default group"):
        conditional_router(prices, {"default_group": "true"})
    with pytest.raises(MissingColumnError, match="group `x`: There is no column `idd`. Did you mean `id`"):
        conditional_router(prices, {"x": "idd = 1"})
    with pytest.raises(ColumnTypeError, match="group `x`"):
        conditional_router(prices, {"x": "id"})
