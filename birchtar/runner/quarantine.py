"""Rows that an input, a step or a rule rejected: set apart in one table per job, with the reason."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import groupby
from typing import cast

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from birchtar.lake.label import Label
from birchtar.lake.observed import observed_records, observed_rows
from birchtar.lake.paths import absolute
from birchtar.lake.sink import Sink
from birchtar.lake.write import discard, stage
from birchtar.runner.hidden import Paths, hide
from birchtar.runner.places import quarantine_path
from birchtar.runner.report import OutputReport, RejectReport
from birchtar.runner.staged import StagedOutput
from birchtar.runner.tables import KEPT_RECORDS, Rejects, Tables

OUTPUT = "(quarantine)"
"""No table can have this name."""

_ERROR = ("code", "message", "record", "rule", "file", "position", "replay_of")
_WRITTEN = (*_ERROR, "hidden")
"""Fields of ``_error``: the first three of every rejected row, the others where they are known."""

_SCHEMA = (
    "table STRING, step STRING, code STRING, message STRING, record STRING, rule STRING, file STRING, position BIGINT,"
    " replay_of STRING, hidden BOOLEAN"
)


def stage_rejects(
    spark: SparkSession, tables: Tables, label: Label, job: str
) -> tuple[StagedOutput, list[RejectReport]] | None:
    """Write the rejected rows of a run beside the job's quarantine; None where there are none.

    Columns: ``id`` (names the row for ever), ``rejected_at``, ``run``, ``table``, ``step``, ``code``, ``message``,
    ``record`` (the row's text as it came in), ``rule``, ``file`` and ``position``, null where they are not known, and
    ``replay_of``, the id of the row that a replay sent through the job and that was rejected again; ``hidden`` is true
    where the record is not all that came in, for it held what the job masks. Few rows were brought along by their
    count; only where one step rejected more than `KEPT_RECORDS` these are computed a second time.
    """
    frames = list(_frames(spark, tables))
    if not frames:
        return None
    path = quarantine_path(job)
    rows = reduce(DataFrame.unionByName, frames).select(
        F.expr("uuid()").alias("id"),
        F.lit(datetime.now(UTC)).cast("timestamp").alias("rejected_at"),
        F.lit(label.number).alias("run"),
        *("table", "step", *_WRITTEN),
    )
    staged = stage(rows, Sink(path=path, format="parquet", mode="append"), absolute(path), label)
    reports = list(_reports(spark.read.parquet(staged.plan["staged"]["hidden"]), path))
    total = sum(report.rows for report in reports)
    if not total:
        discard(spark, staged.plan)
        return None
    return StagedOutput(OutputReport(OUTPUT, total, staged.files, staged.bytes, path, "parquet"), staged), reports


def _frames(spark: SparkSession, tables: Tables) -> Iterator[DataFrame]:
    """Yield the rejected rows: those to be computed once more, and in one frame those that came with their counts."""
    brought: list[DataFrame] = []
    for rejects in tables.rejects:
        ended_early = rejects.counted in tables.early  # it may have seen none of them
        rows = None if ended_early else observed_rows(rejects.counted)
        if ended_early or (rows is not None and rows > KEPT_RECORDS):
            yield _written(rejects, rejects.df)
        elif rows:
            brought.append(_written(rejects, observed_records(spark, rejects.counted)))
    if brought:
        yield reduce(DataFrame.unionAll, brought).coalesce(1)


def _written(rejects: Rejects, df: DataFrame) -> DataFrame:
    """Return what is written of rejected rows: without the values that nobody may read."""
    place = (F.lit(rejects.table).alias("table"), F.lit(rejects.step).alias("step"))
    there = set(df.columns)
    error = [F.col(name) if name in there else F.lit(None).alias(name) for name in _ERROR]
    shown = _hidden(df.select(*place, *error), rejects.hidden)
    return shown.to(cast("StructType", StructType.fromDDL(_SCHEMA)))


def _hidden(df: DataFrame, paths: Paths) -> DataFrame:
    if not paths:
        return df.withColumn("hidden", F.lit(False))
    hiding = F.udf(partial(hide, paths=paths), "message STRING, record STRING, hidden BOOLEAN", useArrow=False)
    shown = df.withColumn("shown", hiding("code", "message", "record"))
    return shown.withColumns({name: F.col("shown").getField(name) for name in ("message", "record", "hidden")})


def _reports(rows: DataFrame, path: str) -> Iterator[RejectReport]:
    place = ("table", "step", "rule")
    counted = rows.fillna("", "rule").groupBy(*place, "code").count().orderBy(*place, "code").collect()
    for where, alike in groupby(counted, key=lambda row: tuple(row[name] for name in place)):
        codes = {row["code"]: row["count"] for row in alike}
        table, step, rule = where
        yield RejectReport(table, step, sum(codes.values()), path, codes, rule)
