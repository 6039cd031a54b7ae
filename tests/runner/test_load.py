"""What a config may not say, and what is said of it: everything at once, with line and column."""

import subprocess
import sys
from pathlib import Path

import pytest
from own_java import without_spark
from typer.testing import CliRunner

from birchtar.runner.cli import app
from birchtar.runner.load import load
from birchtar.runner.problems import ConfigError


def complaints(path: Path, *settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, settings)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "tables:\n  a: {form: people}",
            [
                "3:7: there is no key `form` here. Did you mean `from`?",
            ],
            id="an unknown key",
        ),
        pytest.param(
            "tables:\n  a:\n    from: peple",
            ["4:11: there is no input or table `peple`. Did you mean `people`?"],
            id="an unknown table",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps:\n      - filter_row: {where: age > 9}",
            [
                "6:9: there is no step `filter_row`. Did you mean `filter_rows`?"
                " A function of your own is named as package.module:function."
            ],
            id="an unknown step",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps:\n      - join: {othr: towns, keys: [town], how: lefft}",
            [
                "6:9: `join`: `other` is missing.",
                "6:16: `join`: there is no key `othr` here. Did you mean `other`?",
                "6:48: `join`: `how` cannot be `lefft`. Did you mean `left`?",
            ],
            id="wrong arguments of a step",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps:\n      - join: {other: town, keys: [town]}",
            ["6:23: there is no input or table `town`. Did you mean `towns`?"],
            id="an argument that names no table",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps:\n      - drop_fields: [age]",
            ["6:22: `drop_fields` takes its arguments by name, as a mapping: paths, strict."],
            id="arguments without names",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps:\n      - drop_fields: {paths: 5}",
            ["6:30: `drop_fields`: `paths` has to be a text or a list, not `5` (in quotes it would be a text)."],
            id="a value of the wrong type",
        ),
        pytest.param(
            "tables:\n  a: {from: people, steps: [{drop_fields: {paths: [age]}, sql: x}]}",
            ["3:29: a step has one key, the name of what is to be done; here are `drop_fields`, `sql`."],
            id="two steps in one",
        ),
        pytest.param(
            "tables:\n  a: {from: b}\n  b: {sql: SELECT * FROM a}",
            ["3:3: the tables need each other: a -> b -> a."],
            id="a cycle",
        ),
        pytest.param(
            "tables:\n  a: {from: people, sql: SELECT 1}",
            ["3:3: the table `a` needs either `from` or `sql`."],
            id="two beginnings",
        ),
        pytest.param(
            "tables:\n  people: {from: towns}",
            ["3:3: `people` is the name of an input already."],
            id="a name taken",
        ),
        pytest.param(
            "tables:\n  a.b: {from: people}",
            ["3:3: `a.b` has to be letters, digits and underscores."],
            id="a name that SQL could not say",
        ),
        pytest.param(
            "tables:\n  a: {sql: SELECT * FROM peopel}",
            ["3:12: there is no input or table `peopel`. Did you mean `people`?"],
            id="an unknown table in SQL",
        ),
        pytest.param(
            "tables:\n  a: {sql: DROP TABLE people}",
            ["3:12: the text has to be one query: SELECT, WITH or VALUES."],
            id="SQL that is no query",
        ),
        pytest.param(
            "tables:\n  a: {sql: SELECT * FROM csv.`/etc/passwd`}",
            ["3:12: there is no input or table `csv./etc/passwd`. There are these tables: a, people, towns."],
            id="SQL that reads a file past the inputs",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps: [relationalize, drop_null_fields]",
            ["5:28: nothing can follow a step that makes several tables."],
            id="a step behind a collection",
        ),
        pytest.param(
            "tables:\n  a:\n    from: people\n    steps: [autobalanc, relationalize, drop_null_fields]",
            [
                "5:13: there is no step `autobalanc`. Did you mean `autobalance`? A function of your own is named as"
                " package.module:function.",
                "5:40: nothing can follow a step that makes several tables.",
            ],
            id="a step behind a collection, and one before it that there is not",
        ),
        pytest.param(
            "tables:\n  a: {from: people, steps: [relationalize]}\n  b: {from: a}\n  c: {from: b.root}",
            [
                "4:13: `a` is several tables; name one of them, such as `a.<its name>`.",
                "5:13: `b.root`: the table `b` is one table, not several.",
            ],
            id="a table from several, and a member of one",
        ),
        pytest.param(
            "tables:\n  a: {from: people, steps: [nowhere.at_all:f]}",
            [
                "3:29: there is no module `nowhere` for `nowhere.at_all:f`."
                " It has to be importable from the current folder, or installed."
            ],
            id="a module that is not there",
        ),
        pytest.param(
            "tables:\n  a: {from: people, steps: [transforms.join:jion]}",
            ["3:29: `transforms.join` has no function `jion`. Did you mean `join`?"],
            id="a function that is not there",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: parket, mode: overwite}",
            [
                "3:31: `format` cannot be `parket`. Did you mean `parquet`?",
                "3:45: `mode` cannot be `overwite`. Did you mean `overwrite`?",
            ],
            id="words that are not known",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: delta, mode: upsert, keys: [name], order_by: age}",
            [
                "3:44: `mode` cannot be `upsert`. Did you mean `merge`?"
                " There are these values: append, merge, overwrite, overwrite_partitions, scd2."
            ],
            id="a mode by the name that others give it",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: delta, mod: merge, keys: [name]}",
            ["3:38: there is no key `mod` here. Did you mean `mode`?"],
            id="a mode by a wrong key",
        ),
        pytest.param(
            "tables:\n  a: {from: people, steps: [map_rows: {function: 'fn:boom', schema: id INT}]}",
            [
                "3:50: `map_rows`: `function` has to be a function of your own, named in full as"
                " `package.module:function`, not the text `fn:boom`."
            ],
            id="a function that is not named in full",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: avro, compression: lz4}",
            ["3:50: avro has no lz4 compression; it has gzip, none, snappy, zstd."],
            id="a compression that the format lacks",
        ),
        pytest.param(
            "outputs:\n  people: {format: csv}",
            ["3:3: `path` is missing."],
            id="a missing key",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: csv}\n  towns: {path: ./out/, format: csv}",
            ["4:17: `./out/` is the place of the output `people`."],
            id="two outputs on one path",
        ),
        pytest.param(
            "outputs:\n  people: {path: out/a/b, format: csv}\n  towns: {path: out/a, format: csv}",
            ["3:18: `out/a/b` is a place inside the folder of the output `towns`."],
            id="an output inside another",
        ),
        pytest.param(
            "outputs:\n  people: {path: ., format: csv}",
            ["3:18: `.` holds what the input `people` reads.", "3:18: `.` holds what the input `towns` reads."],
            id="an output over its input",
        ),
        pytest.param(
            "inputs:\n  people: {path: 'p*', format: csv}\noutputs:\n  people: {path: pout, format: csv}",
            ["4:18: `pout` holds what the input `people` reads."],
            id="an output among what a glob stands for",
        ),
        pytest.param(
            "inputs:\n  p: {path: '{people.csv,lake/*.csv}', format: csv}\noutputs:\n  p: {path: lake, format: csv}",
            ["4:13: `lake` holds what the input `p` reads."],
            id="an output whose files a glob stands for",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: delta, mode: overwrite_partitions}",
            ["3:44: `overwrite_partitions` needs `partition_by`."],
            id="partitions to overwrite without partitions",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: delta, mode: merge}",
            ["3:44: `merge` needs `keys`: the columns that name a row."],
            id="a merge without keys",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: parquet, mode: scd2, keys: [name], order_by: name}",
            [
                "3:46: `scd2` is for Delta only, not for parquet.",
                "3:76: `name` is one of the keys.",
            ],
            id="versions in Parquet",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: delta, mode: scd2, keys: [name], valid_to: valid_from}",
            [
                "3:44: `scd2` needs `order_by`: the time from which a row holds.",
                "3:44: `valid_from`, `valid_to` and `is_current` need three different names.",
            ],
            id="versions without a time",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: csv, mode: append, schema_changes: evolve, zorder_by: [age]}",
            [
                "3:50: `schema_changes` is for Delta only, not for csv.",
                "3:74: `zorder_by` is for Delta only, not for csv.",
            ],
            id="keys for Delta",
        ),
        pytest.param(
            "outputs:\n  people: {path: out, format: delta, mode: append, keys: [name], replace_where: age > 3}",
            [
                "3:52: `keys` is for `merge` and `scd2`, not for `append`.",
                "3:66: `replace_where` is for `mode: overwrite`, not for `append`.",
            ],
            id="keys for other modes",
        ),
        pytest.param(
            "outputs:\n  people: {path: o, format: delta, cluster_by: [age], partition_by: [b], schema_changes: warn}",
            [
                "3:36: a table has either `cluster_by` or `partition_by`.",
                "3:74: `schema_changes` is for `append`, `merge` and `scd2`, not for `overwrite`.",
            ],
            id="clusters and partitions",
        ),
        pytest.param(
            "outputs:\n  people.root: {path: out, format: delta}",
            ["3:3: there is no input or table `people.root`. Did you mean `people`?"],
            id="a member of what has none",
        ),
        pytest.param(
            "inputs:\n  people: {path: peple.csv, format: csv}",
            ["2:18: there is no file `peple.csv`. Did you mean `people.csv`?"],
            id="an input that is not there",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: csv, schema: {name: strng}}",
            ["2:58: `strng` is no type of Spark SQL."],
            id="a type that is not there",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: json, header: false}",
            ["2:44: `header` is for CSV only, not for json."],
            id="a CSV setting on JSON",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: xml}",
            ["2:3: XML needs `row_tag`, the name of the element that is a row: `row_tag: item` for <item>...</item>."],
            id="XML without the name of a row",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: xml, row_tag: person, options: {rowTag: people}}",
            ["2:70: `rowTag` is not yours to set: there is the key `row_tag`."],
            id="the option for that name",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: csv, schema: a INT, sampling_ratio: 0.1}",
            ["2:58: `sampling_ratio` is for types that are found; beside a `schema` there are none to find."],
            id="a share of rows beside a schema",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: json, options: {samplingRatio: 0.1}}",
            ["2:54: `samplingRatio` is not yours to set: there is the key `sampling_ratio`."],
            id="the option for a share of rows",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: csv, row_tag: person}",
            ["2:43: `row_tag` is for XML only, not for csv."],
            id="the name of a row in CSV",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: csv, header: yes}",
            [
                "2:51: `header` has to be true or false, not the text `yes`.",
                '2:51: `yes` is a truth value to some YAML readers and a text to others. Write true, or "yes" in'
                " quotes for the text.",
            ],
            id="yes for true",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: csv, null_values: [no]}",
            [
                '2:57: `no` is a truth value to some YAML readers and a text to others. Write false, or "no" in'
                " quotes for the text."
            ],
            id="the country code of Norway",
        ),
        pytest.param(
            "tables:\n  on: {from: people}",
            ["3:3: the key `on` is a truth value to some YAML readers. Take another name."],
            id="on as a name",
        ),
        pytest.param(
            "tables:\n  a: {from: people}\n  a: {from: towns}",
            ["4:3: the key `a` stands here a second time; the first is in line 3."],
            id="a key that stands twice",
        ),
        pytest.param(
            "inputs:\n  people: {path: people.csv, format: csv, options: {sep: ;, inferSchema: true}}",
            ["2:61: `inferSchema` is not yours to set: types are inferred where there is no `schema`."],
            id="an option of Spark that is ours",
        ),
        pytest.param(
            f"inputs:\n  {'i' * 201}: {{path: people.csv, format: csv}}\ntables:\n  {'t' * 201}: {{from: {'i' * 201}}}"
            f"\noutputs:\n  {'t' * 201}: {{path: out, format: csv}}",
            [f"{n}:3: a name has at most 200 characters, this one has 201: give it a shorter one." for n in (2, 4, 6)],
            id="names beyond measure",
        ),
        pytest.param(
            f"tables:\n  a:\n    from: people\n    rules:\n      - {{not_null: age, name: {'r' * 3000}}}",
            ["6:31: a name has at most 200 characters, this one has 3,000: give it a shorter one."],
            id="a rule's name beyond measure",
        ),
        pytest.param(
            f"tables:\n  a:\n    from: people\n    steps:\n      - {'mine.' * 40}a:f",
            ["6:9: a name has at most 200 characters, this one has 203: give it a shorter one."],
            id="a step's name beyond measure",
        ),
        pytest.param("tabels: {}", ["2:1: there is no key `tabels` here. Did you mean `tables`?"], id="a wrong part"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_the_closest_right_name(config, text: str, expected: list[str]):
    assert complaints(config(text)) == expected


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("f = F.udf(str.upper, 'string')", "it calls Spark, which has not been started when modules are loaded."),
        ("f = 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_does_not_load_is_told_with_its_line(config, place: Path, line: str, says: str):
    (place / "own").mkdir()
    (place / "own" / "steps.py").write_text(f"from pyspark.sql import functions as F\n\n{line}\n")
    config("tables:\n  a: {from: people, steps: ['own.steps:f']}")
    # In a process that has no Spark.
    command = [Path(sys.executable).with_name("birchtar"), "validate", "job.yaml"]
    done = subprocess.run(command, env=without_spark(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"`own.steps` fails to load ({place}/own/steps.py:3): {says}" in done.stderr


def test_a_job_may_read_what_one_before_it_in_the_same_call_writes(config):
    first = str(config("outputs: {people: {path: out/people, format: parquet}}", "first.yaml"))
    reading = "inputs: {people: {path: 'out/people/*.parquet', format: parquet}}\n"
    second = str(config(f"{reading}outputs: {{people: {{path: out/again, format: parquet}}}}", "second.yaml"))
    assert CliRunner().invoke(app, ["validate", first, second]).exit_code == 0
    assert isinstance(CliRunner().invoke(app, ["validate", second, first]).exception, ConfigError)


def test_all_mistakes_are_said_at_once_in_the_order_of_the_file(config):
    path = config(
        """
        inputs:
          people: {path: peple.csv, format: cvs}
        tables:
          a: {from: peple}
        outputs:
          a: {path: out, format: delta, mod: append}
          b: {path: out, format: delta}
        """
    )
    assert complaints(path) == [
        "2:18: there is no file `peple.csv`. Did you mean `people.csv`?",
        "2:37: `format` cannot be `cvs`. Did you mean `csv`?",
        "4:13: there is no input or table `peple`. Did you mean `people`?",
        "6:33: there is no key `mod` here. Did you mean `mode`?",
        "7:3: there is no input or table `b`. There are these tables: a, people.",
        "7:13: `out` is the place of the output `a`.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: [1", "2:1: is not YAML: expected ',' or ']', but got '<stream end>'.", id="an open bracket"),
        pytest.param("- 1", "1:1: a job is a mapping with the keys inputs, tables and outputs.", id="a list"),
        pytest.param("", "1:1: a job is a mapping with the keys inputs, tables and outputs.", id="nothing"),
    ],
)
def test_what_is_no_mapping_is_refused(place: Path, text: str, expected: str):
    (place / "job.yaml").write_text(text + "\n")
    assert complaints(place / "job.yaml") == [expected]


def test_a_file_that_is_not_there_is_refused(place: Path):
    assert complaints(place / "no.yaml") == ["1:1: cannot be read: No such file or directory."]


def test_a_tag_in_yaml_makes_no_object(config, place: Path):
    path = config(f"inputs: !!python/object/apply:os.system ['touch {place}/owned']")
    complaints(path)
    assert not (place / "owned").exists()


def test_a_setting_replaces_a_value_of_the_file(config):
    plan = load(config("tables: {a: {from: people}}"), ["inputs.people.path=towns.csv", "outputs.people.mode=append"])
    assert plan.job.inputs["people"].path == "towns.csv"
    assert plan.job.outputs["people"].mode == "append"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        pytest.param("outputs", "is not of the form key.key=value.", id="no value"),
        pytest.param(
            "output.people.path=x", "there is no `output`; there is inputs, tables, outputs.", id="an unknown key"
        ),
        pytest.param(
            "outputs.people.pth=x", "there is no key `pth` here. Did you mean `path`?", id="an unknown last key"
        ),
        pytest.param(
            "outputs.people.mode=overwite",
            "`mode` cannot be `overwite`. Did you mean `overwrite`?",
            id="a value that is not known",
        ),
        pytest.param(
            "max_rejected=few",
            "`max_rejected` has to be a whole number or a share of at most 100 %, written as `1%` or `0.5%`, not"
            " the text `few`.",
            id="neither of two forms",
        ),
        pytest.param(
            "max_rejected=150%",
            "`max_rejected` has to be a whole number or a share of at most 100 %, written as `1%` or `0.5%`, not"
            " the text `150%`.",
            id="more than all",
        ),
        pytest.param(
            "max_rejected=0.01",
            "`max_rejected` has to be a whole number or a share of at most 100 %, written as `1%` or `0.5%`, not `0.01`"
            " (in quotes it would be a text).",
            id="a share without its sign",
        ),
        pytest.param(
            "outputs.people.target_file_size=10q",
            "`target_file_size` has to be a number of bytes, or a size such as `128m`, not the text `10q`.",
            id="an unknown unit",
        ),
        pytest.param(
            "tables.a.steps=[{drop_fields: {paths: [id], strit: true}}]",
            "`drop_fields`: there is no key `strit` here. Did you mean `strict`?",
            id="an unknown argument inside",
        ),
    ],
)
def test_a_wrong_setting_is_refused_by_its_own_text(config, setting: str, expected: str):
    assert complaints(config("tables: {a: {from: people}}"), setting) == [f"--set {setting}:1:1: {expected}"]


def test_tables_come_after_what_they_read(config):
    plan = load(
        config(
            """
            tables:
              last: {sql: "SELECT * FROM middle JOIN people USING (name)"}
              middle: {from: first, steps: [{join: {other: towns, keys: town, other_keys: id}}]}
              first: {from: people}
            """
        )
    )
    assert [table.name for table in plan.tables] == ["first", "middle", "last"]
    assert plan.readers() == {"people": 3, "towns": 1, "first": 1, "middle": 1}


def test_the_sample_configs_are_right():
    for path in sorted((Path(__file__).parents[2] / "conf/jobs").glob("*.yaml")):
        assert load(path).tables
