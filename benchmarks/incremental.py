"""What a run costs that has little or nothing to do.

    python benchmarks/incremental.py known-files                 # a bookmark of a million files
    python benchmarks/incremental.py known-files --files 10000000
    python benchmarks/incremental.py rules                       # ten rules and a quarantine over four million flights

`known-files` makes up a listing, lets a bookmark in a new SQLite file know it as a run does, and measures what it takes
to find nothing new, one new file, a thousand and a hundred thousand, and at last nothing new in a listing of another
order. Of each, the time that the digests of the listing's buckets take stands apart from the rest: it grows with the
files that are there, the rest with the new ones. A listing that is as the last was needs no buckets.

`rules` runs a job in turn without rules and with ten of them, which reject one flight in a hundred, in one Spark
session. Beside what rules cost per row, some tenths of a second go to their plan, to the airlines that a rule looks up,
and to the quarantine's own Spark job, whatever the number of rows: of one million it shows, with `--rows 1000000`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

# A script's own folder comes first on the path, where it would hide packages of the checkout.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from sqlalchemy import Connection, create_engine, insert, update

from birchtar.state.buckets import in_buckets
from birchtar.state.known_files import new_files, remember
from birchtar.state.listed import Listing
from birchtar.state.tables import bookmarks, jobs, metadata

T = TypeVar("T")

HIGHEST = 1.0
"""Seconds that a run with nothing new among a million known files may cost beyond their listing."""


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return how many seconds something took, and what came of it."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def best(work: Callable[[], T]) -> tuple[float, T]:
    """Return what the fastest of three turns took, and what came of it: other programs only ever slow one down."""
    return min((timed(work) for _ in range(3)), key=lambda turn: turn[0])


def made_up(start: int, files: int) -> Listing:
    """Return a listing like those of a landing zone with a folder per hour."""
    listing = Listing()
    for number in range(start, start + files):
        day, hour = divmod(number // 500, 24)
        path = f"file:/data/landing/day={day:05}/hour={hour:02}/part-{number:08}-{number * 2654435761 % 2**32:08x}.json"
        listing.add(path, number % 100_000, 1_700_000_000_000_000 + number)
    return listing


def bookmark(connection: Connection) -> int:
    """Make the tables and one bookmark, and return its id."""
    metadata.create_all(connection)
    connection.execute(insert(jobs).values(name="job", key="0"))
    made = insert(bookmarks).values(job="job", input="files", kind="files", run_number=0)
    return int(connection.execute(made).inserted_primary_key[0])


def keep(connection: Connection, known: int, listing: Listing) -> None:
    """Let the bookmark have read all of a listing."""
    connection.execute(update(bookmarks).where(bookmarks.c.id == known).values(mark=listing.digest()))


def known_files(files: int, folder: Path | None) -> bool:
    """Measure a bookmark of files, print the figures, and return whether they are within the limit."""
    nothing = 0.0
    with tempfile.TemporaryDirectory(dir=folder) as place:
        engine = create_engine(f"sqlite:///{place}/state.db")
        listing = made_up(0, files)
        with engine.begin() as connection:
            known = bookmark(connection)
            seconds, _ = timed(lambda: remember(connection, known, listing, 1))
            print(f"{files:,} files made known for the first time: {seconds:.1f} s")
            keep(connection, known, listing)
        print(f"{'new files':>10} {'buckets':>9} {'the rest':>9} {'together':>9} {'made known':>11}")
        for run, new in enumerate((0, 1, 1_000, 100_000), start=2):
            for file in made_up(len(listing), new):
                listing.add(*file)
            with engine.begin() as connection:
                together, found = best(lambda: new_files(connection, known, listing))
                buckets, _ = best(lambda: in_buckets(listing)) if new else (0.0, None)
                if len(found.new) != new or found.unchanged != len(listing) - new:
                    sys.exit(f"{len(found.new)} new files were found, not {new}.")
                seconds, _ = timed(partial(remember, connection, known, found.new, run))
                keep(connection, known, listing)
            rest = together - buckets
            print(f"{new:10,} {buckets:7.2f} s {rest:7.2f} s {together:7.2f} s {seconds:9.2f} s", flush=True)
            nothing = together if new == 0 else nothing
        turned = Listing(listing.paths[::-1], listing.sizes[::-1], listing.modified[::-1])
        with engine.begin() as connection:
            together, _ = best(lambda: new_files(connection, known, turned))
        print(f"nothing new, listed in another order: {together:.2f} s")
    limit = HIGHEST * max(1, files / 1_000_000)
    print(f"nothing new: {nothing:.2f} s (at most {limit:.2f})")
    return nothing <= limit


FLIGHTS = {
    "year": "2013",
    "month": "CAST(id % 12 + 1 AS INT)",
    "day": "CAST(id % 28 + 1 AS INT)",
    "dep_time": "IF(id % 41 = 0, NULL, 517 + id % 1800)",
    "sched_dep_time": "515 + id % 1800",
    "dep_delay": "CAST(id % 97 AS DOUBLE) - 20",
    "arr_time": "830 + id % 1500",
    "sched_arr_time": "819 + id % 1500",
    "arr_delay": "CAST(id % 131 AS DOUBLE) - 40",
    "carrier": "element_at(array('UA', 'AA', 'B6', 'DL'), CAST(id % 4 + 1 AS INT))",
    "flight": "1 + id % 8500",
    "tailnum": "concat('N', 10000 + id % 4000, 'UA')",
    "origin": "element_at(array('EWR', 'LGA', 'JFK'), CAST(id % 3 + 1 AS INT))",
    "dest": "element_at(array('IAH', 'MIA', 'BQN', 'ATL', 'ORD'), CAST(id % 5 + 1 AS INT))",
    "air_time": "CAST(20 + id % 600 AS DOUBLE)",
    "distance": "IF(id % 100 = 7, -1, CAST(80 + id % 4900 AS DOUBLE))",
    "hour": "5 + id % 18",
    "minute": "id % 60",
    "time_hour": "timestamp_seconds(1357034400 + id * 30)",
}
"""Flights as those of `data/`, but as many as wanted; one in a hundred has a distance that is none."""

RULES = """
    rules:
      - {not_null: [year, month, day], action: reject}
      - {not_null: carrier, action: reject}
      - {in: {column: origin, values: [EWR, LGA, JFK]}, action: reject}
      - {between: {column: distance, lowest: 0, highest: 10000}, action: reject}
      - {between: {column: month, lowest: 1, highest: 12}, action: fail}
      - {matches: {column: tailnum, pattern: 'N[0-9]+[A-Z]*'}, action: reject}
      - {expression: time_hour < TIMESTAMP'2030-01-01', action: warn}
      - {expression: dep_delay < 1440, action: reject}
      - {foreign_key: {columns: carrier, other: airlines}, action: warn}
      - {row_count: {least: 1000}, action: fail}
