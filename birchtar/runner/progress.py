"""How far each output is, from Spark's own count of finished tasks; on a terminal only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import SparkContext
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

_LOOKS_PER_SECOND = 5


class Progress:
    """A bar per output. Away from a terminal it shows nothing and asks Spark nothing."""

    def __init__(self, console: Console, context: SparkContext) -> None:
        self._shown = console.is_terminal
        self._tracker = context.statusTracker()
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} tasks"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> "Progress":
        if self._shown:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bars.stop()

    @contextmanager
    def of(self, name: str, group: str) -> Iterator[None]:
        """Show a bar while the Spark jobs of a group run, which are those of one output."""
        if not self._shown:
            yield
            return
        done = threading.Event()
        bar = self._bars.add_task(name, total=1)
        watcher = threading.Thread(target=self._watch, args=(group, bar, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            self._bars.remove_task(bar)

    def _watch(self, group: str, bar: int, done: threading.Event) -> None:
        while not done.wait(1 / _LOOKS_PER_SECOND):
            stages = [
                stage
                for job in self._tracker.getJobIdsForGroup(group)
                if (info := self._tracker.getJobInfo(job))
                for id_ in info.stageIds
                if (stage := self._tracker.getStageInfo(id_))
            ]
            finished = sum(stage.numCompletedTasks for stage in stages)
            self._bars.update(bar, completed=finished, total=max(1, sum(stage.numTasks for stage in stages)))  # type: ignore[arg-type]  # rich's own id type
