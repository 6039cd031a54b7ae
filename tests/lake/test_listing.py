"""Which files a listing has: beside Spark's own listing, which is the rule, and by hand where that is short."""

import os
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birchtar.lake.errors import LakeError
from birchtar.lake.globs import name_pattern
from birchtar.lake.hadoop_listing import list_through_spark
from birchtar.lake.listing import list_files
from birchtar.lake.listing_filters import file_filter
from birchtar.state.listed import ListedFile

PLAIN = ["a.txt", "b.txt", "_SUCCESS", ".x.crc", "sub/c.txt", "_hidden/d.txt", "e.txt._COPYING_", "_metadata"]
FLAT = [name for name in PLAIN if name != "sub/c.txt"]
PARTITIONS = ["day=1/a.txt", "day=2/hour=3/../b.txt", "day=2/_x.txt", "day=3/.y.txt", "top.txt"]
HIDDEN_PARTITIONS = ["_day=1/a.txt", "_day=2/b.txt"]
DEEP = ["x/y/day=1/a.txt", "x/y/day=2/b.txt", "x/y/day=2/deeper/still/c.txt"]
ODD = ["blank in it.txt", "per%20cent.txt", "plus+.txt", "Übung.txt", "[set].txt", "{a}.txt", "star*.txt"]


def make(folder: Path, names: list[str]) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return str(folder)


def read_by_spark(spark, paths, options) -> list[str]:
    """The files whose rows Spark returns: each file's text is one row."""
    df = spark.read.options(**options).format("text").option("wholetext", "true").load(paths)
    return sorted(unquote(row[0]) for row in df.select("_metadata.file_name").collect())


def names(files) -> list[str]:
    return sorted(file.path.rpartition("/")[2] for file in files)


@pytest.mark.parametrize(
    ("there", "paths", "options"),
    [
        pytest.param(FLAT, [""], {}, id="hidden names are passed over"),
        pytest.param(PLAIN, [""], {"recursiveFileLookup": "true"}, id="all folders, where asked for"),
        pytest.param(PLAIN, ["/_hidden"], {}, id="a hidden folder that is named"),
        pytest.param(PLAIN, ["/a.txt", "/sub"], {}, id="a file and a folder"),
        pytest.param(PLAIN, ["/*.txt"], {}, id="a glob of files"),
        pytest.param(PLAIN, ["/{a,sub/c}.txt"], {}, id="a slash in braces"),
        pytest.param(PLAIN, ["/[a-b].t?t"], {}, id="a set and a question mark"),
        pytest.param(PLAIN, ["/[^b]*.txt"], {}, id="all but a set"),
        pytest.param(PLAIN, [""], {"pathGlobFilter": "{a,b}*"}, id="a filter by name"),
        pytest.param(PARTITIONS, [""], {"pathGlobFilter": "[ab].txt"}, id="files beside partitions, not wanted"),
        pytest.param(PARTITIONS, ["/day=1", "/day=2"], {}, id="folders of partitions, named"),
        pytest.param(PARTITIONS, ["/day=*"], {}, id="folders of partitions, by a glob"),
        pytest.param(PARTITIONS, ["/day=1"], {"basePath": ""}, id="a base path"),
        pytest.param(PARTITIONS, [""], {"recursiveFileLookup": "true"}, id="partitions that are no partitions"),
        pytest.param(PARTITIONS, ["/day=2"], {"pathGlobFilter": "b*"}, id="a filter in partitions"),
        pytest.param(HIDDEN_PARTITIONS, [""], {}, id="partitions whose names begin as hidden ones do"),
        pytest.param(DEEP, [""], {}, id="partitions below other folders"),
        pytest.param(DEEP, ["/x/*"], {}, id="partitions below a glob"),
        pytest.param(ODD, [""], {}, id="odd names"),
        pytest.param(ODD, ["/*t*"], {}, id="odd names by a glob"),
        pytest.param(ODD, [r"/\[set\].txt", r"/star\**"], {}, id="special characters, escaped"),
    ],
)
def test_a_listing_has_the_files_that_spark_reads(spark, tmp_path, there, paths, options):
    folder = make(tmp_path, there)
    paths = [folder + path for path in paths]
    if "basePath" in options:
        options = options | {"basePath": folder}
    expected = read_by_spark(spark, paths, options)
    assert expected
    assert names(list_files(paths, options=options)) == expected
    files = [f"file:{path}" for path in paths]
    assert names(list_through_spark(spark, files, options)) == expected


def test_a_file_is_told_by_its_whole_path_its_size_and_its_time(spark, tmp_path):
    file = tmp_path / "blank %20 +ü.txt"
    file.write_text("12345")
    os.utime(file, ns=(0, 1_700_000_000_123_456_789))
    there = ListedFile(f"file:{file}", 5, 1_700_000_000_123_456)
    assert list(list_files([str(tmp_path)])) == [there]
    assert list(list_through_spark(spark, [f"file:{tmp_path}"], {})) == [there._replace(modified=1_700_000_000_123_000)]


