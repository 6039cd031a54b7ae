"""JSON: records that parse, records that do not, and both in one frame."""

import re
from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql.types import StructType

from birchtar.lake.errors import LakeError
from birchtar.lake.json import read_variants
from birchtar.lake.read import read
from birchtar.lake.read_again import read_again
from birchtar.lake.source import Source


@pytest.fixture
def json(spark, stored):
    """Reads the given lines, of one file."""

    def read_lines(*lines, schema=None, **settings):
        path = stored(x_json="\n".join(lines))
        return read(spark, Source(path=path, format="json", schema=schema, **settings))

    return read_lines


def accepted(df):
    return list(map(tuple, df.where("_error IS NULL").drop("_error").collect()))


def records(df):
    return [tuple(row) for row in df.where("_error IS NOT NULL").select("_error.code", "_error.record").collect()]


def test_without_a_schema_types_are_inferred_and_nothing_is_added(json):
    df = json('{"a": 1, "b": {"c": [true]}}', '{"a": 2.5}')
    assert df.dtypes == [("a", "double"), ("b", "struct<c:array<boolean>>")]
    assert df.collect() == [(1.0, ([True],)), (2.5, None)]


def test_without_a_schema_broken_records_stay_with_their_text(json):
    df = json('{"a": 1}', '{"a": 2, "b":', "plain", "", "[3]", '"text"', '{"a": 4}')
    assert df.columns == ["a", "_error"]
    assert accepted(df) == [(1,), (4,)]
    assert records(df) == [("MALFORMED", text) for text in ('{"a": 2, "b":', "plain", "[3]", '"text"')]
    assert {row.message for row in df.select("_error.message").collect()} == {None, "The record is not a JSON object."}


def test_a_declared_schema_chooses_columns_and_types(json):
    df = json('{"b": "x", "a": 1, "c": 9}', '{"a": 2}', schema="a BIGINT, b STRING, d DATE")
    assert df.dtypes[:-1] == [("a", "bigint"), ("b", "string"), ("d", "date")]
    assert accepted(df) == [(1, "x", None), (2, None, None)]


@pytest.mark.parametrize(
    ("schema", "good", "expected", "bad"),
    [
        pytest.param("v INT", "1", 1, ["1.5", '"1"', "3000000000", "true", "[1]"], id="a number that is not whole"),
        pytest.param("v DATE", '"2024-01-31"', date(2024, 1, 31), ['"2024-13-01"', "[]"], id="no such day"),
        pytest.param("v STRUCT<x: INT>", '{"x": 1}', (1,), ['{"x": "y"}', "[1]"], id="deep inside"),
        pytest.param("v STRING", "[1, 2]", "[1, 2]", [], id="a text takes anything"),
    ],
)
def test_a_value_of_another_type_rejects_its_record(json, schema, good, expected, bad):
    lines = [f'{{"v": {value}}}' for value in bad]
    df = json(f'{{"v": {good}}}', *lines, '{"v": null}', schema=schema)
    assert accepted(df) == [(expected,), (None,)]
    assert records(df) == [("MALFORMED", line) for line in lines]


def test_the_error_names_the_schema(json):
    [(message,)] = json("x", schema={"odd name": "int"}).select("_error.message").collect()
    assert message == "The record is not a JSON object of the schema `odd name` int."


def test_what_could_be_read_of_a_rejected_record_is_kept(json):
    [row] = json('{"a": "x", "b": "y"}', schema="a INT, b STRING").collect()
    assert (row.a, row.b, row._error.code) == (None, "y", "MALFORMED")


@pytest.mark.parametrize("schema", [None, "a INT, b MAP<STRING, INT>"])
def test_rejected_records_can_be_counted_and_asked_for_alone(json, schema):
    """Spark itself refuses a query that needs nothing but the broken records."""
    df = json('{"a": 1, "b": {"x": 1}}', "broken", schema=schema)
    assert df.where("_error IS NOT NULL").count() == 1
    assert df.where("_error IS NOT NULL").select("_error.record").collect() == [("broken",)]
    assert df.select("_error.code").collect() == [(None,), ("MALFORMED",)]
    assert df.count() == 2


