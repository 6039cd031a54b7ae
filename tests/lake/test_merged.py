"""Parquet and ORC files whose columns differ, read without `conflicts`: no file's values are passed over."""

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest

from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.read import read
from birchtar.lake.source import Source


@pytest.fixture(params=["parquet", "orc"])
def files(request, spark, tmp_path):
    """Reads tables, each a file of its own, all of them together."""

    def read_tables(*tables, **settings):
        write = {"parquet": pa.parquet.write_table, "orc": pa.orc.write_table}[request.param]
        (tmp_path / "t").mkdir()
        for number, table in enumerate(tables):
            write(pa.table(table), tmp_path / "t" / f"{number}.{request.param}")
        return read(spark, Source(path=str(tmp_path / "t"), format=request.param, **settings))

    return read_tables


def rows(df):
    return sorted(map(tuple, df.collect()), key=str)


def test_the_columns_are_those_of_all_files(files):
    df = files({"a": [1], "s": [{"x": 1}]}, {"b": ["x"], "s": [{"y": "z"}]}, {"a": [2]})
    assert rows(df.select("a", "b", "s.x", "s.y")) == [
        (1, None, 1, None),
        (2, None, None, None),
        (None, "x", None, "z"),
    ]


def test_a_declared_column_may_be_in_some_files_only(files):
    assert rows(files({"a": [1]}, {"b": ["x"]}, schema="b STRING, a BIGINT")) == [("x", None), (None, 1)]


def test_a_declared_column_that_is_in_no_file(files):
    with pytest.raises(SchemaMismatchError, match=r"t: the schema names `c`, .* They have: a, b\."):
        files({"a": [1]}, {"b": ["x"]}, schema="a BIGINT, c INT")


def test_columns_of_several_types_are_named_with_their_files(files):
    says = (
        r"/t: files have columns .*: `id` is bigint in .*/t/0\.\w+ and string in .*/t/1\.\w+;"
        r" `o\.n` is bigint in .*/0\.\w+ and double in .*/1\.\w+\. Say by `conflicts` .* or by `schema`"
    )
    with pytest.raises(LakeError, match=says):
        files({"id": [1], "o": [{"n": 1}]}, {"id": ["x"], "o": [{"n": 1.5}]}, {"id": [2]})


def test_columns_of_several_types_are_each_cast_to_the_declared_one(files):
    tables = [{"id": [1, 2**40], "x": [1] * 2}, {"id": ["7", "x"], "x": ["1"] * 2, "more": [1.5] * 2}, {"more": [2.5]}]
    df = files(*tables, schema="id INT, more DOUBLE")
    assert rows(df.where("_error IS NULL").select("id", "more")) == [(1, None), (7, 1.5), (None, 2.5)]
    assert rows(df.select("_error.message").where("message IS NOT NULL")) == [
        ("`id` is not an int: 1099511627776",),
        ("`id` is not an int: x",),
    ]


def test_decimals_of_more_digits_hold_those_of_fewer(files):
    one, two = (pa.array([None], pa.decimal128(digits, 2)) for digits in (5, 9))
    assert files({"d": one}, {"d": two}).dtypes == [("d", "decimal(9,2)")]
