"""`mode: merge`: which of the new rows change the table, and how."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from birchtar.lake.delta.compare import column_of, same_key, same_value, sort_key
from birchtar.lake.delta.mergeable import OPERATION
from birchtar.lake.delta_changes import CHANGE_TYPE, COMMIT_VERSION
from birchtar.lake.rejects import named
from birchtar.lake.sink import Sink

INSERT, UPDATE, DELETE, REMEMBER = "I", "U", "D", "R"
"""What a row does. The last: a deletion of what is not there changes no row, but has to be remembered."""

_STAYING = ("insert", "update_postimage")
_BEFORE = "update_preimage"
"""What a commit says of a row as it was until then: no state that a row has."""

_STAYS = "_birchtar_stays"
DELETED = "_birchtar_deleted"
_THERE = "_birchtar_there"
_RANK = "_birchtar_rank"
_GONE = "_birchtar_gone"


def without_replaced(staged: DataFrame, sink: Sink) -> DataFrame:
    """Return the rows of a change feed without what its commits have removed of keys that they put back. Lazy.

    A commit that overwrites rows says of a key that stays that it was deleted, and inserted, at one time. Where an
    update has changed a key nothing is put back under the old one; that is left out too where nothing is deleted.
    """
    if CHANGE_TYPE not in staged.columns:
        return staged
    if sink.delete_when is None:
        staged = staged.where(~named(CHANGE_TYPE).eqNullSafe(_BEFORE))
    time = [name for name in (COMMIT_VERSION, sink.order_by) if name in staged.columns][:1]
    window = Window.partitionBy(*map(named, [*sink.keys, *time]))
    stays = F.coalesce(named(CHANGE_TYPE).isin(*_STAYING), F.lit(False))
    return staged.withColumn(_STAYS, F.max(stays).over(window)).where(~F.col(_STAYS) | stays).drop(_STAYS)


def deletes(staged: DataFrame, sink: Sink) -> Column:
    """Return whether a row says that its key is gone: by `delete_when`, and where an update has changed the key."""
    if sink.delete_when is None:
        return F.lit(False)
    said = F.coalesce(F.expr(sink.delete_when), F.lit(False))
    return said | named(CHANGE_TYPE).eqNullSafe(_BEFORE) if CHANGE_TYPE in staged.columns else said


def by_commit(rows: DataFrame) -> list[Column]:
    """Return the order of a change feed's commits, the last first; nothing where the rows are of no change feed."""
    return [named(COMMIT_VERSION).desc_nulls_last()] if COMMIT_VERSION in rows.columns else []


def newest(staged: DataFrame, sink: Sink) -> DataFrame:
    """Return one row per key, and whether it deletes, in a column `_birchtar_deleted`. Lazy.

    The row with the largest ``order_by`` wins, a null loses to any other. Among ties that of the last commit wins, if
    the rows are of a change feed; then a row that deletes, then the one whose columns are largest, compared from the
    first to the last: whatever order the rows came in. Of the rows that one commit of a change feed says of a key,
    those that it removed count only where it put none back.
    """
    staged = without_replaced(staged, sink)
    marked = staged.withColumn(DELETED, deletes(staged, sink))
    order = [named(sink.order_by).desc_nulls_last()] if sink.order_by else []
    ranking = [*order, *by_commit(staged), F.col(DELETED).desc(), sort_key(staged.schema, staged.columns).desc()]
    window = Window.partitionBy(*map(named, sink.keys)).orderBy(*ranking)
    return marked.withColumn(_RANK, F.row_number().over(window)).where(F.col(_RANK) == 1).drop(_RANK)


def merge_changes(staged: DataFrame, table: DataFrame, gone: DataFrame | None, sink: Sink) -> DataFrame:
    """Return the new rows that change the table, each with what it does in a column `_birchtar_operation`. Lazy.

    A row that is older than the table's, by ``order_by``, changes nothing; one that is as old replaces it. Nor does
    one bring a key back that is no newer than a deletion of it, also if the deleted row was never there. A row that is
    there is deleted also where its deletion is remembered already, by an attempt that died behind that.

    Args:
        staged: The new rows.
        table: The rows of the table that may have these keys.
        gone: Keys with the ``order_by`` at which they were deleted, or None.
        sink: Keys and conditions.
    """
    new = newest(staged, sink)
    there = table.withColumn(_THERE, F.lit(True)).alias("t")
    joined = new.alias("s").join(there, same_key(sink.keys, "t", "s"), how="left")
    matched = column_of("t", _THERE).isNotNull()
    deleted = column_of("s", DELETED)
    does = (
        F.when(matched & deleted & ~older(sink), F.lit(DELETE))
        .when(matched & ~deleted & ~older(sink) & changed(staged.schema, table.schema, sink), F.lit(UPDATE))
        .when(~matched & ~deleted, F.lit(INSERT))
        .when(~matched & deleted, F.lit(REMEMBER))
    )
    changes = joined.select(*(column_of("s", name) for name in staged.columns), does.alias(OPERATION))
    # A key that the table has several times meets its new row as often. One says enough: it changes them all.
    changes = changes.where(named(OPERATION).isNotNull()).dropDuplicates(sink.keys)
    return changes if gone is None or sink.order_by is None else _without_gone(changes, gone, sink)


def older(sink: Sink) -> Column:
    """Return whether the new row `s` is older than the table's row `t`; null is older than anything else."""
    if sink.order_by is None:
        return F.lit(False)
    new, old = column_of("s", sink.order_by), column_of("t", sink.order_by)
    return F.coalesce(old.isNotNull() & (new.isNull() | (new < old)), F.lit(False))


def changed(new: StructType, old: StructType, sink: Sink) -> Column:
    """Return whether the new row `s` says anything else than the table's row `t`. Columns it lacks do not count."""
    known = {field.name.lower(): field for field in old}
    result = F.lit(False)
    for field in new:
        if field.name in sink.keys:
            continue
        there = known.get(field.name.lower())
        if there is None:
            result = result | column_of("s", field.name).isNotNull()
        else:
            types = (field.dataType, there.dataType)
            result = result | ~same_value(column_of("s", field.name), column_of("t", there.name), types)
    return result


def deletions(changes: DataFrame, sink: Sink) -> DataFrame | None:
    """Return what has to be remembered of the changes: keys, and the time of their deletion. Lazy."""
    if sink.order_by is None or sink.delete_when is None:
        return None
    return changes.where(named(OPERATION).isin(DELETE, REMEMBER)).select(*map(named, sink.keys), named(sink.order_by))


def _without_gone(changes: DataFrame, gone: DataFrame, sink: Sink) -> DataFrame:
    order = str(sink.order_by)
    last = gone.groupBy(*map(named, sink.keys)).agg(F.max(named(order)).alias(order), F.lit(True).alias(_GONE))
    joined = changes.alias("s").join(last.alias("g"), same_key(sink.keys, "s", "g"), how="left")
    new, then = column_of("s", order), column_of("g", order)
    buried = column_of("g", _GONE).isNotNull() & F.coalesce(new <= then, new.isNull())
    kept = joined.where(~buried | named(OPERATION).isin(UPDATE, DELETE))
    return kept.select(*(column_of("s", name) for name in changes.columns))
