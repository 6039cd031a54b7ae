"""Mappings of fields to fields, as `apply_mapping` is given them: what each takes, and where it goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.choices.refused import refuse_choices_within
from transforms.core.type_names import parse_type
from transforms.errors import ColumnTypeError, MissingColumnError, TransformError
from transforms.nested.values import Named, Value, cast, in_branch, member, row_of
from transforms.paths import Path, Position, fields_of, find, parse_path, position_of

_ANY_INSIDE = {"array": ArrayType, "map": MapType, "struct": StructType}
"""Types without what is inside them, as Glue writes them in mappings: they keep what is there."""


@dataclass(frozen=True)
class Mapped:
    """One mapping: its source by position, with the structs that it lies in."""

    text: str
    target: Path
    around: tuple[Value, ...]
    """The row, then the structs on the way to the source, the innermost last."""
    source: Named
    data_type: DataType | None
    """What to cast to, if anything."""
    position: Position
    path: Path
    """Where the source is, by numbers and by names."""


def read_mappings(
    schema: StructType, mappings: Sequence[Sequence[str]], *, case_sensitive: bool, strict: bool
) -> list[Mapped]:
    """Return what the mappings say of a schema; arguments and errors are those of `apply_mapping`."""
    return [
        one for parts in _lists(mappings) for one in _read(schema, parts, case_sensitive=case_sensitive, strict=strict)
    ]


def _lists(mappings: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return the mappings; a lone one is a list of one.

    Raises:
        TransformError: It is no list but a text.
    """
    if isinstance(mappings, str):
        raise TransformError(
            f"apply_mapping needs a list of mappings, each (source, source type, target, target type) or"
            f" (source, target); got the text {mappings!r}."
        )
    lone = [part for part in mappings if isinstance(part, str)]
    return [lone] if lone and len(lone) == len(mappings) else mappings


def _read(schema: StructType, parts: Sequence[str], *, case_sensitive: bool, strict: bool) -> Iterator[Mapped]:
    text = f"mapping {parts!r}"
    if (
        isinstance(parts, str)
        or not isinstance(parts, Sequence)
        or not all(isinstance(part, str) for part in parts)
        or len(parts) not in (2, 3, 4)
    ):
        raise TransformError(
            f"apply_mapping, {text}: Give two, three or four texts: (source, target), (source, target, target type) or"
            " (source, source type, target, target type)."
        )
    source, target, data_type = _source_target_type(parts, text)
    path = _spelt(schema, parse_path(source), case_sensitive=case_sensitive)
    try:
        position = position_of(schema, path)
    except MissingColumnError as error:
        if strict:
            raise MissingColumnError(f"apply_mapping, {text}: {error}") from None
        return
    yield _placed(schema, position, path, parse_path(target), data_type, text)


def _source_target_type(parts: Sequence[str], text: str) -> tuple[str, str, str | None]:
    match list(parts):
        case [source, target]:
            return source, target, None
        case [source, source_type, target, target_type]:
            _require_type(source_type, text)
            _require_type(target_type, text)
            return source, target, target_type
    source, second, third = parts
    if _is_type(third) or not _is_type(second):
        _require_type(third, text)
        return source, second, third
    return source, third, None


def _is_type(text: str) -> bool:
    try:
        _require_type(text, "")
    except TransformError:
        return False
    return True


def _require_type(text: str, where: str) -> None:
    if text.strip().lower() not in (*_ANY_INSIDE, "choice", "set"):
        try:
            parse_type(text)
        except TransformError as error:
            raise TransformError(f"apply_mapping, {where}: {error}") from None


def _spelt(schema: StructType, path: Path, *, case_sensitive: bool) -> Path:
    """Return the path as the schema spells it, where only one spelling differs."""
    if case_sensitive or find(schema, path) is not None:
        return path
    here: DataType = schema
    spelt: list[str] = []
    for name in path:
        names = (fields_of(here) or StructType()).names
        same = [known for known in names if known.lower() == name.lower()]
        spelt.append(same[0] if len(same) == 1 and name not in names else name)
        here = find(schema, tuple(spelt)) or StructType()
    return tuple(spelt)


def _placed(
    schema: StructType, position: Position, path: Path, target: Path, type_name: str | None, text: str
) -> Mapped:
    around, value = [], row_of(schema)
    for index in position:
        around.append(value)
        value = member(value, index)
    field = around[-1].data_type[position[-1]]  # type: ignore[index]  # a position leads through structs
    value = in_branch(value, member(around[0], position[0]), len(position))
    data_type = _wanted(field.dataType, type_name, text)
    if data_type is not None:
        changed = cast(value, data_type)
        if changed is not value:
            refuse_choices_within(schema, position, where=f"apply_mapping, {text}")
            return Mapped(text, target, tuple(around), Named(target[-1], changed, {}), data_type, position, path)
    return Mapped(text, target, tuple(around), Named(target[-1], value, field.metadata or {}), None, position, path)


def _wanted(found: DataType, name: str | None, text: str) -> DataType | None:
    if name is None or name.strip().lower() == "choice":
        return None
    kind = _ANY_INSIDE.get(name.strip().lower())
    if kind is None:
        return parse_type(name)
    if isinstance(found, kind):
        return None
    raise ColumnTypeError(f"apply_mapping, {text}: The source is of type {found.simpleString()}, not {name}.")
