"""A value of one type as the nearest value of another, or null: what `cast` means in `resolve_choice`."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.choices.bare_choices import bare
from transforms.choices.choice import ChoiceType, members_of, plain

_NUMBERS = (t.NumericType,)
_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)
_TEXTS = (t.StringType, t.CharType, t.VarcharType)


def convert(column: Column, source: t.DataType, target: t.DataType) -> Column:
    """Return a column as another type; what does not convert is null. In ``source`` choices are types of their own.

    A choice gives its one value, converted. A struct, array or map becomes its JSON text where a text is wanted;
    structs convert field by field, by names in any case, arrays by elements, maps by values.
    """
    if isinstance(source, ChoiceType):
        values = [convert(column.getField(field.name), field.dataType, target) for field in source.fields]
        return F.coalesce(*values) if len(values) > 1 else values[0]
    if source == target:
        return column
    if isinstance(source, t.ArrayType | t.MapType | t.StructType):
        return _of_container(column, source, target)
    if isinstance(source, t.VariantType) and not isinstance(target, t.VariantType):
        return F.try_variant_get(column, "$", target.simpleString())
    return column.try_cast(target) if _casts(source, target) else F.lit(None).cast(plain(target))


def _of_container(column: Column, source: t.DataType, target: t.DataType) -> Column:
    if isinstance(target, t.StringType):
        return F.to_json(bare(column, source))
    if isinstance(source, t.ArrayType) and isinstance(target, t.ArrayType):
        inner, wanted = source.elementType, target.elementType
        return F.transform(column, lambda element: convert(element, inner, wanted))
    if isinstance(source, t.MapType) and isinstance(target, t.MapType) and source.keyType == target.keyType:
        inner, wanted = source.valueType, target.valueType
        return F.transform_values(column, lambda _, value: convert(value, inner, wanted))
    if isinstance(source, t.StructType) and isinstance(target, t.StructType):
        return _struct(column, source, target)
    return F.lit(None).cast(plain(target))


def _struct(column: Column, source: t.StructType, target: t.StructType) -> Column:
    found = list(zip(source.fields, members_of(column, source), strict=True))
    there = {field.name.lower(): (member, field.dataType) for field, member in found}
    there |= {field.name: (member, field.dataType) for field, member in found}
    members = []
    for field in target.fields:
        nothing = (F.lit(None), t.NullType())
        member, data_type = there.get(field.name, there.get(field.name.lower(), nothing))
        members.append(convert(member, data_type, field.dataType).alias(field.name, metadata=field.metadata or {}))
    return F.when(column.isNotNull(), F.struct(*members))


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
