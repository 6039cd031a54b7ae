"""merge_frames: newer rows replace those of the same key."""

import pytest

from transforms.errors import ColumnTypeError, MissingColumnError, TransformError
from transforms.merge_frames import merge_frames


@pytest.fixture
def source(spark):
    rows = [(1, "a", "old"), (1, "a", "old"), (2, "b", "old"), (3, "c", "old"), (None, "d", "old")]
    return spark.createDataFrame(rows, "id INT, `k.k` STRING, text STRING")


def test_rows_of_the_stage_replace_those_of_their_keys_and_come_in(source, spark):
    stage = spark.createDataFrame([(2, "b", "new"), (2, "b", "newer"), (4, "e", "new")], source.schema)
    rows = source.transform(merge_frames, stage, "id").collect()
    assert sorted(rows, key=str) == sorted(
        [
            (1, "a", "old"),
            (1, "a", "old"),
            (2, "b", "new"),
            (2, "b", "newer"),
            (3, "c", "old"),
            (4, "e", "new"),
            (None, "d", "old"),
        ],
        key=str,
    )


def test_null_keys_are_equal_and_a_second_merge_changes_nothing(source, spark):
    stage = spark.createDataFrame([(None, "d", "new")], source.schema)
    once = source.transform(merge_frames, stage, ["id", "`k.k`"])
    assert sorted(row.text for row in once.collect()) == ["new", "old", "old", "old", "old"]
    assert sorted(once.transform(merge_frames, stage, ["id", "`k.k`"]).collect(), key=str) == sorted(
        once.collect(), key=str
    )


def test_columns_of_both_are_there_and_an_empty_stage_changes_nothing(source, spark):
    stage = spark.sql("SELECT true AS more, 1 AS id")
    rows = source.transform(merge_frames, stage, "id")
    assert rows.columns == ["id", "k.k", "text", "more"]
    assert (1, None, None, True) in rows.collect()
    assert rows.count() == 4
    assert sorted(source.transform(merge_frames, source.limit(0), "id").collect(), key=str) == sorted(
        source.collect(), key=str
    )
    assert source.transform(merge_frames, source, "id").count() == 5


def test_nested_keys(spark):
    one = spark.sql("SELECT named_struct('id', 1) AS s, 'old' AS t UNION ALL SELECT named_struct('id', 2), 'old'")
    two = spark.sql("SELECT named_struct('id', 2L) AS s, 'new' AS t")
    rows = one.transform(merge_frames, two, "s.id", conflicts="widest")
    assert sorted(rows.collect()) == [((1,), "old"), ((2,), "new")]


def test_wrong_arguments_are_told(source, spark):
    with pytest.raises(MissingColumnError, match="merge_frames cannot find the key `id` of `other`"):
        source.transform(merge_frames, spark.sql("SELECT 1 AS ID"), "id")
    with pytest.raises(TransformError, match="merge_frames needs at least one key"):
        source.transform(merge_frames, source, [])
    with pytest.raises(ColumnTypeError, match="types that do not compare: int and string"):
        source.transform(merge_frames, spark.sql("SELECT 'x' AS id"), "id")


def test_its_own_name_stands_before_what_is_wrong(source, spark):
    stage = spark.sql("SELECT 2 AS id, 'b' AS `k.k`, 5 AS text")
    with pytest.raises(
        ColumnTypeError, match=r"^merge_frames: these fields have several types: `text` \(string, int\)"
    ):
        source.transform(merge_frames, stage, "id", conflicts="fail")
    with pytest.raises(TransformError, match=r"^merge_frames: conflicts='fial' is not known. Did you mean `fail`"):
        source.transform(merge_frames, stage, "id", conflicts="fial")
