"""The rejected rows that a replay sends through its job, and what is resolved of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, MapType, StringType, StructField, StructType

from birchtar.lake.files import FileSystem
from birchtar.lake.label import Label
from birchtar.lake.many_paths import AS_THEY_ARE
from birchtar.lake.paths import absolute
from birchtar.lake.read import read
from birchtar.lake.read_again import read_again
from birchtar.lake.rejects import CORRUPT_FILE, ENCODING, MALFORMED, REPLACED, TRUNCATED
from birchtar.lake.sink import Sink
from birchtar.lake.source import TEXT_FORMATS, Source
from birchtar.lake.write import stage
from birchtar.runner.conflicts import read_settled
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.places import quarantine_path, resolved_path
from birchtar.runner.plan import Plan, PlannedTable
from birchtar.runner.replayable import flowing_of, flows
from birchtar.runner.report import OutputReport, ResolvedReport
from birchtar.runner.staged import StagedOutput
from transforms.rejects import ERROR_COLUMN

RESOLVED = "(resolved)"
"""No table can have this name."""

READ, RULES = "read", "rules"

_OF_FILES = (CORRUPT_FILE, TRUNCATED)
"""Codes of rows that tell of a whole file: there is no record to send."""

_MOST_FILES = 3
"""Files that a message names."""

_NOT_KEPT = {
    1: ("values that the job masks are hidden in them", "the job"),
    2: ("bytes that are no text are not kept in them", "the input's encoding"),
}
"""What is not in the quarantine of rows that are left, and what to correct."""

_BY_ALL_ROWS = ("choice", "rescue")
"""Ways to settle conflicts after which a field alone does not say how a value is read into it."""


@dataclass(frozen=True)
class Selection:
    """Which of the rejected rows are meant; None, and an empty text, mean all."""

    reason: str | None = None
    run: int | None = None
    table: str | None = None
    rule: str | None = None
    where: str | None = None
    """A condition in SQL on the columns of the quarantine."""

    @property
    def columns(self) -> dict[str, str | int | None]:
        """What the other choices say of the quarantine's columns."""
        return {"code": self.reason, "run": self.run, "table": self.table, "rule": self.rule}


