"""Inputs whose fields hold values of several types, by the keyword `conflicts`."""

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from birchtar.lake.errors import LakeError
from birchtar.lake.source import Source
from birchtar.runner.conflicts import read_settled
from birchtar.runner.failures import JobError
from birchtar.runner.load import load
from birchtar.runner.problems import ConfigError
from birchtar.runner.progress import Progress
from birchtar.runner.report import Report
from birchtar.runner.run import run
from birchtar.runner.summary import print_rows, print_summary
from birchtar.state.database import open_state
from transforms.choices.bare_choices import bare_choices
from transforms.choices.choice import choices_in
from transforms.choices.format_schema import format_schema
from transforms.choices.settle_choices import ConflictError
from transforms.rejects import accepted, rejected
from transforms.resolve_choice import resolve_choice


@pytest.fixture
def stored(tmp_path: Path):
    def write(content: str | list, name: str = "x.json") -> str:
        if not isinstance(content, str):
            content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in content)
        (tmp_path / name).write_text(content)
        return str(tmp_path / name)

    return write


@pytest.fixture
def settled(spark: SparkSession, stored):
    """Reads records, or a text, of one file."""

    def read(content, conflicts="choice", format="json", **settings):  # noqa: A002
        path = stored(content, f"x.{format}")
        return read_settled(spark, Source(path=path, format=format, **settings), conflicts)

    return read


def tree(df) -> list[str]:
    return [line.replace("|    ", "  ").replace("|-- ", "") for line in format_schema(df.schema).splitlines()[1:]]


def back(df) -> list[dict]:
    """The rows as they are written to JSON. In an object that is one of several types, what is missing is null."""
    return [without_nulls(json.loads(text)) for text in accepted(df).transform(bare_choices).toJSON().collect()]


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


DIRTY = [
    {"id": 1, "a": 1, "b": {"c": [1, "x", 1.5]}, "h": [[1], 2, {"q": 1}], "u": 5, "w": 1},
    {"id": 2**40, "a": "x", "b": {"c": []}, "items": [{"p": 1, "z": []}, {"p": "free"}], "u": 5.5, "w": 2.0},
    {"id": 3, "a": {"z": 1}, "b": "flat", "h": [{"q": "s"}], "items": {"p": True}, "a.b c": [{"😀": 1}, {}]},
    {"id": 3, "a": {"z": "deep"}, "items": [], "b": {"c": {"c": 1}}},
]


def test_every_value_keeps_its_type(settled):
    df, conflicts = settled(DIRTY)
    assert back(df) == DIRTY
    assert tree(df)[:7] == ["a: choice", "  int", "  string", "  struct", "    z: choice", "      int", "      string"]
    assert "id: long" in tree(df)
    assert [str(conflict) for conflict in conflicts if conflict.path in ("a", "b.struct.c.array[]", "items")] == [
        '`a`: int 1 times, such as 1; string 1 times, such as "x"; struct 2 times, such as {"z":1}',
        '`b.struct.c.array[]`: double 1 times, such as 1.5; int 1 times, such as 1; string 1 times, such as "x"',
        '`items`: array 2 times, such as [{"p":1,"z":[]},{"p":"free"}]; struct 1 times, such as {"p":true}',
    ]
    assert [conflict.path for conflict in conflicts] == [path for path, _ in choices_in(df.schema)]


def test_numbers(settled):
    df, conflicts = settled(
        '{"whole": 1, "long": 1, "big": 1, "point": 1.0, "both": 1, "nothing": null, "empty": []}\n'
        '{"whole": -2147483648, "long": 2147483648, "big": 12345678901234567890, "point": 1e2, "both": 1.5}\n'
    )
    assert tree(df) == [
        "big: decimal",
        "both: choice",
        "  double",
        "  int",
        "empty: array",
        "  element: string",
        "long: long",
        "nothing: string",
        "point: double",
        "whole: int",
        "_error: struct",
        "  code: string",
        "  message: string",
        "  record: string",
    ]
    assert [str(conflict) for conflict in conflicts] == [
        "`both`: double 1 times, such as 1.5; int 1 times, such as 1",
    ]
    assert [(int(row.big), row.point) for row in df.collect()] == [(1, 1.0), (12345678901234567890, 100.0)]


