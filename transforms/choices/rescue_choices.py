"""What fits the most frequent type of each choice in its column, and the rest beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, MapType, StringType, StructType

from transforms.choices.bare_choices import holds_choice, variant_of
from transforms.choices.change_choices import change_choices
from transforms.choices.choice import ChoiceType, marked, path_name, to_choices
from transforms.choices.count_choices import Conflict
from transforms.choices.same_value import same_value
from transforms.core.columns import schema_of
from transforms.errors import DuplicateColumnError
from transforms.nested.rebuild import select
from transforms.nested.values import (
    Named,
    Value,
    element_of,
    member,
    members,
    row_of,
    text_literal,
)
from transforms.rejects import ERROR_COLUMN

RESCUED_COLUMN = "_rescued_data"

FILE_KEY = "_file_path"
"""Beside the paths, where the row is from; Databricks calls it so."""

_ENTRIES = "array<struct<key: string, value: variant>>"


def rescue_choices(df: DataFrame, conflicts: Sequence[Conflict], *, file_path: str | None = None) -> DataFrame:
    """Keep in each choice what fits its most frequent type; what does not goes to a column of its own. Lazy.

    What fits are values of the type, and numbers and times that are the same as values of it: an int 2 among doubles is
    2.0 there. The column of the others, ``_rescued_data``, is null where all fits. Else it is a JSON text with an
    object that has a value for each path, and maybe the file:
    ``{"items[1].price": "free", "_file_path": "/raw/orders.json"}``. No value is lost.

    Glue: none. Cost: lazy, no pass beside the one that counted.

    Args:
        df: A frame with choices.
        conflicts: What `count_choices` counted in it.
        file_path: SQL for the path of the file that a row is from; it is left out where a column has its name.

    Returns:
        The same columns, and behind them ``_rescued_data``; ``_error`` stays the last.

    Raises:
        DuplicateColumnError: There is a column ``_rescued_data``.
    """
    if RESCUED_COLUMN in map(str.lower, df.columns):
        raise DuplicateColumnError(f"There is a column `{RESCUED_COLUMN}` already; what is rescued needs that name.")
    winners = {conflict.path: conflict.most_frequent for conflict in conflicts}
    columns, entries = [], []
    for name, value, metadata in members(row_of(to_choices(schema_of(df)))):
        path = path_name(name)
        columns.append(marked(name, _kept(value, path, winners), metadata))
        if holds_choice(value.data_type):
            entries.append(_entries(value, path, text_literal(path), winners))
    found = told = _joined(entries)
    if file_path is not None and FILE_KEY not in df.columns:
        told = f"concat({found}, array(struct('{FILE_KEY}' AS key, CAST({file_path} AS VARIANT) AS value)))"
    rescued = Value(f"CASE WHEN size({found}) > 0 THEN to_json(map_from_entries({told})) END", StringType())
    columns.append(Named(RESCUED_COLUMN, replace(rescued, is_kept=False), {}))
    return select(df, sorted(columns, key=lambda column: column.name == ERROR_COLUMN))


def _kept(value: Value, path: str, winners: Mapping[str, str]) -> Value:
    """Return a value with, in place of each choice, what fits the most frequent of its types."""

    def keep(choice: Value, at: str) -> Value:
        winner = winners[at]
        found = {name: inner for name, inner, _ in members(choice)}
        kept = change_choices(found.pop(winner), f"{at}.{winner}", keep)
        others = [other for inner in found.values() if (other := same_value(inner, kept.data_type))]
        sql = f"coalesce({', '.join([kept.sql, *others])})" if others else kept.sql
        return replace(kept, sql=sql, is_kept=False)

    return change_choices(value, path, keep)


def _entries(value: Value, at: str, path: str, winners: Mapping[str, str]) -> str:
    """Return, as SQL, what does not fit of a value, with its paths.

    Args:
        value: The value.
        at: Its path as `choices_in` has it.
        path: Its path in the row at hand, with positions and keys, as SQL.
        winners: The type to keep of the choice at each path.
    """
    data_type = value.data_type
    parts: list[str] = []
    if isinstance(data_type, ChoiceType):
        winner = data_type[winners[at]].dataType
        for name, inner, _ in members(value):
            if name != winners[at]:
                pair = f"struct({path} AS key, {variant_of(inner).sql} AS value)"
                same = same_value(inner, winner)
                is_left = f"{inner.sql} IS NOT NULL" + (f" AND {same} IS NULL" if same else "")
                parts.append(f"array_compact(array(CASE WHEN {is_left} THEN {pair} END))")
            elif holds_choice(inner.data_type):
                parts.append(_entries(inner, f"{at}.{name}", path, winners))
    elif isinstance(data_type, StructType):
        for name, inner, _ in members(value):
            if holds_choice(inner.data_type):
                step = f".{path_name(name)}"
                parts.append(_entries(inner, at + step, f"concat({path}, {text_literal(step)})", winners))
    elif isinstance(data_type, ArrayType):
        element, number = element_of(value), f"__n{value.arrays}"
        inside = f"concat({path}, '[', CAST({number} AS STRING), ']')"
        found = _entries(element, f"{at}[]", inside, winners)
        parts.append(f"flatten(transform({value.sql}, ({element.sql}, {number}) -> {found}))")
    elif isinstance(data_type, MapType):
        entry = element_of(replace(value, data_type=ArrayType(StructType().add("value", data_type.valueType))))
        inside = f"concat({path}, '{{', CAST({entry.sql}.key AS STRING), '}}')"
        found = _entries(member(entry, 0), f"{at}{{}}", inside, winners)
        parts.append(f"flatten(transform(map_entries({value.sql}), {entry.sql} -> {found}))")
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    none = f"CAST(array() AS {_ENTRIES})"
    return f"concat({', '.join([none, *(f'coalesce({part}, {none})' for part in parts)])})"
