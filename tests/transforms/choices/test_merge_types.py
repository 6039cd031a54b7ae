"""Merging types: equal ones stay, nested ones merge inside, others become a choice."""

import pytest
from pyspark.sql.types import DataType, StructType

from transforms.choices.choice import choices_in
from transforms.choices.merge_types import merge_schemas


def merged(*types):
    schema = StructType()
    for number, text in enumerate(types):
        schema_of_one = StructType().add("a", DataType.fromDDL(text))
        schema = merge_schemas(schema, schema_of_one) if number else schema_of_one
    return schema["a"].dataType.simpleString(), [(path, choice.names) for path, choice in choices_in(schema)]


@pytest.mark.usefixtures("spark")  # reads types from DDL
@pytest.mark.parametrize(
    ("types", "expected", "choices"),
    [
        pytest.param(["int", "int"], "int", [], id="the same"),
        pytest.param(["void", "int"], "int", [], id="null and something"),
        pytest.param(["array<void>", "array<string>"], "array<string>", [], id="an empty array and a full one"),
        pytest.param(["int", "bigint"], "struct<int:int,long:bigint>", [("a", ["int", "long"])], id="int and long"),
        pytest.param(
            ["string", "int", "string", "double", "int"],
            "struct<string:string,int:int,double:double>",
            [("a", ["string", "int", "double"])],
            id="a choice takes up more, in order of appearance",
        ),
        pytest.param(
            ["struct<x: int, y: int>", "struct<z: int, x: int>"],
            "struct<x:int,y:int,z:int>",
            [],
            id="structs by fields",
        ),
        pytest.param(
            ["struct<x: int>", "struct<X: string>"],
            "struct<x:int,X:string>",
            [],
            id="case twins are two",
        ),
        pytest.param(
            ["array<struct<p: int>>", "array<struct<p: string>>"],
            "array<struct<p:struct<int:int,string:string>>>",
            [("a[].p", ["int", "string"])],
            id="arrays by elements",
        ),
        pytest.param(
            ["array<int>", "int", "array<string>"],
            "struct<array:array<struct<int:int,string:string>>,int:int>",
            [("a", ["array", "int"]), ("a.array[]", ["int", "string"])],
            id="a choice never holds two arrays",
        ),
        pytest.param(
            ["struct<x: int>", "int", "struct<x: string, y: int>"],
            "struct<struct:struct<x:struct<int:int,string:string>,y:int>,int:int>",
            [("a", ["struct", "int"]), ("a.struct.x", ["int", "string"])],
            id="nor two structs",
        ),
        pytest.param(
            ["map<string, int>", "map<string, string>"],
            "map<string,struct<int:int,string:string>>",
            [("a{}", ["int", "string"])],
            id="maps by values",
        ),
        pytest.param(["map<int, int>", "map<string, int>"], "map<string,int>", [], id="keys that differ become texts"),
        pytest.param(["decimal(10,2)", "decimal(5,4)"], "decimal(12,4)", [], id="decimals get the digits of both"),
        pytest.param(
            ["decimal(38,0)", "decimal(38,9)", "decimal(9,0)", "decimal(38,20)"],
            "struct<decimal:decimal(38,0),string:string>",
            [("a", ["decimal", "string"])],
            id="too many digits for a decimal",
        ),
        pytest.param(["varchar(3)", "string"], "string", [], id="texts of several lengths"),
    ],
)
def test_two_types_become_one(types, expected, choices):
    assert merged(*types) == (expected, choices)


@pytest.mark.usefixtures("spark")
def test_fields_of_the_left_come_first_and_what_is_missing_can_be_null():
    left = StructType().add("b", "integer", False, {"mine": 1}).add("a", "integer", False)
    right = StructType().add("c", "integer", False).add("b", "integer", False)
    fields = merge_schemas(left, right).fields
    assert [(field.name, field.nullable, field.metadata) for field in fields] == [
        ("b", False, {"mine": 1}),
        ("a", True, {}),
        ("c", True, {}),
    ]
