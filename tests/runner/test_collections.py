"""Steps that make several tables, and the steps that change rows and columns, as a job file says them."""

import json
from pathlib import Path

import duckdb
import pytest

from birchtar.runner.failures import JobError
from birchtar.runner.steps import TRANSFORMS, arguments_model


def rows(query: str) -> list[tuple]:
    return duckdb.sql(query).fetchall()


SPLIT = """
inputs: {people: {path: people.csv, format: csv}}
tables:
  parts:
    from: people
    steps: [{split_rows: {comparison: {age: {">": 10, "<=": 36}, name: {"!=": Bob}}, name1: some, name2: others}}]
  routed:
    from: people
    steps: [{conditional_router: {groups: {grown: age > 30, living: town IS NOT NULL}, default: rest}}]
"""


def test_every_part_is_an_output(run_job):
    report = run_job(
        SPLIT + "outputs: {parts: {path: out/parts, format: parquet}, routed: {path: out/routed, format: parquet}}\n"
    )
    assert sorted((wrote.path, wrote.rows) for wrote in report.outputs) == [
        ("out/parts/others", 2),
        ("out/parts/some", 1),
        ("out/routed/grown", 2),
        ("out/routed/living", 2),
        ("out/routed/rest", 1),
    ]
    assert rows("SELECT name FROM 'out/parts/some/*.parquet'") == [("Ada",)]
    assert rows("SELECT name FROM 'out/routed/rest/*.parquet'") == [("Cy",)]


def test_a_part_is_an_output_of_its_own_beside_all_and_its_name_may_be_odd(run_job, place: Path):
    (place / "nested.json").write_text('{"id": 1, "a b.c": [{"x": 1}], "a b_c": [7]}\n')
    report = run_job(
        """
inputs: {nested: {path: nested.json, format: json}}
tables:
  flat: {from: nested, steps: [relationalize: {name: É}]}
  joined: {sql: "SELECT `É_a b.c`.`a b.c.val.x` AS x, m.`a b_c.val` AS y FROM flat.É, flat.`É_a b.c`, flat.`É_a b_c` m"}
outputs:
  flat: {path: out/flat, format: parquet}
  flat.É: {path: out/root, format: csv}
  joined: {path: out/joined, format: parquet}
"""
    )
    assert [wrote.name for wrote in report.outputs] == ["flat/É", "flat.É_a b.c", "flat.É_a b_c", "flat.É", "joined"]
    assert rows("SELECT count(*) FROM 'out/root/*.csv'") == [(1,)]
    assert rows("SELECT x, y FROM 'out/joined/*.parquet'") == [(1, 7)]


def test_a_part_that_is_not_there_is_named_with_the_closest_in_sql_too(run_job):
    text = SPLIT + '  a: {sql: "SELECT count(*) FROM `parts.som`"}\noutputs: {a: {path: out, format: parquet}}\n'
    with pytest.raises(JobError, match=r"job.yaml:\d+:\d+: there is no table `parts.som`. Did you mean `parts.some`\?"):
        run_job(text)


def test_a_part_is_taken_up_by_name(run_job):
    run_job(
        SPLIT
        + """
  named: {from: parts.others, steps: [{lookup: {other: routed.grown, keys: name, columns: [age]}}]}
  all: {from: parts.some, steps: [{union: {other: [parts.others, routed.rest]}}]}
  merged: {from: people, steps: [{merge_frames: {other: routed.rest, keys: [name]}}]}
outputs:
  named: {path: out/named, format: parquet}
  all: {path: out/all, format: parquet}
  merged: {path: out/merged, format: parquet}
  routed.living: {path: out/living, format: parquet}
"""
    )
    assert rows("SELECT name, \".age\" FROM 'out/named/*.parquet' ORDER BY 1") == [("Bob", 41), ("Cy", None)]
    assert rows("SELECT count(*) FROM 'out/all/*.parquet'") == [(4,)]
    assert rows("SELECT name FROM 'out/merged/*.parquet' ORDER BY 1") == [("Ada",), ("Bob",), ("Cy",)]
    assert rows("SELECT name FROM 'out/living/*.parquet' ORDER BY 1") == [("Ada",), ("Bob",)]


def test_an_operator_that_is_not_known_is_told_with_its_place(run_job, place: Path):
    with pytest.raises(JobError, match=r"job.yaml:.*step split_rows of table parts: .*Did you mean `<=`"):
        run_job(SPLIT.replace('"<="', '"=<"') + "outputs: {parts: {path: out/parts, format: parquet}}\n")


