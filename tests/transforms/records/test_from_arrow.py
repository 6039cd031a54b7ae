"""Records: what a row is in Python, how it is told as JSON, and how a failure is."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from transforms.records.from_arrow import ERROR_ARROW, errors_of, rows_of, say_failure, to_json, to_values

STRUCT = pa.struct([("x", pa.int64()), ("X", pa.list_(pa.string()))])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param([1, None, 2**40], pa.int64(), id="ints"),
        pytest.param([1.5, None], pa.float64(), id="floats"),
        pytest.param([Decimal("1.50"), None], pa.decimal128(38, 2), id="decimals"),
        pytest.param([date(1, 1, 1), None, date(9999, 12, 31)], pa.date32(), id="dates"),
        pytest.param([datetime(1969, 1, 1, 0, 0, 0, 1), None], pa.timestamp("us"), id="timestamps without zone"),
        pytest.param([datetime(2020, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC"), id="timestamps"),
        pytest.param([time(1, 2, 3, 4), None], pa.time64("ns"), id="times"),
        pytest.param([timedelta(days=-1), None], pa.duration("us"), id="durations"),
        pytest.param([b"\x00\xff", None], pa.binary(), id="bytes"),
        pytest.param([None, None], pa.null(), id="nulls"),
        pytest.param([{}, None], pa.struct([]), id="empty structs"),
        pytest.param([{"x": 1, "X": ["a", None]}, None, {"x": None, "X": None}], STRUCT, id="structs of twins"),
        pytest.param([[[1], None, []], None, []], pa.list_(pa.list_(pa.int8())), id="lists of lists"),
        pytest.param([[{"x": 1, "X": []}, None]], pa.large_list(STRUCT), id="lists of structs"),
    ],
)
def test_arrow_values_are_plain_python(values, kind):
    array = pa.array([*values, *values], kind)
    assert to_values(array) == [*values, *values]
    assert to_values(array.slice(1, len(values))) == [*values, *values][1 : len(values) + 1]


def test_a_map_is_a_dict():
    kind = pa.map_(pa.string(), pa.map_(pa.int64(), pa.bool_()))
    array = pa.array([[("a", [(1, True)])], None, [], [("b", None), ("c", [])]], kind)
    assert to_values(array) == [{"a": {1: True}}, None, {}, {"b": None, "c": {}}]
    assert to_values(array.slice(3)) == [{"b": None, "c": {}}]


def test_a_timestamp_of_any_zone_is_in_utc():
    (value,) = to_values(pa.array([datetime(2020, 1, 1, tzinfo=UTC)], pa.timestamp("us", "America/New_York")))
    assert (value, value.tzinfo) == (datetime(2020, 1, 1, tzinfo=UTC), UTC)


def test_what_python_cannot_hold_comes_as_the_nearest():
    assert to_values(pa.array([2_932_897, 0], pa.int32()).cast(pa.date32())) == [2_932_897, date(1970, 1, 1)]
    assert to_values(pa.array([b"\xffA", None]).view(pa.string())) == ["\ufffdA", None]


def test_records_share_nothing():
    first, second = to_values(pa.array([{"x": 1, "X": ["a"]}] * 2, STRUCT))
    first["X"].append("b")
    assert second == {"x": 1, "X": ["a"]}


def test_a_row_rejected_earlier_is_no_record():
    old = {"code": "OLD", "message": "m", "record": "{}"}
    rows, earlier = rows_of([pa.array([1, 2]), pa.array([old, None], ERROR_ARROW)], ["id"])
    assert to_values(rows) == [None, {"id": 2}]
    assert errors_of(rows, {}, earlier=earlier) is earlier
    new = {"code": "NEW", "message": "bad", "record": '{"id": 2}'}
    assert errors_of(rows, {1: ("NEW", "bad")}, earlier=earlier).to_pylist() == [old, new]


def test_any_record_has_a_json_text():
    record = {
        "null": None,
        "ints": [1, 2**70],
        "floats": [0.5, float("nan"), float("inf"), float("-inf")],
        "decimal": Decimal("1.50"),
        "moments": [date(2020, 1, 2), datetime(2020, 1, 2, 3, tzinfo=UTC), time(3, 4), timedelta(days=1)],
        "bytes": b"\x00\xff",
        "map": {1: "é", date(2020, 1, 2): True},
        "other": {1},
    }
    assert json.loads(to_json(record)) == {
        "null": None,
        "ints": [1, 2**70],
        "floats": [0.5, "NaN", "Infinity", "-Infinity"],
        "decimal": "1.50",
        "moments": ["2020-01-02", "2020-01-02T03:00:00+00:00", "03:04:00", "1 day, 0:00:00"],
        "bytes": "AP8=",
        "map": {"1": "é", "2020-01-02": True},
        "other": "{1}",
    }


def test_a_failure_names_the_line_of_the_users_function():
    def broken():
        return json.loads("{")

    with pytest.raises(ValueError) as raised:
        broken()
    line = broken.__code__.co_firstlineno + 1
    assert say_failure(raised.value) == (
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
        f" (test_from_arrow.py:{line})"
    )


def test_a_failure_that_cannot_be_told_is_told_all_the_same():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    assert "MuteError: <exception str() failed>" in say_failure(MuteError())
    assert say_failure(ValueError("\ud800")) == "ValueError: ?"
