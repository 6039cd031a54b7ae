"""Make a new row of every row: by expressions, or by a Python function of records or of batches."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from pyspark.sql import DataFrame
from pyspark.sql.types import StringType, StructField, StructType

from transforms.choices.bare_choices import speakable
from transforms.core.columns import by_position, schema_of
from transforms.core.expressions import with_expressions
from transforms.core.sql_errors import Expression
from transforms.errors import TransformError
from transforms.nested.values import COLUMN
from transforms.records.batch_functions import call_with_frame, call_with_table
from transforms.records.columns import record_columns, record_names
from transforms.records.from_arrow import ERROR_ARROW
from transforms.records.result_schema import declared_schema, require_returnable, sampled_schema
from transforms.records.row_functions import map_batches, map_records
from transforms.rejects import ERROR_COLUMN

_BATCH_CALLS = {"arrow": call_with_table, "pandas": call_with_frame}
_ERROR_FIELD = StructField(ERROR_COLUMN, StructType([StructField(name, StringType()) for name in ERROR_ARROW.names]))


def map_rows(
    df: DataFrame,
    function: Callable[[Any], Any] | None = None,
    *,
    takes: Literal["record", "arrow", "pandas"] = "record",
    schema: StructType | str | None = None,
    sample_rows: int = 1000,
    expressions: Mapping[str, Expression] | None = None,
) -> DataFrame:
    """Give each row new values, by ``expressions`` or by a ``function``.

    Expressions stay in Spark and are fast. Each replaces the column of its name or adds one behind the others, and
    all see the columns as they came in. A column whose name differs from it only in case is an error.

    A function makes the whole new row, by Arrow batches; columns that it does not return are gone.

    - ``takes="record"``: the function gets one record and returns one. A record is a dict as
      `transforms.records.from_arrow` describes it. What it returns must fit the schema: a missing key is null; an extra
      key or another type rejects the row, and so does an int too large. No value is converted, but for an int to a
      double or decimal and a naive datetime, read as UTC, to a TIMESTAMP.
    - ``takes="arrow"``: it gets and returns a ``pyarrow.Table`` of some thousand rows.
    - ``takes="pandas"``: it gets and returns a ``pandas.DataFrame``, where NaN is null.

    A function of batches may return fewer or more rows than it got. It must not depend on how the rows are cut: when
    it fails for a batch it is called again on the halves of it, until the rows that it fails for stand alone.

    No row is lost. One for which the function raises, or returns no dict or an empty one, is rejected with the code
    FUNCTION and the line that raised; one whose result does not fit the schema with the code SCHEMA. A rejected row
    has nulls and its error in ``_error``, the last column. Rows rejected earlier pass untouched, with nulls where the
    columns are new. Glue's Map makes error records likewise (reference: Glue transforms, "Error handling of user
    functions").

    Lazy with a ``schema`` or expressions. Without, it starts a Spark job for the first rows and calls the function on
    them, on the driver, to learn the schema; a later row that does not fit it is rejected. An untouched column
    keeps its type, ints are BIGINT, ints with floats DOUBLE, decimals DECIMAL(38,18), dicts structs and a field
    without any value is a STRING. A VARIANT is given as what it holds, and cannot be returned: use expressions. A
    choice is given to a function of records as the value that it holds, and returned so it is a choice again where the
    schema has one there: the frame's own, of an untouched column. To a function of batches it is a struct with a field
    per type.

    Glue: Map. Cost: lazy with expressions or a schema, no pass of its own; else the function runs on the
    first rows at once.

    Args:
        df: Any frame. For a function its names must be unique, in structs too; a difference in case is enough.
        function: A function of what ``takes`` says. In a job file ``package.module:function``.
        takes: What the function is given and returns.
        schema: The new columns, as DDL text or a type; needed for functions of batches. In the result all of
            them can be null, as they are in rejected rows; a null for NOT NULL rejects the row.
        sample_rows: How many rows to learn the schema from, where none is declared.
        expressions: SQL texts or columns, by the name of the column to replace or add. SQL does not tell upper from
            lower case.

    Returns:
        For expressions the same columns in the same order, then the new ones. For a function the columns of the
        schema, then ``_error``.

    Raises:
        TransformError: Not exactly one of ``function`` and ``expressions`` is given, an argument does not go with
            it, the schema or an expression does not parse, or there are no rows to learn the schema from.
        MissingColumnError: An expression names a column or field that is not there.
        DuplicateColumnError: Two columns would get the same name, or names that differ only in case.
        ColumnTypeError: The function returns values of different types, or a type has no Python value.

    Example:
        >>> df = spark.createDataFrame([("UA", 517), ("AA", None)], "carrier STRING, dep_time INT")
        >>> df.transform(map_rows, expressions={"dep_time": "dep_time DIV 100"}).collect()
        [Row(carrier='UA', dep_time=5), Row(carrier='AA', dep_time=None)]
        >>> hour = df.transform(map_rows, lambda r: {"hour": r["dep_time"] // 100}, schema="hour INT")
        >>> [(row.hour, row._error and row._error.record) for row in hour.collect()]
        [(5, None), (None, '{"carrier": "AA", "dep_time": null}')]
    """
    if (function is None) == (not expressions):
        raise TransformError("map_rows needs either a function or expressions.")
    if expressions:
        if schema is not None or takes != "record":
            raise TransformError("map_rows takes `schema` and `takes` with a function, not with expressions.")
        return with_expressions(df, expressions, where="map_rows")
    if not callable(function):
        raise TransformError(f"map_rows needs a function that can be called, got {function!r}.")
    if takes != "record" and takes not in _BATCH_CALLS:
        raise TransformError(f"A function cannot take {takes!r}; it takes record, arrow or pandas.")
    return _by_function(df, function, takes, _result_schema(df, function, takes, schema, sample_rows))


def _result_schema(
    df: DataFrame, function: Callable[[Any], Any], takes: str, schema: StructType | str | None, sample_rows: int
) -> StructType:
    if schema is not None:
        wanted = declared_schema(df, schema)
    elif takes != "record":
        raise TransformError(f"map_rows needs a `schema` for a function that takes {takes} batches.")
    elif sample_rows < 1:
        raise TransformError(f"map_rows needs at least one row to learn a schema from, got sample_rows={sample_rows}.")
    else:
        wanted = sampled_schema(df, function, sample_rows=sample_rows)
    require_returnable(wanted)
    return wanted


def _by_function(df: DataFrame, function: Callable[[Any], Any], takes: str, schema: StructType) -> DataFrame:
    names = record_names(schema_of(df))
    of_batches = takes != "record"
    if of_batches:
        call = partial(_BATCH_CALLS[takes], function, names=names, schema=schema)
        run = partial(map_batches, call=call, names=names, schema=schema)
    else:
        run = partial(map_records, function=function, names=names, schema=speakable(schema))
    nullable = [StructField(field.name, field.dataType, True, field.metadata) for field in schema.fields]
    records = by_position(df, COLUMN).select(*record_columns(schema_of(df), of_batches=of_batches))
    return records.mapInArrow(run, StructType([*nullable, _ERROR_FIELD]))