@pytest.mark.parametrize(
    ("conflicts", "kinds", "expected"),
    [
        pytest.param(
            "string",
            {"a": "string", "n": "string", "m": "string", "l": "string"},
            [("1", "1.10", "1", "7"), ("x", "2", "2.5", "9.25"), ('{"z": [1,2]}', None, None, "9007199254740993")],
            id="string: the text as it stands in the file",
        ),
        pytest.param(
            "widest",
            {"a": "string", "n": "double", "m": "double", "l": "decimal(22,2)"},
            [("1", 1.1, 1.0, 7), ("x", 2.0, 2.5, 9.25), ('{"z": [1,2]}', None, None, 9007199254740993)],
            id="widest: no digit is lost",
        ),
    ],
)
def test_one_type_for_all(settled, conflicts, kinds, expected):
    df, found = settled(
        '{"a": 1, "n": 1.10, "m": 1, "l": 7}\n'
        '{"a": "x", "n": 2, "m": 2.5, "l": 9.25}\n'
        '{"a": {"z": [1,2]}, "l": 9007199254740993}\n',
        conflicts,
    )
    assert {name: kind for name, kind in df.dtypes if name in kinds} == kinds
    assert accepted(df).select("a", "n", "m", "l").collect() == expected
    assert [conflict.path for conflict in found] == ["a", "l", "m", "n"]


def test_fail_lists_all(settled):
    with pytest.raises(ConflictError) as error:
        settled([{"a": 1, "b": [1]}, {"a": "x", "b": ["y"]}, {"a": 2}], "fail")
    assert str(error.value).splitlines() == [
        "Values of one field have several types:",
        '`a`: int 2 times, such as 1; string 1 times, such as "x"',
        '`b[]`: int 1 times, such as 1; string 1 times, such as "y"',
        "With `conflicts: choice` each value keeps its type; `string`, `widest` and `rescue` make one type of them.",
    ]
    df, conflicts = settled([{"a": 1}, {"a": None}], "fail")
    assert (back(df), conflicts) == ([{"a": 1}, {}], [])


def test_rescue_keeps_the_most_frequent_type(settled, tmp_path):
    records = [
        {"a": 1, "i": [{"p": 1}, {"p": "free"}], "s": {"x": "t"}},
        {"a": 2, "i": [{"p": 2}], "s": {"x": {"y": 1}}},
        {"a": [3, "x"], "i": [], "s": {"x": "u"}},
    ]
    df, _ = settled(records, "rescue")
    assert df.columns == ["a", "i", "s", "_rescued_data", "_error"]
    assert choices_in(df.schema) == []
    rows = df.collect()
    assert [row.a for row in rows] == [1, 2, None]
    assert rows[0].i == [(1,), (None,)]
    assert [row.s.x for row in rows] == ["t", None, "u"]
    assert [json.loads(row._rescued_data) for row in rows] == [
        {"i[1].p": "free", "_file_path": str(tmp_path / "x.json")},
        {"s.x": {"y": 1}, "_file_path": str(tmp_path / "x.json")},
        {"a": [3, "x"], "_file_path": str(tmp_path / "x.json")},
    ]


def test_rescue_keeps_numbers_that_the_most_frequent_type_holds(settled):
    records = [
        {"p": 1.5, "n": 1},
        {"p": 2, "n": 2.0},
        {"p": 2.5, "n": 2.5},
        {"p": 3000000000, "n": 4},
        {"p": "4", "n": 5},
    ]
    df, _ = settled(records, "rescue")
    assert df.select("p", "n").collect() == [(1.5, 1), (2.0, 2), (2.5, None), (3e9, 4), (None, 5)]
    rescued = [json.loads(row._rescued_data or "{}") for row in df.collect()]
    assert [(each.get("p"), each.get("n")) for each in rescued] == [
        (None, None),
        (None, None),
        (None, 2.5),
        (None, None),
        ("4", None),
    ]


