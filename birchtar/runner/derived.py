"""Fields that are made of others, followed from a step's rows to those behind it, and back."""

from collections.abc import Iterable
from typing import NamedTuple

from birchtar.runner.hidden import Paths
from transforms.paths import Path


class Made(NamedTuple):
    """A field, and one that it is made of. Its path is empty where it may be any field of the row, or has any name."""

    new: Path
    source: Path
    is_same: bool = False
    """Its own fields are those of the source, under their names; otherwise each of them may be anywhere in it."""


AS_IT_IS = Made((), (), is_same=True)
"""All fields, under their names."""

ANYTHING = Made((), ())
"""Any field may be made of any other."""


def behind(made: Iterable[Made], paths: Paths) -> Paths:
    """Return what a step makes of fields.

    Example:
        >>> made = [Made(("p",), ("person",), is_same=True), Made(("text",), ("person",))]
        >>> sorted(behind(made, frozenset({("person", "card")})))
        [('p', 'card'), ('text',)]
        >>> behind([ANYTHING], frozenset({("card",)}))
        frozenset({()})
    """
    return frozenset(
        new + (path[len(source) :] if is_same else ())
        for new, source, is_same in made
        for path in paths
        if meet(path, source)
    )


def before(made: Iterable[Made], paths: Paths) -> Paths:
    """Return what a step makes fields of. One that it names is taken for none of those that may have any name.

    Example:
        >>> made = [Made(("c",), ("card",)), Made((), ("town",))]
        >>> before(made, frozenset({("c",)})), before(made, frozenset({("upper(town)",)}))
        (frozenset({('card',)}), frozenset({('town',)}))
    """
    made, found = list(made), set[Path]()
    for path in paths:
        named = [each for each in made if each.new and meet(path, each.new)]
        for new, source, is_same in named or [each for each in made if not each.new]:
            found.add(source + (path[len(new) :] if is_same else ()))
    return frozenset(found)


def meet(path: Path, other: Path) -> bool:
    """Return whether two fields are the same, or one lies inside the other.

    Example:
        >>> meet(("person", "card"), ("person",)), meet(("person", "card"), ("person", "name"))
        (True, False)
    """
    shared = min(len(path), len(other))
    return path[:shared] == other[:shared]
