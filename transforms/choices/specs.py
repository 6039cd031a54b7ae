"""What `resolve_choice` is asked for: an action for each of some paths, or one for all choices."""

from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql.types import StructType

from transforms.choices.actions import Action, Steps, parse_action, parse_steps, require_place
from transforms.errors import TransformError

Specs = Mapping[str, str] | Sequence[Sequence[str]]


def parse_specs(
    opened: StructType, specs: Specs | None, choice: str | None
) -> tuple[Mapping[Steps, Action], Action | None]:
    """Return the actions by place, and the one for all choices.

    Args:
        opened: The schema, made by `to_choices`.
        specs: Actions by path.
        choice: The action for all.

    Raises:
        TransformError: Not exactly one of ``specs`` and ``choice`` is given; an action is not known, or twice.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A path is not there.
        ColumnTypeError: A path lacks ``[]`` or has one too many.
    """
    if not specs and not choice:
        raise TransformError("resolve_choice needs `specs`, actions by path, or `choice`, one action for all choices.")
    if specs and choice:
        raise TransformError("resolve_choice takes either `specs` or `choice`, not both.")
    if choice:
        return {}, parse_action(choice)
    actions: dict[Steps, Action] = {}
    for path, text in _pairs(specs or {}):
        steps, action = parse_steps(path), parse_action(text)
        if action.kind == "match_catalog":
            raise TransformError(f"`{path}`: `match_catalog` is for all choices at once: choice='match_catalog'.")
        require_place(opened, steps)
        if actions.setdefault(steps, action) != action:
            raise TransformError(f"`{path}` has two actions: {actions[steps].kind} and {action.kind}.")
    return actions, None


def _pairs(specs: Specs) -> Iterator[tuple[str, str]]:
    if isinstance(specs, Mapping):
        yield from specs.items()
        return
    pairs = [specs] if len(specs) and isinstance(specs[0], str) else specs
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            raise TransformError(f"`specs` holds pairs of a path and an action, got {pair!r}.")
        yield pair[0], pair[1]  # type: ignore[misc]  # a pair of texts
