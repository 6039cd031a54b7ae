"""The environment of processes that tests start: nothing of the tests' own Spark, and Java for a short life."""

import os

SHORT_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""For Java that lives for seconds, in which the better compiler never pays off. It tells so on standard error."""


def without_spark() -> dict[str, str]:
    """Return our environment without the switches that a Spark of this test run has set in it."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "PYSPARK_"))}
