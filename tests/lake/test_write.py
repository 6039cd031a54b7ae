"""What is written is read back by others: DuckDB, pyarrow, deltalake; and a failed write leaves the table as it was."""

import gzip
import json
import os
import re
import shutil
import threading
from itertools import count
from pathlib import Path

import duckdb
import pyarrow.dataset
import pyarrow.orc
import pyarrow.parquet
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from birchtar.lake import staged_files
from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.label import Label
from birchtar.lake.read import read
from birchtar.lake.sink import COMPRESSION_NAMES, Sink
from birchtar.lake.source import Source
from birchtar.lake.write import Staged, clean, count_staged, publish, stage
from transforms.drop_fields import drop_fields

FORMATS = ["avro", "csv", "delta", "json", "orc", "parquet"]
EVERY_FORMAT_AND_MODE = [
    *((kind, "overwrite") for kind in FORMATS),
    *((kind, mode) for kind in ("delta", "parquet") for mode in ("append", "overwrite_partitions")),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Where the test's table goes, in a folder that holds nothing else."""
    (tmp_path / "lake").mkdir()
    return tmp_path / "lake" / "table"


def store(df, path, **settings) -> Staged:
    staged = staged_at(df, path, **settings)
    publish(df.sparkSession, staged.plan)
    clean(df.sparkSession, staged.plan)
    return staged


def staged_at(df, path, **settings) -> Staged:
    label = Label("test", "table", next(NUMBERS))
    return stage(df, Sink(path=str(path), **settings), str(path), label)


NUMBERS = count(1)


def stored(spark, path, kind, columns):
    """Return the stored rows, read by another program than Spark; only of Avro there is none here."""
    files = f"{path}/**/*.{kind}"
    match kind:
        case "delta":
            return sorted(
                zip(*DeltaTable(str(path)).to_pyarrow_table(columns=columns).to_pydict().values(), strict=True)
            )
        case "orc":
            data = pyarrow.dataset.dataset(str(path), format="orc", partitioning="hive")
            return sorted(zip(*data.to_table(columns).to_pydict().values(), strict=True))
        case "avro":
            return sorted(map(tuple, spark.read.format("avro").load(str(path)).select(columns).collect()))
        case "csv":
            source = f"read_csv('{files}', header=true, hive_partitioning=true)"
        case _:
            source = f"read_{kind}('{files}', hive_partitioning=true)"
    return sorted(duckdb.sql(f"SELECT {', '.join(columns)} FROM {source}").fetchall())


def data_files(path):
    """Return the files that readers look into, sorted; of Delta also those that belong to older versions."""
    files = (file for file in Path(path).rglob("*") if file.is_file())
    return sorted(file for file in files if not is_hidden(file.relative_to(path).parts))


def is_hidden(parts):
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in parts)


def beside(path):
    return sorted(file.name for file in path.parent.iterdir())


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("partition_by", [pytest.param([], id="whole"), pytest.param(["day"], id="by day")])
@pytest.mark.parametrize(
    ("mode", "kept_whole", "kept_by_day"),
    [
        pytest.param("append", [1, 2, 3], [1, 2, 3], id="append"),
        pytest.param("overwrite", [], [], id="overwrite"),
        pytest.param("overwrite_partitions", [], [2], id="overwrite partitions"),
    ],
)
def test_rows_come_in(spark, table, kind, partition_by, mode, kept_whole, kept_by_day):
    old = {1: (1, 10, 1.5), 2: (2, 20, 2.5), 3: (3, 10, None)}
    first = spark.createDataFrame(list(old.values()), "id INT, day INT, worth DOUBLE")
    store(first, table, format=kind, mode=mode, partition_by=partition_by)
    second = spark.createDataFrame([(4, 10, 4.5), (5, 30, 5.5)], "id INT, day INT, worth DOUBLE")
    store(second, table, format=kind, mode=mode, partition_by=partition_by)
    kept = [old[id_] for id_ in (kept_by_day if partition_by else kept_whole)]
    expected = sorted([*kept, (4, 10, 4.5), (5, 30, 5.5)])
    assert stored(spark, table, kind, ["id", "day", "worth"]) == expected
    assert beside(table) == ["table"]
    days = {10, 30} | {day for _, day, _ in kept}
    files = DeltaTable(str(table)).file_uris() if kind == "delta" else data_files(table)
    assert {Path(file).parent.name for file in files} == ({f"day={day}" for day in days} if partition_by else {"table"})


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_written_is_told(spark, table, kind):
    df = spark.range(20).selectExpr("id", "CAST(id % 2 AS STRING) AS p")
    store(df, table, format=kind, mode="append", partition_by=["p"])
    before = set(data_files(table))
    written = store(df, table, format=kind, mode="append", partition_by=["p"])
    new = set(data_files(table)) - before
    assert (written.files, written.bytes) == (len(new), sum(file.stat().st_size for file in new))
    assert written.files == 2


