"""The schema that a sample of records has."""

from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest
from pyspark.sql.types import DateType

from transforms.errors import ColumnTypeError
from transforms.records.types import infer_schema

NOON = datetime(2020, 1, 1, 12)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([True, None], "boolean", id="truth"),
        pytest.param([1, None, 2], "bigint", id="ints"),
        pytest.param([1, 0.5], "double", id="ints and floats"),
        pytest.param([1, Decimal("0.5")], "decimal(38,18)", id="ints and decimals"),
        pytest.param([np.int8(1), np.float32(2)], "double", id="numbers of numpy"),
        pytest.param(["x"], "string", id="text"),
        pytest.param([b"x", bytearray(b"y")], "binary", id="bytes"),
        pytest.param([date(2020, 1, 1)], "date", id="date"),
        pytest.param([NOON], "timestamp_ntz", id="datetime without zone"),
        pytest.param([NOON.replace(tzinfo=UTC), None], "timestamp", id="datetime with zone"),
        pytest.param([time(1)], "time(6)", id="time"),
        pytest.param([timedelta(1)], "interval day to second", id="duration"),
        pytest.param([None, None], "string", id="nothing"),
        pytest.param([[], None], "array<string>", id="empty list"),
        pytest.param([[1], (0.5,), None], "array<double>", id="lists and tuples"),
        pytest.param([[[1], None], [[None]]], "array<array<bigint>>", id="lists of lists"),
        pytest.param([{}], "struct<>", id="empty dict"),
        pytest.param(
            [{"b": 1}, OrderedDict(a="x"), None], "struct<b:bigint,a:string>", id="dicts, by first appearance"
        ),
        pytest.param([[{"A": 1}], [{"a": None}]], "array<struct<A:bigint,a:string>>", id="twins"),
    ],
)
def test_a_field_has_the_type_of_its_values(values, expected):
    schema = infer_schema([{}, *({"f": value} for value in values)])
    assert schema.simpleString() == f"struct<f:{expected}>"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param([1, "x"], r"`f`: int \(1\) and str \('x'\)", id="int and text"),
        pytest.param([True, 1], r"`f`: bool \(True\) and int \(1\)", id="truth and int"),
        pytest.param([0.5, Decimal(1)], r"float \(0.5\) and Decimal \(Decimal\('1'\)\)", id="float and decimal"),
        pytest.param([{"a": 1}, [1]], r"dict \({'a': 1}\) and list \(\[1\]\)", id="dict and list"),
        pytest.param([[{"a.b": [1]}], [{"a.b": ["x"]}]], r"`f.`a.b``: int \(1\) and str", id="deep below"),
        pytest.param([NOON, NOON.replace(tzinfo=UTC)], "with a time zone and without for `f`", id="zones"),
        pytest.param([1j], r"complex \(1j\) for `f`, which no Spark type stands for", id="no Spark type"),
        pytest.param([{1: 2}], "the key 1 in `f`", id="key"),
        pytest.param(["x" * 100, 1], r"str \('x{59}\.\.\.\)", id="long example"),
    ],
)
def test_values_that_do_not_agree_are_named(values, sentence):
    with pytest.raises(ColumnTypeError, match=sentence):
        infer_schema([{"f": value} for value in values])


def test_a_known_type_is_taken():
    assert infer_schema([{"f": None, "g": 1}], known={"f": DateType()}).simpleString() == "struct<f:date,g:bigint>"
