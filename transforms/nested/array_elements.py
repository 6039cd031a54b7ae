"""What `map_array` and `filter_array` share: an array at any depth and an expression about its elements."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, NullType

from transforms.choices.choice import mark_of
from transforms.core.columns import schema_of
from transforms.core.sql_errors import analysed
from transforms.errors import ColumnTypeError
from transforms.nested.bound_names import ITSELF, bind, names_in, structs_round
from transforms.nested.rebuild import Scope, rebuild
from transforms.nested.values import Named, Value, each, element_of, row_of
from transforms.paths import find, format_path, parse_array_path, position_of


def edit_array(
    df: DataFrame,
    text: str,
    expression: str,
    edit: Callable[[Value, str], Value],
    *,
    where: str,
    elements: DataType | None = None,
) -> DataFrame:
    """Return the frame with an array changed.

    Args:
        df: Any frame.
        text: The path of the array; ``[]`` behind it opens an array of arrays.
        expression: SQL about an element.
        edit: Makes the new array from the old and the bound expression, in which the element is a lambda's variable.
        where: What holds the expression, for the error's sentence.
        elements: The type of the new elements as `to_choices` has it, for the field's mark; by default the mark stays.

    Raises:
        TransformError: As `map_array` and `filter_array` tell.
    """
    schema, (path, marks) = schema_of(df), parse_array_path(text)
    position = position_of(schema, path, enters_arrays=True)
    data_type = _array_type(find(schema, path), path, marks, where)

    def edited(array: Value, scope: Scope, levels: int) -> Value:
        if levels:
            return each(array, lambda inner: edited(inner, scope, levels - 1))
        element = element_of(array)
        return edit(array, bind(expression, [*scope, element], element, where=where))

    mark = {} if elements is None else mark_of(reduce(lambda inner, _: ArrayType(inner), range(marks + 1), elements))

    def change(field: Named, scope: Scope) -> list[Named]:
        return [Named(field.name, edited(field.value, scope, marks), field.metadata | mark)]

    known = [row_of(schema), *structs_round(schema, path), Value("", data_type.elementType)]
    names = [*names_in(known), ITSELF]
    return analysed(lambda: rebuild(df, {position: change}), df, where=where, names=names, said=expression)


def with_each(array: Value, bound: str) -> Value:
    """Return the array with the value of a bound expression in the stead of each element."""
    return each(array, lambda element: replace(element, sql=bound, data_type=NullType(), nullable=True, is_kept=False))


def elements_at(df: DataFrame, text: str) -> DataType:
    """Return the type of the elements of the array at a path, which is there."""
    path, marks = parse_array_path(text)
    return _array_type(find(schema_of(df), path), path, marks, "").elementType


def _array_type(found: DataType | None, path: tuple[str, ...], marks: int, where: str) -> ArrayType:
    inner = found
    for level in range(marks + 1):
        if not isinstance(inner, ArrayType):
            kind = inner.simpleString() if inner is not None else "?"
            raise ColumnTypeError(f"{where}: `{format_path(path)}{'[]' * level}` is of type {kind}, not an array.")
        array, inner = inner, inner.elementType
    return array
