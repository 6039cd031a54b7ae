"""Few files of the same rows in the place of many: how each plain format does it.

Only files that hold the same columns are put together. Text is joined as it stands, byte for byte, without Spark.
"""

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from birchtar.lake.files import is_hidden
from birchtar.lake.source import Format

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CODECS = ("snappy", "gz", "zstd", "zst", "lz4", "lz4raw", "lz4_raw", "lzo", "zlib", "brotli", "bz2", "deflate", "xz")
_SPARK_CODECS = {"gz": "gzip", "lz4raw": "lz4_raw", "zst": "zstd"}
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""What a text begins with that says by this in which signs it is."""

_LOOKED_AT = 1 << 16
_JOINABLE = ("", "gz")
"""Compressions of text that can be undone and done again here."""


class TypesChangedError(Exception):
    """Spark writes a type of the files otherwise than it stands there."""


@dataclass(frozen=True)
class Kind:
    """What files must have in common to become one."""

    columns: str
    """Empty where files do not tell."""
    codec: str


def kind_of(file: Path, form: Format, *, header: bool = True) -> Kind | None:
    """Return what a file holds; None where it is not to be put together with others.

    Args:
        file: A file of a table.
        form: Its format.
        header: Of CSV, whether its first record names the columns.
    """
    codec = next((part for part in reversed(file.name.lower().split(".")) if part in _CODECS), "")
    if form in ("csv", "json"):
        if codec not in _JOINABLE or not _is_joinable(file, form):
            return None
        return Kind(_header(file).decode("latin-1") if form == "csv" and header else "", codec)
    return Kind(_READ_COLUMNS[form](file), codec)


def rewrite(start: "Callable[[], SparkSession]", form: Format, kind: Kind, files: list[Path], to: Path, n: int) -> None:
    """Write the rows of files of one kind to about ``n`` new ones in a new folder. Other files there may be hidden.

    Raises:
        TypesChangedError: The new files would not hold the same types.
    """
    if form in ("csv", "json"):
        _join(form, kind, files, to, n)
    else:
        _through_spark(start(), form, kind, files, to, n)


def _through_spark(spark: "SparkSession", form: Format, kind: Kind, files: list[Path], to: Path, n: int) -> None:
    from birchtar.lake.many_paths import AS_THEY_ARE  # with it comes PySpark, which text files do without

    if form == "parquet":
        spark = spark.newSession()
        spark.conf.set("spark.sql.parquet.outputTimestampType", _times_in(files[0]))
    reader = spark.read.format(form).options(**AS_THEY_ARE, recursiveFileLookup="true")
    writer = reader.load([f"file:{file}" for file in files]).coalesce(n).write.format(form)
    if kind.codec:
        writer = writer.option("compression", _SPARK_CODECS.get(kind.codec, kind.codec))
    if form == "avro":
        writer = writer.option("avroSchema", json.loads(kind.columns)["avro.schema"])
        writer = writer.option("compression", _avro_codec(kind))
    writer.save(f"file:{to}")
    if form in _TYPES:
        made = next(file for file in to.iterdir() if not is_hidden(file.name))
        if changed := [
            f"{was} would be {now}"
            for was, now in zip(_TYPES[form](files[0]), _TYPES[form](made), strict=True)
            if was != now
        ]:
            raise TypesChangedError(f"{files[0].name}: {'; '.join(changed)}")


def _times_in(file: Path) -> str:
    """Return the way in which a Parquet file keeps times, by Spark's name for it."""
    kept = " ".join(_parquet_types(file))
    return "INT96" if "INT96" in kept else "TIMESTAMP_MILLIS" if "TIMESTAMP_MILLIS" in kept else "TIMESTAMP_MICROS"


def _avro_codec(kind: Kind) -> str:
    codec: str = json.loads(kind.columns)["avro.codec"]
    return {"null": "uncompressed"}.get(codec, codec)


def _join(form: Format, kind: Kind, files: list[Path], to: Path, n: int) -> None:
    to.mkdir()
    total = sum(file.stat().st_size for file in files)
    ending = f".{form}" + (f".{kind.codec}" if kind.codec else "")
    for number, group in enumerate(_shares(files, total / n)):
        with _open(to / f"part-{number:05d}-{to.name.strip('.').replace('.', '-')}{ending}", "wb") as joined:
            for position, file in enumerate(group):
                skipped = len(_header(file)) if kind.columns and position else 0
                _append(file, joined, skipped)


