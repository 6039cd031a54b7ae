"""concatenate: order, separators and nulls."""

import pytest

from transforms.concatenate import concatenate
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError


@pytest.fixture
def people(spark):
    rows = [("Ada", 36, ("Ulm",)), (None, None, None), ("", 7, (None,)), ("", 7, (None,))]
    return spark.createDataFrame(rows, "name STRING, age INT, home STRUCT<town: STRING>")


def test_texts_stand_in_the_order_of_the_list_and_nulls_are_empty(people):
    said = people.transform(concatenate, ["home.town", "name", "age"], "said", separator="|")
    assert [row.said for row in said.collect()] == ["Ulm|Ada|36", "||", "||7", "||7"]
    assert said.columns == ["name", "age", "home", "said"]


def test_nulls_can_have_a_text_of_their_own_and_a_column_can_be_replaced(people):
    said = people.transform(concatenate, ["name", "age"], "name", null_value="NA")
    assert [row.name for row in said.collect()] == ["Ada36", "NANA", "7", "7"]
    assert said.columns == people.columns


def test_odd_names_and_many_columns(spark):
    df = spark.sql("SELECT 'a' AS `x.y`, 'b' AS `b``t`, true AS `🙂 `, 1.50 AS d, DATE '2020-01-02' AS day")
    paths = ["`x.y`", "`b``t`", "🙂 ", "d", "day"]
    assert df.transform(concatenate, paths, "z.z").collect()[0]["z.z"] == "abtrue1.502020-01-02"
    wide = spark.range(1).selectExpr(*(f"{number % 10} AS c{number}" for number in range(1000)))
    assert wide.transform(concatenate, wide.columns, "all").select("all").collect() == [("0123456789" * 100,)]


@pytest.mark.parametrize(
    ("columns", "new", "error", "said"),
    [
        ([], "x", TransformError, "at least one"),
        (["nme"], "x", MissingColumnError, r"no column `nme`\. Did you mean `name`"),
        (["home"], "x", ColumnTypeError, "`home` is of type struct<town:string>, which is no text"),
        (["name"], "Age", DuplicateColumnError, "differs only in case from `age`"),
    ],
)
def test_wrong_arguments_are_told(people, columns, new, error, said):
    with pytest.raises(error, match=said):
        people.transform(concatenate, columns, new)
