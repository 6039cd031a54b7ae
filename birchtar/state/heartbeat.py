"""A thread that says, while a run is worked on, that its process lives, and notices when the run was taken away."""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType

from birchtar.state.database import State
from birchtar.state.errors import LostRunError, StateError
from birchtar.state.runs import Run, release, renew

_LOG = logging.getLogger(__name__)


class Heartbeat:
    """Renews the lease of a run for the length of a `with`; at its end a run that is not finished is given up.

    Args:
        state: Where runs are kept.
        run: A run of ours.
        every: Seconds between two renewals.
        on_lost: Called in the thread, once, when the run turns out to be taken over: the place to stop Spark's jobs.
    """

    def __init__(self, state: State, run: Run, *, every: float = 10, on_lost: Callable[[], None] | None = None) -> None:
        self._state, self._run, self._every, self._on_lost = state, run, every, on_lost
        self._ended = Event()
        self._lost: LostRunError | None = None
        self._thread = Thread(target=self._beat, name=f"heartbeat of {run.job}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=1)
        if kind is None:
            self.check()
        # Where the database is gone, the lease ends by itself.
        with suppress(StateError):
            release(self._state, self._run)

    def check(self) -> None:
        """Raise where the thread found that the run is no longer ours. Asks no database.

        Raises:
            LostRunError: Another process took it over.
        """
        if self._lost:
            raise self._lost

    def _beat(self) -> None:
        while not self._ended.wait(self._every):
            try:
                renew(self._state, self._run)
            except LostRunError as lost:
                self._lose(lost)
                return
            except StateError as error:
                _LOG.warning("%s", error)

    def _lose(self, lost: LostRunError) -> None:
        self._lost = lost
        if self._on_lost:
            self._on_lost()
