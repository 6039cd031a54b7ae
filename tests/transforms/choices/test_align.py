"""align: rows of several schemas, laid out as the merged one."""

import pytest
from pyspark.sql.types import StructType

from transforms.choices.align import align
from transforms.choices.choice import choices_in
from transforms.choices.merge_types import merge_schemas
from transforms.errors import ColumnTypeError


def choices(schema):
    return [(path, choice.names) for path, choice in choices_in(schema)]


def both(one, two):
    schema = merge_schemas(one.schema, two.schema)
    aligned = [df.transform(align, schema) for df in (one, two)]
    assert [to.schema.simpleString() for to in aligned] == [schema.simpleString()] * 2
    assert all(choices(to.schema) == choices(schema) for to in aligned)
    return aligned[0].unionAll(aligned[1])


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        pytest.param("1 AS a", "'x' AS a", [((1, None),), ((None, "x"),)], id="a choice"),
        pytest.param("1 AS a, 2 AS b", "3 AS b", [(1, 2), (None, 3)], id="a column of one side only"),
        pytest.param("CAST(NULL AS INT) AS a", "NULL AS a", [(None,), (None,)], id="nulls stay nulls, of any type"),
        pytest.param("CAST(NULL AS INT) AS a", "'x' AS a", [(None,), ((None, "x"),)], id="a null is a null choice"),
        pytest.param(
            "named_struct('x', 1, 'y', 2) AS s",
            "named_struct('z', 3, 'x', 'q') AS s",
            [(((1, None), 2, None),), (((None, "q"), None, 3),)],
            id="a choice in a struct",
        ),
        pytest.param(
            "array(1, NULL) AS a", "array('x') AS a", [([(1, None), None],), ([(None, "x")],)], id="in an array"
        ),
        pytest.param("array() AS a", "array('x') AS a", [([],), (["x"],)], id="an empty array and one of texts"),
        pytest.param(
            "array(named_struct('p', 1), NULL) AS a",
            "named_struct('q', 1) AS a",
            [(([(1,), None], None),), ((None, (1,)),)],
            id="array or struct",
        ),
        pytest.param(
            "array(array(named_struct('p', 1))) AS a",
            "array(array(named_struct('p', 'x', 'r', true), NULL), NULL) AS a",
            [([[((1, None), None)]],), ([[((None, "x"), True), None], None],)],
            id="in structs in arrays of arrays",
        ),
        pytest.param(
            "map('k', 1) AS m",
            "map('k', 'x', 'n', NULL) AS m",
            [({"k": (1, None)},), ({"k": (None, "x"), "n": None},)],
            id="in a map",
        ),
        pytest.param("map(1, 2) AS m", "map('k', 2) AS m", [({"1": 2},), ({"k": 2},)], id="keys of a map"),
        pytest.param("1.5BD AS a", "2.25BD AS a", [(1.5,), (2.25,)], id="decimals"),
        pytest.param(
            "CAST(1 AS DECIMAL(38,0)) AS a",
            "CAST(1.5 AS DECIMAL(38,9)) AS a",
            [((1, None),), ((None, "1.500000000"),)],
            id="decimals without room for both",
        ),
        pytest.param("1 AS `a.b`, 2 AS `Ä`", "'x' AS `a.b`", [((1, None), 2), ((None, "x"), None)], id="odd names"),
        pytest.param("1 AS id, 2 AS Id", "'x' AS Id", [(1, (2, None)), (None, (None, "x"))], id="case twins"),
        pytest.param(
            "named_struct('id', 1, 'Id', 2) AS s",
            "named_struct('Id', 'x') AS s",
            [((1, (2, None)),), ((None, (None, "x")),)],
            id="case twins in a struct",
        ),
    ],
)
def test_rows_of_both_schemas_fit(spark, one, two, expected):
    assert both(spark.sql(f"SELECT {one}"), spark.sql(f"SELECT {two}")).collect() == expected


def test_a_choice_grows(spark):
    mixed = both(spark.sql("SELECT 1 AS a"), spark.sql("SELECT 'x' AS a"))
    more = both(mixed, spark.sql("SELECT true AS a"))
    assert more.collect() == [((1, None, None),), ((None, "x", None),), ((None, None, True),)]
    assert choices(more.schema) == [("a", ["int", "string", "boolean"])]
    assert both(mixed, mixed).collect() == [*mixed.collect(), *mixed.collect()]


def test_decimals_without_room_go_to_the_texts_of_a_choice_that_grows(spark):
    whole, fine, finer = (spark.sql(f"SELECT CAST(1.5 AS DECIMAL(38,{scale})) AS a") for scale in (0, 9, 20))
    mixed = both(whole, fine)
    assert both(mixed, finer).collect() == [*mixed.collect(), ((None, "1.50000000000000000000"),)]
    other = both(fine, whole)
    assert both(mixed, other).collect() == [*mixed.collect(), ((None, "1.500000000"),), ((None, "2"),)]


def test_equal_schemas_cost_nothing(spark, capsys):
    df = spark.range(1).selectExpr("id", "named_struct('a', id) AS s")
    df.transform(align, df.schema).explain()
    assert "CASE WHEN" not in capsys.readouterr().out


def test_a_type_without_room_is_refused(spark):
    with pytest.raises(ColumnTypeError, match="`a` is of type string; the wanted type struct<int:int> has no room"):
        spark.sql("SELECT 'x' AS a").transform(align, StructType().add("a", StructType().add("int", "integer")))
