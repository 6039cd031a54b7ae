"""A job is killed at every step and at many moments, run again, and compared with one that nobody disturbed."""

import os
import random
import time
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from killed_run import Began, Death
from rich.console import Console
from sqlalchemy import select

from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.run import run
from birchtar.state.database import open_state
from birchtar.state.tables import bookmark_files, bookmarks, quarantine, runs

JOB = """
inputs:
  orders: {path: orders, format: csv, schema: "id INT, town STRING, amount INT, day INT", bookmark: true}
  events: {path: events, format: json, schema: "id INT, kind STRING, at INT", bookmark: true}
tables:
  big: {from: orders, steps: [filter_rows: {where: amount >= 10}]}
outputs:
  orders: {path: out/orders, format: delta, mode: merge, keys: [id], order_by: day}
  events: {path: out/events, format: delta, mode: append}
  big: {path: out/big, format: parquet, mode: append, partition_by: [day]}
"""


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text(JOB)
    for name in ("orders", "events"):
        (tmp_path / name).mkdir()
    return tmp_path


def arrive(batch: int) -> None:
    """A batch of files comes in: new rows, newer ones of known keys, and one in each file that does not parse."""
    first = batch * 10
    orders = [f"{id_},town {batch},{id_ % 20},{batch}" for id_ in range(max(0, first - 5), first + 10)]
    Path(f"orders/{batch}.csv").write_text("id,town,amount,day\n" + "\n".join(orders) + f"\nx,,,{batch}\n")
    events = [f'{{"id": {id_}, "kind": "k", "at": {batch}}}' for id_ in range(first, first + 10)]
    Path(f"events/{batch}.json").write_text("\n".join(events) + f"\n{{broken {batch}\n")


def tables():
    """Return what readers see, by two that are not Spark."""
    found = {name: delta_rows(name) for name in ("orders", "events")}
    found["big"] = duckdb.sql("SELECT id, town, amount, day FROM 'out/big/**/*.parquet' ORDER BY ALL").fetchall()
    found["quarantine"] = duckdb.sql(
        "SELECT \"table\", step, code, record, run FROM 'data/quarantine/job/*.parquet' ORDER BY ALL"
    ).fetchall()
    return found


def delta_rows(name):
    columns = DeltaTable(f"out/{name}").to_pyarrow_table().to_pydict()
    return sorted(zip(*columns.values(), strict=True))


def remembered():
    """Return what the state database knows: runs that wrote, the files of each bookmark, the rejected rows.

    A process that was killed when its run had ended is followed by a run with nothing new, which is left out.
    """

    def read(connection):
        counts = [
            (
                row.number,
                row.state,
                [(each["name"], each["rows"]) for each in [*row.report["inputs"], *row.report["outputs"]]],
            )
            for row in connection.execute(select(runs).order_by(runs.c.number))
            if row.report["outputs"]
        ]
        known = select(bookmarks.c.input, bookmark_files.c.path, bookmark_files.c.run_number).join_from(
            bookmark_files, bookmarks
        )
        files = sorted((row[0], Path(row[1]).name, row[2]) for row in connection.execute(known))
        rejected = sorted((row.table, row.step, row.code, row.rows) for row in connection.execute(select(quarantine)))
        return counts, files, rejected

    return open_state().read(read)


