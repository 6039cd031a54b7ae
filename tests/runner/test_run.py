"""Runs of small jobs on real files: what they write, read back by DuckDB, and what they report."""

import json
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from birchtar.runner.failures import JobError


def rows(query: str) -> list[tuple]:
    return duckdb.sql(query).fetchall()


def test_inputs_become_tables_become_outputs(run_job):
    report = run_job(
        """
        tables:
          at_home:
            from: people
            steps:
              - join: {other: towns, keys: [town], other_keys: [id], how: left}
              - drop_fields: {paths: [id]}
          ages: {sql: "SELECT count(*) AS people, sum(age) AS years FROM at_home"}
        outputs:
          at_home: {path: out/at_home, format: parquet}
          ages: {path: out/ages, format: json}
        """
    )
    assert rows("SELECT name, town, age, \".town\" FROM 'out/at_home/*.parquet' ORDER BY name") == [
        ("Ada", 1, 36, "Ulm"),
        ("Bob", 2, 41, "Bonn"),
        ("Cy", None, 7, None),
    ]
    assert rows("SELECT people, years FROM 'out/ages/*.json'") == [(3, 84)]
    assert [(read.name, read.rows, read.bytes) for read in report.inputs] == [("people", 3, 38), ("towns", 2, 21)]
    assert [(wrote.name, wrote.rows, wrote.files) for wrote in report.outputs] == [("at_home", 3, 1), ("ages", 1, 1)]
    assert report.outputs[0].bytes == sum(file.stat().st_size for file in Path("out/at_home").glob("*.parquet"))


def test_a_run_again_replaces_what_it_wrote(run_job):
    job = "tables: {a: {from: people}}"
    run_job(job)
    run_job(job)
    assert rows("SELECT count(*) FROM 'out/people/*.parquet'") == [(3,)]
    assert [path.name for path in Path("out").iterdir()] == ["people"]


def count_calls(df: DataFrame, log: str) -> DataFrame:
    """A step of a user's that leaves a line for every row it computes."""

    def noted(batches):
        for batch in batches:
            with Path(log).open("a") as file:
                file.write("row\n" * batch.num_rows)
            yield batch

    return df.mapInArrow(noted, df.schema)


@pytest.fixture
def own_step(place: Path) -> str:
    """The name of `count_calls` in a module that a worker can import too."""
    source = Path(__file__).read_text()
    code = source[source.index("def count_calls") : source.index("@pytest.fixture\ndef own_step")]
    (place / "own_steps").mkdir()
    (place / "own_steps" / "log.py").write_text(
        f"from pathlib import Path\n\nfrom pyspark.sql import DataFrame\n\n\n{code}"
    )
    return "own_steps.log:count_calls"


def test_a_table_that_is_used_twice_is_computed_once(run_job, own_step: str, place: Path):
    run_job(
        f"""
        tables:
          seen: {{from: people, steps: [{{"{own_step}": {{log: {place}/log}}}}]}}
          old: {{from: seen, steps: [{{filter_rows: {{where: age > 30}}}}]}}
          young: {{sql: SELECT * FROM seen WHERE age <= 30}}
        outputs:
          old: {{path: out/old, format: parquet}}
          young: {{path: out/young, format: parquet}}
        """
    )
    assert (place / "log").read_text().count("row") == 3
    assert rows("SELECT name FROM 'out/young/*.parquet'") == [("Cy",)]


def test_a_step_of_sql_sees_its_own_table_so_far_and_the_others(run_job):
    run_job(
        """
        tables:
          named:
            from: people
            steps:
              - sql: SELECT name, town AS id FROM named
              - sql: SELECT n.name, t.town FROM named n JOIN towns t USING (id)
        outputs:
          named: {path: out/named, format: csv}
        """
    )
    assert rows("SELECT * FROM 'out/named/*.csv' ORDER BY 1") == [("Ada", "Ulm"), ("Bob", "Bonn")]


def test_sql_that_only_spark_can_parse_runs(run_job):
    run_job(
        """
        tables:
          parsed:
            sql: SELECT parse_json('{"a":{"b":1}}'):a.b::int AS b, count(*) AS n FROM people GROUP BY ALL
        outputs:
          parsed: {path: out/parsed, format: parquet}
        """
    )
    assert rows("SELECT b, n FROM 'out/parsed/*.parquet'") == [(1, 3)]


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_fields_that_are_null_in_every_row_are_found_in_footers(run_job, spark: SparkSession, place: Path, kind: str):
    df = spark.sql("SELECT 1 AS id, CAST(NULL AS INT) AS x, named_struct('y', CAST(NULL AS STRING), 'z', 2) AS s")
    df.union(df).write.format(kind).save(f"file:{place}/wide")
    run_job(
        f"""
        inputs: {{wide: {{path: wide, format: {kind}}}}}
        tables: {{narrow: {{from: wide, steps: [{{drop_null_fields: {{in_every_row: true}}}}]}}}}
        outputs: {{narrow: {{path: out/narrow, format: parquet}}}}
        """
    )
    assert rows("SELECT * FROM 'out/narrow/*.parquet'") == [(1, {"z": 2}), (1, {"z": 2})]


