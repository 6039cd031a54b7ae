"""The path language of every transform: ``a.b.c``, back-ticks round a name that holds a dot.

A path names a column or a field inside it. It walks structs, and arrays of structs with or without the marker ``[]``
behind their name (``items[].price``), and it does not enter maps. Names are compared case-sensitively, as Glue does
(reference: Glue transforms, "Paths", "Case").
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pyspark.sql.types import ArrayType, DataType, StructType

from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, PathSyntaxError, say_known

Path = tuple[str, ...]

_NAME, _END = r"(?:`(?P<quoted>(?:[^`]|``)+)`|(?P<plain>[^.`]+?))", r"(?=[.`]|\Z)"
_WITH_ARRAYS = re.compile(rf"{_NAME}(?P<marks>(?:\[\])*){_END}")
_WITH_MAPS = re.compile(rf"{_NAME}(?P<marks>(?:\[\]|\{{\}})*){_END}")


def parse_path(text: str) -> Path:
    """Return the names that a path joins with dots.

    A ``[]`` behind the name of an array may be there or not; in back-ticks it is part of the name.

    Raises:
        PathSyntaxError: The text is empty, a name in it is empty, or a back-tick is not closed.

    Example:
        >>> parse_path("address.zip code")
        ('address', 'zip code')
        >>> parse_path("a.`b.c`.d")
        ('a', 'b.c', 'd')
        >>> parse_path("items[].price")
        ('items', 'price')
    """
    return parse_array_path(text)[0]


def parse_array_path(text: str) -> tuple[Path, int]:
    """Return the names that a path joins with dots, and how many ``[]`` are behind the last one.

    Raises:
        PathSyntaxError: As `parse_path`.

    Example:
        >>> parse_array_path("orders[].matrix[]")
        (('orders', 'matrix'), 1)
    """
    pairs = names_and_marks(text)
    return tuple(name for name, _ in pairs), len(pairs[-1][1]) // 2


def names_and_marks(text: str, *, enters_maps: bool = False) -> list[tuple[str, str]]:
    """Return each name of a path with the marks behind it.

    Args:
        text: The path.
        enters_maps: Whether ``{}`` is a mark, as ``[]`` is; otherwise it is part of the name.

    Raises:
        PathSyntaxError: As `parse_path`.

    Example:
        >>> names_and_marks("a.`b.c`[]{}.d", enters_maps=True)
        [('a', ''), ('b.c', '[]{}'), ('d', '')]
    """
    pattern, pairs, at = _WITH_MAPS if enters_maps else _WITH_ARRAYS, list[tuple[str, str]](), 0
    while True:
        match = pattern.match(text, at)
        if match is None:
            marks = ", `[]` behind an array and `{}` behind a map," if enters_maps else ","
            raise PathSyntaxError(
                f"The path {text!r} has no name at character {at + 1}. Write names joined by dots{marks}"
                " and back-ticks round a name that holds a dot: a.`b.c`."
            )
        quoted = match["quoted"]
        pairs.append((match["plain"] if quoted is None else quoted.replace("``", "`"), match["marks"]))
        at = match.end()
        if at == len(text):
            return pairs
        if text[at] != ".":
            raise PathSyntaxError(f"The path {text!r} needs a dot between two names at character {at + 1}.")
        at += 1


def parse_paths(paths: str | Sequence[str]) -> list[Path]:
    """Return the parsed paths; a lone text is a list of one.

    Example:
        >>> parse_paths("a.b")
        [('a', 'b')]
    """
    return [parse_path(path) for path in ([paths] if isinstance(paths, str) else paths)]


def quote(name: str) -> str:
    """Return a name so that Spark and `parse_path` take it literally.

    Example:
        >>> quote("zip.code")
        '`zip.code`'
    """
    return "`" + name.replace("`", "``") + "`"


def format_path(path: Path) -> str:
    """Return the text of a path, with back-ticks only where a name needs them.

    Example:
        >>> format_path(("a", "b.c"))
        'a.`b.c`'
    """
    return ".".join(quote(name) if "." in name or "`" in name or name.endswith("[]") else name for name in path)


def fields_of(data_type: DataType) -> StructType | None:
    """Return the struct whose fields a path continues with: the type itself or, through arrays, its elements."""
    while isinstance(data_type, ArrayType):
        data_type = data_type.elementType
    return data_type if isinstance(data_type, StructType) else None


def find(schema: StructType, path: Path) -> DataType | None:
    """Return the type of the field that a path names, or None where there is no such field.

    Example:
        >>> schema = StructType().add("a", StructType().add("b", ArrayType(StructType().add("c", "integer"))))
        >>> find(schema, ("a", "b", "c"))
        IntegerType()
        >>> find(schema, ("a", "B")) is None
        True
    """
    here: DataType = schema
    for name in path:
        struct = fields_of(here)
        if struct is None or name not in struct.names:
            return None
        here = struct[name].dataType
    return here


def require(schema: StructType, path: Path) -> DataType:
    """Return the type of the field that a path names.

    Raises:
        MissingColumnError: There is no such field. The message names the closest one.

    Example:
        >>> require(StructType().add("a", StructType().add("b", "integer")), ("a", "B"))
        Traceback (most recent call last):
        transforms.errors.MissingColumnError: There is no field `a.B`. Did you mean `b`?
    """
    here: DataType = schema
    for depth, name in enumerate(path):
        struct = fields_of(here)
        missing = format_path(path[: depth + 1])
        if struct is None:
            raise MissingColumnError(
                f"There is no field `{missing}`: `{format_path(path[:depth])}` is of type {here.simpleString()},"
                " which has no fields that a path can name."
            )
        if name not in struct.names:
            kind = "field" if depth else "column"
            raise MissingColumnError(f"There is no {kind} `{missing}`. {say_known(name, struct.names, kind=kind)}")
        here = struct[name].dataType
    return here


def leaf_paths(schema: StructType) -> Iterator[Path]:
    """Yield the path of every field that a path can name and that has no named fields itself, in schema order.

    Example:
        >>> inner = StructType().add("b", "integer").add("c", ArrayType(StructType().add("d", "integer")))
        >>> list(leaf_paths(StructType().add("a", inner).add("e", "string")))
        [('a', 'b'), ('a', 'c', 'd'), ('e',)]
    """
    for field in schema.fields:
        inner = fields_of(field.dataType)
        if inner is None:
            yield (field.name,)
        else:
            yield from ((field.name, *rest) for rest in leaf_paths(inner))


Position = tuple[int, ...]


def position_of(schema: StructType, path: Path, *, enters_arrays: bool = False) -> Position:
    """Return where the one field of this path is.

    Raises:
        MissingColumnError: There is no such field.
        DuplicateColumnError: There are several.
        ColumnTypeError: It lies inside an array, and ``enters_arrays`` is not set.
    """
    require(schema, path)
    here: DataType = schema
    position: list[int] = []
    for depth, name in enumerate(path):
        if isinstance(here, ArrayType) and not enters_arrays:
            array = format_path(path[:depth])
            raise ColumnTypeError(
                f"`{format_path(path)}` lies inside the array `{array}`, so a row has no one value of it."
            )
        names = (fields_of(here) or StructType()).names
        if names.count(name) > 1:
            twins = f"`{format_path(path[: depth + 1])}` names {names.count(name)} fields."
            raise DuplicateColumnError(f"{twins} Rename all but one of them first.")
        position.append(names.index(name))
        here = (fields_of(here) or StructType())[position[-1]].dataType
    return tuple(position)


class Field(NamedTuple):
    """A field at any depth. Its position is unlike that of any other field, also where its path is not."""

    position: Position
    path: Path
    data_type: DataType


def fields_in(schema: StructType) -> Iterator[Field]:
    """Yield every field that a path can name, in schema order, each before the fields inside it.

    Example:
        >>> schema = StructType().add("a", ArrayType(StructType().add("b", "integer"))).add("c", "string")
        >>> [(field.position, field.path) for field in fields_in(schema)]
        [((0,), ('a',)), ((0, 0), ('a', 'b')), ((1,), ('c',))]
    """
    for index, field in enumerate(schema.fields):
        yield Field((index,), (field.name,), field.dataType)
        for inner in fields_in(fields_of(field.dataType) or StructType()):
            yield Field((index, *inner.position), (field.name, *inner.path), inner.data_type)
