"""Files of a few rows that are known, and what damages them."""

import json
import random
import struct
from pathlib import Path

import pyarrow as pa
from pyarrow import orc, parquet

ROWS = 8


def rows_of(file: int):
    return [(file * 1000 + n, f"name {n}, of {file}", n / 4) for n in range(ROWS)]


def mutated(content: bytes, chance: random.Random, *, spare: int = 0) -> bytes:
    """Damage a file in one to three places behind the bytes that are spared."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(spare, max(len(content), spare + 1))
        kind = chance.choice(["flip", "insert", "delete", "cut", "zero", "quote"])
        if kind == "flip":
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif kind == "insert":
            content = content[:at] + chance.randbytes(chance.randint(1, 4)) + content[at:]
        elif kind == "delete":
            content = content[:at] + content[at + chance.randint(1, 6) :]
        elif kind == "cut":
            content = content[:at]
        else:
            content = content[:at] + (b"\0" if kind == "zero" else b'"') + content[at:]
    return content


def store(folder: Path, kind: str, file: int) -> Path:
    path = folder / f"{file}.{kind}"
    columns = dict(zip(("id", "name", "price"), map(list, zip(*rows_of(file), strict=True)), strict=True))
    if kind == "parquet":
        parquet.write_table(pa.table(columns), path, write_page_checksum=True)
    elif kind == "orc":
        orc.write_table(pa.table(columns), path)
    else:
        path.write_bytes(avro_file(rows_of(file)))
    return path


def avro_file(rows) -> bytes:
    """An Avro file, written by hand: its magic, the schema, one block."""
    fields = [{"name": name, "type": kind} for name, kind in (("id", "long"), ("name", "string"), ("price", "double"))]
    schema = json.dumps({"type": "record", "name": "row", "fields": fields}).encode()

    def number(value: int) -> bytes:
        value, out = (value << 1) ^ (value >> 63), b""
        while value > 127:
            out, value = out + bytes([value & 127 | 128]), value >> 7
        return out + bytes([value])

    def text(value: bytes) -> bytes:
        return number(len(value)) + value

    meta = number(2) + text(b"avro.schema") + text(schema) + text(b"avro.codec") + text(b"null") + number(0)
    body = b"".join(number(id_) + text(name.encode()) + struct.pack("<d", price) for id_, name, price in rows)
    sync = bytes(range(16))
    return b"Obj\x01" + meta + sync + number(len(rows)) + number(len(body)) + body + sync
