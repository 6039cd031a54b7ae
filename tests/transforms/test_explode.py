"""explode: rows of elements and of entries, with and without nulls."""

import pytest

from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError
from transforms.explode import explode


@pytest.fixture
def products(spark):
    rows = [(1, ["sports", "winter"], {"a": 1}), (2, [None, "x"], {}), (3, [], None), (4, None, {"b": None})]
    return spark.createDataFrame(rows, "id INT, category ARRAY<STRING>, labels MAP<STRING, INT>")


def test_elements_take_the_arrays_place_and_rows_without_go(products):
    rows = products.drop("labels").transform(explode, "category")
    assert rows.collect() == [(1, "sports"), (1, "winter"), (2, None), (2, "x")]
    assert rows.dtypes == [("id", "int"), ("category", "string")]


def test_rows_without_elements_can_stay(products):
    rows = products.drop("labels").transform(explode, "category", keep_nulls=True)
    assert rows.collect() == [(1, "sports"), (1, "winter"), (2, None), (2, "x"), (3, None), (4, None)]


def test_under_another_name_the_array_stays(products):
    rows = products.drop("labels").transform(explode, "category", new_column="one")
    assert rows.collect()[0] == (1, ["sports", "winter"], "sports")


def test_a_map_gives_keys_and_values(products):
    rows = products.drop("category")
    assert rows.transform(explode, "labels").collect() == [(1, {"a": 1}, "a", 1), (4, {"b": None}, "b", None)]
    replaced = rows.transform(explode, "labels", key_column="labels", value_column="n", keep_nulls=True)
    assert replaced.collect() == [(1, "a", 1), (2, None, None), (3, None, None), (4, "b", None)]
    assert replaced.columns == ["id", "labels", "n"]


def test_an_array_of_structs_inside_a_struct_beside_odd_names(spark):
    df = spark.sql("SELECT 1 AS `c.0`, 2 AS c1, 3 AS col, named_struct('p q', array(named_struct('x', 5))) AS s")
    rows = df.transform(explode, "s.p q", new_column="key.z")
    assert rows.columns == ["c.0", "c1", "col", "s", "key.z"]
    assert rows.collect() == [(1, 2, 3, ([(5,)],), (5,))]


def test_wrong_arguments_are_told(products):
    with pytest.raises(ColumnTypeError, match="`id` is of type int, neither an array nor a map"):
        products.transform(explode, "id")
    with pytest.raises(TransformError, match="`labels` is a map, whose entries go to `key_column` and `value_column`"):
        products.transform(explode, "labels", new_column="label")
    with pytest.raises(DuplicateColumnError, match="`k` twice"):
        products.transform(explode, "labels", key_column="k", value_column="k")
    with pytest.raises(DuplicateColumnError, match="differs only in case from `id`"):
        products.transform(explode, "category", new_column="ID")


@pytest.mark.parametrize("taken", ["key", "value"])
def test_by_default_no_column_is_lost(spark, taken):
    df = spark.sql(f"SELECT 'mine' AS {taken}, map('a', 1) AS labels")
    with pytest.raises(DuplicateColumnError, match=f"there is a column `{taken}` already. Say `{taken}_column`"):
        df.transform(explode, "labels")
    said = {f"{taken}_column": taken}
    assert df.transform(explode, "labels", **said).collect()[0][taken] == {"key": "a", "value": 1}[taken]
