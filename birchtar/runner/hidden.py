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

_WITHHELD = " The record is withheld, for it may hold what the job masks; it stands in its file."
_SHOWN = re.compile(r"(?s)(\bvalue|\bvalue:|\brecord:?|\brow:?|\bstring|\bthe text)\s+('[^']*'|\"[^\"]*\"|`[^`]*`)")


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
    if not paths or record is None:
        return Rejected(message, record, False)
    try:
        value = json.loads(record)
    except ValueError:
        value = None
    if not isinstance(value, dict | list):
        return Rejected((message or "") + _WITHHELD, None, True)
    taken: list[str] = []
    shown = _without(value, paths, taken)
    said = message or ""
    if code == "FUNCTION":
        said = f"{said.partition(':')[0]}: {HIDDEN}"
    for text in sorted({text for text in taken if text}, key=len, reverse=True):
        said = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", HIDDEN, said)
    if not taken:
        return Rejected(said, record, False)
    return Rejected(said, json.dumps(shown, ensure_ascii=False, separators=(",", ":")), True)


def hide_example(record: str | None, paths: Paths) -> str | None:
    """Return a row that a message shows as an example, without the values of some fields."""
    return hide("RULE", None, record, paths).record if record is not None else None


def hide_values(text: str) -> str:
    """Return what Spark or a library said without the values that it shows.

    Example:
        >>> hide_values("The value '4711x' of the type STRING cannot be cast to INT.")
        'The value *** of the type STRING cannot be cast to INT.'
    """
    text = re.sub(r"(?s)(Malformed CSV record:).*", rf"\1 {HIDDEN}", text)
    text = re.sub(r"(times, such as ).*", rf"\1{HIDDEN}", text)
    return _SHOWN.sub(rf"\1 {HIDDEN}", text)


def covers(paths: Paths, place: Path) -> bool:
    """Return whether a field, or one inside or around it, is among those that are hidden."""
    return any(path[: len(place)] == place[: len(path)] for path in paths)


def missing_in(schema: "StructType", paths: Iterable[Path]) -> list[Path]:
    """Return the paths at which a schema has no field. Below maps and variants there may be any.

    Example:
        >>> from pyspark.sql.types import StructType
        >>> schema = StructType().add("card", "string").add("items", StructType().add("Note", "string"))
        >>> missing_in(schema, [("CARD",), ("items[]", "note"), ("crad",)])
        [('crad',)]
    """
    leaves = list(leaf_paths(schema))
    there = {_plain(path[:depth]) for path in leaves for depth in range(1, len(path) + 1)}
    open_ended = [_plain(path) for path in leaves if _holds_any(find(schema, path))]
    return [
        path
        for path in paths
        if (names := _plain(path)) not in there and not any(names[: len(outer)] == outer for outer in open_ended)
    ]


def _holds_any(kind: "DataType | None") -> bool:
    """Tell whether values of a type, or elements of its arrays, may have fields of any names."""
    while kind is not None and kind.typeName() == "array":
        kind = cast("ArrayType", kind).elementType
    return kind is not None and kind.typeName() in ("map", "variant")


def _without(value: Any, paths: Paths, taken: list[str], here: Path = ()) -> Any:
    """Replace values at paths. A key that is itself a dotted path, as flat tables have it, counts as that path."""
    if isinstance(value, list):
        return [_without(each, paths, taken, here) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for key, inner in value.items():
        path = _plain((*here, key))
        if any(_plain(wanted) == path for wanted in paths):
            texts = list(_texts(inner))
            taken += texts
            shown[key] = HIDDEN if inner is not None else None
        else:
            shown[key] = _without(inner, paths, taken, (*here, key))
    return shown


def _plain(path: Path) -> Path:
    """Return a path as names without array marks, dots parted, in lower case: SQL does not tell cases apart."""
    return tuple(name.lower() for step in path for name in step.replace("[]", "").split(".") if name)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)
