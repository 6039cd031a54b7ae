"""Read = written + rejected + filtered, and a run that cannot say so publishes nothing."""

from pathlib import Path

import pytest

import transforms.derive_column
from birchtar.runner import accounting
from birchtar.runner.failures import JobError
from birchtar.runner.report import TableReport
from birchtar.runner.summary import print_summary

JOB = """
    inputs: {people: {path: people.csv, format: csv, schema: "name STRING, town INT, age INT"}}
    tables:
      grown: {from: people, steps: [filter_rows: {where: age > 18}]}
      named:
        from: grown
        steps: [derive_column: {column: upper, expression: upper(name)}]
        rules: [{not_null: town, action: reject}]
      towns: {sql: "SELECT town, count(*) AS people FROM people GROUP BY ALL"}
    outputs:
      people: {path: out/people, format: parquet}
      named: {path: out/named, format: parquet}
      towns: {path: out/towns, format: parquet}
"""


def test_every_row_is_accounted_for_where_rows_stay_rows(run_job, place: Path, capsys):
    (place / "people.csv").write_text("name,town,age\nAda,1,36\nBob,2,x\nCy,,77\nDan,1,7\nEve,1,8\n")
    report = run_job(JOB)
    assert report.tables == [
        TableReport("people", "people", 5, 4, 1, 0),
        TableReport("named", "people", 5, 1, 2, 2),
    ]
    print_summary(report)
    printed = capsys.readouterr().out
    assert "filtered" in printed
    assert "named, not_null town" in printed  # which of several rules rejected how many


@pytest.mark.parametrize("expression", ["explode(array(1, 2))", "1"])
def test_a_step_that_does_not_keep_its_promise_stops_the_run(run_job, place: Path, monkeypatch, expression):
    def forgets(df, column, expression):
        return df.selectExpr("*", f"{expression} AS {column}").where("age < 40")

    monkeypatch.setattr(transforms.derive_column, "derive_column", forgets)
    from birchtar.runner import steps

    steps.find_function.cache_clear()
    steps.arguments_model.cache_clear()
    try:
        with pytest.raises(JobError, match="in derive_column of table grown. This is a mistake in Birchtar"):
            run_job(f"""
                tables: {{grown: {{from: people, steps: [derive_column: {{column: n, expression: "{expression}"}}]}}}}
                outputs: {{grown: {{path: out/grown, format: parquet}}}}
            """)
    finally:
        monkeypatch.undo()
        steps.find_function.cache_clear()
        steps.arguments_model.cache_clear()
    assert not list((place / "out").rglob("*.parquet"))


def test_every_step_that_is_named_exists():
    from birchtar.runner.steps import TRANSFORMS

    assert set(TRANSFORMS) >= accounting.ONE_FOR_ONE | accounting.FILTERS
