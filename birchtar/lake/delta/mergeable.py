"""Whether rows can be merged as an output says, found out before they are written."""

from collections.abc import Mapping, Sequence

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, MapType, StructField, StructType, VariantType

from birchtar.lake.delta.compare import comparable
from birchtar.lake.delta.log import Log
from birchtar.lake.errors import LakeError
from birchtar.lake.rejects import named, quoted
from birchtar.lake.sink import Sink

OPERATION = "_birchtar_operation"
"""What a row does to the table, in the frames that are merged."""


def require_mergeable(df: DataFrame, sink: Sink, path: str, table: StructType | None) -> None:
    """Check the columns that a merge needs. Starts no Spark job.

    Raises:
        LakeError: A column is missing, cannot be compared, or has a name that the table needs.
    """
    order = [sink.order_by] if sink.order_by is not None else []
    for kind, names in (("keys", sink.keys), ("order_by", order), ("cluster_by", sink.cluster_by)):
        for name in names:
            if name not in df.columns and not (kind == "cluster_by" and name in _made(sink)):
                raise LakeError.at([path], f"{kind}: there is no column `{name}`. There are: {', '.join(df.columns)}.")
    for name in [*sink.keys, *order]:
        if isinstance(df.schema[name].dataType, MapType | VariantType):
            raise LakeError.at(
                [path], f"`{name}` is {df.schema[name].dataType.simpleString()}: such cannot be compared."
            )
    for name in _made(sink):
        if name.lower() in map(str.lower, df.columns):
            raise LakeError.at([path], f"the rows have a column `{name}` already, which the table makes itself.")
    if sink.mode == "scd2" and table is not None:
        _require_versions(df, table, sink, path)
    if sink.mode == "merge" and table is not None:
        _require_in_table("keys", sink.keys, table, path)
        _require_in_table("order_by", order, table, path)
    if sink.delete_when is not None:
        _require_condition(df, sink.delete_when, path)


def require_one_row_per_key(staged: DataFrame, sink: Sink, path: str) -> None:
    """Refuse different rows of one key where nothing says which is the newest. A Spark job over the staged rows.

    Raises:
        LakeError: There are such rows.
    """
    values = [comparable(named(field.name), field.dataType) for field in staged.schema]
    # A hash passes over nulls, so what is null goes into it as well.
    row = F.xxhash64(*values, *(value.isNull() for value in values))
    keys = (
        staged.groupBy(*map(named, sink.keys)).agg((F.min(row) != F.max(row)).alias("differ")).where("differ").count()
    )
    if keys:
        raise LakeError.at(
            [path],
            f"{keys} keys ({', '.join(sink.keys)}) have several different rows, and nothing says which is the newest."
            " Name a column with `order_by`, or keep one row per key.",
        )


def require_times(staged: DataFrame, sink: Sink, path: str) -> None:
    """Refuse rows without the time from which they hold: they have no place among the versions. A Spark job.

    Raises:
        LakeError: There are such rows.
    """
    if rows := staged.where(named(str(sink.order_by)).isNull()).count():
        raise LakeError.at(
            [path],
            f"{'1 row has' if rows == 1 else f'{rows:,} rows have'} no `{sink.order_by}`. `scd2` needs the time from"
            f" which a row holds. Filter such rows, or let a rule `not_null: {sink.order_by}` with `action: reject`"
            " send them to the quarantine.",
        )


def require_valid(staged: DataFrame, sink: Sink, log: Log) -> None:
    """Refuse rows that the table would not take, or on which `delete_when` fails: before they are published.

    Starts a Spark job over the staged rows, where there is such a condition.

    Raises:
        LakeError: Rows break a constraint of the table, or have a null where it allows none.
    """
    deleted = F.lit(False) if sink.delete_when is None else F.coalesce(F.expr(sink.delete_when), F.lit(False))
    wanted = {f"the table's constraint `{said}`": said for said in log.constraints()} if log.version() >= 0 else {}
    wanted |= {f"`{name}`, which may not be null": f"{quoted(name)} IS NOT NULL" for name in _never_null(staged, log)}
    asked = {what: said for what, said in wanted.items() if _is_condition(staged, said)}
    if not asked and sink.delete_when is None:
        return
    broken = [F.count_if(~deleted & ~F.coalesce(F.expr(said), F.lit(False))) for said in asked.values()]
    counts = staged.agg(F.count_if(deleted), *broken).first() or ()
    if told := [f"{rows} rows break {what}" for what, rows in zip(asked, counts[1:], strict=True) if rows]:
        raise LakeError.at([log.path], f"{'; '.join(told)}. Filter them, or let a rule reject them.")


