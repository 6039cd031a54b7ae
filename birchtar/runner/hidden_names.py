"""Steps that make names of columns out of values: names stand in messages, so the values must not be hidden ones."""

from collections.abc import Iterator

from birchtar.runner.hidden import covers
from birchtar.runner.plan import FunctionStep, Plan
from birchtar.runner.problems import Problem
from birchtar.runner.replayed import labels
from birchtar.runner.sensitive import sensitive_fields
from transforms.errors import PathSyntaxError
from transforms.paths import parse_paths


def hidden_names(plan: Plan) -> Iterator[Problem]:
    """Yield each `pivot` by a field that nobody may read, with what is wrong; none of one whose values are named."""
    pivots = [
        (table, label, step)
        for table in plan.tables
        for label, step in zip(labels(table), table.steps, strict=False)
        if isinstance(step, FunctionStep) and step.name == "pivot" and step.arguments.get("values") is None
    ]
    sensitive = sensitive_fields(plan) if pivots else {}
    for table, label, step in pivots:
        # Where in doubt all of a record is hidden; in doubt nothing is refused.
        hidden = frozenset(filter(None, sensitive.get((table.name, label), ())))
        try:
            paths = parse_paths(step.arguments["columns"])
        except PathSyntaxError:  # which the step itself tells of
            continue
        for path in (path for path in paths if covers(hidden, path)):
            yield Problem(
                step.place,
                f"the values of `{'.'.join(path)}`, which nobody may read, would become names of columns, and stand in"
                " messages. Mask or hash it in a step before, or name the `values`.",
            )
