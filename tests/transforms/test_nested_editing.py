"""with_fields, cast_fields, map_array and filter_array: what is inside structs and arrays, changed in place."""

import pytest
from pyspark.sql.types import ArrayType, IntegerType, StringType, StructField, StructType

from transforms.cast_fields import cast_fields
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, PathSyntaxError, TransformError
from transforms.filter_array import filter_array
from transforms.map_array import map_array
from transforms.rename_field import rename_field
from transforms.with_fields import with_fields


@pytest.fixture
def orders(spark):
    items = "ARRAY<STRUCT<sku: STRING, price: STRING, parts: ARRAY<STRUCT<n: INT>>>>"
    buyer = "STRUCT<name: STRING, age: STRING>"
    schema = f"id INT, rate INT, buyer {buyer}, items {items}, tags ARRAY<STRING>, grid ARRAY<ARRAY<INT>>"
    rows = [
        (
            1,
            10,
            ("Ada", "36"),
            [("a", "5", [(1,), None, (3,)]), None, ("b", "?", None)],
            ["x", None],
            [[1, -2], None, []],
        ),
        (2, None, None, [], [], []),
        (3, 10, (None, None), None, None, None),
    ]
    return spark.createDataFrame(rows, schema)


ITEMS = [("a", "5", [(1,), None, (3,)]), None, ("b", "?", None)]


@pytest.mark.parametrize(
    ("fields", "column", "expected"),
    [
        pytest.param({"total": "rate * 2"}, "total", [20, None, 20], id="a new column"),
        pytest.param({"rate": "rate + id"}, "rate", [11, None, 13], id="a column"),
        pytest.param(
            {"buyer.age": "cast(age AS INT) + 1"}, "buyer", [("Ada", 37), None, (None, None)], id="in a struct"
        ),
        pytest.param(
            {"buyer.label": "name || id"},
            "buyer",
            [("Ada", "36", "Ada1"), None, (None, None, None)],
            id="new in a struct",
        ),
        pytest.param(
            {"items[].sku": "upper(sku) || rate"},
            "items",
            [[("A10", *ITEMS[0][1:]), None, ("B10", *ITEMS[2][1:])], [], None],
            id="in an array; null elements stay null",
        ),
        pytest.param(
            {"items.sku": "price", "items.price": "sku"},
            "items",
            [[("5", "a", ITEMS[0][2]), None, ("?", "b", None)], [], None],
            id="as they came in",
        ),
        pytest.param(
            {"items[].parts[].n": "n * rate + length(sku)"},
            "items",
            [[("a", "5", [(11,), None, (31,)]), None, ("b", "?", None)], [], None],
            id="in arrays of arrays, from around",
        ),
        pytest.param(
            {"items[].parts[].id": "_row.id + _.n"},
            "items",
            [[("a", "5", [(1, 2), None, (3, 4)]), None, ("b", "?", None)], [], None],
            id="the struct itself and the row",
        ),
        pytest.param(
            {"items.parts": "size(parts)"},
            "items",
            [[("a", "5", 3), None, ("b", "?", None)], [], None],
            id="another type",
        ),
    ],
)
def test_fields_get_new_values(orders, fields, column, expected):
    edited = orders.transform(with_fields, fields)
    assert [row[column] for row in edited.collect()] == expected
    assert edited.columns[:6] == orders.columns


def test_the_rest_of_the_frame_stays_as_it_is(orders):
    edited = orders.transform(with_fields, {"items[].sku": "'z'"})
    assert edited.drop("items").schema == orders.drop("items").schema
    assert edited.drop("items").collect() == orders.drop("items").collect()


