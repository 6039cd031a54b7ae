"""Typed columns out of texts, such as the cells of CSV files, where cells of one column may be of several types."""

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField

from transforms.choices.choice import ChoiceType, named, path_name
from transforms.choices.count_choices import Conflict, TypeCount
from transforms.choices.settle_choices import OnConflict, Settled, settle_choices
from transforms.choices.widened import widened
from transforms.core.columns import by_position
from transforms.core.type_names import parse_type, type_name
from transforms.rejects import ERROR_COLUMN, accepted

_NUMBERS = ("int", "bigint", "decimal(38,0)", "double")
"""Kinds of numbers, each of which takes the texts of those before it: texts do not say which one they mean."""

Kind = Callable[[Column], Column]
"""Returns the name of the narrowest Spark type that a text is."""

Cast = Callable[[Column, str], Column]
"""Returns a text as a type, by its name; null where it is none."""

_Kinds = Mapping[str, tuple[int, str]]
"""By kind, how often it occurs, and an example."""


def typed_texts(df: DataFrame, kind: Kind, cast: Cast, conflicts: OnConflict) -> Settled:
    """Return columns of texts as what the texts are; numbers of one column are of the widest of their types.

    Starts one Spark job that looks at every text. The frame is lazy.

    Args:
        df: Texts; maybe behind them ``_error``.
        kind: Tells the type of a text.
        cast: Makes the type of a text.
        conflicts: What to do where texts of one column have several types.

    Raises:
        ConflictError: There is a conflict, and ``conflicts`` is ``fail``.
    """
    names = [name for name in df.columns if name != ERROR_COLUMN]
    found = _look(accepted(df), kind)
    kinds = [_groups(found.get(position, {})) for position in range(len(names))]
    counted = [_conflict(name, groups) for name, groups in zip(names, kinds, strict=True) if len(groups) > 1]
    columns = []
    for position, (name, groups) in enumerate(zip(names, kinds, strict=True)):
        text = F.col(f"c{position}")
        column = _column(text, groups, kind, cast, conflicts)
        is_choice = len(groups) > 1 and conflicts not in ("string", "widest")
        columns.append(named(column, StructField(name, _choice(groups))) if is_choice else column.alias(name))
    rest = [F.col(f"c{len(names)}").alias(ERROR_COLUMN)] if ERROR_COLUMN in df.columns else []
    typed = by_position(df).select(*columns, *rest)
    if conflicts in ("string", "widest"):
        return Settled(typed, counted)
    return Settled(settle_choices(typed, counted, conflicts), counted)


def _look(df: DataFrame, kind: Kind) -> dict[int, dict[str, tuple[int, str]]]:
    rows = by_position(df)
    texts = rows.select(F.posexplode(F.array(*rows.columns)).alias("column", "text")).where("text IS NOT NULL")
    kinds = texts.groupBy("column", kind(F.col("text")).alias("kind"))
    found: dict[int, dict[str, tuple[int, str]]] = {}
    for column, name, count, example in kinds.agg(F.count(F.lit(1)), F.any_value("text")).collect():
        found.setdefault(column, {})[name] = (count, example)
    return found


def _groups(kinds: _Kinds) -> dict[str, tuple[Sequence[str], int, str]]:
    """Return, by the type that it gets, the kinds of each group of texts, how many there are, and an example."""
    numbers = [name for name in _NUMBERS if name in kinds]
    groups: dict[str, tuple[Sequence[str], int, str]] = {}
    if numbers:
        groups[numbers[-1]] = (numbers, sum(kinds[name][0] for name in numbers), kinds[numbers[-1]][1])
    groups |= {name: ([name], *kinds[name]) for name in kinds if name not in numbers}
    return dict(sorted(groups.items(), key=lambda item: type_name(parse_type(item[0]))))


def _choice(groups: Mapping[str, object]) -> ChoiceType:
    return ChoiceType.of([parse_type(name) for name in groups])


def _column(
    text: Column, groups: Mapping[str, tuple[Sequence[str], int, str]], kind: Kind, cast: Cast, conflicts: OnConflict
) -> Column:
    if not groups:
        return text
    if len(groups) == 1:
        return cast(text, next(iter(groups)))
    if conflicts == "string":
        return text
    choice = _choice(groups)
    if conflicts == "widest":
        return cast(text, widened(choice).simpleString())
    its_kind = kind(text)
    members = [
        named(F.when(its_kind.isin(list(kinds)), cast(text, name)), field)
        for (name, (kinds, _, _)), field in zip(groups.items(), choice.fields, strict=True)
    ]
    return F.when(text.isNotNull(), F.struct(*members))


def _conflict(name: str, groups: Mapping[str, tuple[Sequence[str], int, str]]) -> Conflict:
    types = [TypeCount(type_name(parse_type(kind)), count, example) for kind, (_, count, example) in groups.items()]
    return Conflict(path_name(name), tuple(types))
