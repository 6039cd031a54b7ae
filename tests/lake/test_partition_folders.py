"""Text files in folders such as `day=01`: the folder's name makes a column."""

import pytest

from birchtar.lake.errors import LakeError
from birchtar.lake.read import read
from birchtar.lake.source import Source

FILES = {
    "csv": ("n,m\n1,2\n", "n,m\n3,5\n"),
    "json": ('{"n": 1, "m": 2}\n', '{"n": 3, "m": 5}\n'),
    "xml": ("<a><i><n>1</n><m>2</m></i></a>", "<a><i><n>3</n><m>5</m></i></a>"),
}


@pytest.fixture
def days(spark, tmp_path):
    def read_days(first, second, kind="csv", **settings):
        for day, text in (("01", first), ("02", second)):
            folder = tmp_path / f"day={day}"
            folder.mkdir()
            (folder / f"rows.{kind}").write_text(text)
        row_tag = "i" if kind == "xml" else None
        return read(spark, Source(path=str(tmp_path), format=kind, row_tag=row_tag, **settings))

    return read_days


def rows(df, *names):
    assert "_error" not in df.columns or df.where("_error IS NOT NULL").collect() == []
    return sorted(map(tuple, df.select(*names).collect()))


@pytest.mark.parametrize("kind", FILES)
def test_a_folder_makes_a_column_whose_type_is_found(days, kind):
    df = days(*FILES[kind], kind)
    assert rows(df, "n", "m", "day") == [(1, 2, 1), (3, 5, 2)]


@pytest.mark.parametrize("kind", FILES)
def test_the_column_of_a_folder_has_its_declared_type_and_place(days, kind):
    df = days(*FILES[kind], kind, schema="n INT, day STRING")
    assert rows(df, "n", "day") == [(1, "01"), (3, "02")]


def test_lines_without_a_header_have_their_columns_before_those_of_folders(days):
    df = days("1,2\n", "3,5\n", header=False)
    assert df.columns == ["_c0", "_c1", "day", "_error"]
    assert rows(df, "_c0", "_c1", "day") == [(1, 2, 1), (3, 5, 2)]


def test_declared_names_of_lines_without_a_header_pass_over_folders(days):
    df = days("1,2\n", "3,5\n", header=False, schema="day INT, n INT")
    assert rows(df, "day", "n") == [(1, 1), (2, 3)]


def test_a_folder_whose_name_is_not_of_its_type_rejects_its_rows(days):
    errors = days(*FILES["csv"], schema="n INT, day DATE").select("n", "day", "_error.code", "_error.record").collect()
    assert sorted(map(tuple, errors)) == [
        (1, None, "CAST", '{"n":"1","m":"2","day":"01"}'),
        (3, None, "CAST", '{"n":"3","m":"5","day":"02"}'),
    ]


def test_folders_do_not_count_among_the_values_of_a_line(days):
    [error] = days("n,m\n1,2\n2,3,4\n", "n,m\n").where("_error IS NOT NULL").select("_error.*").collect()
    assert (error.code, error.record) == ("MALFORMED", "2,3,4")
    assert "The line does not have 2 values." in error.message


def test_texts_for_null_are_null_in_folders_too(days):
    df = days("n,m\n1,-\n", "n,m\nx,5\n", null_values=["x", "-", "02"])
    assert sorted(map(tuple, df.select("n", "m", "day").collect()), key=str) == [(1, None, 1), (None, 5, None)]


def test_headers_are_told_apart_without_their_folders(days):
    df = days("a,a\n1,2\n", "a,a\n3,5\n")
    assert rows(df, "a0", "a1", "day") == [(1, 2, 1), (3, 5, 2)]


@pytest.mark.parametrize("header", ["n,day", "day,n"])
@pytest.mark.parametrize("schema", [None, "n INT, day INT"])
def test_a_column_of_lines_and_folders_is_taken_from_neither(days, header, schema):
    with pytest.raises(LakeError, match=r"`day` is a column of the lines, and of folders .*recursiveFileLookup"):
        days(f"{header}\n1,2\n", f"{header}\n3,5\n", schema=schema).collect()


def test_a_column_of_lines_and_folders_is_taken_from_lines_on_demand(days):
    df = days("n,day\n1,2\n", "n,day\n3,5\n", options={"recursiveFileLookup": True})
    assert rows(df, "n", "day") == [(1, 2), (3, 5)]
