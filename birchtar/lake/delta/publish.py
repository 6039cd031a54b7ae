"""Phase 2 of a write to a Delta table: what was staged becomes part of it, once."""

from dataclasses import replace

from pyspark.sql import SparkSession

from birchtar.lake.delta.discard import delete_staged
from birchtar.lake.delta.late import widen_remembered
from birchtar.lake.delta.lock import committing
from birchtar.lake.delta.log import Log
from birchtar.lake.delta.plan import Plan, Published, Staged
from birchtar.lake.delta.retry import is_conflict, with_retries
from birchtar.lake.delta.staged_rows import staged_rows
from birchtar.lake.delta.transaction import Pending, write_uncommitted
from birchtar.lake.delta.upsert import upsert
from birchtar.lake.delta.widen import widen
from birchtar.lake.label import Label
from birchtar.lake.rejects import quoted
from birchtar.lake.sink import Sink


def publish(
    spark: SparkSession, sink: Sink, path: str, label: Label, plan: Plan, staged: Staged | None = None
) -> Published:
    """Make staged rows part of the table, by one commit. Does nothing where an earlier call has done it.

    The process that staged commits its open transaction, and copies nothing. Any other process, and this one after
    another writer's commit that does not go with ours, reads the staged files back and writes them anew, as often as
    other writers come in between, for ten minutes at most. Nothing is committed where there is nothing to change.

    Args:
        spark: The session to write with.
        sink: As it was staged with.
        path: The table's folder, with its scheme.
        label: As it was staged with.
        plan: What `stage` returned, perhaps in a process that is dead by now.
        staged: All that `stage` returned, in the same process.
    """
    published = _published(spark, sink, path, label, plan, staged)
    if sink.cluster_by:
        _cluster(spark, sink, path, plan)
    return published


def _published(
    spark: SparkSession, sink: Sink, path: str, label: Label, plan: Plan, staged: Staged | None
) -> Published:
    log = Log(spark, path)
    if log.has_published(label):
        return _skipped(plan)
    if sink.mode in ("merge", "scd2"):
        return _upserted(spark, sink, path, label, plan)
    conflicts = 0
    if staged is not None and staged.pending is not None:
        try:
            return _told(staged.pending, staged.pending.commit(), 0)
        except Exception as error:
            if log.has_published(label):
                return _skipped(plan)
            if not is_conflict(error):
                raise
            conflicts = 1
    return _copied(spark, sink, path, label, plan, conflicts)


def _copied(spark: SparkSession, sink: Sink, path: str, label: Label, plan: Plan, conflicts: int) -> Published:
    log = Log(spark, path)

    def attempt() -> tuple[Pending, int | None] | None:
        if log.has_published(label):
            return None
        widen(log, plan["widen"])
        pending = write_uncommitted(staged_rows(spark, plan), sink, path, label)
        try:
            return pending, pending.commit()
        except Exception:
            if log.has_published(label):
                return None
            delete_staged(spark, path, pending.files)
            raise

    done, more = with_retries(attempt)
    if done is None:
        return _skipped(plan)
    if done[1] is not None:
        delete_staged(spark, plan["folder"], plan["files"], plan["kind"])
    return _told(*done, conflicts + more)


def _upserted(spark: SparkSession, sink: Sink, path: str, label: Label, plan: Plan) -> Published:
    log = Log(spark, path)

    def attempt() -> Published:
        if log.has_published(label):
            return _skipped(plan)
        if not plan["rows"] and log.version() >= 0:
            return Published(0, 0, None)
        widen(log, plan["widen"])
        widen_remembered(spark, path, plan["widen"])
        return upsert(spark, plan, sink, path, label)

    published, conflicts = with_retries(attempt)
    if published.version is not None:  # else nothing tells a next try that all is done, and it reads them again
        delete_staged(spark, plan["folder"], (), plan["kind"])
    return replace(published, retries=conflicts)


def _told(pending: Pending, version: int | None, retries: int) -> Published:
    files = pending.files
    total = sum(file["bytes"] for file in files)
    return Published(len(files), total, version, retries, inserted=sum(file["rows"] for file in files))


def _skipped(plan: Plan) -> Published:
    return Published(len(plan["files"]), plan["bytes"], None, skipped=True, inserted=plan["rows"])


def _cluster(spark: SparkSession, sink: Sink, path: str, plan: Plan) -> None:
    """Cluster a table that this write has made. A table that was there before is as its owner wants it."""
    if plan["base"] >= 0 or Log(spark, path).is_clustered():
        return
    columns = ", ".join(map(quoted, sink.cluster_by))
    with committing(path):
        spark.sql(f"ALTER TABLE delta.`{path.replace('`', '``')}` CLUSTER BY ({columns})")
