"""Records under a schema: what fits, and what is told of a value that does not."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import types as t

from transforms.errors import ColumnTypeError
from transforms.records.from_arrow import to_values
from transforms.records.to_arrow import arrow_type, fit, to_arrow

NOON = datetime(2020, 1, 1, 12)
EAST = timezone(timedelta(hours=2))
LONGS = t.ArrayType(t.LongType())
STRUCT = t.StructType().add("x", "integer").add("X", LONGS)


@pytest.mark.parametrize(
    ("data_type", "values"),
    [
        pytest.param(t.BooleanType(), [True, None], id="boolean"),
        pytest.param(t.ByteType(), [-128, 127], id="byte"),
        pytest.param(t.LongType(), [-(2**63), 2**63 - 1, None], id="long"),
        pytest.param(t.DoubleType(), [0.5, 1, None], id="ints in doubles"),
        pytest.param(t.DecimalType(5, 2), [Decimal("1.5"), 7, None], id="ints in decimals"),
        pytest.param(t.StringType(), ["", "é", None], id="string"),
        pytest.param(t.BinaryType(), [b"\x00", bytearray(b"x"), None], id="binary"),
        pytest.param(t.DateType(), [date(1, 1, 1), None], id="date"),
        pytest.param(t.TimestampNTZType(), [NOON, None], id="timestamp without zone"),
        pytest.param(t.TimestampType(), [NOON.replace(tzinfo=UTC), None], id="timestamp"),
        pytest.param(t.TimeType(), [time(1, 2, 3, 4), None], id="time"),
        pytest.param(t.DayTimeIntervalType(), [timedelta(days=-1), None], id="interval"),
        pytest.param(t.NullType(), [None, None], id="void"),
        pytest.param(LONGS, [[1, None], [], None], id="array"),
        pytest.param(t.ArrayType(LONGS), [[[1], None, []], None], id="array of arrays"),
        pytest.param(STRUCT, [{"x": 1, "X": [2]}, None, {"x": None, "X": None}], id="struct of twins"),
        pytest.param(t.StructType(), [{}, None], id="empty struct"),
        pytest.param(t.MapType(t.LongType(), STRUCT), [{1: {"x": 1, "X": []}, 2: None}, {}, None], id="map"),
    ],
)
def test_a_value_that_fits_is_kept(data_type, values):
    for each in (values, values[:1], []):
        array = to_arrow(each, data_type)
        assert array.type == arrow_type(data_type)
        assert to_values(array) == each


def test_a_missing_key_is_null_and_a_tuple_is_a_list():
    assert to_values(to_arrow([{"x": 1}, {"X": (1, 2)}], STRUCT)) == [{"x": 1, "X": None}, {"x": None, "X": [1, 2]}]


def test_a_datetime_in_a_timestamp_is_in_utc_where_it_does_not_say():
    array = to_arrow([NOON, NOON.replace(tzinfo=EAST)], t.TimestampType())
    assert to_values(array) == [NOON.replace(tzinfo=UTC), datetime(2020, 1, 1, 10, tzinfo=UTC)]


def test_numbers_of_numpy_are_numbers():
    assert to_values(to_arrow([np.array([1, 2])], LONGS)) == [[1, 2]]
    assert to_values(to_arrow([np.bool_(True)], t.BooleanType())) == [True]
    assert to_values(to_arrow([np.float64(0.5), np.int8(1)], t.DoubleType())) == [0.5, 1.0]


@pytest.mark.parametrize(
    ("data_type", "value", "message"),
    [
        pytest.param(t.IntegerType(), 2**31, "`f` is declared int, which cannot hold 2147483648.", id="int"),
        pytest.param(t.LongType(), 2**63, "declared bigint, which cannot hold 9223372036854775808", id="long"),
        pytest.param(t.LongType(), 1.0, "`f` is declared bigint, but the function returned float: 1.0", id="float"),
        pytest.param(t.LongType(), True, "returned bool: True", id="truth for int"),
        pytest.param(t.LongType(), "1", "returned str: '1'", id="text for int"),
        pytest.param(t.StringType(), 1, "returned int: 1", id="int for text"),
        pytest.param(t.StringType(), b"x", "returned bytes: b'x'", id="bytes for text"),
        pytest.param(t.StringType(), "\ud800", "declared string, which cannot hold", id="half a character"),
        pytest.param(t.BinaryType(), "x", "returned str: 'x'", id="text for bytes"),
        pytest.param(t.BooleanType(), 1, "returned int: 1", id="int for truth"),
        pytest.param(t.DoubleType(), 2**53 + 1, "cannot hold 9007199254740993", id="int that a double rounds"),
        pytest.param(t.DoubleType(), Decimal(1), "returned Decimal", id="decimal for double"),
        pytest.param(t.DecimalType(5, 2), Decimal("1.234"), "decimal(5,2), which cannot hold", id="decimal's scale"),
        pytest.param(t.DecimalType(5, 2), Decimal("12345"), "decimal(5,2), which cannot hold", id="decimal's digits"),
        pytest.param(t.DecimalType(5, 2), Decimal("NaN"), "decimal(5,2), which cannot hold", id="decimal NaN"),
        pytest.param(t.DecimalType(5, 2), 0.5, "returned float: 0.5", id="float for decimal"),
        pytest.param(t.DateType(), NOON, "returned datetime", id="datetime for date"),
        pytest.param(t.TimestampType(), date(2020, 1, 1), "returned date", id="date for timestamp"),
        pytest.param(t.TimestampType(), 5, "returned int: 5", id="int for timestamp"),
        pytest.param(t.TimestampNTZType(), NOON.replace(tzinfo=UTC), "with a zone", id="zone for none"),
        pytest.param(t.TimeType(), time(1, tzinfo=UTC), "with a zone", id="time with a zone"),
        pytest.param(t.NullType(), 1, "declared void, but the function returned int", id="value for void"),
        pytest.param(LONGS, "x", "declared array<bigint>, but the function returned str", id="text for array"),
        pytest.param(LONGS, [1, "x"], "`f[]` is declared bigint, but the function returned str: 'x'", id="element"),
        pytest.param(STRUCT, [1], "declared struct<x:int,X:array<bigint>>, but", id="list for struct"),
        pytest.param(STRUCT, {"y": 1}, "returned `f.y`, which is not in the schema. There", id="unknown key"),
        pytest.param(STRUCT, {1: 1}, "returned `f.1`, which is not in the schema", id="key that is no text"),
        pytest.param(STRUCT, {"X": ["a"]}, "`f.X[]` is declared bigint", id="deep below"),
        pytest.param(t.MapType(t.StringType(), LONGS), {1: []}, "`f.key` is declared string", id="map key"),
        pytest.param(t.MapType(t.StringType(), LONGS), {None: []}, "`f.key` is declared NOT NULL", id="null key"),
        pytest.param(t.MapType(t.StringType(), LONGS), {"a": 1}, "`f.value` is declared array", id="map value"),
        pytest.param(t.ArrayType(t.LongType(), False), [None], "`f[]` is declared NOT NULL", id="null element"),
        pytest.param(t.MapType(t.StringType(), LONGS, False), {"a": None}, "`f.value` is declared", id="null in map"),
        pytest.param(t.StructType().add("x", "long", False), {}, "`f.x` is declared NOT NULL", id="null field"),
    ],
)
def test_a_value_that_does_not_fit_is_told_and_only_its_record_rejected(data_type, value, message):
    schema = t.StructType().add("f", data_type)
    records = [{}, {"f": None}, {"f": value}, None, {}]
    array, wrong = fit(records, schema)
    assert to_values(array) == [{"f": None}, {"f": None}, None, None, {"f": None}]
    assert list(wrong) == [2]
    assert message in wrong[2]


def test_a_null_struct_may_lack_what_must_not_be_null():
    inner = t.StructType().add("y", "long", nullable=False)
    schema = t.StructType().add("s", t.StructType().add("x", inner, nullable=False))
    array, wrong = fit([{"s": None}, {"s": {"x": {"y": 1}}}, {"s": {"x": {}}}, {"s": {}}], schema)
    assert to_values(array) == [{"s": None}, {"s": {"x": {"y": 1}}}, None, None]
    assert list(wrong) == [2, 3]


def test_many_misfits_are_all_found():
    records = [{"f": "x" if position % 3 else position} for position in range(1000)]
    array, wrong = fit(records, t.StructType().add("f", "long"))
    assert list(wrong) == [position for position in range(1000) if position % 3]
    assert array.null_count == len(wrong)


def test_a_type_that_no_function_can_return_is_refused():
    with pytest.raises(ColumnTypeError, match="variant"):
        arrow_type(t.ArrayType(t.VariantType()))
    assert arrow_type(t.ArrayType(STRUCT)) == pa.list_(pa.struct([("x", pa.int32()), ("X", pa.list_(pa.int64()))]))
