"""Rules on a job's tables: kept or broken, counted in the pass that computes the table for another reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from birchtar.lake.observed import observed
from birchtar.runner.failures import JobError
from birchtar.runner.hidden import HIDDEN, Paths, covers, hide_example
from birchtar.runner.problems import Place
from birchtar.runner.report import RuleReport
from transforms.core.columns import column, unused_name
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
    """All rows, with a struct of what each rule says."""
    numbers: Sequence[Column]
    counted: Observation
    hidden: Paths = frozenset()
    """Fields whose values no message may show."""


def rule_name(kind: str, said: Any) -> str:
    """Return the name of a rule that was given none.

    Example:
        >>> rule_name("not_null", ["carrier", "flight"]), rule_name("between", {"column": "age", "lowest": 0})
        ('not_null carrier, flight', 'between age, lowest: 0')
    """
    if isinstance(said, Mapping):
        parts = [_words(value) if key in _COLUMNS else f"{key}: {_words(value)}" for key, value in said.items()]
    else:
        parts = [_words(said)]
    return f"{kind} {', '.join(parts)}".strip()


def _words(said: Any) -> str:
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said)


def checked(
    table: str,
    df: DataFrame,
    rules: Sequence[PlannedRule],
    conditions: Sequence[Column],
    hidden: Paths = frozenset(),
) -> tuple[DataFrame, CheckedTable]:
    """Return the frame with ``_error`` on rows that a rule rejects, and what to `judge` when it was computed. Lazy.

    Args:
        table: The table's name.
        df: Its rows.
        rules: Its rules.
        conditions: What each rule's function returned.
        hidden: Fields whose values no message may show.
    """
    verdicts = unused_name(df.columns, "rules")
    of_rows = [n for n, rule in enumerate(rules) if rule.kind not in ON_TABLES]
    kept = [F.coalesce(conditions[n], F.lit(True)).alias(f"r{n}") for n in of_rows]
    marked = df.select("*", F.struct(*kept).alias(verdicts)) if kept else df
    record = F.to_json(F.struct(*map(column, df.columns)), WHOLE_RECORD)
    numbers = [F.count(F.lit(1)).alias("rows")]
    for n, condition in enumerate(conditions):
        if n in of_rows:
            broken = ~F.col(f"{verdicts}.r{n}")
            numbers.append(F.count_if(broken).alias(f"broken{n}"))
            numbers.append(F.any_value(F.when(broken, record), F.lit(True)).alias(f"example{n}"))
        else:
            numbers.append(condition.alias(f"table{n}"))
    counted = Observation()
    result = CheckedTable(table, rules, marked, numbers, counted, hidden)
    with_error = marked.observe(counted, *numbers)
    errors = [
        _error(rule, F.col(f"{verdicts}.r{n}"), record) for n, rule in enumerate(rules) if rule.action == "reject"
    ]
    if errors:
        with_error = with_error.withColumn(ERROR_COLUMN, F.coalesce(*errors))
    return with_error.drop(verdicts) if kept else with_error, result


def judge(checks: Sequence[CheckedTable], early: Sequence[Observation]) -> list[RuleReport]:
    """Return what became of every rule. Call it when the tables were computed.

    Args:
        checks: The tables with rules.
        early: Observations that may not have seen all rows; theirs are counted now, by a Spark job.
    """
    return [report for check in checks for report in _judged(check, early)]


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


def _error(rule: PlannedRule, kept: Column, record: Column) -> Column:
    error = F.struct(
        F.lit(CODE).alias("code"),
        F.lit(f'The row breaks the rule "{rule.name}".').alias("message"),
        record.alias("record"),
        F.lit(rule.name).alias("rule"),
    )
    return F.when(~kept, error)


def _judged(check: CheckedTable, early: Sequence[Observation]) -> Iterator[RuleReport]:
    if check.counted in early:
        row = check.marked.agg(*check.numbers).first()
        seen = row.asDict() if row else None
    else:
        seen = observed(check.counted)
    if seen is None:
        return
    for n, rule in enumerate(check.rules):
        about = (check.table, rule.name, rule.action, str(rule.place))
        if rule.kind in ON_TABLES:
            holds, found = seen[f"table{n}"]
            if covers(check.hidden, (str(rule.arguments.get("column", "")),)):
                found = HIDDEN
            yield RuleReport(*about, holds, seen["rows"], None, found)
        else:
            broken = seen[f"broken{n}"]
            yield RuleReport(*about, broken == 0, seen["rows"], broken, hide_example(seen[f"example{n}"], check.hidden))