def test_a_commit_that_delta_did_not_make_is_not_told_again(spark, table):
    store(spark.range(3), table, format="delta", mode="append")
    assert store(spark.range(0), table, format="delta", mode="append").files == 0


AVRO_CODECS = {"gzip": b"deflate", "none": b"null", "snappy": b"snappy", "zstd": b"zstandard"}
ORC_CODECS = {"gzip": "ZLIB", "lz4": "LZ4", "none": "UNCOMPRESSED", "snappy": "SNAPPY", "zstd": "ZSTD"}
PARQUET_CODECS = {"gzip": "GZIP", "lz4": "LZ4", "none": "UNCOMPRESSED", "snappy": "SNAPPY", "zstd": "ZSTD"}
TEXT_SUFFIXES = {"gzip": ".gz", "lz4": ".lz4", "none": "", "snappy": ".snappy"}
EXPECTED = {
    "avro": AVRO_CODECS,
    "csv": TEXT_SUFFIXES,
    "delta": PARQUET_CODECS,
    "json": TEXT_SUFFIXES,
    "orc": ORC_CODECS,
    "parquet": PARQUET_CODECS,
}


def compression(file: Path, kind: str):
    """Return what the file itself says, or for text its name."""
    match kind:
        case "avro":
            _, _, after = file.read_bytes()[:500].partition(b"avro.codec")
            return after[1 : 1 + after[0] // 2]  # a length, doubled, stands before every text
        case "orc":
            return pyarrow.orc.ORCFile(file).compression
        case "parquet" | "delta":
            return pyarrow.parquet.read_metadata(file).row_group(0).column(0).compression
    return file.name.partition(f".{kind}")[2]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in EXPECTED.items() for name in names])
def test_every_compression_is_used(spark, table, kind, name):
    store(spark.range(3), table, format=kind, compression=name)
    [file] = data_files(table)
    assert compression(file, kind) == EXPECTED[kind][name]


def test_text_that_says_gzip_is_gzip(spark, table):
    store(spark.sql("SELECT 1 AS id"), table, format="csv", compression="gzip")
    [file] = data_files(table)
    assert gzip.decompress(file.read_bytes()) == b"id\n1\n"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("avro", b"snappy"), ("csv", ""), ("delta", "SNAPPY"), ("json", ""), ("orc", "ZSTD"), ("parquet", "SNAPPY")],
)
def test_without_a_word_each_format_has_its_usual_compression(spark, table, kind, expected):
    store(spark.range(3), table, format=kind)
    assert compression(data_files(table)[0], kind) == expected


def test_all_compressions_are_tried_here():
    assert {kind: set(names) for kind, names in EXPECTED.items()} == {
        kind: set(names) for kind, names in COMPRESSION_NAMES.items()
    }


def test_a_compression_that_a_format_lacks_is_refused(spark, table):
    with pytest.raises(LakeError, match=r"compression: csv has no zstd\. It has: gzip, lz4, none, snappy\."):
        store(spark.range(3), table, format="csv", compression="zstd")


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_rows_are_sorted_inside_each_file(spark, table, kind):
    df = spark.range(0, 3000, 1, 20).selectExpr("(id * 7919) % 3000 AS x", "concat('p', id % 3) AS p", "id % 2 AS y")
    store(df, table, format=kind, partition_by=["p"], sort_by=["y", "x"])
    found = [pyarrow.parquet.ParquetFile(file).read(["y", "x"]).to_pydict() for file in data_files(table)]
    assert [len(columns["x"]) for columns in found] == [1000, 1000, 1000]
    for columns in found:
        rows = list(zip(columns["y"], columns["x"], strict=True))
        assert rows == sorted(rows)