@pytest.mark.parametrize("least", [-(2**63), -(2**31)])
def test_rescue_bears_the_least_whole_number(settled, least):
    df, _ = settled([{"n": 1.5}, {"n": 2.5}, {"n": least}], "rescue")
    kept = [row.n for row in df.collect()]
    assert kept == [1.5, 2.5, None if least == -(2**63) else float(least)]
    rescued = json.loads(df.collect()[2]._rescued_data or "{}")
    assert rescued.get("n") == (least if least == -(2**63) else None)


def test_a_file_path_is_not_put_over_a_column_of_its_name(settled):
    records = [{"_file_path": "/mine", "v": 1}, {"_file_path": 2, "v": 1}, {"_file_path": "/ours", "v": 1}]
    df, _ = settled(records, "rescue")
    assert [row._rescued_data for row in df.collect()] == [None, '{"_file_path":2}', None]


def test_nothing_in_conflict(settled):
    for conflicts in ("choice", "string", "widest", "fail"):
        df, found = settled([{"a": 1, "b": "x"}], conflicts)
        assert (df.columns, back(df), found) == (["a", "b", "_error"], [{"a": 1, "b": "x"}], [])
    assert settled([{"a": 1}], "rescue").df.columns == ["a", "_rescued_data", "_error"]


def test_broken_records_go_to_the_quarantine(settled):
    df, _ = settled('{"a": 1}\nbroken\n{"a": "x"\n3\nnull\n\n"t"\n{"a": true}\n[{"a": 5}, {"a": "y"}]\n')
    assert back(df) == [{"a": 1}, {"a": True}, {"a": 5}, {"a": "y"}]
    assert df.where("_error IS NOT NULL").count() == 5
    assert [row.record for row in rejected(df).collect()] == ["broken", '{"a": "x"', "3", "null", '"t"']
    assert {row.code for row in rejected(df).collect()} == {"MALFORMED"}


def test_a_key_twice_counts_last(settled):
    df, _ = settled('{"a": 1, "a": "x"}\n{"a": 2, "a": 3}\n')
    assert back(df) == [{"a": "x"}, {"a": 3}]


def test_several_lines_per_record(settled):
    df, _ = settled('[{"a":\n 1}, {"a": "x"}]', options={"multiLine": True})
    assert back(df) == [{"a": 1}, {"a": "x"}]


@pytest.mark.parametrize("name", ["a.b", "a b", "a`b", "🙂", "it's", 'a"b', "a?b", "a[0]", "x: y, z>", "*", ""])
def test_odd_keys(settled, name):
    records = [{name: {name: 1}}, {name: {name: "x"}}, {name: [1]}]
    df, _ = settled(records)
    assert back(df) == records


def test_keys_that_differ_in_case_only(settled):
    records = [{"id": 1, "Id": "x", "s": {"q": 1, "Q": "y"}}, {"id": 2, "Id": 3, "s": {"q": 1, "Q": 2.5}}]
    df, _ = settled([*records])
    assert back(df) == records
    nested = [{"s": record["s"], "n": 1} for record in records]
    assert back(settled(nested).df) == nested


@pytest.mark.parametrize("nothing", [None, []])
def test_keys_that_differ_in_case_only_in_a_struct_of_a_choice(settled, nothing):
    records = [{"p": {"id": 1, "Id": nothing}}, {"p": {"id": "x"}}, {"p": 1}]
    df, _ = settled(records)
    assert back(df) == without_nulls(records)


def test_broken_records_beside_keys_that_differ_in_case_only(settled):
    df, _ = settled('{"id": 1, "Id": 2}\nbroken\n7\n[{"id": "x"}]\n')
    assert back(df) == [{"id": 1, "Id": 2}, {"id": "x"}]
    assert [row.record for row in rejected(df).collect()] == ["broken", "7"]


