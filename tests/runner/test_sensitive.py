"""What a job masks is nowhere to be read: not in the quarantine, not in a message."""

import json
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from birchtar.runner.failures import JobError
from birchtar.runner.load import load
from birchtar.runner.problems import ConfigError
from birchtar.runner.progress import Progress
from birchtar.runner.replay import replay
from birchtar.runner.replayed import Selection
from birchtar.runner.sensitive import sensitive_fields
from birchtar.state.database import open_state
from birchtar.state.history import list_runs
from birchtar.state.quarantine import list_rejects

SECRET = "4711-secret"


def everything(place: Path) -> str:
    """All that a run has left to read, but its input: quarantine, state, errors."""
    files = duckdb.sql("SELECT * FROM 'data/quarantine/*/*.parquet'").fetchall() if (place / "data").exists() else []
    told = [(run.error, json.dumps(run.report)) for run in list_runs(open_state())]
    return repr((files, told))


def quarantined(columns: str):
    return duckdb.sql(f"SELECT {columns} FROM 'data/quarantine/job/*.parquet' ORDER BY ALL").fetchall()


MASKED = """
    inputs: {{people: {{path: people.{kind}, format: {kind}, schema: "name STRING, card {type}, age INT"}}}}
    tables:
      safe:
        from: people
        steps:
          - {step}
          - mask_columns: {{columns: {masked}}}
    outputs: {{safe: {{path: out/safe, format: parquet}}}}
"""


def test_a_value_that_is_masked_later_is_not_in_the_record_nor_the_message(run_job, place: Path):
    (place / "people.csv").write_text(f"name,card,age\nAda,{SECRET},36\nBob,4711,x\nCy,{SECRET}\n")
    text = MASKED.format(
        kind="csv", type="INT", step="rename_field: {old_name: card, new_name: number}", masked="number"
    )
    run_job(text)
    assert SECRET not in everything(place)
    assert quarantined("code, record, hidden, message") == [
        ("CAST", '{"name":"Ada","card":"***","age":"36"}', True, f"In {place}/people.csv: `card` is not an int: ***"),
        ("CAST", '{"name":"Bob","card":"***","age":"x"}', True, f"In {place}/people.csv: `age` is not an int: x"),
        (
            "MALFORMED",
            None,
            True,
            f"In {place}/people.csv: The line does not have 3 values. The record is withheld, for it may hold what the"
            " job masks; it stands in its file.",
        ),
    ]


def test_json_keeps_the_other_values(run_job, place: Path):
    (place / "people.json").write_text(
        f'{{"name": "Ada", "card": "{SECRET}", "age": "x"}}\n{{"name": "{SECRET}"\n'
        '{"name": "Bob", "card": "1", "age": 1}\n'
    )
    run_job(
        MASKED.format(kind="json", type="STRING", step="derive_column: {column: c2, expression: card}", masked="c2")
    )
    assert SECRET not in everything(place)
    assert quarantined("record") == [('{"name":"Ada","card":"***","age":"x"}',), (None,)]


def test_many_rejected_rows_are_hidden_too(run_job, place: Path):
    lines = [f"n,{SECRET},{n}" for n in range(10_050)]
    (place / "people.csv").write_text("name,card,age\n" + "\n".join(lines) + "\n")
    run_job(MASKED.format(kind="csv", type="INT", step="drop_fields: {paths: age}", masked="card"))
    assert SECRET not in everything(place)
    assert quarantined("count(*), count(DISTINCT record)") == [(10_050, 10_050)]


@pytest.mark.parametrize("action", ["warn", "reject", "fail"])
def test_rules_show_no_sensitive_value(run_job, place: Path, action, capsys):
    (place / "people.csv").write_text(f"name,card,age\nAda,{SECRET},36\n")
    job = f"""
        inputs: {{people: {{path: people.csv, format: csv, sensitive: [card]}}}}
        tables:
          old:
            from: people
            rules: [{{expression: age > 40, action: {action}, name: old}}]
        outputs: {{old: {{path: out/old, format: parquet}}}}
    """
    if action == "fail":
        with pytest.raises(JobError, match=r"such as .*\*\*\*") as caught:
            run_job(job)
        assert SECRET not in str(caught.value)
    else:
        run_job(job)
    assert SECRET not in everything(place)


def test_a_function_of_the_users_tells_only_the_kind_of_its_error(run_job, place: Path):
    (place / "people.csv").write_text(f"name,card,age\nAda,{SECRET},36\n")
    (place / "own").mkdir()
    (place / "own/fails.py").write_text("def fail(record):\n    raise ValueError('no ' + record['card'][:6])\n")
    run_job(
        MASKED.format(
            kind="csv",
            type="STRING",
            step='map_rows: {function: "own.fails:fail", schema: "card STRING"}',
            masked="card",
        )
    )
    assert "4711-s" not in everything(place)
    assert quarantined("code, message") == [("FUNCTION", "ValueError: ***")]


@pytest.mark.parametrize("conflicts", ["choice", "fail"])
def test_conflicts_show_no_examples_of_it(run_job, place: Path, conflicts):
    (place / "people.json").write_text(f'{{"card": "{SECRET}"}}\n{{"card": 8472914}}\n')
    job = f"""
        inputs: {{people: {{path: people.json, format: json, conflicts: {conflicts}, sensitive: [card]}}}}
        outputs: {{people: {{path: out/people, format: json}}}}
    """
    if conflicts == "fail":
        with pytest.raises(JobError) as caught:
            run_job(job)
        assert SECRET not in str(caught.value)
    else:
        report = run_job(job)
        assert "***" in report.conflicts[0].what
    assert SECRET not in everything(place)
    assert "8472914" not in everything(place)


