"""`mode: merge`: one row per key, the newest; whatever comes late, twice, or not at all."""

import time

import pytest
from pyspark.sql import functions as F

from birchtar.lake import write
from birchtar.lake.delta import discard
from birchtar.lake.delta.late import remember
from birchtar.lake.errors import LakeError
from birchtar.lake.label import Label

ROWS = "id INT, version INT, word STRING, gone BOOLEAN"
BY_VERSION = {"mode": "merge", "keys": ["id"], "order_by": "version", "delete_when": "gone"}


def rows(spark, *values, schema=ROWS):
    return spark.createDataFrame(list(values), schema).coalesce(1)


def test_rows_are_updated_added_and_deleted_by_one_commit(spark, table):
    first = rows(spark, (1, 1, "a", False), (2, 1, "b", False), (3, 1, "c", None))
    made = table.write(first, 1, **BY_VERSION)
    assert (made.version, made.inserted) == (0, 3)
    second = rows(spark, (1, 2, "A", False), (2, 2, None, True), (4, 1, "d", False), (5, 1, "e", True))
    published = table.write(second, 2, **BY_VERSION)
    assert table.rows("id", "version", "word") == [(1, 2, "A"), (3, 1, "c"), (4, 1, "d")]
    assert (published.version, published.inserted, published.updated, published.deleted) == (1, 1, 1, 1)
    assert published.files == 1
    assert table.beside() == ["table"]


def test_what_is_late_does_not_win_and_what_is_as_old_replaces(spark, table):
    table.write(rows(spark, (1, 5, "new", False), (2, 5, "new", False), (3, None, "undated", False)), 1, **BY_VERSION)
    table.write(rows(spark, (1, 4, "late", False), (2, 5, "corrected", False), (3, 1, "dated", False)), 2, **BY_VERSION)
    assert table.rows("id", "word") == [(1, "new"), (2, "corrected"), (3, "dated")]
    table.write(rows(spark, (1, 4, "", True), (2, None, "undated", False)), 3, **BY_VERSION)
    assert table.rows("id", "word") == [(1, "new"), (2, "corrected"), (3, "dated")]


def test_of_several_new_rows_the_newest_wins_and_of_ties_the_largest(spark, table):
    new = rows(
        spark, (1, 1, "a", False), (1, 3, "c", False), (1, 2, "z", False), (2, 1, "x", False), (2, 1, "y", False)
    )
    table.write(new, 1, **BY_VERSION)
    assert table.rows("id", "version", "word") == [(1, 3, "c"), (2, 1, "y")]
    table.write(rows(spark, (2, 2, "x", False), (2, 2, "a", True)), 2, **BY_VERSION)
    assert table.rows("id") == [(1,)]


def test_a_commit_of_a_change_feed_that_puts_a_key_back_does_not_delete_it(spark, table):
    schema = "id INT, word STRING, _change_type STRING, _commit_version LONG"
    settings = {
        "mode": "merge",
        "keys": ["id"],
        "order_by": "_commit_version",
        "delete_when": "_change_type = 'delete'",
    }
    table.write(rows(spark, *((key, "a", "insert", 1) for key in (1, 2, 3)), schema=schema), 1, **settings)
    overwritten = [
        *((key, "a", "delete", 2) for key in (1, 2, 3)),
        (1, "a", "insert", 2),
        (2, "b", "update_preimage", 2),
        (2, "B", "update_postimage", 2),
    ]
    table.write(rows(spark, *overwritten, schema=schema), 2, **settings)
    assert table.rows("id", "word") == [(1, "a"), (2, "B")]
    table.write(rows(spark, (1, "a", "delete", 3), (3, "late", "insert", 1), schema=schema), 3, **settings)
    assert table.rows("id", "word") == [(2, "B")]