@pytest.mark.parametrize(
    ("types", "column", "expected"),
    [
        ({"rate": "string"}, "rate", ["10", None, "10"]),
        ({"buyer.age": "int"}, "buyer", [("Ada", 36), None, (None, None)]),
        ({"items[].price": "double"}, "items", [[("a", 5.0, ITEMS[0][2]), None, ("b", None, None)], [], None]),
        ({"items.parts.n": "string"}, "items", [[("a", "5", [("1",), None, ("3",)]), None, ITEMS[2]], [], None]),
        ({"tags[]": "int"}, "tags", [[None, None], [], None]),
        ({"grid[][]": "string"}, "grid", [[["1", "-2"], None, []], [], None]),
        ({"buyer": "struct<a: string, b: byte>"}, "buyer", [("Ada", 36), None, (None, None)]),
    ],
)
def test_fields_are_cast(orders, types, column, expected):
    assert [row[column] for row in orders.transform(cast_fields, types).collect()] == expected


def test_a_value_that_does_not_fit_rejects_its_row_where_that_is_said(orders):
    types = {"buyer.age": "int", "items[].price": "double", "tags[]": "int"}
    rows = orders.select("id", "buyer", "items", "tags").transform(cast_fields, types, misfits="reject").collect()
    assert [row.id for row in rows] == [1, 2, 3]
    assert rows[0]._error == (
        "CAST",
        "cast_fields: a value of `items[].price` is no double. cast_fields: a value of `tags[]` is no array<int>.",
        '{"id":1,"buyer":{"name":"Ada","age":"36"},"items":[{"sku":"a","price":"5","parts":[{"n":1},null,{"n":3}]},'
        'null,{"sku":"b","price":"?","parts":null}],"tags":["x",null]}',
    )
    assert [row._error for row in rows[1:]] == [None, None]


def test_a_row_that_was_rejected_before_keeps_its_error(spark):
    before = "named_struct('code', 'RULE', 'message', 'm', 'record', '{}')"
    df = spark.sql(f"SELECT {before} AS _error, 'x' AS a, MAP('k', '?') AS b UNION ALL SELECT NULL, '7', MAP('k', 'x')")
    types = {"a": "int", "b": "map<string, int>"}
    rows = df.transform(cast_fields, types, misfits="reject").collect()
    assert [(row.a, row._error.code) for row in rows] == [(None, "RULE"), (7, "CAST")]


@pytest.mark.parametrize(
    ("path", "expression", "column", "expected"),
    [
        ("tags", "upper(_)", "tags", [["X", None], [], None]),
        ("tags[]", None, None, None),
        ("grid", "size(_)", "grid", [[2, None, 0], [], None]),
        ("grid[]", "_ * rate", "grid", [[[10, -20], None, []], [], None]),
        ("items", "price", "items", [["5", None, "?"], [], None]),
        ("items[].parts", "n + _row.id", "items", [[("a", "5", [2, None, 4]), None, ITEMS[2]], [], None]),
    ],
)
def test_elements_get_new_values(orders, path, expression, column, expected):
    if expression is None:
        with pytest.raises(ColumnTypeError, match=r"map_array, `tags\[\]`: `tags\[\]` is of type string, not an array"):
            orders.transform(map_array, path, "_")
        return
    assert [row[column] for row in orders.transform(map_array, path, expression).collect()] == expected


@pytest.mark.parametrize(
    ("path", "where", "column", "expected"),
    [
        ("tags", "_ = 'x'", "tags", [["x"], [], None]),
        ("tags", "_ IS NULL", "tags", [[None], [], None]),
        ("grid[]", "_ > 0", "grid", [[[1], None, []], [], None]),
        ("grid", "size(_) > 0", "grid", [[[1, -2]], [], None]),
        ("items", "price = '5'", "items", [[ITEMS[0]], [], None]),
        ("items[].parts", "n > 1 AND sku = 'a'", "items", [[("a", "5", [(3,)]), None, ITEMS[2]], [], None]),
    ],
)
def test_elements_are_kept_by_a_condition(orders, path, where, column, expected):
    filtered = orders.transform(filter_array, path, where)
    assert filtered.schema == orders.schema
    assert [row[column] for row in filtered.collect()] == expected


