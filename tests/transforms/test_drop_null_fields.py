"""drop_null_fields: what goes by its type, and what goes because the data hold nothing but nulls."""

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, NullType, StructField, StructType

from transforms.drop_null_fields import drop_null_fields
from transforms.errors import DuplicateColumnError, MissingColumnError, PathSyntaxError


@pytest.fixture
def unreadable(spark):
    """A frame that fails as soon as a job reads its rows."""
    return spark.range(3).select(
        F.raise_error("a job has started").cast("int").alias("a"),
        F.struct(F.raise_error("a job has started").cast("string").alias("b")).alias("s"),
        F.lit(None).alias("n"),
    )


# By type


def test_fields_of_the_type_null_go(spark):
    df = spark.sql("""
        SELECT 1 AS id, NULL AS a, CAST(NULL AS STRING) AS text,
               named_struct('x', NULL, 'y', 2) AS s, named_struct('x', NULL, 't', named_struct('z', NULL)) AS emptied,
               array(named_struct('x', NULL, 'y', 2), null) AS structs, array(array(named_struct('x', NULL))) AS deep,
               array(NULL) AS nulls, map('k', NULL) AS m, map('k', named_struct('x', NULL)) AS ms
        """)
    found = df.transform(drop_null_fields)
    assert found.columns == ["id", "text", "s", "structs", "nulls", "m", "ms"]
    assert found.collect() == [(1, None, (2,), [(2,), None], [None], {"k": None}, {"k": (None,)})]


def test_by_type_no_job_starts(unreadable):
    assert unreadable.transform(drop_null_fields).columns == ["a", "s"]


def test_a_frame_without_such_fields_is_unchanged(spark):
    schema = StructType([StructField("b", IntegerType(), False, {"note": 1}), StructField("a", IntegerType())])
    assert spark.createDataFrame([], schema).transform(drop_null_fields).schema == schema


def test_a_frame_of_nulls_keeps_its_rows(spark):
    bare = spark.range(2).select(F.lit(None).alias("a"), F.lit(None).alias("b")).transform(drop_null_fields)
    assert bare.columns == []
    assert bare.count() == 2


# In every row


@pytest.fixture
def orders(spark):
    rows = [
        (1, None, None, (None, 2, (None,)), [(None, "a"), None], None, None, {"k": None}),
        (2, None, "x", None, [], None, None, {}),
        (2, None, "x", None, [], None, None, {}),
    ]
    return spark.createDataFrame(
        rows,
        "id INT, gone STRING, some STRING, s STRUCT<gone: INT, some: INT, t: STRUCT<gone: DATE>>,"
        " lines ARRAY<STRUCT<gone: INT, some: STRING>>, no_lines ARRAY<STRUCT<a: INT>>, no_list ARRAY<INT>,"
        " m MAP<STRING, INT>",
    )


def test_what_is_null_in_every_row_goes(orders):
    found = orders.transform(drop_null_fields, in_every_row=True)
    assert found.columns == ["id", "some", "s", "lines", "m"]
    assert found.collect() == [
        (1, None, (2,), [("a",), None], {"k": None}),
        (2, "x", None, [], {}),
        (2, "x", None, [], {}),
    ]


def test_unless_asked_it_stays(orders):
    assert orders.transform(drop_null_fields).schema == orders.schema


def test_of_an_empty_frame_nothing_is_known(orders):
    empty = orders.where("id > 9").withColumn("void", F.lit(None))
    assert empty.transform(drop_null_fields, in_every_row=True).schema == orders.schema


@pytest.mark.parametrize(
    ("rows", "stays"),
    [
        pytest.param("array(), null", True, id="no element anywhere tells nothing"),
        pytest.param("null, null", False, id="the array is null in every row"),
        pytest.param("array(), array(named_struct('x', CAST(NULL AS INT)))", False, id="one element, and it is null"),
        pytest.param("null, array(CAST(NULL AS STRUCT<x: INT>))", False, id="null elements"),
        pytest.param("array(named_struct('x', null), named_struct('x', 1)), null", True, id="one element has a value"),
    ],
)
def test_a_field_in_an_array(spark, rows, stays):
    df = spark.sql(f"SELECT 1 AS id, CAST(a AS ARRAY<STRUCT<x: INT>>) AS a FROM (SELECT explode(array({rows})) AS a)")
    assert df.transform(drop_null_fields, in_every_row=True).columns == (["id", "a"] if stays else ["id"])


@pytest.mark.parametrize(
    ("value", "names"),
    [
        pytest.param("array(array(), null)", ["x", "y"], id="no element"),
        pytest.param("array(array(named_struct('x', null, 'y', 1)), null)", ["y"], id="null in every element"),
        pytest.param("array(array(named_struct('x', 2, 'y', 1)), array())", ["x", "y"], id="values"),
    ],
)
def test_a_field_in_an_array_of_arrays(spark, value, names):
    df = spark.sql(f"SELECT CAST({value} AS ARRAY<ARRAY<STRUCT<x: INT, y: INT>>>) AS deep")
    found = df.transform(drop_null_fields, in_every_row=True)
    assert found.schema["deep"].dataType.elementType.elementType.names == names


