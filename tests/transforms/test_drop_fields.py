"""drop_fields: what goes, what goes with it, and what stays as it was."""

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from transforms.drop_fields import drop_fields
from transforms.errors import MissingColumnError, PathSyntaxError

PEOPLE = (
    "id INT, name STRING, home STRUCT<zip: STRING, geo: STRUCT<lat: INT>>, pets ARRAY<STRUCT<name: STRING, age: INT>>"
)


@pytest.fixture
def people(spark):
    rows = [
        (1, "Ada", ("10", (5,)), [("Rex", 3), None, (None, 4)]),
        (2, None, ("20", None), []),
        (3, "Ada", None, None),
        (3, "Ada", None, None),
    ]
    return spark.createDataFrame(rows, PEOPLE)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param(
            ["name", "home", "pets"],
            [(1,), (2,), (3,), (3,)],
            id="columns; duplicate rows stay",
        ),
        pytest.param(
            ["name", "pets", "home.zip"],
            [(1, ((5,),)), (2, (None,)), (3, None), (3, None)],
            id="a field of a struct; a null struct stays null",
        ),
        pytest.param(
            ["name", "pets", "home.geo.lat"],
            [(1, ("10",)), (2, ("20",)), (3, None), (3, None)],
            id="the last field takes its struct along",
        ),
        pytest.param(
            ["home", "name", "pets.age"],
            [(1, [("Rex",), None, (None,)]), (2, []), (3, None), (3, None)],
            id="a field of an array's elements; null array and null element stay null",
        ),
        pytest.param(
            ["name", "pets.age", "pets.name", "home.zip", "home.geo.lat"],
            [(1,), (2,), (3,), (3,)],
            id="emptied array and emptied nest of structs go",
        ),
        pytest.param(
            ["name", "home", "home.zip", "pets", "pets"],
            [(1,), (2,), (3,), (3,)],
            id="a struct and its field, and a path twice",
        ),
    ],
)
def test_named_fields_go(people, paths, expected):
    assert people.transform(drop_fields, paths).collect() == expected


def test_a_lone_text_is_one_path(people):
    assert people.transform(drop_fields, "home.geo").schema["home"].dataType.names == ["zip"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("nowhere", id="no such column"),
        pytest.param("home.nowhere", id="no such field"),
        pytest.param("Name", id="another case"),
        pytest.param("home.Zip", id="another case inside"),
        pytest.param("id.x", id="through a scalar"),
        pytest.param("`home.zip`", id="a dot in back-ticks is no nesting"),
    ],
)
def test_a_path_that_is_not_there_is_passed_over(people, path):
    assert people.transform(drop_fields, [path]).schema == people.schema


def test_strict_names_the_near_miss(people):
    assert people.transform(drop_fields, ["home.zip", "home"], strict=True).columns == ["id", "name", "pets"]
    with pytest.raises(MissingColumnError, match=r"no field `home\.Zip`\. Did you mean `zip`\?"):
        people.transform(drop_fields, ["id", "home.Zip"], strict=True)


def test_a_path_that_cannot_be_read_is_refused(people):
    with pytest.raises(PathSyntaxError):
        people.transform(drop_fields, "home..zip")


def test_no_paths_drop_nothing(people):
    assert people.transform(drop_fields, []).schema == people.schema


def test_without_columns_the_rows_stay(people):
    bare = people.transform(drop_fields, people.columns)
    assert bare.schema == StructType()
    assert bare.count() == 4


def test_an_empty_frame_stays_empty(people):
    assert people.where("id > 9").transform(drop_fields, "home.zip").collect() == []


def test_arrays_of_arrays_of_structs(spark):
    df = spark.sql("SELECT array(array(named_struct('a', 1, 'b', named_struct('c', 2, 'd', 3)), null), null) AS deep")
    assert df.transform(drop_fields, "deep.b.c").collect() == [([[(1, (3,)), None], None],)]
    assert df.transform(drop_fields, ["deep.b.c", "deep.b.d"]).collect() == [([[(1,), None], None],)]
    assert df.transform(drop_fields, ["deep.b", "deep.a"]).columns == []