def test_only_broken_records_and_a_schema(json):
    assert records(json("broken", schema="a INT")) == [("MALFORMED", "broken")]


@pytest.mark.parametrize("lines", [["broken"], [""], ["{}"]])
def test_nothing_to_take_the_columns_from(json, lines):
    with pytest.raises(LakeError, match="stored: there is no JSON object to take the columns from. Declare a schema."):
        json(*lines)


def test_no_records_of_a_declared_schema(json):
    df = json("", schema="a INT")
    assert df.dtypes[0] == ("a", "int")
    assert df.collect() == []


def test_odd_names(json):
    df = json('{"a.b": 1, "c d": {"e`f": 2}}', "broken")
    assert df.columns == ["a.b", "c d", "_error"]
    assert accepted(df) == [(1, (2,))]
    assert records(df) == [("MALFORMED", "broken")]


def test_a_field_that_is_called_like_sparks_own_column_is_kept(json):
    assert accepted(json('{"_corrupt_record": "mine"}', "broken")) == [("mine",)]


def test_a_field_cannot_have_the_name_of_the_errors(json):
    with pytest.raises(LakeError, match="there is a column `_error`"):
        json('{"a": 1, "_error": "mine"}')


def test_one_array_over_several_lines(json):
    assert json('[{"a": 1},', '{"a": 2}]', options={"multiLine": True}).collect() == [(1,), (2,)]


@pytest.mark.parametrize("options", [{"multiLine": True}, {}], ids=["a file", "a line"])
def test_an_element_of_an_array_that_does_not_fit_is_rejected_alone(json, options):
    text = '[{"a": 1, "b": "[{}, ]"}, {"b": "x", "a": "y"}, null, "s", {"a": 2, "c": 12345678901234567.89}]'
    df = json(text, schema="a INT, b STRING, c DECIMAL(20, 2)", options=options)
    assert sorted(accepted(df)) == [(1, "[{}, ]", None), (2, None, Decimal("12345678901234567.89"))]
    assert sorted(records(df)) == [
        ("MALFORMED", '"s"'),
        ("MALFORMED", "null"),
        ("MALFORMED", '{"a":"y","b":"x"}'),
    ]


@pytest.mark.parametrize(
    "text",
    ['[{"a": 1}, {"a": "x"}] [{"a": 2}]', '[{"a": 1}, {"a": "x"}', '[{"a": 1}, {"a": "x", "a": 2}, {"a": "y"}]'],
    ids=["followed", "open", "a key twice"],
)
def test_an_array_of_which_not_all_is_known_stays_whole(json, text):
    df = json(text, schema="a INT", options={"multiLine": True})
    assert (accepted(df), set(records(df))) == ([], {("MALFORMED", text)})


@pytest.mark.parametrize("options", [{}, {"allowComments": True}], ids=["by lines", "with comments"])
def test_a_record_with_something_behind_it_is_rejected_whole(spark, tmp_path, options):
    behind = [
        '{"id":1}{"id":2}',
        '{"id":1} garbage',
        '{"id":1},{"id":2}',
        '{"id":1}}',
        '{"id":1},"x":{}',
        '{"id":1}]}',
        '{"id":1}],"x":[{"id":2}',
        '[{"id":1}],[{"id":2}]',
        '[{"id":1}] {"id":2}',
        '{"id":1}\0',
    ]
    others = ["[5]", '[{"id":20},null]', '{"id":"x"}']
    good = ['{"id":10}', '[{"id":11},{"id":12}]', '{"id":13,"s":"}{"} ']
    good += ['\ufeff{"id":14}', '{"o":{"p":[{}]},"id":15}', "[]"]
    for day, lines in enumerate((behind[:5] + good[:3], behind[5:] + good[3:] + others, ['{"id":16,"s":1.10}'])):
        (tmp_path / f"day={day}").mkdir()
        (tmp_path / f"day={day}" / "x.json").write_bytes("\r\n".join([*lines, "", " "]).encode())
    source = Source(path=str(tmp_path), format="json", schema="id INT, day STRING, s STRING", options=options)
    df = read(spark, source)
    assert df.columns == ["id", "s", "day", "_error"]
    rows = df.collect()
    kept = {(row.id, row.day, row.s) for row in rows if row._error is None}
    assert kept == {
        *((10, "0", None), (11, "0", None), (12, "0", None), (13, "0", "}{")),
        *((14, "1", None), (15, "1", None), (16, "2", "1.10"), (20, "1", None)),
    }
    told = {row._error.record: row._error.message for row in rows if row._error}
    assert len(rows) == len(kept) + len(told)
    assert set(told) == {*behind, "[5]", "null", '{"id":"x"}'}
    assert {record for record, message in told.items() if "behind its first JSON value" in message} == set(behind)