@pytest.mark.parametrize(("delete_when", "left"), [("_change_type = 'delete'", []), (None, [(4, "d")])])
def test_an_update_of_a_key_leaves_nothing_of_what_was_before_it(spark, table, delete_when, left):
    schema = "id INT, word STRING, _change_type STRING, _commit_version LONG"
    settings = {"mode": "merge", "keys": ["id"], "order_by": "_commit_version", "delete_when": delete_when}
    table.write(rows(spark, (4, "d", "insert", 1), (5, "e", "insert", 1), schema=schema), 1, **settings)
    update = [(4, "d", "update_preimage", 2), (40, "d", "update_postimage", 2), (6, "f", "update_preimage", 2)]
    table.write(rows(spark, *update, schema=schema), 2, **settings)
    assert table.rows("id", "word") == [*left, (5, "e"), (40, "d")]
    assert {kind for (kind,) in table.rows("_change_type")} == {"insert", "update_postimage"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_late_event_does_not_bring_a_deleted_row_back(spark, table, order):
    events = [(1, 1, "born", False), (1, 2, "changed", False), (1, 3, "", True)]
    for run, at in enumerate(order, 1):
        table.write(rows(spark, events[at]), run, **BY_VERSION)
    assert table.rows() == []
    table.write(rows(spark, (1, 4, "again", False)), 9, **BY_VERSION)
    assert table.rows("id", "word") == [(1, "again")]


@pytest.mark.parametrize("first_gone", [2, 9])
def test_deletions_of_one_run_after_another_all_delete(spark, table, first_gone):
    table.write(rows(spark, *((key, 1, "a", False) for key in range(1, 6)), (first_gone, 2, "", True)), 1, **BY_VERSION)
    left = {1, 2, 3, 4, 5} - {first_gone}
    for run, key in enumerate((3, 4, 1), 2):
        published = table.write(rows(spark, (key, 2, None, True), (run * 10, 1, "new", False)), run, **BY_VERSION)
        left = left - {key} | {run * 10}
        assert published.deleted == 1
        assert table.rows("id") == [(key,) for key in sorted(left)]


def test_what_one_run_has_merged_is_nothing_to_the_next(spark, table):
    taken = [table.jobs_of_write(rows(spark, (1, run, "a", False)), run, **BY_VERSION) for run in (1, 2, 3, 4)]
    assert taken[1] == taken[2] == taken[3] > 0


def test_a_deletion_that_a_dead_attempt_remembered_is_carried_out_by_the_next(spark, table):
    table.write(rows(spark, (1, 1, "a", False), (2, 1, "b", False)), 1, **BY_VERSION)
    remember(rows(spark, (1, 2, None, True)).select("id", "version"), table.path)
    table.write(rows(spark, (1, 2, None, True)), 2, **BY_VERSION)
    assert table.rows("id") == [(2,)]


def test_null_is_a_key_like_any_other(spark, table):
    pairs = {"mode": "merge", "keys": ["a", "b"]}
    schema = "a INT, b STRING, n INT"
    table.write(rows(spark, (None, "x", 1), (None, None, 2), schema=schema), 1, **pairs)
    table.write(rows(spark, (None, "x", 3), (None, None, 4), (1, None, 5), schema=schema), 2, **pairs)
    assert table.rows("n") == [(3,), (4,), (5,)]


def test_the_same_rows_again_make_no_version_and_touch_no_file(spark, table):
    first = rows(spark, (1, 1, "a", False), (2, 1, "b", False), (3, 1, None, True))
    table.write(first, 1, **BY_VERSION)
    files = table.data_files()
    again = table.write(first, 2, **BY_VERSION)
    assert (again.version, again.files) == (None, 0)
    assert table.version() == 0
    assert {file for file in table.data_files() if "_birchtar" not in file} == {
        f for f in files if "_birchtar" not in f
    }


def test_only_partitions_of_the_new_keys_are_rewritten(spark, table):
    by_day = BY_VERSION | {"keys": ["id", "day"], "partition_by": ["day"]}
    schema = f"{ROWS}, day STRING"
    table.write(
        rows(spark, (1, 1, "a", False, "mo"), (2, 1, "b", False, "tu"), (3, 1, "c", False, None), schema=schema),
        1,
        **by_day,
    )
    before = set(table.other().file_uris())
    table.write(
        rows(spark, (1, 2, "A", False, "mo"), (2, 1, "b", False, "tu"), (3, 2, "C", False, None), schema=schema),
        2,
        **by_day,
    )
    assert table.rows("id", "word") == [(1, "A"), (2, "b"), (3, "C")]
    kept = before & set(table.other().file_uris())
    assert [("tu" in file) for file in kept] == [True]


def test_different_rows_of_one_key_without_an_order_are_refused_with_their_number(spark, table):
    new = rows(spark, (1, 1, "a", False), (1, 1, "b", False), (2, 1, "c", False), (2, 1, "c", False))
    with pytest.raises(LakeError, match="1 keys .* several different rows"):
        table.stage(new, 1, mode="merge", keys=["id"])
    assert table.beside() == []
    table.write(new.where("id = 2"), 1, mode="merge", keys=["id"])
    assert table.rows("id", "word") == [(2, "c")]


def test_another_process_publishes_a_merge_and_only_once(spark, table):
    table.write(rows(spark, (1, 1, "a", False)), 1, **BY_VERSION)
    staged = table.stage(rows(spark, (1, 2, "b", False), (2, 1, "c", False)), 2, **BY_VERSION)
    assert table.rows("id", "word") == [(1, "a")]
    assert table.publish(staged.plan, 2, **BY_VERSION).version == 1
    table.write(rows(spark, (1, 2, "z", False)), 3, **BY_VERSION)
    assert table.publish(staged.plan, 2, **BY_VERSION).skipped
    assert table.rows("id", "word") == [(1, "z"), (2, "c")]


def test_values_of_every_kind_are_compared(spark, table):
    schema = "id INT, list ARRAY<INT>, map MAP<STRING, INT>, inner STRUCT<x: INT, m: MAP<STRING, INT>>"
    values = [(1, [1, None], {"a": 1}, (1, {"b": 2})), (2, None, None, None)]
    settings = {"mode": "merge", "keys": ["id"]}
    table.write(rows(spark, *values, schema=schema), 1, **settings)
    assert table.write(rows(spark, *values, schema=schema), 2, **settings).version is None
    published = table.write(rows(spark, (1, [1, None], {"a": 1}, (1, {"b": 3})), schema=schema), 3, **settings)
    assert (published.updated, published.inserted) == (1, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"keys": ["ids"]}, "keys: there is no column `ids`", id="key"),
        pytest.param({"keys": ["id"], "order_by": "at"}, "order_by: there is no column `at`", id="order"),
        pytest.param({"keys": ["id"], "delete_when": "word = "}, "delete_when", id="no SQL"),
        pytest.param({"keys": ["id"], "delete_when": "word"}, "not a condition", id="no condition"),
    ],
)
def test_a_wrong_column_is_named_before_anything_is_written(spark, table, settings, message):
    with pytest.raises(LakeError, match=message):
        table.stage(rows(spark, (1, 1, "a", False)), 1, mode="merge", **settings)
    assert table.beside() == []


