"""lookup: a left join that brings some columns."""

import pytest

from transforms.errors import ColumnTypeError, MissingColumnError, TransformError
from transforms.lookup import lookup


@pytest.fixture
def users(spark):
    return spark.createDataFrame(
        [(1, "eu", "Ada", 36), (2, "eu", "Bob", 1), (2, "eu", "Bea", 2), (None, "eu", "No", 3)],
        "id INT, region STRING, name STRING, `a.ge` INT",
    )


@pytest.fixture
def orders(spark):
    rows = [(10, 1, "eu"), (11, 2, "eu"), (12, 3, "eu"), (13, None, "eu"), (14, 1, "us")]
    return spark.createDataFrame(rows, "name INT, user_id INT, region STRING")


def test_columns_come_where_all_keys_match_and_else_null(orders, users):
    found = orders.transform(lookup, users, {"user_id": "id", "region": "region"}, ["`a.ge`", "name"])
    assert found.columns == ["name", "user_id", "region", "a.ge", ".name"]
    assert sorted(found.collect(), key=str) == [
        (10, 1, "eu", 36, "Ada"),
        (11, 2, "eu", 1, "Bob"),
        (11, 2, "eu", 2, "Bea"),
        (12, 3, "eu", None, None),
        (13, None, "eu", None, None),
        (14, 1, "us", None, None),
    ]


def test_keys_of_one_name_are_a_list(orders, users):
    found = orders.where("name = 10").transform(lookup, users.where("id = 1"), "region", "id")
    assert found.collect() == [(10, 1, "eu", 1)]


def test_only_what_is_brought_is_read(orders, spark, users, tmp_path, capsys):
    users.drop("a.ge").write.parquet(str(tmp_path / "users"))
    capsys.readouterr()
    read = spark.read.parquet(str(tmp_path / "users"))
    orders.transform(lookup, read, {"user_id": "id"}, "name").explain(mode="formatted")
    assert "ReadSchema: struct<id:int,name:string>" in capsys.readouterr().out


def test_wrong_arguments_are_told(orders, users):
    with pytest.raises(MissingColumnError, match="lookup, `columns`: There is no column `nam`. Did you mean `name`"):
        orders.transform(lookup, users, {"user_id": "id"}, ["nam"])
    with pytest.raises(TransformError, match="at least one column to bring"):
        orders.transform(lookup, users, {"user_id": "id"}, [])
    with pytest.raises(TransformError, match="lookup needs at least one key"):
        orders.transform(lookup, users, {}, ["name"])
    with pytest.raises(MissingColumnError, match="lookup cannot find the key `ids` of `other`"):
        orders.transform(lookup, users, {"user_id": "ids"}, ["name"])
    with pytest.raises(ColumnTypeError, match="types that do not compare"):
        orders.transform(lookup, users, {"user_id": "name"}, ["id"])
