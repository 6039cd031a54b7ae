"""Rejected rows go through the corrected job once more, exactly once."""

import json
import sys
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from killed_run import Began, Death
from rich.console import Console
from sqlalchemy import update
from typer.testing import CliRunner

from birchtar.runner.cli import app
from birchtar.runner.failures import JobError
from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.quarantined import records
from birchtar.runner.replay import replay
from birchtar.runner.replayable import flows, require_adding
from birchtar.runner.replayed import Selection, chosen_records
from birchtar.state.database import open_state
from birchtar.state.history import list_runs
from birchtar.state.quarantine import list_rejects
from birchtar.state.runs import begin
from birchtar.state.tables import runs

JOB = """
inputs:
  orders: {path: orders, format: csv, schema: "id INT, town STRING, amount INT", bookmark: true}
  events: {path: events, format: json, schema: "id INT, kind STRING", bookmark: true}
  towns: {path: towns.csv, format: csv}
tables:
  known:
    from: orders
    steps:
      - lookup: {other: towns, keys: [town], columns: [land]}
    rules:
      - {not_null: [land], action: reject, name: land}
outputs:
  known: {path: out/known, format: delta, mode: append}
  events: {path: out/events, format: parquet, mode: append}
"""

CORRECTED = JOB.replace("format: csv, schema", "format: csv, null_values: [many], schema").replace("reject", "warn")


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(JOB)
    for name in ("orders", "events"):
        (tmp_path / name).mkdir()
    (tmp_path / "towns.csv").write_text("town,land\nUlm,BW\nBonn,NW\n")
    (tmp_path / "orders/1.csv").write_text("id,town,amount\n1,Ulm,10\n2,Bonn,many\n3,Kiel,30\n4,Ulm\n5,Bonn,50\n")
    (tmp_path / "events/1.json").write_text('{"id": 1, "kind": "a"}\n{"id": 2, "kind": 7}\n{"id": "x", "kind": 8}\n')
    return tmp_path


@pytest.fixture
def replay_job(spark):
    def go(**chosen):
        with Progress(Console(quiet=True), spark.sparkContext) as progress:
            return replay(load("job.yaml"), spark, open_state(), progress, Selection(**chosen))[-1]

    return go


def known():
    files = DeltaTable("out/known").file_uris()
    return duckdb.sql(f"SELECT id, town, land FROM read_parquet({files}) ORDER BY ALL").fetchall()


def quarantined(columns):
    return duckdb.sql(f"SELECT {columns} FROM 'data/quarantine/job/*.parquet' ORDER BY ALL").fetchall()


def index():
    return sorted(
        (each.table, each.step, each.code, each.run, each.rows, each.resolved) for each in list_rejects(open_state())
    )


FIRST = [
    ("events", "read", "MALFORMED", 1, 1, 0),
    ("known", "rules", "RULE", 1, 1, 0),
    ("orders", "read", "CAST", 1, 1, 0),
    ("orders", "read", "MALFORMED", 1, 1, 0),
]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("{sql: SELECT * FROM a JOIN b USING (id)}", ["a"]),
        ("{sql: SELECT id FROM a UNION ALL SELECT id FROM b}", ["a", "b"]),
        ("{sql: WITH x AS (SELECT * FROM b) SELECT * FROM a JOIN x UNION (SELECT * FROM c)}", ["a", "c"]),
        ("{sql: SELECT * FROM (SELECT id FROM c UNION SELECT id FROM b) JOIN a USING (id)}", ["b", "c"]),
        ("{sql: SELECT id FROM a EXCEPT SELECT id FROM b}", ["a"]),
        ("{from: a, steps: [sql: SELECT id FROM t UNION ALL SELECT id FROM b]}", ["a", "b"]),
        ("{from: a, steps: [sql: SELECT * FROM b JOIN t USING (id)]}", ["a"]),
    ],
)
def test_of_each_side_of_a_union_the_rows_flow(lake: Path, table, expected):
    inputs = "".join(f"  {name}: {{path: towns.csv, format: csv}}\n" for name in "abc")
    outputs = "outputs: {t: {path: out, format: delta, mode: append}}"
    (lake / "job.yaml").write_text(f"inputs:\n{inputs}tables:\n  t: {table}\n{outputs}\n")
    assert sorted(flows(load("job.yaml"))) == expected


