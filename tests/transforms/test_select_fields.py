"""select_fields and split_fields: what stays, and in which frame."""

import pytest
from pyspark.sql.types import IntegerType, StructField, StructType

from transforms.errors import MissingColumnError, PathSyntaxError, TransformError
from transforms.select_fields import select_fields
from transforms.split_fields import split_fields


@pytest.fixture
def people(spark):
    schema = "id INT, home STRUCT<zip: STRING, geo: STRUCT<lat: INT>>, pets ARRAY<STRUCT<name: STRING, age: INT>>"
    return spark.createDataFrame(
        [(1, ("10", (5,)), [("Rex", 3), None]), (2, ("20", None), []), (2, None, None)], schema
    )


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param("id", [(1,), (2,), (2,)], id="a lone column; duplicate rows stay"),
        pytest.param(["pets", "id"], [([("Rex", 3), None], 1), ([], 2), (None, 2)], id="in the order asked for"),
        pytest.param(["home.geo.lat"], [(((5,),),), ((None,),), (None,)], id="inside structs; nulls stay"),
        pytest.param(["pets[].name", "id"], [([("Rex",), None], 1), ([], 2), (None, 2)], id="inside arrays"),
        pytest.param(
            ["id", "home.zip", "id", "home"],
            [(1, ("10", (5,))), (2, ("20", None)), (2, None)],
            id="a struct and its field",
        ),
        pytest.param(["nowhere", "home.Zip", "id"], [(1,), (2,), (2,)], id="what is not there is passed over"),
        pytest.param([], [(), (), ()], id="nothing"),
    ],
)
def test_selected_fields_stay(people, paths, expected):
    assert people.transform(select_fields, paths).collect() == expected


def test_order_inside_a_struct_stays(people):
    assert people.transform(select_fields, ["home.geo", "home.zip"]).schema["home"] == people.schema["home"]


def test_strict_and_wrong_paths(people):
    with pytest.raises(MissingColumnError, match="Did you mean `zip`"):
        people.transform(select_fields, ["home.Zip"], strict=True)
    with pytest.raises(PathSyntaxError):
        people.transform(select_fields, "home..zip")
    with pytest.raises(MissingColumnError):
        split_fields(people, "nowhere", strict=True)


def test_odd_names_twins_metadata_and_nullability_stay(spark):
    inner = StructType([StructField("id", IntegerType(), False, {"m": 1}), StructField("Id", IntegerType())])
    schema = StructType([StructField(name, inner, False, {"n": 2}) for name in ("a.b", "x", "X", "🙂", "x")])
    df = spark.createDataFrame([((1, 2),) * 5], schema)
    assert df.transform(select_fields, ["🙂", "x.id", "`a.b`.Id"]).collect() == [((1, 2), (1,), (1,), (2,))]
    assert df.transform(select_fields, ["X.id"]).schema == StructType(
        [StructField("X", StructType([inner["id"]]), False, {"n": 2})]
    )


def test_a_frame_is_split_by_fields(people):
    parts = split_fields(people, ["home.zip", "pets"], "some", "rest")
    assert list(parts) == ["some", "rest"]
    assert parts["some"].collect() == [(("10",), [("Rex", 3), None]), (("20",), []), (None, None)]
    assert parts["rest"].collect() == [(1, ((5,),)), (2, (None,)), (2, None)]
    assert list(split_fields(people, "id")) == ["frame1", "frame2"]
    with pytest.raises(TransformError, match="two different names"):
        split_fields(people, "id", "a", "a")
