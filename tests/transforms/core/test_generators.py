"""Expressions that would make several rows of one, or none, are refused: a row must not get lost in a column."""

import pytest
from pyspark.sql import functions as F

from transforms.conditional_router import conditional_router
from transforms.derive_column import derive_column
from transforms.errors import TransformError
from transforms.filter_rows import filter_rows
from transforms.map_rows import map_rows
from transforms.with_fields import with_fields


@pytest.fixture
def df(spark):
    return spark.sql("SELECT 1 AS id, array('a', 'b') AS tags, 'explode(x)' AS note")


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda df: derive_column(df, "t", "explode(tags)"), id="derive_column"),
        pytest.param(lambda df: derive_column(df, "t", F.posexplode_outer("tags").alias("p", "t")), id="a column"),
        pytest.param(lambda df: derive_column(df, "t", "1 + explode(tags)"), id="inside another"),
        pytest.param(lambda df: with_fields(df, {"t": "EXPLODE (tags) -- each"}), id="with_fields"),
        pytest.param(lambda df: map_rows(df, expressions={"t": "`explode`(tags)"}), id="map_rows"),
        pytest.param(lambda df: map_rows(df, expressions={"t": "stack(2, id, id)"}), id="stack"),
        pytest.param(lambda df: filter_rows(df, "explode(tags) = 'a'"), id="filter_rows"),
        pytest.param(lambda df: conditional_router(df, {"a": "explode(tags) = 'a'"}), id="conditional_router"),
    ],
)
def test_a_function_that_makes_rows_is_refused(df, call):
    with pytest.raises(TransformError, match="makes several rows of one. Use the transform `explode`"):
        call(df)


def test_a_text_that_looks_like_one_is_none(df):
    assert df.transform(derive_column, "t", "concat(note, '; inline(x)')").first().t == "explode(x); inline(x)"
