"""array_to_columns: which element goes where."""

import pytest

from transforms.array_to_columns import array_to_columns
from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError


@pytest.fixture
def arrays(spark):
    return spark.createDataFrame([(1, [10, 20, None]), (2, [30]), (3, []), (4, None)], "id INT, a ARRAY<INT>")


def test_the_first_elements_go_to_the_columns_in_order(arrays):
    columns = arrays.transform(array_to_columns, "a", ["one", "two"])
    assert columns.collect() == [
        (1, [10, 20, None], 10, 20),
        (2, [30], 30, None),
        (3, [], None, None),
        (4, *[None] * 3),
    ]
    assert columns.dtypes[2:] == [("one", "int"), ("two", "int")]


def test_indexes_count_from_one_and_a_column_can_be_replaced(arrays):
    columns = arrays.transform(array_to_columns, "a", ["id", "x"], indexes=[2, 3])
    assert [(row.id, row.x) for row in columns.collect()] == [(20, None)] + [(None, None)] * 3


def test_elements_of_any_type(spark):
    df = spark.sql("SELECT named_struct('a.b', array(array(1, 2), null)) AS s")
    assert df.transform(array_to_columns, "s.`a.b`", ["x.y", "z"]).collect()[0][1:] == ([1, 2], None)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"new_columns": ["x"], "indexes": [0]}, TransformError, "first element has the index 1; got 0"),
        ({"new_columns": ["x"], "indexes": [1, 2]}, TransformError, "an index for each"),
        ({"new_columns": []}, TransformError, "list of names"),
        ({"new_columns": ["x", "X"]}, DuplicateColumnError, "`x` and `X`"),
        ({"column": "id", "new_columns": ["x"]}, ColumnTypeError, "`id` is of type int, not an array"),
    ],
)
def test_wrong_arguments_are_told(arrays, arguments, error, said):
    with pytest.raises(error, match=said):
        arrays.transform(array_to_columns, **({"column": "a"} | arguments))