def test_words_of_sql_twins_and_odd_names(spark):
    inner = "named_struct('date', 1, 'a b', 2, 'id', 3, 'Id', 4, 'x', 5, 'it`s', 6, 'interval', 7)"
    df = spark.sql(f"SELECT array({inner}) AS `i.j`, 100 AS date, array(1, 2) AS x, 9 AS __c9")
    edited = df.transform(
        with_fields,
        {
            "`i.j`[].year": "date + year(date'2020-01-01') + interval",
            "`i.j`.sum": "`a b` + id + Id + `it``s`",
            "`i.j`.far": "_row.date + size(_row.x) + aggregate(_row.x, 0, (x, y) -> x + y) + x",
            "`i.j`.cast": "cast(x AS string) || case when date = 1 then 'one' else 'more' end",
        },
    )
    assert edited.collect()[0]["i.j"] == [(1, 2, 3, 4, 5, 6, 7, 2028, 15, 110, "5one")]


def test_metadata_types_and_nullability_of_the_rest_stay(spark):
    inner = StructType(
        [StructField("a", IntegerType(), False, {"m": 1}), StructField("c", StringType(), True, {"choice": [""]})]
    )
    struct = StructType([StructField("i", ArrayType(inner, False), False, {"k": 1}), StructField("b", IntegerType())])
    schema = StructType([StructField("s", struct, False, {"n": 2}), StructField("c", inner, False, {"choice": [""]})])
    df = spark.createDataFrame([(([(1, "x")], 2), (3, "y"))], schema)
    edited = df.transform(with_fields, {"s.i.d": "a + b"})
    assert edited.collect() == [(([(1, "x", 3)], 2), (3, "y"))]
    found = edited.schema["s"]
    assert (found.metadata, found.nullable, found.dataType["i"].metadata) == ({"n": 2}, False, {"k": 1})
    assert found.dataType["i"].dataType.elementType.fields[:2] == inner.fields
    assert edited.schema["c"] == schema["c"]
    assert df.transform(filter_array, "s.i", "a > 1").schema["s"].dataType["i"].dataType.elementType == inner