def test_a_real_deletion_counts_though_the_row_is_ordered_by_a_time_of_its_own(spark, table):
    schema = "id INT, at INT, word STRING, _change_type STRING, _commit_version LONG"
    settings = {"mode": "merge", "keys": ["id"], "order_by": "at", "delete_when": "_change_type = 'delete'"}
    first = [(1, 10, "a", "insert", 3), (1, 10, "a", "delete", 4), (2, 10, "b", "insert", 3), (3, 5, "c", "insert", 3)]
    table.write(rows(spark, *first, schema=schema), 1, **settings)
    assert table.rows("id") == [(2,), (3,)]
    second = [(2, 10, "b", "delete", 5), (2, 10, "back", "insert", 6), (3, 5, "c", "delete", 5)]
    table.write(rows(spark, *second, schema=schema), 2, **settings)
    assert table.rows("id", "word") == [(2, "back")]


@pytest.mark.parametrize("settings", [{"keys": ["country", "id"]}, {"keys": ["id"]}], ids=["key", "other column"])
def test_an_empty_text_that_a_folder_keeps_as_null_is_the_same_row_again(spark, table, settings):
    settings = {"mode": "merge", "partition_by": ["country"]} | settings
    schema = "country STRING, id INT, word STRING"
    for run in (1, 2):
        df = rows(spark, ("", 1, "x"), ("CH", 2, "y"), schema=schema)
        staged = write.stage(df, table.sink(**settings), table.path, Label("job", "out", run))
        write.publish(spark, staged.plan, staged)
    assert table.rows("country", "id", "word") == [(None, 1, "x"), ("CH", 2, "y")]
    assert table.version() == 0


def test_a_key_that_the_table_has_twice_is_changed_twice(spark, table):
    schema = "id INT, word STRING"
    table.write(rows(spark, (1, "a"), (1, "a"), (2, "b"), schema=schema), 1, mode="append")
    table.write(rows(spark, (1, "c"), schema=schema), 2, mode="merge", keys=["id"])
    assert table.rows("id", "word") == [(1, "c"), (1, "c"), (2, "b")]


@pytest.mark.parametrize(("column", "bad"), [("id", ("A1", 2, "x")), ("version", (2**40, "v2", "x"))])
def test_what_tells_rows_apart_is_never_rescued(spark, table, column, bad):
    settings = {"mode": "merge", "keys": ["id"], "order_by": "version", "schema_changes": "rescue"}
    table.write(rows(spark, (1, 1, "a"), schema="id LONG, version INT, word STRING"), 1, **settings)
    schema = "id STRING, version INT, word STRING" if column == "id" else "id LONG, version STRING, word STRING"
    with pytest.raises(LakeError, match=f"cannot be rescued: `{column}` is .* there and string here"):
        table.stage(rows(spark, bad, schema=schema), 2, **settings)
    assert table.rows("id", "word") == [(1, "a")]


