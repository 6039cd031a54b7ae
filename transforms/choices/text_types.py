"""Typed columns out of texts, such as the cells of CSV files, where cells of one column may be of several types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from transforms.choices.choice import ChoiceType, choice_of, marked, path_name
from transforms.choices.count_choices import Conflict, TypeCount
from transforms.choices.settle_choices import OnConflict, Settled, settle_choices
from transforms.choices.widened import widened
from transforms.core.columns import by_position, schema_of
from transforms.core.type_names import parse_type, type_name
from transforms.nested.rebuild import select
from transforms.nested.values import Named, Value, members, row_of, struct_of, text_literal
from transforms.rejects import ERROR_COLUMN, accepted

_NUMBERS = ("int", "bigint", "decimal(38,0)", "double")
"""Kinds of numbers, each of which takes the texts of those before it: texts do not say which one they mean. The last
takes whole numbers only where it keeps all their digits."""

_TIMES = ("date", "timestamp")

_IS_EXACT = "coalesce(try_cast(try_cast(text AS double) AS decimal(38,0)) = try_cast(text AS decimal(38,0)), true)"
"""Whether a text, if it is a whole number, is the same as a double."""

Kind = Callable[[str], str]
"""Returns, as SQL, the name of the narrowest Spark type that a text, as SQL, is."""

Cast = Callable[[str, str], str]
"""Returns, as SQL, a text as a type, by its name; null where it is none."""

_Kinds = Mapping[str, tuple[int, str, bool]]
"""By kind, how often it occurs, an example, and whether doubles keep all digits of such whole numbers."""

_Groups = Mapping[str, tuple[Sequence[str], int, str]]
"""By the type that a group of texts gets, their kinds, how many there are, and an example."""


def typed_texts(
    df: DataFrame,
    kind: Kind,
    cast: Cast,
    conflicts: OnConflict,
    *,
    some: DataFrame | None = None,
    file_path: str | None = None,
) -> Settled:
    """Return columns of texts as what the texts are; numbers of one column are of the widest of their types.

    Starts one Spark job that looks at every text of the rows of which types are found. The frame is lazy.

    Args:
        df: Texts; maybe behind them ``_error``.
        kind: Tells the type of a text.
        cast: Makes the type of a text.
        conflicts: What to do where texts of one column have several types.
        some: Those rows of ``df`` of which types are found; None where these are all. A row with a text of a type
            that only others have is rejected then.
        file_path: For `rescue_choices`.

    Raises:
        ConflictError: There is a conflict, and ``conflicts`` is ``fail``.
    """
    names = [name for name in df.columns if name != ERROR_COLUMN]
    found = _look(accepted(df if some is None else some), kind)
    kinds = [_groups(found.get(position, {})) for position in range(len(names))]
    counted = [_conflict(name, groups) for name, groups in zip(names, kinds, strict=True) if len(groups) > 1]
    cells = members(row_of(schema_of(df)))
    columns = [
        marked(text.name, _value(text.value, groups, kind, cast, conflicts), {})
        for text, groups in zip(cells[: len(names)], kinds, strict=True)
    ]
    errors = cells[len(names) :]
    if some is not None:
        errors = [_or_stray(error, cells, kinds, kind, conflicts) for error in errors]
    typed = select(df, [*columns, *errors])
    if conflicts in ("string", "widest"):
        return Settled(typed, counted)
    return Settled(settle_choices(typed, counted, conflicts, file_path=file_path), counted)


def _look(df: DataFrame, kind: Kind) -> dict[int, dict[str, tuple[int, str, bool]]]:
    rows = by_position(df)
    texts = rows.select(F.posexplode(F.array(*rows.columns)).alias("column", "text")).where("text IS NOT NULL")
    kinds = texts.groupBy("column", F.expr(kind("text")).alias("kind"))
    found: dict[int, dict[str, tuple[int, str, bool]]] = {}
    told = kinds.agg(F.count(F.lit(1)), F.any_value("text"), F.bool_and(F.expr(_IS_EXACT)))
    for column, name, *of_kind in told.collect():
        found.setdefault(column, {})[name] = tuple(of_kind)
    return found


def _groups(kinds: _Kinds) -> _Groups:
    numbers = [name for name in _NUMBERS if name in kinds]
    whole = [name for name in numbers if name != "double"]
    together = [numbers] if all(kinds[name][2] for name in whole) else [whole, numbers[len(whole) :]]
    groups: dict[str, tuple[Sequence[str], int, str]] = {}
    for names in filter(None, [*together, *([name] for name in kinds if name not in numbers)]):
        groups[names[-1]] = (names, sum(kinds[name][0] for name in names), kinds[names[-1]][1])
    return dict(sorted(groups.items(), key=lambda item: type_name(parse_type(item[0]))))


def _value(text: Value, groups: _Groups, kind: Kind, cast: Cast, conflicts: OnConflict) -> Value:
    if not groups or (len(groups) > 1 and conflicts == "string"):
        return text
    if len(groups) == 1:
        return _cast(text, next(iter(groups)), cast)
    types = [parse_type(name) for name in groups]
    if conflicts == "widest":
        return _widest(text, groups, widened(ChoiceType.of(types)).simpleString(), kind, cast)
    fields = []
    for (name, (kinds, _, _)), data_type in zip(groups.items(), types, strict=True):
        among = ", ".join(f"'{kind_}'" for kind_ in kinds)
        member = _cast(text, name, cast)
        member = replace(member, sql=f"CASE WHEN {kind(text.sql)} IN ({among}) THEN {member.sql} END")
        fields.append(Named(type_name(data_type), member, {}))
    return choice_of(fields, unless_null=text)


def _widest(text: Value, groups: _Groups, widest: str, kind: Kind, cast: Cast) -> Value:
    """Return texts as the widest of their types; times as what each is, for a user may have given each a format."""
    whole = _cast(text, widest, cast)
    times = [name for name in groups if name in _TIMES and name != widest]
    if widest not in _TIMES or not times:
        return whole
    own = " ".join(f"WHEN '{name}' THEN CAST({cast(text.sql, name)} AS {widest})" for name in times)
    return replace(whole, sql=f"CASE {kind(text.sql)} {own} ELSE {whole.sql} END")


def _cast(text: Value, name: str, cast: Cast) -> Value:
    return Value(cast(text.sql, name), parse_type(name), is_kept=False)


def _or_stray(
    error: Named, cells: Sequence[Named], kinds: Sequence[_Groups], kind: Kind, conflicts: OnConflict
) -> Named:
    """Return the error of a row, which may be that a text is of none of the types of its column."""
    told = []
    for text, groups in zip(cells, kinds, strict=False):
        if fitting := _fitting(groups, conflicts):
            among = ", ".join(f"'{name}'" for name in fitting)
            said = text_literal(f"`{text.name}` is of none of the types that were found there: ")
            told.append(f"CASE WHEN {kind(text.value.sql)} NOT IN ({among}) THEN concat({said}, {text.value.sql}) END")
    if not told:
        return error
    texts = struct_of([cell for cell in cells if cell is not error])
    stray = f"nullif(concat_ws('; ', {', '.join(told)}), '')"
    made = f"named_struct('code', 'CAST', 'message', {stray}, 'record', to_json({texts.sql}))"
    sql = f"CASE WHEN {error.value.sql} IS NOT NULL THEN {error.value.sql} WHEN {stray} IS NOT NULL THEN {made} END"
    return error._replace(value=replace(error.value, sql=sql, is_kept=False))


def _fitting(groups: _Groups, conflicts: OnConflict) -> list[str]:
    """Return the kinds of texts that a column takes; none where it takes all."""
    types = [parse_type(name) for name in groups]
    if conflicts == "widest" and len(types) > 1:
        types = [widened(ChoiceType.of(types))]
    if not types or types == [StringType()] or (conflicts == "string" and len(types) > 1):
        return []
    kinds = [name for names, _, _ in groups.values() for name in names]
    # Of several groups each takes what was found; one alone also takes all narrower numbers.
    return list(_NUMBERS[: _NUMBERS.index(kinds[-1]) + 1]) if kinds[-1] in _NUMBERS and len(groups) == 1 else kinds


def _conflict(name: str, groups: _Groups) -> Conflict:
    types = [TypeCount(type_name(parse_type(kind)), count, example) for kind, (_, count, example) in groups.items()]
    return Conflict(path_name(name), tuple(types))
