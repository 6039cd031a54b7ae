"""Whether rows can be merged as an output says, found out before they are written."""

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, MapType, StructField, StructType, VariantType

from birchtar.lake.delta.compare import comparable
from birchtar.lake.errors import LakeError
from birchtar.lake.rejects import named
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
            [path], f"{rows} rows have no `{sink.order_by}`. `scd2` needs the time from which a row holds."
        )


def version_columns(events: StructType, sink: Sink) -> StructType:
    """Return the columns of the table of versions that events make."""
    time = events[str(sink.order_by)].dataType
    made = [
        StructField(sink.valid_from, time),
        StructField(sink.valid_to, time),
        StructField(sink.is_current, BooleanType()),
    ]
    return StructType([*events, *made])


def _made(sink: Sink) -> list[str]:
    return [sink.valid_from, sink.valid_to, sink.is_current] if sink.mode == "scd2" else []


def _require_versions(df: DataFrame, table: StructType, sink: Sink, path: str) -> None:
    ours = {field.name: field.dataType.simpleString() for field in version_columns(df.schema, sink)}
    theirs = {field.name: field.dataType.simpleString() for field in table}
    if ours != theirs:
        here, there = (", ".join(f"{name} {kind}" for name, kind in each.items()) for each in (ours, theirs))
        raise LakeError.at([path], f"scd2: the rows make the columns {here}; the table has {there}.")


def _require_condition(df: DataFrame, condition: str, path: str) -> None:
    try:
        kind = df.select(F.expr(condition)).schema.fields[0].dataType
    except PySparkException as error:
        raise LakeError.at([path], f"delete_when: {str(error).splitlines()[0]}") from error
    if not isinstance(kind, BooleanType):
        raise LakeError.at([path], f"delete_when: `{condition}` is {kind.simpleString()}, not a condition.")
