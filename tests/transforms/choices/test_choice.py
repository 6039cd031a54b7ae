"""Choices: how a schema holds them, and that transforms which do not look into one keep it."""

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, IntegerType, LongType, MapType, StringType, StructField, StructType

from transforms.aggregate import aggregate
from transforms.array_to_columns import array_to_columns
from transforms.choices.align import align
from transforms.choices.choice import MARK, ChoiceType, choices_in, has_choices, to_choices, to_marks
from transforms.drop_fields import drop_fields
from transforms.drop_null_fields import drop_null_fields
from transforms.explode import explode
from transforms.fill_missing import fill_missing
from transforms.filter_rows import filter_rows
from transforms.join import join
from transforms.map_array import map_array
from transforms.map_rows import map_rows
from transforms.pivot import pivot
from transforms.unpivot import unpivot

ID = ChoiceType.of([LongType(), StringType()])


def paths(df):
    return [path for path, _ in choices_in(df.schema)]


@pytest.fixture
def mixed(spark):
    """A choice at the top, in a struct, in an array, in a struct in an array, and in a map."""
    schema = StructType(
        [
            StructField("id", ID),
            StructField("s", StructType([StructField("x", ID), StructField("y", IntegerType())])),
            StructField("a", ArrayType(ID)),
            StructField("items", ArrayType(StructType([StructField("price", ID), StructField("n", IntegerType())]))),
            StructField("m", MapType(StringType(), ID)),
            StructField("k", IntegerType()),
        ]
    )
    one, text, none = (1, None), (None, "x"), None
    rows = [(one, (text, 1), [one, text, none], [(text, 2)], {"a": one}, 7), (text, None, None, None, None, 8)]
    return spark.createDataFrame(rows, to_marks(schema))


ALL = ["id", "s.x", "a[]", "items[].price", "m{}"]


def test_marks_say_where_inside_a_named_field_the_choice_is(mixed):
    assert paths(mixed) == ALL
    assert [field.metadata for field in mixed.schema.fields] == [
        {MARK: [""]},
        {},
        {MARK: ["[]"]},
        {},
        {MARK: ["{}"]},
        {},
    ]
    assert has_choices(mixed)
    assert not has_choices(mixed.select("k"))


def test_a_choice_of_arrays_of_choices():
    deep = ChoiceType.of([IntegerType(), ArrayType(ArrayType(ID))])
    schema = to_marks(StructType([StructField("d", ArrayType(deep), True, {"mine": 1})]))
    assert schema["d"].metadata == {"mine": 1, MARK: ["[]"]}
    assert schema["d"].dataType.elementType["array"].metadata == {MARK: ["[][]"]}
    assert [path for path, _ in choices_in(schema)] == ["d[]", "d[].array[][]"]
    assert to_choices(schema) == StructType([StructField("d", ArrayType(deep), True, {"mine": 1})])


@pytest.mark.parametrize(
    "data_type",
    [
        pytest.param(StructType([StructField("long", StringType())]), id="a member of another type than its name"),
        pytest.param(StructType(), id="no members"),
        pytest.param(StringType(), id="no struct"),
    ],
)
def test_a_mark_on_something_else_means_nothing(data_type):
    assert choices_in(StructType([StructField("a", data_type, True, {MARK: [""]})])) == []


def test_a_struct_of_the_same_members_without_a_mark_is_a_struct(spark):
    df = spark.sql("SELECT named_struct('long', 1L, 'string', 'x') AS a")
    assert choices_in(df.schema) == []
    assert to_choices(df.schema)["a"].dataType != ID


