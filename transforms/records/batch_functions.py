"""A user's function of a whole batch, as an Arrow table or a pandas frame, and its result as rows of a schema.

This runs on Spark's workers, and imports pandas only where the function asks for it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.types import DataType, StructType

from transforms.records.from_arrow import to_values
from transforms.records.to_arrow import MisfitError, arrow_type, require_known, require_values, to_arrow

if TYPE_CHECKING:
    import pandas as pd

BatchFunction = Callable[[Any], Any]


def call_with_table(
    function: BatchFunction, rows: pa.StructArray, names: Sequence[str], schema: StructType
) -> pa.Array:
    """Return the rows that the function makes of a ``pyarrow.Table``; it returns a Table or a RecordBatch."""
    result = function(pa.Table.from_arrays(rows.flatten(), names=list(names)))
    if not isinstance(result, pa.Table | pa.RecordBatch):
        raise TypeError(f"The function returned a {type(result).__name__} instead of a pyarrow.Table.")
    return _rows(result.schema.names, list(result.columns), result.num_rows, schema, convert=_from_arrow)


def call_with_frame(
    function: BatchFunction, rows: pa.StructArray, names: Sequence[str], schema: StructType
) -> pa.Array:
    """Return the rows that the function makes of a ``pandas.DataFrame``; its index is not looked at.

    Ints and booleans come as pandas' nullable types, so that a null among them changes no number, and nested values
    as in a record. In a column of floats pandas knows NaN only, so that a NaN leaves as null.
    """
    import pandas as pd

    result = function(pd.DataFrame(dict(zip(names, map(_to_series, rows.flatten()), strict=True))))
    if not isinstance(result, pd.DataFrame):
        raise TypeError(f"The function returned a {type(result).__name__} instead of a pandas.DataFrame.")
    columns = [result.iloc[:, position] for position in range(result.shape[1])]
    return _rows(list(result.columns), columns, len(result), schema, convert=_from_series)


def _rows(
    names: list[Any], columns: list[Any], length: int, schema: StructType, *, convert: Callable[..., pa.Array]
) -> pa.Array:
    require_known(names, schema)
    by_name = dict(zip(names, columns, strict=True))
    if len(by_name) < len(names):
        raise MisfitError(f"The function returned a column twice: it returned {', '.join(names)}.")
    arrays = []
    for field in schema.fields:
        if field.name in by_name:
            array = convert(by_name[field.name], field.dataType, field.name)
        else:
            array = pa.nulls(length, arrow_type(field.dataType))
        arrays.append(array if field.nullable else require_values(array, field.name))
    return pa.StructArray.from_arrays(arrays, names=schema.names)


def _from_arrow(column: pa.Array | pa.ChunkedArray, data_type: DataType, name: str) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.type == arrow_type(data_type):
        return array
    return to_arrow(to_values(array), data_type, name)


def _from_series(series: "pd.Series[Any]", data_type: DataType, name: str) -> pa.Array:
    if series.dtype == object:
        values = [None if missing else value for value, missing in zip(series, series.isna(), strict=True)]
        return to_arrow(values, data_type, name)
    array = pa.Array.from_pandas(series)
    carrier = arrow_type(data_type)
    if pa.types.is_floating(array.type) and pa.types.is_integer(carrier):
        array = _whole(array, carrier, name)  # pandas turns ints into floats wherever it meets a missing value
    return _from_arrow(array, data_type, name)


def _whole(array: pa.Array, carrier: pa.DataType, name: str) -> pa.Array:
    try:
        return array.cast(carrier)
    except pa.ArrowInvalid as error:
        raise MisfitError(f"`{name}` is declared {carrier}, but the function returned floats: {error}.") from error


def _to_series(array: pa.Array) -> "pd.Series[Any]":
    import pandas as pd

    if pa.types.is_nested(array.type):
        return pd.Series(to_values(array), dtype=object)
    nullable = {
        pa.bool_(): pd.BooleanDtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
    }
    series: pd.Series[Any] = array.to_pandas(types_mapper=nullable.get)
    return series
