"""Storage and transforms write rejected rows down alike, without knowing each other."""

import pytest

from birchtar.lake.read import read
from birchtar.lake.rejects import ERROR_COLUMN, EXACT_TIMES, WHOLE_RECORD
from birchtar.lake.source import Source
from transforms import rejects
from transforms.nested import json_text


@pytest.mark.parametrize(
    ("kind", "text", "rejected"),
    [
        pytest.param("csv", "a,b\n1,2\n3\nx,4\n", [("MALFORMED", "3"), ("CAST", '{"a":"x","b":"4"}')], id="csv"),
        pytest.param(
            "json", '{"a": 1, "b": 2}\n3\n{"a": "x"}\n', [("MALFORMED", "3"), ("MALFORMED", '{"a": "x"}')], id="json"
        ),
    ],
)
def test_transforms_understand_the_rejects_of_storage(spark, stored, kind, text, rejected):
    df = read(spark, Source(path=stored(x=text), format=kind, schema="a INT, b INT"))
    assert df.schema[ERROR_COLUMN].simpleString() == f"{rejects.ERROR_COLUMN}:{TYPE}"
    assert rejects.has_rejects(df)
    assert df.transform(rejects.accepted).collect() == [(1, 2)]
    assert df.transform(rejects.rejected).select("code", "record").collect() == rejected


def test_records_are_written_alike():
    assert (EXACT_TIMES, WHOLE_RECORD) == (json_text.EXACT_TIMES, json_text.WHOLE_RECORD)


TYPE = rejects.ERROR_TYPE.replace(": ", ":").replace(", ", ",")
