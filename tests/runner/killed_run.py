"""Runs a job in the current folder and is killed on the way: at a named step, or at a moment that the caller chooses.

    python killed_run.py STEP BEFORE_OR_AFTER NUMBER   # at the NUMBERth time that a step begins, or has ended
    python killed_run.py STEP BEFORE_OR_AFTER NUMBER replay   # the same in a replay of all rejected rows
    python killed_run.py                               # tells on its output when the job begins; the caller kills it

With PYSPARK_GATEWAY_PORT it works in a Java that runs already, and outlives it; else its own dies with it.
"""

import os
import signal
import sys
from itertools import count

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession
from rich.console import Console

from birchtar.lake import staged_files, write
from birchtar.lake.delta.transaction import Pending
from birchtar.lake.files import FileSystem
from birchtar.runner import compute, publication, staging
from birchtar.runner import run as module
from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.replay import replay
from birchtar.runner.replayed import Selection
from birchtar.runner.session import start
from birchtar.state.database import open_state

STEPS = {
    "begin": (module, "begin"),
    "find pending": (compute, "find_pending"),
    "make tables": (compute, "make_tables"),
    "stage an output": (staging, "stage"),
    "write files": (write, "stage_files"),
    "stage all outputs": (compute, "stage_outputs"),
    "stage rejects": (compute, "stage_rejects"),
    "choose": (compute, "choose"),
    "stage resolved": (compute, "stage_resolved"),
    "resolve": (publication, "resolve_rejects"),
    "prepare": (compute, "prepare"),
    "publish": (publication, "publish"),
    "move a file": (FileSystem, "move"),
    "commit to Delta": (Pending, "commit"),
    "merge into Delta": (sys.modules["birchtar.lake.delta.publish"], "_upserted"),
    "mark published": (publication, "mark_published"),
    "move bookmarks": (publication, "move_bookmarks"),
    "index rejects": (publication, "index_rejects"),
    "succeed": (publication, "succeed"),
    "clean": (publication, "clean"),
    "delete what is hidden": (staged_files, "clean_files"),
}


def die_at(step: str, moment: str, number: int) -> None:
    owner, name = STEPS[step]
    real, calls = getattr(owner, name), count(1)

    def dying(*arguments, **named):
        last = next(calls) == number
        if last and moment == "before":
            os.killpg(0, signal.SIGKILL)
        done = real(*arguments, **named)
        if last:
            os.killpg(0, signal.SIGKILL)
        return done

    setattr(owner, name, dying)


def borrowed_spark() -> SparkSession:
    """Return a session in a Java that belongs to another process."""
    gateway = launch_gateway()
    running = gateway.jvm.org.apache.spark.SparkContext.getOrCreate()
    java = gateway.jvm.JavaSparkContext(running)
    context = SparkContext(gateway=gateway, jsc=java, conf=SparkConf(_jconf=java.getConf()))
    return SparkSession(context, gateway.jvm.SparkSession.getDefaultSession().get())


def main() -> None:
    spark = borrowed_spark() if "PYSPARK_GATEWAY_PORT" in os.environ else start()
    state = open_state()
    if len(sys.argv) > 1:
        die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    plan = load("job.yaml")
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    progress = Progress(Console(quiet=True), spark.sparkContext)
    if sys.argv[4:] == ["replay"]:
        replay(plan, spark, state, progress, Selection())
    else:
        module.run(plan, spark, state, progress)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    os._exit(0)  # the borrowed Java runs on


if __name__ == "__main__":
    main()
