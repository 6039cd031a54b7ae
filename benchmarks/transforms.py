"""What each transform costs beside the expression that one would write by hand for the same result.

    python benchmarks/transforms.py                 # all
    python benchmarks/transforms.py join map_rows   # some

One Spark session computes both ways in turn, on a million rows read from Parquet, into Spark's sink that keeps nothing.
A transform's figure is the median of the ratios of neighbours, so that a slow minute of the machine meets both, each
of them first as often as the other. Before that, the two results are compared, unless a case says that they differ by
design.
"""

import argparse
import gc
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# A script's own folder comes first on the path, where this file would hide the package `transforms`.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.cases import CASES, Case, Frames
from birchtar.runner.session import start

ROWS = 1_000_000
HIGHEST_MEDIAN, HIGHEST = 1.05, 1.2
SECONDS = 10
"""How long a case is measured at least: what takes a tenth of a second needs many rounds for a steady median."""


def orders(spark: SparkSession, folder: Path) -> DataFrame:
    """Return a million orders, which are made once."""
    path = folder / f"orders-{ROWS}.parquet"
    if not path.exists():
        made = spark.range(ROWS).selectExpr(
            "CAST(id AS INT) AS id",
            "concat('customer ', id % 100000) AS name",
            "element_at(array('Ulm', 'Bonn', 'Köln', NULL), CAST(id % 4 + 1 AS INT)) AS town",
            "CAST(id % 9973 AS DOUBLE) / 100 AS amount",
            "IF(id % 10 = 0, NULL, CAST(id % 31 AS INT)) AS delay",
            "CAST(id % 97 AS STRING) AS code",
            "timestamp_seconds(1700000000 + id) AS placed",
            "concat('a-', id % 7, '-b') AS parts",
            "named_struct('id', id, 'address',"
            " named_struct('city', concat('c', id % 50), 'zip', id % 99999)) AS customer",
            "transform(sequence(1, CAST(id % 4 AS INT) + 1), i -> concat('t', i)) AS tags",
            "transform(sequence(1, CAST(id % 3 AS INT) + 1), i ->"
            " named_struct('sku', concat('s', i), 'price', i * 1.5D, 'parts', array(i, id % 5))) AS items",
            "map('x', id % 3, 'y', id % 5) AS labels",
            'concat(\'{"a": \', id % 11, \', "b": "x", "c": {"d": [1, 2]}}\') AS note',
            "CAST(NULL AS STRING) AS nothing",
        )
        made.repartition(4).write.mode("overwrite").parquet(f"{path}.part")
        Path(f"{path}.part").rename(path)
    return spark.read.parquet(str(path))


def compute(case: Callable[[Frames], DataFrame | dict[str, DataFrame]], frames: Frames) -> float:
    """Compute all rows and columns of a result; return the seconds, those of building it included."""
    # Rows that were checkpointed, or broadcast, fill the memory until Java finds them unused: each turn begins without.
    gc.collect()
    frames.orders.sparkSession._jvm.System.gc()  # type: ignore[union-attr]  # a classic session has it
    started = time.perf_counter()
    result = case(frames)
    for df in result.values() if isinstance(result, dict) else [result]:
        df.write.format("noop").mode("overwrite").save()
    return time.perf_counter() - started


def fingerprint(result: DataFrame | dict[str, DataFrame]) -> list[object]:
    """Return the rows of a result as a count and a sum of hashes per frame, whatever their order."""
    found = []
    for df in result.values() if isinstance(result, dict) else [result]:
        plain = df.toDF(*(f"c{position}" for position in range(len(df.columns))))
        row = F.xxhash64(F.to_json(F.struct("*")))
        found.append(tuple(plain.select(row.alias("row")).agg(F.count("*"), F.sum(F.col("row") % 1_000_003)).first()))
    return found


def measure(name: str, case: Case, frames: Frames, rounds: int) -> float:
    """Return the median ratio of a transform to the hand-written way, and print it."""
    if case.same_rows and fingerprint(case.ours(frames)) != fingerprint(case.by_hand(frames)):
        sys.exit(f"{name}: the two ways have different results.")
    for way in (case.ours, case.by_hand):
        compute(way, frames)
    once = sum(compute(way, frames) for way in (case.ours, case.by_hand))
    turns = []
    for _ in range(max(rounds, math.ceil(SECONDS / once / 2))):
        # What comes first may be slower, for what it makes Java do: each turn has both ways in both orders.
        seconds = [compute(way, frames) for way in (case.ours, case.by_hand, case.by_hand, case.ours)]
        turns.append(((seconds[0] + seconds[3]) / 2, (seconds[1] + seconds[2]) / 2))
    ratio = statistics.median(ours / by_hand for ours, by_hand in turns)
    ours, by_hand = (statistics.median(times) for times in zip(*turns, strict=True))
    print(f"{name:28} {ours:6.2f} s  by hand {by_hand:6.2f} s  ratio {ratio:5.2f}", flush=True)
    return ratio


def main() -> None:
    """Read the command line, measure, and end with 1 where a limit is passed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("transforms", nargs="*", metavar="NAME", help="a case; all when none is named")
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "birchtar-benchmarks")
    chosen = arguments.parse_args()
    if unknown := set(chosen.transforms) - set(CASES):
        arguments.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    spark = start()
    frames = Frames(spark, orders(spark, chosen.folder))
    ratios = {
        name: measure(name, case, frames, chosen.rounds)
        for name, case in CASES.items()
        if not chosen.transforms or name in chosen.transforms
    }
    spark.stop()
    limited = {name: ratio for name, ratio in ratios.items() if CASES[name].limited}
    if limited:
        middle, (worst, highest) = statistics.median(limited.values()), max(limited.items(), key=lambda pair: pair[1])
        print(f"median {middle:.2f} (at most {HIGHEST_MEDIAN}), highest {highest:.2f}: {worst} (at most {HIGHEST})")
        if middle > HIGHEST_MEDIAN or highest > HIGHEST:
            sys.exit(1)


if __name__ == "__main__":
    main()
