"""Choose, rename, cast and nest fields by one list of mappings."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.core.columns import schema_of
from transforms.core.sql_errors import analysed_parts
from transforms.errors import DuplicateColumnError
from transforms.nested.mappings import Mapped, read_mappings
from transforms.nested.misfits import Cast, Misfits, error_of_misfits, require_misfits
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, struct_of
from transforms.paths import Path, format_path
from transforms.rejects import ERROR_COLUMN


def apply_mapping(
    df: DataFrame,
    mappings: Sequence[Sequence[str]],
    *,
    case_sensitive: bool = True,
    strict: bool = True,
    misfits: Misfits = "null",
) -> DataFrame:
    """Make a frame of the mapped fields alone, each with a new path and type, in the order of the mappings.

    Lazy. A dot in a source reads a field of a struct, a dot in a target makes a struct or adds to one; in back-ticks it
    is part of the name: `` `a.b` ``. A value that does not fit its new type becomes null and fails nothing. Structs
    are cast field by field in their order, whatever the names. A struct that is made is null in a row where all the
    structs are null that its sources lie in, as many levels up; so mapping each field to itself changes nothing.

    With ``misfits="reject"`` a value that does not fit rejects its row as well, with the code CAST: the row stays in
    the frame, with its error in ``_error``, the last column. A key of a map that does not fit is not looked for.

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
        misfits: What becomes of a row with a value that does not fit: ``null`` keeps it, as Glue does, ``reject`` does
            not.

    Returns:
        The mapped columns, with ``reject`` then ``_error``. A struct stands where its first field is mapped. Metadata
        stays where the type does.

    Raises:
        TransformError: The mappings are no list, one has not two, three or four parts, a type has no such name, or
            ``misfits`` is another word.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: ``strict`` is set and a source is not there.
        DuplicateColumnError: Two mappings have the same target, a target is a value and a struct or, with ``reject``,
            ``_error``, or a source names several fields.
        ColumnTypeError: A source lies inside an array, or no value of its type could be cast to the new one; or there
            is a column ``_error`` of the user's own, with ``reject``.

    Example:
        >>> df = spark.sql("SELECT '7' AS id, named_struct('zip', '89073', 'city', 'Ulm') AS home")
        >>> mappings = [("id", "string", "key", "long"), ("home.city", "at.town"), ("home.zip", "at.zip", "int")]
        >>> df.transform(apply_mapping, mappings).collect()
        [Row(key=7, at=Row(town='Ulm', zip=89073))]

    Source:
        reference: Glue transforms, "ApplyMapping", "Case". Three parts, equal targets and null structs are our choice.
    """
    require_misfits(misfits, where="apply_mapping")
    schema = schema_of(df)
    mapped = read_mappings(schema, mappings, case_sensitive=case_sensitive, strict=strict)
    _refuse_equal_targets(mapped)
    if misfits == "reject":
        _refuse_error_column(mapped)

    def made(some: Sequence[Mapped]) -> DataFrame:
        fields = _fields(some, 0)
        if misfits == "reject":
            casts = [Cast(one.position, one.data_type, format_path(one.path)) for one in some if one.data_type]
            fields.append(error_of_misfits(schema, casts, where="apply_mapping"))
        return select(df, fields)

    if all(one.data_type is None for one in mapped):
        return made(mapped)
    return analysed_parts(
        made,
        mapped,
        df,
        where="apply_mapping",
        where_of=lambda one: f"apply_mapping, {one.text}",
    )


def _refuse_error_column(mapped: Sequence[Mapped]) -> None:
    for one in mapped:
        if one.target[0] == ERROR_COLUMN:
            raise DuplicateColumnError(
                f"apply_mapping, {one.text}: With `misfits: reject`, `{ERROR_COLUMN}` says why a row is rejected. Take"
                " another target."
            )


def _refuse_equal_targets(mapped: Sequence[Mapped]) -> None:
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


def _fields(mapped: Sequence[Mapped], depth: int) -> list[Named]:
    """Return the fields at this depth of the target."""
    groups: dict[str, list[Mapped]] = {}
    for one in mapped:
        groups.setdefault(one.target[depth], []).append(one)
    return [_field(name, group, depth) for name, group in groups.items()]


def _field(name: str, group: Sequence[Mapped], depth: int) -> Named:
    if len(group[0].target) == depth + 1:
        return group[0].source
    inside = _fields(group, depth + 1)
    above = [_struct_above(one, len(one.target) - depth - 1) for one in group]
    # A source that lies in no struct so far up is in the row, which is never null.
    return Named(name, struct_of(inside, unless_null=above if all(value.sql for value in above) else []), {})


def _struct_above(one: Mapped, levels: int) -> Value:
    return one.around[-levels] if levels <= len(one.around) else one.around[0]
