"""`mode: scd2`: where new events stand among the versions of their keys.

The versions of the touched keys are taken apart into the events that made them, put together with the new and the
remembered events, and made anew. So the result depends on the events alone, not on when they came.
"""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from birchtar.lake.delta.compare import column_of, same_key, same_value, sort_key
from birchtar.lake.delta.merge import DELETE, DELETED, INSERT, REMEMBER, UPDATE, by_commit, deletes, without_replaced
from birchtar.lake.delta.mergeable import OPERATION
from birchtar.lake.rejects import named
from birchtar.lake.sink import Sink

_KNOWN = "_birchtar_known"
_EDGE = "_birchtar_edge"
_RANK = "_birchtar_rank"
_THERE = "_birchtar_there"


def new_versions(staged: DataFrame, table: DataFrame, remembered: DataFrame | None, sink: Sink) -> DataFrame:
    """Put events in their places, and return what that does, in a column `_birchtar_operation`. Lazy.

    That is versions to insert, update or delete, and events to remember: those that make no version of their own.

    An event that says the same as the one before it makes no version; a deletion closes a version, and makes none.
    Of several events of one key and time a deletion wins, else the one whose columns are largest, compared from the
    first to the last; of a commit of a change feed, what it removed counts only where it put none back. So events may
    come in any order, in any batches, again and again, and the table is the same.

    Args:
        staged: The new events; none without a time.
        table: The versions of the keys that have new events.
        remembered: Events of such keys that made no version of their own when they came, or None.
        sink: Keys, conditions and column names.
    """
    staged = without_replaced(staged, sink)
    said = [
        named(name) if name in (*sink.keys, sink.order_by) else F.when(~F.col(DELETED), named(name)).alias(name)
        for name in staged.columns
    ]
    events = staged.withColumn(DELETED, deletes(staged, sink)).select(*said, DELETED, F.lit(False).alias(_KNOWN))
    events = events.unionByName(_events_of(table, staged, sink))
    if remembered is not None:
        known = {name.lower() for name in remembered.columns}
        there = [name for name in (*staged.columns, DELETED) if name.lower() in known]
        old = remembered.select(*map(named, there)).withColumn(_KNOWN, F.lit(True))
        events = events.unionByName(old, allowMissingColumns=True)
    edged = _with_edges(_one_per_time(events, staged.schema, sink), staged.schema, sink)
    silent = edged.where(~F.col(_EDGE) & ~F.col(_KNOWN)).select(*map(named, staged.columns), DELETED)
    changes = _differences(_versions(edged, staged, sink), table, sink)
    return changes.unionByName(silent.withColumn(OPERATION, F.lit(REMEMBER)), allowMissingColumns=True)


def silent_events(changes: DataFrame, sink: Sink) -> DataFrame:
    """Return the events of the changes that have to be remembered. Lazy."""
    events = changes.where(named(OPERATION) == REMEMBER)
    return events.drop(OPERATION, sink.valid_from, sink.valid_to, sink.is_current)


def _events_of(table: DataFrame, staged: DataFrame, sink: Sink) -> DataFrame:
    """Return the events that made the versions: their beginnings, and the ends after which nothing held."""
    order = str(sink.order_by)
    after = F.lead(named(sink.valid_from)).over(_by_time(sink, sink.valid_from))
    versions = table.withColumn(_RANK, after)
    begins = versions.select(
        *(named(name) for name in staged.columns), F.lit(False).alias(DELETED), F.lit(False).alias(_KNOWN)
    )
    ends = versions.where(
        named(sink.valid_to).isNotNull() & (F.col(_RANK).isNull() | (named(sink.valid_to) < F.col(_RANK)))
    )
    closed = {order: named(sink.valid_to)} | {name: named(name) for name in sink.keys}
    closing = [
        (closed[name] if name in closed else F.lit(None).cast(staged.schema[name].dataType)).alias(name)
        for name in staged.columns
    ]
    return begins.unionByName(ends.select(*closing, F.lit(True).alias(DELETED), F.lit(False).alias(_KNOWN)))


def _one_per_time(events: DataFrame, schema: StructType, sink: Sink) -> DataFrame:
    """Keep one event per key and time. What is known already goes before what is as good, so it is not told twice."""
    window = Window.partitionBy(*map(named, sink.keys), named(str(sink.order_by))).orderBy(
        *by_commit(events), F.col(DELETED).desc(), _value(schema, sink).desc(), F.col(_KNOWN).desc()
    )
    return events.withColumn(_RANK, F.row_number().over(window)).where(F.col(_RANK) == 1).drop(_RANK)


def _with_edges(events: DataFrame, schema: StructType, sink: Sink) -> DataFrame:
    """Mark the events by which something changes."""
    window = _by_time(sink, str(sink.order_by))
    was_deleted = F.coalesce(F.lag(DELETED).over(window), F.lit(True))
    says_the_same = F.lag(_value(schema, sink)).over(window).eqNullSafe(_value(schema, sink))
    deleted = F.col(DELETED)
    edge = F.when(deleted, ~was_deleted).otherwise(was_deleted | ~says_the_same)
    return events.withColumn(_EDGE, edge)


def _versions(edged: DataFrame, staged: DataFrame, sink: Sink) -> DataFrame:
    order = str(sink.order_by)
    until = F.lead(named(order)).over(_by_time(sink, order))
    versions = edged.where(_EDGE).withColumn(_RANK, until).where(~F.col(DELETED))
    return versions.select(
        *map(named, staged.columns),
        named(order).alias(sink.valid_from),
        F.col(_RANK).alias(sink.valid_to),
        F.col(_RANK).isNull().alias(sink.is_current),
    )


def _differences(new: DataFrame, table: DataFrame, sink: Sink) -> DataFrame:
    keys = [*sink.keys, sink.valid_from]
    new, old = (df.withColumn(_THERE, F.lit(True)) for df in (new, table))
    joined = new.alias("s").join(old.alias("t"), same_key(keys, "s", "t"), how="full")
    in_new, in_old = column_of("s", _THERE).isNotNull(), column_of("t", _THERE).isNotNull()
    same = F.lit(True)
    for field in table.schema:
        types = (field.dataType, field.dataType)
        same = same & same_value(column_of("s", field.name), column_of("t", field.name), types)
    does = F.when(~in_new, F.lit(DELETE)).when(~in_old, F.lit(INSERT)).when(~same, F.lit(UPDATE))
    columns = [
        (F.coalesce(column_of("s", name), column_of("t", name)) if name in keys else column_of("s", name)).alias(name)
        for name in table.columns
    ]
    return joined.select(*columns, does.alias(OPERATION)).where(named(OPERATION).isNotNull())


def _value(schema: StructType, sink: Sink) -> Column:
    """Return what an event says: all columns but key and time, as one value."""
    names = [name for name in schema.names if name not in (*sink.keys, sink.order_by)]
    return sort_key(schema, names) if names else F.struct(F.lit(0).alias("c0"))


def _by_time(sink: Sink, time: str) -> WindowSpec:
    return Window.partitionBy(*map(named, sink.keys)).orderBy(named(time))
