"""Typed columns, with choices, out of VARIANTs: only what needs it goes through a VARIANT."""

from collections.abc import Callable
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, StructField, StructType, VariantType

from transforms.choices.choice import ChoiceType, marked
from transforms.choices.read_types import cast_type, is_ready, json_type
from transforms.choices.variant_rows import objects
from transforms.core.columns import by_position, has_twins, schema_of
from transforms.core.type_names import type_text
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, each, members, once, row_of, struct_of, text_literal

Read = Callable[[StructType | None], DataFrame]
"""Reads rows as a schema says, in its order; without one, as one VARIANT per row, an object."""

BIG = r"^DECIMAL\((19|[23]\d),0\)$"
"""What Spark calls a whole number beyond a long."""


def read_columns(read: Read, types: StructType) -> DataFrame:
    """Return the columns of a struct type made by `transforms.choices.variant_types`, choices in place. Lazy.

    What the frame that was read has behind them, such as ``_error``, stays behind them.
    """
    if has_twins(types):
        df = _cast_rows(objects(read(None)), types)
        row, *rest = members(row_of(schema_of(df)))
        found = members(row.value)
    else:
        df = read(json_type(types))  # type: ignore[arg-type]  # of a struct without twins it is a struct
        found = members(row_of(schema_of(df)))
        found, rest = found[: len(types.fields)], found[len(types.fields) :]
    columns = [
        marked(field.name, typed(member.value, field.dataType), field.metadata or {})
        for field, member in zip(types.fields, found, strict=True)
    ]
    return select(df, [*columns, *rest])


def _cast_rows(df: DataFrame, types: StructType) -> DataFrame:
    rows = by_position(df)
    return rows.selectExpr(f"CAST(c0 AS {type_text(cast_type(types))}) AS row", *rows.columns[1:]).toDF(*df.columns)


def typed(value: Value, wanted: DataType) -> Value:
    """Return a value that was read as `transforms.choices.read_types` says with its choices and twins in place."""
    if is_ready(value.data_type, wanted):
        return value
    if isinstance(wanted, ChoiceType):
        return _choice(value, wanted)
    if isinstance(value.data_type, VariantType):
        return _cast(value, wanted)
    if isinstance(wanted, ArrayType):
        return each(value, lambda element: typed(element, wanted.elementType))
    assert isinstance(wanted, StructType)  # noqa: S101  # nothing else is left
    fields = [
        Named(field.name, typed(member.value, field.dataType), field.metadata or {})
        for field, member in zip(wanted.fields, members(value), strict=True)
    ]
    return struct_of(fields, unless_null=[value])


def _cast(variant: Value, wanted: DataType) -> Value:
    if isinstance(wanted, VariantType):
        return variant
    read_as = cast_type(wanted)
    sql = f"CAST({variant.sql} AS {type_text(read_as)})"
    cast = Value(sql, read_as, arrays=variant.arrays, is_kept=False)
    return cast if is_ready(read_as, wanted) else once(cast, lambda it: typed(it, wanted))


def _choice(variant: Value, choice: ChoiceType) -> Value:
    shape = f"schema_of_variant({variant.sql})"
    tests = [_is(shape, name, choice) for name in choice.names]
    fields = [
        Named(field.name, _where(test, _cast(variant, field.dataType)), field.metadata or {})
        for test, field in zip(tests, choice.fields, strict=True)
    ]
    alternatives = struct_of(fields)
    unknown = text_literal(f"A value is none of {', '.join(choice.names)}, the types that were found there: ")
    text = (
        f"CASE WHEN {' OR '.join(tests)} THEN {alternatives.sql}"
        f" WHEN {variant.sql} IS NOT NULL AND {shape} <> 'VOID'"
        f" THEN raise_error(concat({unknown}, to_json({variant.sql}))) END"
    )
    made = [StructField(name, value.data_type, metadata=metadata) for name, value, metadata in fields]
    return Value(text, ChoiceType(made), arrays=variant.arrays, is_kept=False)


def _where(test: str, value: Value) -> Value:
    return replace(value, sql=f"CASE WHEN {test} THEN {value.sql} END", nullable=True, is_kept=False)


def _is(shape: str, name: str, choice: ChoiceType) -> str:
    """Return whether a VARIANT of this shape is held by this alternative of the choice."""
    is_big = f"{shape} RLIKE {text_literal(BIG)}"
    if name in ("int", "long"):
        return f"{shape} = 'BIGINT'"
    if name == "decimal":
        return f"({shape} = 'BIGINT' OR {is_big})"
    if name == "double":
        is_number = f"(startswith({shape}, 'DECIMAL') OR {shape} IN ('DOUBLE', 'FLOAT'))"
        return f"({is_number} AND NOT {is_big})" if "decimal" in choice.names else is_number
    if name in ("struct", "array"):
        return f"startswith({shape}, '{'OBJECT<' if name == 'struct' else 'ARRAY<'}')"
    return f"{shape} = '{name.upper()}'"
