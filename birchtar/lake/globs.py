"""Globs as Hadoop, and so Spark, understands them: ``*``, ``?``, ``[a-z]``, ``[!a]``, ``{a,b}``; a backslash escapes.

No library does: to others ``{a}`` is a text and ``{1..3}`` a range. The tests hold this beside Hadoop's own.
"""

import re
from functools import lru_cache

from birchtar.lake.errors import LakeError
from birchtar.lake.files import is_passed_over

_MAGIC = frozenset("{}[]*?\\")
_PLAIN = frozenset(".$()|+")
"""Characters that mean something to a regular expression but not to a glob."""


def is_glob(path: str) -> bool:
    """Return whether Spark takes a path for a glob.

    Example:
        >>> is_glob("data/*.csv"), is_glob("data/{a,b}"), is_glob("data/a.csv")
        (True, True, False)
    """
    return not _MAGIC.isdisjoint(path)


@lru_cache(maxsize=1024)
def name_pattern(glob: str) -> re.Pattern[str]:
    """Return the expression that fully matches the names, each without a slash, for which a glob stands.

    Raises:
        LakeError: A bracket or brace is left open, or nothing stands behind a backslash.

    Example:
        >>> [name for name in ("a1.csv", "b1.csv", "a12.csv") if name_pattern("{a,b}[0-9].csv").fullmatch(name)]
        ['a1.csv', 'b1.csv']
    """
    expression, braces, in_set = "", 0, False
    position = 0
    while position < len(glob):
        at = glob[position]
        if at == "\\":
            position += 1
            expression += re.escape(glob[position : position + 1]) or "\\"  # which does not compile
        elif at == "[" and in_set:
            raise LakeError(f"The glob {glob} has a `[` that is not closed.")
        elif at == "{":
            expression, braces = expression + "(?:", braces + 1
        elif at == "}" and braces:
            expression, braces = expression + ")", braces - 1
        elif at == "," and braces:
            expression += "|"
        elif at == "!" and in_set and glob[position - 1] == "[":
            expression += "^"
        else:
            in_set = at == "[" or (in_set and at != "]")
            expression += _translated(at, in_set=in_set)
        position += 1
    if in_set or braces:
        raise LakeError(f"The glob {glob} has a `{'[' if in_set else '{'}` that is not closed.")
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as error:
        raise LakeError(f"{glob} is no glob: {error}.") from error


def fits(glob: str, path: str) -> bool:
    """Return whether a glob stands for a path, or for a folder in which it lies.

    Example:
        >>> fits("lake/*", "lake/out/part-0.csv"), fits("lake/*/*.json", "lake/out/part-0.csv")
        (True, False)
    """
    return any(start_of(path, one) is not None for one in without_slashes_in_braces(glob))


def start_of(path: str, glob: str) -> str | None:
    """Return the start of a path for which a path or glob without slashes in braces stands; None where none does.

    Example:
        >>> start_of("/lake/orders/day=1", "/lake/*"), start_of("/lake/orders/day=1", "/sea/*")
        ('/lake/orders', None)
    """
    names, wanted = path.split("/"), glob.rstrip("/").split("/")
    if len(names) < len(wanted):
        return None
    for name, component in zip(names, wanted, strict=False):
        fit = name_pattern(component).fullmatch(name) if has_wildcard(component) else unescaped(component) == name
        if not fit:
            return None
    return "/".join(names[: len(wanted)])


def _translated(character: str, *, in_set: bool) -> str:
    if character in "*?":
        return ".*" if character == "*" else "."
    if character in _PLAIN or (character == "^" and not in_set):
        return f"\\{character}"
    return character


def without_slashes_in_braces(glob: str) -> list[str]:
    r"""Return globs that together stand for the same, none with a slash inside braces.

    Example:
        >>> without_slashes_in_braces("a/{b/c,d}/{e,f}")
        ['a/b/c/{e,f}', 'a/d/{e,f}']
    """
    for start, end, choices in _braces(glob):
        if any("/" in choice for choice in choices):
            expanded = (f"{glob[:start]}{choice}{glob[end:]}" for choice in choices)
            return [each for one in expanded for each in without_slashes_in_braces(one)]
    return [glob]


def _braces(glob: str) -> list[tuple[int, int, list[str]]]:
    """Return start, end and choices of every outermost pair of braces."""
    found, depth, start, commas = [], 0, 0, [0]
    for position, character in _unescaped(glob):
        if character == "{":
            depth += 1
            if depth == 1:
                start, commas = position, [position]
        elif character == "," and depth == 1:
            commas.append(position)
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                ends = [*commas[1:], position]
                choices = [glob[comma + 1 : end] for comma, end in zip(commas, ends, strict=True)]
                found.append((start, position + 1, choices))
    return found


def _unescaped(glob: str) -> list[tuple[int, str]]:
    return [(match.start(), match[0]) for match in re.finditer(r"\\.|[{},]", glob, re.DOTALL) if len(match[0]) == 1]


def unescaped(component: str) -> str:
    r"""Return a name without the backslashes that kept its characters from being special.

    Example:
        >>> unescaped(r"a\*b")
        'a*b'
    """
    return re.sub(r"\\(.)", r"\1", component, flags=re.DOTALL)


def escaped(path: str) -> str:
    r"""Return a path in which Spark takes no character for a wildcard.

    Example:
        >>> escaped("/data/[set]*.txt")
        '/data/\\[set\\]\\*.txt'
    """
    return re.sub(r"([{}\[\]*?\\])", r"\\\1", path)


def shows(component: str, name: str) -> bool:
    """Return whether a component with a wildcard stands for a name that fits: a hidden one it has to begin like.

    Example:
        >>> shows("*", "_temporary"), shows("_*", "_temporary"), shows(".*", ".t.staged"), shows("*", "day=1")
        (False, True, True, True)
    """
    return unescaped(component)[0] in "._" or not is_passed_over(name)


def has_wildcard(component: str) -> bool:
    r"""Return whether a component of a path stands for more than one name.

    Example:
        >>> has_wildcard("a*"), has_wildcard(r"a\*"), has_wildcard("a,b}")
        (True, False, False)
    """
    return re.search(r"(?<!\\)(?:\\\\)*[*?\[{]", component) is not None
