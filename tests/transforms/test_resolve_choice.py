"""resolve_choice: each action on each kind of place, and what it leaves alone."""

import json

import pytest
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    ByteType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from transforms.choices.choice import ChoiceType, choices_in, to_marks
from transforms.choices.format_schema import format_schema
from transforms.errors import (
    ColumnTypeError,
    DuplicateColumnError,
    MissingColumnError,
    PathSyntaxError,
    TransformError,
)
from transforms.resolve_choice import resolve_choice

ID = ChoiceType.of([LongType(), StringType()])
ONE, TEXT, WORD = (1, None), (None, "2"), (None, "x")


def struct(**fields):
    return StructType([StructField(name, data_type) for name, data_type in fields.items()])


@pytest.fixture
def ids(spark):
    """Glue's own example has a provider id that is a number in most rows and a text in some."""
    schema = StructType(
        [StructField("drg", StringType()), StructField("provider id", ID), StructField("n", LongType())]
    )
    return spark.createDataFrame([("a", ONE, 1), ("b", WORD, 2), ("c", None, 3), ("d", TEXT, 4)], to_marks(schema))


def test_a_schema_prints_as_in_glue(ids):
    assert format_schema(ids.schema) == "\n".join(
        [
            "root",
            "|-- drg: string",
            "|-- provider id: choice",
            "|    |-- long",
            "|    |-- string",
            "|-- n: long",
        ]
    )
    after = ids.transform(resolve_choice, [("provider id", "make_struct")])
    assert format_schema(after.schema).splitlines()[2:5] == [
        "|-- provider id: struct",
        "|    |-- long: long",
        "|    |-- string: string",
    ]


def test_a_nested_schema_prints_as_in_glue():
    schema = struct(a=ArrayType(struct(p=ID)), m=MapType(StringType(), ChoiceType.of([IntegerType(), struct(q=ID)])))
    assert format_schema(to_marks(schema)).splitlines() == [
        "root",
        "|-- a: array",
        "|    |-- element: struct",
        "|    |    |-- p: choice",
        "|    |    |    |-- long",
        "|    |    |    |-- string",
        "|-- m: map",
        "|    |-- keyType: string",
        "|    |-- valueType: choice",
        "|    |    |-- int",
        "|    |    |-- struct",
        "|    |    |    |-- q: choice",
        "|    |    |    |    |-- long",
        "|    |    |    |    |-- string",
    ]


@pytest.mark.parametrize(
    ("action", "columns", "expected"),
    [
        pytest.param("cast:long", ["provider id"], [(1,), (None,), (None,), (2,)], id="cast: what cannot be is null"),
        pytest.param("cast:String", ["provider id"], [("1",), ("x",), (None,), ("2",)], id="cast: any case"),
        pytest.param("cast:bigint", ["provider id"], [(1,), (None,), (None,), (2,)], id="cast: Spark's name"),
        pytest.param(
            "make_cols",
            ["provider id_long", "provider id_string"],
            [(1, None), (None, "x"), (None, None), (None, "2")],
            id="make_cols",
        ),
        pytest.param("make_struct", ["provider id"], [(ONE,), (WORD,), (None,), (TEXT,)], id="make_struct"),
        pytest.param("project:long", ["provider id"], [(1,), (None,), (None,), (None,)], id="project: no cast"),
        pytest.param("project:STRING", ["provider id"], [(None,), ("x",), (None,), ("2",)], id="project: any case"),
        pytest.param("project:int", ["provider id"], [(1,), (None,), (None,), (None,)], id="project: another width"),
        pytest.param("project:double", ["provider id"], [(None,)] * 4, id="project: a type that is not there"),
    ],
)
@pytest.mark.parametrize("by", ["choice", "pairs", "mapping", "lone pair"])
def test_actions(ids, action, columns, expected, by):
    specs = {
        "pairs": [("provider id", action)],
        "mapping": {"provider id": action},
        "lone pair": ("provider id", action),
    }
    df = ids.transform(resolve_choice, specs.get(by), choice=action if by == "choice" else None)
    assert df.columns == ["drg", *columns, "n"]
    assert df.select(*(f"`{name}`" for name in columns)).collect() == expected
    assert df.select("drg", "n").collect() == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert choices_in(df.schema) == []


