"""apply_mapping: which fields come out, under which names, as which types."""

import datetime
from decimal import Decimal

import pytest
from pyspark.sql.types import IntegerType, StructField, StructType

from transforms.apply_mapping import apply_mapping
from transforms.errors import (
    ColumnTypeError,
    DuplicateColumnError,
    MissingColumnError,
    PathSyntaxError,
    TransformError,
)


@pytest.fixture
def people(spark):
    schema = (
        "id STRING, born STRING, home STRUCT<zip: STRING, geo: STRUCT<lat: STRING>>, pets ARRAY<STRUCT<name: STRING>>"
    )
    rows = [("1", "2001-02-03", ("10", ("5.5",)), [("Rex",)]), ("x", "?", ("y", None), []), (None, None, None, None)]
    return spark.createDataFrame(rows, schema)


def test_fields_are_chosen_renamed_cast_and_nested(people):
    mapped = people.transform(
        apply_mapping,
        [
            ("born", "String", "date of birth", "Date"),
            ("home.zip", "string", "at.zip", "int"),
            ("id", "string", "key", "long"),
            ("home.geo.lat", "string", "at.north", "DOUBLE"),
            ("pets", "array", "pets", "array"),
        ],
    )
    assert mapped.dtypes == [
        ("date of birth", "date"),
        ("at", "struct<zip:int,north:double>"),
        ("key", "bigint"),
        ("pets", "array<struct<name:string>>"),
    ]
    assert mapped.collect() == [
        (datetime.date(2001, 2, 3), (10, 5.5), 1, [("Rex",)]),
        (None, (None, None), None, []),
        (None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        pytest.param(("id", "key"), ("key", "string"), id="two: the type stays"),
        pytest.param(["id", "key"], ("key", "string"), id="a list, as in YAML"),
        pytest.param(("id", "key", "int"), ("key", "int"), id="three: source, target, its type"),
        pytest.param(("id", "string", "key"), ("key", "string"), id="three: source, its type, target"),
        pytest.param(("id", "date", "string"), ("date", "string"), id="three, both a type: the last"),
        pytest.param(("id", "STRING", "key", "decimal(38,0)"), ("key", "decimal(38,0)"), id="four"),
        pytest.param(("id", "string", "key", "decimal"), ("key", "decimal(10,2)"), id="Glue's decimal"),
        pytest.param(("home", "struct", "`a.b`", "struct"), ("a.b", None), id="a struct as it is"),
        pytest.param(
            ("home", "h", "struct<a: string, b: struct<c: double>>"),
            ("h", "struct<a:string,b:struct<c:double>>"),
            id="by order",
        ),
    ],
)
def test_two_three_or_four_parts(people, mapping, expected):
    ((name, data_type),) = people.transform(apply_mapping, [mapping]).dtypes
    assert (name, expected[1] and data_type) == expected
    assert people.transform(apply_mapping, mapping).columns == [name]


def test_a_value_that_does_not_fit_rejects_its_row_where_that_is_said(people):
    mappings = [("id", "key", "int"), ("home.zip", "at.zip", "int"), ("home.zip", "at.code", "string")]
    rows = people.select("id", "home").transform(apply_mapping, mappings, misfits="reject").collect()
    assert [row[:2] for row in rows] == [(1, (10, "10")), (None, (None, "y")), (None, None)]
    assert [row._error for row in rows] == [
        None,
        (
            "CAST",
            "apply_mapping: a value of `id` is no int. apply_mapping: a value of `home.zip` is no int.",
            '{"id":"x","home":{"zip":"y","geo":null}}',
        ),
        None,
    ]


def test_a_value_that_does_not_fit_is_null(spark):
    df = spark.sql("SELECT 300 AS i, 'abc' AS s, 1e20D AS d, array('1', 'x') AS a, named_struct('p', 'x') AS t")
    types = [
        ("i", "i", "byte"),
        ("s", "s", "boolean"),
        ("d", "d", "int"),
        ("a", "a", "array<int>"),
        ("t", "t", "struct<q: int>"),
    ]
    assert df.transform(apply_mapping, types).collect() == [(None, None, None, [1, None], (None,))]


def test_types_of_every_kind(spark):
    df = spark.sql("SELECT '12.345' AS n, '2020-01-02 03:04:05' AS t, 'true' AS b, 7 AS i")
    mappings = [
        ("n", "n", "decimal(5,2)"),
        ("t", "t", "timestamp"),
        ("b", "b", "bool"),
        ("i", "i", "string"),
        ("n", "f", "float"),
    ]
    assert df.transform(apply_mapping, mappings).collect() == [
        (Decimal("12.35"), datetime.datetime(2020, 1, 2, 3, 4, 5), True, "7", pytest.approx(12.345))
    ]


