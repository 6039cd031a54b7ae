"""Rules on a job's tables: kept or broken, counted in the pass that computes the table for another reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b
from typing import Any, Literal

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from birchtar.lake.observed import observed
from birchtar.lake.rejects import literal, quoted
from birchtar.runner.failures import JobError
from birchtar.runner.hidden import HIDDEN, Paths, covers, hide_example
from birchtar.runner.problems import Place
from birchtar.runner.report import RuleReport
from transforms.core.columns import unused_name
from transforms.nested.json_text import WHOLE_RECORD
from transforms.rejects import ERROR_COLUMN

RULES = {
    "between": "transforms.rules.row_rules:between",
    "expression": "transforms.rules.row_rules:fulfils",
    "foreign_key": "transforms.rules.key_rules:foreign_key",
    "freshness": "transforms.rules.table_rules:freshness",
    "in": "transforms.rules.row_rules:is_in",
    "matches": "transforms.rules.row_rules:matches",
    "not_null": "transforms.rules.row_rules:not_null",
    "row_count": "transforms.rules.table_rules:row_count",
    "unique": "transforms.rules.key_rules:unique",
}
"""What a rule may be called; another is the user's own, as ``package.module:function``, which gets the frame and
returns a Column that is true for a good row."""

ON_TABLES = ("freshness", "row_count")
"""Rules that no single row breaks."""

_COLUMNS = ("column", "columns")
"""Arguments that go without saying."""

_NUMBERS = "numbers"

_LONGEST = 120
"""Characters of a name that was not given: it stands in every row that the rule rejects, and in messages."""

_TOGETHER = 10
"""Rules whose verdicts make one number. A histogram of doubles with a place for each of the 1,024 counts exactly: of
too many bins it puts the closest together, which are those of one number, and moves these by rounding alone."""

ACTIONS = ("fail", "reject", "warn")
Action = Literal["fail", "reject", "warn"]
CODE = "RULE"


@dataclass(frozen=True)
class PlannedRule:
    """A rule of a table, ready to be asked."""

    name: str
    kind: str
    action: Action
    function: Any
    arguments: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class CheckedTable:
    """A table with rules, and what will be known of them when the table was computed."""

    table: str
    rules: Sequence[PlannedRule]
    marked: DataFrame
    """All rows, with the columns of ``masks``, and ``_error`` where a rule may reject."""
    masks: Sequence[str]
    """Columns of numbers, in which each rule has a bit that is set where a row breaks it."""
    numbers: Column
    """A struct of aggregates of the marked rows, to be observed by ``counted``."""
    counted: Observation
    hidden: Paths = frozenset()
    """Fields whose values no message may show."""


def rule_name(kind: str, said: Any) -> str:
    """Return the name of a rule that was given none; of a long one the beginning, and a digest of the whole.

    Example:
        >>> rule_name("not_null", ["carrier", "flight"]), rule_name("between", {"column": "age", "lowest": 0})
        ('not_null carrier, flight', 'between age, lowest: 0')
        >>> name = rule_name("in", {"column": "id", "values": list(range(1000))})
        >>> len(name), name[:27], name[-9:]
        (120, 'in id, values: 0, 1, 2, 3, ', ' 03bea87a')
    """
    if isinstance(said, Mapping):
        parts = [_words(value) if key in _COLUMNS else f"{key}: {_words(value)}" for key, value in said.items()]
    else:
        parts = [_words(said)]
    name = f"{kind} {', '.join(parts)}".strip()
    if len(name) <= _LONGEST:
        return name
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: _LONGEST - len(digest) - 2]}… {digest}"


def _words(said: Any) -> str:
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said)


def checked(
    table: str,
    df: DataFrame,
    rules: Sequence[PlannedRule],
    conditions: Sequence[Column],
    hidden: Paths = frozenset(),
) -> CheckedTable:
    """Return the frame with ``_error`` on rows that a rule rejects, and what to observe of it for `judge`. Lazy.

    Most rows break no rule. So what each row costs is one number that is null for them: how often each such number
    occurs tells how often each rule is broken.

    Args:
        table: The table's name.
        df: Its rows.
        rules: Its rules.
        conditions: What each rule's function returned.
        hidden: Fields whose values no message may show.
    """
    of_rows = [n for n, rule in enumerate(rules) if rule.kind not in ON_TABLES]
    groups = [of_rows[start : start + _TOGETHER] for start in range(0, len(of_rows), _TOGETHER)]
    masks = [unused_name(df.columns, f"broken{at}") for at in range(len(groups))]
    broken_by = {n: quoted(mask) for mask, group in zip(masks, groups, strict=True) for n in group}
    breaks = {n: f"(CAST({broken_by[n]} AS INT) & {1 << bit}) != 0" for group in groups for bit, n in enumerate(group)}
    marked = df.select("*", *(_mask(group, conditions).alias(mask) for mask, group in zip(masks, groups, strict=True)))
    record = F.to_json(F.expr(f"struct({', '.join(map(quoted, df.columns))})"), WHOLE_RECORD)
    numbers = [F.count(F.lit(1)).alias("all")]
    numbers += [F.expr(f"histogram_numeric({quoted(mask)}, {1 << _TOGETHER})").alias(mask) for mask in masks]
    for n, rule in enumerate(rules):
        if rule.kind in ON_TABLES:
            numbers.append(conditions[n].alias(f"table{n}"))
        elif rule.action != "reject":
            # Of most rows the mask is null, and nothing more is asked.
            example = F.when(F.expr(f"{broken_by[n]} IS NOT NULL"), F.when(F.expr(breaks[n]), record))
            numbers.append(F.any_value(example, F.lit(True)).alias(f"example{n}"))
    rejecting = [f"WHEN {breaks[n]} THEN {literal(rules[n].name)}" for n in of_rows if rules[n].action == "reject"]
    if rejecting:
        # Most rows break none, and are asked no more.
        rejecting.insert(0, f"WHEN coalesce({', '.join(map(quoted, masks))}) IS NULL THEN NULL")
        # In a column of its own: it stands in several places of the error, of each of which Spark would make code.
        rule_column = unused_name(marked.columns, "rule")
        marked = marked.withColumn(rule_column, F.expr(f"CASE {' '.join(rejecting)} END"))
        marked = marked.withColumn(ERROR_COLUMN, _error(F.col(quoted(rule_column)), record)).drop(rule_column)
    return CheckedTable(table, rules, marked, masks, F.struct(*numbers).alias(_NUMBERS), Observation(), hidden)


def _mask(group: Sequence[int], conditions: Sequence[Column]) -> Column:
    # Not by `~`: of a key that is not among others Spark asks each of these, unless it is asked for one that is.
    keeps = (F.coalesce(conditions[n], F.lit(True)) for n in group)
    bits = [F.when(kept, F.lit(0)).otherwise(F.lit(1 << bit)) for bit, kept in enumerate(keeps)]
    return F.nullif(reduce(Column.bitwiseOR, bits), F.lit(0)).cast("double")  # what a histogram is made of


def judge(checks: Sequence[CheckedTable], unheard: Sequence[Observation]) -> list[RuleReport]:
    """Return what became of every rule. Call it when the tables were computed.

    Args:
        checks: The tables with rules.
        unheard: Observations that have not seen all rows; theirs are counted now, by a Spark job.
    """
    return [report for check in checks for report in _judged(check, unheard)]


def require_rules(reports: Sequence[RuleReport]) -> None:
    """Stop a run of which a rule is broken that says ``action: fail``.

    Raises:
        JobError: With every such rule. Nothing is published then.
    """
    if failed := [report for report in reports if report.action == "fail" and not report.holds]:
        told = "\n".join(f"{report.place}: {say(report)}" for report in failed)
        raise JobError(f"{told}\nNothing was published.")


def say(report: RuleReport) -> str:
    """Return what became of a rule, as a sentence.

    Example:
        >>> say(RuleReport("flights", "not_null carrier", "warn", "", False, 10, broken=2, found='{"carrier":null}'))
        'table flights: 2 of 10 rows break the rule "not_null carrier", such as {"carrier":null}'
    """
    if report.broken is None:
        return f'table {report.table}: the rule "{report.rule}" is broken: {report.found}'
    rows = f"{report.broken:,} of {report.rows:,} rows break"
    return f'table {report.table}: {rows} the rule "{report.rule}", such as {report.found}'


def _error(rule: Column, record: Column) -> Column:
    message = F.concat(F.lit('The row breaks the rule "'), rule, F.lit('".'))
    error = F.struct(F.lit(CODE).alias("code"), message.alias("message"), record.alias("record"), rule.alias("rule"))
    return F.when(rule.isNotNull(), error)


def _judged(check: CheckedTable, unheard: Sequence[Observation]) -> Iterator[RuleReport]:
    if check.counted in unheard:
        row = check.marked.agg(check.numbers).first()
        seen = row[_NUMBERS].asDict() if row else None
    else:
        seen = observed(check.counted, _NUMBERS)
    if seen is None:
        return
    broken = _broken(check, seen)
    for n, rule in enumerate(check.rules):
        about = (check.table, rule.name, rule.action, str(rule.place))
        if rule.kind in ON_TABLES:
            holds, found = seen[f"table{n}"]
            about_column = rule.arguments.get("column")
            if about_column and covers(check.hidden, (str(about_column),)):
                found = HIDDEN
            yield RuleReport(*about, holds, seen["all"], None, found)
        else:
            example = hide_example(seen.get(f"example{n}"), check.hidden)
            yield RuleReport(*about, broken[n] == 0, seen["all"], broken[n], example)


def _broken(check: CheckedTable, seen: Mapping[str, Any]) -> dict[int, int]:
    """Return how many rows broke each rule on rows."""
    of_rows = (n for n, rule in enumerate(check.rules) if rule.kind not in ON_TABLES)
    found = {}
    for position, n in enumerate(of_rows):
        group, bit = divmod(position, _TOGETHER)
        told = seen[check.masks[group]] or []
        found[n] = sum(round(times) for mask, times in told if round(mask) >> bit & 1)
    return found
