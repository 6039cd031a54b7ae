"""Which fields hold what nobody may read in the quarantine or in a message: those that a job masks, or that it names.

A field is sensitive from its input up to the step that masks it, under every name that it has on the way, as far as
the config can tell: steps, expressions and SQL are followed by their names; a function of the user's is taken to leave
names as they are. Where in doubt, too much is hidden rather than too little: where a field may have gone anywhere, the
empty path stands for the whole record.
"""

from collections.abc import Iterable, Sequence

from birchtar.runner.derived import ANYTHING, AS_IT_IS, Made, before, behind
from birchtar.runner.derived_queries import made_by_query
from birchtar.runner.derived_steps import MASKING, made_by
from birchtar.runner.hidden import Paths, plain
from birchtar.runner.plan import FunctionStep, Plan, PlannedTable, QueryStep, Step, owner
from birchtar.runner.replayed import READ, RULES, labels
from birchtar.runner.steps import table_parameters
from transforms.errors import PathSyntaxError
from transforms.paths import parse_paths

_NONE: Paths = frozenset()


def sensitive_fields(plan: Plan) -> dict[tuple[str, str], Paths]:
    """Return the sensitive fields of the rows that each input, step and set of rules may reject; only where some are.

    The keys are what the quarantine calls ``table`` and ``step``.
    """
    masked = _masked_later(plan)
    there = {
        name: masked.get(name, _NONE) | _parsed(source.sensitive or ()) for name, source in plan.job.inputs.items()
    }
    found = {(name, READ): paths for name, paths in there.items()}
    for table in plan.tables:
        paths = _NONE if table.start is None else there.get(owner(table.start, set(there)), _NONE)
        later = _later_in(table, masked.get(f"{table.name} end", _NONE))
        for step, label, still in zip(table.steps, labels(table), later, strict=False):
            paths |= still.union(*(there.get(name, _NONE) for name in _read(table, step, set(there))))
            found[table.name, label] = paths
            paths = _forward(step, paths)
        paths |= masked.get(f"{table.name} end", _NONE)
        found[table.name, RULES] = there[table.name] = paths
    return {place: paths for place, paths in found.items() if paths}


def _read(table: PlannedTable, step: Step, known: set[str]) -> Iterable[str]:
    """Return the inputs and tables whose fields come in with a step."""
    if isinstance(step, QueryStep):
        return {owner(reference.name, known) for reference in step.references} - {table.name}
    return table.reads if table_parameters(step.function) else ()


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
    masked = _masked(step)
    return paths | (before(_made(step, paths), paths) if masked is None else masked)


def _forward(step: Step, paths: Paths) -> Paths:
    masked = _masked(step)
    return behind(_made(step, paths), paths) if masked is None else paths - masked


def _masked(step: Step) -> Paths | None:
    if isinstance(step, FunctionStep) and step.name in MASKING:
        return _parsed(step.arguments["columns"])
    return None


def _made(step: Step, paths: Paths) -> list[Made]:
    if not paths:
        return []
    if isinstance(step, QueryStep):
        return made_by_query(step.query)
    try:
        return [AS_IT_IS, *made_by(step.name, step.arguments, paths)]
    except PathSyntaxError:  # which the step itself will tell of, where it is one
        return [ANYTHING]


def _parsed(texts: str | Sequence[str]) -> Paths:
    return frozenset(map(plain, parse_paths(texts)))