def version_columns(events: StructType, sink: Sink) -> StructType:
    """Return the columns of the table of versions that events make."""
    time = events[str(sink.order_by)].dataType
    made = [
        StructField(sink.valid_from, time),
        StructField(sink.valid_to, time),
        StructField(sink.is_current, BooleanType()),
    ]
    return StructType([*events, *made])


def event_columns(versions: StructType, sink: Sink) -> StructType:
    """Return the columns of a table that come from its rows, without those that a table of versions makes itself."""
    return StructType([field for field in versions if field.name not in _made(sink)])


def widened_times(widened: Mapping[str, str], sink: Sink) -> dict[str, str]:
    """Return the types of a version's two times, where the column that they are from becomes wider."""
    kinds = [kind for name, kind in widened.items() if name.lower() == str(sink.order_by).lower()]
    return {name: kind for kind in kinds for name in (sink.valid_from, sink.valid_to)}


def _made(sink: Sink) -> list[str]:
    return [sink.valid_from, sink.valid_to, sink.is_current] if sink.mode == "scd2" else []


def _require_versions(df: DataFrame, table: StructType, sink: Sink, path: str) -> None:
    theirs = {field.name: field.dataType.simpleString() for field in table}
    if sink.schema_changes == "fail":
        ours = {field.name: field.dataType.simpleString() for field in version_columns(df.schema, sink)}
    else:  # of the others `fit` has seen to
        _require_in_table("keys", sink.keys, table, path)
        _require_in_table("order_by", [str(sink.order_by)], table, path)
        time = next(kind for name, kind in theirs.items() if name.lower() == str(sink.order_by).lower())
        ours = {sink.valid_from: time, sink.valid_to: time, sink.is_current: "boolean"}
        theirs = {name: kind for name, kind in theirs.items() if name in ours}
    new = [f"`{name}` is new" for name in ours if name not in theirs]
    missing = [f"`{name}` is missing here" for name in theirs if name not in ours]
    other = [
        f"`{name}` is {theirs[name]} there and {kind} here"
        for name, kind in ours.items()
        if name in theirs and kind != theirs[name]
    ]
    if differences := [*new, *missing, *other]:
        raise LakeError.at(
            [path],
            f"scd2: the table has other columns: {'; '.join(differences)}. Select, rename or cast what differs, let"
            " `schema_changes` say what becomes of it, or write to another place.",
        )


def _require_in_table(kind: str, names: Sequence[str], table: StructType, path: str) -> None:
    there = {name.lower() for name in table.names}
    for name in names:
        if name.lower() not in there:
            raise LakeError.at(
                [path],
                f"{kind}: the table has no column `{name}`, so nothing can be compared by it. It has:"
                f" {', '.join(table.names)}. Write to another place, or add the column with ALTER TABLE first.",
            )


def _never_null(staged: DataFrame, log: Log) -> list[str]:
    fields = StructType.fromJson(log.schema()).fields if log.version() >= 0 else []
    ours = {name.lower() for name in staged.columns}
    return [field.name for field in fields if not field.nullable and field.name.lower() in ours]


def _is_condition(df: DataFrame, said: str) -> bool:
    """Tell whether a condition can be asked of a frame: one on columns that the frame does not have cannot."""
    try:
        df.select(F.expr(said)).schema  # noqa: B018  # the analysis is what is asked for
    except PySparkException:
        return False
    return True


def _require_condition(df: DataFrame, condition: str, path: str) -> None:
    try:
        kind = df.select(F.expr(condition)).schema.fields[0].dataType
    except PySparkException as error:
        raise LakeError.at([path], f"delete_when: {str(error).splitlines()[0]}") from error
    if not isinstance(kind, BooleanType):
        raise LakeError.at([path], f"delete_when: `{condition}` is {kind.simpleString()}, not a condition.")