def test_a_struct_is_null_where_those_it_is_made_of_are(spark):
    df = spark.sql(
        "SELECT named_struct('b', named_struct('c', 1)) AS a, 1 AS x UNION ALL SELECT named_struct('b', null), 2"
        " UNION ALL SELECT null, 3"
    )
    same = df.transform(apply_mapping, [("a.b.c", "a.b.c"), ("x", "x")])
    assert same.collect() == [(((1,),), 1), ((None,), 2), (None, 3)]
    other = df.transform(apply_mapping, [("a.b.c", "p.q"), ("x", "r.s")])
    assert other.collect() == [((1,), (1,)), (None, (2,)), (None, (3,))]
    mixed = df.transform(apply_mapping, [("a.b.c", "p.q"), ("x", "p.s")])
    assert mixed.collect() == [((1, 1),), ((None, 2),), ((None, 3),)]


@pytest.mark.parametrize("name", ["a.b", "a b", "a`b", "🙂", "*", "x[]", ".zip", "id", "Id"])
def test_odd_names_and_twins(spark, name):
    quoted = "`" + name.replace("`", "``") + "`"
    twin = name.swapcase() if name != name.swapcase() else "other"
    inner = StructType([StructField(name, IntegerType()), StructField(twin, IntegerType())])
    df = spark.createDataFrame([((1, 2), 3)], StructType([StructField(name, inner), StructField("ID", IntegerType())]))
    mapped = df.transform(apply_mapping, [(f"{quoted}.{quoted}", f"{quoted}.{quoted}", "string")])
    assert mapped.columns == [name]
    assert mapped.collect() == [(("1",),)]


def test_names_in_any_case(people):
    assert people.transform(apply_mapping, [("HOME.Geo.LAT", "lat")], case_sensitive=False).collect()[0] == ("5.5",)
    with pytest.raises(
        MissingColumnError, match=r"mapping \('ID', 'key'\): There is no column `ID`. Did you mean `id`"
    ):
        people.transform(apply_mapping, [("ID", "key")])


def test_missing_sources_are_passed_over_if_asked(people):
    assert people.transform(apply_mapping, [("nowhere.x", "y"), ("id", "id")], strict=False).columns == ["id"]
    assert people.transform(apply_mapping, [("nowhere", "y")], strict=False).count() == 3


def test_metadata_stays_with_the_type_and_order_and_rows_stay(spark):
    inner = StructType([StructField("long", IntegerType()), StructField("string", IntegerType(), True, {"inner": 1})])
    schema = StructType(
        [StructField("c", inner, True, {"choice": [""]}), StructField("i", IntegerType(), False, {"i": 3})]
    )
    df = spark.createDataFrame([((1, 2), 1), ((1, 2), 1)], schema)
    kept = df.transform(apply_mapping, [("i", "j"), ("c", "choice", "s.d", "choice"), ("i", "k", "string")])
    assert kept.schema == StructType(
        [
            StructField("j", IntegerType(), False, {"i": 3}),
            StructField("s", StructType([StructField("d", inner, True, {"choice": [""]})]), False),
            StructField("k", kept.schema["k"].dataType, False),
        ]
    )
    assert kept.collect() == [(1, ((1, 2),), "1")] * 2


def test_an_empty_frame_and_no_mappings(people):
    assert people.limit(0).transform(apply_mapping, [("id", "key", "int")]).collect() == []
    assert people.transform(apply_mapping, []).count() == 3


@pytest.mark.parametrize(
    ("mappings", "error", "message"),
    [
        ([("id",)], TransformError, r"mapping \('id',\): Give two, three or four texts"),
        ([("a", "b", "c", "d", "e")], TransformError, "Give two, three or four"),
        ([("id", 3)], TransformError, "Give two, three or four"),
        ([None], TransformError, "Give two, three or four"),
        ("id", TransformError, r"needs a list of mappings, each \(source, source type, .*; got the text 'id'"),
        (
            [("id", "strng", "key", "int")],
            TransformError,
            "The type 'strng' has no type name at character 1. Did you mean `string`",
        ),
        ([("id", "key", "intt")], TransformError, "Did you mean `int`"),
        ([("id..x", "y")], PathSyntaxError, "no name at character 4"),
        ([("pets.name", "name")], ColumnTypeError, r"`pets.name` lies inside the array `pets`"),
        (
            [("id", "a"), ("born", "a")],
            DuplicateColumnError,
            r"the target `a`: mapping \('id', 'a'\) and mapping \('born', 'a'\)",
        ),
        ([("id", "a"), ("born", "a.b")], DuplicateColumnError, "`a` would be a value by mapping"),
        (
            [("id", "x"), ("home", "struct", "y", "int")],
            ColumnTypeError,
            r"mapping \('home', 'struct', 'y', 'int'\).*cannot cast",
        ),
        ([("id", "array", "y", "array")], ColumnTypeError, "The source is of type string, not array"),
    ],
)
def test_wrong_mappings_are_refused(people, mappings, error, message):
    with pytest.raises(error, match=message):
        people.transform(apply_mapping, mappings)


def test_a_file_is_read_without_what_is_not_mapped(spark, people, tmp_path, capsys):
    path = str(tmp_path / "people")
    people.write.parquet(path)
    capsys.readouterr()
    spark.read.parquet(path).transform(apply_mapping, [("home.zip", "at.zip", "int")]).explain(mode="formatted")
    assert "ReadSchema: struct<home:struct<zip:string>>" in capsys.readouterr().out
