"""Inputs from a database: a real PostgreSQL, started for these tests alone."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from birchtar.lake.errors import LakeError
from birchtar.lake.jdbc import DatabaseError, place
from birchtar.lake.jdbc_bookmark import KeyMark, newest_keys, read_keys, read_range
from birchtar.lake.read import read
from birchtar.lake.source import Source
from birchtar.runner.bookmark_kinds import RANGE
from birchtar.runner.pending import Pending, new_of
from birchtar.state.bookmarks import Bookmark
from birchtar.state.intents import RunInput

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
PASSWORD = "s3cret'\" word"


@pytest.fixture(scope="module")
def port():
    """The port of a server. To be swapped for the fixture of `tests/state`, which finds the programs anywhere."""
    if not PROGRAMS:
        pytest.skip("There is no PostgreSQL on this machine.")
    programs, folder = PROGRAMS[-1].parent, Path(tempfile.mkdtemp())
    user = {"user": "nobody"} if os.getuid() == 0 else {}  # PostgreSQL refuses to run as root
    (folder / "password").write_text(PASSWORD)
    for each in (folder, folder / "password"):
        shutil.chown(each, **user) if user else None
    data = ["-D", folder / "data"]
    initdb = [programs / "initdb", *data, "-U", "ada", "-A", "scram-sha-256", f"--pwfile={folder}/password", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    server = subprocess.Popen([programs / "postgres", *data, "-p", str(port), *options], cwd=folder, stderr=-3, **user)
    for _ in range(100):
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="ada", password=PASSWORD, dbname="postgres").close()
            break
        except psycopg.OperationalError:
            time.sleep(0.1)
    yield port
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


@pytest.fixture
def sql(port):
    """Runs SQL in an empty schema."""
    with psycopg.connect(
        host="127.0.0.1", port=port, user="ada", password=PASSWORD, dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        yield connection.execute


@pytest.fixture
def source(port, monkeypatch, tmp_path):
    monkeypatch.setenv("DB_USER", "ada")
    (tmp_path / "password").write_text(PASSWORD + "\n")

    def make(**settings):
        said = {"table": "t"} if "query" not in settings else {}
        return Source(
            format="jdbc",
            **{
                "url": f"jdbc:postgresql://127.0.0.1:{port}/postgres",
                "user": "env:DB_USER",
                "password": f"file:{tmp_path}/password",
            }
            | said
            | settings,
        )

    return make


def values(df, column="n"):
    return sorted(row[column] for row in df.collect())


def test_a_table_is_read_with_its_types(spark, sql, source):
    sql("CREATE TABLE t (n int, d numeric(10, 2), s text, u uuid)")
    sql("INSERT INTO t VALUES (1, 2.50, 'ü''x', '00000000-0000-0000-0000-000000000001'), (NULL, NULL, NULL, NULL)")
    df = read(spark, source())
    assert [kind for _, kind in df.dtypes] == ["int", "decimal(10,2)", "string", "string"]
    assert sorted(map(tuple, df.collect()), key=str) == [
        (1, Decimal("2.50"), "ü'x", "00000000-0000-0000-0000-000000000001"),
        (None, None, None, None),
    ]


def test_a_query_is_read_and_a_schema_chooses_columns(spark, sql, source):
    sql("CREATE TABLE t (n int)")
    sql("INSERT INTO t SELECT generate_series(1, 5)")
    df = read(spark, source(query="SELECT n, n * 2 AS m FROM t WHERE n > 3 -- the last; ones\n;", schema="m BIGINT"))
    assert df.dtypes == [("m", "bigint")]
    assert values(df, "m") == [8, 10]


def test_a_row_with_a_value_that_does_not_fit_its_declared_type_is_rejected(spark, sql, source):
    sql("CREATE TABLE t (n bigint, d numeric(10, 4))")
    sql("INSERT INTO t VALUES (1, 2.5), (3000000000, 2.5), (2, 2.3456)")
    df = read(spark, source(schema="n INT, d DECIMAL(10, 2)"))
    assert values(df.where("_error IS NULL")) == [1]
    assert values(df.where("_error IS NOT NULL").select("_error.message"), "message") == [
        "`d` is not a decimal(10,2): 2.3456",
        "`n` is not an int: 3000000000",
    ]


def test_several_connections_read_all_rows_also_beyond_the_bounds(spark, sql, source):
    sql('CREATE TABLE t (n int, "odd ""name" int)')
    sql("INSERT INTO t SELECT i, i FROM generate_series(1, 100) i; INSERT INTO t VALUES (0, NULL)")
    df = read(spark, source(partition_column='odd "name', partitions=3, lower_bound=10, upper_bound=50))
    assert df.rdd.getNumPartitions() == 3
    assert values(df) == list(range(101))


KINDS = [
    pytest.param("int", ["1", "5", "20"], id="int"),
    pytest.param("bigint", ["-9223372036854775808", "9007199254740993", "9223372036854775807"], id="bigint"),
    pytest.param("numeric(38, 10)", ["0.1", "0.1000000001", "9999999999999999999999999999.5"], id="numeric"),
    pytest.param("double precision", ["-1.5", "0.1", "1e300"], id="double"),
    pytest.param("date", ["0001-01-01", "2024-02-29", "9999-12-31"], id="date"),
    pytest.param(
        "timestamp", ["2024-03-31 02:30:00", "2024-03-31 02:30:00.123456", "2024-10-27 02:30:00"], id="timestamp"
    ),
    pytest.param(
        "timestamptz",
        ["2024-03-31 02:30:00+02", "2024-03-31 02:30:00.000001+02", "2024-10-27 02:30:00-05"],
        id="timestamp with zone",
    ),
    pytest.param("text", ["", "O'Hara'; DROP TABLE t; --", "z\\'"], id="text"),
    pytest.param("varchar(20)", ["a", "ab", "b"], id="varchar"),
    pytest.param(
        "uuid",
        [f"{number:032x}" for number in (1, 0x0A << 120, 0xF0 << 120)],
        id="uuid",
    ),
]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(("kind", "keys"), KINDS)
def test_rows_behind_a_mark_are_new_for_keys_of_every_type(spark, sql, source, kind, keys, order):
    sql(f"CREATE TABLE t (n int, k {kind} NOT NULL)")
    keys = keys if order == "asc" else keys[::-1]
    source = source(bookmark_keys=["k"], bookmark_order=order)
    mark = None
    for n, key in enumerate(keys):
        sql(f"INSERT INTO t VALUES (%s, %s::{kind})", (n, key))
        until = newest_keys(spark, source, mark)
        assert values(read_keys(spark, source, mark, until)) == [n]
        mark = KeyMark(**until.as_json())
        assert newest_keys(spark, source, mark) is None
    assert values(read_keys(spark, source, None, mark)) == [0, 1, 2]
    assert read_keys(spark, source, mark, None).columns == ["n", "k"]
    assert read_keys(spark, source, mark, None).collect() == []


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_several_keys_count_one_after_the_other(spark, sql, source, order):
    sql("CREATE TABLE t (n int, a date, b text, c int)")
    rows = [("2024-01-01", "x", 1), ("2024-01-01", "x", 2), ("2024-01-01", "y", 0), ("2024-01-02", "a", 0)]
    source = source(bookmark_keys=["a", "b", "c"], bookmark_order=order)
    mark = None
    for n, row in enumerate(rows if order == "asc" else rows[::-1]):
        sql("INSERT INTO t VALUES (%s, %s, %s, %s)", (n, *row))
        until = newest_keys(spark, source, mark)
        assert values(read_keys(spark, source, mark, until)) == [n]
        mark = until


def test_a_rerun_reads_the_same_rows_though_more_have_come(spark, sql, source):
    sql("CREATE TABLE t (n int PRIMARY KEY)")
    sql("INSERT INTO t SELECT generate_series(1, 5)")
    source = source(bookmark_keys=["n"])
    since = KeyMark(["n"], ["2"])
    until = newest_keys(spark, source, since)
    sql("INSERT INTO t SELECT generate_series(6, 9)")
    assert values(read_keys(spark, source, since, until)) == [3, 4, 5]


@pytest.mark.parametrize(
    ("kind", "keys", "start", "end", "expected"),
    [
        ("int", ["-1", "0", "9", "10"], "0", "10", [1, 2]),
        ("numeric(9, 2)", ["0.5", "1", "1.99", "2"], "0.75", "2", [1, 2]),
        ("date", ["2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01"], "2024-02-01", "2024-03-01", [1, 2]),
        (
            "timestamp",
            ["2024-01-31 23:59:59.999999", "2024-02-01", "2024-02-01 05:59:59.999999", "2024-02-01 06:00"],
            "2024-02-01",
            "2024-02-01T06:00",
            [1, 2],
        ),
        (
            "timestamptz",
            ["2024-02-01 00:59:59+01", "2024-02-01 01:00+01", "2024-02-01 05:59+00", "2024-02-01 06:00+00"],
            "2024-02-01",
            "2024-02-01T06:00",
            [1, 2],
        ),
        ("text", ["2024-01-31x", "2024-02-01", "2024-02-01T07", "2024-02-02"], "2024-02-01", "2024-02-02", [1, 2]),
    ],
)
def test_rows_of_a_range_have_the_first_key_in_it(spark, sql, source, kind, keys, start, end, expected):
    sql(f"CREATE TABLE t (n int NOT NULL, k {kind} NOT NULL)")
    for n, key in enumerate(keys):
        sql(f"INSERT INTO t VALUES (%s, %s::{kind})", (n, key))
    source = source(bookmark_keys=["k", "n"])
    assert values(read_range(spark, source, start, end)) == expected


def test_what_a_backfill_means_to_read_of_a_table_is_its_range(spark, sql, source):
    sql("CREATE TABLE t (n int)")
    sql("INSERT INTO t SELECT generate_series(1, 9)")
    pending = Pending(RunInput("numbers", RANGE, "3", "5"), Bookmark(0, "numbers", "", None, None, 0))
    assert not pending.is_empty
    assert values(new_of(spark, source(bookmark_keys=["n"], bookmark=True), pending)) == [3, 4]


@pytest.mark.parametrize(
    ("kind", "start", "says"),
    [
        ("int", "2024-01-01", "the key `k` is int: 2024-01-01 is none of its values"),
        ("date", "2024-01-01T06:00", "the key `k` is date"),
        ("timestamp", "7", "the key `k` is timestamp"),
        ("text", "7", "the key `k` is string"),
    ],
)
def test_a_range_that_is_not_of_the_keys_type_is_refused(spark, sql, source, kind, start, says):
    sql(f"CREATE TABLE t (k {kind})")
    with pytest.raises(LakeError, match=says):
        read_range(spark, source(bookmark_keys=["k"]), start, "9")


def test_the_database_chooses_the_rows_and_its_own_order_of_texts_counts(spark, sql, source):
    sql('CREATE TABLE t (n int, k text COLLATE "en-x-icu")')
    sql("INSERT INTO t VALUES (1, 'a'), (2, 'B'), (3, 'c')")
    source = source(bookmark_keys=["k"])
    since = KeyMark(["k"], ["a"])
    assert newest_keys(spark, source, since) == KeyMark(["k"], ["c"])
    df = read_keys(spark, source, since, KeyMark(["k"], ["c"]))
    assert values(df) == [2, 3]
    plan = df._jdf.queryExecution().executedPlan().toString()
    assert "birchtar_new" in plan
    assert "Filter (" not in plan


def test_several_connections_read_new_rows_too(spark, sql, source):
    sql("CREATE TABLE t (n int)")
    sql("INSERT INTO t SELECT generate_series(1, 100)")
    source = source(bookmark_keys=["n"], partition_column="n", partitions=4, lower_bound=1, upper_bound=100)
    df = read_keys(spark, source, KeyMark(["n"], ["50"]), KeyMark(["n"], ["90"]))
    assert values(df) == list(range(51, 91))


def test_keys_that_are_null_are_an_error_that_counts_them(spark, sql, source):
    sql("CREATE TABLE t (n int, m int NOT NULL)")
    sql("INSERT INTO t VALUES (1, 1), (NULL, 2), (NULL, 3)")
    with pytest.raises(LakeError, match="2 rows have a null in `m` or `n`: no bookmark would ever find them"):
        newest_keys(spark, source(bookmark_keys=["m", "n"]), None)


def test_an_empty_table_has_nothing_new(spark, sql, source):
    sql("CREATE TABLE t (n int)")
    assert newest_keys(spark, source(bookmark_keys=["n"]), None) is None


@pytest.mark.parametrize("name", ['odd "name', "a'b", "Mixed", "a b; DROP TABLE t", "ü", "x`y"])
def test_no_name_of_a_column_is_taken_for_sql(spark, sql, source, name):
    sql('CREATE TABLE t (n int, "{}" int)'.format(name.replace('"', '""')))
    sql("INSERT INTO t VALUES (1, 1), (2, 2)")
    source = source(bookmark_keys=[name])
    until = newest_keys(spark, source, KeyMark([name], ["1"]))
    assert values(read_keys(spark, source, KeyMark([name], ["1"]), until)) == [2]


def test_a_key_that_is_no_column(spark, sql, source):
    sql("CREATE TABLE t (order_id int, j json, b bytea)")
    with pytest.raises(LakeError, match="bookmark_keys: there is no column `orderid`. Did you mean `order_id`?"):
        newest_keys(spark, source(bookmark_keys=["orderid"]), None)
    with pytest.raises(LakeError, match="`b` is binary. Keys are numbers, dates, timestamps, texts or UUIDs."):
        newest_keys(spark, source(bookmark_keys=["b"]), None)


def test_a_bookmark_of_other_keys_is_not_gone_on_with(spark, sql, source):
    sql("CREATE TABLE t (n int, m int)")
    with pytest.raises(LakeError, match=r"the bookmark is one of n \(asc\), not of m \(desc\). Reset it"):
        newest_keys(spark, source(bookmark_keys=["m"], bookmark_order="desc"), KeyMark(["n"], ["1"]))


def test_a_bookmark_of_another_table_is_not_gone_on_with_unless_it_is_said_anew(spark, sql, source):
    sql("CREATE TABLE t (n int)")
    sql("INSERT INTO t VALUES (1), (2)")
    before = newest_keys(spark, source(bookmark_keys=["n"]), None)
    sql("CREATE TABLE u (n int)")
    sql("INSERT INTO u VALUES (1), (3)")
    other = source(bookmark_keys=["n"], table="u")
    with pytest.raises(
        LakeError, match="the bookmark is one of t of .*, not of u of .*bookmark set CONFIG INPUT --keys n=2"
    ):
        newest_keys(spark, other, before)
    anew = KeyMark.at(other, ["2"])
    assert values(read_keys(spark, other, anew, newest_keys(spark, other, anew))) == [3]
    of_nobody_knows_what = KeyMark(["n"], ["2"])
    assert values(read_keys(spark, other, of_nobody_knows_what, newest_keys(spark, other, of_nobody_knows_what))) == [3]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"password": "env:WRONG"}, 'password authentication failed for user "ada"', id="password"),
        pytest.param({"table": "nothing"}, 'relation "nothing" does not exist', id="table"),
        pytest.param({"query": "SELECT x FROM t"}, 'column "x" does not exist', id="column"),
        pytest.param({"query": "SELEKT"}, "syntax error at or near", id="SQL"),
        pytest.param({"url": "jdbc:postgresql://no.such.host.invalid/db"}, "no.such.host.invalid", id="host"),
        pytest.param({"url": "jdbc:postgresql://127.0.0.1:1/db"}, "127.0.0.1:1/db: Connection refused", id="port"),
        pytest.param({"url": "jdbc:nosuch://host/db"}, "No suitable driver", id="driver"),
    ],
)
def test_what_the_database_says_is_told_without_java_and_secrets(spark, sql, source, monkeypatch, settings, said):
    monkeypatch.setenv("WRONG", "wrong secret")
    sql("CREATE TABLE t (n int)")
    with pytest.raises(DatabaseError) as caught:
        read(spark, source(**settings))
    text = str(caught.value)
    assert said in text
    assert not re.search(r"Exception|\tat |org\.|java\.|s3cret|wrong secret|Position", text)
    assert len(text) < 300


def test_a_secret_that_is_not_there(spark, source):
    with pytest.raises(LakeError, match="The environment variable NOWHERE is not set."):
        read(spark, source(password="env:NOWHERE"))
    with pytest.raises(LakeError, match="The file /nowhere cannot be read: No such file or directory."):
        read(spark, source(password="file:/nowhere"))


def test_a_secret_is_not_in_the_plan(spark, sql, source):
    sql("CREATE TABLE t (n int)")
    df = read(spark, source())
    assert "s3cret" not in df._jdf.queryExecution().toString()
    assert "s3cret" not in repr(source())


def test_an_address_is_told_without_what_may_be_secret():
    source = Source(format="jdbc", url="jdbc:postgresql://ada:pw@host:1/db?password=pw", table="t")
    assert place(source) == "postgresql://host:1/db"
