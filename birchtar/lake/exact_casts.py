"""Casts that lose nothing: a value that would not be the same in another type has none there."""

from collections.abc import Iterator
from typing import NamedTuple

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    CharType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    NumericType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
    VarcharType,
)

from birchtar.lake.rejects import literal, quoted
from birchtar.lake.wider_types import widens

_KINDS: dict[str, type[DataType] | tuple[type[DataType], ...]] = {
    "number": NumericType,
    "boolean": BooleanType,
    "text": (StringType, CharType, VarcharType),
    "binary": BinaryType,
    "date": DateType,
    "local": TimestampNTZType,
    "time": TimestampType,
}

_CASTS = {
    "number": ("number", "boolean", "text", "time"),
    "boolean": ("number", "text"),
    "text": ("number", "boolean", "text", "binary", "date", "local", "time"),
    "binary": ("text",),
    "date": ("text", "local", "time"),
    "local": ("text", "date", "time"),
    "time": ("text", "number", "date", "local"),
}
"""What a value of each kind may become."""

_WRITTEN = ("number", "boolean", "text", "date", "local", "time")
"""Kinds whose values a text holds whole."""

_DIGITS: dict[tuple[type[DataType], bool], int] = {
    (DoubleType, False): 15,
    (DoubleType, True): 15,
    (IntegerType, False): 9,
    (LongType, False): 18,
}
"""Up to how many digits a type holds all decimals, without or with some behind the point."""

_LONGS_END = "9223372036854775808D"
"""The first number behind all longs. As a double the last of them is this one, which comes back as the last."""

_MONTH = r"[+-]?\d{4,}(?:-\d{1,2})?"
"""A year or month is its first day, to Spark."""

_DAY = r"[+-]?\d{4,}-\d{1,2}-\d{1,2}"
_TIME = r"(?:[T ]\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,6}0*)?)?)?"
_MIDNIGHT = r"(?:[T ]00?:00?(?::00?(?:\.0+)?)?(?:Z|\+00:?00)?)?"


class Exact(NamedTuple):
    """A cast, as SQL."""

    value: str
    """The value in its new type, null where it would not be the same."""
    is_lost: str | None = None
    """Whether anything of a value would be lost; None where that cannot be."""


def exact(value: str, ours: DataType, theirs: DataType, depth: int = 0) -> Exact:
    """Return the cast of a value, given by its SQL, to another type of those that `no_casts` has nothing against.

    A text is taken as what it says, though `01` comes back as `1`; any other value has to come back as it was. So a
    text is no date that says a time of day, no decimal with more digits than the type has, no time in a zone that the
    type does not keep. A double is a float where both are written alike. Fields of structs are found by their names;
    those that the new type does not name are left out.

    Example:
        >>> exact("x", FloatType(), DoubleType())
        Exact(value='CAST(x AS double)', is_lost=None)
        >>> exact("x", LongType(), BooleanType()).value
        'CASE WHEN try_cast(try_cast(x AS boolean) AS bigint) = x THEN try_cast(x AS boolean) END'
    """
    if is_same(ours, theirs):
        return Exact(value)
    if isinstance(ours, StructType) and isinstance(theirs, StructType):
        return _struct(value, ours, theirs, depth)
    if isinstance(ours, ArrayType) and isinstance(theirs, ArrayType):
        name = f"element{depth}"
        element = exact(name, ours.elementType, theirs.elementType, depth + 1)
        return Exact(f"transform({value}, {name} -> {element.value})", _any_of(value, name, element))
    if isinstance(ours, MapType) and isinstance(theirs, MapType):
        return _map(value, ours, theirs, depth)
    kind = theirs.simpleString()
    if _never_loses(ours, theirs):
        return Exact(f"CAST({value} AS {kind})")
    cast = f"try_cast({value} AS {kind})"
    keeps = says(value, cast, theirs) if _kind(ours) == "text" else _comes_back(value, cast, ours, theirs)
    kept = f"CASE WHEN {keeps} THEN {cast} END"
    return Exact(kept, f"({value} IS NOT NULL AND {kept} IS NULL)")


def no_casts(ours: DataType, theirs: DataType, path: str) -> Iterator[str]:
    """Yield what of a type cannot become what it is in another, as clauses that name the field.

    Example:
        >>> list(no_casts(LongType(), DateType(), "born")), list(no_casts(LongType(), StringType(), "born"))
        (['`born` is a bigint and cannot become a date'], [])
    """
    if isinstance(ours, StructType) and isinstance(theirs, StructType):
        there = {field.name: field.dataType for field in ours}
        for field in theirs:
            inner = f"{path}.{field.name}"
            if field.name in there:
                yield from no_casts(there[field.name], field.dataType, inner)
            else:
                yield f"`{inner}` is not there; `{path}` has: {', '.join(there)}"
    elif isinstance(ours, ArrayType) and isinstance(theirs, ArrayType):
        yield from no_casts(ours.elementType, theirs.elementType, f"{path}[]")
    elif isinstance(ours, MapType) and isinstance(theirs, MapType):
        if not is_same(ours.keyType, theirs.keyType) and not _never_loses(ours.keyType, theirs.keyType):
            what = f"{ours.keyType.simpleString()} and cannot all become {theirs.keyType.simpleString()}"
            yield f"keys of `{path}` are {what}"
        yield from no_casts(ours.valueType, theirs.valueType, f"{path}{{}}")
    elif not has_cast(ours, theirs):
        yield f"`{path}` is {with_article(ours)} and cannot become {with_article(theirs)}"


def has_cast(ours: DataType, theirs: DataType) -> bool:
    """Tell whether values of a type, other than nested ones, may become such of another, whatever is lost."""
    return is_same(ours, theirs) or _kind(theirs) in _CASTS.get(_kind(ours), ())