def test_odd_names_are_quoted_in_paths():
    schema = to_marks(StructType([StructField("a.b", ArrayType(StructType([StructField("c[]", ID)])))]))
    assert [path for path, _ in choices_in(schema)] == ["`a.b`[].`c[]`"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(lambda df: df.select("*"), ALL, id="select all"),
        pytest.param(lambda df: df.select("m", "id", "s.x"), ["m{}", "id", "x"], id="select some, and one inside"),
        pytest.param(lambda df: df.withColumnRenamed("id", "key"), ["key", *ALL[1:]], id="rename"),
        pytest.param(lambda df: df.select(F.col("id").alias("q")), ["q"], id="alias"),
        pytest.param(lambda df: df.where("k = 7").orderBy("k").limit(5), ALL, id="filter, order and limit"),
        pytest.param(lambda df: df.drop("m").distinct(), ALL[:-1], id="distinct"),
        pytest.param(lambda df: df.unionAll(df), ALL, id="union"),
        pytest.param(lambda df: df.withColumn("new", F.lit(1)), ALL, id="a new column"),
        pytest.param(lambda df: df.select(F.explode("items").alias("i")), ["i.price"], id="explode"),
        pytest.param(lambda df: df.select(F.struct("id", "k").alias("t")), ["t.id"], id="into a struct"),
        pytest.param(lambda df: df.transform(align, df.schema), ALL, id="align"),
        pytest.param(lambda df: df.transform(drop_fields, ["s.y", "items.n"]), ALL, id="drop_fields beside a choice"),
        pytest.param(lambda df: df.transform(drop_null_fields, in_every_row=True), ALL, id="drop_null_fields"),
        pytest.param(lambda df: df.transform(filter_rows, "k = 7"), ALL, id="filter_rows"),
        pytest.param(lambda df: df.transform(map_rows, expressions={"k": "k + 1"}), ALL, id="map_rows, expressions"),
        pytest.param(
            lambda df: df.transform(
                aggregate, [["id", "first"], ["id", "last"], ["s.x", "max"], ["a", "min"]], groups="id"
            ),
            ["id", "first(id)", "last(id)", "`max(s.x)`", "min(a)[]"],
            id="aggregate",
        ),
        pytest.param(
            lambda df: df.select("k", "a").transform(pivot, "k", aggregate="first", values_of="a"),
            ["7[]", "8[]"],
            id="pivot",
        ),
        pytest.param(
            lambda df: df.select("k", "id", F.col("id").alias("other")).transform(unpivot, ["id", "other"]),
            ["value"],
            id="unpivot",
        ),
        pytest.param(
            lambda df: df.select("items").transform(map_array, "items", "price"), ["items[]"], id="map_array to a field"
        ),
        pytest.param(
            lambda df: df.select("s", "a").transform(map_array, "a", "struct(_row.s.x AS y, 1 AS z)"),
            ["s.x", "a[].y"],
            id="map_array to structs",
        ),
        pytest.param(
            lambda df: df.select(F.struct(F.array("items").alias("i")).alias("t")).transform(
                map_array, "t.i[]", "price"
            ),
            ["t.i[][]"],
            id="map_array of arrays in a struct",
        ),
        pytest.param(
            lambda df: df.select("a").transform(array_to_columns, "a", ["x", "y"]),
            ["a[]", "x", "y"],
            id="array_to_columns",
        ),
        pytest.param(lambda df: df.select("a").transform(explode, "a"), ["a"], id="explode, an array"),
        pytest.param(lambda df: df.select("m").transform(explode, "m"), ["m{}", "value"], id="explode, a map"),
        pytest.param(
            lambda df: df.select("k", "id").transform(fill_missing, "id", "previous", order_by="k"),
            ["id"],
            id="fill_missing",
        ),
    ],
)
def test_what_does_not_look_into_a_choice_keeps_it(mixed, act, expected):
    kept = act(mixed)
    assert paths(kept) == expected
    kept.collect()


def test_join_keeps_choices_of_both_sides(mixed):
    assert paths(mixed.transform(join, mixed.select("k", "id"), "k")) == [*ALL, "`.id`"]


def test_a_function_of_rows_that_passes_a_choice_on_keeps_it(mixed):
    df = mixed.drop("m")
    mapped = df.transform(map_rows, lambda record: {**record, "k": record["k"] + 1})
    assert paths(mapped) == ALL[:-1]
    assert mapped.drop("_error").collect() == df.withColumn("k", F.col("k") + 1).collect()