def test_rows_go_through_the_corrected_job_and_are_resolved(lake: Path, run_file, replay_job):
    run_file()
    assert known() == [(1, "Ulm", "BW"), (5, "Bonn", "NW")]
    assert index() == FIRST
    (lake / "job.yaml").write_text(CORRECTED)
    report = replay_job()
    assert known() == [(1, "Ulm", "BW"), (2, "Bonn", "NW"), (3, "Kiel", None), (5, "Bonn", "NW")]
    assert [(each.name, each.rows) for each in report.inputs] == [("orders", 2), ("events", 1), ("towns", 2)]
    again = quarantined("record, file, id IN (SELECT replay_of FROM 'data/quarantine/job/*.parquet'), run")
    assert ("4,Ulm", str(lake / "orders/1.csv"), True, 1) in again
    assert ("4,Ulm", str(lake / "orders/1.csv"), None, 2) in again
    assert [(each.kind, each.state) for each in list_runs(open_state())] == [
        ("replay", "SUCCEEDED"),
        ("run", "SUCCEEDED"),
    ]
    assert [row for row in index() if row[3] == 1] == [(*row[:5], 1) for row in FIRST]
    assert [row for row in index() if row[3] == 2] == [
        ("events", "read", "MALFORMED", 2, 1, 0),
        ("orders", "read", "MALFORMED", 2, 1, 0),
    ]


def test_rows_are_replayed_once(lake: Path, run_file, replay_job, spark):
    run_file()
    (lake / "job.yaml").write_text(CORRECTED)
    replay_job(table="known")
    replay_job(table="known")
    assert [row[0] for row in known()] == [1, 3, 5]
    replay_job(where="record LIKE '%many%'")
    assert [row[0] for row in known()] == [1, 2, 3, 5]
    assert [row[5] for row in index()] == [0, 1, 1, 0]
    for left in (records("job"), chosen_records(spark, "job", Selection(), 20)):
        assert [(row["table"], row["code"]) for row in left] == [("events", "MALFORMED"), ("orders", "MALFORMED")]
    assert "nothing to replay" in replay_job(table="known").notes[0]


def test_only_the_chosen_rows_are_replayed(lake: Path, run_file, replay_job):
    run_file()
    (lake / "job.yaml").write_text(CORRECTED)
    replay_job(reason="CAST")
    assert [row[0] for row in known()] == [1, 2, 5]
    replay_job(rule="land", run=1)
    assert [row[0] for row in known()] == [1, 2, 3, 5]
    with pytest.raises(JobError, match="--where"):
        replay_job(where="no_column = 1")


def test_a_row_that_a_rule_rejected_comes_back_as_it_was(lake: Path, run_file, replay_job, spark):
    times = "TIMESTAMP '2024-01-02 03:04:05.123456' AS t, TIMESTAMP_NTZ '1600-01-01 00:00:00.000001' AS n"
    spark.sql(f"SELECT 1 AS id, {times}, map(7, 'x') AS m").write.parquet(str(lake / "times"))
    job = """
        inputs: {times: {path: times, format: parquet}}
        tables: {good: {from: times, rules: [{expression: id > %s, action: reject}]}}
        outputs: {good: {path: out/times, format: parquet, mode: append}}
    """
    (lake / "job.yaml").write_text(job % 1)
    run_file()
    (lake / "job.yaml").write_text(job % 0)
    replay_job()
    assert duckdb.sql("SELECT id, t::VARCHAR, n::VARCHAR, m[7] FROM 'out/times/*.parquet'").fetchall() == [
        (1, "2024-01-02 03:04:05.123456", "1600-01-01 00:00:00.000001", "x")
    ]


