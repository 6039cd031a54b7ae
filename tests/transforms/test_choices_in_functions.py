"""What a Python function gets of a choice, and what becomes of it when the function returns it."""

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql.types import (
    ArrayType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructType,
)

from transforms.choices.choice import ChoiceType, to_choices, to_marks
from transforms.filter_rows import filter_rows
from transforms.map_rows import map_rows
from transforms.rejects import accepted, rejected
from transforms.resolve_choice import resolve_choice
from transforms.union import union

PRICE = ChoiceType.of([IntegerType(), StringType(), StructType().add("value", "double").add("unit", "string")])
SCHEMA = to_marks(StructType().add("id", "integer").add("price", PRICE).add("all", ArrayType(PRICE)))
ROWS = [
    (1, (5, None, None), [(None, "x", None), None]),
    (2, (None, "5", None), []),
    (3, (None, None, (0.5, "kg")), None),
    (4, None, [(None, None, (None, None))]),
]


@pytest.fixture
def prices(spark):
    return spark.createDataFrame(ROWS, SCHEMA).coalesce(1)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        pytest.param(lambda r: r["price"] == 5, [1], id="a number"),
        pytest.param(lambda r: r["price"] == "5", [2], id="a text"),
        pytest.param(lambda r: r["price"] == {"value": 0.5, "unit": "kg"}, [3], id="a struct"),
        pytest.param(lambda r: r["price"] is None, [4], id="null"),
        pytest.param(lambda r: r["all"] == ["x", None], [1], id="in an array"),
    ],
)
def test_a_predicate_gets_the_value_and_the_row_stays_as_it_was(prices, wanted, ids):
    found = filter_rows(prices, wanted)
    assert [row.id for row in found.collect()] == ids
    assert to_choices(found.drop("_error").schema) == to_choices(SCHEMA)
    assert found.drop("_error").collect() == [row for row in ROWS if row[0] in ids]


def test_what_a_function_passes_on_is_the_choice_again(prices):
    found = map_rows(prices, lambda record: record | {"twice": record["id"] * 2})
    assert to_choices(found.schema)["price"].dataType == PRICE
    assert found.drop("twice", "_error").collect() == ROWS
    assert [row.twice for row in accepted(found).collect()] == [2, 4, 6, 8]


def test_a_function_may_return_another_of_the_types_and_no_other_value(prices):
    new = {1: "free", 2: 7, 3: 1.5, 4: {"value": 2}}
    found = map_rows(prices, lambda record: {"id": record["id"], "price": new[record["id"]]}, schema=SCHEMA)
    good = resolve_choice(accepted(found), {"price": "make_cols"}).drop("all").collect()
    assert good == [(1, None, "free", None), (2, 7, None, None), (4, None, None, (2.0, None))]
    (bad,) = rejected(found).collect()
    assert (bad.code, bad.message) == (
        "SCHEMA",
        "`price` is a choice of int, string, struct, but the function returned float: 1.5.",
    )


def test_no_digit_of_a_double_is_lost_to_a_float(spark):
    schema = to_marks(StructType().add("n", ChoiceType.of([FloatType(), DoubleType()])))
    df = spark.createDataFrame([((0.5, None),), ((None, 0.1),), ((None, 1e300),)], schema).coalesce(1)
    found = map_rows(df, lambda record: record).select("n.*")
    assert [tuple(row) for row in found.collect()] == [(0.5, None), (None, 0.1), (None, 1e300)]


@pytest.mark.parametrize("value", ["map(1, 'x')", "INTERVAL '1' DAY"])
def test_a_choice_of_a_type_without_bare_values_stays_a_struct(spark, value):
    df = spark.sql(f"SELECT 1 AS id, {value} AS v").transform(union, spark.sql("SELECT 2 AS id, 'x' AS v")).coalesce(1)
    found = filter_rows(df, lambda record: record["id"] == 2)
    assert to_choices(found.drop("_error").schema) == to_choices(df.schema)
    assert found.select("id", "v.string").collect() == [(2, "x")]


def test_numbers_go_to_the_narrowest_type_that_holds_them(spark):
    number = ChoiceType.of([DoubleType(), DecimalType(21, 2), LongType(), IntegerType(), DateType()])
    values = [7, 2**40, 2**63, 0.5, Decimal("1.25"), date(2024, 2, 29), None]
    schema = to_marks(StructType().add("n", number))
    df = spark.range(len(values)).coalesce(1)
    found = map_rows(df, lambda record: {"n": values[record["id"]]}, schema=schema).select("n.*")
    assert found.columns == ["double", "decimal", "long", "int", "date"]
    assert [tuple(row) for row in found.collect()] == [
        (None, None, None, 7, None),
        (None, None, 2**40, None, None),
        (None, Decimal(2**63), None, None, None),
        (0.5, None, None, None, None),
        (None, Decimal("1.25"), None, None, None),
        (None, None, None, None, date(2024, 2, 29)),
        (None, None, None, None, None),
    ]