def test_numbers_of_another_width_are_projected_where_they_fit(spark):
    choice = ChoiceType.of([LongType(), ByteType(), FloatType(), StringType()])
    rows = [
        ((1, None, None, None),),
        ((2**40, None, None, None),),
        ((None, 7, None, None),),
        ((None, None, 0.5, None),),
    ]
    df = spark.createDataFrame(rows, to_marks(struct(v=choice)))
    assert df.transform(resolve_choice, {"v": "project:int"}).collect() == [(1,), (None,), (7,), (None,)]
    assert df.transform(resolve_choice, {"v": "project:double"}).collect() == [(None,), (None,), (None,), (0.5,)]


def test_choice_leaves_plain_columns_alone_and_specs_cast_them(ids):
    assert ids.transform(resolve_choice, choice="cast:string").dtypes[2] == ("n", "bigint")
    assert ids.transform(resolve_choice, {"n": "cast:string"}).dtypes[2] == ("n", "string")
    assert ids.transform(resolve_choice, {"drg": "cast:int"}).select("drg").collect() == [(None,)] * 4
    for action in ("make_cols", "make_struct", "project:int"):
        assert ids.transform(resolve_choice, {"n": action}).schema == ids.schema


def test_what_specs_do_not_name_stays_a_choice(spark):
    schema = to_marks(struct(a=ID, b=ID))
    df = spark.createDataFrame([(ONE, TEXT)], schema).transform(resolve_choice, {"a": "cast:long"})
    assert df.collect() == [(1, TEXT)]
    assert [path for path, _ in choices_in(df.schema)] == ["b"]


@pytest.fixture
def deep(spark):
    schema = struct(
        s=struct(x=ID, y=LongType()),
        a=ArrayType(ID),
        items=ArrayType(struct(price=ID, n=LongType())),
        m=MapType(StringType(), ID),
        aa=ArrayType(ArrayType(struct(q=ID))),
    )
    rows = [
        ((TEXT, 5), [ONE, WORD, None], [(TEXT, 1), None, (None, 2)], {"k": ONE, "l": None}, [[(WORD,)], None, []]),
        (None, None, None, None, None),
        ((None, None), [], [], {}, []),
    ]
    return spark.createDataFrame(rows, to_marks(schema))


def only(df, column):
    return [row[0] for row in df.select(column).collect()]


@pytest.mark.parametrize(
    ("path", "action", "column", "expected"),
    [
        pytest.param("s.x", "cast:long", "s", [(2, 5), None, (None, None)], id="struct"),
        pytest.param("s.x", "make_cols", "s", [(None, "2", 5), None, (None, None, None)], id="struct, make_cols"),
        pytest.param("a[]", "cast:string", "a", [["1", "x", None], None, []], id="elements"),
        pytest.param("a[]", "project:long", "a", [[1, None, None], None, []], id="elements, project"),
        pytest.param(
            "items[].price", "cast:long", "items", [[(2, 1), None, (None, 2)], None, []], id="array of structs"
        ),
        pytest.param(
            "items[].price",
            "make_cols",
            "items",
            [[(None, "2", 1), None, (None, None, 2)], None, []],
            id="structs in it, make_cols",
        ),
        pytest.param("m{}", "cast:string", "m", [{"k": "1", "l": None}, None, {}], id="map"),
        pytest.param("aa[][].q", "project:string", "aa", [[[("x",)], None, []], None, []], id="array of arrays"),
        pytest.param("items[].n", "cast:string", "items", [[(TEXT, "1"), None, (None, "2")], None, []], id="plain"),
        pytest.param("a", "cast:string", "a", ['[1,"x",null]', None, "[]"], id="an array with choices as a text"),
    ],
)
def test_nested_places(deep, path, action, column, expected):
    df = deep.transform(resolve_choice, {path: action})
    assert only(df, column) == expected
    others = [name for name in deep.columns if name != column]
    assert df.select(*others).collect() == deep.select(*others).collect()


def test_elements_and_values_become_a_field_per_type(deep):
    df = deep.transform(resolve_choice, choice="make_cols")
    assert df.columns == ["s", "a_long", "a_string", "items", "m_long", "m_string", "aa"]
    assert only(df, "a_long") == [[1, None, None], None, []]
    assert only(df, "a_string") == [[None, "x", None], None, []]
    assert only(df, "m_long") == [{"k": 1, "l": None}, None, {}]
    assert only(df, "aa") == [[[(None, "x")], None, []], None, []]
    assert choices_in(df.schema) == []