def test_a_widened_key_is_remembered_in_its_new_type(spark, table):
    settings = BY_VERSION | {"schema_changes": "widen"}
    table.write(rows(spark, (1, 1, "a", False), (2, 1, "", True)), 1, **settings)
    table.write(rows(spark, (3, 1, "c", False), (4, 2, "", True)), 2, **settings)
    wide = "id LONG, version INT, word STRING, gone BOOLEAN"
    table.write(rows(spark, (2**40, 2, "", True), (1, 2, "", True), schema=wide), 3, **settings)
    table.write(rows(spark, (2**40, 1, "late", False), (1, 1, "late", False), schema=wide), 4, **settings)
    assert [row.id for row in spark.read.format("delta").load(table.path).collect()] == [3]


def test_a_merge_that_changes_nothing_and_dies_is_finished_by_the_next(spark, table):
    settings = {"mode": "merge", "keys": ["id"]}
    table.write(rows(spark, (1, "a"), schema="id INT, word STRING"), 1, **settings)
    staged = table.stage(rows(spark, (1, "a"), schema="id INT, word STRING"), 2, **settings)
    assert table.publish(staged.plan, 2, staged, **settings).version is None
    assert table.publish(staged.plan, 2, **settings).version is None
    discard(spark, staged.plan)
    assert table.beside() == ["table"]


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NTZ", "DATE", "DECIMAL(9,2)", "STRING", "BOOLEAN", "DOUBLE"])
def test_a_key_that_is_a_folder_is_found_again_wherever_python_is(spark, table, monkeypatch, kind):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        values = {
            "DECIMAL(9,2)": "1.50, 2.00",
            "STRING": "'a b%', 'ü'",
            "BOOLEAN": "true, false",
            "DOUBLE": "1.5, double('NaN')",
            "DATE": "DATE'2024-10-27', DATE'2024-07-01'",
        }.get(kind, f"{kind}'2024-10-27 01:30:00', {kind}'2024-07-01 12:00:00'")
        df = spark.sql(f"SELECT explode(array({values}, CAST(NULL AS {kind}))) AS h, 1 AS id, 'a' AS word").coalesce(1)
        settings = {"mode": "merge", "keys": ["id", "h"], "partition_by": ["h"]}
        table.write(df, 1, **settings)
        published = table.write(df.withColumn("word", F.lit("b")), 2, **settings)
        assert (published.updated, published.inserted) == (3, 0)
        assert table.rows("id", "word") == [(1, "b")] * 3
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("ADD CONSTRAINT small CHECK (version < 9)", "1 rows break the table's constraint `version < 9`"),
        (None, "1 rows break `version`, which may not be null"),
    ],
)
def test_rows_that_the_table_would_not_take_stop_before_anything_is_staged_for_good(spark, table, statement, says):
    columns = ROWS if statement else ROWS.replace("version INT", "version INT NOT NULL")
    spark.sql(f"CREATE TABLE delta.`{table.folder}` ({columns}) USING delta")
    if statement:
        spark.sql(f"ALTER TABLE delta.`{table.folder}` {statement}")
    table.write(rows(spark, (1, 1, "a", False)), 1, **BY_VERSION)
    good, bad = (1, 2, "b", False), (2, 9 if statement else None, "c", False)
    with pytest.raises(LakeError, match=says):
        table.write(rows(spark, good, bad), 2, **BY_VERSION)
    assert table.beside() == ["table"]
    table.write(rows(spark, good, (*bad[:3], True)), 2, **BY_VERSION)
    assert table.rows("id", "word") == [(1, "b")]


def test_a_condition_that_fails_on_a_row_stops_before_anything_is_staged_for_good(spark, table):
    settings = BY_VERSION | {"delete_when": "CAST(version AS TINYINT) = 0"}
    table.write(rows(spark, (1, 1, "a", False)), 1, **settings)
    with pytest.raises(Exception, match="CAST_OVERFLOW"):
        table.write(rows(spark, (1, 1000, "b", False)), 2, **settings)
    assert table.beside() == ["table"]


@pytest.mark.parametrize("changed", [{"order_by": "later"}, {"keys": ["later"]}])
def test_what_rows_are_compared_by_has_to_be_in_the_table(spark, table, changed):
    table.write(rows(spark, (1, 1, "a", False)), 1, **BY_VERSION)
    df = rows(spark, (1, 2, "b", False)).withColumn("later", F.lit(1))
    with pytest.raises(LakeError, match="the table has no column `later`, so nothing can be compared by it"):
        table.write(df, 2, **BY_VERSION | changed, schema_changes="evolve")
