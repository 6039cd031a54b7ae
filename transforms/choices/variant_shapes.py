"""What `schema_of_variant` says of values, as types; of numbers it says too little, so some types are still open.

Spark merges a whole number and one with a point into a decimal, says BIGINT of small whole numbers too, and VARIANT
where values differ. There the type is one of those below, or VARIANT, until a look at the values has closed it.
"""

import re
from collections.abc import Iterator
from typing import Self

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    LongType,
    NullType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
    VariantType,
)

from transforms.core.decimals import as_decimal, with_room_for
from transforms.errors import TransformError

_TOKEN = re.compile(r"`(?P<quoted>(?:[^`]|``)*)`|(?P<word>\w[\w ]*)|(?P<sign>[<>,:()])")
_MOST_FIELDS = 10_000

_SCALARS: dict[str, DataType] = {
    "BINARY": BinaryType(),
    "BOOLEAN": BooleanType(),
    "DATE": DateType(),
    "STRING": StringType(),
    "TIMESTAMP": TimestampType(),
    "TIMESTAMP_NTZ": TimestampNTZType(),
    "VARIANT": VariantType(),
    "VOID": NullType(),
}


class WholeNumbers(LongType):
    """Whole numbers that fit a long, not yet known whether all fit an int."""

    @classmethod
    def typeName(cls) -> str:  # noqa: N802 - Spark's name
        """Return the name of the type as which they are looked at."""
        return "long"


class _Exact:
    """A type that knows the decimal which holds all its numbers."""

    exact: DecimalType | None
    """None where a number is written with an exponent, or has too many digits."""

    @classmethod
    def of(cls, exact: DecimalType | None) -> Self:
        """Return the type; Spark's own types take no arguments."""
        made = cls.__new__(cls)
        made.exact = exact
        return made


class Numbers(_Exact, VariantType):
    """Numbers, among them maybe whole ones; looked at as VARIANTs."""

    @classmethod
    def typeName(cls) -> str:  # noqa: N802 - Spark's name
        """Return the name of the type as which they are looked at."""
        return "variant"

    @property
    def has_fractions(self) -> bool:
        """Whether surely not all of them are whole numbers."""
        return self.exact is None or self.exact.scale > 0


class Fractions(_Exact, DoubleType):
    """Doubles, with the decimal that would hold them exactly, if there is one."""

    @classmethod
    def typeName(cls) -> str:  # noqa: N802 - Spark's name
        """Return the name of the type that they become."""
        return "double"


def parse_shape(text: str) -> DataType:
    """Return the type for a text that `schema_of_variant` or `schema_of_variant_agg` gave.

    Raises:
        TransformError: An object has so many keys that they cannot be columns.

    Example:
        >>> parse_shape("OBJECT<a: STRING, `b.c`: ARRAY<VOID>>").simpleString()
        'struct<a:string,b.c:array<void>>'
    """
    tokens = ((match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text))
    return _type(next(tokens)[1].strip(), tokens)


_Tokens = Iterator[tuple[str, str]]


def _type(name: str, tokens: _Tokens) -> DataType:
    if name == "OBJECT":
        next(tokens)
        return StructType(list(_fields(tokens)))
    if name == "ARRAY":
        next(tokens)
        element = _type(next(tokens)[1].strip(), tokens)
        next(tokens)
        return ArrayType(element)
    if name == "DECIMAL":
        _, (_, digits), _, (_, scale), _ = (next(tokens) for _ in range(5))
        return Numbers.of(DecimalType(int(digits), int(scale)))
    if name == "BIGINT":
        return WholeNumbers()
    if name in ("DOUBLE", "FLOAT"):
        return Numbers.of(None)
    return _SCALARS.get(name, StringType())


def _fields(tokens: _Tokens) -> Iterator[StructField]:
    count = 0
    for kind, text in tokens:
        if kind == "sign" and text == ">":
            return
        if kind == "sign":
            continue  # a comma
        name = text.replace("``", "`") if kind == "quoted" else text
        next(tokens)  # the colon
        count += 1
        if count > _MOST_FIELDS:
            raise TransformError(
                f"An object has more than {_MOST_FIELDS:,} different keys, such as `{name}`: the keys are values."
                " Declare a schema in which it is a MAP<STRING, ...>."
            )
        yield StructField(name, _type(next(tokens)[1].strip(), tokens))


def merge_shapes(left: DataType, right: DataType) -> DataType:
    """Return the shape of the values of two, as `schema_of_variant_agg` would."""
    if left == right or isinstance(right, NullType):
        return left
    if isinstance(left, NullType):
        return right
    if isinstance(left, StructType) and isinstance(right, StructType):
        types = {field.name: field.dataType for field in left.fields}
        for field in right.fields:
            types[field.name] = merge_shapes(types.get(field.name, NullType()), field.dataType)
        return StructType([StructField(name, data_type) for name, data_type in sorted(types.items())])
    if isinstance(left, ArrayType) and isinstance(right, ArrayType):
        return ArrayType(merge_shapes(left.elementType, right.elementType))
    if isinstance(left, WholeNumbers | Numbers) and isinstance(right, WholeNumbers | Numbers):
        return Numbers.of(with_room_for([_exact(left), _exact(right)]))
    return VariantType()


def _exact(numbers: WholeNumbers | Numbers) -> DecimalType | None:
    """Return the decimal that holds all of them."""
    return as_decimal(LongType()) if isinstance(numbers, WholeNumbers) else numbers.exact