def test_a_choice_within_a_choice(spark):
    inner = struct(q=ID)
    schema = to_marks(struct(a=ChoiceType.of([LongType(), ArrayType(ID), inner])))
    rows = [((1, None, None),), ((None, [ONE, WORD], None),), ((None, None, (TEXT,)),)]
    df = spark.createDataFrame(rows, schema)
    cols = df.transform(resolve_choice, choice="make_cols")
    assert cols.columns == ["a_long", "a_array_long", "a_array_string", "a_struct"]
    assert cols.collect() == [
        (1, None, None, None),
        (None, [1, None], [None, "x"], None),
        (None, None, None, (None, "2")),
    ]
    text = df.transform(resolve_choice, choice="cast:string")
    assert only(text, "a") == ["1", '[1,"x"]', '{"q":"2"}']
    outer = df.transform(resolve_choice, {"a": "make_cols"})
    assert [path for path, _ in choices_in(outer.schema)] == ["a_array[]", "a_struct.q"]
    inside = df.transform(resolve_choice, {"a.struct.q": "cast:long"})
    assert [path for path, _ in choices_in(inside.schema)] == ["a", "a.array[]"]
    assert only(inside, "a")[2] == (None, None, (2,))
    kept = df.transform(resolve_choice, {"a": "project:struct"})
    assert only(kept, "a") == [None, None, (TEXT,)]
    assert [path for path, _ in choices_in(kept.schema)] == ["a.q"]
    structs = df.transform(resolve_choice, choice="make_struct")
    assert choices_in(structs.schema) == []
    assert structs.collect() == rows


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        pytest.param("double", "int", "3.7D", 3, id="a number is cut"),
        pytest.param("double", "int", "1e300D", None, id="a number too large"),
        pytest.param("boolean", "int", "true", 1, id="a boolean as a number"),
        pytest.param("boolean", "date", "true", None, id="a cast that Spark does not have"),
        pytest.param("string", "date", "'2024-01-31'", "2024-01-31", id="a text as a date"),
        pytest.param("array<int>", "int", "array(1)", None, id="an array as a number"),
        pytest.param("array<int>", "array<string>", "array(1, null)", ["1", None], id="elements"),
        pytest.param(
            "struct<a: int, b: int>", "struct<B: string>", "named_struct('a', 1, 'b', 2)", ("2",), id="fields"
        ),
        pytest.param("map<string, int>", "string", "map('k', 1)", '{"k":1}', id="a map as a text"),
    ],
)
def test_casts(spark, source, target, value, expected):
    df = spark.sql(f"SELECT CAST({value} AS {source}) AS v").transform(resolve_choice, {"v": f"cast:{target}"})
    [(found,)] = df.collect()
    assert (str(found) if target == "date" and found else found) == expected


def test_match_catalog(spark):
    schema = to_marks(struct(Id=ID, s=struct(x=ID), a=ArrayType(ID), other=ID, n=LongType()))
    df = spark.createDataFrame([(TEXT, (ONE,), [WORD], ONE, 1)], schema)
    matched = df.transform(
        resolve_choice, choice="match_catalog", schema="id INT, s STRUCT<x: STRING>, a ARRAY<STRING>, n STRING"
    )
    assert matched.collect() == [(2, ("1",), ["x"], ONE, 1)]
    assert matched.dtypes[0] == ("Id", "int")
    assert [path for path, _ in choices_in(matched.schema)] == ["other"]


@pytest.mark.parametrize("name", ["a.b", "a b", "a`b", "🙂", "a[]", "*"])
def test_odd_names(spark, name):
    quoted = "`" + name.replace("`", "``") + "`"
    schema = to_marks(StructType([StructField(name, ArrayType(StructType([StructField(name, ID)])))]))
    df = spark.createDataFrame([([(ONE,)],)], schema)
    assert df.transform(resolve_choice, {f"{quoted}[].{quoted}": "cast:string"}).collect() == [([("1",)],)]
    [(path, _)] = choices_in(schema)
    assert df.transform(resolve_choice, {path: "project:long"}).collect() == [([(1,)],)]