@pytest.mark.parametrize("partition_by", [[], ["p"]])
def test_a_frame_of_many_parts_makes_few_files(spark, table, partition_by):
    df = spark.range(0, 2000, 1, 200).selectExpr("id", "id % 2 AS p")
    store(df, table, format="parquet", partition_by=partition_by)
    assert len(data_files(table)) <= 2


def test_a_small_target_size_makes_several_files(spark, table):
    before = spark.conf.get("spark.sql.adaptive.advisoryPartitionSizeInBytes")
    spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", "100k")
    try:
        store(spark.range(0, 20000, 1, 10).selectExpr("id", "uuid() AS u"), table, format="parquet")
    finally:
        spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", before)
    assert len(data_files(table)) > 4


@pytest.mark.parametrize(("kind", "mode"), EVERY_FORMAT_AND_MODE)
def test_a_write_that_fails_leaves_the_old_table(spark, table, kind, mode):
    good = spark.range(3).selectExpr("id", "id % 2 AS p")
    store(good, table, format=kind, partition_by=["p"])
    before = data_files(table)
    bad = spark.range(0, 10, 1, 2).select(
        F.when(F.col("id") < 9, F.col("id")).otherwise(F.raise_error("no such day")).alias("id"), F.lit(0).alias("p")
    )
    with pytest.raises(Exception, match="no such day"):
        store(bad.withColumn("p", F.col("p").cast("bigint")), table, format=kind, mode=mode, partition_by=["p"])
    assert stored(spark, table, kind, ["id"]) == [(0,), (1,), (2,)]
    assert data_files(table) == before
    assert beside(table) == ["table"]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "delta"])
def test_a_first_write_that_fails_leaves_nothing(spark, table, kind):
    with pytest.raises(Exception, match="no such day"):
        store(spark.range(3).select(F.raise_error("no such day").cast("int").alias("id")), table, format=kind)
    assert beside(table) == []


EVERY_PLAIN_MODE = ["append", "overwrite", "overwrite_partitions"]
BEFORE, AFTER = (
    {
        "append": [(0, 0), (1, 1)],
        "overwrite": [(0, 0), (1, 1)],
        "overwrite_partitions": [(0, 0), (1, 1)],
    },
    {
        "append": [(0, 0), (1, 1), (5, 1), (6, 2)],
        "overwrite": [(5, 1), (6, 2)],
        "overwrite_partitions": [(0, 0), (5, 1), (6, 2)],
    },
)


@pytest.fixture(params=["in one step", "by two renames"])
def exchanging(request, monkeypatch):
    """Both ways to replace a folder: as the system can, and as one that cannot has to."""
    if request.param == "by two renames":
        monkeypatch.setattr(staged_files, "exchange", lambda one, other: False)


@pytest.mark.parametrize("mode", EVERY_PLAIN_MODE)
def test_nothing_is_seen_of_what_is_staged(spark, table, mode):
    store(rows(spark, (0, 0), (1, 1)), table, format="parquet", partition_by=["p"])
    staged = staged_at(rows(spark, (5, 1), (6, 2)), table, format="parquet", mode=mode, partition_by=["p"])
    assert stored(spark, table, "parquet", ["id", "p"]) == BEFORE[mode]
    clean(spark, staged.plan)
    assert stored(spark, table, "parquet", ["id", "p"]) == BEFORE[mode]
    assert beside(table) == ["table"]


