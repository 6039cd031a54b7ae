"""Whether rows fit a table that is there already."""

from collections.abc import Iterator

from pyspark.sql import DataFrame, SparkSession

from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.many_paths import AS_THEY_ARE
from birchtar.lake.sink import Sink

_TELL_THEIR_COLUMNS = ("avro", "delta", "orc", "parquet")


def require_fitting_columns(df: DataFrame, sink: Sink, path: str) -> None:
    """Refuse to add rows to a table of other columns; readers would see half of them, or none.

    Columns are compared by name, whatever the case, and by type. Delta takes rows without some of the table's columns,
    as nulls; where `schema_changes` allows more, or the mode is `scd2`, its own writer checks. CSV and JSON files do
    not tell their columns, so nothing is compared. Starts no Spark job over rows.

    Raises:
        LakeError: A column is new, has another type, or is missing.
    """
    if (sink.mode == "overwrite" and sink.replace_where is None) or sink.format not in _TELL_THEIR_COLUMNS:
        return
    if sink.schema_changes != "fail" or sink.mode == "scd2" or not _is_there(df.sparkSession, sink, path):
        return
    table = df.sparkSession.read.format(sink.format).options(**AS_THEY_ARE).load(path)
    if differences := list(_differences(df, table, sink)):
        raise LakeError(
            f"The table {path.removeprefix('file:')} has other columns: {'; '.join(differences)}."
            " Select what fits, write to another place, or replace the table with `mode: overwrite`."
        )


def _is_there(spark: SparkSession, sink: Sink, path: str) -> bool:
    if sink.format == "delta":
        from birchtar.lake.delta.log import Log  # its package imports this module

        return Log(spark, path).version() >= 0
    files = FileSystem(spark, path)
    return files.exists(path) and any(files.data_files(path))


def _differences(df: DataFrame, table: DataFrame, sink: Sink) -> Iterator[str]:
    # Of a folder's name Spark guesses the type, so partition columns are compared by name only.
    partitions = {name.lower() for name in sink.partition_by}
    ours = {name.lower(): (name, kind) for name, kind in df.dtypes}
    theirs = {name.lower(): (name, kind) for name, kind in table.dtypes}
    for key, (name, kind) in ours.items():
        if key not in theirs:
            yield f"`{name}` is new"
        elif kind != theirs[key][1] and key not in partitions:
            yield f"`{name}` is {theirs[key][1]} there and {kind} here"
    if sink.format != "delta":
        yield from (f"`{name}` is missing here" for key, (name, _) in theirs.items() if key not in ours)
