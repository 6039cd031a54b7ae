"""Numbers that Spark counts while it computes a frame for another reason."""

import pickle
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame, Observation, SparkSession


def observed(observation: Observation, name: str) -> dict[str, Any] | None:
    """Return a struct that an observation saw; None if Spark left its frame out, as it may an empty one.

    An ``Observation.get`` would then wait for ever; and it would bring all that was seen to Python, maybe thousands of
    records.
    """
    row, jvm = _row(observation), observation._jvm
    if row is None or jvm is None:
        return None
    struct = row.getStruct(row.fieldIndex(name))
    found = pickle.loads(jvm.org.apache.spark.sql.api.python.PythonSQLUtils.toPyRow(struct))  # noqa: S301  # from our Java
    return dict(found.asDict())


def observed_rows(observation: Observation, name: str = "rows") -> int | None:
    """Return the rows that an observation counted; None as in `observed`."""
    row = _row(observation)
    return None if row is None else int(row.getLong(row.fieldIndex(name)))


def observed_nothing(observation: Observation) -> bool:
    """Return whether Spark has left out the frame that an observation is of, as far as it has computed anything."""
    return observation._jo is None or _row(observation) is None


def is_known_empty(df: DataFrame) -> bool:
    """Return whether Spark can tell without a look at any file that a frame has no rows. Starts no job."""
    most: Any = df._jdf.queryExecution().optimizedPlan().maxRows()
    return bool(most.isDefined() and most.get() == 0)


def observed_records(spark: SparkSession, observation: Observation, wanted: int) -> DataFrame | None:
    """Return the rows that an observation holds in ``records``, an array of structs; None if they are not as many.

    They stay in Java.
    """
    java, row = spark._jvm, _row(observation)
    assert java is not None  # noqa: S101  # a classic session
    at = row.fieldIndex("records")
    struct = row.schema().fields()[at].dataType().elementType()
    records = [] if row.isNullAt(at) else java.scala.jdk.javaapi.CollectionConverters.asJava(row.getSeq(at))
    if len(records) != wanted:
        return None
    return DataFrame(spark._jsparkSession.createDataFrame(records, struct), spark)


def _row(observation: Observation) -> Any:
    """Return Java's row of what an observation saw.

    Spark tells of a count some time after its job's end; all that it has to tell by now is waited for.
    """
    context: Any = SparkContext._active_spark_context
    context._jsc.sc().listenerBus().waitUntilEmpty()
    finished: Any = observation._jo.future()  # type: ignore[union-attr]  # set by the time its frame was computed
    if not finished.isCompleted():
        return None
    row = finished.value().get().get()
    return row if row.length() else None
