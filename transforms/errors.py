"""What a transform raises when it is called wrongly; every error is a ValueError."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_NAMES_SHOWN = 12


class TransformError(ValueError):
    """A transform cannot do what it was asked to do."""


class PathSyntaxError(TransformError):
    """A path is not a dot-joined list of names."""


class MissingColumnError(TransformError):
    """A path names nothing in the frame."""


class DuplicateColumnError(TransformError):
    """Two columns would get the same name."""


class ColumnTypeError(TransformError):
    """A column has a type that the transform cannot work on."""


def closest(wanted: str, names: Iterable[str]) -> str | None:
    """Return the name that ``wanted`` most likely stands for, or None if nothing is near.

    A name that differs only in case is nearer than any other.

    Example:
        >>> closest("Carrier", ["carrier", "carriers"])
        'carrier'
        >>> closest("dep_tme", ["dep_time", "arr_time"])
        'dep_time'
        >>> closest("x", ["dep_time"]) is None
        True
    """
    known = list(names)
    same_but_for_case = [name for name in known if name.lower() == wanted.lower()]
    return next(iter(same_but_for_case or get_close_matches(wanted, known, n=1, cutoff=0.6)), None)


def say_known(wanted: str, names: Iterable[str], *, kind: str) -> str:
    """Return the end of an error's sentence: the closest name, else the names there are.

    Example:
        >>> say_known("dep_tme", ["dep_time"], kind="column")
        'Did you mean `dep_time`?'
        >>> say_known("x", ["dep_time", "carrier"], kind="column")
        'There are these columns: carrier, dep_time.'
        >>> say_known("x", [], kind="column")
        'There are no columns.'
    """
    known = sorted(names)
    near = closest(wanted, known)
    if near is not None:
        return f"Did you mean `{near}`?"
    if not known:
        return f"There are no {kind}s."
    shown = ", ".join(known[:_MOST_NAMES_SHOWN])
    more = f" and {len(known) - _MOST_NAMES_SHOWN} more" if len(known) > _MOST_NAMES_SHOWN else ""
    return f"There are these {kind}s: {shown}{more}."
