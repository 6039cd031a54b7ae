"""Drop fields that hold nothing but nulls."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, DoubleType, IntegerType, LongType, NullType, StringType, StructType

from transforms.columns import by_position, fields_by_position
from transforms.drop_fields import without
from transforms.errors import DuplicateColumnError
from transforms.paths import Field, Path, Position, fields_in, fields_of, parse_path, require

_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""What Python's `str.strip` takes away, as the scripts do that Glue Studio writes."""

_NULL_ARRAY, _EMPTY_ARRAY, _NULL, _VALUE = range(4)
"""What one row tells of a field. The largest over all rows counts."""

_StandIns = dict[type[DataType], Callable[[Column], Column]]
"""For a type, the test for values that count as null."""


def drop_null_fields(
    df: DataFrame,
    *,
    in_every_row: bool = False,
    null_strings: Sequence[str] = (),
    null_integers: Sequence[int] = (),
    known: Mapping[str, bool] | None = None,
) -> DataFrame:
    """Drop fields of the type null, at any depth; if asked to, also fields that are null in every row.

    By type alone this is lazy. With ``in_every_row``, ``null_strings`` or ``null_integers`` it starts one Spark job at
    once, one pass over ``df`` that brings back one row for all fields together, unless ``known`` leaves nothing to
    ask. Cache a frame that is costly to compute. Nothing is printed.

    A struct that loses its last field goes too, as in `drop_fields`; maps are not entered, an array of nulls stays.
    A field of a null struct is null. A field in an array of structs is null in every row if it is null in every
    element there is, or if the array itself is null in every row; arrays that hold no element tell nothing of it.
    Of a frame without rows nothing is known, so only the fields of the type null go.

    Glue: DropNullFields; Studio's Drop Null Fields. Cost: lazy by type alone; else one pass at once, none where file
    statistics tell.

    Args:
        df: Any frame.
        in_every_row: Also drop what is null in every row.
        null_strings: Texts that count as null in string fields, such as ``""`` and ``"null"``. They are compared
            without the white space round them. A lone text is one text.
        null_integers: Numbers that count as null in int, long and double fields, such as -1. No number matches a text.
        known: For paths of fields, whether they are null in every row, from Parquet footers or Delta's statistics.
            Fields known to be null are dropped, also without ``in_every_row``; fields known not to be are not asked
            again, save those that ``null_strings`` or ``null_integers`` may apply to.

    Returns:
        What is left, in the same order.

    Raises:
        PathSyntaxError: A path in ``known`` cannot be read.
        MissingColumnError: A path in ``known`` is not there.
        DuplicateColumnError: A path in ``known`` names several fields.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, NULL AS a, CAST(NULL AS INT) AS b, ' ' AS c")
        >>> df.transform(drop_null_fields).columns
        ['id', 'b', 'c']
        >>> df.transform(drop_null_fields, null_strings=[""]).columns
        ['id']

    Source:
        reference: Glue transforms, "DropNullFields"; ``null_strings`` and ``null_integers`` are Glue Studio's. Of
        an empty frame and of arrays Glue does not say what is null.
    """
    fields = list(fields_in(df.schema))
    known_nulls = _positions_of(known or {}, df.schema)
    null = {field.position for field in fields if isinstance(field.data_type, NullType)}
    null |= {position for position, is_null in known_nulls.items() if is_null}
    stand_ins = _stand_ins(null_strings, null_integers)
    if in_every_row or stand_ins:
        not_known = [
            field
            for field in fields
            if not fields_of(field.data_type)
            and not any(field.position[:depth] in null for depth in range(1, len(field.position) + 1))
            and (field.position not in known_nulls or type(field.data_type) in stand_ins)
        ]
        null |= _null_in_every_row(df, not_known, stand_ins)
    return without(df, null)


def _positions_of(known: Mapping[str, bool], schema: StructType) -> dict[Position, bool]:
    positions: dict[Path, list[Position]] = {}
    for field in fields_in(schema):
        positions.setdefault(field.path, []).append(field.position)
    found = {}
    for text, is_null in known.items():
        path = parse_path(text)
        if path not in positions:
            require(schema, path)
        if len(positions[path]) > 1:
            raise DuplicateColumnError(f"`{text}` in `known` names {len(positions[path])} fields.")
        found[positions[path][0]] = is_null
    return found


def _stand_ins(strings: Sequence[str], integers: Sequence[int]) -> _StandIns:
    texts = [text.strip() for text in ([strings] if isinstance(strings, str) else strings)]
    tests: _StandIns = {}
    if texts:
        tests[StringType] = lambda column: F.btrim(column, F.lit(_BLANKS)).isin(texts)
    if integers:
        numbers = list(integers)
        tests |= dict.fromkeys((IntegerType, LongType, DoubleType), lambda column: column.isin(numbers))
    return tests


def _null_in_every_row(df: DataFrame, leaves: Sequence[Field], stand_ins: _StandIns) -> set[Position]:
    """Ask the data, in one pass."""
    if not leaves:
        return set()
    schema = df.schema
    states = [
        F.max(_state(F.col(f"c{first}"), schema[first].dataType, inner, stand_ins)).alias(f"s{number}")
        for number, (first, *inner) in enumerate(leaf.position for leaf in leaves)
    ]
    answers = by_position(df).agg(*states).collect()[0]
    return {leaf.position for leaf, state in zip(leaves, answers, strict=True) if state in (_NULL_ARRAY, _NULL)}


def _state(column: Column, data_type: DataType, inner: Sequence[int], stand_ins: _StandIns) -> Column:
    """Return what a row tells of the field that lies at this position inside the column."""
    if inner and isinstance(data_type, ArrayType):
        element_type = data_type.elementType
        states = F.transform(column, lambda element: _state(element, element_type, inner, stand_ins))
        no_element = F.when(column.isNull(), _NULL_ARRAY).when(F.size(column) == 0, _EMPTY_ARRAY)
        return no_element.otherwise(F.array_max(states))
    if inner:
        struct, (index, *rest) = cast(StructType, data_type), inner
        source, names = fields_by_position(column, struct)
        return _state(source.getField(names[index]), struct[index].dataType, rest, stand_ins)
    is_null = column.isNull()
    if type(data_type) in stand_ins:
        is_null |= stand_ins[type(data_type)](column)
    return F.when(is_null, _NULL).otherwise(_VALUE)
