"""What a run has read of its inputs."""

from collections.abc import Mapping

from pyspark.sql import SparkSession

from birchtar.lake.jdbc import table_of
from birchtar.lake.measure import count_stored, size_of
from birchtar.lake.observed import observed_rows
from birchtar.runner.located import located
from birchtar.runner.pending import Pending
from birchtar.runner.plan import Plan
from birchtar.runner.report import InputReport
from birchtar.runner.tables import Tables
from birchtar.state.bookmarks import FILES


def input_report(
    spark: SparkSession, plan: Plan, tables: Tables, pending: Mapping[str, Pending], name: str
) -> InputReport:
    """Return what was read of an input, once all is computed. Starts a Spark job where the count did not come along."""
    source = located(plan.job.inputs[name])
    observation = tables.read.get(name)
    if name in pending and pending[name].is_empty:
        rows: int | None = 0
    elif observation in tables.unheard:
        rows = tables.inputs[name].count()
    elif observation is None:
        rows = count_stored(spark, source)
    else:
        rows = observed_rows(observation)
        if rows is None and name in plan.wanted():
            rows = 0  # Spark knew without a look that there are none
    if name in pending:
        return new_files_report(plan, pending, name, rows)
    bytes_read = size_of(spark, source) if name not in tables.replayed else 0
    return InputReport(name, rows, bytes_read, _said_path(plan, name))


def new_files_report(plan: Plan, pending: Mapping[str, Pending], name: str, rows: int | None) -> InputReport:
    """Return what was read of a bookmarked input."""
    read = pending[name].read
    files = len(read.files) if read.kind == FILES else None
    return InputReport(name, rows, read.bytes or 0, _said_path(plan, name), files)


def _said_path(plan: Plan, name: str) -> str:
    source = plan.job.inputs[name]
    return ", ".join(source.paths) or table_of(source)
