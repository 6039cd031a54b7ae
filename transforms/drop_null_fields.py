"""Drop fields that hold nothing but nulls."""

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, DoubleType, IntegerType, LongType, NullType, StringType, StructType

from transforms.choices.choice import ChoiceType, to_choices
from transforms.core.columns import by_position, schema_of
from transforms.drop_fields import emptied, without
from transforms.errors import DuplicateColumnError
from transforms.nested.values import COLUMN, Value, element_of, in_branch, member, members, row_of, text_literal
from transforms.paths import Field, Path, Position, fields_in, fields_of, parse_path, require

_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""What Python's `str.strip` takes away, as the scripts do that Glue Studio writes."""

_NULL_ARRAY, _EMPTY_ARRAY, _NULL, _VALUE = range(4)
"""What one row tells of a field. The largest over all rows counts."""

_StandIns = dict[type[DataType], Callable[[str], str]]
"""For a type, the test, as SQL, for values that count as null."""


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
    Of a frame without rows nothing is known, so only the fields of the type null go. A choice goes when no value is
    left of it, and else keeps all of its types.

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
    schema = schema_of(df)
    fields = list(fields_in(schema))
    known_nulls = _positions_of(known or {}, schema)
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
    opened = to_choices(schema)
    return without(df, [place for place in emptied(schema, null) if not _is_in_choice(opened, place)])


def _is_in_choice(opened: StructType, position: Position) -> bool:
    """Return whether a field is, or lies in, one of the types of a choice; opened by `to_choices`."""
    here: DataType = opened
    for index in position:
        struct = fields_of(here)
        if struct is None or isinstance(struct, ChoiceType):
            return True
        here = struct[index].dataType
    return False


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
        known = ", ".join(map(text_literal, texts))
        tests[StringType] = lambda sql: f"btrim({sql}, {text_literal(_BLANKS)}) IN ({known})"
    if integers:
        numbers = ", ".join(str(int(number)) for number in integers)
        tests |= dict.fromkeys((IntegerType, LongType, DoubleType), lambda sql: f"{sql} IN ({numbers})")
    return tests


def _null_in_every_row(df: DataFrame, leaves: Sequence[Field], stand_ins: _StandIns) -> set[Position]:
    """Ask the data, in one pass."""
    if not leaves:
        return set()
    columns = [column.value for column in members(row_of(schema_of(df)))]
    states = [
        in_branch(_state(columns[first], inner, stand_ins), columns[first], len(inner) + 1)
        for first, *inner in (leaf.position for leaf in leaves)
    ]
    rows = by_position(df, COLUMN).selectExpr(*(f"{state.sql} AS s{at}" for at, state in enumerate(states)))
    # In a branch a state is null where the whole column is; that must still differ from no row at all.
    largest = (F.max(F.coalesce(F.col(name), F.lit(_NULL_ARRAY))) for name in rows.columns)
    answers = rows.agg(*largest).collect()[0]
    return {leaf.position for leaf, state in zip(leaves, answers, strict=True) if state in (_NULL_ARRAY, _NULL)}


def _state(value: Value, inner: Sequence[int], stand_ins: _StandIns) -> Value:
    """Return what a row tells of the field that lies at this position inside the value."""
    has_value = _holds(value, inner, lambda leaf: f"NOT ({_is_null(leaf, stand_ins)})")
    text = (
        f"CASE WHEN {has_value} THEN {_VALUE} WHEN {_holds(value, inner, lambda leaf: 'true')} THEN {_NULL}"
        f" WHEN {_holds_empty(value, inner)} THEN {_EMPTY_ARRAY} ELSE {_NULL_ARRAY} END"
    )
    return Value(text, IntegerType(), nullable=False)


def _holds(value: Value, inner: Sequence[int], test: Callable[[Value], str]) -> str:
    """Return whether the test is true of the field, or of one of them where it lies in an array, as SQL."""
    if not inner:
        return test(value)
    if isinstance(value.data_type, ArrayType):
        element = element_of(value)
        return f"exists({value.sql}, {element.sql} -> {_holds(element, inner, test)})"
    return _holds(member(value, inner[0]), inner[1:], test)


def _holds_empty(value: Value, inner: Sequence[int]) -> str:
    """Return whether an array on the way to the field is empty, as SQL."""
    if not inner:
        return "false"
    if isinstance(value.data_type, ArrayType):
        element = element_of(value)
        deeper = _holds_empty(element, inner)
        empty = f"size({value.sql}) = 0"
        return empty if deeper == "false" else f"({empty} OR exists({value.sql}, {element.sql} -> {deeper}))"
    return _holds_empty(member(value, inner[0]), inner[1:])


def _is_null(leaf: Value, stand_ins: _StandIns) -> str:
    null = f"{leaf.sql} IS NULL"
    test = stand_ins.get(type(leaf.data_type))
    return f"{null} OR {test(leaf.sql)}" if test else null
