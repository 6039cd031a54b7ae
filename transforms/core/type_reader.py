"""A reader of the text of a type, from left to right, that says where it is wrong."""

import re
from collections.abc import Callable
from difflib import get_close_matches

from pyspark.sql import types as t

from transforms.errors import TransformError

_SCALARS: dict[str, Callable[[], t.DataType]] = {
    "bigint": t.LongType,
    "binary": t.BinaryType,
    "bool": t.BooleanType,
    "boolean": t.BooleanType,
    "byte": t.ByteType,
    "date": t.DateType,
    "double": t.DoubleType,
    "float": t.FloatType,
    "int": t.IntegerType,
    "integer": t.IntegerType,
    "long": t.LongType,
    "null": t.NullType,
    "real": t.FloatType,
    "short": t.ShortType,
    "smallint": t.ShortType,
    "string": t.StringType,
    "timestamp": t.TimestampType,
    "timestamp_ltz": t.TimestampType,
    "timestamp_ntz": t.TimestampNTZType,
    "tinyint": t.ByteType,
    "variant": t.VariantType,
    "void": t.NullType,
}
_WITH_LENGTH: dict[str, Callable[[int], t.DataType]] = {
    "char": t.CharType,
    "character": t.CharType,
    "varchar": t.VarcharType,
    "time": t.TimeType,
}
_DECIMALS = ("decimal", "dec", "numeric")
_INTERVALS: tuple[tuple[list[str], Callable[[int, int], t.DataType]], ...] = (
    (["day", "hour", "minute", "second"], t.DayTimeIntervalType),
    (["year", "month"], t.YearMonthIntervalType),
)
_NAMES = [*_SCALARS, *_WITH_LENGTH, *_DECIMALS, "array", "interval", "map", "struct"]

_TOKEN = re.compile(
    r"\s*(?:`(?P<quoted>(?:[^`]|``)*)`|(?P<text>'(?:[^'\\]|\\.)*')|(?P<plain>[^\s<>(),:`']+)|(?P<mark>\S))"
)
_DEEPEST = 200


class TypeReader:
    """Reads one text from left to right."""

    def __init__(self, text: str, *, kind: str = "type") -> None:
        self._kind = kind
        self._text = text
        self._at = 0

    def type(self, *, depth: int) -> t.DataType:
        """Read a type.

        Raises:
            TransformError: There is none.
        """
        if depth > _DEEPEST:
            raise TransformError(f"The {self._kind} {self._text[:60]!r}... is nested more than {_DEEPEST} levels deep.")
        start = self._at
        name = self._word("type").lower()
        if name in _SCALARS:
            found = _SCALARS[name]()
            return t.StringType(self._word()) if name == "string" and self._skips("collate") else found
        if name in _DECIMALS:
            return self._decimal()
        if name in _WITH_LENGTH:
            return self._with_length(name)
        if name == "interval":
            return self._interval()
        if name in ("array", "map", "struct"):
            return self._nested(name, depth=depth)
        near = get_close_matches(name, _NAMES, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"There are these types: {', '.join(sorted(_NAMES))}."
        raise self._complaint("no type name", start, hint)

    def fields(self, *, until: str, depth: int) -> t.StructType:
        """Read the fields of a struct up to a sign, or to the end.

        Raises:
            TransformError: There are none.
        """
        struct = t.StructType()
        while not (self._peek() == until and not struct.fields):
            name = self._word()
            self._skips(":")
            data_type = self.type(depth=depth + 1)
            nullable = not (self._skips("not") and self._expects("null"))
            metadata = {"comment": self._literal()} if self._skips("comment") else None
            struct.add(name, data_type, nullable, metadata)
            if self._peek() == until:
                break
            self._expects(",")
        return struct

    def require_end(self) -> None:
        """Refuse what is left of the text.

        Raises:
            TransformError: There is something.
        """
        if self._peek():
            raise self._complaint(f"something left over: {self._text[self._at :].strip()[:40]!r}", self._at)

    def _nested(self, name: str, *, depth: int) -> t.DataType:
        if not self._skips("<"):
            hint = {"array": "array<int>", "map": "map<string, int>", "struct": "struct<a: int>"}[name]
            raise self._complaint(f"no `<` behind `{name}`", self._at, f"Say what is inside, as in {hint}.")
        found: t.DataType
        if name == "struct":
            found = self.fields(until=">", depth=depth)
        elif name == "array":
            found = t.ArrayType(self.type(depth=depth + 1))
        else:
            key = self.type(depth=depth + 1)
            self._expects(",")
            found = t.MapType(key, self.type(depth=depth + 1))
        self._expects(">")
        return found

    def _decimal(self) -> t.DataType:
        digits = self._numbers()
        precision, scale = [*digits, *([10, 2] if not digits else [0])][:2]
        if len(digits) > 2 or not 0 < precision <= 38 or scale > precision:
            hint = "It takes up to 38 digits, and no more behind the point than in all: decimal(10,2)."
            raise self._complaint("a decimal that cannot be", self._at, hint)
        return t.DecimalType(precision, scale)

    def _with_length(self, name: str) -> t.DataType:
        numbers = self._numbers()
        if name == "time" and not numbers:
            return t.TimeType()
        if len(numbers) != 1:
            raise self._complaint(f"no length behind `{name}`", self._at, f"Write {name}(10).")
        return _WITH_LENGTH[name](numbers[0])

    def _interval(self) -> t.DataType:
        start = self._at
        first = self._word().lower()
        last = self._word().lower() if self._skips("to") else first
        for units, kind in _INTERVALS:
            if first in units and last in units and units.index(first) <= units.index(last):
                return kind(units.index(first), units.index(last))
        raise self._complaint("no unit", start, "Write as in: interval day to second.")

    def _numbers(self) -> list[int]:
        if not self._skips("("):
            return []
        numbers = []
        while True:
            start, digits = self._at, self._word()
            if not (digits.isascii() and digits.isdigit()):
                raise self._complaint("no number", start)
            numbers.append(int(digits))
            if self._skips(")"):
                return numbers
            self._expects(",")

    def _word(self, what: str = "name") -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None or (match["quoted"] is None and match["plain"] is None):
            raise self._complaint(f"no {what}", self._at)
        self._at = match.end()
        return str(match["plain"]) if match["quoted"] is None else str(match["quoted"]).replace("``", "`")

    def _literal(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match["text"] is None:
            raise self._complaint("no quoted text", self._at)
        self._at = match.end()
        return re.sub(r"\\(.)", r"\1", str(match["text"])[1:-1])

    def _peek(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        return "" if match is None else str(match["plain"] or match["mark"] or match.group()).lower()

    def _skips(self, wanted: str) -> bool:
        match = _TOKEN.match(self._text, self._at)
        if match is None or (match["plain"] or match["mark"] or "").lower() != wanted:
            return False
        self._at = match.end()
        return True

    def _expects(self, wanted: str) -> bool:
        if not self._skips(wanted):
            raise self._complaint(f"no `{wanted}`", self._at)
        return True

    def _complaint(self, what: str, at: int, hint: str = "") -> TransformError:
        place = at + len(self._text[at:]) - len(self._text[at:].lstrip()) + 1
        return TransformError(f"The {self._kind} {self._text!r} has {what} at character {place}. {hint}".rstrip())