@pytest.mark.parametrize("text", ["", "\n", "broken\n", "{}\n", "3\n", '{"a": {}}\n'])
def test_nothing_to_take_the_columns_from(settled, text):
    with pytest.raises(LakeError, match="there is no JSON object to take the columns from"):
        settled(text)


def test_one_odd_row_at_the_end(settled):
    lines = [f'{{"id": {number}, "v": {number % 7}}}\n' for number in range(50_000)]
    df, [conflict] = settled("".join(lines) + '{"id": 1, "v": "odd"}\n')
    assert str(conflict).endswith('string 1 times, such as "odd"')
    assert df.where("v.string = 'odd'").count() == 1


def test_a_thousand_columns(settled):
    records = [{f"c{number}": number for number in range(1000)}, {f"c{number}": "x" for number in range(0, 1000, 2)}]
    df, conflicts = settled(records)
    assert len(conflicts) == 500
    assert back(df) == records


@pytest.mark.parametrize(
    ("levels", "others", "paths"),
    [
        pytest.param(30, [], 1, id="a conflict below thirty levels"),
        pytest.param(12, [{"a": "shallow"}], 2, id="one below a dozen levels of another"),
    ],
)
def test_deep_nesting(settled, levels, others, paths):
    def nested(value):
        for level in range(levels):
            value = {"a": value, "n": level}
        return value

    records = [nested(1), nested("x"), nested([{"q": 1}, {"q": True}]), *others]
    df, conflicts = settled(records)
    assert back(df) == records
    assert len([conflict for conflict in conflicts if conflict.path.endswith("a")]) == paths


def test_too_many_keys_are_values(settled):
    with pytest.raises(ValueError, match=r"more than 10,000 different keys, such as .* MAP<STRING"):
        settled([{f"key {number}": 1 for number in range(10_001)}])


CSV = "id,v,d,z,flag\n1,1,2024-01-31,01,true\n2,x,2024-01-31 10:00:00,2.5,no\n3,,,3000000000,\n4,7,,,\n"


def test_csv_cells_keep_what_they_are(settled):
    df, conflicts = settled(CSV, format="csv")
    assert tree(df)[:9] == [
        "id: int",
        "v: choice",
        "  int",
        "  string",
        "d: choice",
        "  date",
        "  timestamp",
        "z: double",
        "flag: choice",
    ]
    assert [row.v for row in df.collect()] == [(1, None), (None, "x"), None, (7, None)]
    assert [str(conflict) for conflict in conflicts if conflict.path == "v"] == [
        "`v`: int 3 times, such as 1; string 1 times, such as x".replace("3 times", "2 times")
    ]
    assert resolve_choice(df, {"v": "cast:string"}).select("v").collect() == [("1",), ("x",), (None,), ("7",)]


@pytest.mark.parametrize(
    ("conflicts", "kinds", "v"),
    [
        pytest.param("string", ["int", "string", "string", "double", "string"], ["1", "x", None, "7"], id="string"),
        pytest.param("widest", ["int", "string", "timestamp", "double", "string"], ["1", "x", None, "7"], id="widest"),
        pytest.param("rescue", ["int", "int", "date", "double", "boolean"], [1, None, None, 7], id="rescue"),
    ],
)
def test_csv_of_one_type(settled, conflicts, kinds, v):
    df, _ = settled(CSV, conflicts, format="csv")
    assert [kind for name, kind in df.dtypes if not name.startswith("_")] == kinds
    assert [row.v for row in df.collect()] == v
    if conflicts == "rescue":
        assert [row._rescued_data for row in df.collect()][::2] == [None, None]
        assert json.loads(df.collect()[1]._rescued_data)["v"] == "x"
        assert json.loads(df.collect()[1]._rescued_data)["_file_path"].endswith("/x.csv")