def left_over():
    return [path for path in Path("out").rglob(".*") if ".staged" in path.name or ".replaced" in path.name]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, classic_spark):
    """What three batches come to, each read by a run of its own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "job.yaml").write_text(JOB)
        for name in ("orders", "events"):
            (folder / name).mkdir()
        after = []
        for batch in range(1, 4):
            arrive(batch)
            with Progress(Console(quiet=True), classic_spark.sparkContext) as progress:
                run(load("job.yaml"), classic_spark, open_state(), progress)
            after.append((tables(), remembered()))
    return after


def test_the_undisturbed_run_is_right(undisturbed):
    """By hand: what the files of three batches hold."""
    (rows, (counts, files, rejected)) = undisturbed[-1]
    assert [row[0] for row in rows["orders"]] == list(range(5, 40))
    assert {row[3] for row in rows["orders"] if 15 <= row[0] < 20} == {2}
    assert [row[0] for row in rows["events"]] == list(range(10, 40))
    assert len(rows["quarantine"]) == 6
    assert [number for number, _, _ in counts] == [1, 2, 3]
    assert ("orders", "2.csv", 2) in files
    assert len(rejected) == 6


ONCE = ("begin", "find pending", "make tables", "stage all outputs", "stage rejects", "prepare", "move bookmarks")
ONCE += ("index rejects", "succeed", "merge into Delta", "clean", "write files", "commit to Delta")
MORE = ("stage an output", "publish", "mark published", "move a file")
FOLLOWED = ("begin", "find pending", "make tables", "stage all outputs")
"""Right behind each of these begins the next of `ONCE`."""

EVERY_STEP = [
    *((step, "before", 1) for step in ONCE),
    *((step, "after", 1) for step in ONCE if step not in FOLLOWED),
    *((step, moment, number) for step in MORE for moment in ("before", "after") for number in (1, 2)),
]


@pytest.mark.parametrize(("step", "moment", "number"), EVERY_STEP)
def test_a_run_that_is_killed_at_a_step_is_finished_by_the_next(
    in_our_java, lake, run_file, undisturbed, step, moment, number
):
    arrive(1)
    assert Began(in_our_java, Death(step, moment, number)).was_killed()
    run_file()
    assert (tables(), remembered()) == undisturbed[0]
    assert left_over() == []


KILLS = int(os.environ.get("BIRCHTAR_KILLS", "10"))
"""With each kind of state. BIRCHTAR_KILLS=200 takes half an hour."""

KILLS_PER_BATCH = 5
JAVA_DIES_EACH = 5
"""One kill of so many takes a Java of its own along; it costs most of the time."""


def expected(batches: int):
    """What some batches come to, worked out from what `arrive` writes, without Spark."""
    orders, big, events = {}, [], []
    for batch in range(1, batches + 1):
        first = batch * 10
        rows = [(id_, f"town {batch}", id_ % 20, batch) for id_ in range(max(0, first - 5), first + 10)]
        orders |= {row[0]: row for row in rows}
        big += [row for row in rows if row[2] >= 10]
        events += [(id_, "k", batch) for id_ in range(first, first + 10)]
    return sorted(orders.values()), sorted(big), sorted(events)


@pytest.mark.usefixtures("each_state")
def test_runs_that_are_killed_at_random_moments_lose_and_double_nothing(
    in_our_java, in_a_java_of_its_own, lake, run_file
):
    """Each batch is begun many times, and each time killed; so recoveries are killed as well."""
    chance = random.Random(2013)
    kills, batch = 0, 0
    seconds = {False: 4.0, True: 16.0}  # in a Java that is warm, and in one that has just begun
    while kills < KILLS:
        batch += 1
        arrive(batch)
        for _ in range(KILLS_PER_BATCH):
            begun = time.monotonic()
            dies_too = kills % JAVA_DIES_EACH == JAVA_DIES_EACH - 1
            began = Began(in_a_java_of_its_own if dies_too else in_our_java)
            began.kill_after(chance.uniform(0, seconds[dies_too]))
            if not began.was_killed():
                seconds[dies_too] = max(1.0, 0.8 * (time.monotonic() - begun))
                break
            kills += 1
        run_file()
        orders, big, events = expected(batch)
        found = tables()
        assert found["orders"] == orders
        assert found["big"] == big
        assert found["events"] == events
        assert len(found["quarantine"]) == 2 * batch
        counts, files, rejected = remembered()
        assert {state for _, state, _ in counts} == {"SUCCEEDED"}
        readers = [number for number, _, _ in counts]
        assert len(readers) == batch
        of_batch = dict(enumerate(readers, start=1))
        kinds = (("events", "json"), ("orders", "csv"))
        assert files == sorted((name, f"{n}.{kind}", of_batch[n]) for n in of_batch for name, kind in kinds)
        assert len(rejected) == 2 * batch
    assert left_over() == []
