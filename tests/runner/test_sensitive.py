"""What a job masks is nowhere to be read: not in the quarantine, not in a message."""

import json
import re
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest
from pyspark.errors import AnalysisException, PySparkTypeError
from rich.console import Console

from birchtar.runner.failures import JobError
from birchtar.runner.harmless import harmless
from birchtar.runner.hidden import hide, hide_example, hide_values
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


@pytest.mark.parametrize(
    ("mode", "says"),
    [("append", "is violated by a row"), ("merge, keys: [name]", "1 rows break the table's constraint `pay > 0`")],
)
def test_a_constraint_that_a_row_breaks_shows_none_of_its_values(spark, run_job, place: Path, mode, says):
    (place / "people.csv").write_text("name,pay\nAda,-4711\n")
    spark.sql(f"CREATE TABLE delta.`{place}/out` (name STRING, pay INT) USING delta")
    spark.sql(f"ALTER TABLE delta.`{place}/out` ADD CONSTRAINT paid CHECK (pay > 0)")
    text = "inputs: {people: {path: people.csv, format: csv, schema: {name: STRING, pay: INT}, sensitive: [pay]}}\n"
    with pytest.raises(JobError, match=says) as caught:
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


def test_a_secret_is_hidden_under_every_name_it_gets(run_job, place: Path):
    rows = [
        {"id": 99, "card": "4711-1", "person": {"card": "4711-3333", "name": "Ada"}, "tags": ["4711-4", "b"]},
        {"id": 98, "card": None, "person": {"card": None, "name": "Bo"}, "tags": []},
    ]
    (place / "i.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = {
        "field": ("sql: SELECT id, person.card FROM i", {"id": 99, "card": "***"}),
        "unnamed": ("sql: SELECT id, upper(card) FROM i", None),
        "struct": ("sql: SELECT id, person.* FROM i", {"id": 99, "card": "***", "name": "Ada"}),
        "union": ("sql: SELECT id, 'x' AS y FROM i UNION SELECT id, card FROM i", {"id": 99, "y": "***"}),
        "view": (
            "sql: SELECT id, c FROM i LATERAL VIEW explode(tags) t AS c",
            {"id": 99, "c": "***"},
        ),
        "flat": (
            "from: i, steps: [select_fields: {paths: [id, person]}, flatten: {}]",
            {"id": 99, "person.card": "***", "person.name": "Ada"},
        ),
        "text": (
            "from: i, steps: [select_fields: {paths: [id, person]}, cast_fields: {types: {person: string}}]",
            {"id": 99, "person": "***"},
        ),
    }
    rule = "rules: [{expression: id < 99, action: reject, name: none}]"
    tables = "".join(
        f"  {name}: {{{text}, {rule}}}\n" if text.startswith("from") else f"  {name}:\n    {text}\n    {rule}\n"
        for name, (text, _) in made.items()
    )
    outputs = "".join(f"  {name}: {{path: out/{name}, format: json}}\n" for name in made)
    run_job(
        "inputs: {i: {path: i.json, format: json, sensitive: [card, person.card, tags]}}\n"
        f"tables:\n{tables}outputs:\n{outputs}"
    )
    assert "4711" not in everything(place)
    found = quarantined('"table", record')
    for name, (_, record) in made.items():
        records = [text and json.loads(text) for table, text in found if table == name]
        assert record in records, name


def test_values_that_stop_a_run_are_not_shown_whatever_spark_calls_them(run_job, place: Path):
    (place / "people.csv").write_text("name,card\nO'Brien 4711,4711222233334444\n")
    (place / "own").mkdir()
    (place / "own/stops.py").write_text(
        "from pyspark.sql import functions as F\n\n\n"
        "def on_the_driver(df):\n    raise KeyError(df.first().card)\n\n\n"
        "def in_spark(df):\n    return df.withColumn('card', F.udf(lambda text: int(text[:4] + 'x'))('card'))\n"
    )
    read = "{path: people.csv, format: csv, schema: 'name STRING, card STRING', sensitive: [name]}"
    stops = {
        "with_fields: {fields: {card: CAST(CAST(card AS BIGINT) AS INT)}}": (
            r'The value \*\*\* of the type "BIGINT" cannot be cast to "INT" due to an overflow'
        ),
        "derive_column: {column: n, expression: CAST(name AS INT)}": (
            r'The value \*\*\* of the type "STRING" .* The step `cast_fields` with `misfits: reject`'
        ),
        "with_fields: {fields: {card: 'to_timestamp(card, ''yyyy-MM'')'}}": r"\*\*\*\. Use `try_to_timestamp` to",
        "with_fields: {fields: {card: 'CAST(CAST(card AS DOUBLE) AS DECIMAL(5, 2))'}}": (
            r"\*\*\* cannot be represented as Decimal\(5, 2\)"
        ),
        "with_fields: {fields: {card: 'map_from_arrays(array(card, card), array(1, 2))[card]'}}": (
            r"Duplicate map key \*\*\* was found"
        ),
        "with_fields: {fields: {card: 'from_json(card, ''array<int>'', map(''mode'', ''FAILFAST''))[0]'}}": (
            r"Malformed records are detected in record parsing: \*\*\*"
        ),
        "with_fields: {fields: {card: raise_error(card)}}": r"output safe: \*\*\*",
        '"own.stops:on_the_driver": {}': r"KeyError \(in on_the_driver, .*stops.py:5\)",
        '"own.stops:in_spark": {}': r"ValueError \(in <lambda>, .*stops.py:9\)",
        "filter_rows: {where: nope > 1}": r"step filter_rows of table safe: .* There is no column `nope`",
    }
    for step, says in stops.items():
        with pytest.raises(JobError, match=f"(?s)job.yaml:.*: .*{says}") as caught:
            run_job(
                f"""
                inputs: {{people: {read}}}
                tables:
                  safe:
                    from: people
                    steps:
                      - {step}
                      - mask_columns: {{columns: card}}
                outputs: {{safe: {{path: out/safe, format: json}}}}
                """
            )
        assert "4711" not in str(caught.value), step
    assert "4711" not in everything(place)


