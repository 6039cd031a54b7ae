"""Numbers that Spark counts while it writes."""

import time
from typing import Any

from pyspark.sql import Observation

_PATIENCE = 2.0
"""In seconds. Spark tells of a count shortly after the job's end."""


def observed(observation: Observation) -> dict[str, Any]:
    """Return what was observed; nothing where Spark found the frame empty and left the counting out.

    An ``Observation.get`` would then wait for ever.
    """
    finished = observation._jo.future()  # type: ignore[union-attr]  # set by the time its frame was computed
    end = time.monotonic() + _PATIENCE
    while not finished.isCompleted() and time.monotonic() < end:
        time.sleep(0.02)
    return dict(observation.get) if finished.isCompleted() else {}
