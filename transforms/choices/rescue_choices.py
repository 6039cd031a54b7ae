"""The most frequent type of each choice in its column, and the rest beside it."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.choices.bare_choices import holds_choice, variant_of
from transforms.choices.choice import ChoiceType, members_of, path_name, to_choices
from transforms.choices.count_choices import Conflict
from transforms.core.columns import by_position
from transforms.errors import DuplicateColumnError
from transforms.rejects import ERROR_COLUMN
from transforms.resolve_choice import resolve_choice

RESCUED_COLUMN = "_rescued_data"

_ENTRIES = "array<struct<key: string, value: variant>>"


def rescue_choices(df: DataFrame, conflicts: Sequence[Conflict]) -> DataFrame:
    """Keep in each choice the values of its most frequent type; what does not fit goes to a column of its own. Lazy.

    That column, ``_rescued_data``, is null where all fits. Else it is a JSON text with an object that has a value for
    each path: ``{"items[1].price": "free"}``. No value is lost.

    Glue: none. Cost: lazy, no pass beside the one that counted.

    Args:
        df: A frame with choices.
        conflicts: What `count_choices` counted in it.

    Returns:
        The same columns, and behind them ``_rescued_data``; ``_error`` stays the last.

    Raises:
        DuplicateColumnError: There is a column ``_rescued_data``.
    """
    if RESCUED_COLUMN in map(str.lower, df.columns):
        raise DuplicateColumnError(f"There is a column `{RESCUED_COLUMN}` already; what is rescued needs that name.")
    winners = {conflict.path: conflict.most_frequent for conflict in conflicts}
    schema = to_choices(df.schema)
    entries = [
        _entries(F.col(f"c{position}"), field.dataType, path_name(field.name), F.lit(path_name(field.name)), winners)
        for position, field in enumerate(schema.fields)
        if holds_choice(field.dataType)
    ]
    none = F.array().cast(_ENTRIES)
    all_entries = F.concat(none, *entries)
    rescued = F.when(F.size(all_entries) > 0, F.to_json(F.map_from_entries(all_entries)))
    rows = by_position(df).select("*", rescued.alias(RESCUED_COLUMN))
    named = rows.toDF(*df.columns, RESCUED_COLUMN)
    kept = resolve_choice(named, [(path, f"project:{name}") for path, name in winners.items()]) if winners else named
    if ERROR_COLUMN not in df.columns:
        return kept
    at = df.columns.index(ERROR_COLUMN)
    order = [*(number for number in range(len(kept.columns)) if number != at), at]
    return by_position(kept).select(*(f"c{number}" for number in order)).toDF(*(kept.columns[n] for n in order))


def _entries(column: Column, data_type: DataType, at: str, path: Column, winners: Mapping[str, str]) -> Column:
    """Return the values of a column that do not fit, with their paths.

    Args:
        column: The column.
        data_type: Its type.
        at: Its path as `choices_in` has it.
        path: Its path in the row at hand, with positions and keys.
        winners: The type to keep of the choice at each path.
    """
    parts: list[Column] = []
    if isinstance(data_type, ChoiceType):
        for member, field in zip(members_of(column, data_type), data_type.fields, strict=True):
            if field.name != winners[at]:
                value = variant_of(member, field.dataType)
                pair = F.struct(path.alias("key"), value.alias("value"))
                parts.append(F.array_compact(F.array(F.when(member.isNotNull(), pair))))
            elif holds_choice(field.dataType):
                parts.append(_entries(member, field.dataType, f"{at}.{field.name}", path, winners))
    elif isinstance(data_type, StructType):
        for member, field in zip(members_of(column, data_type), data_type.fields, strict=True):
            if holds_choice(field.dataType):
                name = path_name(field.name)
                inner_path = F.concat(path, F.lit(f".{name}"))
                parts.append(_entries(member, field.dataType, f"{at}.{name}", inner_path, winners))
    elif isinstance(data_type, ArrayType):
        inner = data_type.elementType
        parts.append(
            F.flatten(
                F.transform(
                    column,
                    lambda element, number: _entries(
                        element,
                        inner,
                        f"{at}[]",
                        F.concat(path, F.lit("["), number.cast("string"), F.lit("]")),
                        winners,
                    ),
                )
            )
        )
    elif isinstance(data_type, MapType):
        value_type = data_type.valueType
        parts.append(
            F.flatten(
                F.transform(
                    F.map_entries(column),
                    lambda entry: _entries(
                        entry.getField("value"),
                        value_type,
                        f"{at}{{}}",
                        F.concat(path, F.lit("{"), entry.getField("key").cast("string"), F.lit("}")),
                        winners,
                    ),
                )
            )
        )
    none = F.array().cast(_ENTRIES)
    return F.concat(none, *(F.coalesce(part, none) for part in parts))
