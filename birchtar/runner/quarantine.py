"""Rows that an input, a step or a rule rejected: set apart in one table per job, with the reason."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial, reduce
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from birchtar.lake.label import Label
from birchtar.lake.observed import observed, observed_records, observed_rows
from birchtar.lake.paths import absolute
from birchtar.lake.sink import Sink
from birchtar.lake.write import Staged, discard, stage, stage_arrow, staged_rows
from birchtar.runner.hidden import Paths, hide
from birchtar.runner.places import quarantine_path
from birchtar.runner.quarantine_row import FIELDS
from birchtar.runner.report import OutputReport, RejectReport
from birchtar.runner.staged import StagedOutput
from birchtar.runner.tables import Tables
from transforms.rejects import rejected

if TYPE_CHECKING:
    import pyarrow

OUTPUT = "(quarantine)"
"""No table can have this name."""

_BETWEEN = "\1"
_WHY = ["table", "step", "rule", "code"]
_REASONS = "approx_top_k(concat_ws('\\u0001', `table`, step, coalesce(rule, ''), coalesce(code, '')), 1000, 10000)"
"""How many rows were rejected for each reason; exact up to thousands of reasons."""

_COUNTED = "counted"

_MOST_EXAMPLES = 3
"""Rows that a message shows."""

_Count = tuple[str, str, str, str, int]
"""Table, step, rule and code, the latter two empty where there is none, and how many rows were rejected for that."""


class _Brought(NamedTuple):
    """Rows of one input or step that the driver holds, and the fields whose values nobody may read."""

    rows: DataFrame
    hidden: Paths


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
    again, brought = _rows_of(spark, tables)
    if not again and not brought:
        return None
    path = quarantine_path(job)
    if again:
        staged, counts = _stage_frames(spark, [*again, *(_written(*each) for each in brought)], path, label)
    else:
        staged, counts = _stage_brought(spark, brought, path, label)
    reports = list(_reports(counts, path))
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
    one = F.any_value(F.struct("message", "record", "file")).alias("one")
    reasons = staged_rows(spark, output.staged.plan).groupBy(*_WHY).agg(F.count("*").alias("rows"), one)
    found = reasons.orderBy(F.desc("rows"), *_WHY).limit(_MOST_EXAMPLES).select(*_WHY, "one.*").collect()
    return [row.asDict() for row in found]


def _rows_of(spark: SparkSession, tables: Tables) -> tuple[list[DataFrame], list[_Brought]]:
    """Return the rejected rows: those to be computed once more, and those that came with their counts."""
    again, brought = list[DataFrame](), list[_Brought]()
    for rejects in tables.rejects:
        if rejects.counted in tables.unheard:
            again.append(_written(rejected(rejects.df), rejects.hidden))
            continue
        rows = observed_rows(rejects.counted, "rejected")
        if not rows:
            continue
        records = observed_records(spark, rejects.counted, rows)
        if records is None:
            again.append(_written(rejected(rejects.df), rejects.hidden))
        else:
            brought.append(_Brought(records, rejects.hidden))
    return again, brought


def _stage_frames(
    spark: SparkSession, frames: Sequence[DataFrame], path: str, label: Label
) -> tuple[Staged, list[_Count]]:
    """Write rejected rows, and count them for each reason, by one Spark job."""
    rows = reduce(DataFrame.unionAll, frames).select(
        F.expr("uuid()").alias("id"),
        F.lit(datetime.now(UTC)).cast("timestamp").alias("rejected_at"),
        F.lit(label.number).alias("run"),
        *FIELDS,
    )
    counted = Observation()
    rows = rows.observe(counted, F.struct(F.expr(_REASONS).alias("reasons")).alias(_COUNTED))
    staged = stage(rows, Sink(path=path, format="parquet", mode="append"), absolute(path), label)
    found = observed(counted, _COUNTED)
    return staged, [(*reason.split(_BETWEEN), rows) for reason, rows in (found["reasons"] if found else [])]


def _stage_brought(
    spark: SparkSession, brought: Sequence[_Brought], path: str, label: Label
) -> tuple[Staged, list[_Count]]:
    """Do the same with rows that the driver holds: here, not by executors."""
    import pyarrow as pa

    shown = [_shown(each.rows.toArrow(), each.hidden) for each in brought]
    rows = pa.concat_tables(shown)
    known = {
        "id": pa.array([str(uuid.uuid4()) for _ in range(rows.num_rows)]),
        "rejected_at": pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), rows.num_rows),
        "run": pa.repeat(pa.scalar(label.number, pa.int32()), rows.num_rows),
    }
    staged = stage_arrow(spark, pa.table(known | {name: rows[name] for name in FIELDS}), absolute(path), label)
    counts = rows.group_by(_WHY).aggregate([([], "count_all")]).to_pylist()
    return staged, [(*(each[name] or "" for name in _WHY), each["count_all"]) for each in counts]


def _written(df: DataFrame, hidden: Paths) -> DataFrame:
    """Return what is written of rejected rows: without the values that nobody may read."""
    if not hidden:
        return df
    hiding = F.udf(partial(hide, paths=hidden), "message STRING, record STRING, hidden BOOLEAN", useArrow=False)
    shown = df.withColumn("shown", hiding("code", "message", "record"))
    told = {name: F.col("shown").getField(name) for name in ("message", "record", "hidden")}
    return shown.withColumns(told).drop("shown")


def _shown(rows: "pyarrow.Table", hidden: Paths) -> "pyarrow.Table":
    """Return what is written of rejected rows that the driver holds; any of it may be null."""
    import pyarrow as pa

    rows = rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema]))
    if not hidden:
        return rows
    told = zip(*(rows[name].to_pylist() for name in ("code", "message", "record")), strict=True)
    shown = [hide(code, message, record, hidden) for code, message, record in told]
    parts = {
        "message": [each.message for each in shown],
        "record": [each.record for each in shown],
        "hidden": [each.is_hidden for each in shown],
    }
    for name, values in parts.items():
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))
    return rows


def _reports(counts: Sequence[_Count], path: str) -> Iterator[RejectReport]:
    for (table, step, rule), alike in groupby(sorted(counts), key=lambda count: count[:3]):
        codes = {code: rows for *_, code, rows in alike}
        yield RejectReport(table, step, sum(codes.values()), path, codes, rule)
