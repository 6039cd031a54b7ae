"""hash_columns: plain hashes, and salted ones whose salt is nowhere to be read."""

import hashlib
import hmac

import pytest

from transforms.errors import ColumnTypeError, TransformError
from transforms.hash_columns import hash_columns

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def people(spark):
    rows = [("abc", 1, ("abc",), [("abc",)]), (None, None, None, None), ("", 2, (None,), [])]
    schema = "name STRING, `n.n` INT, s STRUCT<t: STRING>, a ARRAY<STRUCT<t: STRING>>"
    return spark.createDataFrame(rows, schema)


def test_texts_at_any_depth_are_hashed(people):
    rows = people.transform(hash_columns, ["name", "s.t", "a.t", "`n.n`"]).collect()
    assert rows[0] == (ABC, hashlib.sha256(b"1").hexdigest(), (ABC,), [(ABC,)])
    assert rows[1] == (None, None, None, None)
    assert rows[2].name == hashlib.sha256(b"").hexdigest()


def test_a_salt_changes_the_hash_and_stands_in_no_plan(people, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PEPPER", "very secret")
    (tmp_path / "salt").write_text("very secret\n")
    rows = people.transform(hash_columns, ["name", "s.t"], salt_from="env:PEPPER")
    expected = hmac.new(b"very secret", b"abc", hashlib.sha256).hexdigest()
    assert rows.columns == people.columns
    assert [(row.name, row.s) for row in rows.collect()][:2] == [(expected, (expected,)), (None, None)]
    rows.explain(extended=True)
    assert "very secret" not in capsys.readouterr().out
    from_file = people.transform(hash_columns, "name", salt_from=f"file:{tmp_path}/salt")
    assert from_file.collect()[0].name == expected


@pytest.mark.parametrize(
    ("salt_from", "said"),
    [
        ("env:NOT_THERE", "variable NOT_THERE is not set"),
        ("file:/not/there", "/not/there cannot be read: No such file"),
        ("secret", "write env:NAME"),
    ],
)
def test_a_salt_that_is_not_there_is_told_without_being_shown(people, salt_from, said):
    with pytest.raises(TransformError, match=f"hash_columns, `salt_from`: .*{said}"):
        people.transform(hash_columns, "name", salt_from=salt_from)


def test_wrong_columns_are_told(people, monkeypatch):
    monkeypatch.setenv("PEPPER", "x")
    with pytest.raises(ColumnTypeError, match="inside the array `a`.*Use `explode`"):
        people.transform(hash_columns, "a.t", salt_from="env:PEPPER")
    with pytest.raises(ColumnTypeError, match="`s` is of type struct"):
        people.transform(hash_columns, "s")
