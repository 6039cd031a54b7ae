"""spigot: the sample's file, and the frame that passes."""

import json

import pytest
from pyspark.sql.types import IntegerType, StringType, StructType

from transforms.choices.choice import ChoiceType, to_marks
from transforms.errors import TransformError
from transforms.spigot import _write_there, spigot


def _lines(folder):
    return [json.loads(line) for file in sorted(folder.iterdir()) for line in file.read_text().splitlines()]


def test_rows_are_written_as_json_lines_and_the_frame_passes(spark, tmp_path):
    df = spark.sql("SELECT id, if(id > 0, 'x', null) AS `a.b`, named_struct('c', array(id)) AS s FROM range(3)")
    assert df.transform(spigot, str(tmp_path), top=2) is df
    assert _lines(tmp_path) == [{"id": 0, "s": {"c": [0]}}, {"id": 1, "a.b": "x", "s": {"c": [1]}}]


def test_each_call_adds_a_file(spark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("out/sample", "out/sample/", f"file:{tmp_path}/out/sample"):
        spark.range(1).transform(spigot, path)
    files = list((tmp_path / "out" / "sample").iterdir())
    assert len(files) == 3
    assert all(file.name.startswith("sample-") and file.name.endswith(".json") for file in files)
    assert spark.read.json(str(tmp_path / "out" / "sample")).collect() == [(0,)] * 3


def test_a_probability_takes_some(spark, tmp_path):
    df = spark.range(0, 1000, 1, 1)
    df.transform(spigot, str(tmp_path / "a"), top=1000, probability=0.5, seed=7)
    df.transform(spigot, str(tmp_path / "b"), top=1000, probability=0.5, seed=7)
    assert 300 < len(_lines(tmp_path / "a")) < 700
    assert _lines(tmp_path / "a") == _lines(tmp_path / "b")
    df.transform(spigot, str(tmp_path / "c"), probability=0)
    assert _lines(tmp_path / "c") == []


def test_only_the_partitions_that_it_takes_are_computed(spark, tmp_path):
    df = spark.range(0, 8, 1, 8).selectExpr("IF(id > 4, raise_error('too far'), id) AS id")
    df.transform(spigot, str(tmp_path), top=1)
    assert _lines(tmp_path) == [{"id": 0}]


def test_a_file_gets_its_name_when_it_is_whole(spark, tmp_path):
    with pytest.raises(Exception, match="too far"):
        spark.sql("SELECT raise_error('too far') AS x").transform(spigot, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments_are_told(spark, tmp_path):
    with pytest.raises(TransformError, match="cannot write -1 rows"):
        spark.range(1).transform(spigot, str(tmp_path), top=-1)
    with pytest.raises(TransformError, match="between 0 and 1, got 2"):
        spark.range(1).transform(spigot, str(tmp_path), probability=2)


def test_elsewhere_spark_writes_a_folder_per_call_that_reads_as_one(spark, tmp_path):
    lines = spark.sql("SELECT '{\"id\":1}' AS value")
    for name in ("a", "b"):
        _write_there(lines, f"file:{tmp_path}/", name)
    assert sorted(spark.read.json(str(tmp_path)).collect()) == [(1, "a"), (1, "b")]


def test_a_choice_is_written_as_the_value_that_it_holds(spark, tmp_path):
    schema = to_marks(StructType().add("a", ChoiceType.of([IntegerType(), StringType()])))
    df = spark.createDataFrame([((5, None),), ((None, "x"),)], schema).coalesce(1)
    spigot(df, str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert file.read_text() == '{"a":5}\n{"a":"x"}\n'
