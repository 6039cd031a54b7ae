"""Records and messages without the values that nobody may read."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from transforms.paths import Path, find, leaf_paths

if TYPE_CHECKING:
    from pyspark.sql.types import ArrayType, DataType, StructType

Paths = frozenset[Path]

HIDDEN = "***"

_RETURNED = re.compile(r"(?s)(returned [\w.]+:|cannot hold) .*")
_NUMBER_ENDS = r"(?:BD|[LSYDF])?"
"""How Spark ends a number of a certain type."""

_CHOICES = ("array", "map", "struct")
"""Members of a choice that have fields of their own: a path passes through them."""

_WITHHELD = " The record is withheld, for it may hold what the job masks; it stands in its file."
_SHOWN = re.compile(
    r"(?s)(\bvalue|\bvalue:|\brecord:?|\brow:?|\bstring|\bthe text)\s+('.*'|\".*\"|`[^`]*`)(?!\w)"
    r"|(\bvalue:?|\bstring|\bthe text)\s+([-+]?\d\S*)"
)
"""A value behind the word that announces it. There may be quotes in it, so it goes on up to the last one."""


class Rejected(NamedTuple):
    """What of a rejected row may be read."""

    message: str | None
    record: str | None
    is_hidden: bool


def hide(code: str, message: str | None, record: str | None, paths: Paths) -> Rejected:
    """Return a rejected row without the values of some fields.

    In a record that is JSON, each of them becomes ``***``, also in the message. A record that is none is withheld
    whole, and so is what a function of the user's says beyond the kind of its error.

    Example:
        >>> hide("CAST", "`card` is not an int: 47x", '{"id":"1","card":"47x"}', frozenset({("card",)}))
        Rejected(message='`card` is not an int: ***', record='{"id":"1","card":"***"}', is_hidden=True)
        >>> hide("MALFORMED", "The line does not have 3 values.", "1,47", frozenset({("card",)})).record
    """
    if not paths:
        return Rejected(message, record, False)
    said = message or ""
    if code == "FUNCTION":
        said = f"{said.partition(':')[0]}: {HIDDEN}"
    if code == "SCHEMA":  # of what the function made of the values
        said = _RETURNED.sub(rf"\1 {HIDDEN}.", said)
    if record is None:
        return Rejected(message and hide_values(said), None, False)
    try:
        value = json.loads(record, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except ValueError:
        value = None
    taken: list[str] = []
    if not isinstance(value, dict | list) or () in paths:
        return Rejected(_without_texts(hide_values(said), [record, *_texts(value)]) + _WITHHELD, None, True)
    shown = _without(value, frozenset(map(plain, paths)), taken)
    said = _without_texts(said, taken)
    if not taken:
        return Rejected(said, record, False)
    return Rejected(said, _json(shown), True)


def hide_example(record: str | None, paths: Paths) -> str | None:
    """Return a row that a message shows as an example, without the values of some fields."""
    if record is None:
        return None
    shown = hide("RULE", None, record, paths)
    return shown.record or HIDDEN


def hide_values(text: str) -> str:
    """Return what Spark or a library said without the values that it shows.

    Example:
        >>> hide_values("The value '4711x' of the type STRING cannot be cast to INT.")
        'The value *** of the type STRING cannot be cast to INT.'
    """
    text = re.sub(r"(?s)(Malformed CSV record:).*", rf"\1 {HIDDEN}", text)
    text = re.sub(r"(times, such as ).*", rf"\1{HIDDEN}", text)
    return _SHOWN.sub(lambda match: f"{match[1] or match[3]} {HIDDEN}", text)


def covers(paths: Paths, place: Path) -> bool:
    """Return whether a field, or one inside or around it, is among those that are hidden.

    Example:
        >>> covers(frozenset({("person", "card")}), ("Person",)), covers(frozenset({()}), ("age",))
        (True, True)
    """
    place = plain(place)
    return any(path[: len(place)] == place[: len(path)] for path in map(plain, paths))


def missing_in(schema: "StructType", paths: Iterable[Path]) -> list[Path]:
    """Return the paths at which a schema has no field. Below maps and variants there may be any.

    Example:
        >>> from pyspark.sql.types import StructType
        >>> schema = StructType().add("card", "string").add("items", StructType().add("Note", "string"))
        >>> missing_in(schema, [("CARD",), ("items[]", "note"), ("crad",)])
        [('crad',)]
    """
    leaves = list(leaf_paths(schema))
    there = {plain(path[:depth]) for path in leaves for depth in range(1, len(path) + 1)}
    open_ended = [plain(path) for path in leaves if _holds_any(find(schema, path))]
    return [
        path
        for path in paths
        if (names := plain(path)) not in there and not any(names[: len(outer)] == outer for outer in open_ended)
    ]


def _holds_any(kind: "DataType | None") -> bool:
    """Tell whether values of a type, or elements of its arrays, may have fields of any names."""
    while kind is not None and kind.typeName() == "array":
        kind = cast("ArrayType", kind).elementType
    return kind is not None and kind.typeName() in ("map", "variant")


def plain(path: Path) -> Path:
    """Return a path as names without the marks of arrays and maps, dots parted: SQL does not tell cases apart.

    Example:
        >>> plain(("Orders[]", "home.zip"))
        ('orders', 'home', 'zip')
    """
    return tuple(name.lower() for step in path for name in step.replace("[]", "").replace("{}", "").split("."))


class _Number(str):
    """A number as the record has it."""


def _without(value: Any, paths: Paths, taken: list[str], here: Paths = frozenset({()})) -> Any:
    """Replace values at paths. A key that is itself a dotted path, as flat tables have it, counts as that path.

    Args:
        value: A part of a record.
        paths: The fields to hide, with all that is in them.
        taken: Gets the texts that were replaced.
        here: Where the part is, by one path or several.
    """
    if isinstance(value, list):
        return [_without(each, paths, taken, here) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for key, inner in value.items():
        inside = frozenset(plain((*place, key)) for place in here)
        if any(place[:depth] in paths for place in inside for depth in range(1, len(place) + 1)):
            taken += _texts(inner)
            shown[key] = HIDDEN if inner is not None else None
        else:
            shown[key] = _without(inner, paths, taken, inside | here if key in _CHOICES else inside)
    return shown


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a value's parts. Spark may write a number in another way than the record does."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, _Number):
        yield from (str(value), repr(float(value)))
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def _without_texts(said: str, texts: Iterable[str]) -> str:
    for text in sorted({text for text in texts if text}, key=len, reverse=True):
        said = re.sub(rf"(?<!\w){re.escape(text)}{_NUMBER_ENDS}(?!\w)", HIDDEN, said)
    return said


def _json(value: Any) -> str:
    """Return a value's JSON with its numbers as they stood."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return f"{{{','.join(f'{_json(key)}:{_json(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    return json.dumps(value, ensure_ascii=False)
