"""unbox: texts that become values, texts that do not, and schemas given and learnt."""

import json

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.unbox import unbox

AVRO = '{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]}]}'


def outcome(df, column="t"):
    """The value and the error's code of each row."""
    return [(row[column], row._error and row._error.code) for row in df.collect()]


def texts(spark, *values):
    return spark.createDataFrame([(value,) for value in values], "t STRING")


def test_json_with_a_schema(spark):
    df = texts(spark, '{"b":"x","a":1,"more":0}', '{"a":null}', None, "", " \n", "null", "{broken", '{"a":"x"}', "[1]")
    found = unbox(df, "t", "json", schema="a INT, b STRING")
    assert found.columns == ["t", "_error"]
    assert outcome(found) == [
        ((1, "x"), None),
        ((None, None), None),
        (None, None),
        (None, None),
        (None, None),
        (None, None),
        (None, "PARSE"),
        (None, "PARSE"),
        (None, "PARSE"),
    ]


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        pytest.param("ARRAY<STRUCT<a: INT>>", '[{"a":1},{"a":null}]', [(1,), (None,)], id="an array"),
        pytest.param("map<string, int>", '{"x":1}', {"x": 1}, id="a map"),
        pytest.param("struct<a: struct<b: array<long>>>", '{"a":{"b":[1]}}', (([1],),), id="nested, as a type"),
        pytest.param(StructType().add("a", "integer"), '{"a":1}', (1,), id="a type of Spark's"),
        pytest.param(StructType().add("a", "integer").json(), '{"a":1}', (1,), id="its JSON"),
        pytest.param(
            "`a.b` INT, Id INT, id INT, `it's` INT", '{"a.b":1,"Id":2,"id":3,"it\'s":4}', (1, 2, 3, 4), id="names"
        ),
        pytest.param("int", "12", 12, id="a scalar"),
        pytest.param("value INT, end INT", '{"value":1,"end":2}', (1, 2), id="our own wrapper's names"),
        pytest.param("_unparsed INT", '{"_unparsed":1}', (1,), id="our own helper's name"),
    ],
)
def test_schemas_of_json(spark, schema, text, expected):
    assert outcome(unbox(texts(spark, text, "[oops"), "t", "json", schema=schema)) == [
        (expected, None),
        (None, "PARSE"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1} zz',
        '{"a":1}}',
        '{"a":1}]',
        '{"a":1},',
        '{"a":1},{"a":2}',
        '{"a":1}{"a":2}',
        '{"a":1}, "b": 2',
        "1",
        "{",
    ],
)
def test_what_is_behind_a_json_value_rejects(spark, text):
    assert outcome(unbox(texts(spark, text), "t", "json", schema="a INT")) == [(None, "PARSE")]


def test_json_without_a_schema_gets_every_field(spark):
    df = texts(spark, '{"a":1,"c":{"d":[1]}}', '{"b":"x","a":2}', '{"b":5}', "oops", None)
    found = unbox(df, "t", "json")
    assert found.schema["t"].dataType.simpleString() == "struct<a:bigint,b:string,c:struct<d:array<bigint>>>"
    assert outcome(found) == [
        ((1, None, ([1],)), None),
        ((2, "x", None), None),
        ((None, "5", None), None),
        (None, "PARSE"),
        (None, None),
    ]


def test_a_rejected_row_keeps_its_values_and_its_record(spark):
    df = spark.createDataFrame([(1, "{", None), (2, '{"a":1}', "x")], "id INT, t STRING, `c d` STRING")
    bad, good = unbox(df, "t", "json", schema="a INT").collect()
    assert bad[:3] == (1, None, None)
    assert bad._error.record == '{"id":1,"t":"{","c d":null}'
    assert bad._error.message == "The text is no json of the schema that was asked for: unbox, `t`"
    assert good == (2, (1,), "x", None)


def test_rows_rejected_earlier_stay_rejected(spark):
    df = spark.createDataFrame([('{"a":1}', "{"), ("{", '{"b":1}'), ("{", "{")], "t STRING, u STRING")
    twice = unbox(unbox(df, "t", "json", schema="a INT"), "u", "json", schema="b INT")
    assert twice.columns == ["t", "u", "_error"]
    assert [row._error.message[-3:] for row in twice.collect()] == ["`u`", "`t`", "`t`"]


