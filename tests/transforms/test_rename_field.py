"""rename_field: in place, to another struct, and what it refuses."""

import pytest
from pyspark.sql.types import IntegerType, StructField, StructType

from transforms.errors import DuplicateColumnError, MissingColumnError, TransformError
from transforms.rename_field import rename_field


@pytest.fixture
def people(spark):
    schema = (
        "id INT, home STRUCT<zip: STRING, geo: STRUCT<lat: INT>>, pets ARRAY<STRUCT<name: STRING, tag: STRUCT<n: INT>>>"
    )
    return spark.createDataFrame([(1, ("10", (5,)), [("Rex", (3,)), None]), (None, None, None)], schema)


@pytest.mark.parametrize(
    ("old", "new", "columns", "rows"),
    [
        pytest.param(
            "id", "key", "key home pets", [(1, ("10", (5,)), [("Rex", (3,)), None]), (None, None, None)], id="a column"
        ),
        pytest.param("id", "`a.b`", "a.b home pets", None, id="to a name with a dot"),
        pytest.param("id", "Id", "Id home pets", None, id="to another case"),
        pytest.param("nowhere", "x", "id home pets", None, id="what is not there changes nothing"),
        pytest.param("home.zip", "home.zip", "id home pets", None, id="to itself"),
        pytest.param(
            "home.zip",
            "zip",
            "id home pets zip",
            [(1, ((5,),), [("Rex", (3,)), None], "10"), (None, None, None, None)],
            id="out of a struct",
        ),
        pytest.param(
            "id",
            "home.geo.id",
            "home pets",
            [(("10", (5, 1)), [("Rex", (3,)), None]), (None, None)],
            id="into a struct; null into null",
        ),
        pytest.param(
            "home.geo.lat",
            "lat",
            "id home pets lat",
            [(1, ("10",), [("Rex", (3,)), None], 5), (None, None, None, None)],
            id="the last field takes its struct along",
        ),
        pytest.param(
            "id",
            "new.deep.id",
            "home pets new",
            [(("10", (5,)), [("Rex", (3,)), None], ((1,),)), (None, None, ((None,),))],
            id="into structs that are made",
        ),
        pytest.param(
            "pets[].tag.n",
            "pets[].n",
            "id home pets",
            [(1, ("10", (5,)), [("Rex", 3), None]), (None, None, None)],
            id="inside an array, out of a struct",
        ),
        pytest.param(
            "pets.name",
            "pets.tag.name",
            "id home pets",
            [(1, ("10", (5,)), [((3, "Rex"),), None]), (None, None, None)],
            id="inside an array, into a struct",
        ),
        pytest.param(
            "home.geo.lat",
            "home.geo.north",
            "id home pets",
            [(1, ("10", (5,)), [("Rex", (3,)), None]), (None, None, None)],
            id="inside structs",
        ),
    ],
)
def test_fields_are_renamed(people, old, new, columns, rows):
    renamed = people.transform(rename_field, old, new)
    assert renamed.columns == columns.split()
    assert rows is None or renamed.collect() == rows


def test_a_field_that_moves_makes_a_null_struct(spark):
    df = spark.sql(
        "SELECT 1 AS id, cast(null AS STRUCT<x: INT>) AS s UNION ALL SELECT null, null"
        " UNION ALL SELECT null, named_struct('x', 2)"
    )
    assert df.transform(rename_field, "id", "s.id").collect() == [((None, 1),), (None,), ((2, None),)]


def test_names_inside_have_changed(people):
    inside = people.transform(rename_field, "pets[].tag.n", "pets[].tag.`n n`").schema["pets"].dataType.elementType
    assert inside["tag"].dataType.names == ["n n"]


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("home.zip", "home.geo", DuplicateColumnError, "There is a field `home.geo` already"),
        (
            "pets.name",
            "unit",
            TransformError,
            r"cannot leave an array or enter one. In place, write the whole path: `pets.unit`",
        ),
        ("id", "pets.id", TransformError, "cannot leave an array or enter one"),
        ("home", "home.inner", TransformError, "cannot move `home` into itself"),
        ("home.zip", "id.zip", TransformError, "cannot put a field into `id`, which is of type int"),
    ],
)
def test_what_cannot_be_done_is_refused(people, old, new, error, message):
    with pytest.raises(error, match=message):
        people.transform(rename_field, old, new)


def test_strict(people):
    with pytest.raises(MissingColumnError, match="Did you mean `id`"):
        people.transform(rename_field, "ID", "key", strict=True)


def test_twins_types_and_metadata_stay(spark):
    inner = StructType(
        [StructField("id", IntegerType(), False, {"m": 1}), StructField("Id", IntegerType(), True, {"k": 1})]
    )
    middle = StructType([StructField("i", inner, False, {"mid": 1}), StructField("n", IntegerType())])
    schema = StructType([StructField("s", middle, False, {"n": 2}), StructField("c", inner, True, {"choice": [""]})])
    df = spark.createDataFrame([(((1, 2), 0), (3, 4))], schema)
    renamed = df.transform(rename_field, "s.i.id", "s.i.key")
    assert renamed.collect() == [(((1, 2), 0), (3, 4))]
    found = renamed.schema["s"].dataType["i"]
    assert found.metadata == {"mid": 1}
    assert [(field.name, field.metadata) for field in found.dataType.fields] == [("key", {"m": 1}), ("Id", {"k": 1})]
    assert renamed.schema["s"].metadata == {"n": 2}
    assert renamed.schema["c"] == schema["c"]


def test_columns_of_the_same_name_are_all_renamed_in_place(spark):
    df = spark.sql("SELECT 1 AS a, 2 AS a, named_struct('x', 1) AS s")
    assert df.transform(rename_field, "a", "b").columns == ["b", "b", "s"]
    with pytest.raises(DuplicateColumnError, match="names 2 fields"):
        df.transform(rename_field, "a", "s.a")


def test_two_structs_above_an_array_do_not_mix(spark):
    df = spark.sql("SELECT array(named_struct('x', 1)) AS a, array(named_struct('y', 2)) AS b")
    with pytest.raises(TransformError, match="cannot leave an array"):
        df.transform(rename_field, "a.x", "b.x")
