"""Phase 2 of `merge` and `scd2`: the staged rows are compared with the table, and one MERGE changes what differs."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DateType, DecimalType, IntegralType, StringType

from birchtar.lake.delta.compare import column_of, same_key
from birchtar.lake.delta.late import remember, remembered
from birchtar.lake.delta.lock import committing
from birchtar.lake.delta.log import Log
from birchtar.lake.delta.merge import (
    DELETE,
    DELETED,
    INSERT,
    REMEMBER,
    changed,
    deletions,
    merge_changes,
    older,
)
from birchtar.lake.delta.mergeable import OPERATION, event_columns, version_columns
from birchtar.lake.delta.plan import Plan, Published
from birchtar.lake.delta.scd2 import new_versions, silent_events
from birchtar.lake.delta.staged_rows import staged_rows
from birchtar.lake.delta.transaction import write_uncommitted
from birchtar.lake.label import Label
from birchtar.lake.rejects import named, quoted
from birchtar.lake.sink import Sink

_NAMED = (BooleanType, DateType, DecimalType, IntegralType, StringType)
"""Types whose values come to Python and back as they were. Times do not: Python's may be those of another zone."""

_MOST_PARTITIONS = 1000
"""More values than these in one condition cost more than the files that they spare."""


def upsert(spark: SparkSession, plan: Plan, sink: Sink, path: str, label: Label) -> Published:
    """Merge staged rows into a table, which is made if it is not there. Reads the rows of the table that may match.

    What has to be remembered is written first: where the process dies behind that, the next try finds it and
    changes the table as it would have. Where nothing differs nothing is committed.

    Raises:
        Exception: Another writer came in between; see `is_conflict`.
    """
    own = _session(spark, label)
    log, staged = Log(own, path), staged_rows(own, plan)
    if log.version() < 0:
        return _made(staged, sink, path, label)
    with committing(path):
        base = log.version()
        published = _merged(staged, sink, log, label)
    if published.version is not None and published.version > base + 1 and sink.order_by is not None:
        # Somebody committed after we had looked. Looking again puts right what depended on it.
        again = _session(spark, None)
        with committing(path):
            _merged(staged_rows(again, plan), sink, Log(again, path), label)
    return published


def _session(spark: SparkSession, label: Label | None) -> SparkSession:
    """Return a session of its own, for Delta takes the write's label from the session's settings.

    Settings and kept frames are those of the session that it is made from. Other threads' writes are not labelled.
    """
    own = SparkSession(spark.sparkContext, spark._jsparkSession.cloneSession())
    if label is not None:
        own.conf.set("spark.databricks.delta.write.txnAppId", label.app)
        own.conf.set("spark.databricks.delta.write.txnVersion", str(label.version))
    return own


def _made(staged: DataFrame, sink: Sink, path: str, label: Label) -> Published:
    """Make the table of the rows that are left of the new ones."""
    columns = version_columns(staged.schema, sink) if sink.mode == "scd2" else staged.schema
    changes = _changes(staged, staged.sparkSession.createDataFrame([], columns), sink, path)
    _remember(changes, sink, path)
    rows = changes.where(named(OPERATION) == INSERT).select(*map(named, columns.names))
    pending = write_uncommitted(rows, sink.model_copy(update={"mode": "append"}), path, label)
    version = pending.commit()
    total = sum(file["bytes"] for file in pending.files)
    return Published(len(pending.files), total, version, inserted=sum(file["rows"] for file in pending.files))


def _merged(staged: DataFrame, sink: Sink, log: Log, label: Label) -> Published:
    base = log.version()
    table = staged.sparkSession.read.format("delta").load(log.path)
    pruned = _pruned(staged, sink, log)
    changes = _changes(staged, table.where(pruned(None)), sink, log.path)
    # What is persisted knows its tables, and Delta has it computed anew after each commit to one of them.
    changes = changes.localCheckpoint()
    _remember(changes, sink, log.path)
    rows = changes.where(named(OPERATION) != REMEMBER).drop(DELETED)
    if rows.isEmpty():
        return Published(0, 0, None)
    _merge(rows, table, sink, log, pruned("t"))
    return _told(log, label, base)


