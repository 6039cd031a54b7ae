"""split_string: parts, empty parts and wrong patterns."""

import pytest

from transforms.errors import ColumnTypeError, TransformError
from transforms.split_string import split_string


@pytest.fixture
def products(spark):
    rows = [(1, "sports,winter"), (2, ",a,"), (3, ""), (4, None)]
    return spark.createDataFrame(rows, "product_id INT, categories STRING")


def test_the_array_is_a_column_of_its_own_or_takes_the_texts_place(products):
    split = products.transform(split_string, "categories", ",", new_column="arr")
    assert [row.arr for row in split.collect()] == [["sports", "winter"], ["", "a", ""], [""], None]
    assert split.columns == ["product_id", "categories", "arr"]
    in_place = products.transform(split_string, "categories", ",")
    assert in_place.dtypes == [("product_id", "int"), ("categories", "array<string>")]


def test_the_pattern_is_a_regular_expression(spark):
    df = spark.createDataFrame([(("1.2 | 3",),)], "s STRUCT<`a.b`: STRING>")
    assert df.transform(split_string, "s.`a.b`", r"\.|\s*\|\s*", new_column="x").collect()[0].x == ["1", "2", "3"]


def test_wrong_arguments_are_told(products, spark):
    with pytest.raises(TransformError, match=r"split_string, `pattern`: '\(' is no regular expression"):
        products.transform(split_string, "categories", "(")
    with pytest.raises(ColumnTypeError, match="which is no text"):
        spark.sql("SELECT array(1) AS a").transform(split_string, "a", ",")
    with pytest.raises(TransformError, match="Name it by `new_column`"):
        spark.sql("SELECT named_struct('a', 'x') AS s").transform(split_string, "s.a", ",")


def test_a_lone_backslash_is_no_pattern(products):
    with pytest.raises(TransformError, match=r"is no regular expression"):
        products.transform(split_string, "categories", "\\")
    assert products.transform(split_string, "categories", r"\\").count() == products.count()
