"""Merges rows into a table several times, beside other processes that do the same, and prints how often it met them.

    python merging_run.py FOLDER NUMBER TIMES

With PYSPARK_GATEWAY_PORT, which says in whose Java it works.
"""

import os
import sys

from killed_run import borrowed_spark

from birchtar.lake.delta import publish, stage
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink


def main() -> None:
    folder, number, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    spark = borrowed_spark()
    sink = Sink(path=folder, format="delta", mode="merge", keys=["id"], order_by="version")
    conflicts = 0
    for run in range(1, times + 1):
        both = [(key, 10 * run + number, f"{number}-{run}") for key in range(3)]
        rows = spark.createDataFrame([*both, (100 * number + run, 1, "own")], "id INT, version INT, word STRING")
        label = Label(f"job{number}", "out", run)
        staged = stage(rows.coalesce(1), sink, f"file:{folder}", label)
        conflicts += publish(spark, sink, f"file:{folder}", label, staged.plan, staged).retries
    sys.stdout.write(f"{conflicts}\n")
    sys.stdout.flush()
    os._exit(0)  # the borrowed Java runs on


if __name__ == "__main__":
    main()
