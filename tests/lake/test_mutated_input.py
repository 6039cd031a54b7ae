"""Files with flipped, inserted, deleted and cut-off bytes: what is not hit is read, and the rest is told.

Many damaged files lie in one folder and are read at once. `BIRCHTAR_MUTATED_FILES` says how many, per format.
"""

import gzip
import json
import os
import random
import shutil
import tempfile
import zlib
from collections import Counter
from functools import partial
from pathlib import Path
from xml.parsers import expat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutated_files import ROWS, mutated, rows_of, store

from birchtar.lake.damage import find_damage
from birchtar.lake.read import read
from birchtar.lake.source import Source
from birchtar.runner.damaged import read_around
from birchtar.runner.failures import sentence
from transforms.rejects import accepted, has_rejects, rejected

FILES = int(os.environ.get("BIRCHTAR_MUTATED_FILES", "60"))
SCHEMA = "id BIGINT, name STRING, price DOUBLE"

many_at_once = settings(
    max_examples=1 if FILES > 1000 else 2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def csv_lines(file: int):
    return [f'{id_},"{name}",{price}'.encode() for id_, name, price in rows_of(file)]


def json_lines(file: int):
    return [f'{{"id": {id_}, "name": "{name}", "price": {price}}}'.encode() for id_, name, price in rows_of(file)]


def xml_lines(file: int):
    tags = "<item><id>{}</id><name>{}</name><price>{}</price></item>"
    return [tags.format(*row).encode() for row in rows_of(file)]


def read_past(spark, source: Source):
    """Read as a run does: at once, and where that fails past what is damaged."""
    reading = partial(read, spark)
    try:
        df = read_around(spark, source, [], reading)
        df.write.format("noop").mode("overwrite").save()
    except Exception as error:
        damage = find_damage(spark, source)
        if not damage:
            raise AssertionError(sentence(error)) from error
        df = read_around(spark, source, damage, reading)
    return df


def good_and_bad(spark, source: Source):
    """Return the good rows, and how many rejected ones each file has, by code."""
    df = read_past(spark, source).cache()
    good = [tuple(row) for row in df.transform(accepted).collect()]
    bad = Counter[tuple[str, str]]()
    if has_rejects(df):
        for row in df.transform(rejected).groupBy("file", "code").count().collect():
            bad[Path(row["file"]).name, row["code"]] = row["count"]
    df.unpersist()
    return good, bad


def written(contents: dict[str, bytes]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mutated"))
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def records_of(content: bytes) -> list[bytes]:
    """The lines that a reader of texts sees: blank ones are none."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [line for line in lines if line.strip(bytes(range(33)))]


def is_row(line: bytes) -> bool:
    """Tell whether a line is one JSON object and nothing else, as Python's parser sees it."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


@pytest.mark.parametrize("kind", ["csv", "json"])
@given(seed=st.integers(0, 2**32))
@many_at_once
def test_lines_that_are_not_hit_are_read_and_every_line_is_accounted_for(classic_spark, kind, seed):
    chance = random.Random(seed)
    head = b"id,name,price\n" if kind == "csv" else b""
    lines_of = csv_lines if kind == "csv" else json_lines
    contents, untouched, lines, whole_lines = {}, set(), 0, 0
    for file in range(FILES):
        whole = head + b"\n".join(lines_of(file)) + b"\n"
        broken = contents[f"{file}.{kind}"] = mutated(whole, chance, spare=len(head))
        there = records_of(broken[len(head) :])
        lines += len(there)
        whole_lines += sum(map(is_row, there))
        kept = {line for line, times in Counter(there).items() if times}
        untouched |= {row for row, line in zip(rows_of(file), lines_of(file), strict=True) if line in kept}
    folder = written(contents)
    good, bad = good_and_bad(classic_spark, Source(path=str(folder), format=kind, schema=SCHEMA))
    shutil.rmtree(folder)
    assert untouched <= set(good)
    assert len(good) + bad.total() == lines
    assert kind == "csv" or len(good) <= whole_lines
    assert {code for _, code in bad} <= {"MALFORMED", "CAST", "ENCODING"}


def is_well_formed(content: bytes) -> bool:
    """Tell whether a file is XML, as Expat sees it; bytes that are no text may stand for any sign."""
    text = content.decode(errors="replace")
    try:
        expat.ParserCreate().Parse(text, True)
    except expat.ExpatError:
        return False
    return True


@given(seed=st.integers(0, 2**32))
@many_at_once
def test_elements_that_are_not_hit_are_read_and_every_file_that_is_broken_is_told_of(classic_spark, seed):
    chance = random.Random(seed)
    contents, untouched, broken = {}, set(), set()
    for file in range(FILES):
        lines = xml_lines(file)
        content = contents[f"{file}.xml"] = mutated(b"<items>\n" + b"\n".join(lines) + b"\n</items>\n", chance)
        untouched |= {row for row, line in zip(rows_of(file), lines, strict=True) if line in content.split(b"\n")}
        if content and not is_well_formed(content):
            broken.add(f"{file}.xml")
    folder = written(contents)
    good, bad = good_and_bad(classic_spark, Source(path=str(folder), format="xml", row_tag="item", schema=SCHEMA))
    shutil.rmtree(folder)
    assert untouched <= set(good)
    assert max(Counter(good).values()) == 1
    assert broken <= {name for name, _ in bad}
    assert {code for _, code in bad} <= {"MALFORMED", "CORRUPT_FILE", "ENCODING"}


def unpacks_to(content: bytes, whole: bytes) -> bool:
    try:
        return gzip.decompress(content) == whole
    except (OSError, EOFError, zlib.error):
        return False


@pytest.mark.parametrize("kind", ["csv", "json"])
@given(seed=st.integers(0, 2**32))
@many_at_once
def test_packed_files_are_read_up_to_their_damage(classic_spark, kind, seed):
    chance = random.Random(seed)
    contents, intact = {}, {}
    for file in range(FILES):
        lines = csv_lines(file) if kind == "csv" else json_lines(file)
        whole = (b"id,name,price\n" if kind == "csv" else b"") + b"\n".join(lines) + b"\n"
        packed = gzip.compress(whole, mtime=0)
        name = f"{file}.{kind}.gz"
        contents[name] = packed if file % 2 else mutated(packed, chance)
        intact[name] = unpacks_to(contents[name], whole)
    folder = written(contents)
    good, bad = good_and_bad(classic_spark, Source(path=str(folder), format=kind, schema=SCHEMA))
    shutil.rmtree(folder)
    times = Counter(good)
    # What a broken file unpacks to may look like a row, but hardly like one of another file.
    assert all(times[row] == 1 for file in range(FILES) if intact[f"{file}.{kind}.gz"] for row in rows_of(file))
    assert all(count == 1 for (_, code), count in bad.items() if code == "TRUNCATED")
    told = {name for name, _ in bad}
    silent = {name for name, is_whole in intact.items() if not is_whole and contents[name]} - told
    assert not silent


@pytest.mark.parametrize("kind", ["parquet", "orc", "avro"])
@given(seed=st.integers(0, 2**32))
@settings(many_at_once, max_examples=1)
def test_a_file_of_columns_is_read_whole_or_told_of(classic_spark, kind, seed):
    chance = random.Random(seed)
    folder = written({})
    count = FILES if FILES > 1000 else FILES // 3
    by_file = {file: store(folder, kind, file) for file in range(count)}
    for file in range(0, count, 2):
        path = by_file[file]
        path.write_bytes(mutated(path.read_bytes(), chance))
    source = Source(path=str(folder), format=kind, schema=SCHEMA, corrupt_files="quarantine")
    good, bad = good_and_bad(classic_spark, source)
    assert {row for file in range(1, count, 2) for row in rows_of(file)} <= set(good)
    corrupt = {name for name, code in bad if code == "CORRUPT_FILE"}
    assert corrupt <= {by_file[file].name for file in range(0, count, 2)}
    assert bad.total() == len(corrupt)
    if kind != "parquet":
        shutil.rmtree(folder)
        return
    # Of each file that is not told of, all rows are there: pages carry sums.
    files = [file for file in range(count) if by_file[file].name not in corrupt and by_file[file].stat().st_size]
    shutil.rmtree(folder)
    assert len(good) == ROWS * len(files)


@pytest.mark.parametrize("kind", ["csv", "parquet", "orc", "avro"])
def test_what_cannot_be_read_at_all_is_told_in_a_sentence(classic_spark, tmp_path, kind):
    (tmp_path / f"x.{kind}").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(Exception) as caught:
        read(classic_spark, Source(path=str(tmp_path), format=kind, schema=SCHEMA)).collect()
    said = sentence(caught.value)
    assert "\n\tat " not in said
    assert "Exception:" not in said
