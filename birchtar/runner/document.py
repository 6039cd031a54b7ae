"""A YAML file as plain values, with the place of every value in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from birchtar.runner.problems import ConfigError, Place, Problem

Location = tuple[str | int, ...]
"""The keys and list positions that lead to a value: ``("outputs", "flown", "path")``."""

_TWO_FACED = {"yes", "no", "on", "off"}
"""Plain words that are truth values to a YAML 1.1 reader and texts to a YAML 1.2 reader."""


@dataclass
class Document:
    """The values of one YAML file."""

    file: str
    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    """What is wrong: in the YAML itself, such as a key that stands twice, and what `complain` was told."""
    keys: dict[Location, Place] = field(default_factory=dict)
    values: dict[Location, Place] = field(default_factory=dict)

    def place(self, location: Location, *, of_key: bool = False) -> Place:
        """Return where a value (or its key) stands, or the nearest thing around it that is there."""
        for end in range(len(location), 0, -1):
            here = location[:end]
            # What lies above the value itself is named by its key: that is where a reader looks for it.
            places = (self.keys, self.values) if of_key or end < len(location) else (self.values, self.keys)
            if found := places[0].get(here) or places[1].get(here):
                return found
        return Place(self.file, 1, 1)

    def complain(self, location: Location, what: str, *, of_key: bool = False) -> None:
        """Add to what is wrong, with the place where it stands."""
        self.problems.append(Problem(self.place(location, of_key=of_key), what))


def read_document(path: str | Path) -> Document:
    """Read a YAML 1.2 file. No tag in it is ever turned into an object of the program.

    Raises:
        ConfigError: The file cannot be read, or is not YAML.
    """
    document = Document(str(path))
    try:
        text = Path(path).read_text(encoding="utf-8")
        root = YAML(typ="safe", pure=True).compose(text)
    except OSError as error:
        raise ConfigError([Problem(Place(document.file, 1, 1), f"cannot be read: {error.strerror}.")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(Place(document.file, 1, 1), "is not UTF-8 text.")]) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(document.file, mark.line + 1, mark.column + 1) if mark else Place(document.file, 1, 1)
        raise ConfigError([Problem(place, f"is not YAML: {error.problem or error.context}.")]) from error
    document.value = None if root is None else _Reader(document).value(root, ())
    return document


def override(document: Document, assignment: str) -> None:
    """Set one value of the document from the text ``key.key=value``; the value is read as YAML.

    The place of what is set is ``--set``, for messages about it.

    Raises:
        ConfigError: The text has no ``=``, or a key before the last one is not there.
    """
    place = Place(f"--set {assignment}", 1, 1)
    key, equals, text = assignment.partition("=")
    names = key.split(".")
    if not equals or not all(names):
        raise ConfigError([Problem(place, "is not of the form key.key=value.")])
    parent = document.value
    for depth, name in enumerate(names[:-1]):
        child = _child(parent, name)
        if child is None:
            known = ", ".join(map(str, parent)) if isinstance(parent, dict) else "no keys"
            raise ConfigError([Problem(place, f"there is no `{'.'.join(names[: depth + 1])}`; there is {known}.")])
        parent = child
    location = tuple(int(name) if name.isdecimal() else name for name in names)
    try:
        value = YAML(typ="safe", pure=True).load(text) if text else ""
    except MarkedYAMLError as error:
        raise ConfigError([Problem(place, f"the value is not YAML: {error.problem}.")]) from error
    if isinstance(parent, list) and names[-1].isdecimal() and int(names[-1]) < len(parent):
        parent[int(names[-1])] = value
    elif isinstance(parent, dict):
        parent[names[-1]] = value
    else:
        raise ConfigError([Problem(place, f"`{'.'.join(names[:-1])}` holds no `{names[-1]}`.")])
    for inside in _locations(value, location):
        document.keys[inside] = document.values[inside] = place


def _locations(value: Any, location: Location) -> Iterator[Location]:
    yield location
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _locations(item, (*location, key))


def _child(parent: Any, name: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(name)
    if isinstance(parent, list) and name.isdecimal() and int(name) < len(parent):
        return parent[int(name)]
    return None


class _Reader:
    """Turn YAML nodes into values and writes down where each one stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.scalars = YAML(typ="safe", pure=True).constructor

    def value(self, node: Node, location: Location) -> Any:
        self.document.values[location] = self._place(node)
        if isinstance(node, MappingNode):
            return dict(self._items(node, location))
        if isinstance(node, SequenceNode):
            return [self.value(item, (*location, position)) for position, item in enumerate(node.value)]
        return self._scalar(cast("ScalarNode", node))

    def _items(self, node: MappingNode, location: Location) -> Iterator[tuple[str, Any]]:
        seen: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else repr(key_node.value)
            place = self._place(key_node)
            if key in seen:
                self._complain(
                    place, f"the key `{key}` stands here a second time; the first is in line {seen[key].line}."
                )
                continue
            if key_node.style is None and key.lower() in _TWO_FACED:
                self._complain(place, f"the key `{key}` is a truth value to some YAML readers. Take another name.")
            seen[key] = place
            self.document.keys[(*location, key)] = place
            yield key, self.value(value_node, (*location, key))

    def _scalar(self, node: ScalarNode) -> Any:
        if node.style is None and node.value.lower() in _TWO_FACED:
            truth = "true" if node.value.lower() in ("yes", "on") else "false"
            self._complain(
                self._place(node),
                f"`{node.value}` is a truth value to some YAML readers and a text to others."
                f' Write {truth}, or "{node.value}" in quotes for the text.',
            )
        try:
            return self.scalars.construct_object(node, deep=True)
        except MarkedYAMLError as error:
            self._complain(self._place(node), f"{error.problem}.")
            return None

    def _place(self, node: Node) -> Place:
        return Place(self.document.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _complain(self, place: Place, what: str) -> None:
        self.document.problems.append(Problem(place, what))