def test_csv(spark):
    df = texts(spark, '1;"x;""y"', "2;", "z;y", "1", "1;2;3", "", None)
    found = unbox(df, "t", "csv", schema="a INT, b STRING", separator=";")
    assert outcome(found) == [
        ((1, 'x;"y'), None),
        ((2, None), None),
        (None, "PARSE"),
        (None, "PARSE"),
        (None, "PARSE"),
        (None, None),
        (None, None),
    ]
    escaped = unbox(texts(spark, '1,"a!"b"'), "t", "csv", schema="a INT, b STRING", escaper="!")
    assert outcome(escaped) == [((1, 'a"b'), None)]


def test_the_end_of_the_line_is_no_part_of_csv(spark):
    df = texts(spark, "1,2\n", "3,4\r\n", '5,"a\n"\n')
    assert outcome(unbox(df, "t", "csv")) == [(("1", "2"), None), (("3", "4"), None), (("5", "a\n"), None)]
    assert outcome(unbox(df.limit(2), "t", "csv", schema="a INT, b INT")) == [((1, 2), None), ((3, 4), None)]
    skipped = unbox(texts(spark, "a,b\r\n1,2\r\n"), "t", "csv", schema="a INT, b INT", skip_first=True)
    assert outcome(skipped) == [((1, 2), None)]


def test_several_lines_are_no_record_of_csv(spark):
    assert outcome(unbox(texts(spark, "1,2\n3,4", "5,6"), "t", "csv")) == [(None, "PARSE"), (("5", "6"), None)]


def test_csv_without_a_schema_is_strings(spark):
    found = unbox(texts(spark, "1,2", '1,"a,b",3', None), "t", "csv")
    assert found.schema["t"].dataType.names == ["col0", "col1", "col2"]
    assert outcome(found) == [(None, "PARSE"), (("1", "a,b", "3"), None), (None, None)]


def test_csv_with_a_header_in_each_text(spark):
    df = texts(spark, 'id,"full name"\n7,Ada', 'id,"full name"\n8,Bob\n', 'id,"full name"')
    found = unbox(df, "t", "csv", with_header=True)
    assert found.schema["t"].dataType.names == ["id", "full name"]
    assert outcome(found) == [(("7", "Ada"), None), (("8", "Bob"), None), (None, None)]
    skipped = unbox(texts(spark, "junk\n7,Ada"), "t", "csv", schema="id INT, name STRING", skip_first=True)
    assert outcome(skipped) == [((7, "Ada"), None)]


def test_values_of_csv_go_by_the_names_of_their_own_header(spark):
    df = texts(
        spark, "a,b\n1,x", "b,a\nq,7", 'b\n"y, ""z"""', '"b","a"\n"r, s",', "a,b\n1,2,3", "a,c\r\n5,w\r\n", None, ""
    )
    found = unbox(df, "t", "csv", with_header=True)
    assert found.schema["t"].dataType.names == ["a", "b", "c"]
    assert outcome(found) == [
        (("1", "x", None), None),
        (("7", "q", None), None),
        ((None, 'y, "z"', None), None),
        ((None, "r, s", None), None),
        (None, "PARSE"),
        (("5", None, "w"), None),
        (None, None),
        (None, None),
    ]
    assert outcome(unbox(df, "t", "csv", with_header=True, schema="b STRING, a INT"))[:2] == [
        (("x", 1), None),
        (("q", 7), None),
    ]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        pytest.param('"a" ,b', ["a ", "b"], id="signs behind a quote"),
        pytest.param('"a"x,b', ["ax", "b"], id="letters behind a quote"),
        pytest.param('"a""b",c', ['a"b', "c"], id="a quote in quotes"),
        pytest.param('"a,b,c', ['"a', "b", "c"], id="a quote that is not closed"),
    ],
)
def test_a_column_is_found_by_the_name_that_was_learnt(spark, header, names):
    values = ["1", "2", "3"][: len(names)]
    found = unbox(texts(spark, f"{header}\n{','.join(values)}", "z\n9"), "t", "csv", with_header=True)
    assert found.schema["t"].dataType.names == [*names, "z"]
    assert outcome(found) == [((*values, None), None), ((*[None] * len(names), "9"), None)]


