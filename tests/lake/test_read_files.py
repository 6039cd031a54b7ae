"""Reading exactly some files of an input, as it would have been read whole."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from pyarrow import orc

from birchtar.lake.errors import LakeError
from birchtar.lake.listing import list_files
from birchtar.lake.read import read
from birchtar.lake.read_files import empty_frame, read_files, restricted
from birchtar.lake.schema_groups import read_groups
from birchtar.lake.source import Source

ODD = ["blank in it", "per%20cent", "plus+", "Übung", "[set]", "{a}", "star*", "qu?", "back\\slash", "a;b,c", "#", "=x"]


def rows(df, *columns):
    return sorted(map(tuple, df.select(*columns).collect()), key=str)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_no_character_of_a_name_is_special(spark, tmp_path, kind, name):
    text = {"csv": "n\n{}\n", "json": '{{"n": {}}}\n'}[kind]
    (tmp_path / f"{name}.{kind}").write_text(text.format(1))
    for number, other in enumerate(["x", "starry", "set", "a", "s"], start=2):
        (tmp_path / f"{other}.{kind}").write_text(text.format(number))
    source = Source(path=str(tmp_path), format=kind)
    file = f"file:{tmp_path}/{name}.{kind}"
    assert file in list_files(source.paths).paths
    assert rows(read_files(spark, source, [file]), "n") == [(1,)]


@pytest.mark.parametrize("folder", ["", "/day=1"])
@pytest.mark.parametrize("kind", ["csv", "json", "xml", "parquet", "orc"])
def test_many_files_of_odd_names_are_each_read_once(spark, tmp_path, kind, folder):
    place = Path(f"{tmp_path}{folder}")
    place.mkdir(exist_ok=True)
    text = {"csv": "n\n{}\n", "json": '{{"n": {}}}\n', "xml": "<a><i><n>{}</n></i></a>"}
    for number, name in enumerate([*ODD, "x", "y"]):
        file = place / f"{name}.{kind}"
        if kind in text:
            file.write_text(text[kind].format(number))
        else:
            {"parquet": pa.parquet.write_table, "orc": orc.write_table}[kind](pa.table({"n": [number]}), file)
    source = Source(path=str(tmp_path), format=kind, row_tag="i" if kind == "xml" else None)
    df = read_files(spark, source, list_files(source.paths).paths)
    assert sorted(row.n for row in df.select("n").collect()) == list(range(len(ODD) + 2))
    assert ("day" in df.columns) == bool(folder)


def test_files_of_odd_names_whose_types_differ_are_each_read_once(spark, tmp_path):
    for number, name in enumerate([*ODD, "x", "y"]):
        value = [number] if number % 2 else [str(number)]
        pa.parquet.write_table(pa.table({"n": value}), tmp_path / f"{name}.parquet")
    whole = Source(path=str(tmp_path), format="parquet")
    [listed] = restricted(whole, list_files(whole.paths).paths)
    for source in (whole, listed):
        found = [str(row.n) for df in read_groups(spark, source) for row in df.collect()]
        assert sorted(found, key=int) == list(map(str, range(len(ODD) + 2)))


@pytest.mark.parametrize("path", [pytest.param("in", id="a folder"), pytest.param("i*", id="a glob")])
def test_folders_make_one_column_though_the_types_of_files_differ(spark, tmp_path, path):
    for day, value in (("01", 1), ("x y", "s"), ("03", "t")):
        folder = tmp_path / "in" / f"day={day}"
        folder.mkdir(parents=True)
        pa.parquet.write_table(pa.table({"n": [value]}), folder / "x.parquet")
    groups = list(read_groups(spark, Source(path=str(tmp_path / path), format="parquet")))
    assert [df.dtypes for df in groups] == [[("n", kind), ("day", "string")] for kind in ("bigint", "string")]
    assert [rows(df, "n", "day") for df in groups] == [[(1, "01")], [("s", "x y"), ("t", "03")]]


@pytest.fixture
def days(tmp_path):
    for day in (1, 2, 3):
        (tmp_path / "in" / f"day={day}").mkdir(parents=True)
        pa.parquet.write_table(pa.table({"n": [day * 10]}), tmp_path / "in" / f"day={day}" / "x.parquet")
    return tmp_path / "in"


def test_partition_columns_are_kept(spark, days):
    source = Source(path=str(days), format="parquet")
    df = read_files(spark, source, [f"file:{days}/day=2/x.parquet", f"file:{days}/day=3/x.parquet"])
    assert df.columns == read(spark, source).columns == ["n", "day"]
    assert rows(df, "n", "day") == [(20, 2), (30, 3)]


@pytest.mark.parametrize(
    ("path", "options", "columns"),
    [
        pytest.param("", {}, ["n", "day"], id="the folder"),
        pytest.param("/", {}, ["n", "day"], id="the folder, with a slash"),
        pytest.param("/day=1", {}, ["n"], id="one partition"),
        pytest.param("/day=*", {}, ["n"], id="partitions by a glob"),
        pytest.param("/../i?", {}, ["n", "day"], id="the folder by a glob"),
        pytest.param("/day=*", {"basePath": ""}, ["n", "day"], id="a base path"),
        pytest.param("", {"recursiveFileLookup": True}, ["n"], id="no partitions asked for"),
        pytest.param("", {"pathGlobFilter": "*.parquet"}, ["n", "day"], id="a filter by name"),
    ],
)
def test_columns_are_those_that_the_whole_source_has(spark, days, path, options, columns):
    if "basePath" in options:
        options = {"basePath": str(days)}
    source = Source(path=f"{days}{path}", format="parquet", options=options)
    files = list_files(source.paths, options=source.options).paths
    assert read(spark, source).columns == columns
    assert read_files(spark, source, files[:1]).columns == columns
    assert rows(read_files(spark, source, files), *columns) == rows(read(spark, source), *columns)


def test_several_folders_of_partitions_are_united_by_name(spark, days, tmp_path):
    (tmp_path / "more" / "hour=7").mkdir(parents=True)
    pa.parquet.write_table(pa.table({"m": [1], "n": [2]}), tmp_path / "more" / "hour=7" / "y.parquet")
    source = Source(path=[str(days), str(tmp_path / "more")], format="parquet")
    files = [f"file:{days}/day=1/x.parquet", f"file:{tmp_path}/more/hour=7/y.parquet"]
    assert len(restricted(source, files)) == 2
    assert rows(read_files(spark, source, files), "n", "m", "day", "hour") == [(10, None, 1, None), (2, 1, None, 7)]


def test_many_files_are_as_few(spark, tmp_path):
    for number in range(150):
        (tmp_path / f"{number}.csv").write_text(f"n\n{number}\n")
    source = Source(path=str(tmp_path), format="csv")
    assert rows(read_files(spark, source, list_files(source.paths).paths), "n") == sorted(
        ((number,) for number in range(150)), key=str
    )


def test_types_are_inferred_from_these_files_alone(spark, tmp_path):
    (tmp_path / "1.csv").write_text("n\n1\n")
    (tmp_path / "2.csv").write_text("n\nx\n")
    source = Source(path=str(tmp_path), format="csv")
    assert read(spark, source).schema["n"].dataType.simpleString() == "string"
    df = read_files(spark, source, [f"file:{tmp_path}/1.csv"])
    assert df.schema["n"].dataType.simpleString() == "int"


def test_a_file_that_is_gone_is_an_error(spark, days):
    source = Source(path=str(days), format="parquet")
    with pytest.raises(Exception, match="(?i)path.*does not exist|PATH_NOT_FOUND"):
        read_files(spark, source, [f"file:{days}/day=9/x.parquet"])


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_without_new_files_the_frame_has_the_columns_of_the_last_run(spark, tmp_path, kind):
    (tmp_path / "x").write_text({"csv": "n,t\n1,a\n", "json": '{"n": 1, "t": {"d": [1]}}'}[kind])
    source = Source(path=str(tmp_path), format=kind)
    last = read(spark, source).schema
    df = empty_frame(spark, source, json.dumps(last.jsonValue()))
    assert df.schema == last
    assert df.collect() == []


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_without_any_file_ever_the_declared_columns_are_there(spark, tmp_path, kind):
    source = Source(path=str(tmp_path / "x"), format=kind, schema={"n": "int", "t": "struct<d: array<int>>"})
    if kind == "csv":
        source = Source(path=str(tmp_path / "x"), format=kind, schema={"n": "int"})
    if kind == "parquet":
        types = pa.schema({"n": pa.int32(), "t": pa.struct({"d": pa.list_(pa.int32())})})
        pa.parquet.write_table(pa.table({"n": [1], "t": [{"d": [1]}]}, types), tmp_path / "x")
    else:
        (tmp_path / "x").write_text("n\n1\n" if kind == "csv" else "{}")
    assert empty_frame(spark, source, None).dtypes == read(spark, source).dtypes


def test_without_any_file_ever_and_no_schema_there_are_no_columns(spark, tmp_path):
    with pytest.raises(LakeError, match="no file to take the columns from yet. Declare a schema."):
        empty_frame(spark, Source(path=str(tmp_path), format="json"), None)