def test_an_empty_file_is_listed(spark, tmp_path):
    (tmp_path / "empty.csv").touch()
    expected = [f"file:{tmp_path}/empty.csv"]
    assert list_files([str(tmp_path)]).paths == expected
    assert [file.path for file in list_through_spark(spark, [str(tmp_path)], {})] == expected


def test_a_file_that_two_paths_lead_to_is_listed_once(tmp_path):
    make(tmp_path, FLAT)
    assert names(list_files([str(tmp_path), f"{tmp_path}/a.txt", f"{tmp_path}/*.txt"])) == [
        "a.txt",
        "b.txt",
    ]


def test_links_are_followed_and_those_to_nowhere_passed_over(spark, tmp_path):
    make(tmp_path / "real", ["day=1/a.txt"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "day=1").symlink_to(tmp_path / "real" / "day=1")
    (tmp_path / "in" / "day=1" / "gone.txt").symlink_to(tmp_path / "nowhere")
    folder = str(tmp_path / "in")
    assert names(list_files([folder])) == read_by_spark(spark, [folder], {}) == ["a.txt"]


@pytest.mark.parametrize("to", ["..", "up"], ids=["a folder above", "itself"])
def test_a_link_that_leads_in_a_circle_is_named(tmp_path, to):
    (tmp_path / "day=1").mkdir()
    (tmp_path / "day=1" / "up").symlink_to(to)
    with pytest.raises(LakeError, match=r"day=1/up: this link leads in a circle\. Remove it\."):
        list_files([str(tmp_path)], spark=None, options={})


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_files_are_chosen_by_time_as_spark_does(spark, tmp_path, zone):
    make(tmp_path, ["a.txt", "b.txt", "c.txt"])
    for name, second in (("a", 0), ("b", 1), ("c", 2)):
        os.utime(tmp_path / f"{name}.txt", (1_700_000_000 + second, 1_700_000_000 + second))
    # Spark takes New York's five hours off twice.
    clock = {"UTC": "2023-11-14T22", "America/New_York": "2023-11-14T12"}[zone]
    for options in ({"modifiedAfter": f"{clock}:13:20"}, {"modifiedBefore": f"{clock}:13:21"}):
        options |= {"timeZone": zone}
        expected = read_by_spark(spark, [str(tmp_path)], options)
        assert len(expected) in (1, 2)
        assert names(list_files([str(tmp_path)], options=options, spark=spark)) == expected


@pytest.mark.parametrize(
    ("option", "kept"),
    [("modifiedbefore", ["long ago", "a second before 1970"]), ("modifiedafter", ["in the year 10000", "far away"])],
)
def test_a_file_of_a_time_that_no_calendar_has_is_before_or_after_all_that_have_one(option, kept):
    times = {"long ago": -(2**63), "a second before 1970": -1_000_000}
    times |= {"in the year 10000": 2_932_897 * 86_400_000_000, "far away": 2**63 - 1}
    is_wanted = file_filter({option: "1970-01-01T00:00:00"}, None)
    assert [name for name, modified in times.items() if is_wanted(ListedFile(name, 0, modified))] == kept


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/gone", "there is no such file or folder", id="a path"),
        pytest.param("/*.csv", "there is no such file or folder", id="a glob that fits nothing"),
        pytest.param("/[a", "not closed", id="an open bracket"),
        pytest.param("/{a", "not closed", id="an open brace"),
    ],
)
def test_a_path_that_is_nothing_is_an_error(tmp_path, path, said):
    make(tmp_path, PLAIN)
    with pytest.raises(LakeError, match=said):
        list_files([f"{tmp_path}{path}"])


@pytest.mark.parametrize("beside", ["other/b.txt", "b.txt"])
def test_files_beside_partition_folders_but_in_none_are_an_error(spark, tmp_path, beside):
    """Spark stops at folders, and passes over the files of the path itself without a word."""
    folder = make(tmp_path, ["day=1/a.txt", beside])
    with pytest.raises(LakeError, match=r"its files, such as b.txt, are beside partition folders such as .*/day=1"):
        list_files([folder])
    with pytest.raises(Exception, match="(?i)conflicting|its files, such as b.txt, are beside partition folders"):
        list(list_through_spark(spark, [f"file:{folder}"], {}))


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        pytest.param("/*", ["a.txt", "b.txt", "c.txt"], id="all"),
        pytest.param("/*/*.txt", ["c.txt"], id="in the middle"),
        pytest.param("/{_hidden,sub}/*", ["c.txt"], id="braces are wildcards too"),
        pytest.param("/_h*", ["d.txt"], id="one that begins as hidden names do"),
        pytest.param("/{sub/c,_hidden/d}.txt", ["c.txt", "d.txt"], id="no wildcard once the braces are resolved"),
    ],
)
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_glob_finds_nothing_that_is_hidden(spark, tmp_path, monkeypatch, glob, expected, is_elsewhere):
    """Spark's own globs find what another job is staging."""
    folder = make(tmp_path, PLAIN)
    assert names(list_files([folder + glob])) == expected
    if is_elsewhere:
        monkeypatch.setattr("birchtar.lake.places.is_local", lambda _: False)
    assert names(list_through_spark(spark, [f"file:{folder}{glob}"], {})) == expected


