"""Add fields, or change them, at any depth."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql.types import NullType, StructType

from transforms.core.columns import schema_of
from transforms.core.generators import one_value
from transforms.core.sql_errors import analysed_parts
from transforms.errors import ColumnTypeError, DuplicateColumnError, TransformError
from transforms.nested.bound_names import bind, names_in, structs_round
from transforms.nested.rebuild import Scope, rebuild
from transforms.nested.values import Named, Value, row_of
from transforms.paths import Path, Position, fields_of, find, format_path, parse_array_path, position_of, require


class _Edit(NamedTuple):
    path: Path
    struct: Position
    """Where the struct is that the field is in, or goes into."""
    field: Position | None
    """Where the field is, if it is there."""
    expression: str

    @property
    def where(self) -> str:
        return f"with_fields, `{format_path(self.path)}`"


def with_fields(df: DataFrame, fields: Mapping[str, str]) -> DataFrame:
    """Give fields a new value by SQL expressions, inside structs and arrays of structs too, or add new ones.

    Lazy. An expression is computed for each struct that the field is in. It names the fields of that struct; other
    names are those of the structs around it and at last the columns. ``_`` is the struct itself, and ``_row.name`` a
    column whose name a field further inside has too. All expressions see the values as they came in. A name in another
    case will do where it is the only one; a name with a dot or a space is written in back-ticks.

    Null structs, arrays and elements stay null: a field is not added to what is not there.

    Glue: none; DataFrame.withColumn does it for columns. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        fields: An expression for the path of each field: ``{"items[].total": "price * quantity"}``. The ``[]`` may be
            left out. What the path leads through must be there; case matters.

    Returns:
        The same fields in the same order; new ones behind the others of their struct.

    Raises:
        TransformError: An expression does not parse or cannot be used on a field of a row.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A struct that a path leads through is not there, or a name in an expression.
        DuplicateColumnError: A path names several fields, or a field inside another one that is changed too; or a name
            in an expression can mean several.
        ColumnTypeError: A path leads through what is no struct, or types in an expression do not fit.

    Example:
        >>> df = spark.sql("SELECT 2 AS rate, array(named_struct('price', 3, 'quantity', 4), null) AS items")
        >>> df.transform(with_fields, {"items[].total": "price * quantity * rate", "items[].price": "-price"}).collect()
        [Row(rate=2, items=[Row(price=-3, quantity=4, total=24), None])]
    """
    schema = schema_of(df)
    edits = [_edit(schema, text, expression) for text, expression in fields.items()]
    _refuse_overlaps(edits)
    return analysed_parts(
        partial(_edited, df),
        edits,
        df,
        where="with_fields",
        where_of=lambda edit: edit.where,
        names_of=lambda edit: names_in([row_of(schema), *structs_round(schema, edit.path)]),
        said_in=lambda edit: edit.expression,
    )


def _edit(schema: StructType, text: str, expression: str) -> _Edit:
    path, marks = parse_array_path(text)
    if marks:
        raise TransformError(f"with_fields, `{text}`: To change the elements of an array, use map_array.")
    struct = position_of(schema, path[:-1], enters_arrays=True) if path[1:] else ()
    around = fields_of(require(schema, path[:-1])) if path[1:] else schema
    if around is None:
        kind = require(schema, path[:-1]).simpleString()
        raise ColumnTypeError(
            f"with_fields, `{text}`: `{format_path(path[:-1])}` is of type {kind}, which has no fields."
        )
    is_there = find(schema, path) is not None
    return _Edit(path, struct, position_of(schema, path, enters_arrays=True) if is_there else None, expression)


def _refuse_overlaps(edits: list[_Edit]) -> None:
    paths: set[Path] = set()
    for edit in edits:
        if any(path[: len(edit.path)] == edit.path or edit.path[: len(path)] == path for path in paths):
            raise DuplicateColumnError(f"{edit.where} is changed twice, by itself and by what is around or inside it.")
        paths.add(edit.path)


def _edited(df: DataFrame, edits: Sequence[_Edit]) -> DataFrame:
    additions: dict[Position, list[partial[Named]]] = {}
    for edit in edits:
        if edit.field is None:
            additions.setdefault(edit.struct, []).append(partial(_added, edit))
    changes = {edit.field: partial(_changed, edit) for edit in edits if edit.field is not None}
    return rebuild(df, changes, additions)


def _changed(edit: _Edit, field: Named, scope: Scope) -> list[Named]:
    return [_added(edit, scope)]


def _added(edit: _Edit, scope: Scope) -> Named:
    sql = one_value(bind(edit.expression, scope, scope[-1], where=edit.where))
    return Named(edit.path[-1], Value(sql, NullType(), arrays=scope[-1].arrays, is_kept=False), {})
