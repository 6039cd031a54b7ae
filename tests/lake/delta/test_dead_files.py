"""Data files that an attempt of a run has left in a Delta table's folder, in no commit."""

from pathlib import Path

import pytest

from birchtar.lake.delta import discard, publish, stage
from birchtar.lake.delta.dead_files import name_files
from birchtar.lake.label import Label


@pytest.fixture
def own(spark):
    """A session for one attempt of a run, as a run makes one."""
    return lambda label: (session := spark.newSession(), name_files(session, label))[0]


def one(session, number):
    return session.createDataFrame([(number, "x y")], "id INT, word STRING").coalesce(1)


@pytest.mark.parametrize("partition_by", [[], ["word"]], ids=["flat", "partitions"])
def test_the_next_attempt_deletes_what_a_dead_one_has_staged_and_nothing_else(own, table, partition_by):
    sink = table.sink(mode="append", partition_by=partition_by)

    def staged(number, attempt, row):
        label = Label("job", "out", number, attempt)
        return label, stage(one(own(label), row), sink, table.path, label)

    def published(label, made):
        publish(table.spark, sink, table.path, label, made.plan, made)

    published(*staged(1, 1, 1))
    committed = table.data_files()
    staged(2, 1, 2)
    _, dead = staged(2, 2, 2)
    of_another = Label("other", "out", 2)
    waiting = stage(one(own(of_another), 3), sink, table.path, of_another)
    left = table.data_files()
    assert len(left - committed) == 2, "the second attempt deletes what the first has left"
    third = staged(2, 3, 2)
    gone = left - table.data_files()
    assert {Path(file).name for file in gone} == {Path(file["path"]).name for file in dead.plan["files"]}
    published(*third)
    published(of_another, waiting)
    assert table.rows("id") == [(1,), (2,), (3,)]


def test_a_file_that_the_table_consists_of_stays_whatever_its_name_is(own, table):
    # As where one session wrote for two runs: the other one's file bears this run's name.
    first, other = Label("job", "out", 2, 1), Label("other", "out", 1)
    sink = table.sink(mode="append")
    session = own(first)
    made = stage(one(session, 1), sink, table.path, other)
    publish(session, sink, table.path, other, made.plan, made)
    label = Label("job", "out", 2, 2)
    stage(one(own(label), 2), sink, table.path, label)
    assert table.rows("id") == [(1,)]


def test_a_write_that_fails_leaves_no_file(own, table):
    label = Label("job", "out", 1)
    session = own(label)
    fails = session.range(0, 100, 1, 2).selectExpr("id", "IF(id = 99, raise_error('no'), id) AS n")
    session.conf.set("spark.sql.files.maxRecordsPerFile", 10)
    with pytest.raises(Exception, match="no"):
        stage(fails, table.sink(mode="append"), table.path, label)
    assert table.data_files() == set()


def nothing(session):
    return session.createDataFrame([], "id INT, word STRING")


@pytest.mark.parametrize("partition_by", [[], ["word"]], ids=["flat", "partitions"])
def test_rows_that_are_none_leave_no_file(own, table, partition_by):
    label = Label("job", "out", 1)
    sink = table.sink(mode="append", partition_by=partition_by)
    made = stage(nothing(own(label)), sink, table.path, label)
    publish(table.spark, sink, table.path, label, made.plan, made)
    assert (table.data_files(), table.version(), table.rows("id")) == (set(), 0, []), "an empty table is made"
    for number in (2, 3):
        label = Label("job", "out", number)
        made = stage(nothing(own(label)), sink, table.path, label)
        publish(table.spark, sink, table.path, label, made.plan, made)
    assert (table.data_files(), table.version()) == (set(), 0)


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        pytest.param({}, [], id="all are replaced"),
        pytest.param({"replace_where": "id = 2"}, [(1,), (3,)], id="some are replaced"),
    ],
)
def test_overwriting_with_no_rows_leaves_no_file_but_what_the_table_consists_of(own, table, settings, left):
    first, second = Label("job", "out", 1), Label("job", "out", 2)
    sink = table.sink(mode="overwrite")
    session = own(first)
    made = stage(session.range(1, 4, 1, 1).selectExpr("CAST(id AS INT)", "'x' AS word"), sink, table.path, first)
    publish(session, sink, table.path, first, made.plan, made)
    before = table.data_files()
    sink = table.sink(mode="overwrite", **settings)
    session = own(second)
    made = stage(nothing(session), sink, table.path, second)
    publish(session, sink, table.path, second, made.plan, made)
    assert table.rows("id") == left
    assert len(table.data_files() - before) == (1 if left else 0)


def test_what_is_discarded_before_the_table_is_there_leaves_nothing_of_one(own, table):
    label, other = Label("job", "out", 1), Label("other", "out", 1)
    sink = table.sink(mode="append")
    waiting = stage(one(own(other), 1), sink, table.path, other)
    made = stage(one(own(label), 2), sink, table.path, label)
    discard(table.spark, made.plan)
    assert (table.folder / "_delta_log").is_dir(), "another run's rows wait there"
    empty = stage(nothing(own(label)), sink, table.path, label)
    discard(table.spark, waiting.plan)
    assert list(table.folder.iterdir()) == []
    publish(table.spark, sink, table.path, label, empty.plan, empty)
    assert table.version() == 0, "the log's folder is made anew"
