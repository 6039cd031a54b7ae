"""Rebuild a frame of which some fields change, at any depth; everything else stays as it is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from transforms.choices.choice import choices_in
from transforms.choices.refused import refuse_choice
from transforms.core.columns import by_position, schema_of
from transforms.nested.values import COLUMN, Named, Value, each, members, row_of, struct_of
from transforms.paths import Position, quote

Scope = tuple[Value, ...]
"""The structs round a field, as they came in: the row first, the innermost last."""

Change = Callable[[Named, Scope], Sequence[Named]]
"""What stands in the stead of a field: nothing, itself with another value or name, or several."""

Addition = Callable[[Scope], Named]
"""A field to add behind the others."""


class _Plan(NamedTuple):
    changes: Mapping[Position, Change]
    additions: Mapping[Position, Sequence[Addition]]
    touched: set[Position]
    """The structs, and arrays of them, inside which something changes."""


def rebuild(
    df: DataFrame,
    changes: Mapping[Position, Change],
    additions: Mapping[Position, Sequence[Addition]] | None = None,
) -> DataFrame:
    """Return the frame with fields changed and added. A null struct, array or element stays null. Lazy.

    Args:
        df: Any frame.
        changes: By the position of the field. What is further inside changes first.
        additions: By the position of the struct, or array of structs, that they go into; ``()`` for columns.

    Raises:
        ColumnTypeError: What changes is one of the types of a choice, and no field.
    """
    more = additions or {}
    schema = schema_of(df)
    edited = {*(place[:-1] for place in changes), *more} - {()}
    for place in edited if edited and choices_in(schema) else ():
        refuse_choice(schema, place)
    touched = {place[:depth] for place in changes for depth in range(1, len(place))}
    touched |= {place[:depth] for place in more for depth in range(1, len(place) + 1)}
    return select(df, _members(row_of(schema), (), (), _Plan(changes, more, touched)))


def select(df: DataFrame, columns: Sequence[Named]) -> DataFrame:
    """Return a frame of these values of the rows of ``df``. Lazy, unless fields inside structs have metadata.

    SQL text cannot give metadata to a field inside a struct, so the plan is then analysed for the types it has.
    """
    rows = by_position(df, COLUMN)
    if any(data and not value.is_kept for _, value, data in columns):
        made = rows.select(*(_named(F.expr(value.sql), name, data) for name, value, data in columns))
    else:  # one call for all texts, which is several times quicker where there are thousands
        made = rows.selectExpr(*(f"{value.sql} AS {quote(name)}" for name, value, _ in columns))
    if not any(not value.is_kept and _has_metadata(value.data_type) for _, value, _ in columns):
        return made
    found = schema_of(made)
    wanted = StructType(
        [
            StructField(old.name, _with_metadata(old.dataType, new.value.data_type), old.nullable, old.metadata)
            for old, new in zip(found.fields, columns, strict=True)
        ]
    )
    return made if wanted == found else _with_schema(made, wanted)


def _with_schema(df: DataFrame, schema: StructType) -> DataFrame:
    """Return the frame with the metadata of a schema that is the same but for that.

    The first frame of a union gives the metadata; being empty, it is gone from the plan before anything runs. A cast
    would be computed for each row, and over Spark Connect its type may be too deep.
    """
    return df.sparkSession.createDataFrame([], schema).limit(0).unionAll(df)


def _members(struct: Value, at: Position, scope: Scope, plan: _Plan) -> list[Named]:
    inside = (*scope, struct)
    new: list[Named] = []
    for index, field in enumerate(members(struct)):
        place = (*at, index)
        if place in plan.touched:
            field = field._replace(value=_rebuilt(field.value, place, inside, plan))
        new += plan.changes[place](field, inside) if place in plan.changes else [field]
    return new + [add(inside) for add in plan.additions.get(at, ())]


def _rebuilt(value: Value, at: Position, scope: Scope, plan: _Plan) -> Value:
    if isinstance(value.data_type, ArrayType):
        return each(value, lambda element: _rebuilt(element, at, scope, plan))
    return struct_of(_members(value, at, scope, plan), unless_null=[value])


def _named(column: Column, name: str, metadata: dict[str, Any]) -> Column:
    return column.alias(name, metadata=metadata) if metadata else column.alias(name)


def _has_metadata(data_type: DataType) -> bool:
    if isinstance(data_type, StructType):
        return any(field.metadata or _has_metadata(field.dataType) for field in data_type.fields)
    if isinstance(data_type, MapType):
        return _has_metadata(data_type.keyType) or _has_metadata(data_type.valueType)
    return isinstance(data_type, ArrayType) and _has_metadata(data_type.elementType)


def _with_metadata(found: DataType, wanted: DataType) -> DataType:
    """Return the type found, with the metadata of the type wanted as far as the two agree."""
    if isinstance(found, ArrayType) and isinstance(wanted, ArrayType):
        return ArrayType(_with_metadata(found.elementType, wanted.elementType), found.containsNull)
    if isinstance(found, MapType) and isinstance(wanted, MapType):
        value = _with_metadata(found.valueType, wanted.valueType)
        return MapType(_with_metadata(found.keyType, wanted.keyType), value, found.valueContainsNull)
    if isinstance(found, StructType) and isinstance(wanted, StructType) and found.names == wanted.names:
        return StructType([_field_with_metadata(*pair) for pair in zip(found.fields, wanted.fields, strict=True)])
    return found


def _field_with_metadata(found: StructField, wanted: StructField) -> StructField:
    inner = _with_metadata(found.dataType, wanted.dataType)
    return StructField(found.name, inner, found.nullable, wanted.metadata or found.metadata)
