"""Choose, rename, cast and nest fields by one list of mappings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.core.columns import schema_of
from transforms.core.sql_errors import analysed_parts
from transforms.core.type_names import parse_type
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, TransformError
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, cast, in_branch, member, row_of, struct_of
from transforms.paths import Path, Position, fields_of, find, format_path, parse_path, position_of

_ANY_INSIDE = {"array": ArrayType, "map": MapType, "struct": StructType}
"""Types without what is inside them, as Glue writes them in mappings: they keep what is there."""


@dataclass(frozen=True)
class _Mapped:
    """One mapping: its source by position, with the structs that it lies in."""

    text: str
    target: Path
    around: tuple[Value, ...]
    """The row, then the structs on the way to the source, the innermost last."""
    source: Named
    data_type: DataType | None
    """What to cast to, if anything."""


def apply_mapping(
    df: DataFrame, mappings: Sequence[Sequence[str]], *, case_sensitive: bool = True, strict: bool = True
) -> DataFrame:
    """Make a frame of the mapped fields alone, each with a new path and type, in the order of the mappings.

    Lazy. A dot in a source reads a field of a struct, a dot in a target makes a struct or adds to one; in back-ticks it
    is part of the name: `` `a.b` ``. A value that does not fit its new type becomes null and fails nothing. Structs
    are cast field by field in their order, whatever the names. A struct that is made is null in a row where all the
    structs are null that its sources lie in, as many levels up; so mapping each field to itself changes nothing.

    Glue: ApplyMapping. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        mappings: Each ``(source, source type, target, target type)``, in YAML a list; ``(source, target)`` keeps the
            type. Of three, the type is the one of the last two that names a type (the last, if both do): it is the
            source's or the target's. A source type must be a type but changes nothing: what counts is what the
            column holds. ``array``, ``map`` and ``struct`` alone mean: as it is.
        case_sensitive: Whether sources must be spelt as they are; else a name in another case will do, as in Glue
            Studio, if it is the only one.
        strict: Refuse a source that is not there; otherwise it is passed over, as Glue does.

    Returns:
        The mapped columns. A struct stands where its first field is mapped. Metadata stays where the type does.

    Raises:
        TransformError: A mapping has not two, three or four parts, or a type has no such name.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: ``strict`` is set and a source is not there.
        DuplicateColumnError: Two mappings have the same target, a target is a value and a struct, or a source names
            several fields.
        ColumnTypeError: A source lies inside an array, or no value of its type could be cast to the new one.

    Example:
        >>> df = spark.sql("SELECT '7' AS id, named_struct('zip', '89073', 'city', 'Ulm') AS home")
        >>> mappings = [("id", "string", "key", "long"), ("home.city", "at.town"), ("home.zip", "at.zip", "int")]
        >>> df.transform(apply_mapping, mappings).collect()
        [Row(key=7, at=Row(town='Ulm', zip=89073))]

    Source:
        reference: Glue transforms, "ApplyMapping", "Case". Three parts, equal targets and null structs are our choice.
    """
    schema = schema_of(df)
    mapped = [
        one for parts in _lists(mappings) for one in _read(schema, parts, case_sensitive=case_sensitive, strict=strict)
    ]
    _refuse_equal_targets(mapped)
    if all(one.data_type is None for one in mapped):
        return select(df, _fields(mapped, 0))
    return analysed_parts(
        lambda some: select(df, _fields(some, 0)),
        mapped,
        df,
        where="apply_mapping",
        where_of=lambda one: f"apply_mapping, {one.text}",
    )


def _lists(mappings: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return the mappings; a lone one is a list of one."""
    lone = [part for part in mappings if isinstance(part, str)]
    return [lone] if lone and len(lone) == len(mappings) else mappings


def _read(schema: StructType, parts: Sequence[str], *, case_sensitive: bool, strict: bool) -> Iterator[_Mapped]:
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
    yield _placed(schema, position, parse_path(target), data_type, text)


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


def _placed(schema: StructType, position: Position, target: Path, type_name: str | None, text: str) -> _Mapped:
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
            return _Mapped(text, target, tuple(around), Named(target[-1], changed, {}), data_type)
    return _Mapped(text, target, tuple(around), Named(target[-1], value, field.metadata or {}), None)


def _wanted(found: DataType, name: str | None, text: str) -> DataType | None:
    if name is None or name.strip().lower() == "choice":
        return None
    kind = _ANY_INSIDE.get(name.strip().lower())
    if kind is None:
        return parse_type(name)
    if isinstance(found, kind):
        return None
    raise ColumnTypeError(f"apply_mapping, {text}: The source is of type {found.simpleString()}, not {name}.")


def _refuse_equal_targets(mapped: Sequence[_Mapped]) -> None:
    targets: dict[Path, str] = {}
    for one in mapped:
        if one.target in targets:
            raise DuplicateColumnError(
                f"apply_mapping: Two mappings have the target `{format_path(one.target)}`: {targets[one.target]} and"
                f" {one.text}."
            )
        targets[one.target] = one.text
    for one in mapped:
        for depth in range(1, len(one.target)):
            above = one.target[:depth]
            if above in targets:
                raise DuplicateColumnError(
                    f"apply_mapping: `{format_path(above)}` would be a value by {targets[above]} and a struct by"
                    f" {one.text}."
                )


def _fields(mapped: Sequence[_Mapped], depth: int) -> list[Named]:
    """Return the fields at this depth of the target."""
    groups: dict[str, list[_Mapped]] = {}
    for one in mapped:
        groups.setdefault(one.target[depth], []).append(one)
    return [_field(name, group, depth) for name, group in groups.items()]


def _field(name: str, group: Sequence[_Mapped], depth: int) -> Named:
    if len(group[0].target) == depth + 1:
        return group[0].source
    inside = _fields(group, depth + 1)
    above = [_struct_above(one, len(one.target) - depth - 1) for one in group]
    # A source that lies in no struct so far up is in the row, which is never null.
    return Named(name, struct_of(inside, unless_null=above if all(value.sql for value in above) else []), {})


def _struct_above(one: _Mapped, levels: int) -> Value:
    return one.around[-levels] if levels <= len(one.around) else one.around[0]
