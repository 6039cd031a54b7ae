"""parse_json: types, rejected texts, found schemas."""

import json

import pytest

from transforms.errors import DuplicateColumnError, TransformError
from transforms.parse_json import parse_json
from transforms.rejects import accepted, rejected

TEXTS = ['{"a": 1, "b": "x"}', '{"a": "q"}', "{bad", "", "  ", None, '[{"a": 2}]', '{"a": 1} zz', "null", '{"c": 3}']


@pytest.fixture
def texts(spark):
    return spark.createDataFrame(list(enumerate(TEXTS)), "id INT, `j.j` STRING")


def test_good_texts_are_parsed_and_bad_ones_rejected(texts):
    rows = texts.transform(parse_json, "`j.j`", schema="a INT, b STRING")
    assert rows.columns == ["id", "j.j", "_error"]
    good = rows.transform(accepted).collect()
    assert good == [(0, (1, "x")), (3, None), (4, None), (5, None), (8, None), (9, (None, None))]
    bad = rows.transform(rejected).collect()
    assert [json.loads(row.record)["id"] for row in bad] == [1, 2, 6, 7]
    assert {row.code for row in bad} == {"PARSE"}
    assert bad[1].message == "The text is no json of the schema that was asked for: parse_json, ``j.j``"
    assert json.loads(bad[1].record) == {"id": 2, "j.j": "{bad"}


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [
        ('["a", null]', "ARRAY<STRING>", ["a", None]),
        ('[{"a": {"b": 1}}]', "ARRAY<STRUCT<a: STRUCT<b: INT>>>", [((1,),)]),
        ('{"x": 1}', "MAP<STRING, INT>", {"x": 1}),
        ("12", "int", 12),
        ('{"a b": 1}', "`a b` INT", (1,)),
    ],
)
def test_any_type_can_be_said(spark, text, schema, expected):
    df = spark.createDataFrame([(text,)], "j STRING").transform(parse_json, "j", schema=schema, new_column="p")
    assert df.collect() == [(text, expected, None)]


def test_a_value_of_another_type_in_an_array_rejects(spark):
    df = spark.createDataFrame([('[1, "x"]',)], "j STRING").transform(parse_json, "j", schema="ARRAY<INT>")
    assert df.collect()[0].j is None
    assert df.collect()[0]._error.code == "PARSE"


def test_without_a_schema_it_is_found(texts, spark):
    found = texts.transform(parse_json, "`j.j`", new_column="p")
    assert found.schema["p"].dataType.simpleString() != ""
    df = spark.createDataFrame([('{"b": 1.5, "a": [1]}',), ('{"b": null, "c": "x"}',), ("{",)], "j STRING")
    rows = df.transform(parse_json, "j")
    assert rows.schema["j"].dataType.simpleString() == "struct<a:array<bigint>,b:double,c:string>"
    assert [row.j for row in rows.collect()] == [([1], 1.5, None), (None, None, "x"), None]
    arrays = spark.createDataFrame([("[1, 2]",)], "j STRING").transform(parse_json, "j", sample_ratio=0.999999)
    assert arrays.dtypes[0] == ("j", "array<bigint>")


def test_rows_rejected_earlier_keep_their_error(texts):
    rows = texts.where("id = 2").transform(parse_json, "`j.j`", schema="a INT")
    again = rows.selectExpr("id", "'{\"a\": 1}' AS t", "_error").transform(parse_json, "t", schema="a INT")
    assert again.columns == ["id", "t", "_error"]
    assert again.collect()[0].t is None
    assert again.transform(rejected).collect() == rows.transform(rejected).collect()


def test_wrong_arguments_are_told(texts):
    with pytest.raises(TransformError, match="The schema 'a INTX' has no type name at character 3"):
        texts.transform(parse_json, "`j.j`", schema="a INTX")
    with pytest.raises(TransformError, match="above 0 and at most 1, got 0"):
        texts.transform(parse_json, "`j.j`", sample_ratio=0)
    with pytest.raises(TransformError, match="parse_json, `j`: There is no json to learn a schema from"):
        texts.sparkSession.createDataFrame([("{",)], "j STRING").transform(parse_json, "j")
    with pytest.raises(DuplicateColumnError, match="differs only in case from `id`"):
        texts.transform(parse_json, "`j.j`", schema="a INT", new_column="ID")


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_a_text_is_good_only_if_it_ends_with_its_object(spark):
    """Held against Python's parser: objects of one to six levels, with braces in texts, and with things behind them."""
    objects = ['{"a":1}', '{"a":1,"b":"{"}', '{"b":"}{","a":1}', '{"c":{"d":[{}]},"a":1}', '{"b":"\\\\"}"}']
    objects += ['{"a":1,"c":' + '{"d":' * depth + "2" + "}" * (depth + 1) for depth in range(1, 6)]
    behind = [
        "",
        " ",
        "\n\t ",
        "}",
        " }",
        ",",
        "]",
        "x",
        '{"a":2}',
        ',{"a":2}',
        '],"a":[',
        '],"_end by unbox":true}',
        "\0",
    ]
    told = [(text + more,) for text in objects for more in behind]
    df = spark.createDataFrame(told, "j STRING").transform(parse_json, "j", schema="a INT, b STRING", new_column="p")
    good = {row.j for row in df.transform(accepted).collect()}
    assert good == {text for (text,) in told if is_json(text)}
    assert df.transform(rejected).count() == len(told) - len(good)