def test_empty_frames_and_no_edits(orders):
    assert orders.transform(with_fields, {}).schema == orders.schema
    assert orders.transform(cast_fields, {}).schema == orders.schema
    assert orders.limit(0).transform(with_fields, {"items.x": "1"}).collect() == []


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (
            lambda df: with_fields(df, {"items[].x": "prise + 1"}),
            MissingColumnError,
            r"with_fields, `items.x`: There is no column `prise`. Did you mean `price`",
        ),
        (
            lambda df: with_fields(df, {"id": "id", "items.x": "price +"}),
            TransformError,
            "with_fields, `items.x`: Syntax error at or near end of input",
        ),
        (
            lambda df: with_fields(df, {"items.x": "_.prise"}),
            MissingColumnError,
            "There is no field `prise`. Did you mean `price`",
        ),
        (lambda df: with_fields(df, {"items.x": "_row.prise"}), MissingColumnError, "There is no column `prise`"),
        (lambda df: with_fields(df, {"items.x": "tags + 1"}), ColumnTypeError, "with_fields, `items.x`"),
        (lambda df: with_fields(df, {"itms.x": "1"}), MissingColumnError, "Did you mean `items`"),
        (lambda df: with_fields(df, {"id.x": "1"}), ColumnTypeError, "`id` is of type int, which has no fields"),
        (lambda df: with_fields(df, {"tags[]": "1"}), TransformError, "use map_array"),
        (
            lambda df: with_fields(df, {"items": "1", "items.x": "1"}),
            DuplicateColumnError,
            "`items.x` is changed twice",
        ),
        (lambda df: with_fields(df, {"items..x": "1"}), PathSyntaxError, "no name at character 7"),
        (
            lambda df: with_fields(df, {"items.x": "sum(price)"}),
            TransformError,
            "with_fields, `items.x`: An expression is of one row, and an aggregate function in it",
        ),
        (lambda df: cast_fields(df, {"items.x": "int"}), MissingColumnError, "There is no field `items.x`"),
        (lambda df: cast_fields(df, {"id": "int"}, misfits="drop"), TransformError, "`misfits` is `null` or `reject`"),
        (lambda df: cast_fields(df, {"id": "strng"}), TransformError, "cast_fields, `id`: The type 'strng'"),
        (
            lambda df: cast_fields(df, {"id": "string", "buyer": "int"}),
            ColumnTypeError,
            "cast_fields, `buyer`: .*cannot cast",
        ),
        (
            lambda df: cast_fields(df, {"buyer": "string", "buyer.age": "int"}),
            DuplicateColumnError,
            "casts `buyer.age` twice",
        ),
        (lambda df: cast_fields(df, {"id[]": "int"}), ColumnTypeError, "`id` is no array of 1 levels"),
        (
            lambda df: filter_array(df, "id", "_ > 1"),
            ColumnTypeError,
            "filter_array, `id`: `id` is of type int, not an array",
        ),
        (lambda df: filter_array(df, "items", "prise > 1"), MissingColumnError, "Did you mean `price`"),
        (lambda df: filter_array(df, "tags", "whatever > 1"), MissingColumnError, "There are these columns: _, buyer"),
        (
            lambda df: filter_array(df, "items", "price"),
            ColumnTypeError,
            "filter_array, `items`: The condition is of type string, not a boolean",
        ),
        (lambda df: map_array(df, "items", "_ + 1"), ColumnTypeError, "map_array, `items`"),
        (lambda df: map_array(df, "tags", ""), TransformError, "map_array, `tags`: The expression is empty"),
        (lambda df: map_array(df, "tags", "_) , (1"), TransformError, "closes none"),
    ],
)
def test_what_cannot_be_done_is_said(orders, edit, error, message):
    with pytest.raises(error, match=message):
        edit(orders)


@pytest.mark.parametrize(
    ("struct", "edits"),
    [
        pytest.param(
            "struct(id AS a, 1 AS b)", [lambda df: with_fields(df, {"s.a": "a + 1"})] * 40, id="never null, one field"
        ),
        pytest.param(
            "if(id > 0, struct(id AS a, 1 AS b), NULL)", [lambda df: with_fields(df, {"s.a": "a + b"})] * 40, id="null"
        ),
        pytest.param(
            "struct(id AS a, struct(1 AS a, 2 AS b) AS t)",
            [
                lambda df: cast_fields(df, {"s.t.a": "string"}),
                lambda df: rename_field(df, "s.t.a", "s.t.z"),
                lambda df: with_fields(df, {"s.t.z": "CASE WHEN z > b THEN b ELSE z END"}),
                lambda df: rename_field(df, "s.t.z", "s.t.a"),
            ]
            * 10,
            id="never null, two levels",
        ),
    ],
)
def test_the_plan_of_forty_edits_stays_small(spark, capsys, struct, edits):
    df = spark.sql(f"SELECT {struct} AS s FROM range(2)")
    for edit in edits:
        df = edit(df)
    capsys.readouterr()
    df.explain("formatted")
    assert len(capsys.readouterr().out) < 30_000
    assert df.count() == 2


def test_names_inside_a_type_are_no_fields(spark):
    df = spark.sql("SELECT array(named_struct('price', 1)) AS items, 2 AS price")
    cast = df.transform(map_array, "items", "CAST(_ AS STRUCT<price: DOUBLE>)")
    assert cast.schema["items"].dataType.simpleString() == "array<struct<price:double>>"
    assert cast.collect() == [([(1.0,)], 2)]
    where = "size(array(struct(price))::ARRAY<STRUCT<price: INT>>) < price AND price < 2"
    assert df.transform(filter_array, "items", where).collect() == [([], 2)]
    assert df.transform(filter_array, "items", where.replace("< price", "<= price")).collect() == [([(1,)], 2)]