@pytest.mark.parametrize(
    ("options", "date", "time"),
    [
        pytest.param({"dateFormat": "dd.MM.yyyy"}, "31.01.2024", "2024-01-31 10:00:00", id="a form for dates"),
        pytest.param({"timestampFormat": "dd.MM.yyyy HH:mm"}, "2024-01-31", "31.01.2024 10:00", id="one for times"),
    ],
)
def test_csv_dates_and_times_in_forms_of_their_own(settled, options, date, time):
    df, _ = settled(f"id,d\n1,{date}\n2,{time}\n3,\n", "widest", format="csv", options=options)
    assert df.dtypes[1] == ("d", "timestamp")
    assert [row.d for row in df.selectExpr("CAST(d AS STRING) AS d").collect()] == [
        "2024-01-31 00:00:00",
        "2024-01-31 10:00:00",
        None,
    ]


def test_csv_whole_numbers_keep_their_digits_beside_fractions(settled):
    text = "v\n9007199254740993\n1.5\n7\n"
    assert [row.v for row in settled(text, format="csv")[0].collect()] == [
        (None, 9007199254740993),
        (1.5, None),
        (None, 7),
    ]
    assert [row.v for row in settled(text, "widest", format="csv")[0].collect()] == ["9007199254740993", "1.5", "7"]


def test_csv_numbers_that_no_type_holds_stay_texts(settled):
    long = "1" * 39
    df, _ = settled(f"a,b,c\n1.5,{long},1e400\n1e400,7,2.5\n-1e400,8,.5\n2e3,9,5.\n", format="csv")
    assert [tuple(row) for row in df.drop("_error").collect()] == [
        ((1.5, None), (None, long), (None, "1e400")),
        ((None, "1e400"), (7, None), (2.5, None)),
        ((None, "-1e400"), (8, None), (0.5, None)),
        ((2000.0, None), (9, None), (5.0, None)),
    ]


def test_csv_lines_that_do_not_fit(settled):
    df, _ = settled("a,b\n1,x\n2\n3,4,5\ny,z\n", format="csv")
    assert [row.a for row in accepted(df).collect()] == [(1, None), (None, "y")]
    assert [row.record for row in rejected(df).collect()] == ["2", "3,4,5"]


def test_csv_without_rows(settled):
    df, conflicts = settled("a,b\n", format="csv")
    assert (df.columns, df.collect(), conflicts) == (["a", "b", "_error"], [], [])


def test_csv_of_a_thousand_columns(settled):
    names = [f"c{number}" for number in range(1000)]
    odd = ["x" if number % 2 else "7" for number in range(1000)]
    df, conflicts = settled("\n".join(map(",".join, [names, ["1"] * 1000, odd])) + "\n", format="csv")
    assert len(conflicts) == 500
    assert df.collect()[1][:2] == (7, (None, "x"))


def test_csv_fails_with_a_list(settled):
    with pytest.raises(ConflictError, match="`v`: int 2 times"):
        settled(CSV, "fail", format="csv")


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_files_of_several_schemas(spark, tmp_path, format):  # noqa: A002
    write = pa.parquet.write_table if format == "parquet" else pa.orc.write_table
    tables = [
        pa.table({"id": pa.array([1], pa.int32()), "s": [{"x": 1}], "old": ["o"]}),
        pa.table({"id": ["x"], "s": [{"x": "t", "y": 2}]}),
        pa.table({"id": ["y"], "s": [{"x": "u", "y": 3}]}),
    ]
    for number, table in enumerate(tables):
        folder = tmp_path / "t" / f"day={number}"
        folder.mkdir(parents=True)
        write(table, str(folder / f"part.{format}"))
    source = Source(path=str(tmp_path / "t"), format=format)
    df, conflicts = read_settled(spark, source, "choice")
    assert [(path, choice.names) for path, choice in choices_in(df.schema)] == [
        ("id", ["int", "string"]),
        ("s.x", ["long", "string"]),
    ]
    assert sorted(back(df), key=lambda row: row["day"]) == [
        {"id": 1, "s": {"x": 1}, "old": "o", "day": 0},
        {"id": "x", "s": {"x": "t", "y": 2}, "day": 1},
        {"id": "y", "s": {"x": "u", "y": 3}, "day": 2},
    ]
    assert [conflict.most_frequent for conflict in conflicts] == ["string", "string"]
    assert read_settled(spark, source, "string").df.dtypes[:2] == [("id", "string"), ("s", "struct<x:string,y:bigint>")]
    assert "_rescued_data" in read_settled(spark, source, "rescue").df.columns


