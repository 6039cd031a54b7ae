"""Types by name, without Spark: Glue's names, Spark's own, and nested ones as in ``array<struct<a: int>>``.

Glue's names are Spark's, but that ``decimal`` alone has ten digits, two of them behind the point.
"""

import re

from pyspark.sql import types as t

from transforms.core.type_reader import TypeReader
from transforms.paths import quote


def parse_type(text: str) -> t.DataType:
    """Return the type that a text names; the case of type names does not matter.

    Raises:
        TransformError: The text names no type. The message says where, and what was expected there.

    Example:
        >>> parse_type("Long")
        LongType()
        >>> parse_type("array<struct<id: int, `zip.code` string NOT NULL>>").elementType.names
        ['id', 'zip.code']
        >>> parse_type("decimal"), parse_type("decimal(38,0)")
        (DecimalType(10,2), DecimalType(38,0))
        >>> parse_type("strng")
        Traceback (most recent call last):
        transforms.errors.TransformError: The type 'strng' has no type name at character 1. Did you mean `string`?
    """
    reader = TypeReader(text)
    found = reader.type(depth=0)
    reader.require_end()
    return found


def parse_fields(text: str) -> t.StructType:
    """Return the struct of a comma-separated list of fields, as in a table's definition, or of a type's text.

    Raises:
        TransformError: The text is no list of fields.

    Example:
        >>> parse_fields("id INT, name STRING").names
        ['id', 'name']
    """
    if re.match(r"\s*struct\s*<", text, re.IGNORECASE):
        found = parse_type(text)
        if isinstance(found, t.StructType):
            return found
    reader = TypeReader(text, kind="schema")
    struct = reader.fields(until="", depth=0)
    reader.require_end()
    return struct


def type_text(data_type: t.DataType, *, not_null: bool = False) -> str:
    """Return a type as SQL writes it, each name in back-ticks; without metadata, which a cast does not heed.

    Args:
        data_type: Any type.
        not_null: Say of fields that are never null that they are not; a cast of what can be null then fails.

    Example:
        >>> type_text(t.StructType().add("a.b", t.ArrayType(t.IntegerType())))
        'struct<`a.b`: array<int>>'
    """
    if isinstance(data_type, t.ArrayType):
        return f"array<{type_text(data_type.elementType, not_null=not_null)}>"
    if isinstance(data_type, t.MapType):
        key, value = (type_text(inner, not_null=not_null) for inner in (data_type.keyType, data_type.valueType))
        return f"map<{key}, {value}>"
    if isinstance(data_type, t.StructType):
        return f"struct<{', '.join(_field_text(field, not_null=not_null) for field in data_type.fields)}>"
    return data_type.simpleString()


def _field_text(field: t.StructField, *, not_null: bool) -> str:
    text = f"{quote(field.name)}: {type_text(field.dataType, not_null=not_null)}"
    return f"{text} NOT NULL" if not_null and not field.nullable else text


def type_name(data_type: t.DataType) -> str:
    """Return what Glue calls a type, without its elements, fields or digits.

    Example:
        >>> type_name(t.IntegerType()), type_name(t.LongType()), type_name(t.ArrayType(t.StringType()))
        ('int', 'long', 'array')
    """
    name = data_type.typeName()
    return {"integer": "int", "void": "null", "char": "string", "varchar": "string"}.get(name, name)