def test_a_row_enters_at_the_step_that_rejected_it(lake: Path, run_file, replay_job):
    (lake / "halving").mkdir()
    (lake / "halving/steps.py").write_text(
        "def half(record):\n    return {**record, 'n': 10 // (record['n'] - LEAST)}\nLEAST = 1\n"
    )
    job = """
        inputs: {numbers: {path: numbers.json, format: json, schema: "n INT"}}
        tables:
          halves:
            from: numbers
            steps:
              - derive_column: {column: n, expression: n + 1}
              - map_rows: {expressions: {n: n}}
              - map_rows: {function: "halving.steps:half", schema: "n INT"}
        outputs: {halves: {path: out/halves, format: parquet, mode: append}}
    """
    (lake / "numbers.json").write_text('{"n": 0}\n{"n": 1}\n')
    (lake / "job.yaml").write_text(job)
    run_file()
    assert duckdb.sql("SELECT * FROM 'out/halves/*.parquet'").fetchall() == [(10,)]
    assert index() == [("halves", "map_rows 2", "FUNCTION", 1, 1, 0)]
    sys.modules["halving.steps"].LEAST = -1
    replay_job()
    assert duckdb.sql("SELECT * FROM 'out/halves/*.parquet' ORDER BY ALL").fetchall() == [(5,), (10,)]


def test_an_output_that_is_overwritten_is_refused(lake: Path, run_file, replay_job):
    run_file()
    (lake / "job.yaml").write_text(
        JOB.replace(", bookmark: true", "").replace("format: delta, mode: append", "format: delta")
    )
    with pytest.raises(JobError, match="output known: `mode: overwrite` replaces what is there"):
        replay_job()


EVENTS = """
inputs:
  events: {path: mixed, format: json, conflicts: %s, bookmark: %s, options: {allowSingleQuotes: %s}}
outputs:
  events: {path: out/mixed, format: parquet, mode: append}
"""


@pytest.fixture
def mixed(lake: Path):
    (lake / "mixed").mkdir()
    (lake / "mixed/1.json").write_text("""{"id": 1, "kind": "a"}\n{"id": 2, "kind": 7}\n{'id': 3, 'kind': 8}\n[4]\n""")
    return lake


@pytest.mark.parametrize("bookmark", ["true", "false"])
def test_records_are_read_again_with_the_types_that_all_rows_had_together(mixed, run_file, replay_job, bookmark):
    (mixed / "job.yaml").write_text(EVENTS % ("string", bookmark, "false"))
    run_file()
    (mixed / "job.yaml").write_text(EVENTS % ("string", bookmark, "true"))
    replay_job()
    rows = duckdb.sql("SELECT id, kind FROM 'out/mixed/*.parquet' ORDER BY id").fetchall()
    assert rows == [(1, "a"), (2, "7"), (3, "8")]
    assert quarantined("record, run") == [("[4]", 1), ("[4]", 2), ("{'id': 3, 'kind': 8}", 1)]


def test_records_whose_values_get_their_places_by_those_of_all_rows_are_not_replayed(mixed, run_file, replay_job):
    (mixed / "job.yaml").write_text(EVENTS % ("rescue", "true", "false"))
    run_file()
    why = "`conflicts: rescue`, by which a value's place depends on the values of all rows. Bring these records in"
    with pytest.raises(JobError, match=why):
        replay_job()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        pytest.param(
            "{from: orders, steps: [{join: {other: towns, keys: [town], how: outer}}]}",
            "job.yaml:7:\\d+: table known: a replay cannot go through `join` with `how: outer`: it would bring all"
            " rows of the other table again",
            id="a step",
        ),
        pytest.param(
            "{sql: SELECT * FROM orders RIGHT JOIN towns USING (town)}",
            "job.yaml:7:\\d+: table known: a replay cannot go through a query with a right join",
            id="a query",
        ),
        pytest.param(
            "{from: orders, steps: [{aggregate: {aggregations: [[amount, sum]], groups: [town]}}]}",
            "job.yaml:7:\\d+: table known: a replay cannot go through `aggregate`: it would make rows of the rejected",
            id="sums",
        ),
        pytest.param(
            "{sql: 'SELECT town, count(*) AS n FROM orders GROUP BY town'}",
            "job.yaml:7:\\d+: table known: a replay cannot go through a query with GROUP BY",
            id="a query of groups",
        ),
    ],
)
def test_what_needs_more_than_the_rejected_rows_is_refused_with_its_place(lake: Path, table, says):
    tables = JOB.index("  known:\n    from"), JOB.index("outputs:")
    (lake / "job.yaml").write_text(f"{JOB[: tables[0]]}  known: {table}\n{JOB[tables[1] :]}")
    with pytest.raises(JobError, match=says):
        require_adding(load("job.yaml"))


