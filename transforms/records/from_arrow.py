"""Arrow batches as Python records: what a user's row function is given, and how its failure is told.

A record is a plain dict, and every record is its own. Structs and maps are dicts in it, arrays are lists. A TIMESTAMP
is a datetime in UTC that knows its zone, a TIMESTAMP_NTZ one without zone; a variant is the value that its JSON text
stands for, and a choice the value that it holds. Two things that Python cannot hold come as the nearest it can: a date
or timestamp outside the years 1 to 9999 as its number of days or microseconds since 1970, and text that is not UTF-8
with U+FFFD for the broken bytes.

This runs on Spark's workers, so it imports little.
"""

import base64
import gc
import json
import math
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql.types import VariantVal

_OUR_FOLDER = Path(__file__).parents[1]

Record = dict[str, Any]
Failure = tuple[str, str]
"""The code and the message of a rejected row: FUNCTION where the function failed, SCHEMA where its result misfits."""

ERROR_ARROW = pa.struct([("code", pa.string()), ("message", pa.string()), ("record", pa.string())])
"""The Arrow type that carries `transforms.rejects.ERROR_TYPE`."""


def rows_of(columns: Sequence[pa.Array], names: Sequence[str]) -> tuple[pa.StructArray, pa.Array]:
    """Return the rows, null where rejected earlier, and the earlier errors: the column behind the named ones if any."""
    last = columns[-1]
    earlier = last if len(columns) > len(names) else no_errors(len(last))
    rejected = earlier.is_valid()
    if names:
        return pa.StructArray.from_arrays(columns[: len(names)], names=names, mask=rejected), earlier
    return pa.array([None if gone else {} for gone in rejected.to_pylist()], pa.struct([])), earlier


def to_values(array: pa.Array) -> list[Any]:
    """Return the values of an Arrow array as a record holds them."""
    kind = array.type
    if _is_variant(kind):
        return [value and VariantVal(value["value"], value["metadata"]).toPython() for value in array.to_pylist()]
    if pa.types.is_struct(kind):
        return _dicts(array)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        return _nested(array)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _moments(array)
    try:
        values: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        raw = array.cast(pa.binary()).to_pylist()
        values = [value if value is None else value.decode(errors="replace") for value in raw]
    return values


def spare_collector() -> None:
    """Take what a worker has loaded out of the garbage collector's sight, once; without this records cost half more.

    Batches of dicts set the collector off again and again, and each time it would look through all modules.
    """
    if not gc.get_freeze_count():
        gc.freeze()


def to_json(record: Record) -> str:
    """Return a record as JSON text: dates in ISO 8601, bytes in base64, decimals, NaN and what else JSON lacks as text.

    Example:
        >>> to_json({"day": date(2013, 1, 1), "raw": b"ab", "delay": float("nan")})
        '{"day": "2013-01-01", "raw": "YWI=", "delay": "NaN"}'
    """
    return json.dumps(_jsonable(record), ensure_ascii=False)


def errors_of(rows: pa.StructArray, failures: Mapping[int, Failure], *, earlier: pa.Array) -> pa.Array:
    """Return the ``_error`` of every row: of a failure its code, message and record as it came in, else the earlier."""
    if not failures:
        return earlier
    errors = earlier.to_pylist()
    records = to_values(rows.take(pa.array(list(failures), pa.int64())))
    for record, (position, (code, message)) in zip(records, failures.items(), strict=True):
        errors[position] = {"code": code, "message": message, "record": to_json(record)}
    return pa.array(errors, ERROR_ARROW)


def no_errors(length: int) -> pa.Array:
    """Return the ``_error`` of so many good rows."""
    return pa.nulls(length, ERROR_ARROW)


def say_failure(error: Exception) -> str:
    """Return the type and text of an exception, and the line in the file of the user's function that it came from."""
    said = "".join(traceback.format_exception_only(error)).strip()
    steps = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    theirs = [(file, line) for file, line in steps if not file.is_relative_to(_OUR_FOLDER)]
    if theirs:
        first_file = theirs[0][0]
        line = [line for file, line in theirs if file == first_file][-1]
        said += f" ({first_file.name}:{line})"
    return said.encode(errors="replace").decode()


def _dicts(array: pa.StructArray) -> list[Record | None]:
    names = array.type.names
    columns = [to_values(array.field(position)) for position in range(len(names))]
    if not names:
        return _with_nulls([{} for _ in range(len(array))], array)
    # Filled by columns: a third quicker than a dict of the zipped names and values of each row.
    records: list[Record] = [{names[0]: value} for value in columns[0]]
    for name, values in zip(names[1:], columns[1:], strict=True):
        for record, value in zip(records, values, strict=True):
            record[name] = value
    return _with_nulls(records, array)


def _nested(array: pa.Array) -> list[Any]:
    """Return lists, or dicts for maps: the inner values are read as one array and then cut by the offsets."""
    offsets = array.offsets.to_pylist()
    first, length = offsets[0], offsets[-1] - offsets[0]
    if first:
        offsets = [offset - first for offset in offsets]
    if pa.types.is_map(array.type):
        keys = to_values(array.keys.slice(first, length))
        items = to_values(array.items.slice(first, length))
        return _with_nulls([dict(zip(keys[a:b], items[a:b], strict=True)) for a, b in pairwise(offsets)], array)
    values = to_values(array.values.slice(first, length))
    return _with_nulls([values[a:b] for a, b in pairwise(offsets)], array)


def _moments(array: pa.Array) -> list[Any]:
    values = array.to_numpy(zero_copy_only=False).tolist()
    if getattr(array.type, "tz", None) is None:
        return list(values)
    return [value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in values]


def _with_nulls(values: list[Any], array: pa.Array) -> list[Any]:
    if not array.null_count:
        return values
    return [value if valid else None for value, valid in zip(values, array.is_valid().to_pylist(), strict=True)]


def _is_variant(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind) or kind.names != ["value", "metadata"]:
        return False
    return (kind.field("metadata").metadata or {}).get(b"variant") == b"true"


def _jsonable(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")
        case dict():
            return {str(_jsonable(key)): _jsonable(item) for key, item in value.items()}
        case list():
            return [_jsonable(item) for item in value]
        case date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return str(value)
