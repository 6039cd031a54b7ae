"""Damaged files in a run: what can be read is, what cannot is told, and nothing is lost without a word."""

import bz2
import gzip
import random
from datetime import datetime
from pathlib import Path
from unittest.mock import ANY

import duckdb
import pyarrow as pa
import pytest
from pyarrow import orc, parquet

from birchtar.runner.failures import JobError


def quarantined(columns="code, file, position"):
    query = f"SELECT {columns} FROM 'data/quarantine/job/*.parquet' ORDER BY ALL"
    return duckdb.sql(query).fetchall()


def written(name="people"):
    return duckdb.sql(f"SELECT * FROM 'out/{name}/*.parquet' ORDER BY ALL").fetchall()


def packed_people(rows: int) -> bytes:
    chance = random.Random(7)
    lines = [f"{n},{chance.getrandbits(40)}" for n in range(rows)]
    return gzip.compress(("id,number\n" + "\n".join(lines) + "\n").encode())


TEXTS = """
    inputs: {{people: {{path: people, format: csv{more}}}}}
    outputs: {{people: {{path: out/people, format: parquet}}}}
"""


@pytest.mark.parametrize("more", ["", ", schema: 'id INT, number BIGINT'", ", conflicts: string", ", bookmark: true"])
def test_a_packed_file_that_breaks_off_is_read_up_to_there(run_job, place: Path, more):
    (place / "people").mkdir()
    whole = packed_people(20_000)
    (place / "people/broken.csv.gz").write_bytes(whole[: len(whole) // 2])
    (place / "people/whole.csv.gz").write_bytes(packed_people(3))
    report = run_job(
        TEXTS.format(more=more)
        if "bookmark" not in more
        else TEXTS.format(more=more).replace("format: parquet", "format: parquet, mode: append")
    )
    rows = written()
    assert len(rows) > 9_000 + 3
    assert {int(row[0]) for row in rows} == set(range(len(rows) - 3))
    assert [(code, file) for code, file, _ in quarantined() if code == "TRUNCATED"] == [
        ("TRUNCATED", str(place / "people/broken.csv.gz"))
    ]
    assert report.inputs[0].rows == len(rows) + len(quarantined())
    [(message,)] = [row for row in quarantined("message") if "breaks off" in row[0]]
    assert "Unexpected end of input stream." in message


BREAKS_OFF = "The file breaks off behind {} bytes of text: {}. What comes later is lost."


@pytest.mark.parametrize("more", ["", ", schema: 'id INT'", ", conflicts: string", ", header: false"])
def test_a_packed_file_whose_header_is_hit(run_job, place: Path, more):
    (place / "people").mkdir()
    hit = gzip.compress(b"id55,number\n" + b"7,8\n" * 9_000)
    (place / "people/hit.csv.gz").write_bytes(hit[:-8] + b"\0\0\0\0" + hit[-4:])
    cut = packed_people(20_000)
    (place / "people/cut.csv.gz").write_bytes(cut[: len(cut) // 2])
    for name in ("a", "b"):
        (place / f"people/{name}.csv.gz").write_bytes(packed_people(3))
    run_job(TEXTS.format(more=more))
    ids = [str(row[0]) for row in written()]
    found = set(quarantined("code, file[-10:]"))
    if "header" in more:
        assert ids.count("7") > 8_900  # all but what was read into the buffer together with the break
        assert found == {("TRUNCATED", "hit.csv.gz"), ("TRUNCATED", "cut.csv.gz")}
    else:
        assert (ids.count("1"), ids.count("7")) == (3, 1)
        assert found - {("CAST", "cut.csv.gz"), ("MALFORMED", "cut.csv.gz")} == {
            ("CORRUPT_FILE", "hit.csv.gz"),
            ("TRUNCATED", "cut.csv.gz"),
        }


def test_packed_files_that_all_break_off_beside_an_empty_one(run_job, place: Path):
    (place / "people").mkdir()
    (place / "people/empty.csv").touch()
    for name, head in {"a": b"id,number", "b": b"id,number", "hit": b"id55,number"}.items():
        packed = gzip.compress(head + b"\n" + b"7,8\n" * 9_000)
        (place / f"people/{name}.csv.gz").write_bytes(packed[:-8] + b"\0\0\0\0" + packed[-4:])
    run_job(TEXTS.format(more=", schema: 'id INT'"))
    assert 17_800 < len(written()) <= 18_000
    assert quarantined("code, file[-8:]") == [
        ("CORRUPT_FILE", "t.csv.gz"),
        ("TRUNCATED", "a.csv.gz"),
        ("TRUNCATED", "b.csv.gz"),
    ]


def with_a_wrong_sum(packed: bytes) -> bytes:
    """Behind ten bytes the sum of the first block begins."""
    return packed[:10] + bytes([packed[10] ^ 4]) + packed[11:]


def test_a_file_that_is_not_packed_as_its_name_says(run_job, place: Path):
    (place / "people").mkdir()
    text = b"id,number\n7,8\n"
    for name, content in {
        "a.csv.gz": text,
        "b.csv.gz": packed_people(3),
        "c.csv.bz2": text,
        "d.csv.bz2": bz2.compress(text + b"9,9\n")[:-20],
        "e.csv.bz2": with_a_wrong_sum(bz2.compress(text)),
        "f.csv.bz2": bz2.compress(b"id,number\n3,4\n"),
        "h.csv.lz4": text,
        "i.csv.lz4": b"\0\0\0\x09\0\0\0\0",
        "g.csv.zst": pa.compress(text, "zstd", asbytes=True)[:-9],
    }.items():
        (place / "people" / name).write_bytes(content)
    run_job(TEXTS.format(more=", schema: 'id INT'"))
    assert written() == [(0,), (1,), (2,), (3,)]
    assert quarantined("code, file[-9:], message") == [
        ("CORRUPT_FILE", "c.csv.bz2", "The file cannot be read: Stream is not in the BZip2 format."),
        ("CORRUPT_FILE", "e.csv.bz2", "The file cannot be read: BZip2 CRC error."),
        ("CORRUPT_FILE", "h.csv.lz4", "The file cannot be read: It does not begin with a packed block."),
        ("TRUNCATED", "/a.csv.gz", BREAKS_OFF.format(0, "not a gzip file")),
        ("TRUNCATED", "d.csv.bz2", BREAKS_OFF.format(0, "Unexpected end of stream")),
        ("TRUNCATED", "g.csv.zst", BREAKS_OFF.format(5, "Truncated source")),
        ("TRUNCATED", "i.csv.lz4", BREAKS_OFF.format(0, "Unexpected end of a block")),
    ]


def parquet_files(place: Path, kind="parquet"):
    (place / "people").mkdir()
    for n in range(4):
        table = pa.table({"id": list(range(n * 10, n * 10 + 10)), "town": ["Ulm"] * 10})
        write = parquet.write_table if kind == "parquet" else orc.write_table
        write(table, place / f"people/{n}.{kind}")
    broken = place / f"people/2.{kind}"
    broken.write_bytes(broken.read_bytes()[:-20])
    return broken


@pytest.mark.parametrize("kind", ["parquet", "orc"])
@pytest.mark.parametrize("bookmark", ["", ", bookmark: true"])
def test_a_corrupt_file_goes_to_the_quarantine_where_the_input_says_so(run_job, place: Path, kind, bookmark):
    broken = parquet_files(place, kind)
    report = run_job(f"""
        inputs: {{people: {{path: people, format: {kind}, corrupt_files: quarantine{bookmark}}}}}
        outputs: {{people: {{path: out/people, format: parquet, mode: append}}}}
    """)
    assert [row[0] for row in written()] == [*range(20), *range(30, 40)]
    assert quarantined('code, file, "table", step') == [("CORRUPT_FILE", str(broken), "people", "read")]
    assert report.inputs[0].rows == 31


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_a_corrupt_file_stops_the_run_and_is_named_otherwise(run_job, place: Path, kind):
    broken = parquet_files(place, kind)
    with pytest.raises(JobError) as caught:
        run_job(f"""
            inputs: {{people: {{path: people, format: {kind}}}}}
            outputs: {{people: {{path: out/people, format: parquet}}}}
        """)
    assert str(broken) in str(caught.value)
    assert "corrupt_files: quarantine" in str(caught.value)
    assert "Exception" not in str(caught.value)
    assert not (place / "out").exists() or not list((place / "out").rglob("*.parquet"))


@pytest.mark.parametrize("bookmark", ["", ", bookmark: true"])
def test_a_row_that_does_not_fit_the_declared_types_is_rejected_beside_a_corrupt_file(run_job, place: Path, bookmark):
    broken = parquet_files(place)
    parquet.write_table(pa.table({"id": [40, 3_000_000_000], "town": ["1", "x"]}), place / "people/4.parquet")
    job = f"""
        inputs:
          people:
            {{path: people, format: parquet, schema: "id INT, town STRING", corrupt_files: quarantine{bookmark}}}
        outputs: {{people: {{path: out/people, format: parquet, mode: append}}}}
    """
    report = run_job(job)
    assert [row[0] for row in written()] == [*range(20), *range(30, 41)]
    assert quarantined("code, file, message, record") == [
        (
            "CAST",
            str(place / "people/4.parquet"),
            "`id` is not an int: 3000000000",
            '{"id":3000000000,"town":"x"}',
        ),
        ("CORRUPT_FILE", str(broken), ANY, None),
    ]
    assert (report.inputs[0].rows, report.rejects[0].codes) == (33, {"CAST": 1, "CORRUPT_FILE": 1})
    if bookmark:
        assert run_job(job).inputs[0].rows == 0
        parquet.write_table(pa.table({"id": [50], "town": ["Bonn"]}), place / "people/5.parquet")
        assert run_job(job).inputs[0].rows == 1
        assert len(quarantined()) == 2


def test_what_is_sensitive_is_hidden_where_it_does_not_fit_its_type(run_job, place: Path):
    at = datetime(2024, 1, 2, 3, 4, 5, 678_901)
    parquet.write_table(pa.table({"id": [1], "card": [4711.5], "at": pa.array([at])}), place / "people.parquet")
    run_job("""
        inputs:
          people: {path: people.parquet, format: parquet, schema: "id BIGINT, card INT, at DATE", sensitive: [card, at]}
        outputs: {people: {path: out/people, format: parquet}}
    """)
    assert quarantined("message, record") == [
        ("`card` is not an int: ***; `at` is not a date: ***", '{"id":1,"card":"***","at":"***"}'),
    ]


def test_corrupt_files_alone(run_job, place: Path):
    (place / "people").mkdir()
    (place / "people/a.parquet").write_text("no such file")
    job = """
        inputs: {people: {path: people, format: parquet, corrupt_files: quarantine%s}}
        outputs: {people: {path: out/people, format: parquet}}
    """
    with pytest.raises(JobError, match="none of the files can be read, so there are no columns. Declare a schema"):
        run_job(job % "")
    run_job(job % ", schema: id INT")
    assert [code for code, _, _ in quarantined()] == ["CORRUPT_FILE"]


def test_rejected_records_know_their_file(run_job, place: Path):
    (place / "people.csv").write_text("name,age\nAda,36\nBob,x\nCy\nD\xe9,3\n", encoding="latin-1")
    (place / "events.json").write_text('{"id": 1}\n{"id"\n')
    run_job("""
        inputs:
          people: {path: people.csv, format: csv, schema: "name STRING, age INT"}
          events: {path: events.json, format: json}
        outputs:
          people: {path: out/people, format: parquet}
          events: {path: out/events, format: parquet}
    """)
    assert quarantined("code, file, record") == [
        ("CAST", str(place / "people.csv"), '{"name":"Bob","age":"x"}'),
        ("ENCODING", str(place / "people.csv"), '{"name":"D�","age":"3"}'),
        ("MALFORMED", str(place / "events.json"), '{"id"'),
        ("MALFORMED", str(place / "people.csv"), "Cy"),
    ]
