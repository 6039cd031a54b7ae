"""extract_json_paths: what a path finds."""

import pytest

from transforms.errors import TransformError
from transforms.extract_json_paths import extract_json_paths

TEXT = '{"a. a": 1, "b": {"c": ["x", "y"], "d": null}, "e": [{"f": 1}, {"f": 2}], "zip code": "Z"}'


@pytest.fixture
def texts(spark):
    return spark.createDataFrame([(1, TEXT), (2, "{bad"), (3, None)], "id INT, `j.j` STRING")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$['a. a']", "1"),
        ("b.c", '["x","y"]'),
        ("$.b.c[1]", "y"),
        ("b.d", None),
        ("b.x", None),
        ("e[*].f", "[1,2]"),
        ("zip code", "Z"),
        (" ['zip code'] ", "Z"),
    ],
)
def test_paths_find_texts(texts, path, expected):
    found = texts.transform(extract_json_paths, "`j.j`", {"x": path})
    assert [row.x for row in found.collect()] == [expected, None, None]
    assert found.dtypes[2] == ("x", "string")


def test_the_source_can_go_or_be_replaced(texts):
    assert texts.transform(extract_json_paths, "`j.j`", {"a": "b", "c": "d"}, drop_column=True).columns == [
        "id",
        "a",
        "c",
    ]
    assert texts.transform(extract_json_paths, "`j.j`", {"j.j": "b"}, drop_column=True).columns == ["id", "j.j"]


@pytest.mark.parametrize("path", ["$b..c", "a[", "a['", "$.", "a.[0]", ""])
def test_wrong_paths_are_told(texts, path):
    with pytest.raises(TransformError, match="is no JSON path"):
        texts.transform(extract_json_paths, "`j.j`", {"x": path})


def test_paths_are_needed(texts):
    with pytest.raises(TransformError, match="at least one path"):
        texts.transform(extract_json_paths, "`j.j`", {})


def test_a_path_that_may_find_several_values(spark):
    df = spark.createDataFrame([('{"e":[{"f":1},{"f":"x"}]}',), ('{"e":[{"f":"x"}]}',), ('{"e":[]}',)], "j STRING")
    found = df.transform(extract_json_paths, "j", {"f": "e[*].f"}, drop_column=True)
    assert [row.f for row in found.collect()] == ['[1,"x"]', '"x"', None]
