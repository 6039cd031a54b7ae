"""Choices of which some types have no value: an empty column of another type is no conflict."""

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import DataFrame

from transforms.choices.change_choices import change_choices
from transforms.choices.choice import choice_of, choices_in, marked, path_name, to_choices
from transforms.choices.count_choices import Conflict
from transforms.core.columns import schema_of
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, member, members, row_of


def seen_types(df: DataFrame, counted: Sequence[Conflict]) -> tuple[DataFrame, list[Conflict]]:
    """Return a frame whose choices are between types that some value has, and what is in conflict still. Lazy.

    A choice of which one type is left becomes a field of that type; where no type has a value, of the first.

    Args:
        df: A frame with choices.
        counted: What `count_choices` counted in it.
    """
    if all(found.times for conflict in counted for found in conflict.types):
        return df, list(counted)
    seen = {conflict.path: [found for found in conflict.types if found.times] for conflict in counted}

    def narrowed(value: Value, path: str) -> Value:
        names = value.data_type.names  # type: ignore[attr-defined]  # a choice is a struct
        kept = [found.type for found in seen[path]] or names[:1]
        inner = [
            Named(name, change_choices(member(value, names.index(name)), f"{path}.{name}", narrowed), {})
            for name in kept
        ]
        return choice_of(inner, unless_null=value) if len(inner) > 1 else replace(inner[0].value, is_kept=False)

    columns = [
        marked(name, change_choices(value, path_name(name), narrowed), metadata)
        for name, value, metadata in members(row_of(to_choices(schema_of(df))))
    ]
    left = select(df, columns)
    # Both are in the order of the schema; a path is shorter where a choice above it is none any more.
    several = [tuple(types) for types in seen.values() if len(types) > 1]
    return left, [Conflict(path, types) for (path, _), types in zip(choices_in(schema_of(left)), several, strict=True)]
