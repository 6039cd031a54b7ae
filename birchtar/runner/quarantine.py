"""Rows that an input, a step or a rule rejected: set apart in one table per job, with the reason."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import groupby
from typing import Any

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from birchtar.lake.label import Label
from birchtar.lake.observed import observed, observed_records, observed_rows
from birchtar.lake.paths import absolute
from birchtar.lake.sink import Sink
from birchtar.lake.write import discard, stage, staged_rows
from birchtar.runner.hidden import hide
from birchtar.runner.places import quarantine_path
from birchtar.runner.quarantine_row import FIELDS
from birchtar.runner.report import OutputReport, RejectReport
from birchtar.runner.staged import StagedOutput
from birchtar.runner.tables import Rejects, Tables
from transforms.rejects import rejected

OUTPUT = "(quarantine)"
"""No table can have this name."""

_BETWEEN = "\1"
_REASONS = "approx_top_k(concat_ws('\\u0001', `table`, step, coalesce(rule, ''), coalesce(code, '')), 1000, 10000)"
"""How many rows were rejected for each reason; exact up to thousands of reasons."""

_COUNTED = "counted"

_ROWS_OF_A_FILE = 20_000
"""Of more rows the executors write several files side by side."""

_MOST_EXAMPLES = 3
"""Rows that a message shows."""


def stage_rejects(
    spark: SparkSession, tables: Tables, label: Label, job: str
) -> tuple[StagedOutput, list[RejectReport]] | None:
    """Write the rejected rows of a run beside the job's quarantine; None where there are none.

    Columns: ``id`` (names the row for ever), ``rejected_at``, ``run``, ``table``, ``step``, ``code``, ``message``,
    ``record`` (the row's text as it came in), ``rule``, ``file`` and ``position``, null where they are not known, and
    ``replay_of``, the id of the row that a replay sent through the job and that was rejected again; ``hidden`` is true
    where the record is not all that came in, for it held what the job masks. Rows were brought along by their count;
    only where one step rejected more than a driver should hold, these are computed a second time.
    """
    again, brought, number = _rows_of(spark, tables)
    if not again and not brought:
        return None
    path = quarantine_path(job)
    files = max(1, number // _ROWS_OF_A_FILE)
    few = [reduce(DataFrame.unionAll, brought).coalesce(files)] if brought else []
    rows = reduce(DataFrame.unionAll, [*again, *few]).select(
        F.expr("uuid()").alias("id"),
        F.lit(datetime.now(UTC)).cast("timestamp").alias("rejected_at"),
        F.lit(label.number).alias("run"),
        *FIELDS,
    )
    counted = Observation()
    rows = rows.observe(counted, F.struct(F.expr(_REASONS).alias("reasons")).alias(_COUNTED))
    staged = stage(rows, Sink(path=path, format="parquet", mode="append"), absolute(path), label, as_it_is=not again)
    reports = list(_reports(observed(counted, _COUNTED), path))
    total = sum(report.rows for report in reports)
    if not total:
        discard(spark, staged.plan)
        return None
    return StagedOutput(OutputReport(OUTPUT, total, staged.files, staged.bytes, path, "parquet"), staged), reports


def examples(spark: SparkSession, staged: Sequence[StagedOutput]) -> list[dict[str, Any]]:
    """Return some rejected rows of a run that are not published: one of each of the most frequent reasons.

    Starts a Spark job on the rejected rows.
    """
    (output,) = (each for each in staged if each.report.name == OUTPUT)
    why = ("table", "step", "rule", "code")
    one = F.any_value(F.struct("message", "record", "file")).alias("one")
    reasons = staged_rows(spark, output.staged.plan).groupBy(*why).agg(F.count("*").alias("rows"), one)
    found = reasons.orderBy(F.desc("rows"), *why).limit(_MOST_EXAMPLES).select(*why, "one.*").collect()
    return [row.asDict() for row in found]


def _rows_of(spark: SparkSession, tables: Tables) -> tuple[list[DataFrame], list[DataFrame], int]:
    """Return the rejected rows: those to be computed once more, those that came with their counts, and how many."""
    again, brought, number = list[DataFrame](), list[DataFrame](), 0
    for rejects in tables.rejects:
        if rejects.counted in tables.unheard:
            again.append(_written(rejects, rejected(rejects.df)))
            continue
        rows = observed_rows(rejects.counted, "rejected")
        if not rows:
            continue
        records = observed_records(spark, rejects.counted, rows)
        if records is None:
            again.append(_written(rejects, rejected(rejects.df)))
        else:
            brought.append(_written(rejects, records))
            number += rows
    return again, brought, number


def _written(rejects: Rejects, df: DataFrame) -> DataFrame:
    """Return what is written of rejected rows: without the values that nobody may read."""
    if not rejects.hidden:
        return df
    hiding = F.udf(partial(hide, paths=rejects.hidden), "message STRING, record STRING, hidden BOOLEAN", useArrow=False)
    shown = df.withColumn("shown", hiding("code", "message", "record"))
    told = {name: F.col("shown").getField(name) for name in ("message", "record", "hidden")}
    return shown.withColumns(told).drop("shown")


def _reports(counted: Mapping[str, Any] | None, path: str) -> Iterator[RejectReport]:
    found = sorted((*reason.split(_BETWEEN), rows) for reason, rows in (counted["reasons"] if counted else []))
    for (table, step, rule), alike in groupby(found, key=lambda reason: reason[:3]):
        codes = {code: rows for *_, code, rows in alike}
        yield RejectReport(table, step, sum(codes.values()), path, codes, rule)