def _append(file: Path, joined: IO[bytes], skipped: int) -> None:
    with _open(file, "rb") as stored:
        stored.read(skipped)
        last = b"\n"
        while chunk := stored.read(1 << 20):
            joined.write(chunk)
            last = chunk[-1:]
    if last != b"\n":
        joined.write(b"\n")  # else the file's last row and the next one's first would be one


def _shares(files: Iterable[Path], size: float) -> Iterator[list[Path]]:
    share, held = list[Path](), 0
    for file in files:
        share.append(file)
        held += file.stat().st_size
        if held >= size:
            yield share
            share, held = [], 0
    if share:
        yield share


def _is_joinable(file: Path, form: Format) -> bool:
    """Tell whether a text can be put behind another: lines of one byte per sign, and of JSON a whole object on each."""
    with _open(file, "rb") as stored:
        start = stored.read(_LOOKED_AT)
    if start.startswith(_MARKS) or b"\0" in start or re.search(rb"\r(?!\n|$)", start):
        return False
    if form == "csv":
        return True
    with _open(file, "rb") as stored:
        line = stored.readline()
    try:
        return not line.strip() or isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _header(file: Path) -> bytes:
    """Return the first record of a CSV file: up to the first end of line that is not inside quotes."""
    header = b""
    with _open(file, "rb") as stored:
        for line in stored:
            header += line
            if header.count(b'"') % 2 == 0:
                break
    return header


def _open(file: Path, mode: str) -> Any:
    return gzip.open(file, mode) if file.suffix == ".gz" else file.open(mode)


def _parquet_columns(file: Path) -> str:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as opened:
        stored = str(opened.schema).partition("\n")[2]  # its first line is an address in memory
        return f"{stored}{opened.schema_arrow.to_string(truncate_metadata=False)}"


def _parquet_types(file: Path) -> list[str]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as opened:
        columns = [opened.schema.column(position) for position in range(len(opened.schema))]
        # Of lists and maps others name the inner columns otherwise.
        return [
            f"`{each.path.partition('.')[0]}` {each.physical_type} {each.logical_type.type} {each.converted_type}"
            f" {each.precision} {each.scale}"
            for each in columns
        ]


def _orc_types(file: Path) -> list[str]:
    from pyarrow.orc import ORCFile

    return [f"`{field.name}` {field.type}" for field in ORCFile(file).schema]


_TYPES: dict[Format, Callable[[Path], list[str]]] = {"orc": _orc_types, "parquet": _parquet_types}


def _orc_columns(file: Path) -> str:
    from pyarrow.orc import ORCFile

    opened = ORCFile(file)
    return f"{opened.schema} {opened.metadata if hasattr(opened, 'metadata') else ''}"


def _avro_columns(file: Path) -> str:
    with file.open("rb") as stored:
        if stored.read(4) != b"Obj\x01":
            raise ValueError(f"{file} is not an Avro file.")
        found = {}
        while count := _avro_long(stored):
            if count < 0:
                _avro_long(stored)
            for _ in range(abs(count)):
                name = stored.read(_avro_long(stored)).decode()
                found[name] = stored.read(_avro_long(stored)).decode("utf-8", "replace")
    return json.dumps({"avro.codec": found.get("avro.codec", "null"), "avro.schema": found["avro.schema"]})


def _avro_long(stored: IO[bytes]) -> int:
    value, shift = 0, 0
    while True:
        byte = stored.read(1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1)


_READ_COLUMNS: dict[Format, Callable[[Path], str]] = {
    "avro": _avro_columns,
    "orc": _orc_columns,
    "parquet": _parquet_columns,
}


def clean(folder: Path) -> None:
    """Remove what Spark leaves beside its files, such as ``_SUCCESS``."""
    for entry in folder.iterdir():
        if entry.name.startswith("_") and entry.is_file():
            entry.unlink()
        elif entry.name.startswith("_"):
            shutil.rmtree(entry)
