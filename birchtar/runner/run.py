"""One run of a job: make its tables, write its outputs, set rejected rows apart, tell what happened."""

import time
import uuid
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from birchtar.lake.measure import count_stored, size_of
from birchtar.lake.paths import absolute
from birchtar.lake.sink import Sink
from birchtar.lake.write import Written, write
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.plan import Plan
from birchtar.runner.progress import Progress
from birchtar.runner.tables import Rejects, Tables, located, make_tables
from transforms.choices.bare_choices import bare_choices
from transforms.choices.choice import choices_in, has_choices, say_choices
from transforms.choices.format_schema import format_schema

QUARANTINE = "data/quarantine"
"""Below the current folder: where rejected rows go, one folder per job."""

_SIDE_BY_SIDE = 4
"""Outputs that are written at once; more of them only wait for the same cores."""


@dataclass(frozen=True)
class InputReport:
    """What a run read of one input."""

    name: str
    rows: int | None
    """None where Spark found that it did not need the input's rows."""
    bytes: int
    path: str


@dataclass(frozen=True)
class OutputReport:
    """What a run wrote to one table."""

    name: str
    rows: int
    files: int
    bytes: int
    path: str
    format: str


@dataclass(frozen=True)
class RejectReport:
    """The rows that one input or step could not handle, and where they are now."""

    table: str
    step: str
    rows: int
    path: str


@dataclass(frozen=True)
class ConflictReport:
    """A field of an input in which values had several types."""

    input: str
    what: str
    """Its path, and the types, how often each occurred, and an example of it."""


@dataclass
class Report:
    """What a run did."""

    job: str
    inputs: list[InputReport] = field(default_factory=list)
    outputs: list[OutputReport] = field(default_factory=list)
    rejects: list[RejectReport] = field(default_factory=list)
    conflicts: list[ConflictReport] = field(default_factory=list)
    schemas: dict[str, str] = field(default_factory=dict)
    """Of the inputs with such fields, the schema as text."""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Output:
    name: str
    df: DataFrame
    sink: Sink
    path: str
    where: str


def run(plan: Plan, spark: SparkSession, progress: Progress) -> Report:
    """Run a job to its end.

    Raises:
        JobError: Something failed. Outputs that were written by then stay written; the failed one is as it was before.
    """
    started = time.monotonic()
    report = Report(Path(plan.file).stem)
    # A session of the run's own: its views and settings meet nobody else's.
    spark = spark.newSession()
    tables = make_tables(spark, plan)
    try:
        for name, conflicts in tables.conflicts.items():
            report.conflicts += [ConflictReport(name, str(conflict)) for conflict in conflicts]
            if conflicts:
                report.schemas[name] = format_schema(tables.frames[name].schema)
        outputs = list(_outputs(plan, tables))
        for size in dict.fromkeys(output.sink.target_file_size for output in outputs):
            # Spark has this as a setting of the session, so outputs of one size are written together.
            spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", size)
            alike = [output for output in outputs if output.sink.target_file_size == size]
            report.outputs += _write_side_by_side(spark, alike, progress)
        report.rejects += [found for rejects in tables.rejects if (found := _quarantine(report.job, tables, rejects))]
        report.inputs += [_input_report(spark, plan, tables, name) for name in plan.job.inputs]
    finally:
        tables.close()
    report.seconds = time.monotonic() - started
    return report


def _outputs(plan: Plan, tables: Tables) -> Iterable[_Output]:
    for name, sink in plan.job.outputs.items():
        where = f"{plan.place(('outputs', name))}: output {name}"
        try:
            frames = tables.of(name)
        except JobError as error:
            raise JobError(f"{where}: {error}") from None
        for frame_name, df in frames.items():
            # Of a collection each table gets a folder of its own, named after it.
            member = frame_name.partition(".")[2] if name in tables.members else ""
            path = f"{sink.path.rstrip('/')}/{_folder_name(member, where)}" if member else sink.path
            yield _Output(frame_name, _writable(df, sink, where), sink, path, where)