@pytest.mark.parametrize("there", [["2024/01/x.json"], ["2024/01/x.json", "top.json"]])
def test_files_below_the_folder_that_is_read_are_an_error(spark, tmp_path, there):
    """Spark looks for partitions in them, and without any reads none of their rows, without a word."""
    folder = make(tmp_path, there)
    said = rf"{folder}/2024/01: its files, such as x.json, lie below .*{folder}, .* recursiveFileLookup"
    said += rf".* path .*{folder}/\*/\*; to leave them out, .*{folder}/\*.json"
    with pytest.raises(LakeError, match=said):
        list_files([folder])
    with pytest.raises(LakeError, match=said):
        list(list_through_spark(spark, [f"file:{folder}"], {}))
    for options in ({"recursiveFileLookup": "true"}, {"pathGlobFilter": "t*"}):
        assert names(list_files([folder], options=options)) == names(
            list_through_spark(spark, [f"file:{folder}"], options)
        )
    deep = [f"{folder}/*/*"]
    assert names(list_files(deep)) == names(list_through_spark(spark, [f"file:{deep[0]}"], {})) == ["x.json"]


def test_hidden_and_empty_files_below_are_no_error(spark, tmp_path):
    hidden = ["_delta_log/0.json", ".t.4f1c-7-1.staged/a.txt", "_temporary/0/b.txt", "sub/_SUCCESS"]
    folder = make(tmp_path, ["a.txt", *hidden])
    (tmp_path / "sub" / "empty.txt").touch()
    assert names(list_files([folder])) == ["a.txt"]
    assert names(list_through_spark(spark, [f"file:{folder}"], {})) == ["a.txt"]


@pytest.mark.parametrize("name", ["_x.csv", ".x.csv", "x.csv._COPYING_"])
def test_an_input_that_is_a_hidden_file_is_an_error(spark, tmp_path, name):
    path = f"{make(tmp_path, [name])}/{name}"
    with pytest.raises(LakeError, match=f"{name}: Spark passes over files whose names begin with"):
        list_files([path])
    with pytest.raises(LakeError, match=f"{name}: Spark passes over files whose names begin with"):
        list(list_through_spark(spark, [f"file:{path}"], {}))


def test_a_name_that_is_no_text_is_an_error_that_shows_it(tmp_path):
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.txt"))).touch()
    with pytest.raises(LakeError, match=r"a\\udcff.txt': the name is not UTF-8 text"):
        list_files([str(tmp_path)])


def test_a_file_with_a_colon_in_its_name_is_refused_if_it_is_wanted(tmp_path):
    folder = make(tmp_path, ["2026-01-01T10:00:00.csv", "ok.csv", "a:b/c.csv"])
    with pytest.raises(LakeError, match=r"/2026-01-01T10:00:00\.csv: Hadoop cannot open .* colon .* Rename it"):
        list_files([folder], options={"recursiveFileLookup": True})
    assert names(list_files([folder], options={"pathGlobFilter": "?k.csv"})) == ["ok.csv"]
    assert names(list_files([f"{folder}/a:b"])) == ["c.csv"], "a folder may be called so"


def test_what_only_spark_can_list_needs_spark():
    with pytest.raises(LakeError, match="s3a://bucket/x: only Spark can list it"):
        list_files(["s3a://bucket/x"])


@settings(max_examples=300, deadline=None)
@given(st.text("ab.*?[]{},!^-\\$(|+", max_size=8), st.lists(st.text("ab.,!^-]}$(|+", max_size=4), max_size=6))
def test_a_glob_fits_what_it_fits_with_hadoop(classic_spark, glob, candidates):
    jvm = classic_spark._jvm
    try:
        theirs = jvm.org.apache.hadoop.fs.GlobPattern(glob)
    except Exception:
        with pytest.raises(LakeError):
            name_pattern(glob)
        return
    ours = name_pattern(glob)
    for name in candidates:
        assert bool(ours.fullmatch(name)) == theirs.matches(name), name