def test_how_partitions_that_are_replaced_are_read_again_is_said(lake: Path):
    replaced = "overwrite_partitions, partition_by: [id], partitions_arrive_whole: true}"
    (lake / "job.yaml").write_text(JOB.replace("append}", replaced, 1))
    says = "all rows are read, when `birchtar bookmark rewind job --to RUN` or a backfill has their files read again"
    with pytest.raises(JobError, match=says):
        require_adding(load("job.yaml"))


def test_lines_of_csv_of_which_bytes_are_lost_are_left_and_those_of_json_come_in(lake: Path, run_file, replay_job):
    (lake / "orders/1.csv").write_bytes("id,town,amount\n1,Köln,10\n2,Köln\n".encode("latin-1"))
    (lake / "events/1.json").write_bytes('{"id": 1, "kind": "ü"}\n'.encode("latin-1"))
    run_file()
    latin = "options: {encoding: ISO-8859-1}, schema"
    (lake / "job.yaml").write_text(CORRECTED.replace("schema", latin))
    report = replay_job()
    file = lake / "orders/1.csv"
    assert report.notes[0].startswith(
        f"2 rejected rows were left: bytes that are no text are not kept in them, and stand only in {file}. Correct the"
        " input's encoding, and bring these records in again by a new file."
    )
    assert duckdb.sql("SELECT * FROM 'out/events/*.parquet'").fetchall() == [(1, "ü")]
    assert index() == [
        ("events", "read", "ENCODING", 1, 1, 1),
        ("orders", "read", "ENCODING", 1, 1, 0),
        ("orders", "read", "MALFORMED", 1, 1, 0),
    ]


XML_JOB = """
inputs:
  orders: {path: orders, format: xml, row_tag: order, schema: "_id INT, amount INT, day INT", bookmark: true}
outputs:
  orders: {path: out/orders, format: parquet, mode: append}
"""


def test_elements_are_rejected_one_by_one_and_replayed(lake: Path, run_file, replay_job):
    (lake / "job.yaml").write_text(XML_JOB)
    folder = lake / "orders/day=3"
    folder.mkdir()
    (lake / "orders/1.csv").unlink()
    good, many = '<order id="1"><amount>10</amount></order>', '<order id="2"><amount>many</amount></order>'
    (folder / "1.xml").write_text(f'<orders>{good}\n{many}\n<order id="3"><amount>5</order>\n</orders>')
    assert [source.rows for source in run_file().inputs] == [3]
    assert quarantined("code, record, position, file") == [
        ("MALFORMED", '<order id="2"><amount>many</amount></order>', 2, str(folder / "1.xml")),
        ("MALFORMED", '<order id="3"><amount>5</order>', 3, str(folder / "1.xml")),
    ]
    (lake / "job.yaml").write_text(XML_JOB.replace("bookmark", "options: {nullValue: many}, bookmark"))
    replay_job()
    rows = duckdb.sql("SELECT * FROM 'out/orders/*.parquet' ORDER BY ALL").fetchall()
    assert rows == [(1, 10, 3), (2, None, 3)]
    assert index() == [("orders", "read", "MALFORMED", 1, 2, 2), ("orders", "read", "MALFORMED", 2, 1, 0)]
    assert run_file().inputs[0].rows == 0


def test_rows_of_a_table_that_is_only_looked_up_are_not_replayed(lake: Path, run_file, replay_job):
    looked_up = "tables:\n  good_towns: {from: towns, rules: [{in: {column: town, values: [Ulm]}, action: reject}]}\n"
    (lake / "job.yaml").write_text(JOB.replace("tables:\n", looked_up).replace("other: towns", "other: good_towns"))
    run_file()
    says = "rows of the table `good_towns` are only looked up, so nothing would come of them alone"
    with pytest.raises(JobError, match=says):
        replay_job(table="good_towns")
    assert [row[5] for row in index() if row[0] == "good_towns"] == [0]


def test_rows_of_files_that_know_their_types_are_not_read_again_from_their_json(lake: Path, run_file, replay_job):
    duckdb.sql("COPY (SELECT 1.5 AS n) TO 'numbers.parquet'")
    (lake / "job.yaml").write_text("""
inputs: {numbers: {path: numbers.parquet, format: parquet, schema: n INT, bookmark: true}}
outputs: {numbers: {path: out/numbers, format: parquet, mode: append}}
""")
    assert run_file().rejects[0].codes == {"CAST": 1}
    says = "the input `numbers` is parquet, of which no record is read again from the quarantine"
    with pytest.raises(JobError, match=says):
        replay_job()