def test_maps_are_not_entered_and_empty_structs_stay(spark):
    df = spark.sql("SELECT map('k', named_struct('a', 1, 'b', 2)) AS m, named_struct() AS e, 1 AS x")
    assert df.transform(drop_fields, ["m.a", "m.value.a", "x"]).collect() == [({"k": (1, 2)}, ())]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("Id", [(1, (1, (2, "x")), 6)], id="top level"),
        pytest.param("s.id", [(1, ((2, "x"),), 5, 6)], id="in a struct"),
        pytest.param("s.Id.B", [(1, (1, (2,)), 5, 6)], id="in a struct of a struct"),
        pytest.param("s.Id", [(1, (1,), 5, 6)], id="the twin that is a struct"),
        pytest.param("S.id", [(1, (1, (2, "x")), 5, 6)], id="a twin of no one"),
    ],
)
def test_names_that_differ_in_case_only_are_told_apart(spark, path, expected):
    twins = "named_struct('id', 1, 'Id', named_struct('b', 2, 'B', 'x')) AS s"
    df = spark.sql(f"SELECT 1 AS id, {twins}, 5 AS Id, 6 AS ID")
    assert df.transform(drop_fields, path).collect() == expected


def test_twins_in_arrays_keep_their_names(spark):
    df = spark.sql("SELECT array(named_struct('id', 1, 'Id', 2, 'x', 3), null) AS a")
    assert df.transform(drop_fields, "a.x").schema["a"].dataType.elementType.names == ["id", "Id"]
    assert df.transform(drop_fields, "a.Id").collect() == [([(1, 3), None],)]


def test_columns_of_the_same_name_all_go(spark):
    df = spark.sql("SELECT 1 AS a, 2 AS b, 3 AS a, named_struct('c', 4, 'd', 5, 'c', 6) AS s")
    assert df.transform(drop_fields, ["a", "s.c"]).collect() == [(2, (5,))]


@pytest.mark.parametrize("name", ["a.b", "a b", "a`b", "🙂", "*", "a[0]", ".zip"])
def test_odd_names(spark, name):
    quoted = "`" + name.replace("`", "``") + "`"
    struct = StructType([StructField(name, IntegerType()), StructField("x", IntegerType())])
    schema = StructType([StructField(name, struct), StructField("y.z", IntegerType())])
    df = spark.createDataFrame([((1, 2), 3)], schema)
    assert df.transform(drop_fields, f"{quoted}.{quoted}").collect() == [((2,), 3)]
    assert df.transform(drop_fields, quoted).columns == ["y.z"]


def test_types_nullability_and_metadata_of_the_rest_are_unchanged(spark):
    inner = StructType([StructField("a", IntegerType(), False), StructField("b", IntegerType(), True, {"inner": 1})])
    schema = StructType(
        [StructField("s", inner, False, {"outer": 2}), StructField("i", IntegerType(), False, {"i": 3})]
    )
    df = spark.createDataFrame([], schema)
    assert df.transform(drop_fields, "s.a").schema == StructType(
        [
            StructField("s", StructType([StructField("b", IntegerType(), True, {"inner": 1})]), False, {"outer": 2}),
            StructField("i", IntegerType(), False, {"i": 3}),
        ]
    )
    assert df.transform(drop_fields, "s.b").schema["s"].dataType == StructType([inner["a"]])


def test_a_file_is_read_without_what_was_dropped(spark, people, tmp_path, capsys):
    path = str(tmp_path / "people")
    people.write.parquet(path)
    capsys.readouterr()
    spark.read.parquet(path).transform(drop_fields, ["name", "home.zip", "pets"]).explain(mode="formatted")
    assert "ReadSchema: struct<id:int,home:struct<geo:struct<lat:int>>>" in capsys.readouterr().out


def test_a_thousand_columns(spark):
    wide = spark.range(2).select(*(F.lit(number).alias(f"c {number}") for number in range(1000)))
    narrow = wide.transform(drop_fields, [f"c {number}" for number in range(1, 1000)])
    assert narrow.collect() == [(0,), (0,)]
    nested = wide.select(F.array(F.struct("*")).alias("s"))
    rest = nested.transform(drop_fields, [f"s.c {number}" for number in range(0, 1000, 2)])
    assert len(rest.schema["s"].dataType.elementType) == 500