def test_a_header_without_a_name_leads_nowhere(spark):
    df = texts(spark, "a\n1", "\n2", " \n3")
    assert outcome(unbox(df, "t", "csv", with_header=True)) == [(("1",), None), (None, "PARSE"), (None, "PARSE")]


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        pytest.param("b|a\nq|7", {"separator": "|"}, ("7", "q"), id="another separator"),
        pytest.param("b\ta\n\t7", {"separator": "\t"}, ("7", None), id="tabs"),
        pytest.param('b,a\n"q""q,","7\n8"', {}, ("7\n8", 'q"q,'), id="signs in quotes"),
        pytest.param('"b",a\n"q\\",q",7', {"escaper": "\\"}, ("7", 'q",q'), id="escaped quotes"),
        pytest.param("x,y\n1,2", {}, ("1", "2"), id="other names: the schema says what they are called"),
        pytest.param("c,b,a\n0,q,7", {}, ("7", "q"), id="a name more"),
    ],
)
def test_headers_beside_a_schema(spark, text, more, expected):
    found = unbox(texts(spark, text), "t", "csv", schema="a STRING, b STRING", with_header=True, **more)
    assert outcome(found) == [(expected, None)]


def test_xml(spark):
    df = texts(spark, '<p k="7"><a>1</a><b>x</b><b>y</b></p>', "<p><a>2</a></p>", "<p><a>", "", None)
    declared = unbox(df, "t", "xml", schema="_k INT, a INT, b ARRAY<STRING>")
    assert outcome(declared) == [
        ((7, 1, ["x", "y"]), None),
        ((None, 2, None), None),
        (None, "PARSE"),
        (None, None),
        (None, None),
    ]
    learnt = unbox(df, "t", "xml")
    assert learnt.schema["t"].dataType.simpleString() == "struct<_k:bigint,a:bigint,b:array<string>>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<r><a>1</a></r>", (1,)),
        (
            "<?xml version='1.0'?>\n<!DOCTYPE r [<!ENTITY e '5'>]>\n<!-- a --><r k='>'><a>1</a><r/></r >\n<!-- b -->",
            (1,),
        ),
        ("<x:r xmlns:x='u'><a>1</a></x:r>", (1,)),
        ("<r><r><a>2</a></r><a>1</a></r>", (1,)),
        ("<r/>", (None,)),
        ("<r k='/>'/>", (None,)),
        ("<r></r>", (None,)),
        ("<r><a>1</a></r>x", None),
        ("x<r><a>1</a></r>", None),
        ("<r><a>1</a></r><r>", None),
        ("<r><a>1</a></r><r><a>2</a></r>", None),
        ("<r/><r/>", None),
        ("<r><a>1</a></s>", None),
        ("<r><a>1</a>", None),
        ("1", None),
    ],
)
def test_a_text_is_one_element_of_xml_or_rejected(spark, text, expected):
    assert outcome(unbox(texts(spark, text), "t", "xml", schema="a INT")) == [(expected, None if expected else "PARSE")]


def test_texts_that_are_no_xml_tell_no_schema(spark):
    found = unbox(texts(spark, "<r><a>1</a></r>", "<r><b>1</b></r><r><c>1</c></r>"), "t", "xml")
    assert found.schema["t"].dataType.simpleString() == "struct<a:bigint>"


def test_bytes_that_are_no_text_reject(spark):
    df = spark.sql("SELECT X'FF' AS t UNION ALL SELECT CAST('{\"a\":3}' AS BINARY)")
    assert outcome(unbox(df, "t", "json")) == [(None, "PARSE"), ((3,), None)]


def test_of_a_key_that_is_there_twice_the_last_counts(spark):
    found = unbox(texts(spark, '{"a":1,"a":2,"b":[{"c":1,"c":"x"}]}', '{"a":3}'), "t", "json")
    assert found.schema["t"].dataType.simpleString() == "struct<a:bigint,b:array<struct<c:string>>>"
    assert outcome(found) == [((2, [("x",)]), None), ((3, None), None)]


def test_avro(spark):
    from pyspark.sql.avro.functions import to_avro

    rows = spark.sql("SELECT * FROM VALUES (named_struct('a', 1, 'b', 'x')), (named_struct('a', 2, 'b', null)) AS v(t)")
    df = rows.select(to_avro("t", AVRO).alias("t")).union(spark.sql("SELECT X'80'")).union(spark.sql("SELECT null"))
    assert outcome(unbox(df, "t", "avro", schema=AVRO)) == [
        ((1, "x"), None),
        ((2, None), None),
        (None, "PARSE"),
        (None, None),
    ]


