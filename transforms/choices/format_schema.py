"""A schema as text, in the form in which Glue prints one."""

from collections.abc import Iterator

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.choices.choice import ChoiceType, to_choices
from transforms.core.type_names import type_name


def format_schema(schema: StructType) -> str:
    """Return the schema as a tree with Glue's names of types: a line per field, the types of a choice below it.

    Below an array is its ``element``, below a map ``keyType`` and ``valueType``. Starts no Spark job.

    Example:
        >>> from pyspark.sql.types import LongType, StringType
        >>> print(format_schema(StructType().add("id", ChoiceType.of([LongType(), StringType()])).add("n", "integer")))
        root
        |-- id: choice
        |    |-- long
        |    |-- string
        |-- n: int
    """
    return "\n".join(["root", *_fields(to_choices(schema), "")])


def _fields(struct: StructType, indent: str) -> Iterator[str]:
    for field in struct.fields:
        yield from _named(field.name, field.dataType, indent)


def _named(name: str, data_type: DataType, indent: str) -> Iterator[str]:
    yield f"{indent}|-- {name}: {type_name(data_type)}"
    yield from _inside(data_type, f"{indent}|    ")


def _inside(data_type: DataType, indent: str) -> Iterator[str]:
    if isinstance(data_type, ChoiceType):
        for alternative in data_type.fields:
            yield f"{indent}|-- {alternative.name}"
            yield from _inside(alternative.dataType, f"{indent}|    ")
    elif isinstance(data_type, StructType):
        yield from _fields(data_type, indent)
    elif isinstance(data_type, ArrayType):
        yield from _named("element", data_type.elementType, indent)
    elif isinstance(data_type, MapType):
        yield from _named("keyType", data_type.keyType, indent)
        yield from _named("valueType", data_type.valueType, indent)
