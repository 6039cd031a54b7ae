"""simplify_ddb_json and unnest_ddb_json: DynamoDB's tagged values become plain ones."""

import pytest
from pyspark.sql import functions as F

from transforms.errors import DuplicateColumnError
from transforms.simplify_ddb_json import simplify_ddb_json
from transforms.unnest_ddb_json import unnest_ddb_json

SCHEMA = """
    id STRUCT<S: STRING>, n STRUCT<N: STRING>, b STRUCT<B: STRING>, ok STRUCT<BOOL: BOOLEAN>,
    strings STRUCT<SS: ARRAY<STRING>>, numbers STRUCT<NS: ARRAY<STRING>>, bytes STRUCT<BS: ARRAY<STRING>>,
    nothing STRUCT<NULL: BOOLEAN>, perhaps STRUCT<NULL: BOOLEAN, S: STRING>, mixed STRUCT<N: STRING, S: STRING>,
    parent STRUCT<M: STRUCT<child: STRUCT<M: STRUCT<name: STRUCT<S: STRING>, S: STRUCT<N: STRING>>>>>,
    list STRUCT<L: ARRAY<STRUCT<S: STRING>>>, nested STRUCT<L: ARRAY<STRUCT<L: ARRAY<STRUCT<N: STRING>>>>>,
    several STRUCT<L: ARRAY<STRUCT<N: STRING, S: STRING>>>,
    maps STRUCT<L: ARRAY<STRUCT<M: STRUCT<a: STRUCT<S: STRING>>>>>,
    empty STRUCT<L: ARRAY<STRING>>
"""
ITEM = """{
    "id": {"S": "x"}, "n": {"N": "1.50"}, "b": {"B": "aGk="}, "ok": {"BOOL": true}, "strings": {"SS": ["p", "q"]},
    "numbers": {"NS": ["1"]}, "bytes": {"BS": ["aGk="]}, "nothing": {"NULL": true},
    "perhaps": {"S": "s"}, "mixed": {"N": "1"},
    "parent": {"M": {"child": {"M": {"name": {"S": "Ada"}, "S": {"N": "7"}}}}}, "list": {"L": [{"S": "a"}, {"S": "b"}]},
    "nested": {"L": [{"L": [{"N": "1"}]}]}, "several": {"L": [{"N": "1"}, {"S": "b"}]},
    "maps": {"L": [{"M": {"a": {"S": "v"}}}]},
    "empty": {"L": []}
}"""


def export(spark, *items):
    texts = spark.createDataFrame([(item,) for item in items], "text STRING")
    return texts.select(F.from_json("text", f"Item STRUCT<{SCHEMA}>").alias("j")).select("j.Item")


def test_types_and_values(spark):
    found = export(spark, '{"Item": ' + ITEM + "}").transform(simplify_ddb_json)
    assert dict(found.dtypes) == {
        "id": "string",
        "n": "string",
        "b": "string",
        "ok": "boolean",
        "strings": "array<string>",
        "numbers": "array<string>",
        "bytes": "array<string>",
        "nothing": "void",
        "perhaps": "string",
        "mixed": "struct<N:string,S:string>",
        "parent": "struct<child:struct<name:string,S:string>>",
        "list": "array<string>",
        "nested": "array<array<string>>",
        "several": "array<struct<N:string,S:string>>",
        "maps": "array<struct<M:struct<a:struct<S:string>>>>",
        "empty": "array<string>",
    }
    (row,) = found.collect()
    assert row[:11] == ("x", "1.50", "aGk=", True, ["p", "q"], ["1"], ["aGk="], None, "s", ("1", None), (("Ada", "7"),))
    assert row[11:] == (["a", "b"], [["1"]], [("1", None), (None, "b")], [((("v",),),)], [])


def test_missing_attributes_are_null(spark):
    (row,) = (
        export(spark, '{"Item": {"parent": {"M": {"child": {"NULL": true}}}}}').transform(simplify_ddb_json).collect()
    )
    assert [value for value in row if value is not None] == [(None,)]
    assert export(spark, None).transform(simplify_ddb_json).collect() == [(None,) * 16]


def test_unnest_leaves_what_is_in_lists(spark):
    found = dict(export(spark, '{"Item": ' + ITEM + "}").transform(unnest_ddb_json).dtypes)
    assert found["list"] == "array<struct<S:string>>"
    assert found["nested"] == "array<struct<L:array<struct<N:string>>>>"
    assert (found["id"], found["parent"]) == ("string", "struct<child:struct<name:string,S:string>>")


def test_other_columns_stay_and_need_no_item(spark):
    item = "named_struct('Keys', named_struct('S', 'x'))"
    df = spark.sql(f"SELECT 1 AS Metadata, {item} AS Item, named_struct('N', '1') AS n, named_struct('a', 1) AS s")
    assert df.transform(simplify_ddb_json).columns == ["Metadata", "Keys", "n", "s"]
    assert df.transform(simplify_ddb_json).collect() == [(1, "x", "1", (1,))]


def test_two_columns_of_one_name_are_refused(spark):
    df = spark.sql("SELECT 1 AS id, named_struct('id', named_struct('S', 'x')) AS Item")
    with pytest.raises(DuplicateColumnError, match="An attribute in `Item` has the name of another column: `id`"):
        df.transform(simplify_ddb_json)


def test_a_frame_without_tags_stays_as_it_is(spark):
    df = spark.sql(
        "SELECT 1 AS S, named_struct('a', 1) AS Item, named_struct('S', 1, 'x', 2) AS t, named_struct() AS e"
    )
    assert df.transform(simplify_ddb_json).schema == df.schema
    assert df.limit(0).transform(simplify_ddb_json).collect() == []
