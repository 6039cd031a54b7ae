"""What Spark leaves out of its plans counts all the same: rows that are read, records that do not parse, rules."""

from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from birchtar.runner.failures import JobError
from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.replay import replay
from birchtar.runner.replayed import Selection
from birchtar.state.database import open_state
from birchtar.state.quarantine import list_rejects

JOB = """
inputs:
  facts: {path: facts, format: csv, schema: {id: INT, k: STRING}, bookmark: true}
  dims: {path: dims.csv, format: csv, schema: {k: STRING, v: INT}}
tables:
  good:
    from: facts
    rules: [%s]
  t:
    from: good
    steps:
      - %s
outputs: {t: {path: out, format: parquet, mode: append}}
"""
JOIN = "join: {other: dims, keys: [k]}"


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three good rows, one with a bad number, one too long; a table to join with that has no rows."""
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts/1.csv").write_text("id,k\n1,a\nx,b\n2,b\n3,c\n4,c,c\n")
    (tmp_path / "dims.csv").write_text("k,v\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(JOIN, id="the other side of the join is empty"),
        pytest.param("sql: SELECT * FROM t WHERE 1 = 0", id="the condition never holds"),
        pytest.param("sql: SELECT t.* FROM t JOIN dims USING (k) WHERE v > 3", id="by SQL"),
    ],
)
def test_rows_that_are_of_no_use_are_read_judged_and_rejected(facts, run_job, step):
    report = run_job(JOB % ("{in: {column: k, values: [a, b]}, action: reject}, {unique: id, action: warn}", step))
    assert [each.rows for each in report.outputs if each.name == "t"] == [0]
    assert [each.rows for each in report.inputs if each.name == "facts"] == [5]
    assert sorted((each.table, each.step, each.rows) for each in report.rejects) == [
        ("facts", "read", 2),
        ("good", "rules", 1),
    ]
    assert [(each.rule, each.rows, each.broken) for each in report.rules] == [
        ("in k, values: a, b", 3, 1),
        ("unique id", 3, 0),
    ]
    records = duckdb.sql("SELECT record FROM 'data/quarantine/job/*.parquet' ORDER BY ALL").fetchall()
    assert records == [("4,c,c",), ('{"id":"x","k":"b"}',), ('{"id":3,"k":"c"}',)]


@pytest.mark.parametrize(
    ("rule", "more", "said"),
    [
        ("{row_count: {least: 100}}", "", 'the rule "row_count least: 100" is broken: 3 rows'),
        ("{in: {column: k, values: [z]}}", "", '3 of 3 rows break the rule "in k, values: z"'),
        ("{not_null: id}", "max_rejected: 1", "2 of 5 rows were rejected, more than `max_rejected: 1` allows"),
    ],
)
def test_they_stop_a_run_as_others_do(facts, run_job, rule, more, said):
    with pytest.raises(JobError) as stopped:
        run_job(JOB % (rule, JOIN) + more)
    assert said in str(stopped.value)
    assert list_rejects(open_state()) == []


def test_a_table_without_rows_breaks_a_rule_on_its_rows_number_unless_nothing_new_came_to_it(facts, run_job):
    (facts / "other").mkdir()
    (facts / "other/1.csv").write_text("id\n1\n")
    (facts / "facts/1.csv").write_text("id,k\n")
    job = (
        (JOB % ("{row_count: {least: 1}}", JOIN))
        .replace("tables:", "  other: {path: other, format: csv, bookmark: true}\ntables:")
        .replace("outputs: {", "outputs: {other: {path: out_other, format: parquet, mode: append}, ")
    )
    with pytest.raises(JobError, match='the rule "row_count least: 1" is broken: 0 rows'):
        run_job(job)
    (facts / "facts/1.csv").write_text("id,k\n1,a\n")
    run_job(job)
    (facts / "other/2.csv").write_text("id\n2\n")
    run_job(job)
    assert duckdb.sql("SELECT id FROM 'out_other/*.parquet' ORDER BY id").fetchall() == [(1,), (2,)]


def test_where_nothing_new_came_outputs_without_a_bookmark_are_made_anew(facts, run_job):
    job = """
        inputs:
          facts: {path: facts, format: csv, bookmark: true}
          dims: {path: dims.csv, format: csv}
        outputs:
          facts: {path: out/facts, format: parquet, mode: append}
          dims: {path: out/dims, format: parquet}
    """
    run_job(job)
    before = sorted(Path("out/facts").iterdir())
    (facts / "dims.csv").write_text("k,v\na,1\n")
    report = run_job(job)
    assert duckdb.sql("SELECT * FROM 'out/dims/*.parquet'").fetchall() == [("a", 1)]
    assert sorted(Path("out/facts").iterdir()) == before
    assert [each.rows for each in report.outputs] == [0, 1]


def test_an_input_with_nothing_new_has_the_columns_that_are_declared_now(facts, run_job):
    (facts / "dims/day=1").mkdir(parents=True)
    (facts / "dims/day=1/1.json").write_text('{"v": 1}\n')
    job = """
        inputs:
          facts: {path: facts, format: csv, schema: {id: INT, k: STRING}, bookmark: true}
          dims: {path: dims, format: json, schema: {v: INT%s}, bookmark: true}
        tables:
          kept: {from: dims, steps: [filter_rows: {where: "%s"}, select_fields: {paths: [v]}]}
        outputs:
          facts: {path: out/facts, format: parquet, mode: append}
          kept: {path: out/kept, format: parquet, mode: append}
    """
    run_job(job % ("", "v > 0"))
    (facts / "facts/2.csv").write_text("id,k\n9,z\n")
    report = run_job(job % (", town: STRING", "town IS NULL AND day = 1"))
    assert [each.rows for each in report.inputs] == [1, 0]


def test_a_replay_asks_no_rule_on_the_table_as_a_whole_and_counts_what_enters(facts, run_job, spark):
    rules = "{row_count: {least: 3}}, {in: {column: k, values: [a]}, action: reject}"
    report = run_job(JOB % (rules, "drop_fields: {paths: [k]}") + "max_rejected: 80%")
    assert [(each.table, each.rows) for each in report.rejects] == [("facts", 2), ("good", 2)]
    with Progress(Console(quiet=True), spark.sparkContext) as progress:
        Path("job.yaml").write_text(Path("job.yaml").read_text().replace("values: [a]", "values: [a, b]"))
        report = replay(load("job.yaml"), spark, open_state(), progress, Selection(table="good"))[-1]
    assert [(each.table, each.step, each.rows) for each in report.resolved] == [("good", "rules", 2)]
    assert [(each.table, each.step, each.rows) for each in report.rejects] == [("good", "rules", 1)]
    assert duckdb.sql("SELECT id FROM 'out/*.parquet' ORDER BY id").fetchall() == [(1,), (2,)]


def test_a_rule_that_spark_knows_no_row_to_keep_rejects_all(facts, run_job):
    report = run_job(JOB % ("{expression: 'false', action: reject, name: never}", "drop_fields: {paths: [k]}"))
    assert [(each.table, each.rule, each.rows) for each in report.rejects] == [("facts", "", 2), ("good", "never", 3)]
    assert [(each.rows_in, each.rows, each.rejected, each.filtered) for each in report.tables] == [(5, 0, 5, 0)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_new_files_without_anything_in_them_are_read_and_known(facts, run_job, form):
    folder = facts / "new"
    folder.mkdir()
    (folder / "1").write_text({"csv": "id\n1\n", "json": '{"id": 1}\n'}[form])
    job = f"""
        inputs: {{new: {{path: new, format: {form}, bookmark: true}}}}
        outputs: {{new: {{path: out/new, format: parquet, mode: append}}}}
    """
    run_job(job)
    (folder / "2").touch()
    report = run_job(job)
    assert [(each.rows, each.files) for each in report.inputs] == [(0, 1)]
    assert [(each.rows, each.files) for each in report.inputs + run_job(job).inputs] == [(0, 1), (0, 0)]
    assert duckdb.sql("SELECT id FROM 'out/new/*.parquet'").fetchall() == [(1,)]
