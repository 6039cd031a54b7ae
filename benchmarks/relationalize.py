"""How long four flat tables of nested orders take: `relationalize`, and the same tables written by hand.

    python benchmarks/relationalize.py --orders 1000000 --runs 3

Each measurement is a process of its own, from the start of Python to the end of Spark; the ways take turns, so that a
slow minute of the machine meets all. What they wrote is compared by DuckDB: rows and sums, through joins by the keys.

- ours: in the session of `birchtar run`, which starts from recorded classes.
- ours-plain: the same function in the session of the hand-written job; what differs is the work alone.
- ours-parquet: as ours, with the rows staged as Parquet.
- by-hand: plain PySpark in a plain session.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from birchtar.runner.session import machine_settings, start
from transforms.relationalize import relationalize

MEMORY = "spark.driver.memory"
TABLES = ["root", "root_items", "root_items.val.tags", "root_payments"]
TAGS = ["[]", '["new"]', '["new", "sale"]', '["gift", "new", "sale"]']
CITIES = ["Berlin", "Bogotá", "Brisbane", "Bergen"]
CHECKS = [
    """SELECT count(*), sum("order"), count(items), sum("customer.id"), count("customer.address.city") FROM root""",
    """SELECT count(*), sum("order" * "items.val.quantity"), sum(index), sum("items.val.price")::DECIMAL(20, 2)
       FROM root JOIN "root_items" AS i ON items = i.id""",
    """SELECT count(*), sum("order" * length("items.val.tags.val")), sum(i.index * t.index)
       FROM root JOIN "root_items" AS i ON items = i.id JOIN "root_items.val.tags" AS t ON "items.val.tags" = t.id""",
    """SELECT count(*), sum("order" * index), sum("payments.val.amount")::DECIMAL(20, 2)
       FROM root JOIN "root_payments" AS p ON payments = p.id""",
]


def orders_as_json(count: int) -> Iterator[str]:
    """Yield the same lines for the same count, about 316 bytes each."""
    dice = random.Random(7)
    for n in range(count):
        items = ", ".join(
            f'{{"sku": "S{dice.randrange(10_000):04d}", "quantity": {dice.randrange(1, 9)},'
            f' "price": {dice.randrange(100, 99_999) / 100}, "tags": {dice.choice(TAGS)}}}'
            for _ in range(dice.randrange(4))
        )
        payments = ", ".join(
            f'{{"method": "{dice.choice(["card", "bank"])}", "amount": {dice.randrange(100, 99_999) / 100}}}'
            for _ in range(dice.randrange(1, 3))
        )
        address = f'{{"city": "{CITIES[n % 4]}", "zip": "{n % 100_000:05d}"}}'
        customer = f'{{"id": {dice.randrange(100_000)}, "address": {address}}}'
        placed = f"2024-03-{n % 28 + 1:02d}T{n % 24:02d}:15:00Z"
        yield (
            f'{{"order": {n}, "placed": "{placed}", "customer": {customer}, "items": [{items}],'
            f' "payments": [{payments}]}}\n'
        )


def orders_file(folder: Path, count: int) -> Path:
    """Return the file of so many orders; it is made once."""
    path = folder / f"orders-{count}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8") as file:
            file.writelines(orders_as_json(count))
        unfinished.rename(path)
    return path


def ours(orders: DataFrame, out: Path) -> None:
    """Relationalize, and write the tables side by side, as the job runner does."""
    write_side_by_side(relationalize(orders), out)


def ours_parquet(orders: DataFrame, out: Path) -> None:
    """Do the same, with the rows staged as Parquet."""
    write_side_by_side(relationalize(orders, staging_path=f"{out}/staging"), out)


def write_side_by_side(tables: dict[str, DataFrame], out: Path) -> None:
    """Write each table from a thread of its own."""
    with ThreadPoolExecutor(len(tables)) as pool:
        list(pool.map(lambda name: tables[name].write.parquet(f"{out}/{name}"), tables))


def by_hand(orders: DataFrame, out: Path) -> None:
    """Add an id, keep the rows in Spark's cache, explode, write one table after the other.

    Tried besides, and not quicker: a local checkpoint in place of the cache, no cache at all (the JSON is parsed four
    times), `monotonically_increasing_id` in place of the hash.
    """
    rows = orders.withColumn("id", F.monotonically_increasing_id()).persist()
    items = rows.select("id", F.posexplode("items").alias("index", "item"))
    items = items.withColumn("item_id", F.xxhash64("id", "index"))
    payments = rows.select("id", F.posexplode("payments").alias("index", "payment"))
    customer = [F.col(name).alias(name) for name in ("customer.address.city", "customer.address.zip", "customer.id")]
    item = [F.col(f"item.{name}").alias(f"items.val.{name}") for name in ("price", "quantity", "sku")]
    payment = [F.col(f"payment.{name}").alias(f"payments.val.{name}") for name in ("amount", "method")]
    tables = {
        "root": rows.select(*customer, key_of("items", "id"), "order", key_of("payments", "id"), "placed"),
        "root_items": items.select("id", "index", *item, key_of("item.tags", "item_id").alias("items.val.tags")),
        "root_items.val.tags": items.select(
            F.col("item_id").alias("id"), F.posexplode("item.tags").alias("index", "items.val.tags.val")
        ),
        "root_payments": payments.select("id", "index", *payment),
    }
    for name, table in tables.items():
        table.write.parquet(f"{out}/{name}")


def key_of(array: str, key: str) -> Column:
    """Return the key where there is an array."""
    return F.when(F.col(array).isNotNull(), F.col(key)).alias(array)


def plain_session() -> SparkSession:
    """Start Spark as a hand-written job does."""
    builder = SparkSession.builder.master("local[*]").config("spark.driver.memory", machine_settings()[MEMORY])
    return builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()


WAYS = {
    "ours": (start, ours),
    "ours-plain": (plain_session, ours),
    "ours-parquet": (start, ours_parquet),
    "by-hand": (plain_session, by_hand),
}


def run_one(way: str, source: Path, out: Path) -> None:
    """Do all the work of one measurement, in this process."""
    session, write_tables = WAYS[way]
    spark = session()
    write_tables(spark.read.json(str(source)), out)
    spark.stop()


def measure(way: str, source: Path, out: Path) -> float:
    """Return the seconds that a new process takes."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, __file__, "--one", way, str(source), str(out)]
    started = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def facts(out: Path) -> list[tuple[object, ...]]:
    """Return the rows and sums of the tables in a folder."""
    with duckdb.connect() as db:
        for name in TABLES:
            db.sql(f"""CREATE VIEW "{name}" AS FROM read_parquet('{out}/{name}/*.parquet')""")
        return [row for check in CHECKS for row in db.sql(check).fetchall()]


def compare(ways: list[str], runs: int, source: Path, folder: Path) -> None:
    """Measure the ways in turn; print what each took, the medians, and each median as a part of the last way's."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    found = set()
    for way in ways * runs:
        seconds[way].append(measure(way, source, folder / way))
        found.add(tuple(facts(folder / way)))
        print(f"{way:13} {seconds[way][-1]:6.1f}", flush=True)
    if len(found) != 1:
        sys.exit(f"The tables differ: {found}")
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    for way, median in medians.items():
        print(f"{way:13} {median:6.1f} median, {median / medians[ways[-1]]:.2f} of {ways[-1]}")


def main() -> None:
    """Read the command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--orders", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--ways", nargs="+", choices=WAYS, default=["ours", "ours-plain", "by-hand"])
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "birchtar-benchmarks")
    arguments.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.one:
        run_one(chosen.one[0], Path(chosen.one[1]), Path(chosen.one[2]))
        return
    source = orders_file(chosen.folder, chosen.orders)
    print(f"{chosen.orders:,} orders, {source.stat().st_size / 1e6:.0f} MB of JSON, seconds per process")
    compare(chosen.ways, chosen.runs, source, chosen.folder)


if __name__ == "__main__":
    main()
