"""unpivot: a row per cell."""

from decimal import Decimal

import pytest

from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError
from transforms.unpivot import unpivot


@pytest.fixture
def years(spark):
    return spark.createDataFrame(
        [(2013, "a", 1, None), (2014, None, None, None), (2014, None, None, None)],
        "year INT, text STRING, `Jan.` INT, Feb BIGINT",
    )


def test_a_row_per_cell_without_nulls(years):
    rows = years.transform(unpivot, ["`Jan.`", "Feb"], name_column="month", value_column="sold")
    assert rows.collect() == [(2013, "a", "Jan.", 1)]
    assert rows.dtypes == [("year", "int"), ("text", "string"), ("month", "string"), ("sold", "bigint")]


def test_nulls_can_stay(years):
    rows = years.drop("text").transform(unpivot, ["Feb", "`Jan.`"], keep_nulls=True)
    assert rows.collect() == [(2013, "Feb", None), (2013, "Jan.", 1), *[(2014, "Feb", None), (2014, "Jan.", None)] * 2]


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        pytest.param("16777217", "CAST(0.5 AS FLOAT)", [16777217.0, 0.5], id="an int and a float"),
        pytest.param("CAST(1.25 AS DECIMAL(9,2))", "7L", [Decimal("1.25"), Decimal("7.00")], id="a decimal and a long"),
    ],
)
def test_numbers_of_several_types_lose_no_digit(spark, one, two, expected):
    rows = spark.sql(f"SELECT {one} AS a, {two} AS b").transform(unpivot, ["a", "b"])
    assert [row.value for row in rows.collect()] == expected


def test_all_columns_odd_names_and_structs(spark):
    df = spark.sql("SELECT 1 AS `other 1`, 2 AS `a``b`")
    assert df.transform(unpivot, ["other 1", "`a``b`"]).collect() == [("other 1", 1), ("a`b", 2)]
    nested = spark.sql("SELECT 1 AS id, 2 AS `i.d`, array(1) AS a, array(2) AS b")
    assert nested.transform(unpivot, ["a", "b"]).collect() == [(1, 2, "a", [1]), (1, 2, "b", [2])]


def test_wrong_arguments_are_told(years, spark):
    said = r"unpivot: the columns have different types, .*: string \(`text`\), bigint \(`Feb`\). Cast them first"
    with pytest.raises(ColumnTypeError, match=said):
        years.transform(unpivot, ["text", "Feb"])
    far = spark.sql("SELECT CAST(1.25 AS DECIMAL(38,2)) AS a, CAST(7 AS DECIMAL(38,0)) AS b")
    with pytest.raises(ColumnTypeError, match="with none in common"):
        far.transform(unpivot, ["a", "b"])
    wide = spark.range(1).selectExpr("'x' AS text", *(f"{number} AS n{number}" for number in range(20)))
    with pytest.raises(ColumnTypeError, match=r"string \(`text`\), int \(`n0`, .*, `n11` and 8 more\)"):
        wide.transform(unpivot, wide.columns)
    with pytest.raises(TransformError, match="at least one column"):
        years.transform(unpivot, [])
    with pytest.raises(DuplicateColumnError, match="`Feb` twice"):
        years.transform(unpivot, ["Feb", "Feb"])
    with pytest.raises(DuplicateColumnError, match="`year` and `Year`"):
        years.transform(unpivot, ["Feb"], name_column="Year")
    with pytest.raises(TransformError, match="`s.a` is a field of a struct"):
        spark.sql("SELECT named_struct('a', 1) AS s").transform(unpivot, ["s.a"])
