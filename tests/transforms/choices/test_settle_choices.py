"""Rows that say their types themselves, texts, and frames of several schemas: into columns, over any client."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from deep_frames import LEVELS
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StructType

from transforms.choices.choice import ChoiceType, choices_in, to_marks
from transforms.choices.count_choices import Conflict, TypeCount, count_choices
from transforms.choices.rescue_choices import rescue_choices
from transforms.choices.settle_choices import ConflictError, merged_frames, typed_rows
from transforms.choices.text_types import typed_texts
from transforms.choices.variant_shapes import merge_shapes, parse_shape
from transforms.core.type_names import parse_type, type_name
from transforms.errors import DuplicateColumnError

RECORDS = [
    {"id": 1, "v": [1, "x"], "s": {"q": 1, "Q": "t"}},
    {"id": "a", "v": 2.5, "s": {"q": 1}},
    {"id": 2, "v": [], "m": {"k": None}},
]


@pytest.fixture
def reading(spark):
    """Makes what reads records that are kept as texts."""

    def of(records):
        texts = spark.createDataFrame([(json.dumps(record),) for record in records], "text STRING")

        def with_schema(schema):
            if schema is None:
                return texts.select(F.parse_json("text"))
            return texts.select(F.from_json("text", schema).alias("row")).select("row.*")

        return with_schema

    return of


@pytest.fixture
def read(reading):
    return reading(RECORDS)


def nested(value, levels):
    for level in range(levels):
        value = {"a": value, "n": level}
    return value


def test_rows_keep_the_types_of_their_values(read):
    df, conflicts = typed_rows(read, "choice")
    assert [(path, choice.names) for path, choice in choices_in(df.schema)] == [
        ("id", ["int", "string"]),
        ("v", ["array", "double"]),
        ("v.array[]", ["int", "string"]),
    ]
    assert df.select("id", "v", "s").collect() == [
        ((1, None), ([(1, None), (None, "x")], None), ("t", 1)),
        ((None, "a"), (None, 2.5), (None, 1)),
        ((2, None), ([], None), None),
    ]
    assert [(conflict.path, [found.times for found in conflict.types]) for conflict in conflicts] == [
        ("id", [2, 1]),
        ("v", [2, 1]),
        ("v.array[]", [1, 1]),
    ]


@pytest.mark.parametrize(
    ("conflicts", "expected"),
    [
        pytest.param("string", [("1", '[1,"x"]'), ("a", "2.5"), ("2", "[]")], id="string"),
        pytest.param("widest", [("1", '[1,"x"]'), ("a", "2.5"), ("2", "[]")], id="widest"),
    ],
)
def test_rows_of_one_type(read, conflicts, expected):
    df = typed_rows(read, conflicts).df
    assert [(id_, v.replace(" ", "")) for id_, v in df.select("id", "v").collect()] == expected


def test_rows_are_refused_or_rescued(read):
    with pytest.raises(ConflictError, match="`id`: int 2 times, such as"):
        typed_rows(read, "fail")
    df = typed_rows(read, "rescue").df
    assert df.select("id", "v", "_rescued_data").collect() == [
        (1, [1, None], '{"v[1]":"x"}'),
        (None, None, '{"id":"a","v":2.5}'),
        (2, [], None),
    ]


MOST = 2**53


@pytest.mark.parametrize(
    ("winner", "fit", "left"),
    [
        ("double", {"int": [2, -7], "long": [MOST], "decimal(20,2)": ["0.10"]}, {"long": [MOST + 2], "string": ["3"]}),
        ("int", {"double": [2.0, -0.0], "long": [3], "decimal(20,2)": ["4.00"]}, {"double": [2.5, 1e300, math.nan]}),
        ("long", {"int": [5], "double": [1e15]}, {"double": [2.0**63, math.inf], "decimal(20,2)": ["0.50"]}),
        ("decimal(20,2)", {"int": [6], "double": [0.1]}, {"double": [0.123], "boolean": [True]}),
        ("timestamp", {"date": [date(2024, 2, 29)]}, {"int": [20240229]}),
        ("date", {}, {"timestamp": [datetime(2024, 2, 29, tzinfo=UTC)]}),
        ("string", {}, {"int": [1], "double": [1.5]}),
    ],
)
def test_rescue_keeps_what_is_the_same_in_the_most_frequent_type(spark, winner, fit, left):
    names = sorted({winner, *fit, *left})
    types = [parse_type(name) for name in names]
    schema = StructType().add("s", ArrayType(StructType().add("v", ChoiceType.of(types))))

    def row(name, value):
        value = Decimal(value) if name.startswith("decimal") else value
        return ([((*(value if each == name else None for each in names),),), None],)

    pairs = [[(name, value) for name, values in group.items() for value in values] for group in (fit, left)]
    df = spark.createDataFrame([row(*pair) for group in pairs for pair in group], to_marks(schema))
    times = [9 if name == winner else 1 for name in names]
    counts = tuple(TypeCount(type_name(each), n, "") for each, n in zip(types, times, strict=True))
    rescued = rescue_choices(df, [Conflict("s[].v", counts)])
    assert rescued.schema["s"].dataType == ArrayType(StructType().add("v", parse_type(winner)))
    rows = rescued.collect()
    changed = {"timestamp": lambda _: datetime(2024, 2, 29), "decimal(20,2)": lambda number: Decimal(str(number))}
    expected = [changed.get(winner, float)(value) for _, value in pairs[0]]
    assert [row.s[0].v for row in rows[: len(pairs[0])]] == expected
    assert [row._rescued_data for row in rows[: len(pairs[0])]] == [None] * len(pairs[0])
    assert [row.s[0].v for row in rows[len(pairs[0]) :]] == [None] * len(pairs[1])
    assert all(list(json.loads(row._rescued_data)) == ["s[0].v"] for row in rows[len(pairs[0]) :])
    assert all(row.s[1] is None for row in rows)


def test_rescue_needs_its_name(read):
    df, conflicts = typed_rows(read, "choice")
    with pytest.raises(DuplicateColumnError, match="_rescued_data"):
        rescue_choices(df.withColumn("_rescued_data", F.lit(1)), conflicts)


@pytest.mark.parametrize(
    ("records", "names"),
    [
        pytest.param([nested(1, LEVELS), nested("x", LEVELS)], [["int", "string"]], id="below thirty levels"),
        pytest.param(
            [nested(1, LEVELS - 1), nested("x", LEVELS - 1), {"a": "shallow"}],
            [["string", "struct"], ["int", "string"]],
            id="one below thirty levels of another",
        ),
        pytest.param(
            [nested(1, LEVELS) | {"b": 1, "B": 1}, nested("x", LEVELS)],
            [["int", "string"]],
            id="below thirty levels, beside twins",
        ),
    ],
)
def test_conflicts_deep_inside(reading, records, names):
    df, conflicts = typed_rows(reading(records), "choice")
    assert [choice.names for _, choice in choices_in(df.schema)] == names
    innermost = conflicts[-1].path
    assert innermost.count(".") >= LEVELS - 1
    assert [(found.type, found.times) for found in conflicts[-1].types] == [("int", 1), ("string", 1)]
    assert df.select(f"{innermost}.int", f"{innermost}.string").collect()[:2] == [(1, None), (None, "x")]


@pytest.mark.parametrize(
    ("conflicts", "expected"),
    [
        pytest.param("choice", [((1, None), 1), ((None, "x"), None)], id="choice"),
        pytest.param("string", [("1", "1"), ("x", None)], id="string leaves what is no choice"),
        pytest.param("widest", [("1", 1), ("x", None)], id="widest"),
    ],
)
def test_frames(spark, conflicts, expected):
    frames = [spark.sql("SELECT 1 AS a, 1 AS b"), spark.sql("SELECT 'x' AS a")]
    df = merged_frames(frames, conflicts).df
    rows = [tuple(row) for row in df.collect()]
    assert rows == [(a, 1 if b else None) for a, b in expected]


def test_keys_of_several_types_are_a_conflict_too(spark):
    frames = [spark.sql("SELECT array(map(1, 'a')) AS m, 1 AS b"), spark.sql("SELECT array(map('x', 'b')) AS m")]
    with pytest.raises(ConflictError, match=r"`m\[\]`: int, string"):
        merged_frames(frames, "fail")
    rows = [row.m for row in merged_frames(frames, "choice").df.collect()]
    assert rows == [[{"1": "a"}], [{"x": "b"}]]


def test_a_type_without_a_value_is_in_conflict_with_nothing(spark):
    frames = [
        spark.sql("SELECT 1 AS a, array(1) AS b, 5 AS c, named_struct('x', array(2)) AS d, CAST(NULL AS INT) AS e"),
        spark.sql(
            "SELECT CAST(NULL AS STRING) AS a, CAST(NULL AS INT) AS b, 'c' AS c, 7 AS d, CAST(NULL AS DATE) AS e"
        ),
        spark.sql("SELECT CAST(NULL AS DATE) AS a, array('y') AS b, CAST(NULL AS DATE) AS c, 8 AS d, null AS e"),
        spark.sql("SELECT 2 AS a, null AS b, null AS c, named_struct('x', array('z')) AS d, null AS e"),
    ]
    df, conflicts = merged_frames(frames, "choice")
    assert [(path, choice.names) for path, choice in choices_in(df.schema)] == [
        ("b[]", ["int", "string"]),
        ("c", ["int", "string"]),
        ("d", ["struct", "int"]),
        ("d.struct.x[]", ["int", "string"]),
    ]
    assert [(found.path, [each.times for each in found.types]) for found in conflicts] == [
        ("b[]", [1, 1]),
        ("c", [1, 1]),
        ("d", [2, 2]),
        ("d.struct.x[]", [1, 1]),
    ]
    assert [tuple(row) for row in df.collect()] == [
        (1, [(1, None)], (5, None), (([(2, None)],), None), None),
        (None, None, (None, "c"), (None, 7), None),
        (None, [(None, "y")], None, (None, 8), None),
        (2, None, None, (([(None, "z")],), None), None),
    ]
    assert df.dtypes[0] == ("a", "int")
    with pytest.raises(ConflictError, match=r"^Values of one field have several types:\n`c`: int 1 times") as caught:
        merged_frames([frame.select("a", "c") for frame in frames], "fail")
    assert "date" not in str(caught.value)


@pytest.mark.parametrize(
    ("one", "two", "widest"),
    [
        pytest.param("1", "2L", "bigint", id="int and long"),
        pytest.param("1", "2.5D", "double", id="int and double"),
        pytest.param("1L", "2.5D", "string", id="a double cannot hold every long"),
        pytest.param("1L", "2.5BD", "decimal(20,1)", id="long and decimal"),
        pytest.param("1S", "CAST(1 AS FLOAT)", "double", id="short and float"),
        pytest.param("date'2024-01-31'", "timestamp'2024-01-31 10:00:00'", "timestamp", id="date and timestamp"),
        pytest.param("true", "1", "string", id="boolean and int"),
        pytest.param("array(1)", "1", "string", id="array and int"),
    ],
)
def test_the_widest_type(spark, one, two, widest):
    frames = [spark.sql(f"SELECT {one} AS a"), spark.sql(f"SELECT {two} AS a")]
    df = merged_frames(frames, "widest").df
    assert df.dtypes == [("a", widest)]
    assert df.where("a IS NULL").count() == 0


def test_frames_in_conflict_deep_inside(spark):
    frames = [
        spark.sql("SELECT map('k', array(named_struct('p', 1))) AS m"),
        spark.sql("SELECT map('k', array(named_struct('p', 'x'), NULL)) AS m"),
    ]
    df, [conflict] = merged_frames(frames, "rescue")
    assert str(conflict) == '`m{}[].p`: int 1 times, such as 1; string 1 times, such as "x"'
    assert df.collect() == [({"k": [(1,)]}, None), ({"k": [(None,), None]}, '{"m{k}[0].p":"x"}')]
    assert count_choices(df) == []


def test_texts(spark):
    def kind(text):
        return f"CASE WHEN try_cast({text} AS int) IS NOT NULL THEN 'int' ELSE 'string' END"

    df = spark.createDataFrame(
        [("1", "1", None), ("x", "2", None), (None, "3", None)], "`a.b` STRING, c STRING, n STRING"
    )
    typed, conflicts = typed_texts(df, kind, lambda text, name: f"try_cast({text} AS {name})", "choice")
    assert typed.collect() == [((1, None), 1, None), ((None, "x"), 2, None), (None, 3, None)]
    assert [(conflict.path, conflict.most_frequent) for conflict in conflicts] == [("`a.b`", "int")]
    assert [path for path, _ in choices_in(typed.schema)] == ["`a.b`"]


def merged(one, two):
    return merge_shapes(parse_shape(one), parse_shape(two))


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        pytest.param("OBJECT<b: STRING>", "OBJECT<a: VOID, b: STRING>", "OBJECT<a: VOID, b: STRING>", id="objects"),
        pytest.param("ARRAY<VOID>", "ARRAY<BIGINT>", "ARRAY<BIGINT>", id="an empty array"),
        pytest.param("BIGINT", "DECIMAL(3,2)", "DECIMAL(21,2)", id="whole numbers and others"),
        pytest.param("DECIMAL(38,0)", "DECIMAL(38,9)", "DOUBLE", id="too many digits"),
        pytest.param("DOUBLE", "BIGINT", "DOUBLE", id="an exponent"),
        pytest.param("STRING", "BIGINT", "VARIANT", id="a conflict"),
        pytest.param("ARRAY<STRING>", "OBJECT<>", "VARIANT", id="array and object"),
    ],
)
def test_shapes_merge_as_spark_merges_them(one, two, expected):
    assert merged(one, two) == merged(two, one) == parse_shape(expected)
