"""The flights job on the real sample: its tables, read by DuckDB and deltalake, against DuckDB on the raw files."""

from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from rich.console import Console

from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.report import Report
from birchtar.runner.run import run
from birchtar.state.database import open_state

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data/raw/flights"


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory, classic_spark) -> tuple[Path, Report]:
    """The folder that the job wrote to, once for all tests here, and its report."""
    folder = tmp_path_factory.mktemp("curated")
    outputs = {"flown": "flights", "cancelled": "cancelled_flights", "carrier_days": "carrier_days"}
    settings = [f"outputs.{name}.path={folder}/{place}" for name, place in outputs.items()]
    inputs = {"flights": "flights.csv.gz", "airlines": "airlines.csv", "airports": "airports.csv"}
    inputs |= {"planes": "planes.csv", "weather": "weather.csv.gz"}
    settings += [f"inputs.{name}.path={RAW / file}" for name, file in inputs.items()]
    with Progress(Console(), classic_spark.sparkContext) as progress:
        return folder, run(load(ROOT / "conf/jobs/flights.yaml", settings), classic_spark, open_state(), progress)


@pytest.fixture(scope="module")
def db(curated: tuple[Path, Report]) -> duckdb.DuckDBPyConnection:
    """The raw files and the curated tables, side by side."""
    folder, _ = curated
    connection = duckdb.connect()
    connection.sql("SET TimeZone = 'UTC'")
    for name in ("flights.csv.gz", "airlines.csv", "airports.csv", "planes.csv", "weather.csv.gz"):
        raw = f"read_csv('{RAW / name}', nullstr = 'NA', sample_size = -1)"
        connection.sql(f"CREATE TABLE raw_{name.split('.')[0]} AS SELECT * FROM {raw}")
    for name in ("flights", "cancelled_flights"):
        connection.register(name, DeltaTable(str(folder / name)).to_pyarrow_table())
    connection.sql(f"CREATE VIEW carrier_days AS SELECT * FROM '{folder}/carrier_days/*.parquet'")
    return connection


def test_every_raw_flight_is_in_exactly_one_of_the_two_tables(db):
    counts = db.sql(
        "SELECT (FROM raw_flights SELECT count(*)), (FROM flights SELECT count(*)),"
        " (FROM cancelled_flights SELECT count(*))"
    ).fetchall()
    assert counts == [(27004, 26483, 521)]
    # Nothing in a row names it alone, so the rows are compared as bags of what both sides have.
    key = "carrier, flight, tailnum, origin, dest, distance"
    both = f"SELECT {key} FROM flights UNION ALL SELECT {key} FROM cancelled_flights"
    assert db.sql(f"SELECT {key} FROM raw_flights EXCEPT ALL ({both})").fetchall() == []
    assert db.sql(f"({both}) EXCEPT ALL SELECT {key} FROM raw_flights").fetchall() == []


def test_measures_are_those_of_the_raw_files(db):
    sums = "count(*), sum(dep_delay), sum(arr_delay), sum(air_time), sum(distance), count(arr_delay), count(tailnum)"
    raw = db.sql(f"SELECT {sums} FROM raw_flights WHERE dep_time IS NOT NULL").fetchall()
    assert db.sql(f"SELECT {sums} FROM flights").fetchall() == raw


def test_airline_airports_plane_and_weather_are_those_of_the_raw_files(db):
    joined = db.sql(
        """
        SELECT count(al.name), count(o.name), count(d.name), count(p.model), sum(p.seats), sum(p.year),
               round(sum(w.temp), 2), round(sum(w.precip), 2), count(w.visib)
        FROM raw_flights f
        LEFT JOIN raw_airlines al USING (carrier)
        LEFT JOIN raw_airports o ON f.origin = o.faa
        LEFT JOIN raw_airports d ON f.dest = d.faa
        LEFT JOIN raw_planes p USING (tailnum)
        LEFT JOIN raw_weather w ON f.origin = w.origin AND f.time_hour = w.time_hour
        WHERE f.dep_time IS NOT NULL
        """
    ).fetchall()
    assert (
        db.sql(
            """
        SELECT count(airline), count(origin_name), count(dest_name), count(model), sum(seats), sum(built),
               round(sum(temp), 2), round(sum(precip), 2), count(visib)
        FROM flights
        """
        ).fetchall()
        == joined
    )


def test_a_scheduled_departure_is_the_hour_that_the_raw_file_gives_in_utc(db):
    # time_hour is the airline's own UTC hour of departure, made by another route than ours.
    raw = "SELECT carrier, flight, origin, dest, time_hour + to_minutes(minute::INT) AS moment FROM raw_flights"
    both = "FROM (SELECT * FROM flights UNION ALL BY NAME SELECT * FROM cancelled_flights)"
    ours = f"SELECT carrier, flight, origin, dest, scheduled_departure::TIMESTAMP AS moment {both}"
    raw = raw.replace("time_hour + ", "time_hour::TIMESTAMP + ")
    assert db.sql(f"({raw}) EXCEPT ALL ({ours})").fetchall() == []