def test_many_steps_say_what_they_do_in_yaml(run_job, place: Path):
    run_job(
        """
        tables:
          made:
            from: people
            steps:
              - fill_missing: {columns: town, how: constant, value: 9}
              - derive_column: {column: born, expression: 2020 - age}
              - concatenate: {columns: [name, town], new_column: label, separator: "-"}
              - split_string: {column: label, pattern: "-", new_column: parts}
              - array_to_columns: {column: parts, new_columns: [first, second]}
              - extract_regex: {column: label, pattern: "(.)(.)", new_columns: [initial, null]}
              - add_uuid: {column: uuid}
              - add_identifier: {column: number, unique: true}
              - add_current_timestamp: {column: seen, pattern: "%Y"}
              - redact_columns: {columns: [second], replacement: "#"}
              - mask_columns: {columns: label, keep_first: 1}
              - hash_columns: {columns: first}
              - drop_duplicates: {keys: [name], order_by: age, keep: last}
              - remove_null_rows: {extended: true}
              - autobalance: {partitions: 1}
              - spigot: {path: out/sample, top: 2}
          counts:
            from: made
            steps:
              - explode: {column: parts, new_column: part}
              - aggregate: {aggregations: [[age, sum], [part, countDistinct]], groups: [initial]}
              - unpivot: {columns: ["sum(age)", "count(DISTINCT part)"], name_column: what, value_column: n}
              - pivot: {columns: what, aggregate: sum, values_of: n}
          texts:
            sql: SELECT name, '{"a":1}' AS j, '2020-01-02T03:04:05Z' AS at FROM people
          parsed:
            from: texts
            steps:
              - extract_json_paths: {column: j, paths: {a: $.a}}
              - parse_json: {column: j, schema: a INT}
              - to_timestamp: {column: at, unit: iso}
              - format_timestamp: {column: at, pattern: yyyy-MM-dd, new_column: day}
        outputs:
          made: {path: out/made, format: parquet}
          counts: {path: out/counts, format: parquet}
          parsed: {path: out/parsed, format: parquet}
        """
    )
    made = "SELECT name, town, born, label, second, initial FROM 'out/made/*.parquet' ORDER BY 1"
    assert rows(made)[2] == ("Cy", 9, 2013, "C***", "#", "C")
    counts = 'SELECT initial, "sum(age)", "count(DISTINCT part)" FROM \'out/counts/*.parquet\' ORDER BY 1'
    assert rows(counts) == [("A", 72, 2), ("B", 82, 2), ("C", 14, 2)]
    assert rows("SELECT a, j.a, day FROM 'out/parsed/*.parquet'") == [("1", 1, "2020-01-02")] * 3
    (sample,) = (place / "out" / "sample").iterdir()
    assert len([json.loads(line) for line in sample.read_text().splitlines()]) == 2


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_has_a_model_of_its_arguments(name):
    assert arguments_model(name).model_json_schema()["title"] == name


@pytest.mark.parametrize(
    "step",
    [
        "spigot: {path: out/sample, top: 2}",
        'map_rows: {function: "own_peek.steps:same", sample_rows: 2}',
        '"own_peek.steps:peek": {}',
    ],
)
def test_a_step_that_looks_at_some_rows_first_loses_no_rejected_row_and_no_count(
    run_job, place: Path, step, monkeypatch
):
    monkeypatch.syspath_prepend(place)
    (place / "own_peek").mkdir()
    (place / "own_peek" / "steps.py").write_text(
        "from pyspark.sql import DataFrame\n\n\ndef same(record):\n    return record\n\n\n"
        "def peek(df: DataFrame) -> DataFrame:\n    df.first()\n    return df\n"
    )
    lines = "".join(f"n{number},1,{number}\n" for number in range(500))
    (place / "people.csv").write_text(f"name,town,age\n{lines}bad,1,x\n")
    report = run_job(
        f"""
        inputs: {{people: {{path: people.csv, format: csv, schema: "name STRING, town INT, age INT"}}}}
        tables: {{made: {{from: people, steps: [{{{step}}}]}}}}
        outputs: {{made: {{path: out/made, format: parquet}}}}
        """
    )
    assert (report.inputs[0].rows, report.outputs[0].rows) == (501, 500)
    assert [(rejects.step, rejects.rows) for rejects in report.rejects] == [("read", 1)]
    assert rows("SELECT count(*) FROM 'data/quarantine/job/*.parquet'") == [(1,)]
