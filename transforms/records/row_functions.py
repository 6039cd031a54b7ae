"""What `map_rows` does on Spark's workers: a user's function over the rows of one Arrow batch after the other.

A batch comes in as the columns of the record, then the earlier error if the frame has one, and leaves as the columns
of the schema, then the error.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql.types import StructType

from transforms.records.from_arrow import (
    Failure,
    Record,
    errors_of,
    no_errors,
    rows_of,
    say_failure,
    spare_collector,
    to_values,
)
from transforms.records.to_arrow import MisfitError, fit, to_arrow
from transforms.rejects import ERROR_COLUMN

RowFunction = Callable[[Record], Record]


def map_records(
    batches: Iterable[pa.RecordBatch], *, function: RowFunction, names: Sequence[str], schema: StructType
) -> Iterator[pa.RecordBatch]:
    """Call the function once per record; a batch of n rows leaves as n rows in the same order."""
    spare_collector()
    for batch in batches:
        rows, earlier = rows_of(batch.columns, names)
        results, failures = call_each(function, to_values(rows))
        fitted, misfits = fit(results, schema)
        failures |= {position: ("SCHEMA", text) for position, text in misfits.items()}
        yield _out(fitted, errors_of(rows, failures, earlier=earlier))


def call_each(
    function: RowFunction, records: Iterable[Record | None]
) -> tuple[list[Record | None], dict[int, Failure]]:
    """Return the function's result for each record, None where there is none, and what went wrong by position."""
    results: list[Record | None] = []
    failures: dict[int, Failure] = {}
    for position, record in enumerate(records):
        result = None
        if record is not None:
            try:
                result = function(record)
            except Exception as error:
                failures[position] = ("FUNCTION", say_failure(error))
            else:
                if not isinstance(result, dict) or not result:
                    failures[position] = ("FUNCTION", f"The function returned {_what(result)} instead of a record.")
                    result = None
        results.append(result)
    return results, failures


def map_batches(
    batches: Iterable[pa.RecordBatch],
    *,
    call: Callable[[pa.StructArray], pa.StructArray],
    names: Sequence[str],
    schema: StructType,
) -> Iterator[pa.RecordBatch]:
    """Call once per batch, and again on its halves where that fails, until the rows that fail stand alone."""
    for batch in batches:
        rows, earlier = rows_of(batch.columns, names)
        rejected = earlier.drop_null()
        yield _out(to_arrow([None] * len(rejected), schema), rejected)
        yield from _in_halves(rows.drop_null(), call=call, schema=schema)


def _in_halves(
    rows: pa.StructArray, *, call: Callable[[pa.StructArray], pa.StructArray], schema: StructType
) -> Iterator[pa.RecordBatch]:
    if not len(rows):
        return
    try:
        result = call(rows)
    except Exception as error:
        if len(rows) == 1:
            failure = ("SCHEMA", str(error)) if isinstance(error, MisfitError) else ("FUNCTION", say_failure(error))
            yield _out(to_arrow([None], schema), errors_of(rows, {0: failure}, earlier=no_errors(1)))
            return
        half = len(rows) // 2
        for part in (rows.slice(0, half), rows.slice(half)):
            yield from _in_halves(part, call=call, schema=schema)
    else:
        yield _out(result, no_errors(len(result)))


def _what(result: object) -> str:
    if result is None:
        return "None"
    return "an empty dict" if isinstance(result, dict) else f"a {type(result).__name__}"


def _out(rows: pa.StructArray, errors: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*rows.flatten(), errors], names=[*rows.type.names, ERROR_COLUMN])