def is_same(ours: DataType, theirs: DataType) -> bool:
    """Tell whether two types are the same, but for which of their values may be null."""
    return ours.simpleString().lower() == theirs.simpleString().lower()


def with_article(kind: DataType | str) -> str:
    """Return the name of a type with its article.

    Example:
        >>> with_article("int"), with_article(DateType())
        ('an int', 'a date')
    """
    name = kind if isinstance(kind, str) else kind.simpleString()
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def says(text: str, cast: str, theirs: DataType) -> str:
    """Return, as SQL, whether a text says no more than what it was cast to; both are given by their SQL.

    Most texts are of a form of which their length and a few signs tell that; others are held against a pattern.
    """
    if isinstance(theirs, DateType):
        is_plain = f"octet_length({text}) = 10 AND locate('-', {text}, 6) = 8"
        return rf"({is_plain} OR {text} RLIKE r'^\s*(?:{_MONTH}|{_DAY}{_MIDNIGHT})\s*$')"
    if isinstance(theirs, TimestampNTZType):
        return rf"{text} RLIKE r'^\s*(?:{_MONTH}|{_DAY}{_TIME})\s*$'"
    if isinstance(theirs, TimestampType):
        # In 21 bytes there is no room for seven digits of a second, and in 26 not where the point has its place.
        length, point = f"octet_length({text})", f"instr({text}, '.')"
        is_short = f"{length} BETWEEN 16 AND 21 OR {length} BETWEEN 22 AND 26 AND {point} IN (0, 20)"
        is_plain = f"instr({text}, '-') = 5 AND ({is_short})"
        return rf"({is_plain} OR {text} RLIKE r'^\s*(?:{_MONTH}|{_DAY}{_TIME}\s*(?:[A-Za-z+-].*)?)\s*$')"
    if isinstance(theirs, DecimalType):
        return _has_room(text, cast, theirs)
    if isinstance(theirs, FloatType):
        return f"{is_number(text, cast)} AND try_cast({text} AS double) = CAST(CAST({cast} AS string) AS double)"
    return is_number(text, cast) if isinstance(theirs, DoubleType) else f"{cast} IS NOT NULL"


def is_number(text: str, cast: str) -> str:
    """Return, as SQL, whether the fraction of a text is what that says: not infinite, but where it is called so."""
    return f"(abs({cast}) < double('Infinity') OR contains(lower({text}), 'n'))"


def _has_room(text: str, cast: str, theirs: DecimalType) -> str:
    scale = theirs.scale
    is_short = f"octet_length({text}) - instr({text}, '.') <= {scale} OR instr({text}, '.') = 0"
    # No exponent moves the point to the left.
    is_short = f"({is_short}) AND locate('-', {text}, 2) = 0"
    is_plain = rf"{text} RLIKE r'^\s*[+-]?\d*\.?\d{{0,{scale}}}0*\s*$'"
    # Of so few signs as a double keeps.
    has_exponent = f"octet_length({text}) <= 18 AND try_cast({text} AS double) = CAST({cast} AS double)"
    return f"({is_short} OR {is_plain} OR {has_exponent})"


def _comes_back(value: str, cast: str, ours: DataType, theirs: DataType) -> str:
    if isinstance(ours, BinaryType):
        return f"is_valid_utf8({cast})"
    if isinstance(ours, DoubleType) and isinstance(theirs, FloatType):
        return f"CAST(CAST({cast} AS string) AS double) = {value}"
    is_back = f"try_cast({cast} AS {ours.simpleString()}) = {value}"
    if LongType in (types := (type(ours), type(theirs))) and not {DoubleType, FloatType}.isdisjoint(types):
        is_back += f" AND {value if isinstance(theirs, LongType) else cast} < {_LONGS_END}"
    return is_back


def _struct(value: str, ours: StructType, theirs: StructType, depth: int) -> Exact:
    fields = {
        field.name: exact(f"{value}.{quoted(field.name)}", ours[field.name].dataType, field.dataType, depth)
        for field in theirs
    }
    told = ", ".join(f"{literal(name)}, {field.value}" for name, field in fields.items())
    lost = [field.is_lost for field in fields.values() if field.is_lost]
    struct = f"CASE WHEN {value} IS NOT NULL THEN named_struct({told}) END"
    return Exact(struct, f"coalesce({' OR '.join(lost)}, false)" if lost else None)


def _map(value: str, ours: MapType, theirs: MapType, depth: int) -> Exact:
    key, name = f"key{depth}", f"value{depth}"
    of_value = exact(name, ours.valueType, theirs.valueType, depth + 1)
    of_key = exact(key, ours.keyType, theirs.keyType, depth + 1)
    cast = f"transform_values({value}, ({key}, {name}) -> {of_value.value})"
    if of_key.value != key:
        cast = f"transform_keys({cast}, ({key}, {name}) -> {of_key.value})"
    return Exact(cast, _any_of(f"map_values({value})", name, of_value))


def _any_of(values: str, name: str, element: Exact) -> str | None:
    return element.is_lost and f"coalesce(exists({values}, {name} -> {element.is_lost}), false)"


def _never_loses(ours: DataType, theirs: DataType) -> bool:
    if isinstance(ours, DecimalType) and ours.precision <= _DIGITS.get((type(theirs), ours.scale > 0), 0):
        return True
    return widens(ours, theirs) or (_kind(ours), _kind(theirs)) in _WHOLE


_WHOLE = {("date", "local"), ("date", "time"), ("text", "binary"), *((kind, "text") for kind in _WRITTEN)}
"""Kinds of which every value is one of the other kind as well."""


def _kind(data_type: DataType) -> str:
    return next((kind for kind, types in _KINDS.items() if isinstance(data_type, types)), data_type.simpleString())