def test_a_field_inside_structs(spark):
    df = spark.sql("SELECT named_struct('id', 1, 'Id', named_struct('x y', '{\"a\":1}', 'z', 2)) AS s, 1 AS n, 2 AS n")
    found = unbox(df, "s.Id.`x y`", "json", schema="a INT")
    assert found.collect() == [((1, ((1,), 2)), 1, 2, None)]
    binary = spark.sql("SELECT encode('{\"a\":1}', 'UTF-8') AS t")
    assert outcome(unbox(binary, "t", "json", schema="a INT")) == [((1,), None)]


def test_an_empty_frame(spark):
    empty = texts(spark, None).limit(0)
    assert outcome(unbox(empty, "t", "json", schema="a INT")) == []
    for kind in ("json", "xml"):
        with pytest.raises(TransformError, match=f"no {kind} to learn a schema from"):
            unbox(empty, "t", kind)
    with pytest.raises(TransformError, match="no header to learn a schema from"):
        unbox(empty, "t", "csv", with_header=True)


def test_wrong_signs_and_headers(spark):
    df = texts(spark, "a,a\n1,2")
    for more in ({"separator": "||"}, {"separator": ""}, {"escaper": "ab"}):
        with pytest.raises(TransformError, match="is one character, got"):
            unbox(df, "t", "csv", **more)
    with pytest.raises(DuplicateColumnError, match="unbox, `t`: the header has `a` more than once"):
        unbox(df, "t", "csv", with_header=True)
    assert outcome(unbox(df, "t", "csv", with_header=True, schema="a INT, b INT")) == [((1, 2), None)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (("t", "yaml", None), TransformError, "unbox cannot read format='yaml'. It knows avro, csv, json, xml."),
        (("T", "json", None), MissingColumnError, "There is no column `T`. Did you mean `t`"),
        (("n", "json", None), ColumnTypeError, "json has to be a string or binary, but the field is of type int"),
        (("t", "avro", AVRO), ColumnTypeError, "avro has to be binary, but the field is of type string"),
        (("a.t", "json", None), ColumnTypeError, "lies inside the array `a`"),
        (("t", "json", "a INTT"), TransformError, "unbox, `t`: The schema 'a INTT' has no type name at character 3"),
        (("t", "csv", "array<int>"), ColumnTypeError, "csv cannot be read as array<int>"),
        (("t", "json", "{oops"), TransformError, "`schema` is no JSON"),
        (("t", "json", '{"type":"x"}'), TransformError, "not that of a StructType"),
        (("b", "avro", None), TransformError, "Avro does not tell its types"),
        (("b", "avro", '{"type":"nonsense"}'), TransformError, "Avro cannot use the schema"),
    ],
)
def test_wrong_calls(spark, call, error, message):
    df = spark.sql("SELECT 'x' AS t, 1 AS n, X'00' AS b, array(named_struct('t', 'x')) AS a")
    path, kind, schema = call
    with pytest.raises(error, match=message):
        unbox(df, path, kind, schema=schema)


def test_a_column_that_is_not_asked_for_is_not_parsed(spark, capsys):
    df = texts(spark, '{"a":1}').select("t", F.lit(1).alias("n"))
    capsys.readouterr()
    unbox(df, "t", "json", schema="a INT").select("n").explain()
    assert "from_json" not in capsys.readouterr().out


def test_avro_that_is_garbage_rejects_where_all_fields_may_be_null(spark):
    from pyspark.sql.avro.functions import to_avro

    fields = [
        {"name": "a", "type": ["null", "int"]},
        {"name": "b", "type": ["string", "null"]},
        {"name": "c", "type": "null"},
    ]
    schema = json.dumps({"type": "record", "name": "r", "fields": fields})
    rows = spark.sql("SELECT * FROM VALUES (1, 'x'), (null, null) AS v(a, b)").selectExpr(
        "named_struct('a', a, 'b', b, 'c', null) AS t"
    )
    df = rows.select(to_avro("t", schema).alias("t")).union(spark.sql("SELECT X'80'")).union(spark.sql("SELECT X''"))
    assert outcome(unbox(df, "t", "avro", schema=schema)) == [
        ((1, "x", None), None),
        ((None, None, None), None),
        (None, "PARSE"),
        (None, "PARSE"),
    ]