def test_case_twins(spark):
    schema = to_marks(struct(id=ID, Id=ID, s=struct(x=ID, X=ID)))
    df = spark.createDataFrame([(ONE, WORD, (TEXT, ONE))], schema)
    assert df.transform(resolve_choice, {"Id": "cast:string", "s.X": "cast:string"}).collect() == [
        (ONE, "x", (TEXT, "1"))
    ]
    assert df.transform(resolve_choice, choice="cast:string").collect() == [("1", "x", ("2", "1"))]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        pytest.param({}, TransformError, "needs `specs`", id="nothing"),
        pytest.param({"specs": {"n": "cast:int"}, "choice": "make_cols"}, TransformError, "not both", id="both"),
        pytest.param({"choice": "make_col"}, TransformError, "Did you mean `make_cols`", id="unknown action"),
        pytest.param({"choice": "cast"}, TransformError, "`cast:long`", id="no type"),
        pytest.param({"choice": "make_cols:int"}, TransformError, "has no type", id="a type too many"),
        pytest.param({"choice": "cast:lnog"}, TransformError, "Did you mean `long`", id="unknown type"),
        pytest.param({"choice": "project:struct"}, ColumnTypeError, "a choice of long, string", id="no struct there"),
        pytest.param({"choice": "match_catalog"}, TransformError, "needs a `schema`", id="no catalog"),
        pytest.param(
            {"choice": "match_catalog", "schema": "id INTT"},
            TransformError,
            "schema .* Did you mean `int`",
            id="no schema",
        ),
        pytest.param({"choice": "match_catalog", "schema": "int"}, TransformError, "has no type", id="a lone type"),
        pytest.param({"specs": {"n": "match_catalog"}}, TransformError, "for all choices", id="catalog in specs"),
        pytest.param({"specs": {"Drg": "cast:int"}}, MissingColumnError, "Did you mean `drg`", id="another case"),
        pytest.param({"specs": {"n[]": "cast:int"}}, ColumnTypeError, "`n` is of type long", id="no array"),
        pytest.param({"specs": {"a..b": "cast:int"}}, PathSyntaxError, "character 3", id="no path"),
        pytest.param({"specs": [("n",)]}, TransformError, "pairs", id="no pair"),
        pytest.param({"specs": [("n", "cast:int"), ("n", "cast:long")]}, TransformError, "two actions", id="twice"),
    ],
)
def test_what_is_refused(ids, arguments, error, says):
    with pytest.raises(error, match=says):
        ids.transform(resolve_choice, **arguments)


def test_a_path_into_an_array_needs_its_mark(deep):
    with pytest.raises(ColumnTypeError, match=r"`items` is of type array. What is inside is written `items\[\].price`"):
        deep.transform(resolve_choice, {"items.price": "cast:int"})


def test_make_cols_does_not_overwrite(spark):
    schema = to_marks(struct(a=ID, A_long=BooleanType()))
    with pytest.raises(DuplicateColumnError, match="second `a_long`"):
        spark.createDataFrame([], schema).transform(resolve_choice, choice="make_cols")


def test_empty_frames_and_frames_without_choices(ids, spark):
    assert ids.where("n > 9").transform(resolve_choice, choice="make_cols").collect() == []
    plain = spark.sql("SELECT 1 AS a, array(1) AS b")
    assert plain.transform(resolve_choice, choice="cast:string").schema == plain.schema


def test_a_thousand_choices(spark):
    choice = ChoiceType.of([LongType(), DoubleType(), StringType()])
    schema = to_marks(StructType([StructField(f"c {number}", choice) for number in range(1000)]))
    df = spark.createDataFrame([tuple((None, None, str(number)) for number in range(1000))], schema)
    made = df.transform(resolve_choice, choice="make_cols")
    assert len(made.columns) == 3000
    assert sum(value is not None for value in made.first()) == 1000


def test_many_levels(spark):
    data_type = ID
    for _ in range(7):
        data_type = struct(a=data_type)
    data_type = struct(a=ArrayType(data_type))
    df = spark.createDataFrame([], to_marks(data_type))
    made = df.transform(resolve_choice, choice="cast:string")
    assert json.dumps(made.schema.jsonValue()).count("long") == 0
    assert made.collect() == []


@pytest.mark.parametrize("text_type", ["varchar(10)", "char(10)", "string"])
def test_texts_of_tables_take_every_value(spark, ids, text_type):
    settled = resolve_choice(ids, specs=[("provider id", f"cast:{text_type}"), ("n", f"cast:{text_type}")])
    assert settled.dtypes == [("drg", "string"), ("provider id", "string"), ("n", "string")]
    assert settled.collect() == [("a", "1", "1"), ("b", "x", "2"), ("c", None, "3"), ("d", "2", "4")]
    nested = spark.sql("SELECT named_struct('a', 1) AS s").transform(resolve_choice, specs={"s": f"cast:{text_type}"})
    assert nested.collect() == [('{"a":1}',)]


def test_a_variant_takes_every_value(ids):
    settled = resolve_choice(ids, specs={"`provider id`": "cast:variant"})
    assert [row[0] for row in settled.selectExpr("to_json(`provider id`)").collect()] == ["1", '"x"', None, '"2"']
