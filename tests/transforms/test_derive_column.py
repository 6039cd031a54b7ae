"""derive_column: an expression, new or in place."""

import pytest

from transforms.derive_column import derive_column
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError


@pytest.fixture
def sales(spark):
    return spark.createDataFrame([(1, 2.0), (2, None), (2, None)], "id INT, price DOUBLE")


def test_a_new_column_comes_last_and_one_that_is_there_keeps_its_place(sales):
    assert sales.transform(derive_column, "twice", "price * 2").collect() == [(1, 2.0, 4.0), *[(2, None, None)] * 2]
    assert sales.transform(derive_column, "id", "cast(id AS STRING)").dtypes == [("id", "string"), ("price", "double")]


def test_rejected_rows_are_left_alone(spark):
    df = spark.sql("SELECT 0 AS id, named_struct('code', 'FUNCTION', 'message', 'm', 'record', '{}') AS _error")
    assert df.transform(derive_column, "x", "1 / id").collect()[0].x is None


@pytest.mark.parametrize(
    ("column", "expression", "error", "said"),
    [
        ("x", "prce * 2", MissingColumnError, r"derive_column, expression for `x`: .*Did you mean `price`"),
        ("x", "ABSS(price)", TransformError, r"expression for `x`: There is no function `ABSS`. Did you mean `abs`"),
        ("x", "a.abss(price)", TransformError, r"There is no function `a.abss`. Did you mean `abs`"),
        ("x", "qqqqqq(price)", TransformError, r"There is no function `qqqqqq`. `SHOW FUNCTIONS` in Spark lists"),
        ("x", "price *", TransformError, "derive_column, expression for `x`"),
        ("x", "abs(array(1))", ColumnTypeError, "derive_column, expression for `x`"),
        ("PRICE", "1", DuplicateColumnError, "differs only in case from `price`"),
        ("_error", "1", DuplicateColumnError, "kept for rejected rows"),
    ],
)
def test_wrong_arguments_are_told(sales, column, expression, error, said):
    with pytest.raises(error, match=said):
        sales.transform(derive_column, column, expression)
