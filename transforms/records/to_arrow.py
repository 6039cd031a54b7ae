"""Records as Arrow arrays of a declared schema, with what does not fit it told apart and never cut to fit."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
from pyspark.sql import types as t

from transforms.choices.choice import ChoiceType
from transforms.errors import ColumnTypeError, say_known
from transforms.paths import format_path
from transforms.records.types import SCALARS, has_zone, kind_of, kinds_of


class MisfitError(ValueError):
    """A value does not fit the type that its place has in the schema."""


def arrow_type(data_type: t.DataType) -> pa.DataType:
    """Return the Arrow type that carries a Spark type.

    Raises:
        ColumnTypeError: Python values cannot be given for this type, as for a variant or an interval of months.
    """
    match data_type:
        case t.StructType():
            return pa.struct([(field.name, arrow_type(field.dataType)) for field in data_type.fields])
        case t.ArrayType():
            return pa.list_(arrow_type(data_type.elementType))
        case t.MapType():
            return pa.map_(arrow_type(data_type.keyType), arrow_type(data_type.valueType))
        case t.DecimalType():
            return pa.decimal128(data_type.precision, data_type.scale)
    if type(data_type) not in SCALARS:
        raise ColumnTypeError(f"A Python function cannot return values of the type {data_type.simpleString()}.")
    return SCALARS[type(data_type)][1]


def fit(records: Sequence[Any], schema: t.StructType) -> tuple[pa.StructArray, dict[int, str]]:
    """Return the records as an Arrow array, null where one does not fit, and what is wrong by position."""
    try:
        return to_arrow(records, schema), {}
    except MisfitError:
        wrong = misfits(records, schema)
        kept = [None if position in wrong else record for position, record in enumerate(records)]
        return to_arrow(kept, schema), wrong


def misfits(records: Sequence[Any], schema: t.StructType) -> dict[int, str]:
    """Return what is wrong with each record that does not fit, by position: halves them until each stands alone."""
    try:
        to_arrow(records, schema)
    except MisfitError as misfit:
        if len(records) == 1:
            return {0: str(misfit)}
        half = len(records) // 2
        later = misfits(records[half:], schema)
        return misfits(records[:half], schema) | {half + position: text for position, text in later.items()}
    return {}


def to_arrow(values: Sequence[Any], data_type: t.DataType, path: str = "") -> pa.Array:
    """Return the values as an Arrow array of a type.

    Raises:
        MisfitError: A value does not fit the type. The message says where it is, by ``path``, and what it is.
    """
    match data_type:
        case ChoiceType():
            return _choices(values, data_type, path)
        case t.StructType():
            return _structs(values, data_type, path)
        case t.ArrayType():
            return _lists(values, data_type, path)
        case t.MapType():
            return _maps(values, data_type, path)
    return _scalars(values, data_type, path)


_NARROW_FIRST = (
    *(t.ByteType, t.ShortType, t.IntegerType, t.LongType),
    *(t.DecimalType, t.FloatType, t.DoubleType),
)


def _choices(values: Sequence[Any], choice: ChoiceType, path: str) -> pa.Array:
    """Return each value in the alternative of its type; a number in the narrowest that holds it."""
    numbers = [at for kind in _NARROW_FIRST for at, field in enumerate(choice) if type(field.dataType) is kind]
    order = [*numbers, *(at for at in range(len(choice)) if at not in numbers)]
    homes = [None if value is None else _home(value, choice, order, path) for value in values]
    columns = [
        to_arrow([value if home == at else None for value, home in zip(values, homes, strict=True)], data_type, path)
        for at, data_type in enumerate(field.dataType for field in choice)
    ]
    mask = pa.array([home is None for home in homes], pa.bool_())
    return pa.StructArray.from_arrays(columns, names=choice.names, mask=mask)


def _home(value: Any, choice: ChoiceType, order: Iterable[int], path: str) -> int:
    for at in order:
        with suppress(MisfitError):
            found = to_arrow([value], choice[at].dataType, path)
            if not pa.types.is_floating(found.type) or found[0].as_py() == value or value != value:  # NaN
                return at
    raise MisfitError(
        f"`{path}` is a choice of {', '.join(choice.names)}, but the function returned {type(value).__name__}:"
        f" {_some([value])}."
    )


def require_values(array: pa.Array, path: str, *, allowed: int = 0) -> pa.Array:
    """Return an array that has no more nulls than those of the values it lies in."""
    if array.null_count > allowed:
        raise MisfitError(f"`{path}` is declared NOT NULL, but the function returned no value for it.")
    return array


def require_known(names: Iterable[Any], struct: t.StructType, path: str = "") -> None:
    """Check that the struct has a field for each of the names."""
    unknown = [name for name in names if name not in struct.names]
    if unknown:
        known = say_known(str(unknown[0]), struct.names, kind="field")
        raise MisfitError(f"The function returned `{_inside(path, unknown[0])}`, which is not in the schema. {known}")


def _structs(values: Sequence[Any], struct: t.StructType, path: str) -> pa.Array:
    _require_kinds(values, {dict}, struct, path)
    missing = [value is None for value in values]
    dicts = [{} if value is None else value for value in values] if any(missing) else values
    require_known(set().union(*dicts), struct, path)
    if not struct.fields:
        return pa.array([None if gone else {} for gone in missing], pa.struct([]))
    columns = []
    for field in struct.fields:
        inside = _inside(path, field.name)
        column = to_arrow([value.get(field.name) for value in dicts], field.dataType, inside)
        columns.append(column if field.nullable else require_values(column, inside, allowed=sum(missing)))
    mask = pa.array(missing, pa.bool_()) if any(missing) else None
    return pa.StructArray.from_arrays(columns, names=struct.names, mask=mask)


def _lists(values: Sequence[Any], array: t.ArrayType, path: str) -> pa.Array:
    _require_kinds(values, {list}, array, path)
    inner = list(chain.from_iterable(value for value in values if value is not None))
    elements = to_arrow(inner, array.elementType, f"{path}[]")
    if not array.containsNull:
        require_values(elements, f"{path}[]")
    return pa.ListArray.from_arrays(_offsets(values), elements)


def _maps(values: Sequence[Any], kind: t.MapType, path: str) -> pa.Array:
    _require_kinds(values, {dict}, kind, path)
    present = [value for value in values if value is not None]
    keys = to_arrow(list(chain.from_iterable(present)), kind.keyType, f"{path}.key")
    items = to_arrow(list(chain.from_iterable(value.values() for value in present)), kind.valueType, f"{path}.value")
    if not kind.valueContainsNull:
        require_values(items, f"{path}.value")
    return pa.MapArray.from_arrays(_offsets(values), require_values(keys, f"{path}.key"), items)


def _offsets(values: Sequence[Any]) -> pa.Array:
    """Return where each list begins and the last one ends; null says that the list is null."""
    ends = accumulate((0 if value is None else len(value) for value in values), initial=0)
    return pa.array(
        [None if value is None else end for end, value in zip(ends, [*values, ()], strict=True)], pa.int32()
    )


def _scalars(values: Sequence[Any], data_type: t.DataType, path: str) -> pa.Array:
    carrier = arrow_type(data_type)
    _require_kinds(values, SCALARS[type(data_type)][0], data_type, path)
    if isinstance(data_type, t.TimestampNTZType | t.TimeType) and any(map(has_zone, values)):
        raise MisfitError(
            f"`{path}` is declared {data_type.simpleString()}, but the function returned a value with a zone."
        )
    try:
        return pa.array(values, carrier)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise MisfitError(
            f"`{path}` is declared {data_type.simpleString()}, which cannot hold {_some(values)}."
        ) from error


def _require_kinds(values: Sequence[Any], kinds: set[type], data_type: t.DataType, path: str) -> None:
    if kinds_of(values) <= kinds:
        return
    wrong = next(value for value in values if value is not None and kind_of(type(value)) not in kinds)
    declared = f"`{path}` is declared {data_type.simpleString()}" if path else "A record is a dict"
    raise MisfitError(f"{declared}, but the function returned {type(wrong).__name__}: {_some([wrong])}.")


def _inside(path: str, name: Any) -> str:
    known = format_path((str(name),))
    return f"{path}.{known}" if path else known


def _some(values: Sequence[Any]) -> str:
    text = repr(values[0] if len(values) == 1 else list(values))
    return text if len(text) <= 80 else text[:80] + "..."
