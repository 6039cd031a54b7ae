"""`mode: scd2`: every version of a row, from when to when it held, in whatever order its events came."""

from datetime import timedelta
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from birchtar.lake.delta import publish, stage
from birchtar.lake.delta.optimize import vacuum
from birchtar.lake.errors import LakeError
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink

EVENTS = "id INT, at INT, town STRING, gone BOOLEAN"
HISTORY = {"mode": "scd2", "keys": ["id"], "order_by": "at", "delete_when": "gone"}
VERSION = ("id", "town", "valid_from", "valid_to", "is_current")


def events(spark, *rows):
    return spark.createDataFrame(list(rows), EVENTS).coalesce(1)


def test_versions_follow_one_another_and_the_last_is_open(spark, table):
    made = table.write(events(spark, (1, 1, "Bern", False), (1, 3, "Rome", None), (2, 2, "Oslo", False)), 1, **HISTORY)
    assert (made.version, made.inserted) == (0, 3)
    assert table.rows(*VERSION) == [
        (1, "Bern", 1, 3, False),
        (1, "Rome", 3, None, True),
        (2, "Oslo", 2, None, True),
    ]
    published = table.write(events(spark, (1, 5, "Bern", False), (2, 4, None, True)), 2, **HISTORY)
    assert (published.version, published.inserted, published.updated, published.deleted) == (1, 1, 2, 0)
    assert table.rows(*VERSION) == [
        (1, "Bern", 1, 3, False),
        (1, "Bern", 5, None, True),
        (1, "Rome", 3, 5, False),
        (2, "Oslo", 2, 4, False),
    ]
    assert table.rows("id", "at") == [(1, 1), (1, 3), (1, 5), (2, 2)]


def test_a_late_event_is_put_between_two_versions(spark, table):
    table.write(events(spark, (1, 1, "Bern", False), (1, 9, "Rome", False)), 1, **HISTORY)
    table.write(events(spark, (1, 5, "Oslo", False)), 2, **HISTORY)
    assert table.rows(*VERSION) == [(1, "Bern", 1, 5, False), (1, "Oslo", 5, 9, False), (1, "Rome", 9, None, True)]
    table.write(events(spark, (1, 7, None, True), (1, 0, "Bonn", False)), 3, **HISTORY)
    assert table.rows(*VERSION) == [
        (1, "Bern", 1, 5, False),
        (1, "Bonn", 0, 1, False),
        (1, "Oslo", 5, 7, False),
        (1, "Rome", 9, None, True),
    ]


def test_what_says_the_same_makes_no_version_but_is_not_forgotten(spark, table):
    table.write(events(spark, (1, 1, "Bern", False), (1, 5, "Bern", False)), 1, **HISTORY)
    assert table.rows(*VERSION) == [(1, "Bern", 1, None, True)]
    table.write(events(spark, (1, 3, "Rome", False)), 2, **HISTORY)
    assert table.rows(*VERSION) == [(1, "Bern", 1, 3, False), (1, "Bern", 5, None, True), (1, "Rome", 3, 5, False)]


def test_a_deletion_holds_for_what_comes_late(spark, table):
    table.write(events(spark, (1, 5, None, True), (1, 7, None, True)), 1, **HISTORY)
    assert table.rows() == []
    table.write(events(spark, (1, 3, "Bern", False), (1, 6, "Rome", False)), 2, **HISTORY)
    assert table.rows(*VERSION) == [(1, "Bern", 3, 5, False), (1, "Rome", 6, 7, False)]


def test_a_commit_of_a_change_feed_that_puts_a_key_back_closes_no_version_for_it(spark, table):
    schema = "id INT, town STRING, _change_type STRING, _commit_version LONG"
    history = HISTORY | {"order_by": "_commit_version", "delete_when": "_change_type = 'delete'"}
    first = [(1, "Bern", "insert", 1), (2, "Rome", "insert", 1), (3, "Oslo", "insert", 1)]
    table.write(spark.createDataFrame(first, schema), 1, **history)
    again = [*((key, town, "delete", 2) for key, town, *_ in first), (1, "Bern", "insert", 2), (2, "Bonn", "insert", 2)]
    table.write(spark.createDataFrame(again, schema).coalesce(1), 2, **history)
    current = [row[:2] for row in table.rows("id", "town", "is_current") if row[2]]
    assert [key for key, _ in current] == [1, 2]
    assert dict(current)[2] == "Bonn"
    assert [row for row in table.rows("id", "valid_to", "is_current") if row[0] == 3] == [(3, 2, False)]