def test_departures_and_arrivals_are_moments(db):
    # A flight takes its air time and some taxiing: between 7 minutes and 2 hours 36 in this month.
    taxiing = "SELECT date_diff('minute', departure, arrival) - air_time AS minutes FROM flights"
    assert db.sql(f"SELECT min(minutes), max(minutes), count(minutes) FROM ({taxiing})").fetchall() == [(7, 156, 26398)]
    late = "SELECT count(*) FROM flights WHERE departure != scheduled_departure + to_minutes(dep_delay)"
    assert db.sql(late).fetchall() == [(0,)]


# By hand from the raw lines: the departure is the local timetable plus the delay, the arrival arr_time on the clock at
# the destination. Among them: over midnight, at 2400, to Hawaii, to Puerto Rico, an unknown plane.
TEN = [
    ("UA", 1545, "2013-01-01", "EWR", "IAH", "2013-01-01 10:17:00", "2013-01-01 14:30:00", 11, "BOEING", 39.02),
    ("HA", 51, "2013-01-01", "JFK", "HNL", "2013-01-01 13:57:00", "2013-01-02 01:16:00", -14, "AIRBUS", 39.92),
    ("AS", 11, "2013-01-15", "EWR", "SEA", "2013-01-15 12:17:00", "2013-01-15 18:33:00", -2, "BOEING", 37.04),
    ("UA", 15, "2013-01-09", "EWR", "HNL", "2013-01-09 18:40:00", "2013-01-10 06:19:00", 44, "BOEING", 46.94),
    (
        "B6",
        739,
        "2013-01-13",
        "JFK",
        "PSE",
        "2013-01-14 05:02:00",
        "2013-01-14 09:02:00",
        18,
        "AIRBUS INDUSTRIE",
        46.94,
    ),
    ("EV", 4085, "2013-01-30", "EWR", "OMA", "2013-01-31 02:55:00", "2013-01-31 06:00:00", 143, "EMBRAER", 51.98),
    ("B6", 97, "2013-01-31", "JFK", "DEN", "2013-02-01 02:46:00", "2013-02-01 07:00:00", -2, "AIRBUS", 32.0),
    ("B6", 383, "2013-01-05", "LGA", "FLL", "2013-01-06 02:16:00", "2013-01-06 05:00:00", -18, "AIRBUS", 39.02),
    ("DL", 541, "2013-01-01", "JFK", "PHX", "2013-01-02 00:21:00", "2013-01-02 06:15:00", -4, "BOEING", 33.08),
    ("MQ", 4660, "2013-01-22", "LGA", "BNA", "2013-01-23 03:49:00", "2013-01-23 06:00:00", 70, None, 17.06),
]


@pytest.mark.parametrize("flight", TEN, ids=lambda row: f"{row[0]}{row[1]}")
def test_a_flight_is_right_in_every_column(db, flight: tuple):
    found = db.execute(
        "SELECT carrier, flight, strftime(date, '%Y-%m-%d'), origin, dest, strftime(departure, '%Y-%m-%d %H:%M:%S'),"
        " strftime(arrival, '%Y-%m-%d %H:%M:%S'), arr_delay, manufacturer, temp"
        " FROM flights WHERE carrier = ? AND flight = ? AND date = ?",
        flight[:3],
    )
    assert found.fetchall() == [flight]


def test_a_cancelled_flight_has_its_timetable_and_no_delay(db):
    names = set(db.sql("SELECT * FROM cancelled_flights").columns)
    assert not names & {"dep_time", "dep_delay", "arr_delay", "air_time", "departure", "arrival"}
    nulls = "SELECT count(*) FROM cancelled_flights WHERE scheduled_departure IS NULL OR airline IS NULL"
    assert db.sql(nulls).fetchall() == [(0,)]


def test_a_day_of_an_airline_is_what_duckdb_makes_of_the_raw_file(db):
    expected = """
        SELECT carrier, make_date(year, month, day) AS date, count(*) AS flights,
            count(*) - count(dep_time) AS cancelled,
            round(avg(arr_delay), 6) AS mean, round(quantile_cont(arr_delay, 0.95), 6) AS p95
        FROM raw_flights GROUP BY ALL
    """
    ours = (
        "SELECT carrier, date, flights, cancelled, round(mean_arr_delay, 6), round(p95_arr_delay, 6) FROM carrier_days"
    )
    assert db.sql(f"({expected}) EXCEPT ALL ({ours})").fetchall() == []
    assert db.sql(f"({ours}) EXCEPT ALL ({expected})").fetchall() == []
    assert db.sql("SELECT count(*), sum(flights), sum(cancelled) FROM carrier_days").fetchall() == [(460, 27004, 521)]


def test_the_tables_are_as_the_config_lays_them_out(curated):
    folder, report = curated
    assert DeltaTable(str(folder / "flights")).metadata().partition_columns == ["month"]
    assert [(wrote.name, wrote.rows, wrote.files) for wrote in report.outputs] == [
        ("flown", 26483, 1),
        ("cancelled", 521, 1),
        ("carrier_days", 460, 1),
    ]
    assert {read.name: read.rows for read in report.inputs} == {
        "flights": 27004,
        "airlines": 16,
        "airports": 1458,
        "planes": 3322,
        "weather": 26115,
    }
    assert report.rejects == []