def test_a_value_that_stops_the_run_is_not_shown(run_job, place: Path):
    (place / "people.csv").write_text(f"name,card,age\nAda,{SECRET},36\n")
    step = "derive_column: {column: number, expression: CAST(card AS INT)}"
    with pytest.raises(JobError, match=r"The value \*\*\*") as caught:
        run_job(MASKED.format(kind="csv", type="STRING", step=step, masked="card"))
    assert SECRET not in str(caught.value)
    assert SECRET not in everything(place)


@pytest.mark.parametrize(
    ("bookmark", "written", "to_do"),
    [
        pytest.param("", "parquet, mode: append", "bring these records in again by a new file.", id="appended"),
        pytest.param(
            ", bookmark: true",
            "delta, mode: merge, keys: [age]",
            "read their files again: all outputs merge. `birchtar bookmark rewind job --to 0`.",
            id="merged",
        ),
    ],
)
def test_rows_with_hidden_values_are_not_replayed(spark, run_job, place: Path, bookmark, written, to_do):
    (place / "people.csv").write_text("name,card,age\nAda,1,x\n")
    text = MASKED.format(kind="csv", type="INT", step="drop_fields: {paths: name}", masked="card")
    run_job(text.replace("format: parquet", f"format: {written}").replace('age INT"', f'age INT"{bookmark}'))
    with Progress(Console(quiet=True), spark.sparkContext) as progress:
        report = replay(load("job.yaml"), spark, open_state(), progress, Selection())[-1]
    assert report.notes[0] == (
        "1 rejected rows were left: values that the job masks are hidden in them, and stand only in"
        f" {place}/people.csv. Correct the job, and {to_do}"
    )
    assert [each.resolved for each in list_rejects(open_state())] == [0]


def test_names_are_followed_to_the_mask_and_from_the_input(config):
    plan = load(
        config("""
            inputs:
              people: {path: people.csv, format: csv, sensitive: [age]}
              towns: {path: towns.csv, format: csv}
            tables:
              mapped:
                from: people
                steps:
                  - apply_mapping: {mappings: [[name, string, who.name, string], [age, int, years, int]]}
                  - hash_columns: {columns: who.name}
                  - filter_rows: {where: years > 1}
              asked: {sql: SELECT town AS place FROM towns}
              last: {from: asked, steps: [redact_columns: {columns: place}]}
            outputs:
              mapped: {path: out/a, format: parquet}
              last: {path: out/b, format: parquet}
        """)
    )
    found = sensitive_fields(plan)
    # Names of later are kept as well: too much is hidden rather than too little.
    assert found["people", "read"] == {("name",), ("age",), ("who", "name")}
    assert found["mapped", "hash_columns"] == {("name",), ("age",), ("who", "name"), ("years",)}
    assert found["mapped", "filter_rows"] == {("name",), ("age",), ("years",)}
    assert found["towns", "read"] == {("town",), ("place",)}


@pytest.mark.parametrize("mode", ["append", "merge, keys: [name]"])
def test_a_constraint_that_a_row_breaks_shows_none_of_its_values(spark, run_job, place: Path, mode):
    (place / "people.csv").write_text("name,pay\nAda,-4711\n")
    spark.sql(f"CREATE TABLE delta.`{place}/out` (name STRING, pay INT) USING delta")
    spark.sql(f"ALTER TABLE delta.`{place}/out` ADD CONSTRAINT paid CHECK (pay > 0)")
    text = "inputs: {people: {path: people.csv, format: csv, schema: {name: STRING, pay: INT}, sensitive: [pay]}}\n"
    with pytest.raises(JobError, match="is violated by a row") as caught:
        run_job(f"{text}outputs: {{people: {{path: out, format: delta, mode: {mode}}}}}\n")
    assert "4711" not in str(caught.value) + everything(place)


@pytest.mark.parametrize(
    ("read", "says"),
    [
        pytest.param("format: csv", "job.yaml:1:\\d+: input people: `sensitive` names `crad`.*mean `card`", id="found"),
        pytest.param(
            "format: csv, schema: 'name STRING, card STRING'", "names `crad`, and there is no such field", id="declared"
        ),
    ],
)
def test_a_sensitive_name_of_no_field_stops_the_run_before_anything_is_written(run_job, place: Path, read, says):
    (place / "people.csv").write_text(f"name,card\nAda,{SECRET}\n")
    text = f"inputs: {{people: {{path: people.csv, {read}, sensitive: [crad]}}}}\n"
    with pytest.raises(JobError, match=says):
        run_job(text + "outputs: {people: {path: out, format: parquet}}\n")
    assert not (place / "out").exists()


def test_a_sensitive_name_that_is_nearly_one_of_the_schema_is_told_without_spark(config):
    read = "path: people.csv, format: csv, schema: {name: STRING, card: STRING}, sensitive: [crad]"
    with pytest.raises(ConfigError, match="the schema has no field `crad`. Did you mean `card`"):
        load(config(f"inputs: {{people: {{{read}}}}}\noutputs: {{people: {{path: out, format: parquet}}}}\n"))


def test_rows_of_json_may_all_lack_a_sensitive_field(run_job, place: Path):
    (place / "people.json").write_text('{"name": "Ada", "items": [{"id": 1}]}\n')
    text = "inputs: {people: {path: people.json, format: json, sensitive: [card, 'items[].id']}}\n"
    report = run_job(text + "outputs: {people: {path: out, format: parquet}}\n")
    assert report.notes == ["input people: `sensitive` names `card`, which no row has."]
