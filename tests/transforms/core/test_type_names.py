"""parse_type and type_text: every name of a type, and what is said of a text that names none."""

import pytest
from pyspark.sql import types as t

from transforms.core.type_names import parse_fields, parse_type, type_text
from transforms.errors import TransformError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("string", t.StringType()),
        (" STRING ", t.StringType()),
        ("string collate UTF8_LCASE", t.StringType("UTF8_LCASE")),
        ("int", t.IntegerType()),
        ("integer", t.IntegerType()),
        ("Long", t.LongType()),
        ("bigint", t.LongType()),
        ("smallint", t.ShortType()),
        ("byte", t.ByteType()),
        ("float", t.FloatType()),
        ("double", t.DoubleType()),
        ("boolean", t.BooleanType()),
        ("date", t.DateType()),
        ("timestamp", t.TimestampType()),
        ("timestamp_ntz", t.TimestampNTZType()),
        ("binary", t.BinaryType()),
        ("null", t.NullType()),
        ("decimal", t.DecimalType(10, 2)),
        ("decimal(5)", t.DecimalType(5, 0)),
        ("Decimal( 38 , 0 )", t.DecimalType(38, 0)),
        ("varchar(3)", t.VarcharType(3)),
        ("interval day to second", t.DayTimeIntervalType(0, 3)),
        ("interval year", t.YearMonthIntervalType(0, 0)),
        ("array<array<int>>", t.ArrayType(t.ArrayType(t.IntegerType()))),
        ("map<string,array<int>>", t.MapType(t.StringType(), t.ArrayType(t.IntegerType()))),
        ("struct<>", t.StructType()),
        ("struct<a:int,b string>", t.StructType().add("a", "integer").add("b", "string")),
        ("STRUCT<`a.b`: int, `c``d` int>", t.StructType().add("a.b", "integer").add("c`d", "integer")),
        ("struct<date: date, map: map<string, int>>", None),
        ("struct<🙂: int>", t.StructType().add("🙂", "integer")),
        (
            "struct<a: int NOT NULL COMMENT 'it\\'s', b: int>",
            t.StructType().add("a", "integer", False, {"comment": "it's"}).add("b", "integer"),
        ),
    ],
)
def test_a_text_names_a_type(text, expected):
    found = parse_type(text)
    assert expected is None or found == expected
    assert parse_type(type_text(found)).simpleString() == found.simpleString()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no type at character 1"),
        ("strnig", "no type name at character 1. Did you mean `string`?"),
        ("qqq", "There are these types: array, bigint"),
        ("array", "no `<` behind `array` at character 6. Say what is inside, as in array<int>."),
        ("array<int", "has no `>` at character 10"),
        ("array<int>>", "something left over: '>'"),
        ("struct<a>", "has no type at character 9"),
        ("struct<a int,>", "has no name at character 14"),
        ("struct<a int b int>", "has no `,` at character 14"),
        ("decimal(39,0)", "It takes up to 38 digits"),
        ("decimal(5,6)", "It takes up to 38 digits"),
        ("decimal(x)", "has no number at character 9"),
        ("varchar", "Write varchar(10)."),
        ("map<int>", "has no `,` at character 8"),
        ("interval day to year", "Write as in: interval day to second."),
        ("array<" * 300 + "int" + ">" * 300, "nested more than 200 levels deep"),
    ],
)
def test_a_text_that_names_no_type_is_refused(text, message):
    with pytest.raises(TransformError) as error:
        parse_type(text)
    assert message in str(error.value)


def test_fields_of_a_table():
    expected = t.StructType().add("id", "integer", False).add("zip code", t.ArrayType(t.StringType()))
    assert parse_fields("id INT NOT NULL, `zip code` ARRAY<STRING>") == expected
    assert parse_fields("struct<id: INT NOT NULL, `zip code`: ARRAY<STRING>>") == expected
    assert parse_fields("struct INT").names == ["struct"]
    assert parse_fields("") == t.StructType()
