"""redact_columns: whole texts and matches in them."""

import pytest

from transforms.errors import ColumnTypeError, MissingColumnError, TransformError
from transforms.redact_columns import redact_columns


@pytest.fixture
def people(spark):
    rows = [("Ada", 36, [("a@b.c", ["x", None]), None]), (None, None, None), ("", 7, [])]
    return spark.createDataFrame(
        rows, "`full.name` STRING, age INT, mails ARRAY<STRUCT<at: STRING, tags: ARRAY<STRING>>>"
    )


def test_texts_are_replaced_and_nulls_stay(people):
    rows = people.transform(redact_columns, ["`full.name`", "age"])
    assert [row[:2] for row in rows.collect()] == [("*******", "*******"), (None, None), ("*******", "*******")]
    assert rows.dtypes[:2] == [("full.name", "string"), ("age", "string")]


def test_fields_in_arrays_and_elements(people):
    rows = people.transform(redact_columns, ["mails.at", "mails.tags"], replacement="'\\$1")
    assert rows.collect()[0].mails == [("'\\$1", ["'\\$1", None]), None]
    assert rows.schema == people.schema


def test_only_matches_of_a_pattern(people):
    rows = people.transform(redact_columns, "mails.at", pattern=r"^(\w)|\.c$", replacement="$1\\")
    assert rows.collect()[0].mails[0].at == "$1\\@b$1\\"


def test_wrong_arguments_are_told(people):
    with pytest.raises(MissingColumnError, match="redact_columns: There is no column `Age`. Did you mean `age`"):
        people.transform(redact_columns, "Age")
    with pytest.raises(ColumnTypeError, match="redact_columns: `mails` is of type struct<at:string"):
        people.transform(redact_columns, "mails")
    with pytest.raises(TransformError, match="at least one column"):
        people.transform(redact_columns, [])
    with pytest.raises(TransformError, match=r"redact_columns, `pattern`: '\(' is no regular expression"):
        people.transform(redact_columns, "age", pattern="(")
