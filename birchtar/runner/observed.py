"""Numbers that Spark counts while it computes a frame for another reason."""

import time
from typing import Any

from pyspark.sql import Observation


def observed(observation: Observation) -> dict[str, Any] | None:
    """Return what an observation saw; None if Spark left its frame out, as it may beside an empty one.

    An `Observation.get` would then wait for ever.
    """
    finished = observation._jo.future()  # type: ignore[union-attr]  # set by the time its frame was computed
    for _ in range(50):
        if finished.isCompleted():
            return observation.get
        time.sleep(0.02)  # Spark tells of it shortly after the job's end
    return None


def observed_rows(observation: Observation) -> int | None:
    """Return the rows that an observation counted; None as in `observed`."""
    seen = observed(observation)
    return None if seen is None else int(seen["rows"])
