"""Texts at any depth, each changed by an SQL expression."""

from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, BinaryType, MapType, StringType, StructType, UserDefinedType, VariantType

from transforms.choices.refused import refuse_choice
from transforms.core.columns import schema_of
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.rebuild import Change, Scope, rebuild
from transforms.nested.values import Named, Value, each
from transforms.paths import format_path, parse_paths, position_of

_NO_TEXT = (StructType, MapType, BinaryType, VariantType, UserDefinedType)


def change_texts(df: DataFrame, paths: str | Sequence[str], change: Callable[[str], str], *, where: str) -> DataFrame:
    """Return the frame with every text that the paths name changed; null stays null. Lazy.

    A path enters arrays; of an array of texts each element is changed. What is no text is made one first.

    Args:
        df: Any frame.
        paths: The fields.
        change: From the SQL text of a value, not null, to that of the new value.
        where: Who changes, for the error's sentence.

    Raises:
        TransformError: There are no paths.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A field is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A field is a struct, a map or binary.
    """
    schema, changes = schema_of(df), {}
    for path in parse_paths(paths):
        try:
            position = position_of(schema, path, enters_arrays=True)
        except TransformError as error:
            raise type(error)(f"{where}: {error}") from None
        refuse_choice(schema, position, where=where)
        changes[position] = _changing(change, f"{where}: `{format_path(path)}`")
    if not changes:
        raise TransformError(f"{where} needs at least one column.")
    return rebuild(df, changes)


def _changing(change: Callable[[str], str], what: str) -> Change:
    def changed(field: Named, scope: Scope) -> list[Named]:
        return [field._replace(value=_changed(field.value, change, what))]

    return changed


def _changed(value: Value, change: Callable[[str], str], what: str) -> Value:
    if isinstance(value.data_type, ArrayType):
        return each(value, lambda element: _changed(element, change, what))
    if isinstance(value.data_type, _NO_TEXT):
        raise ColumnTypeError(
            f"{what} is of type {value.data_type.simpleString()}, which is no text. Name a field inside it, or cast it."
        )
    text = value.sql if isinstance(value.data_type, StringType) else f"CAST({value.sql} AS STRING)"
    new = f"CASE WHEN {value.sql} IS NOT NULL THEN {change(text)} END"
    return Value(new, StringType(), value.nullable, value.arrays, is_kept=False)
