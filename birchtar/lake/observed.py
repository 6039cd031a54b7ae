"""Numbers that Spark counts while it computes a frame for another reason."""

from typing import Any

from pyspark import SparkContext
from pyspark.sql import Observation


def observed(observation: Observation) -> dict[str, Any] | None:
    """Return what an observation saw; None if Spark left its frame out, as it may beside an empty one.

    An ``Observation.get`` would then wait for ever. Spark tells of a count some time after its job's end; all that it
    has to tell by now is waited for.
    """
    context: Any = SparkContext._active_spark_context
    context._jsc.sc().listenerBus().waitUntilEmpty()
    finished: Any = observation._jo.future()  # type: ignore[union-attr]  # set by the time its frame was computed
    if not finished.isCompleted() or finished.value().get().get().length() == 0:
        return None
    return dict(observation.get)


def observed_rows(observation: Observation) -> int | None:
    """Return the rows that an observation counted; None as in `observed`."""
    seen = observed(observation)
    return None if seen is None else int(seen["rows"])