def _changes(staged: DataFrame, table: DataFrame, sink: Sink, path: str) -> DataFrame:
    """Return what staged rows do to a table as it is now, in a column `_birchtar_operation`. Lazy."""
    known = remembered(staged.sparkSession, path) if sink.order_by is not None else None
    if sink.mode == "merge":
        return merge_changes(staged, table, known, sink)
    staged, table = _alike(staged, table, sink)
    return new_versions(staged, _touched(table, staged, sink), known and _touched(known, staged, sink), sink)


def _alike(events: DataFrame, table: DataFrame, sink: Sink) -> tuple[DataFrame, DataFrame]:
    """Return both with the columns of both, by the events' names, null where one lacks a column or a nested field."""
    names = {name.lower(): name for name in events.columns}

    def together(first: DataFrame, second: DataFrame) -> DataFrame:
        both = first.unionByName(second, allowMissingColumns=True)
        return both.select(*(named(name).alias(names.get(name.lower(), name)) for name in both.columns))

    empty = table.limit(0).select(*map(named, event_columns(table.schema, sink).names))
    return together(empty, events), together(table, events.limit(0))


def _touched(df: DataFrame, staged: DataFrame, sink: Sink) -> DataFrame:
    """Return the rows whose keys have new events."""
    keys = staged.select(*map(named, sink.keys)).distinct()
    return df.alias("t").join(keys.alias("s"), same_key(sink.keys, "t", "s"), how="left_semi")


def _remember(changes: DataFrame, sink: Sink, path: str) -> None:
    late = silent_events(changes, sink) if sink.mode == "scd2" else deletions(changes, sink)
    if late is not None and not late.isEmpty():
        remember(late, path)


def _pruned(staged: DataFrame, sink: Sink, log: Log) -> Callable[[str | None], Column]:
    """Return the condition that names the partitions in which the staged keys can be, for a frame's alias."""
    kinds = {field.name: field.dataType for field in staged.schema}
    columns = [name for name in log.partition_columns() if name in sink.keys and isinstance(kinds[name], _NAMED)]
    if not columns:
        return lambda alias: F.lit(True)
    found = staged.select(*map(named, columns)).distinct().limit(_MOST_PARTITIONS + 1).collect()
    if len(found) > _MOST_PARTITIONS:
        return lambda alias: F.lit(True)
    values = {name: {row[name] for row in found} for name in columns}

    def condition(alias: str | None) -> Column:
        result = F.lit(True)
        for name in columns:
            column = named(name) if alias is None else column_of(alias, name)
            among = column.isin([value for value in values[name] if value is not None])
            result = result & (among | column.isNull() if None in values[name] else among)
        return result

    return condition


def _merge(rows: DataFrame, table: DataFrame, sink: Sink, log: Log, pruned: Column) -> None:
    from delta.tables import DeltaTable

    names = [name for name in rows.columns if name != OPERATION]
    keys = [*sink.keys, sink.valid_from] if sink.mode == "scd2" else sink.keys
    values: dict[str, str | Column] = {quoted(name): column_of("s", name) for name in names}
    does = column_of("s", OPERATION)
    wins, differs = F.lit(True), F.lit(True)
    if sink.mode == "merge":
        schema = rows.select(*map(named, names)).schema
        wins, differs = ~older(sink), changed(schema, table.schema, sink)
    merge = (
        DeltaTable.forPath(rows.sparkSession, log.path)
        .alias("t")
        .merge(rows.alias("s"), pruned & same_key(keys, "t", "s"))
        .whenMatchedDelete((does == DELETE) & wins)
        .whenMatchedUpdate((does != DELETE) & wins & differs, set=values)
        .whenNotMatchedInsert(does != DELETE, values=values)
    )
    if sink.schema_changes in ("evolve", "widen", "rescue"):
        merge = merge.withSchemaEvolution()
    merge.execute()


def _told(log: Log, label: Label, base: int) -> Published:
    found = log.commit_of(label, base)
    if found is None:
        return Published(0, 0, None)
    version, actions = found
    metrics = next(action["commitInfo"]["operationMetrics"] for action in actions if "commitInfo" in action)
    return Published(
        int(metrics["numTargetFilesAdded"]),
        int(metrics["numTargetBytesAdded"]),
        version,
        inserted=int(metrics["numTargetRowsInserted"]),
        updated=int(metrics["numTargetRowsUpdated"]),
        deleted=int(metrics["numTargetRowsDeleted"]),
    )
