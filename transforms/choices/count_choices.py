"""How often each type of a choice occurs, with an example."""

from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.choices.bare_choices import holds_choice, variant_of
from transforms.choices.choice import ChoiceType, choices_in, to_choices
from transforms.choices.gather import gather, pair
from transforms.core.columns import schema_of
from transforms.nested.values import Value, members

_LONGEST_EXAMPLE = 60


class TypeCount(NamedTuple):
    """One of the types of a choice."""

    type: str
    times: int
    example: str
    """One of its values, as JSON."""


class Conflict(NamedTuple):
    """A place whose values have several types."""

    path: str
    types: tuple[TypeCount, ...]

    def __str__(self) -> str:
        told = (
            f"{found.type} {found.times:,} times" + (f", such as {_cut(found.example)}" if found.times else "")
            for found in self.types
        )
        return f"`{self.path}`: {'; '.join(told)}"

    @property
    def most_frequent(self) -> str:
        """The type that most values have; of equals the first."""
        return max(self.types, key=lambda found: found.times).type


def count_choices(df: DataFrame) -> list[Conflict]:
    """Return for each choice of a frame how often each of its types occurs, and an example.

    Starts one Spark job that reads the columns with choices; none where there is no choice.

    Glue: none. Cost: one pass over the columns with choices.

    Example:
        >>> from pyspark.sql.types import IntegerType, StringType, StructType
        >>> from transforms.choices.choice import to_marks
        >>> schema = to_marks(StructType().add("a", ChoiceType.of([IntegerType(), StringType()])))
        >>> df = spark.createDataFrame([((1, None),), ((None, "x"),), ((2, None),)], schema)
        >>> [conflict] = count_choices(df)
        >>> conflict.path, conflict.most_frequent, conflict.types[1]
        ('a', 'int', TypeCount(type='string', times=1, example='"x"'))
    """
    places: list[str] = []

    def pick(value: Value) -> list[str]:
        if not isinstance(value.data_type, ChoiceType):
            return []
        pairs = []
        for name, alternative, _ in members(value):
            made = pair(len(places), variant_of(alternative))
            pairs.append(f"CASE WHEN {alternative.sql} IS NOT NULL THEN {made} END")
            places.append(name)
        return pairs

    schema = schema_of(df)
    found = choices_in(schema)
    if not found:
        return []
    values = gather(df, to_choices(schema), pick, holds_choice)
    counts = values.groupBy("place").agg(F.count(F.lit(1)), F.to_json(F.any_value("value", ignoreNulls=True)))
    return _conflicts(
        [(path, choice.names) for path, choice in found], {row[0]: tuple(row)[1:] for row in counts.collect()}
    )


def format_conflicts(conflicts: Sequence[Conflict]) -> str:
    """Return a line for each place with values of several types: the types, how often, and an example each."""
    return "\n".join(map(str, conflicts))


def _conflicts(paths: Sequence[tuple[str, list[str]]], counts: dict[int, tuple[int, str]]) -> list[Conflict]:
    conflicts, place = [], 0
    for path, names in paths:
        types = []
        for name in names:
            types.append(TypeCount(name, *counts.get(place, (0, ""))))
            place += 1
        conflicts.append(Conflict(path, tuple(types)))
    return conflicts


def _cut(text: str) -> str:
    text = text.replace("\n", "\\n")
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"
