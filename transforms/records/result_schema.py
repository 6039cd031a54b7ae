"""The schema of a function's results: declared, or learnt by trying the function on the first rows of a frame."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType

from transforms.choices.bare_choices import speakable
from transforms.core.columns import by_position
from transforms.core.sql_errors import analysed
from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError
from transforms.nested.values import COLUMN
from transforms.records.columns import record_columns, record_names
from transforms.records.from_arrow import Record, rows_of, to_values
from transforms.records.row_functions import RowFunction, call_each
from transforms.records.to_arrow import MisfitError, arrow_type, to_arrow
from transforms.records.types import infer_schema
from transforms.rejects import ERROR_COLUMN, accepted


def declared_schema(df: DataFrame, schema: StructType | str) -> StructType:
    """Return the type that a user's schema, a type or DDL text, stands for. Starts no Spark job.

    Raises:
        TransformError: The text is no schema.
    """
    if isinstance(schema, StructType):
        return schema
    where = f"map_rows, schema {schema!r}"
    return analysed(lambda: df.sparkSession.createDataFrame([], schema), df, where=where).schema


def require_returnable(schema: StructType) -> None:
    """Check that a function can return rows of a schema.

    Raises:
        DuplicateColumnError: A name occurs twice, or is that of the error column.
        ColumnTypeError: A type has no values in Python.
    """
    record_names(schema)
    if ERROR_COLUMN in schema.names:
        raise DuplicateColumnError(f"The column `{ERROR_COLUMN}` is kept for rejected rows. Give yours another name.")
    for field in schema.fields:
        arrow_type(field.dataType)


def sampled_schema(df: DataFrame, function: RowFunction, *, sample_rows: int) -> StructType:
    """Return the schema of the results for the first rows. Starts a Spark job and calls the function on the driver.

    A column that the function passes on untouched keeps its type; for the others `infer_schema` has the rules. Rows
    for which the function fails teach nothing.

    Raises:
        TransformError: There are no rows, or the function fails for each of them.
        ColumnTypeError: The results do not agree on the type of a field.
    """
    names = record_names(df.schema)
    sample = accepted(df).limit(sample_rows)
    columns = _collected(by_position(sample, COLUMN).select(*record_columns(sample.schema)))
    given = to_values(rows_of(columns, names)[0]) if columns else []
    if not given:
        raise TransformError("map_rows cannot infer a schema from a frame without rows. Declare `schema`.")
    before = [dict(record) for record in given]
    results, failures = call_each(function, given)
    if len(failures) == len(results):
        raise TransformError(
            f"map_rows cannot infer a schema, because the function failed for each of the {len(results)} rows it was"
            f" tried on; first: {failures[0][1]}"
        )
    pairs = [(result, record) for result, record in zip(results, before, strict=True) if result is not None]
    types = {field.name: field.dataType for field in speakable(df.schema) if field.name in names}
    kept = {name: data_type for name, data_type in types.items() if _is_untouched(name, data_type, pairs)}
    inferred = infer_schema([result for result, _ in pairs], known=kept)
    untouched = {field.name: field for field in df.schema if field.name in kept}
    return StructType([untouched.get(field.name, field) for field in inferred])


def _collected(df: DataFrame) -> list[pa.Array]:
    """Return the columns of a frame as a function gets them. Spark's own ``toArrow`` fails for a VARIANT of null."""
    batches = df.mapInArrow(_serialized, "batch BINARY").collect()
    tables = [pa.ipc.open_stream(batch).read_all() for (batch,) in batches]
    return [column.combine_chunks() for column in pa.concat_tables(tables).columns] if tables else []


def _serialized(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        yield pa.RecordBatch.from_arrays([pa.array([sink.getvalue().to_pybytes()])], names=["batch"])


def _is_untouched(name: str, data_type: DataType, pairs: Sequence[tuple[Record, Record]]) -> bool:
    if any(result.get(name) is not record.get(name) for result, record in pairs):
        return False
    try:
        to_arrow([result.get(name) for result, _ in pairs], data_type)
    except (MisfitError, ColumnTypeError):
        return False
    return True