@pytest.fixture
def orders(place: Path) -> None:
    lines = [{"id": 1, "items": [{"sku": "x"}, {"sku": "y"}]}, {"id": 2, "items": []}, {"id": 3}]
    (place / "orders.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


ORDERS = """
inputs: {orders: {path: orders.jsonl, format: json}}
tables:
  flat: {from: orders, steps: [relationalize]}
"""


@pytest.mark.usefixtures("orders")
def test_the_tables_of_a_collection_get_a_folder_each(run_job):
    report = run_job(ORDERS + "outputs: {flat: {path: out/flat, format: parquet}}\n")
    assert [(wrote.name, wrote.path) for wrote in report.outputs] == [
        ("flat.root", "out/flat/root"),
        ("flat.root_items", "out/flat/root_items"),
    ]
    assert rows(
        "SELECT r.id, i.index, i.\"items.val.sku\" FROM 'out/flat/root/*.parquet' r"
        " JOIN 'out/flat/root_items/*.parquet' i ON r.items = i.id ORDER BY 1, 2"
    ) == [(1, 0, "x"), (1, 1, "y")]


@pytest.mark.usefixtures("orders")
def test_one_table_of_a_collection_is_taken_up_by_name(run_job):
    run_job(
        ORDERS
        + """
  skus: {from: flat.root_items, steps: [{sql: SELECT `items.val.sku` AS sku FROM skus}]}
  joined:
    sql: >
      SELECT root.id, count(i.id) AS n FROM flat.root
      LEFT JOIN flat.root_items i ON root.items = i.id GROUP BY ALL
outputs:
  skus: {path: out/skus, format: parquet}
  joined: {path: out/joined, format: parquet}
  flat.root: {path: out/root, format: orc}
"""
    )
    assert rows("SELECT sku FROM 'out/skus/*.parquet' ORDER BY 1") == [("x",), ("y",)]
    assert rows("SELECT id, n FROM 'out/joined/*.parquet' ORDER BY 1") == [(1, 2), (2, 0), (3, 0)]


@pytest.mark.usefixtures("orders")
def test_an_unknown_member_of_a_collection_is_told_with_those_there_are(run_job, place: Path):
    with pytest.raises(JobError) as caught:
        run_job(ORDERS + "outputs: {flat.root_item: {path: out, format: csv}}\n")
    assert str(caught.value) == (
        f"{place}/job.yaml:4:11: output flat.root_item: there is no table `flat.root_item`."
        " Did you mean `flat.root_items`?"
    )


def test_names_that_differ_in_case_alone_are_told_and_a_schema_chooses(run_job, place: Path):
    (place / "x.json").write_text('{"id": 1, "Id": "x", "s": {"k": 1, "K": 2}}\n')
    job = "inputs: {x: {path: x.json, format: json%s}}\noutputs: {x: {path: out, format: parquet}}\n"
    with pytest.raises(JobError, match="`id` is there twice, .*caseSensitive: true.* let a JSON input's `schema`"):
        run_job(job % "")
    run_job(job % ', schema: {Id: STRING, s: "STRUCT<K: INT>"}')
    assert rows("SELECT \"Id\", s FROM 'out/*.parquet'") == [("x", {"K": 2})]


def test_no_rows_at_all_replace_what_a_condition_holds_for(run_job, place: Path):
    job = (
        'inputs: {days: {path: days.csv, format: csv, schema: "id INT, day DATE"}}\n'
        "outputs: {days: {path: out, format: delta, mode: overwrite, replace_where: id > 1}}\n"
    )
    (place / "days.csv").write_text("id,day\n2,2024-01-03\n")
    run_job(job)
    (place / "days.csv").write_text("id,day\n")
    run_job(job)
    assert DeltaTable(str(place / "out")).to_pyarrow_table().num_rows == 0


def test_rows_that_cannot_be_read_go_to_the_quarantine_and_the_good_ones_on(run_job, place: Path):
    (place / "people.csv").write_text("name,town,age\nAda,1,36\nBob,2,old\nCy,7\nDi,,9\n")
    report = run_job(
        """
        inputs: {people: {path: people.csv, format: csv, schema: {name: string, age: int}}}
        outputs: {people: {path: out/people, format: parquet}}
        """
    )
    assert rows("SELECT * FROM 'out/people/*.parquet' ORDER BY 1") == [("Ada", 36), ("Di", 9)]
    assert [(reject.table, reject.step, reject.rows) for reject in report.rejects] == [("people", "read", 2)]
    assert report.inputs[0].rows == 4
    assert rows("SELECT \"table\", step, code, record FROM 'data/quarantine/job/*.parquet' ORDER BY code") == [
        ("people", "read", "CAST", '{"name":"Bob","town":"2","age":"old"}'),
        ("people", "read", "MALFORMED", "Cy,7"),
    ]


def test_a_row_that_a_function_rejects_is_not_lost(run_job, place: Path):
    (place / "own_maps").mkdir()
    (place / "own_maps" / "maps.py").write_text("def halve(row):\n    return {'half': 100 // row['town']}\n")
    (place / "people.csv").write_text("name,town,age\nAda,2,36\nBob,0,41\n")
    report = run_job(
        """
        tables: {halves: {from: people, steps: [{map_rows: {function: "own_maps.maps:halve", schema: half INT}}]}}
        outputs: {halves: {path: out/halves, format: parquet}}
        """
    )
    assert rows("SELECT * FROM 'out/halves/*.parquet'") == [(50,)]
    assert [(reject.table, reject.step, reject.rows) for reject in report.rejects] == [("halves", "map_rows", 1)]
    ((record, message),) = rows("SELECT record, message FROM 'data/quarantine/job/*.parquet'")
    assert json.loads(record)["name"] == "Bob"
    assert "ZeroDivisionError" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "tables: {a: {from: people, steps: [{filter_rows: {where: agee > 3}}]}}\n"
            "outputs: {a: {path: o, format: csv}}",
            "2:37: step filter_rows of table a: filter_rows, `where`: There is no column `agee`. Did you mean `age`?",
            id="an unknown column in a condition",
        ),
        pytest.param(
            "tables: {a: {sql: SELECT nmae FROM people}}\noutputs: {a: {path: o, format: csv}}",
            "2:19: step sql of table a: A column, variable, or function parameter with name `nmae` cannot be resolved."
            " Did you mean one of the following?",
            id="an unknown column in SQL",
        ),
        pytest.param(
            "tables: {a: {sql: SELECT raise_error('too old') AS x FROM people}}\noutputs: {a: {path: o, format: csv}}",
            "3:11: output a: too old",
            id="an error in a row",
        ),
        pytest.param(
            "tables: {a: {sql: SELECT 1 / (age - 36) AS x FROM people}}\noutputs: {a: {path: o, format: csv}}",
            "3:11: output a: Division by zero.",
            id="arithmetic that fails in a row",
        ),
        pytest.param(
            "tables: {a: {sql: SELECT CAST(name AS INT) AS x FROM people}}\noutputs: {a: {path: o, format: csv}}",
            '3:11: output a: The value \'Ada\' of the type "STRING" cannot be cast to "INT" because it is malformed.'
            " Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed"
            " input and return NULL instead. The step `cast_fields` with `misfits: reject` sends such rows to the"
            " quarantine.",
            id="a cast that fails in a row",
        ),
        pytest.param(
            "outputs: {people: {path: o, format: delta, partition_by: [twon]}}",
            "2:11: output people: partition_by: there is no column `twon`.",
            id="an unknown partition column",
        ),
        pytest.param(
            "inputs: {people: {path: people.csv, format: parquet}}\noutputs: {people: {path: o, format: csv}}",
            "1:10: input people: ",
            id="files of another format",
        ),
        pytest.param(
            "inputs: {people: {path: people.csv, format: csv, schema: {nam: string}}}\n"
            "outputs: {people: {path: o, format: csv}}",
            "1:10: input people: {place}/people.csv: the schema names `nam`, which the files do not have."
            " They have: name, town, age.",
            id="a schema that the file does not have",
        ),
        pytest.param(
            "inputs: {people: {path: [people.csv, towns.csv], format: csv, schema: {name: string}}}\n"
            "outputs: {people: {path: o, format: csv}}",
            "2:11: output people: {place}/towns.csv: its header has 2 columns, that of the first file 3. The CSV files"
            " of an input need the same columns in the same order: read those that differ as an input of their own, and"
            " put them together with `union`, which goes by names.",
            id="files of several headers",
        ),
        pytest.param(
            "tables: {a: {from: people, steps: ['own_bad.bad:fails']}}\noutputs: {a: {path: o, format: csv}}",
            "2:36: step own_bad.bad:fails of table a: KeyError: 'x'",
            id="a user's step that raises",
        ),
        pytest.param(
            "tables: {a: {from: people, steps: ['own_bad.bad:gives_text']}}\noutputs: {a: {path: o, format: csv}}",
            "2:36: step own_bad.bad:gives_text of table a: gave str, not a DataFrame.",
            id="a user's step that gives no frame",
        ),
        pytest.param(
            "tables: {a: {from: people, steps: ['own_bad.bad:fails_later']}}\noutputs: {a: {path: o, format: csv}}",
            "3:11: output a: ZeroDivisionError: division by zero (in ",
            id="a user's function that raises in a row",
        ),
    ],
)
def test_a_failure_is_a_sentence_and_the_place(run_job, place: Path, text: str, expected: str):
    (place / "own_bad").mkdir()
    (place / "own_bad" / "bad.py").write_text(
        "def fails(df):\n    return {}['x']\n\n\n"
        "def gives_text(df):\n    return 'text'\n\n\n"
        "def fails_later(df):\n    return df.mapInArrow(lambda batches: (1 / 0 for b in batches), df.schema)\n"
    )
    with pytest.raises(JobError) as caught:
        run_job(text)
    said = str(caught.value)
    assert said.startswith(f"{place}/job.yaml:{expected.format(place=place)}"), said
    assert "\tat " not in said
    assert "SQLSTATE" not in said
    assert not (place / "o").exists()