def _writable(df: DataFrame, sink: Sink, where: str) -> DataFrame:
    """Return what a writer can hold: choices go into JSON as the values that they are, and nowhere else."""
    if not has_choices(df):
        return df
    if sink.format == "json" and not set(sink.partition_by) & {path for path, _ in choices_in(df.schema)}:
        return bare_choices(df)
    raise JobError(f"{where}: {say_choices(df.schema, sink.format)}")


def _folder_name(member: str, where: str) -> str:
    """Refuse names that would lead out of the output's folder, or that readers pass over."""
    if "/" in member or "\\" in member or member.startswith((".", "_")):
        raise JobError(f"{where}: the table `{member}` cannot be a folder's name. Write it as an output of its own.")
    return member


def _write_side_by_side(spark: SparkSession, outputs: list[_Output], progress: Progress) -> list[OutputReport]:
    """Write several outputs at once; the first that fails stops the others."""
    group = uuid.uuid4().hex
    with ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(outputs))) as pool:
        futures = [pool.submit(_write_one, spark, output, f"{group}-{n}", progress) for n, output in enumerate(outputs)]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failed = [future for future in futures if future in done and not future.cancelled() and future.exception()]
        except BaseException:
            _stop(spark, futures, group)
            raise
        if failed:
            _stop(spark, futures, group)
            failed[0].result()
    return [future.result() for future in futures]


def _stop(spark: SparkSession, futures: list[Future[OutputReport]], group: str) -> None:
    for n, future in enumerate(futures):
        if not future.cancel() and not future.done():
            spark.sparkContext.cancelJobGroup(f"{group}-{n}")


def _write_one(spark: SparkSession, output: _Output, group: str, progress: Progress) -> OutputReport:
    spark.sparkContext.setJobGroup(group, f"birchtar: {output.name}", interruptOnCancel=True)
    counted = Observation()
    counting = output.df.observe(counted, F.count(F.lit(1)).alias("rows"))
    try:
        with progress.of(output.name, group):
            written: Written = write(counting, output.sink, absolute(output.path))
    except Exception as error:
        raise JobError(f"{output.where}: {sentence(error)}") from error
    rows = observed(counted)
    return OutputReport(output.name, rows or 0, written.files, written.bytes, output.path, output.sink.format)


def _quarantine(job: str, tables: Tables, rejects: Rejects) -> RejectReport | None:
    """Write rejected rows to the job's quarantine, if there are any; only then they are computed a second time."""
    if not _counted(tables, rejects.counted, rejects.df):
        return None
    path = f"{QUARANTINE}/{job}"
    told = rejects.df.select(
        F.lit(datetime.now(UTC)).cast("timestamp").alias("rejected_at"),
        F.lit(rejects.table).alias("table"),
        F.lit(rejects.step).alias("step"),
        "code",
        "message",
        "record",
    )
    rows = Observation()
    sink = Sink(path=path, format="parquet", mode="append")
    write(told.observe(rows, F.count(F.lit(1)).alias("rows")), sink, absolute(path))
    return RejectReport(rejects.table, rejects.step, observed(rows) or 0, path)


def _input_report(spark: SparkSession, plan: Plan, tables: Tables, name: str) -> InputReport:
    source = located(plan.job.inputs[name])
    observation = tables.read.get(name)
    rows = _counted(tables, observation, tables.inputs[name]) if observation else count_stored(spark, source)
    return InputReport(name, rows, size_of(spark, source), ", ".join(plan.job.inputs[name].paths))


def _counted(tables: Tables, observation: Observation, df: DataFrame) -> int | None:
    """Return the rows that an observation counted, or, if it ended before it saw them all, count them now."""
    return df.count() if observation in tables.early else observed(observation)


def observed(observation: Observation) -> int | None:
    """Return the rows that an observation counted; None if Spark left its frame out, as it may beside an empty one.

    An `Observation.get` would then wait for ever.
    """
    finished = observation._jo.future()  # type: ignore[union-attr]  # set by the time its frame was computed
    for _ in range(50):
        if finished.isCompleted():
            return int(observation.get["rows"])
        time.sleep(0.02)  # Spark tells of it shortly after the job's end
    return None
