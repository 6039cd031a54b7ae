"""Keep the rows for which a condition is true."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import by_position, schema_of
from transforms.core.sql_errors import analysed
from transforms.errors import TransformError
from transforms.nested.values import COLUMN
from transforms.records.columns import record_columns, record_names, require_error_type
from transforms.records.from_arrow import Failure, Record, errors_of, rows_of, say_failure, spare_collector, to_values
from transforms.rejects import ERROR_COLUMN, ERROR_TYPE, has_rejects

Predicate = Callable[[Record], Any]


def filter_rows(df: DataFrame, where: Column | str | Predicate) -> DataFrame:
    """Keep the rows for which ``where`` is true; false and null drop the row. Lazy.

    A column or an SQL text stays in Spark and is fast. A Python predicate is called once per row, by Arrow batches; a
    record is a dict as `transforms.records.from_arrow` describes it, and what the predicate does to it does not reach
    the row. The predicate keeps a row by any value that is true in Python.

    No row is lost: one for which the predicate raises is rejected, whatever it raises. It stays in the frame with
    all its values and with its error in ``_error``, which a predicate adds behind the other columns. Rows rejected
    earlier pass every kind of condition untouched. Glue drops rows on KeyError, ValueError and TypeError
    (reference: Glue transforms, "Error handling of user functions").

    Glue: Filter; Studio's Filter. Cost: lazy, no pass of its own.

    Args:
        df: Any frame. For a predicate its names must be unique, in structs too; a difference in case is enough.
        where: A column, an SQL text such as ``dep_time IS NOT NULL``, or a function of a record. SQL does not tell
            upper from lower case.

    Returns:
        The same columns in the same order with unchanged types, plus ``_error`` for a predicate.

    Raises:
        TransformError: The SQL text does not parse, or is no condition.
        MissingColumnError: The condition names a column or field that is not there.
        DuplicateColumnError: The condition names a column that occurs twice, or a record would.
        ColumnTypeError: The condition is not a boolean, or a column is of a type that Python has no value for.

    Example:
        >>> df = spark.createDataFrame([("UA", 517), ("AA", None)], "carrier STRING, dep_time INT")
        >>> df.transform(filter_rows, "dep_time IS NOT NULL").collect()
        [Row(carrier='UA', dep_time=517)]
        >>> df.transform(filter_rows, lambda record: record["carrier"] == "AA").collect()
        [Row(carrier='AA', dep_time=None, _error=None)]
    """
    if isinstance(where, Column | str):
        require_error_type(schema_of(df))
        return analysed(lambda: df.where(_or_rejected(df, where)), df, where="filter_rows, `where`")
    if not callable(where):
        raise TransformError(f"filter_rows needs a column, an SQL text or a function as `where`, got {where!r}.")
    return _by_predicate(df, where)


def _or_rejected(df: DataFrame, where: Column | str) -> Column:
    condition = F.expr(where) if isinstance(where, str) else where
    if not has_rejects(df):
        return condition
    return F.when(F.col(ERROR_COLUMN).isNotNull(), True).otherwise(condition)


def _by_predicate(df: DataFrame, predicate: Predicate) -> DataFrame:
    names = record_names(schema_of(df))

    def judge_batch(*columns: pa.Array) -> pa.Array:
        return judge(columns, names=names, predicate=predicate)

    judged = F.arrow_udf(judge_batch, f"struct<keep: boolean, error: {ERROR_TYPE}>")  # type: ignore[attr-defined]  # public, but missing in PySpark's types
    judged = judged.asNondeterministic()  # else Spark may push the condition down and judge every row twice
    verdict = judged(*record_columns(df.schema)).alias("verdict")
    rows = by_position(df, COLUMN).select("*", verdict).where("verdict.keep")
    wanted = df.columns if has_rejects(df) else [*df.columns, ERROR_COLUMN]
    kept = [F.col("verdict.error" if name == ERROR_COLUMN else f"{COLUMN}{at}") for at, name in enumerate(wanted)]
    return rows.select(*kept).toDF(*wanted)


def judge(columns: Sequence[pa.Array], *, names: Sequence[str], predicate: Predicate) -> pa.StructArray:
    """Return for each row whether it stays, and its error: that of the predicate, or the one it came with."""
    spare_collector()
    keep: list[bool] = []
    failures: dict[int, Failure] = {}
    rows, earlier = rows_of(columns, names)
    for position, record in enumerate(to_values(rows)):
        try:
            keep.append(record is None or bool(predicate(record)))
        except Exception as error:
            keep.append(True)
            failures[position] = ("FUNCTION", say_failure(error))
    errors = errors_of(rows, failures, earlier=earlier)
    return pa.StructArray.from_arrays([pa.array(keep, pa.bool_()), errors], names=["keep", "error"])