def test_an_update_of_a_key_closes_the_version_of_the_old_one(spark, table):
    schema = "id INT, town STRING, _change_type STRING, _commit_version LONG"
    history = HISTORY | {"order_by": "_commit_version", "delete_when": "_change_type = 'delete'"}
    table.write(spark.createDataFrame([(4, "Bern", "insert", 1)], schema), 1, **history)
    update = [(4, "Bern", "update_preimage", 2), (40, "Bern", "update_postimage", 2)]
    table.write(spark.createDataFrame(update, schema), 2, **history)
    assert table.rows("id", "valid_from", "valid_to", "is_current") == [(4, 1, 2, False), (40, 2, None, True)]


def test_the_same_events_again_change_nothing(spark, table):
    first = [
        (1, 1, "Bern", False),
        (1, 2, "Bern", False),
        (1, 4, None, True),
        (1, 6, "x", True),
        (None, 1, None, False),
    ]
    table.write(events(spark, *first), 1, **HISTORY)
    files = table.data_files()
    assert table.write(events(spark, *first), 2, **HISTORY).version is None
    assert table.write(events(spark, *first[2:]), 3, **HISTORY).version is None
    assert table.data_files() == files
    assert table.rows(*VERSION) == [(None, None, 1, None, True), (1, "Bern", 1, 4, False)]


def test_vacuum_does_not_take_what_is_remembered(spark, table):
    table.write(events(spark, (1, 5, None, True), (1, 1, "Bern", False), (2, 5, None, True)), 1, **HISTORY)
    table.write(events(spark, (1, 2, "Rome", False)), 2, **HISTORY)
    keep_nothing = "SET TBLPROPERTIES ('delta.deletedFileRetentionDuration' = 'interval 0 hours')"
    spark.sql(f"ALTER TABLE delta.`{table.folder}` {keep_nothing}")
    assert vacuum(spark, table.path, timedelta(0), dry_run=False)
    table.write(events(spark, (2, 3, "Oslo", False)), 3, **HISTORY)
    assert table.rows(*VERSION) == [(1, "Bern", 1, 2, False), (1, "Rome", 2, 5, False), (2, "Oslo", 3, 5, False)]


def test_columns_can_have_other_names_and_times_are_times(spark, table):
    named = HISTORY | {"valid_from": "since", "valid_to": "until", "is_current": "now", "delete_when": None}
    rows = "VALUES (1, TIMESTAMP '2020-01-01', 'a'), (1, TIMESTAMP '2020-01-02', 'b') AS t(id, at, word)"
    table.write(spark.sql(f"SELECT * FROM {rows}"), 1, **named)
    read = spark.read.format("delta").load(table.path)
    assert read.dtypes[3:] == [("since", "timestamp"), ("until", "timestamp"), ("now", "boolean")]
    assert [row["now"] for row in read.orderBy("since").collect()] == [False, True]


@pytest.mark.parametrize(
    ("schema", "row", "message"),
    [
        pytest.param(EVENTS, (1, None, "Bern", False), "1 row has no `at`.*not_null: at", id="no time"),
        pytest.param(f"{EVENTS}, is_current INT", (1, 1, "", False, 1), "`is_current` already", id="taken name"),
        pytest.param(
            f"{EVENTS.replace('town STRING', 'town INT')}, more INT",
            (1, 1, 2, False, 1),
            "other columns: `more` is new; `town` is string there and int here. Select, rename or cast",
            id="other columns",
        ),
        pytest.param("id INT, at INT, gone BOOLEAN", (1, 1, False), ": `town` is missing here. Select", id="too few"),
    ],
)
def test_events_that_cannot_be_placed_are_refused_before_anything_is_published(spark, table, schema, row, message):
    table.write(events(spark, (1, 1, "Bern", False)), 1, **HISTORY)
    with pytest.raises(LakeError, match=message):
        table.stage(spark.createDataFrame([row], schema), 2, **HISTORY)
    assert table.beside() == ["table"]


def test_new_columns_are_null_in_the_versions_before(spark, table):
    table.write(events(spark, (1, 1, "Bern", False), (2, 1, "Oslo", False)), 1, **HISTORY)
    new = f"{EVENTS}, phone STRING"
    rows = [(1, 5, "Bern", False, "044"), (2, 5, "Oslo", False, None), (1, 0, "Bonn", False, "0228")]
    table.write(spark.createDataFrame(rows, new), 2, **HISTORY, schema_changes="evolve")
    changed = [*VERSION[:2], "phone", *VERSION[2:]]
    assert table.rows(*changed) == [
        (1, "Bern", None, 1, 5, False),
        (1, "Bern", "044", 5, None, True),
        (1, "Bonn", "0228", 0, 1, False),
        (2, "Oslo", None, 1, None, True),
    ]
    # What made no version is remembered as it was, and one that lacks a column says null of it.
    table.write(events(spark, (2, 3, "Rome", False), (1, 7, "Bern", False)), 3, **HISTORY, schema_changes="evolve")
    assert table.rows(*changed) == [
        (1, "Bern", None, 1, 5, False),
        (1, "Bern", None, 7, None, True),
        (1, "Bern", "044", 5, 7, False),
        (1, "Bonn", "0228", 0, 1, False),
        (2, "Oslo", None, 1, 3, False),
        (2, "Oslo", None, 5, None, True),
        (2, "Rome", None, 3, 5, False),
    ]


