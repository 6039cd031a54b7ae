"""Files of columns that cannot be read: named, with a reason that tells of the file and not of Java."""

import random

import pytest
from mutated_files import mutated, store

from birchtar.lake.broken_files import broken_files
from birchtar.lake.errors import LakeError
from birchtar.lake.source import Source

KINDS = ["avro", "orc", "parquet"]


def found(spark, folder, kind):
    files = [f"file:{path}" for path in sorted(folder.iterdir())]
    return {damage.file: damage.what for damage in broken_files(spark, Source(path=str(folder), format=kind), files)}


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_files_those_that_break_off_are_named(classic_spark, tmp_path, kind):
    paths = [store(tmp_path, kind, file) for file in range(70)]
    cut = [paths[at] for at in (0, 3, 4, 65, 69)]
    for path in cut:
        path.write_bytes(path.read_bytes()[:-30])
    damage = found(classic_spark, tmp_path, kind)
    assert sorted(damage) == sorted(map(str, cut))
    assert not [what for what in damage.values() if "Exception" in what or "Cannot invoke" in what]


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_is_named_that_spark_can_read_and_none_left_out_that_it_cannot(classic_spark, tmp_path, kind):
    chance = random.Random(11)
    unreadable = set()
    for file in range(16):
        path = store(tmp_path, kind, file)
        path.write_bytes(mutated(path.read_bytes(), chance))
        reader = classic_spark.read.option("parquet.page.verify-checksum.enabled", "true").format(kind)
        try:
            reader.load(str(path)).collect()
        except Exception:
            unreadable.add(str(path))
    damage = found(classic_spark, tmp_path, kind)
    assert damage.keys() <= unreadable
    # Behind the columns of another file, one whose own cannot be told may still be read.
    for path in unreadable - damage.keys():
        classic_spark.read.schema("id BIGINT, name STRING, price DOUBLE").format(kind).load(path).collect()


def test_an_avro_file_that_ends_inside_of_its_last_block_is_named(classic_spark, tmp_path):
    path = store(tmp_path, "avro", 1)
    path.write_bytes(path.read_bytes()[:-20])
    store(tmp_path, "avro", 2)
    assert found(classic_spark, tmp_path, "avro") == {str(path): "The file ends inside of a block."}


def test_a_file_that_is_gone_counts_for_no_broken_one(classic_spark, tmp_path):
    store(tmp_path, "orc", 1)
    files = [f"file:{tmp_path}/1.orc", f"file:{tmp_path}/2.orc"]
    with pytest.raises(LakeError, match=r"2\.orc"):
        list(broken_files(classic_spark, Source(path=str(tmp_path), format="orc"), files))