@pytest.mark.parametrize("conflicts", ["choice", "string", "widest", "rescue"])
def test_maps_of_numbers_beside_texts(spark, tmp_path, conflicts):
    kind = pa.map_(pa.int32(), pa.string())
    for name, column in (("a", pa.array([[(1, "one")]], kind)), ("b", pa.array(["x"]))):
        pa.parquet.write_table(pa.table({"m": column}), str(tmp_path / f"{name}.parquet"))
    df, found = read_settled(spark, Source(path=str(tmp_path), format="parquet"), conflicts)
    assert [str(conflict) for conflict in found] == [
        '`m`: map 1 times, such as {"1":"one"}; string 1 times, such as "x"'
    ]
    if conflicts == "choice":
        assert sorted(map(str, back(df))) == ["{'m': 'x'}", "{'m': {'1': 'one'}}"]
    elif conflicts != "rescue":
        assert sorted(row.m for row in df.collect()) == ["x", '{"1":"one"}']
    else:
        assert sorted(str(row[0]) for row in df.collect()) == ["None", "{1: 'one'}"]
        assert [json.loads(row._rescued_data)["m"] for row in df.collect() if row._rescued_data] == ["x"]


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_decimals_without_room_for_each_other_are_a_conflict(spark, tmp_path, format):  # noqa: A002
    write = pa.parquet.write_table if format == "parquet" else pa.orc.write_table
    for name, number, kind in (("a", "0.1234567890", pa.decimal128(30, 10)), ("b", "7", pa.decimal128(38, 0))):
        write(pa.table({"v": pa.array([Decimal(number)], kind)}), str(tmp_path / f"{name}.{format}"))
    source = Source(path=str(tmp_path), format=format)
    with pytest.raises(ConflictError, match="`v`: decimal 1 times.*; string 1 times"):
        read_settled(spark, source, "fail")
    kept = read_settled(spark, source, "choice").df
    assert sorted(str(row["v"]) for row in back(kept)) in (["0.123456789", "7"], ["0.1234567890", "7"])
    widest = read_settled(spark, source, "widest").df
    assert sorted(row.v for row in widest.collect()) == ["0.1234567890", "7"]


@pytest.fixture
def run_job(spark: SparkSession, config, place):
    (place / "mixed.json").write_text('{"id": 1, "v": 7}\nbroken\n{"id": "x", "v": 8}\n')

    def run_text(text: str) -> Report:
        inputs = "inputs: {mixed: {path: mixed.json, format: json, conflicts: choice}}\n"
        with Progress(Console(), spark.sparkContext) as progress:
            return run(load(config(inputs + text)), spark, open_state(), progress)

    return run_text


def test_a_run_resolves_and_reports(run_job, spark, capsys):
    report = run_job(
        "tables: {done: {from: mixed, steps: [resolve_choice: {specs: [[id, make_cols]]}]}}\n"
        "outputs: {done: {path: out/done, format: parquet}, mixed: {path: out/mixed, format: json}}\n"
    )
    assert duckdb.sql("SELECT id_int, id_string, v FROM 'out/done/*.parquet' ORDER BY v").fetchall() == [
        (1, None, 7),
        (None, "x", 8),
    ]
    [file] = Path("out/mixed").glob("*.json")
    assert sorted(map(json.loads, file.read_text().splitlines()), key=lambda row: row["v"]) == [
        {"id": 1, "v": 7},
        {"id": "x", "v": 8},
    ]
    assert [(found.input, found.what) for found in report.conflicts] == [
        ("mixed", '`id`: int 1 times, such as 1; string 1 times, such as "x"')
    ]
    print_rows(spark, report, 1)
    print_summary(report)
    printed = capsys.readouterr().out
    assert "mixed:\nroot\n|-- id: choice\n|    |-- int\n|    |-- string\n|-- v: int\n" in printed
    assert 'several types in mixed, `id`: int 1 times, such as 1; string 1 times, such as "x"\n' in printed
    assert [rejected.rows for rejected in report.rejects] == [1]
    assert [read.rows for read in report.inputs] == [3]


