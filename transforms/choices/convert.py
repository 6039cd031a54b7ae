"""A value of one type as the nearest value of another, or null: what `cast` means in `resolve_choice`."""

from pyspark.sql import types as t

from transforms.choices.bare_choices import bare, variant_of
from transforms.choices.choice import ChoiceType
from transforms.core.type_names import type_text
from transforms.nested.json_text import EXACT_TIMES, sql_options
from transforms.nested.values import Named, Value, cast, each, each_value, members, null_of, struct_of, text_literal

_NUMBERS = (t.NumericType,)
_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)
_TEXTS = (t.StringType, t.CharType, t.VarcharType)


def convert(value: Value, target: t.DataType) -> Value:
    """Return a value as another type; what does not convert is null. In its type choices are types of their own.

    A choice gives its one value, converted. A struct, array or map becomes its JSON text where a text is wanted;
    structs convert field by field, by names in any case, arrays by elements, maps by values.
    """
    if isinstance(target, t.CharType | t.VarcharType):
        target = t.StringType()  # as in every frame: these two are types of tables
    source = value.data_type
    if isinstance(target, t.VariantType) and source != target:
        return variant_of(value)
    if isinstance(source, ChoiceType):
        values = ", ".join(convert(member.value, target).sql for member in members(value))
        return _made(f"coalesce({values})", target, value)
    if source == target:
        return value
    if isinstance(source, t.ArrayType | t.MapType | t.StructType):
        return _of_container(value, target)
    if isinstance(source, t.VariantType):
        return _made(f"try_variant_get({value.sql}, '$', {text_literal(type_text(target))})", target, value)
    return cast(value, target) if _casts(source, target) else null_of(target)


def _of_container(value: Value, target: t.DataType) -> Value:
    source = value.data_type
    if isinstance(target, t.StringType):
        return _made(f"to_json({bare(value).sql}, {sql_options(EXACT_TIMES)})", target, value)
    if isinstance(source, t.ArrayType) and isinstance(target, t.ArrayType):
        return each(value, lambda element: convert(element, target.elementType))
    if isinstance(source, t.MapType) and isinstance(target, t.MapType) and source.keyType == target.keyType:
        return each_value(value, lambda inner: convert(inner, target.valueType))
    if isinstance(source, t.StructType) and isinstance(target, t.StructType):
        return _struct(value, target)
    return null_of(target)


def _struct(value: Value, target: t.StructType) -> Value:
    found = members(value)
    there = {member.name.lower(): member.value for member in found} | {member.name: member.value for member in found}
    fields = []
    for field in target.fields:
        member = there.get(field.name, there.get(field.name.lower()))
        new = null_of(field.dataType) if member is None else convert(member, field.dataType)
        fields.append(Named(field.name, new, field.metadata or {}))
    return struct_of(fields, unless_null=[value])


def _made(sql: str, data_type: t.DataType, value: Value) -> Value:
    return Value(sql, data_type, arrays=value.arrays, is_kept=False)


def _casts(source: t.DataType, target: t.DataType) -> bool:
    """Return whether Spark knows a cast between two types that are no containers; it may fail on a value."""
    if isinstance(source, (*_TEXTS, t.NullType)) or isinstance(target, t.StringType):
        return not isinstance(target, t.ArrayType | t.MapType | t.StructType) or isinstance(source, t.NullType)
    if isinstance(source, _TIMES) and isinstance(target, _TIMES):
        return True
    if isinstance(source, t.TimestampType) or isinstance(target, t.TimestampType):
        return isinstance(source, _NUMBERS) or isinstance(target, _NUMBERS)
    kinds = (*_NUMBERS, t.BooleanType)
    return type(source) is type(target) or (isinstance(source, kinds) and isinstance(target, kinds))