"""
JOB = """
inputs:
  flights:
    path: flights
    format: csv
    schema:
      {year: INT, month: INT, day: INT, dep_time: INT, sched_dep_time: INT, dep_delay: DOUBLE, arr_time: INT,
       sched_arr_time: INT, arr_delay: DOUBLE, carrier: STRING, flight: INT, tailnum: STRING, origin: STRING,
       dest: STRING, air_time: DOUBLE, distance: DOUBLE, hour: INT, minute: INT, time_hour: TIMESTAMP}
  airlines: {path: airlines.csv, format: csv, schema: {carrier: STRING}}
tables:
  good:
    from: flights%s
outputs: {good: {path: %s, format: parquet}}
"""
MOST_OVERHEAD = 1.15


def rules(rows: int, rounds: int, folder: Path | None) -> bool:
    """Measure what ten rules cost beside the plain write, print it, and return whether that is within the limit."""
    from rich.console import Console

    from birchtar.runner.load import load
    from birchtar.runner.progress import Progress
    from birchtar.runner.run import run
    from birchtar.runner.session import start
    from birchtar.state.database import open_state

    spark = start()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        os.chdir(place)
        columns = (f"{value} AS {name}" for name, value in FLIGHTS.items())
        spark.range(rows).selectExpr(*columns).write.option("header", "true").csv(f"file:{place}/flights")
        Path("airlines.csv").write_text("carrier\nUA\nAA\nB6\nDL\n", encoding="utf-8")
        ways = {"plain": Path("plain.yaml"), "rules": Path("rules.yaml")}
        ways["plain"].write_text(JOB % ("", "plain"), encoding="utf-8")
        ways["rules"].write_text(JOB % (RULES, "rules"), encoding="utf-8")

        def compute(way: str) -> float:
            with Progress(Console(quiet=True), spark.sparkContext) as progress:
                return timed(lambda: run(load(ways[way]), spark, open_state(), progress))[0]

        for way in ways:
            compute(way)
        turns = [(compute("rules"), compute("plain")) for _ in range(rounds)]
        os.chdir("/")
    spark.stop()
    ratio = statistics.median(ruled / plain for ruled, plain in turns)
    for ruled, plain in turns:
        print(f"with rules {ruled:6.2f} s   plain {plain:6.2f} s   ratio {ruled / plain:5.2f}")
    print(f"ten rules and a quarantine: ratio {ratio:.2f} (at most {MOST_OVERHEAD})")
    return ratio <= MOST_OVERHEAD


def main() -> None:
    """Read the command line, measure, and end with 1 where a limit is passed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = arguments.add_subparsers(dest="command", required=True)
    files = commands.add_parser("known-files", help="find what is new among a million known files")
    files.add_argument("--files", type=int, default=1_000_000, help="how many are known")
    files.add_argument("--folder", type=Path, help="where the database goes; the system's temporary folder if left out")
    ruled = commands.add_parser("rules", help="check ten rules on flights, beside the plain write")
    ruled.add_argument("--rows", type=int, default=4_000_000)
    ruled.add_argument("--rounds", type=int, default=5)
    ruled.add_argument("--folder", type=Path, help="where the files go; the system's temporary folder if left out")
    chosen = arguments.parse_args()
    if chosen.command == "rules" and not rules(chosen.rows, chosen.rounds, chosen.folder):
        sys.exit(1)
    if chosen.command == "known-files" and not known_files(chosen.files, chosen.folder):
        sys.exit(1)


if __name__ == "__main__":
    main()