def test_bytes_that_are_no_text_reject_their_record_and_can_be_had_back(spark, stored):
    line = b'{"name":"caf\xe9 \\\\xE9 \xc3\xa9"}'
    df = read(spark, Source(path=stored(x_json=b'{"name":"a"}\n' + line), format="json", schema="name STRING"))
    assert accepted(df) == [("a",)]
    [(code, record)] = records(df)
    assert code == "ENCODING"
    assert record == '{"name":"caf\\xE9 \\\\x5CxE9 é"}'
    assert re.sub(rb"\\x([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), record.encode()) == line


def test_a_file_that_is_one_record_has_nothing_behind_it(spark, tmp_path):
    (tmp_path / "two").write_bytes(b'{"a":1}\n{"a":2}')
    (tmp_path / "list").write_bytes(b'[{"a":3},\n{"a":4}]')
    (tmp_path / "wide").write_bytes('{"a":\n5}'.encode("utf-16"))
    df = read(spark, Source(path=str(tmp_path), format="json", schema="a INT", options={"multiLine": True}))
    assert sorted(accepted(df)) == [(3,), (4,), (5,)]
    assert records(df) == [("MALFORMED", '{"a":1}\n{"a":2}')]
    assert "leave out the option multiLine" in df.where("_error IS NOT NULL").first()._error.message


def test_conflicts_are_looked_for_in_whole_records_only(spark, stored):
    df = read_variants(spark, Source(path=stored(x_json='{"a":1}\n{"a":2}{"a":3}\n[{"a":4}]\n'), format="json"))
    assert records(df) == [("MALFORMED", '{"a":2}{"a":3}')]
    assert [row.text for row in df.where("_error IS NULL").selectExpr("to_json(value) AS text").collect()] == [
        '{"a":1}',
        '[{"a":4}]',
    ]


def test_a_record_from_the_quarantine_is_looked_at_as_closely_as_one_from_a_file(spark):
    rows = [
        ("MALFORMED", '{"a":1}{"a":2}', "1"),
        ("MALFORMED", '[{"a":3},{"a":4}]', "2"),
        ("ENCODING", '{"a":5,"s":"caf\\xE9"}', "3"),
        ("MALFORMED", '{"a":6}', "4"),
    ]
    came = spark.createDataFrame(
        [(*row, None, None) for row in rows], "code STRING, record STRING, id STRING, file STRING, position LONG"
    )
    schema = StructType.fromDDL("a INT, s STRING")
    source = Source(path="/gone", format="json")
    again = read_again(spark, source, came, schema)
    assert [(row.a, row.s) for row in again.where("_error IS NULL").collect()] == [(6, None)]
    told = again.where("_error IS NOT NULL").select("_error.code", "_error.record", "_error.replay_of").collect()
    assert list(map(tuple, told)) == rows[:3]
    named = source.model_copy(update={"options": {"encoding": "ISO-8859-1"}})
    assert [row.s for row in read_again(spark, named, came, schema).where("a = 5").collect()] == ["café"]


def test_what_a_sample_does_not_show_is_rejected_with_its_text(json):
    strange = ['{"a": 7, "b": ', '{"a":"text","b":"y"}']
    df = json(*(f'{{"a":{number},"b":"x"}}' for number in range(200)), *strange, sampling_ratio=0.02)
    assert accepted(df) == [(number, "x") for number in range(200)]
    assert records(df) == [("MALFORMED", line) for line in strange]
    message = "The record is not a JSON object of the types that were found in a sample."
    assert {row.message for row in df.select("_error.message").collect()} == {None, message}
