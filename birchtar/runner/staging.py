"""A job's outputs, written side by side where no reader looks yet."""

import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from birchtar.lake import write
from birchtar.lake.label import Label
from birchtar.lake.observed import observed_rows
from birchtar.lake.paths import absolute
from birchtar.lake.sink import Sink
from birchtar.lake.write import count_staged, stage, without_empty_files
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.plan import Plan
from birchtar.runner.progress import Progress
from birchtar.runner.report import OutputReport
from birchtar.runner.staged import StagedOutput
from birchtar.runner.tables import Tables
from transforms.choices.bare_choices import bare_choices
from transforms.choices.choice import choices_in, has_choices, say_choices

_SIDE_BY_SIDE = 4
"""Outputs that are written at once; more of them only wait for the same cores."""


@dataclass(frozen=True)
class _Output:
    name: str
    df: DataFrame
    sink: Sink
    path: str
    where: str


def stage_outputs(
    spark: SparkSession, plan: Plan, tables: Tables, label: Label, progress: Progress
) -> list[StagedOutput]:
    """Write all outputs of a job, each below its own hidden folder. Starts the Spark jobs that compute them.

    Raises:
        JobError: One failed. Then the others are stopped, and nothing of any is left.
    """
    outputs = list(_outputs(plan, tables))
    staged: list[StagedOutput] = []
    try:
        for size in dict.fromkeys(output.sink.target_file_size for output in outputs):
            # Spark has this as a setting of the session, so outputs of one size are written together.
            spark.conf.set("spark.sql.adaptive.advisoryPartitionSizeInBytes", size)
            alike = [output for output in outputs if output.sink.target_file_size == size]
            staged.extend(_side_by_side(spark, alike, label, progress))
    except BaseException:
        discard(spark, staged)
        raise
    return staged


def discard(spark: SparkSession, staged: Iterable[StagedOutput]) -> None:
    """Delete what was staged and shall not be published."""
    for output in staged:
        write.discard(spark, output.staged.plan)


def _outputs(plan: Plan, tables: Tables) -> Iterator[_Output]:
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
            # What a run remembers of its outputs has one name each; this member is an output of its own as well.
            label = f"{name}/{member}" if member and frame_name in plan.job.outputs else frame_name
            yield _Output(label, _writable(df, sink, where), sink, path, where)


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


def _side_by_side(
    spark: SparkSession, outputs: list[_Output], label: Label, progress: Progress
) -> Iterator[StagedOutput]:
    """Write several outputs at once and yield those that were written; the first that fails stops the others."""
    group = uuid.uuid4().hex
    with ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(outputs))) as pool:
        futures = [
            pool.submit(_stage_one, spark, output, label, f"{group}-{n}", progress) for n, output in enumerate(outputs)
        ]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            _stop(spark, futures, group)
            raise
        failed = [future for future in futures if future.done() and not future.cancelled() and future.exception()]
        if failed:
            _stop(spark, futures, group)
    yield from (future.result() for future in futures if not future.cancelled() and future.exception() is None)
    if failed:
        failed[0].result()


def _stop(spark: SparkSession, futures: list[Future[StagedOutput]], group: str) -> None:
    for n, future in enumerate(futures):
        if not future.cancel() and not future.done():
            spark.sparkContext.cancelJobGroup(f"{group}-{n}")


def _stage_one(spark: SparkSession, output: _Output, label: Label, group: str, progress: Progress) -> StagedOutput:
    spark.sparkContext.setJobGroup(group, f"birchtar: {output.name}", interruptOnCancel=True)
    counted = Observation()
    counting = output.df.observe(counted, F.count(F.lit(1)).alias("rows"))
    try:
        with progress.of(output.name, group):
            staged = stage(counting, output.sink, absolute(output.path), replace(label, output=output.name))
    except Exception as error:
        raise JobError(f"{output.where}: {sentence(error)}") from error
    rows = observed_rows(counted)
    if rows is None:  # of a frame that Spark knows to be empty nothing is told
        rows = count_staged(spark, staged)
    if not rows:
        staged = without_empty_files(spark, staged)
    report = OutputReport(output.name, rows, staged.files, staged.bytes, output.path, output.sink.format)
    return StagedOutput(report, staged)
