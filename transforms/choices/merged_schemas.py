"""One schema for the rows of several frames, with or without choices."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import types as t

from transforms.choices.choice import ChoiceType, choices_in, to_choices
from transforms.choices.merge_types import key_conflicts, merge_schemas
from transforms.core.decimals import DOUBLE_DIGITS, WHOLE_DIGITS, as_decimal, with_room_for
from transforms.errors import ColumnTypeError


def merged_schema(schemas: Sequence[t.StructType], conflicts: str, *, where: str) -> t.StructType:
    """Return the schema of all rows. Where types differ: a choice, the widest type, or an error, as is said.

    Raises:
        ColumnTypeError: It is to be an error; or there is no widest type; or there were choices before.
    """
    merged = reduce(merge_schemas, schemas)
    if conflicts == "choice":
        return merged
    earlier = dict.fromkeys(f"`{found.path}`" for schema in schemas for found in choices_in(schema))
    if earlier:
        are = "are choices" if len(earlier) > 1 else "is a choice"
        raise ColumnTypeError(f"{where}: {', '.join(earlier)} {are} already. Use `resolve_choice` first.")
    found = [f"`{path}` ({', '.join(choice.names)})" for path, choice in choices_in(merged)]
    found += [f"keys of `{path}` ({', '.join(names)})" for path, names in key_conflicts(schemas).items()]
    if found and conflicts == "fail":
        raise ColumnTypeError(
            f"{where}: these fields have several types: {', '.join(found)}. Cast them first, or let them become choices"
            " or the widest type (`conflicts`)."
        )
    widened = _widened(to_choices(merged), "", where)
    assert isinstance(widened, t.StructType)  # noqa: S101  # a struct stays one
    return widened


def _widened(data_type: t.DataType, path: str, where: str) -> t.DataType:
    if isinstance(data_type, ChoiceType):
        types = [field.dataType for field in data_type.fields]
        if all(isinstance(each, t.NumericType) for each in types):
            return widest_number(types)
        return reduce(lambda one, two: _wider(one, two, path, where), types)
    if isinstance(data_type, t.StructType):
        return t.StructType(
            [
                t.StructField(
                    field.name,
                    _widened(field.dataType, f"{path}.{field.name}".lstrip("."), where),
                    field.nullable,
                    field.metadata,
                )
                for field in data_type.fields
            ]
        )
    if isinstance(data_type, t.ArrayType):
        return t.ArrayType(_widened(data_type.elementType, f"{path}[]", where), data_type.containsNull)
    if isinstance(data_type, t.MapType):
        values = _widened(data_type.valueType, f"{path}{{}}", where)
        return t.MapType(data_type.keyType, values, data_type.valueContainsNull)
    return data_type


def _wider(one: t.DataType, two: t.DataType, path: str, where: str) -> t.DataType:
    times = (t.DateType, t.TimestampType, t.TimestampNTZType)
    if isinstance(one, times) and isinstance(two, times):
        return t.TimestampType() if t.TimestampType() in (one, two) else t.TimestampNTZType()
    nested = (t.StructType, t.ArrayType, t.MapType, t.BinaryType, t.VariantType)
    if isinstance(one, nested) or isinstance(two, nested):
        raise ColumnTypeError(
            f"{where}: no type has room for both types of `{path}`: {one.simpleString()} and {two.simpleString()}."
        )
    return t.StringType()


def widest_number(types: Sequence[t.DataType]) -> t.DataType:
    """Return one type for numbers of several; a text where decimals have no room in one.

    All at once, for two by two the outcome would depend on their order.
    """
    if all(type(number) in WHOLE_DIGITS for number in types):
        return max(types, key=lambda number: WHOLE_DIGITS[type(number)])
    if not any(isinstance(number, t.FloatType | t.DoubleType) for number in types):
        return with_room_for(map(as_decimal, types)) or t.StringType()
    longest = max((number.precision for number in types if isinstance(number, t.DecimalType)), default=0)
    return t.DoubleType() if longest <= DOUBLE_DIGITS else t.StringType()