@dataclass
class Replayed:
    """What a replay reads instead of its inputs."""

    kept: DataFrame
    """All chosen rows, held in memory until the replay ends."""
    rows: DataFrame
    """Those that can be replayed."""
    schemas: dict[str, str]
    """Of the bookmarked inputs, the schema when they were last read, as Spark writes it in JSON."""
    flowing: set[str] = field(default_factory=set)
    """Inputs whose rows go into outputs: a replay reads none of them but those that were rejected."""
    resolved: list[ResolvedReport] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What cannot be replayed of the chosen rows, and what to do."""
    places: set[tuple[str, str]] = field(default_factory=set)
    """Tables and steps at which rows enter."""


def unresolved(spark: SparkSession, job: str, selection: Selection) -> DataFrame | None:
    """Return the rejected rows of a job that no replay has resolved, as far as they are chosen; None without any file.

    Raises:
        JobError: The condition is no SQL on the quarantine's columns.
    """
    path, done = absolute(quarantine_path(job)), absolute(resolved_path(job))
    files = FileSystem(spark, path)
    if not files.exists(path) or not any(files.data_files(path)):
        return None
    df = spark.read.options(mergeSchema="true", **AS_THEY_ARE).parquet(path)
    for column, wanted in selection.columns.items():
        if wanted is not None:
            df = df.where(F.col(column) == F.lit(wanted))
    if selection.where:
        try:
            df = df.where(selection.where)
        except Exception as error:
            raise JobError(f"--where: {sentence(error)} The columns are: {', '.join(df.columns)}.") from error
    if files.exists(done) and any(files.data_files(done)):
        df = df.join(spark.read.options(**AS_THEY_ARE).parquet(done).select("id"), "id", "left_anti")
    return df


def stage_resolved(replayed: Replayed, label: Label, job: str) -> StagedOutput:
    """Write down beside the quarantine which rows this replay resolves, to be published together with its outputs."""
    sink = Sink(path=resolved_path(job), format="parquet", mode="append")
    rows = replayed.rows.select("id", F.lit(label.number).alias("replay"))
    staged = stage(rows, sink, absolute(sink.path), label)
    number = sum(each.rows for each in replayed.resolved)
    return StagedOutput(OutputReport(RESOLVED, number, staged.files, staged.bytes, sink.path, "parquet"), staged)


def read_replayed(spark: SparkSession, replayed: Replayed, name: str, source: Source) -> DataFrame:
    """Return the rows of an input in a replay: those that it rejected, read again; often none.

    Raises:
        LakeError: The input's columns are not known.
    """
    schema = _schema(spark, replayed, name, source)
    if (name, READ) not in replayed.places:
        return spark.createDataFrame([], schema)
    rows = replayed.rows.where((F.col("table") == name) & (F.col("step") == READ))
    return read_again(spark, source, rows, schema)


def _schema(spark: SparkSession, replayed: Replayed, name: str, source: Source) -> StructType:
    found = source.declared()
    if found is None and name in replayed.schemas:
        found = StructType.fromJson(json.loads(replayed.schemas[name]))
    if found is None:
        # A few rows say nothing of the types that all have together, so these are found as a run finds them.
        everything = read_settled(spark, source, source.conflicts).df if source.conflicts else read(spark, source)
        found = everything.schema
    return StructType([each for each in found.fields if each.name != ERROR_COLUMN])


def chosen_records(spark: SparkSession, job: str, selection: Selection, limit: int) -> list[dict[str, Any]]:
    """Return the chosen rows that are not resolved, the newest first.

    Raises:
        JobError: The condition is no SQL on the quarantine's columns.
    """
    df = unresolved(spark, job, selection)
    if df is None:
        return []
    return [row.asDict() for row in df.orderBy(F.col("run").desc(), "table", "id").limit(limit).collect()]


def choose(spark: SparkSession, plan: Plan, job: str, selection: Selection, schemas: dict[str, str]) -> Replayed | None:
    """Return what a replay sends through the job; None where nothing was ever rejected.

    Rows that tell of a whole file are left: a run reads the file when it was repaired. So are rows of which a masked
    value is hidden, or bytes were not kept: nobody can bring them back, and a text's place in its file is not known.

    Raises:
        JobError: A row cannot enter the job as its config is now.
    """
    df = unresolved(spark, job, selection)
    if df is None:
        return None
    kept = df.persist()
    try:
        return _chosen(plan, kept, schemas)
    except BaseException:
        kept.unpersist()
        raise


def _chosen(plan: Plan, kept: DataFrame, schemas: dict[str, str]) -> Replayed:
    can_enter = ~F.col("code").isin(*_OF_FILES) & _is_kept(plan)
    rows = kept.where(can_enter)
    replayed = Replayed(kept, rows, schemas, set(flows(plan)), left=list(_left(plan, kept.where(~can_enter))))
    keys = ("run", "table", "step", "rule", "code")
    counted = rows.fillna("", "rule").groupBy(*keys).count().orderBy(*keys).collect()
    for run, table, step, rule, code, number in counted:
        _require_entrance(plan, replayed, table, step)
        replayed.resolved.append(ResolvedReport(run, table, step, rule, code, number))
        replayed.places.add((table, step))
    return replayed


def _left(plan: Plan, rows: DataFrame) -> Iterator[str]:
    why = F.when(F.col("code").isin(*_OF_FILES), 0).when(F.col("hidden"), 1).otherwise(2).alias("why")
    groups = rows.groupBy(why).agg(F.count("*"), F.min("run"), F.array_sort(F.collect_set("file"))).orderBy("why")
    for kind, number, run, files in groups.collect():
        if kind == 0:
            yield f"{number:,} rejected rows tell of whole files; a run reads these when they are repaired."
            continue
        what, wrong = _NOT_KEPT[kind]
        yield (
            f"{number:,} rejected rows were left: {what}, and stand only in {_named(files)}. Correct {wrong}, and"
            f" {_to_read_again(plan, run)}."
        )


def _is_kept(plan: Plan) -> Column:
    """Tell whether a row has its record as it was. Of CSV, bytes that are no text are lost in it."""
    lines = [name for name, source in plan.job.inputs.items() if source.format == "csv"]
    is_text = F.col("code").isin(ENCODING, MALFORMED) & F.col("table").isin(lines) & (F.col("step") == READ)
    return F.col("record").isNotNull() & ~F.col("hidden") & ~(is_text & F.contains("record", F.lit(REPLACED)))


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - _MOST_FILES:,} other files" if len(files) > _MOST_FILES else ""
    return f"{', '.join(files[:_MOST_FILES])}{more}" if files else "the files that were read"


def _to_read_again(plan: Plan, run: int) -> str:
    """Return how records come in once more that are not kept: a whole file only where no other row of it doubles."""
    merges = all(sink.mode in ("merge", "scd2") for sink in plan.job.outputs.values())
    if merges and any(source.bookmark for source in plan.job.inputs.values()):
        return f"read their files again: all outputs merge. `birchtar bookmark rewind {plan.name} --to {run - 1}`"
    return "bring these records in again by a new file"


def _in_json(data_type: DataType) -> DataType:
    """Return the type that a column has in a record: JSON knows no keys but texts."""
    return MapType(StringType(), data_type.valueType) if isinstance(data_type, MapType) else data_type


def _from_json(column: Column, field: StructField) -> Column:
    if not isinstance(field.dataType, MapType):
        return column
    key_type = field.dataType.keyType
    return F.transform_keys(column, lambda key, _: key.cast(key_type))


def entering(replayed: Replayed, df: DataFrame, table: str, step: str) -> DataFrame:
    """Return a table's rows before a step, with those that were rejected there.

    One that does not fit the table any more comes with an ``_error``.
    """
    if (table, step) not in replayed.places:
        return df
    rows = replayed.rows.where((F.col("table") == table) & (F.col("step") == step))
    corrupt = "_birchtar_corrupt"
    schema = StructType([StructField(field.name, _in_json(field.dataType)) for field in df.schema.fields])
    schema = schema.add(corrupt, "string")
    value = F.from_json("record", schema, {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": corrupt}).alias("value")
    parsed = rows.select(value, "id", "record", "file", "position")
    message = "The row does not fit the table as it is at this step now."
    error = F.struct(
        F.lit("MALFORMED").alias("code"),
        F.lit(message).alias("message"),
        "record",
        "file",
        "position",
        F.col("id").alias("replay_of"),
    )
    is_broken = F.col("value").isNull() | F.col("value").getField(corrupt).isNotNull()
    columns = [_from_json(F.col("value").getField(field.name), field).alias(field.name) for field in df.schema.fields]
    return df.unionByName(
        parsed.select(*columns, F.when(is_broken, error).alias(ERROR_COLUMN)), allowMissingColumns=True
    )


def _require_entrance(plan: Plan, replayed: Replayed, table: str, step: str) -> None:
    if step == READ:
        source = plan.job.inputs.get(table)
        if source is not None and source.format not in TEXT_FORMATS:
            why = (
                f"the input `{table}` is {source.format}, of which no record is read again from the quarantine. Correct"
                " its `schema`, and bring these records in by a new file; where all outputs merge or are overwritten,"
                " have their files read again"
            )
        elif source is not None and table in replayed.flowing:
            conflicts = source.conflicts
            if conflicts not in _BY_ALL_ROWS:
                return
            why = (
                f"the input `{table}` has `conflicts: {conflicts}`, by which a value's place depends on the values of"
                " all rows. Bring these records in again by a new file, or replay them with a `schema` in place of"
                " `conflicts`"
            )
        elif source is not None:
            why = f"rows of the input `{table}` are only looked up; every run reads them anew"
        else:
            why = f"the job has no input `{table}` any more"
    elif any(each.name == table and step in labels(each) for each in plan.tables):
        if table in flowing_of(plan):
            return
        why = f"rows of the table `{table}` are only looked up, so nothing would come of them alone"
    else:
        why = f"the job has no step `{step}` in a table `{table}` any more"
    raise JobError(
        f"{plan.file}: rows that {table}, {step} rejected cannot be replayed: {why}."
        " Choose others with --table, --reason, --run, --rule or --where."
    )


def labels(table: PlannedTable) -> list[str]:
    """Return how the quarantine calls each step of a table, and its rules: a second `map_rows` is `map_rows 2`."""
    names: list[str] = []
    found: list[str] = []
    for step in table.steps:
        names.append(step.name)
        found.append(label(step.name, names.count(step.name)))
    return [*found, RULES]


def label(name: str, times: int) -> str:
    """Return how the quarantine calls a step.

    Example:
        >>> label("map_rows", 1), label("map_rows", 2)
        ('map_rows', 'map_rows 2')
    """
    return name if times == 1 else f"{name} {times}"
