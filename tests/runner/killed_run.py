"""Runs a job in a process of its own that is killed on the way: at a named step, or when the caller chooses.

Python and all that it imports is loaded once, and each process is a fork of that, so that it begins at once.
"""

import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["birchtar.runner.cli", "birchtar.runner.run", "birchtar.runner.replay", "pandas"])


@dataclass(frozen=True)
class Death:
    """At the ``number``th time that a step begins, or has ended."""

    step: str
    moment: Literal["before", "after"]
    number: int = 1


class Began:
    """A run that goes on in a process of its own, in the current folder and environment of its caller.

    With PYSPARK_GATEWAY_PORT in ``environment`` it works in a Java that runs already, and outlives it; else its own
    Java dies with it.
    """

    def __init__(self, environment: dict[str, str], death: Death | None = None, *, replay: bool = False) -> None:
        self._begins = _forks.Event()
        arguments = (dict(environment), str(Path.cwd()), death, self._begins, replay)
        self._process = _forks.Process(target=_main, args=arguments)
        self._process.start()

    def kill_after(self, seconds: float) -> None:
        """Kill the process, and the Java that it started, so long after its job began."""
        while not self._begins.wait(0.1) and self._process.is_alive():
            pass
        self._process.join(seconds)
        if self._process.is_alive():
            os.killpg(self._process.pid or 0, signal.SIGKILL)

    def was_killed(self) -> bool:
        """Wait for the end; false where the job had ended before the process could be killed."""
        self._process.join(120)
        assert self._process.exitcode in (0, -signal.SIGKILL), "see the trace on standard error"
        return self._process.exitcode != 0


def _main(environment: dict[str, str], folder: str, death: Death | None, begins, replays: bool) -> None:
    os.setsid()  # so that it dies alone
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)

    from rich.console import Console
    from shared_java import guest_session

    from birchtar.runner import run as module
    from birchtar.runner.load import load
    from birchtar.runner.progress import Progress
    from birchtar.runner.replay import replay
    from birchtar.runner.replayed import Selection
    from birchtar.runner.session import start
    from birchtar.state.database import open_state

    way = {name: value for name, value in environment.items() if name.startswith("PYSPARK_GATEWAY_")}
    spark = guest_session(way) if way else start()
    state = open_state()
    if death:
        _die(death)
    plan = load("job.yaml")
    begins.set()
    progress = Progress(Console(quiet=True), spark.sparkContext)
    if replays:
        replay(plan, spark, state, progress, Selection())
    else:
        module.run(plan, spark, state, progress)
    sys.stdout.flush()
    os._exit(0)  # the borrowed Java runs on


def _die(death: Death) -> None:
    owner, name = _steps()[death.step]
    real, calls = getattr(owner, name), count(1)

    def dying(*arguments, **named):
        last = next(calls) == death.number
        if last and death.moment == "before":
            os.killpg(0, signal.SIGKILL)
        done = real(*arguments, **named)
        if last:
            os.killpg(0, signal.SIGKILL)
        return done

    setattr(owner, name, dying)


def _steps() -> dict[str, tuple[object, str]]:
    from birchtar.lake import staged_files, write
    from birchtar.lake.delta.transaction import Pending
    from birchtar.lake.files import FileSystem
    from birchtar.runner import compute, publication, staging
    from birchtar.runner import run as module

    return {
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