@pytest.mark.usefixtures("exchanging")
@pytest.mark.parametrize("mode", EVERY_PLAIN_MODE)
@pytest.mark.parametrize("operation", ["move", "exchange", "touch", "delete"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_publication_that_dies_at_any_rename_is_finished_by_the_next(
    spark, table, monkeypatch, mode, operation, moment
):
    store(rows(spark, (0, 0), (1, 1)), table, format="parquet", partition_by=["p"])
    staged = staged_at(rows(spark, (5, 1), (6, 2)), table, format="parquet", mode=mode, partition_by=["p"])
    plan = json.loads(json.dumps(staged.plan))
    for act in (publish, clean):  # that the first is done, the state database knows before the second begins
        for dies_at in count(1):
            try:
                with monkeypatch.context() as patch:
                    dying(patch, operation, moment, dies_at)
                    act(spark, plan)
                break
            except Died:
                seen = stored(spark, table, "parquet", ["id", "p"]) if data_files(table) else []
                assert set(seen) <= {*BEFORE[mode], *AFTER[mode]}
    assert stored(spark, table, "parquet", ["id", "p"]) == AFTER[mode]
    assert beside(table) == ["table"]
    assert not [file for file in table.rglob(".*") if "test-" in file.name]


class Died(BaseException):
    """Stands for the end of a process; the kill harness of the runner ends real ones."""


def dying(patch, operation, moment, at):
    """Let the given call of an operation be the process's last, either instead of what it does or right behind it."""
    owner = staged_files if operation == "exchange" else FileSystem
    real, calls = getattr(owner, operation), count(1)

    def call(*arguments):
        last = next(calls) == at
        if last and moment == "before":
            raise Died
        done = real(*arguments)
        if last:
            raise Died
        return done

    patch.setattr(owner, operation, call)


def rows(spark, *values):
    return spark.createDataFrame(list(values), "id INT, p INT")


def test_a_reader_finds_the_whole_table_at_every_moment_while_it_is_replaced(spark, table):
    store(spark.range(0, 100), table, format="parquet")
    found, done = set(), threading.Event()

    def look():
        while not done.is_set():
            found.add(len(list(table.glob("*.parquet"))) > 0)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(5):
        store(spark.range(0, 100), table, format="parquet")
    done.set()
    reader.join()
    assert found == {True}


def test_what_was_staged_and_is_gone_is_not_taken_for_published(spark, table):
    staged = staged_at(spark.range(3), table, format="parquet", mode="append")
    shutil.rmtree(staged.plan["staged"]["hidden"].removeprefix("file:"))
    with pytest.raises(LakeError, match=r"\.staged is gone: its rows were computed, but did not reach the table yet"):
        publish(spark, staged.plan)


ODD_VALUES = [
    "a/b",
    "a b",
    "a=b",
    "50%",
    "a%2Fb",
    "é🙂",
    "a:b",
    "a+b",
    "#",
    "?",
    "*",
    "[x]",
    "{y}",
    "\\",
    "'",
    '"',
    "..",
    "_h",
    ".h",
    "a\nb",
    None,
]


@pytest.mark.parametrize("mode", ["append", "overwrite", "overwrite_partitions"])
def test_partitions_of_odd_values_are_where_readers_look(spark, table, mode):
    df = spark.createDataFrame(list(enumerate(ODD_VALUES)), "id INT, p STRING")
    for _ in range(2):
        store(df, table, format="parquet", mode=mode, partition_by=["p"])
    times = 2 if mode == "append" else 1
    expected = sorted([*enumerate(ODD_VALUES)] * times, key=str)
    by_spark = spark.read.schema("id INT, p STRING").parquet(str(table)).collect()
    assert sorted(map(tuple, by_spark), key=str) == expected
    by_duckdb = duckdb.sql(
        f"SELECT id, p FROM read_parquet('{table}/**/*.parquet', hive_partitioning=true, hive_types={{'p': VARCHAR}})"
    )
    assert sorted(by_duckdb.fetchall(), key=str) == expected


def test_an_empty_text_and_null_share_a_partition_as_everywhere(spark, table):
    store(spark.sql("SELECT 1 AS id, '' AS p"), table, format="parquet", partition_by=["p"])
    assert [file.parent.name for file in data_files(table)] == ["p=__HIVE_DEFAULT_PARTITION__"]


@pytest.mark.parametrize("kind", ["avro", "csv", "delta", "parquet"])
def test_hives_word_for_null_is_a_null(spark, table, kind):
    df = spark.createDataFrame([(1, None), (2, "__HIVE_DEFAULT_PARTITION__"), (3, "x")], "id INT, p STRING").coalesce(1)
    store(df, table, format=kind, mode="append", partition_by=["p"])
    assert stored(spark, table, kind, ["id", "p"]) == [(1, None), (2, None), (3, "x")]


def test_several_partition_columns_make_nested_folders(spark, table):
    df = spark.sql("SELECT * FROM VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 1) AS t(id, p, q)")
    store(df, table, format="json", partition_by=["p", "q"])
    again = spark.sql("SELECT 9 AS id, 'a' AS p, 2 AS q")
    store(again, table, format="json", mode="overwrite_partitions", partition_by=["p", "q"])
    assert stored(spark, table, "json", ["id", "p", "q"]) == [(1, "a", 1), (3, "b", 1), (9, "a", 2)]


@pytest.mark.parametrize("name", ["a.b", "a b", "a`b", "a/b", "a=b", "é", "_a", "100%", "A"])
def test_columns_of_odd_names_can_be_partitioned_and_sorted_by(spark, table, name):
    df = spark.createDataFrame([(3, 1), (1, 2), (2, 1)], "x INT, y INT").withColumnRenamed("y", name)
    written = store(df, table, format="parquet", mode="append", partition_by=[name], sort_by=["x"])
    assert written.files == 2
    found = spark.read.parquet(str(table))
    assert found.columns == ["x", name]
    assert sorted(map(tuple, found.collect())) == [(1, 2), (2, 1), (3, 1)]
    other = table.with_name("other")
    store(df, other, format="parquet", sort_by=[name, "x"])
    [file] = data_files(other)
    assert pyarrow.parquet.ParquetFile(file).read().to_pydict() == {"x": [2, 3, 1], name: [1, 1, 2]}


def test_a_partition_that_readers_would_pass_over_is_refused(spark, table):
    with pytest.raises(LakeError, match="partition_by: readers pass over folders like `.a=...`"):
        store(spark.sql("SELECT 1 AS x, 2 AS `.a`"), table, format="parquet", partition_by=[".a"])


@pytest.mark.parametrize("kind", ["parquet", "orc", "delta", "avro"])
def test_an_empty_frame_keeps_its_columns(spark, table, kind):
    store(spark.range(1).selectExpr("id", "'x' AS s").where("id > 5"), table, format=kind)
    df = spark.read.format(kind).load(str(table))
    assert df.dtypes == [("id", "bigint"), ("s", "string")]
    assert df.collect() == []


@pytest.mark.parametrize(("kind", "mode"), EVERY_FORMAT_AND_MODE)
def test_an_empty_frame_empties_what_it_replaces(spark, table, kind, mode):
    full = spark.sql("SELECT 1 AS id, 2 AS p")
    store(full, table, format=kind, partition_by=["p"])
    store(full.where("id > 5"), table, format=kind, mode=mode, partition_by=["p"])
    if mode == "overwrite":
        assert data_files(table) == [] or stored(spark, table, kind, ["id", "p"]) == []
    else:
        assert stored(spark, table, kind, ["id", "p"]) == [(1, 2)]


def test_csv_is_what_others_expect(spark, table):
    values = ['say "hi", x', "two\nlines", " spaces ", '"', "back\\", 'a\\"b', "", None]
    df = spark.createDataFrame(list(enumerate(values)), "id INT, s STRING").coalesce(1)
    store(df, table, format="csv", sort_by=["id"])
    [file] = data_files(table)
    assert file.read_bytes() == (
        b'id,s\n0,"say ""hi"", x"\n1,"two\nlines"\n2, spaces \n3,""""\n4,back\\\n5,"a\\""b"\n6,""\n7,\n'
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("SELECT 1 AS id, array(1) AS a, map('k', 1) AS m", r"`a` \(array<int>\), `m` \(map<string,int>\)"),
        pytest.param("SELECT named_struct('x', 1) AS s", r"`s` \(struct<x:int>\)"),
    ],
)
def test_csv_of_nested_columns_is_refused(spark, table, query, said):
    with pytest.raises(LakeError, match=rf"CSV cannot hold {said}\. Flatten it with `relationalize`, or write JSON\."):
        store(spark.sql(query), table, format="csv")
    assert beside(table) == []


@pytest.mark.parametrize("kind", ["delta", "json", "parquet"])
def test_objects_without_fields_are_refused_with_what_drops_them(spark, table, kind):
    df = spark.createDataFrame([], "id INT, `a.b` STRUCT<>, s STRUCT<x: ARRAY<STRUCT<y: STRUCT<>>>, z: INT>")
    said = '`s.x.y`. Drop them with the step drop_fields: {paths: ["`a.b`", "s.x.y"]}.'
    with pytest.raises(LakeError, match=re.escape(f"{kind} cannot hold objects without fields: ``a.b``, " + said)):
        store(df, table, format=kind)
    store(df.transform(drop_fields, ["`a.b`", "s.x.y"]), table, format=kind)


@pytest.mark.parametrize("setting", ["partition_by", "sort_by"])
@pytest.mark.parametrize("name", ["nowhere", "ID"])
def test_a_column_that_is_not_there_is_refused(spark, table, setting, name):
    with pytest.raises(LakeError, match=rf"{setting}: there is no column `{name}`\. The table has: id, p\."):
        store(spark.sql("SELECT 1 AS id, 2 AS p"), table, format="parquet", **{setting: [name]})


def test_a_table_of_nothing_but_partitions_is_refused(spark, table):
    with pytest.raises(LakeError, match="no column beside those it is partitioned by"):
        store(spark.range(3), table, format="parquet", partition_by=["id"])


def path_forms(folder):
    # Spark resolves a relative path from where Java was started, which is where the tests were.
    return {
        "relative": os.path.relpath(folder / "t"),
        "slash at the end": f"{folder}/t/",
        "spaces and percent": f"{folder}/a b%20c+d/t t",
        "file:": f"file:{folder}/a b/t",
        "file://": f"file://{folder}/t/",
        "folders that are not there yet": f"{folder}/x/y/z/t",
    }


@pytest.mark.parametrize("form", path_forms(Path("/")))
def test_paths_may_be_written_in_any_way(spark, tmp_path, form):
    path = path_forms(tmp_path)[form]
    sink = {"format": "parquet", "partition_by": ["p"]}
    df = spark.range(2).selectExpr("id", "'a b' AS p")
    for mode in ("overwrite", "overwrite", "overwrite_partitions", "append"):
        store(df, path, mode=mode, **sink)
    place = Path(path.removeprefix("file:").replace("//", "/"))
    assert stored(spark, place, "parquet", ["id"]) == [(0,), (0,), (1,), (1,)]
    assert beside(place) == [place.name]


def test_a_table_can_be_replaced_by_what_was_read_from_it(spark, table):
    store(spark.range(3), table, format="parquet")
    df = spark.read.parquet(str(table)).selectExpr("id * 10 AS id")
    store(df, table, format="parquet")
    assert stored(spark, table, "parquet", ["id"]) == [(0,), (10,), (20,)]


def test_options_reach_the_writer(spark, table):
    store(spark.sql("SELECT 1 AS a, 2 AS b"), table, format="csv", options={"sep": ";", "header": False})
    assert data_files(table)[0].read_text() == "1;2\n"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rows", [0, 3])
def test_staged_rows_are_counted_in_every_format(spark, table, kind, rows):
    df = spark.range(rows).withColumn("text", F.lit('two\nlines, "quoted"'))
    assert count_staged(spark, staged_at(df, table, format=kind)) == rows
    partitioned = staged_at(df, table.parent / "other", format=kind, partition_by=["id"])
    assert count_staged(spark, partitioned) == rows


@pytest.mark.parametrize("quote", ["'", '"', "|"])
def test_csv_with_any_quote_is_read_back_as_it_was(spark, table, quote):
    texts = ["it's", 'say "x"', "a|b", "a,b", "two\nlines", "back\\slash", "end\\", "'", '"', "||"]
    df = spark.createDataFrame(list(enumerate(texts)), "n INT, text STRING").coalesce(1)
    store(df, table, format="csv", options={"quote": quote})
    back = read(spark, Source(path=str(table), format="csv", options={"quote": quote, "multiLine": True}))
    assert [row.text for row in back.orderBy("n").collect()] == texts
    other = f"SELECT text FROM read_csv('{table}/*.csv', quote=$q, escape=$q, header=true, delim=',') ORDER BY n"
    assert [text for (text,) in duckdb.execute(other, {"q": quote}).fetchall()] == texts
