"""Give fields at any depth another type."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, StructType

from transforms.choices.refused import refuse_choices_within
from transforms.core.columns import schema_of
from transforms.core.sql_errors import analysed_parts
from transforms.core.type_names import parse_type
from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError
from transforms.nested.misfits import Cast, Misfits, error_of_misfits, require_misfits
from transforms.nested.rebuild import Change, Scope, rebuild
from transforms.nested.values import Named, cast
from transforms.paths import Position, find, format_path, parse_array_path, position_of
from transforms.rejects import ERROR_COLUMN


def cast_fields(df: DataFrame, types: Mapping[str, str], *, misfits: Misfits = "null") -> DataFrame:
    """Cast fields, at the top or inside structs and arrays of structs; a value that does not fit becomes null.

    With ``misfits="reject"`` it rejects its row as well, with the code CAST: the row stays in the frame, with its error
    in ``_error``, the last column. A key of a map that does not fit is not looked for.

    Lazy. Nothing fails at a value. Null structs, arrays and elements stay null. Structs are cast field by field in
    their order, whatever the names.

    Glue: none; ResolveChoice's ``cast`` does it for one column. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        types: A type for the path of each field: ``{"items[].price": "double"}``. ``tags[]`` are the elements of an
            array ``tags``; other ``[]`` may be left out. Types have Glue's names or Spark's, nested ones Spark's:
            ``array<struct<a: int>>``.
        misfits: What becomes of a row with a value that does not fit: ``null`` keeps it, ``reject`` does not.

    Returns:
        The same fields in the same order, with ``reject`` then ``_error``. A field that is cast loses its metadata.

    Raises:
        TransformError: A type has no such name, or ``misfits`` is another word.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: There is no such field.
        DuplicateColumnError: A path names several fields, or a field inside another one that is cast too.
        ColumnTypeError: No value of the field's type could be cast to the new one.

    Example:
        >>> df = spark.sql("SELECT array(named_struct('price', '9.5'), named_struct('price', '?')) AS items")
        >>> df.transform(cast_fields, {"items[].price": "double"}).collect()
        [Row(items=[Row(price=9.5), Row(price=None)])]
    """
    require_misfits(misfits, where="cast_fields")
    schema = schema_of(df)
    changes: dict[Position, Change] = {}
    targets: dict[Position, DataType] = {}
    for text, type_text in types.items():
        position, target = _target(schema, text, type_text)
        if any(place[: len(position)] == position or position[: len(place)] == place for place in changes):
            raise DuplicateColumnError(
                f"cast_fields casts `{text}` twice, by itself and by what is around or inside it."
            )
        changes[position], targets[position] = _cast_to(target), target
    texts = dict(zip(changes, types, strict=True))

    def made(positions: Sequence[Position]) -> DataFrame:
        casts = {place: changes[place] for place in positions}
        if misfits == "null":
            return rebuild(df, casts)
        asked = [Cast(place, targets[place], texts[place]) for place in positions]
        error = error_of_misfits(schema, asked, where="cast_fields")
        earlier = {(at,): _dropped for at, name in enumerate(schema.names) if name == ERROR_COLUMN}
        return rebuild(df, casts | earlier, {(): [lambda row: error]})

    return analysed_parts(
        made,
        list(changes),
        df,
        where="cast_fields",
        where_of=lambda position: f"cast_fields, `{texts[position]}`",
    )


def _target(schema: StructType, text: str, type_text: str) -> tuple[Position, DataType]:
    path, marks = parse_array_path(text)
    position = position_of(schema, path, enters_arrays=True)
    refuse_choices_within(schema, position, where=f"cast_fields, `{text}`")
    try:
        wanted = parse_type(type_text)
    except TransformError as error:
        raise TransformError(f"cast_fields, `{text}`: {error}") from None
    inner: DataType | None = find(schema, path)
    for _ in range(marks):
        if not isinstance(inner, ArrayType):
            raise ColumnTypeError(
                f"cast_fields: `{format_path(path)}` is no array of {marks} levels, as `{text}` has it."
            )
        inner, wanted = inner.elementType, ArrayType(wanted)
    return position, wanted


def _cast_to(target: DataType) -> Change:
    def change(field: Named, scope: Scope) -> list[Named]:
        value = cast(field.value, target)
        return [field if value is field.value else Named(field.name, value, {})]

    return change


def _dropped(field: Named, scope: Scope) -> list[Named]:
    return []
