"""Glue's names of types, and the types that they stand for."""

from pyspark.sql import types as t

from transforms.errors import TransformError, say_known

_OTHERWISE = {"integer": "int", "void": "null", "char": "string", "varchar": "string"}
"""What Glue calls a type that Spark has another name for."""

_SCALARS: dict[str, t.DataType] = {
    "binary": t.BinaryType(),
    "boolean": t.BooleanType(),
    "byte": t.ByteType(),
    "date": t.DateType(),
    "double": t.DoubleType(),
    "float": t.FloatType(),
    "int": t.IntegerType(),
    "long": t.LongType(),
    "short": t.ShortType(),
    "string": t.StringType(),
    "timestamp": t.TimestampType(),
}
_ALIASES = {"bigint": "long", "bool": "boolean", "integer": "int", "smallint": "short", "tinyint": "byte"}
"""Spark's names, which are taken as well."""


def type_name(data_type: t.DataType) -> str:
    """Return what Glue calls a type, without its elements, fields or digits.

    Example:
        >>> type_name(t.IntegerType()), type_name(t.LongType()), type_name(t.ArrayType(t.StringType()))
        ('int', 'long', 'array')
    """
    name = data_type.typeName()
    return _OTHERWISE.get(name, name)


def parse_type(text: str) -> t.DataType:
    """Return the type that a name stands for: Glue's or Spark's name in any case, or any type in Spark's DDL.

    A lone ``decimal`` has ten digits, two of them behind the point, as Glue has it.

    Raises:
        TransformError: There is no such type.

    Example:
        >>> parse_type("Long"), parse_type("bigint"), parse_type("decimal")
        (LongType(), LongType(), DecimalType(10,2))
    """
    name = text.strip().lower()
    name = _ALIASES.get(name, name)
    if name in _SCALARS:
        return _SCALARS[name]
    if name == "decimal":
        return t.DecimalType(10, 2)
    try:
        return t.DataType.fromDDL(text)
    except Exception as error:  # classic Spark, Connect and Spark's own parser each have another class
        known = [*_SCALARS, "decimal"]
        raise TransformError(f"There is no type `{text}`. {say_known(name, known, kind='type')}") from error


def parse_schema(text: str) -> t.StructType:
    """Return the columns that a text in Spark's DDL declares.

    Raises:
        TransformError: It declares none.
    """
    try:
        schema = t.DataType.fromDDL(text)
    except Exception as error:  # as in `parse_type`
        raise TransformError(f"The schema {text!r} is no DDL, such as `id BIGINT, name STRING`.") from error
    if not isinstance(schema, t.StructType):
        raise TransformError(f"The schema {text!r} has no columns; write names and types: `id BIGINT, name STRING`.")
    return schema
