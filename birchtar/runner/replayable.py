"""What of a job a replay can go through, and which of its inputs it then reads from the quarantine alone."""

from collections.abc import Iterable, Iterator, Sequence

from birchtar.runner.failures import JobError
from birchtar.runner.plan import FunctionStep, Plan, QueryStep, Step
from birchtar.runner.queries import Reference, grouping, outer_join, tables_flowing

_ADDING = ("union", "merge_frames")
"""Steps that add another table's rows to the table's own."""

_GROUPING = ("aggregate", "drop_duplicates", "pivot")
"""Steps whose rows depend on all that come in."""

_OUTER = ("right", "full", "outer", "full_outer", "fullouter", "right_outer", "rightouter")


def require_adding(plan: Plan) -> None:
    """Refuse a job of which a replay would replace what earlier runs wrote, or bring rows of other tables again.

    Or make rows of the rejected records alone where others belong to them, such as a sum.

    Raises:
        JobError: With every such output and step.
    """
    is_bookmarked = any(source.bookmark for source in plan.job.inputs.values())
    back = f", when `birchtar bookmark rewind {plan.name} --to RUN` or a backfill has their files read again"
    again = f"run it again instead: then all rows are read{back if is_bookmarked else ''}"
    told = [
        f"{plan.place(('outputs', name))}: output {name}: `mode: {sink.mode}` replaces what is there, and a replay has"
        f" only the rows that were rejected. Correct the job, and {again}. Or let the output be `append`, `merge` or"
        " `scd2`."
        for name, sink in plan.job.outputs.items()
        if sink.mode.startswith("overwrite")
    ]
    told += [
        f"{step.place}: table {table.name}: a replay cannot go through {outer}: it would bring all rows of the other"
        " table again, as if nothing had ever matched them. Bring the corrected records in by a new file, or take a"
        " left or inner join."
        for table in plan.tables
        for step in table.steps
        if (outer := _outer_join(step))
    ]
    flowing = flowing_of(plan)
    told += [
        f"{step.place}: table {table.name}: a replay cannot go through {grouped}: it would make rows of the rejected"
        f" records alone, without those that they belong to. Correct the job, and {again}."
        for table in plan.tables
        if table.name in flowing
        for step in table.steps
        if (grouped := _grouped(step))
    ]
    if told:
        raise JobError("\n".join(told))


def _grouped(step: Step) -> str | None:
    """Return what of a step makes rows of several others; None if nothing does."""
    if isinstance(step, QueryStep):
        said = grouping(step.query)
        return f"a query with {said}" if said else None
    return f"`{step.name}`" if step.name in _GROUPING else None


def _outer_join(step: Step) -> str | None:
    """Return what keeps the other table's rows that match nothing, if the step does; null if not."""
    if isinstance(step, QueryStep):
        kind = outer_join(step.query)
        return f"a query with a {kind} join" if kind else None
    how = str(step.arguments.get("how", "")).lower()
    return f"`{step.name}` with `how: {how}`" if how in _OUTER else None


def flows(plan: Plan) -> Iterator[str]:
    """Yield the inputs whose rows go into tables and outputs, not those that are only looked up; and bookmarked ones.

    What a table begins with flows, and what `union` and `merge_frames` add; of a query, the first table of each
    side of a UNION.
    """
    seen = flowing_of(plan)
    for name, source in plan.job.inputs.items():
        if name in seen or source.bookmark:
            yield name


def flowing_of(plan: Plan) -> set[str]:
    """Return the inputs and tables whose rows go into outputs."""
    seen: set[str] = set()
    by_name = {table.name: table for table in plan.tables}
    ahead = [name.partition(".")[0] if name not in plan.job.inputs else name for name in plan.job.outputs]
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        if (table := by_name.get(name)) is None:
            continue
        ahead += [table.start] if table.start is not None else []
        for at, step in enumerate(table.steps):
            if isinstance(step, FunctionStep):
                ahead += list(_texts(step.arguments)) if step.name in _ADDING else []
                continue
            sides = tables_flowing(step.query)
            if at == 0 and table.start is None:
                ahead += sides or _first(step.references)
            elif len(sides) > 1:
                ahead += sides
        ahead = [each.partition(".")[0] if each.partition(".")[0] in by_name else each for each in ahead]
    return seen


def _first(references: Sequence[Reference]) -> list[str]:
    return [references[0].name] if references else []


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
