"""Which fields hold what nobody may read in the quarantine or in a message: those that a job masks, or that it names.

A field is sensitive from its input up to the step that masks it, under every name that it has on the way, as far as
the config can tell: `rename_field`, `apply_mapping`, expressions and SQL are followed by their names; a function of
the user's is taken to leave names as they are. Where in doubt, too much is hidden rather than too little.
"""

import re
from collections.abc import Iterator

from birchtar.runner.hidden import Paths
from birchtar.runner.plan import FunctionStep, Plan, PlannedTable, QueryStep, Step
from birchtar.runner.replayed import READ, RULES, labels
from transforms.paths import Path, parse_path, parse_paths

MASKING = ("hash_columns", "mask_columns", "redact_columns")

_NAME = re.compile(r"`([^`]+)`|([^\W\d]\w*)")
_NONE: Paths = frozenset()


def sensitive_fields(plan: Plan) -> dict[tuple[str, str], Paths]:
    """Return the sensitive fields of the rows that each input, step and set of rules may reject; only where some are.

    The keys are what the quarantine calls ``table`` and ``step``.
    """
    before = _masked_later(plan)
    there = {
        name: before.get(name, _NONE) | frozenset(parse_paths(source.sensitive) if source.sensitive else ())
        for name, source in plan.job.inputs.items()
    }
    found = {(name, READ): paths for name, paths in there.items()}
    for table in plan.tables:
        paths = frozenset[Path]().union(*(there.get(name, _NONE) for name in table.reads))
        later = _later_in(table, before.get(f"{table.name} end", _NONE))
        for step, label, still in zip(table.steps, labels(table), later, strict=False):
            paths |= still
            found[table.name, label] = paths
            paths = _forward(step, paths)
        paths |= before.get(f"{table.name} end", _NONE)
        found[table.name, RULES] = there[table.name] = paths
    return {place: paths for place, paths in found.items() if paths}


def _masked_later(plan: Plan) -> dict[str, Paths]:
    """Return per input, and per table's end, the fields that are masked in tables behind it."""
    wanted: dict[str, Paths] = {}
    for table in reversed(plan.tables):
        paths = wanted.get(table.name, _NONE)
        wanted[f"{table.name} end"] = paths
        first = [*_later_in(table, paths), paths][0]
        for name in table.reads:
            wanted[name] = wanted.get(name, _NONE) | first
    return wanted


def _later_in(table: PlannedTable, at_end: Paths) -> list[Paths]:
    """Return, before each step, the fields that it or a later one masks, by their names at that point."""
    found, paths = [], at_end
    for step in reversed(table.steps):
        paths = _backward(step, paths)
        found.append(paths)
    return found[::-1]


def _backward(step: Step, paths: Paths) -> Paths:
    if isinstance(step, FunctionStep) and step.name in MASKING:
        return paths | frozenset(parse_paths(step.arguments["columns"]))
    made = (
        _moved(path, new, source)
        for new, sources in _made(step)
        for path in paths
        if _meets(path, new)
        for source in sources
    )
    return paths | frozenset(made)


def _moved(path: Path, new: Path, source: "str | Path") -> Path:
    """Return where a field was before a step that made it; one name stands for a column used in an expression."""
    if isinstance(source, str):
        return (source,)
    return source + path[len(new) :]


def _forward(step: Step, paths: Paths) -> Paths:
    if isinstance(step, FunctionStep) and step.name in MASKING:
        masked = frozenset(parse_paths(step.arguments["columns"]))
        return frozenset(path for path in paths if path not in masked)
    more = set()
    for new, sources in _made(step):
        for source in sources:
            at: Path = (source,) if isinstance(source, str) else source
            more |= {new + (path[len(at) :] if isinstance(source, tuple) else ()) for path in paths if _meets(path, at)}
    return paths | more


def _meets(path: Path, other: Path) -> bool:
    shared = min(len(path), len(other))
    return path[:shared] == other[:shared]


def _made(step: Step) -> Iterator[tuple[Path, "list[str | Path]"]]:
    """Yield the fields that a step makes, each with the fields, or the names, that it is made of."""
    if isinstance(step, QueryStep):
        yield from _of_query(step.query)
        return
    said = step.arguments
    match step.name:
        case "rename_field":
            yield parse_path(said["new_name"]), [parse_path(said["old_name"])]
        case "apply_mapping":
            for mapping in said["mappings"]:
                if len(mapping) > 1:
                    yield parse_path(mapping[1 if len(mapping) == 2 else 2]), [parse_path(mapping[0])]
        case "derive_column":
            yield (said["column"],), _names(said["expression"])
        case "with_fields":
            yield from ((parse_path(path), _names(text)) for path, text in said["fields"].items())
        case "map_rows" if "expressions" in said:
            yield from (((name,), _names(text)) for name, text in said["expressions"].items())
        case "concatenate":
            yield (said["new_column"],), list(said["columns"])


def _of_query(query: str) -> Iterator[tuple[Path, "list[str | Path]"]]:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse_one(query, dialect="spark")
    except SqlglotError:
        return
    for alias in parsed.find_all(exp.Alias):
        yield (alias.alias,), [column.name for column in alias.this.find_all(exp.Column)]


def _names(expression: str) -> "list[str | Path]":
    return [quoted or plain for quoted, plain in _NAME.findall(expression)]