def test_what_is_repeated_of_another_error_is_told_anew():
    try:
        raise ValueError("7")
    except ValueError as error:
        told = JobError("job.yaml:7:9: step own.module:f of table safe: 7")
        told.__cause__ = error
    assert re.fullmatch(r"job.yaml:7:9: step own.module:f of table safe: ValueError \(in .*", harmless(told))


def test_spark_tells_names_and_types_where_there_is_no_row(spark):
    with pytest.raises(AnalysisException) as caught:
        spark.range(1).select("nope")
    assert "`nope` cannot be resolved" in harmless(caught.value)
    assert harmless(PySparkTypeError("[NO_SUCH_CONDITION] 4711")).startswith("Spark says NO_SUCH_CONDITION. The rest")
    assert "4711" not in harmless(PySparkTypeError("[4711] 4711"))


def test_an_error_of_publishing_is_not_shown_either(run_job, place: Path, monkeypatch):
    (place / "people.csv").write_text(f"name,card\nAda,{SECRET}\n")

    def fail(*_):
        raise ValueError(SECRET)

    monkeypatch.setattr("birchtar.runner.publication.publish", fail)
    text = "inputs: {people: {path: people.csv, format: csv, sensitive: [card]}}\n"
    for _ in range(2):  # the second run only finishes the first
        with pytest.raises(JobError, match="(?s)output people: ValueError .*Everything is computed") as caught:
            run_job(text + "outputs: {people: {path: out, format: parquet}}\n")
        assert SECRET not in str(caught.value) + everything(place)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("code", "message", "record", "message_shown", "record_shown"),
    [
        pytest.param("CAST", "`card` is not an int: 1.50", '{"card":1.50,"n":2.0}', "`card` is not an int: ***", None),
        pytest.param("CAST", "no 4711222233334444L", '{"card":4711222233334444,"n":2.0}', "no ***", None),
        pytest.param("CAST", "no 150.0", '{"card":1.5e2,"n":2.0}', "no ***", None),
        pytest.param("CAST", "no 12", '{"card":1,"n":2.0}', "no 12", None),
    ],
)
def test_numbers_are_hidden_as_the_record_has_them(code, message, record, message_shown, record_shown):
    found = hide(code, message, record, frozenset({("card",)}))
    assert found == (message_shown, record_shown or '{"card":"***","n":2.0}', True)


def test_a_record_of_which_anything_may_be_hidden_is_withheld():
    message, record, is_hidden = hide("CAST", "`age` is not an int: x", '{"age":"x"}', frozenset({()}))
    assert (record, is_hidden) == (None, True)
    assert message.startswith("`age` is not an int: ***")
    assert hide_example('{"age":"x"}', frozenset({()})) == "***"
    assert hide("FUNCTION", "KeyError: '4711'", "no JSON", frozenset({("card",)})).message.startswith("KeyError: ***")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`n` is declared int, but the function returned str: '47'.", "but the function returned str: ***."),
        ("`n` is declared tinyint, which cannot hold 4711.", "which cannot hold ***."),
    ],
)
def test_what_a_function_makes_of_values_is_not_told(said, shown):
    assert hide("SCHEMA", said, '{"card":"4711-1"}', frozenset({("card",)})).message.endswith(shown)


def test_all_that_is_inside_a_hidden_field_is_hidden():
    record = '{"person.card":1,"Person":{"card":2},"a":{"struct":{"b":3,"c":4}},".zip":5,"zip":6}'
    found = hide("RULE", None, record, frozenset({("person",), ("a", "b"), ("", "zip")}))
    assert found.record == '{"person.card":"***","Person":"***","a":{"struct":{"b":"***","c":4}},".zip":"***","zip":6}'


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The value 'O'Brien 4711' of the type", "The value *** of the type"),
        ("The value 4711L of `card`", "The value *** of `card`"),
        ("Text `card` and the value 'x'", "Text `card` and the value ***"),
    ],
)
def test_values_are_hidden_up_to_their_last_quote(said, shown):
    assert hide_values(said) == shown


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ("pivot: {columns: card, aggregate: max, values_of: id}", True),
        ("pivot: {columns: [town, card], aggregate: max, values_of: id}", True),
        ("pivot: {columns: card, aggregate: max, values_of: id, values: [a]}", False),
        ("pivot: {columns: town, aggregate: max, values_of: id}", False),
        ("hash_columns: {columns: card}, pivot: {columns: card, aggregate: max, values_of: id}", False),
    ],
)
def test_hidden_values_become_no_names_of_columns(config, place, steps, refused):
    (place / "people.csv").write_text("id,town,card\n")
    listed = "".join(f"\n      - {step}" for step in re.split(r", (?=pivot)", steps))
    path = config(
        f"""
inputs:
  people: {{path: people.csv, format: csv, schema: 'id INT, town STRING, card STRING', sensitive: [card]}}
tables:
  wide:
    from: people
    steps:{listed}
outputs:
  wide: {{path: out, format: parquet}}
"""
    )
    says = "the values of `card`, which nobody may read, would become names of columns"
    with pytest.raises(ConfigError, match=says) if refused else nullcontext():
        load(path)