def test_a_step_that_is_gone_is_named(lake: Path, run_file, replay_job):
    run_file()
    (lake / "job.yaml").write_text(JOB.replace("known:", "other:"))
    with pytest.raises(JobError, match="rows that known, rules rejected cannot be replayed: the job has no step"):
        replay_job()


def test_the_quarantine_is_listed_and_shown(lake: Path, run_file):
    run_file()
    listed = CliRunner().invoke(app, ["quarantine", "list", "job", "--json"])
    assert [(each["table"], each["code"], each["rows"]) for each in json.loads(listed.output)] == [
        ("events", "MALFORMED", 1),
        ("known", "RULE", 1),
        ("orders", "CAST", 1),
        ("orders", "MALFORMED", 1),
    ]
    assert "data/quarantine/job" in CliRunner().invoke(app, ["quarantine", "list"]).output
    shown = CliRunner().invoke(app, ["quarantine", "show", "job", "--reason", "MALFORMED", "--table", "orders"])
    assert "4,Ulm" in shown.output
    assert "orders/1.csv" in shown.output
    assert "many" not in shown.output
    [line] = CliRunner().invoke(app, ["quarantine", "show", "job", "--rule", "land", "--json"]).output.splitlines()
    assert json.loads(json.loads(line)["record"]) == {"id": 3, "town": "Kiel", "amount": 30, "land": None}


COMPUTING = ("choose", "make tables", "stage all outputs", "stage rejects", "stage resolved", "prepare")
STEPS = [*((step, "before") for step in COMPUTING), ("stage resolved", "after"), ("prepare", "after")]
STEPS += [("publish", "before"), ("publish", "after"), ("mark published", "after"), ("resolve", "after")]
STEPS += [("succeed", "before"), ("succeed", "after"), ("clean", "before")]


@pytest.mark.parametrize(("step", "moment"), STEPS)
def test_a_replay_that_is_killed_and_begun_again_sends_every_row_once(
    in_our_java, lake: Path, run_file, replay_job, step, moment
):
    run_file()
    (lake / "job.yaml").write_text(CORRECTED)
    assert Began(in_our_java, Death(step, moment), replay=True).was_killed()
    replay_job(run=1)
    replay_job(run=1)
    assert known() == [(1, "Ulm", "BW"), (2, "Bonn", "NW"), (3, "Kiel", None), (5, "Bonn", "NW")]
    assert [row for row in index() if row[3] == 1] == [(*row[:5], 1) for row in FIRST]
    resolved = duckdb.sql("SELECT count(*), count(DISTINCT id) FROM 'data/quarantine/_resolved/job/*.parquet'")
    assert resolved.fetchall() == [(4, 4)]
    assert quarantined("count(*) FILTER (run = 1)") == [(4,)]


def test_a_replay_that_died_is_finished_and_does_not_stand_for_the_next(in_our_java, lake: Path, run_file, spark):
    run_file()
    (lake / "job.yaml").write_text(CORRECTED)
    assert Began(in_our_java, Death("prepare", "after"), replay=True).was_killed()
    with Progress(Console(quiet=True), spark.sparkContext) as progress:
        chosen = Selection(table="orders", reason="MALFORMED")
        reports = replay(load("job.yaml"), spark, open_state(), progress, chosen)
    assert [(each.number, sum(done.rows for done in each.resolved)) for each in reports] == [(2, 4), (3, 1)]
    assert [row[3:] for row in index() if row[:3] == ("orders", "read", "MALFORMED")] == [
        (1, 1, 1),
        (2, 1, 1),
        (3, 1, 0),
    ]


def test_a_run_after_a_replay_that_died_reads_what_is_new(lake: Path, run_file):
    run_file()
    begin(open_state(), "job", kind="replay")
    open_state().write(lambda connection: connection.execute(update(runs).values(owner=None)))
    (lake / "orders/2.csv").write_text("id,town,amount\n6,Ulm,60\n")
    run_file()
    assert [row[0] for row in known()] == [1, 5, 6]
    assert [(each.kind, each.state) for each in list_runs(open_state())][:2] == [
        ("run", "SUCCEEDED"),
        ("replay", "FAILED"),
    ]