def test_nested_fields_and_wider_times_come_to_a_table_of_versions(spark, table):
    settings = {"mode": "scd2", "keys": ["id"], "order_by": "at", "schema_changes": "widen"}
    nested = "ARRAY<STRUCT<town: STRING>>"
    table.write(
        spark.createDataFrame([(1, 1, ("a",), [("x",)])], f"id INT, at INT, s STRUCT<a: STRING>, l {nested}"),
        1,
        **settings,
    )
    wider = f"ID INT, AT BIGINT, S STRUCT<a: STRING, b: INT>, L {nested}"
    settings |= {"keys": ["ID"], "order_by": "AT"}
    table.write(
        spark.createDataFrame([(1, 2**40, ("a", 7), [("x",)]), (1, 0, ("z", None), None)], wider), 2, **settings
    )
    # deltalake does not read widened types.
    read = spark.read.format("delta").load(table.path)
    kinds = dict(read.dtypes)
    assert [kinds[name] for name in ("at", "valid_from", "valid_to", "s")] == [
        *["bigint"] * 3,
        "struct<a:string,b:int>",
    ]
    found = read.select("at", "s.a", "s.b", "valid_from", "valid_to", "is_current").orderBy("at").collect()
    assert [tuple(row) for row in found] == [
        (0, "z", None, 0, 1, False),
        (1, "a", None, 1, 2**40, False),
        (2**40, "a", 7, 2**40, None, True),
    ]


def test_what_does_not_fit_a_table_of_versions_is_rescued_or_left_out(spark, table):
    table.write(events(spark, (1, 1, "Bern", False)), 1, **HISTORY)
    other = spark.createDataFrame([(1, 2, 5, "tall")], "id INT, at INT, town INT, size STRING")
    settings = HISTORY | {"delete_when": None}
    with pytest.raises(LakeError, match="`schema_changes: warn` does not allow: `town` is string there and int here"):
        table.stage(other, 2, **settings, schema_changes="warn")
    staged = table.stage(other.drop("town"), 2, **settings, schema_changes="warn")
    assert staged.plan["warnings"] == [
        "`size` is not in the table and was left out",
        "`town` is missing and came out null",
        "`gone` is missing and came out null",
    ]
    table.write(other, 3, **settings, schema_changes="rescue")
    assert table.rows(*VERSION, "_rescued_data") == [
        (1, "5", 2, None, True, '{"size":"tall"}'),
        (1, "Bern", 1, 2, False, None),
    ]


def test_a_table_that_holds_no_versions_is_not_made_one(spark, table):
    table.write(events(spark, (1, 1, "Bern", False)), 1, mode="append")
    with pytest.raises(LakeError, match="`valid_from` is new; `valid_to` is new; `is_current` is new"):
        table.stage(events(spark, (1, 2, "Rome", False)), 2, **HISTORY, schema_changes="evolve")


def history(told):
    """Return the versions that events make: the oracle, which knows nothing of tables and batches."""
    versions = []
    for key, of_key in groupby(sorted(told, key=lambda event: event[:2]), key=lambda event: event[0]):
        held, since = None, None
        for at, of_time in groupby(of_key, key=lambda event: event[1]):
            at_once = list(of_time)
            if any(gone for *_, gone in at_once):
                now = None
            else:
                now = (max((town is not None, town or "") for _, _, town, _ in at_once),)
            if now != held:
                if held is not None:
                    versions.append((key, held[0][1] if held[0][0] else None, since, at, False))
                held, since = now, at
        if held is not None:
            versions.append((key, held[0][1] if held[0][0] else None, since, None, True))
    return sorted(versions, key=str)


EVENT = st.tuples(
    st.integers(1, 12),
    st.integers(1, 6),
    st.sampled_from(["Bern", "Rome", None]),
    st.sampled_from([False, False, True]),
)
BATCHES = st.lists(st.lists(EVENT, min_size=20, max_size=60), min_size=3, max_size=3)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_the_order_and_the_batches_of_events_do_not_matter(spark, tmp_path_factory, batches):
    folder = tmp_path_factory.mktemp("history")
    path = f"file:{folder}/table"
    sink = Sink(path=path, format="delta", **HISTORY)
    for run, batch in enumerate(batches, 1):
        staged = stage(events(spark, *batch), sink, path, Label("job", "out", run))
        publish(spark, sink, path, Label("job", "out", run), staged.plan, staged)
    rows = map(tuple, spark.read.format("delta").load(path).select(*VERSION).collect())
    assert sorted(rows, key=str) == history([event for batch in batches for event in batch])