def test_names_that_differ_in_case_only_and_odd_names(spark):
    null = "CAST(NULL AS INT)"
    df = spark.sql(f"""
        SELECT 1 AS id, {null} AS Id, {null} AS `a.b`, named_struct('k', {null}, 'K', 2, '`', {null}, 'k', 3) AS s,
               {null} AS x, 4 AS x
        """)
    found = df.transform(drop_null_fields, in_every_row=True)
    assert found.columns == ["id", "s", "x"]
    assert found.schema["s"].dataType.names == ["K", "k"]
    assert found.select("id", "s.*").toDF("id", "K", "k").collect() == [(1, 2, 3)]


# Values that stand for null


@pytest.mark.parametrize(
    ("options", "dropped"),
    [
        pytest.param({"null_strings": [""]}, ["blank", "void"], id="blank texts, stripped"),
        pytest.param({"null_strings": ""}, ["blank", "void"], id="a lone empty text is one text"),
        pytest.param({"null_strings": ["", "null"]}, ["blank", "word", "void"], id="several texts"),
        pytest.param({"null_strings": "null"}, ["void"], id="a lone text is one text"),
        pytest.param({"null_strings": ["-1"]}, ["text", "void"], id="a text matches no number"),
        pytest.param({"null_integers": [-1]}, ["i", "l", "d", "void"], id="a number matches no text"),
        pytest.param({"null_integers": [-1, 0]}, ["i", "l", "d", "mixed", "void"], id="several numbers"),
        pytest.param({"in_every_row": True}, ["void"], id="real nulls only"),
    ],
)
def test_values_can_stand_for_null(spark, options, dropped):
    df = spark.createDataFrame(
        [("a", " ", " null\t", "-1", -1, -1, -1.0, -1, None), ("b", None, "\u00a0", None, None, -1, -1.0, 0, None)],
        "id STRING, blank STRING, word STRING, text STRING, i INT, l LONG, d DOUBLE, mixed INT, void DATE",
    )
    found = df.transform(drop_null_fields, **options)
    assert [name for name in df.columns if name not in found.columns] == dropped


def test_values_that_stand_for_null_inside_arrays(spark):
    df = spark.sql("SELECT array(named_struct('a', '', 'b', -1, 'c', 1), named_struct('a', ' ', 'b', 5, 'c', -1)) AS l")
    found = df.transform(drop_null_fields, null_strings=[""], null_integers=[-1])
    assert found.collect() == [([(-1, 1), (5, -1)],)]


# What is known


@pytest.mark.parametrize(
    ("known", "options", "columns"),
    [
        pytest.param({"a": True, "s.b": False}, {"in_every_row": True}, ["s"], id="every field"),
        pytest.param({"a": False, "s": True}, {"in_every_row": True}, ["a"], id="a struct that is null"),
        pytest.param({"a": True, "s.b": True}, {"null_strings": [""]}, [], id="nulls need no look at texts"),
        pytest.param({"a": True, "s.b": False}, {"null_integers": [-1]}, ["s"], id="a number is no text"),
        pytest.param({"a": True}, {}, ["s"], id="what is known goes also without a pass"),
    ],
)
def test_what_is_known_is_not_asked(unreadable, known, options, columns):
    assert unreadable.transform(drop_null_fields, known=known, **options).columns == columns


@pytest.mark.parametrize(
    ("known", "options"),
    [
        pytest.param({"a": True}, {"in_every_row": True}, id="one field is not known"),
        pytest.param({"a": False, "s": False}, {"in_every_row": True}, id="a struct tells nothing of its fields"),
        pytest.param({"a": True, "s.b": False}, {"null_strings": [""]}, id="a text may still be blank"),
    ],
)
def test_what_is_not_known_is_asked(unreadable, known, options):
    with pytest.raises(Exception, match="a job has started"):
        unreadable.transform(drop_null_fields, known=known, **options)


def test_known_arrays(spark):
    df = spark.sql("SELECT 1 AS id, array(named_struct('x', raise_error('read'))) AS lines").select(
        "id", F.col("lines").cast("ARRAY<STRUCT<x: INT>>")
    )
    asked = {"known": {"id": False, "lines.x": True}, "in_every_row": True}
    assert df.transform(drop_null_fields, **asked).columns == ["id"]


@pytest.mark.parametrize(
    ("known", "error", "message"),
    [
        pytest.param({"A": True}, MissingColumnError, r"no column `A`\. Did you mean `a`\?", id="another case"),
        pytest.param({"s.x": True}, MissingColumnError, r"no field `s\.x`", id="no such field"),
        pytest.param({"s..b": True}, PathSyntaxError, "no name", id="no path"),
        pytest.param({"twice": True}, DuplicateColumnError, "`twice` in `known` names 2 fields", id="two fields"),
    ],
)
def test_a_wrong_path_in_known_is_refused(spark, known, error, message):
    df = spark.sql("SELECT 1 AS a, named_struct('b', 1) AS s, 1 AS twice, 2 AS twice")
    with pytest.raises(error, match=message):
        df.transform(drop_null_fields, known=known)


def test_nothing_is_printed(orders, capsys):
    orders.withColumn("void", F.lit(None)).transform(drop_null_fields, in_every_row=True)
    assert capsys.readouterr().out == ""


def test_a_thousand_columns(spark):
    columns = [F.lit(number) if number % 2 else F.lit(None).cast("int") for number in range(1000)]
    wide = spark.range(2).select(*(column.alias(f"c {number}") for number, column in enumerate(columns)))
    found = wide.transform(drop_null_fields, in_every_row=True)
    assert found.columns == [f"c {number}" for number in range(1, 1000, 2)]
    assert NullType() not in [field.dataType for field in found.schema.fields]