@pytest.mark.parametrize("format", ["parquet", "csv", "orc", "avro", "delta"])
def test_a_writer_that_cannot_hold_a_choice_says_what_to_do(run_job, format):  # noqa: A002
    with pytest.raises(JobError, match=rf'{format} cannot hold .* `id` \(int, string\).*specs: {{"id": make_cols}}'):
        run_job(f"outputs: {{mixed: {{path: out/mixed, format: {format}}}}}")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param("format: delta, conflicts: choice", "files of delta have one schema", id="one schema"),
        pytest.param("format: json, conflicts: fail, schema: a INT", "there are none to find", id="declared types"),
        pytest.param("format: json, conflicts: choise", "Did you mean `choice`", id="unknown"),
    ],
)
def test_a_config_is_refused(config, settings, says):
    with pytest.raises(ConfigError, match=says):
        load(config(f"inputs: {{people: {{path: people.csv, {settings}}}}}"))


LATE = [
    pytest.param([{"a": 1, "b": "x"}], {"a": 2**40}, {"a": "bigint", "b": "string"}, id="a number that is too long"),
    pytest.param([{"a": 1}], {"a": "x"}, {"a": "struct<int:int,string:string>"}, id="another type"),
    pytest.param([{"a": 1}], {"b": [{"c": 2.5}]}, {"a": "int", "b": "array<struct<c:double>>"}, id="another field"),
    pytest.param([{"a": 1}], [{"a": "x"}, {"b": 1}], {"a": "struct<int:int,string:string>", "b": "int"}, id="rows"),
    pytest.param([], {"a": 1}, {"a": "int"}, id="all"),
    pytest.param([[{"a": 1}]], {"a": 1.5}, {"a": "struct<double:double,int:int>"}, id="after arrays of rows"),
]


@pytest.mark.parametrize(("first", "last", "types"), LATE)
def test_what_only_the_last_of_many_rows_tells_counts(settled, first, last, types):
    df, _ = settled(first * 1_500 + [last])
    assert dict(accepted(df).dtypes) == types
    rows = [inner for row in [*first * 1_500, last] for inner in (row if isinstance(row, list) else [row])]
    assert back(df) == rows


@pytest.mark.parametrize("format", ["csv", "json"])
@pytest.mark.parametrize("conflicts", ["choice", "widest", "rescue"])
def test_types_of_a_share_of_the_rows_lose_none_of_the_others(settled, format, conflicts):  # noqa: A002
    last = {"json": '{"a": "x", "b": 2}\n', "csv": "x,2\n"}[format]
    first = {"json": '{"a": 1, "b": 2}\n', "csv": "1,2\n"}[format] * 300
    df, found = settled({"json": "", "csv": "a,b\n"}[format] + first + last, conflicts, format, sampling_ratio=0.2)
    assert found == []
    assert df.select("a", "b").dtypes == [("a", "int"), ("b", "int")]
    assert accepted(df).count() == 300
    [error] = rejected(df).collect()
    assert (error.code, error.record) == {
        "json": ("MALFORMED", last.strip()),
        "csv": ("CAST", '{"a":"x","b":"2"}'),
    }[format]


def test_a_value_that_no_type_of_a_share_of_the_rows_fits_is_told(settled):
    rows = [{"a": 1}, {"a": "x"}] * 200
    df, [conflict] = settled([*rows, {"a": True}], sampling_ratio=0.1)
    assert [kind.type for kind in conflict.types] == ["int", "string"]
    with pytest.raises(Exception, match="A value is none of int, string, the types that were found there: true"):
        df.collect()
    df, _ = settled("a\n" + "1\nx\n" * 200 + "true\n", format="csv", sampling_ratio=0.1)
    assert accepted(df).count() == 400
    assert [error.message for error in rejected(df).collect()] == [
        "`a` is of none of the types that were found there: true"
    ]
