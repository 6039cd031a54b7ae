"""Backfills and a job's own runs of one database's table, or one Delta table: none appends what another has."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from rich.console import Console

from birchtar.runner.backfill import backfill
from birchtar.runner.bookmark_set import Wish, set_bookmark
from birchtar.runner.failures import JobError
from birchtar.runner.intervals import intervals
from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.span import Span
from birchtar.state.database import open_state
from birchtar.state.intents import RunInput, record_intent
from birchtar.state.runs import begin, release

ORDERS = """
inputs:
  orders:
    {format: jdbc, url: "%s", table: orders, user: "env:SHOP_USER", password: "env:SHOP_PASSWORD", bookmark: true,
     bookmark_keys: [%s]}
outputs: {orders: {path: out, format: parquet, mode: append}}
"""
SALES = """
inputs: {sales: {path: sales, format: delta, bookmark: true}}
outputs: {sales: {path: out, format: parquet, mode: append}}
"""


@pytest.fixture
def fill(spark):
    """Runs a backfill of the job in `job.yaml`, all of a range at once, and returns its error, if any."""

    def run_range(start: str, end: str, step: str, **how) -> str:
        spans = [Span(each) for each in intervals(start, end, step)]
        with Progress(Console(), spark.sparkContext) as progress:
            (outcome,) = backfill(load(Path("job.yaml")), spark, open_state(), progress, spans, **how)
        return outcome.error

    return run_range


@pytest.fixture
def make_known(spark):
    def know(name: str, **wish) -> None:
        source = load(Path("job.yaml")).job.inputs[name]
        set_bookmark(open_state(), "job", name, source, Wish(**wish), lambda: spark)

    return know


@pytest.fixture
def shop(postgres, postgres_url, monkeypatch):
    """Runs statements in a database of the test's own; its URL is Java's."""
    monkeypatch.setenv("SHOP_USER", "ada")
    monkeypatch.setenv("SHOP_PASSWORD", postgres.password)
    name = postgres_url.rpartition("/")[2]

    def sql(statement: str):
        return postgres.run(statement, name)

    sql.url = f"jdbc:postgresql://127.0.0.1:{postgres.port}/{name}"
    sql("CREATE TABLE orders (id INT, at TIMESTAMPTZ)")
    return sql


def put(shop, *ids: int) -> None:
    for each in ids:
        shop(f"INSERT INTO orders VALUES ({each}, TIMESTAMPTZ '2024-01-01 12:00+00' + INTERVAL '1 day' * {each})")


def ids() -> list[int]:
    return [row[0] for row in duckdb.sql("SELECT id FROM 'out/*.parquet' ORDER BY id").fetchall()]


def test_rows_that_a_backfill_has_read_no_run_appends_again(run_file, config, place, fill, make_known, shop):
    put(shop, 1, 5, 9, 12)
    config(ORDERS % (shop.url, "id"))
    assert fill("0", "10", "10") == ""
    assert fill("20", "30", "10") == ""
    with pytest.raises(
        JobError, match=r"input orders: 3 of its rows lie in intervals .* bookmark set CONFIG orders --keys id="
    ):
        run_file()
    assert ids() == [1, 5, 9]
    make_known("orders", keys=["id=9"])
    run_file()
    assert ids() == [1, 5, 9, 12]


def test_rows_that_a_run_has_read_no_backfill_appends_again(run_file, config, place, fill, shop):
    put(shop, 1, 5)
    config(ORDERS % (shop.url, "at, id"))
    run_file()
    put(shop, 9)
    found = "input orders: 1 of its rows in 2024-01-06..2024-01-12 are known to the bookmark"
    assert found in fill("2024-01-06", "2024-01-12", "1mo")
    assert fill("2024-01-07", "2024-01-12", "1mo") == ""
    assert ids() == [1, 5, 9]
    assert fill("2024-01-02", "2024-01-03", "1mo", again=True) == ""
    assert ids() == [1, 1, 5, 9]


def test_rows_that_another_run_is_about_to_read_are_not_read_beside_it(run_file, config, place, fill, shop):
    put(shop, 1, 5)
    config(ORDERS % (shop.url, "id"))
    state = open_state()
    owned = begin(state, "job")
    mark = {"keys": ["id"], "values": ["5"], "order": "asc", "of": None}
    record_intent(state, owned, [RunInput("orders", "keys", None, mark)])
    assert "2 of its rows in 0..10 are known to the bookmark, or being read" in fill("0", "10", "10")
    assert fill("10", "20", "10") == ""
    release(state, owned)


def test_versions_that_a_backfill_has_read_no_run_appends_again(spark, run_file, config, place, fill, make_known):
    # Delta goes back to versions of the last seven days only.
    days = [datetime.now(UTC).replace(hour=0, minute=0, second=0) - timedelta(days=4 - number) for number in range(6)]
    first, third, last = (f"{days[number]:%Y-%m-%d}" for number in (0, 2, 5))
    for number in range(4):
        spark.createDataFrame([(number,)], "id INT").write.format("delta").mode("append").save(f"file:{place}/sales")
        os.utime(place / f"sales/_delta_log/{number:020}.json", (days[number].timestamp(),) * 2)
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    config(SALES)
    assert fill(first, third, "1mo") == ""
    assert ids() == [0, 1]
    with pytest.raises(
        JobError, match=r"its versions 0 to 1 lie in intervals .* bookmark set CONFIG sales --version NUMBER"
    ):
        run_file()
    make_known("sales", version=1)
    run_file()
    assert ids() == [0, 1, 2, 3]
    assert f"its versions 2 to 3 in {third}..{last} are known" in fill(third, last, "1mo")
    assert DeltaTable("sales").version() == 3
