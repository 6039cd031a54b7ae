"""The page that lists all transforms, made of their docstrings and signatures; `docs/transforms.md` holds it."""

import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from docstring_parser import parse

from birchtar.runner.steps import TRANSFORMS, find_function, given_by_the_run

_ABOUT = re.compile(r"^Glue: (?P<glue>.+?)\. Cost: (?P<cost>.+)\.$", re.MULTILINE)

_HEAD = """# Transforms

Every step of a job by its name, and every function that `transforms` holds: same name, same arguments. This page is
printed by `birchtar transforms`, from the functions' own docstrings, which say more: what nulls and duplicates do, what
is raised, an example that runs.

Arguments without a value have to be given. Lazy means that the call starts no Spark job; the cost is what it adds to
reading the frame once.

| transform | Glue's name | what it does | arguments | lazy | cost |
|---|---|---|---|---|---|
"""


class About(NamedTuple):
    """What a transform's docstring says of Glue and of cost."""

    glue: str
    cost: str

    @property
    def lazy(self) -> str:
        """Whether the call starts no Spark job."""
        if not self.cost.startswith("lazy"):
            return "no"
        return "not always" if self.cost.startswith("lazy ") else "yes"


def transforms_page() -> str:
    """Return the page, in Markdown."""
    return _HEAD + "".join(map(_row, sorted(TRANSFORMS)))


def about(function: Callable[..., Any]) -> About:
    """Return what a transform's docstring says in its line ``Glue: ... Cost: ...``.

    Raises:
        ValueError: It has no such line.
    """
    paragraphs = [" ".join(part.split()) for part in (inspect.getdoc(function) or "").split("\n\n")]
    match = _ABOUT.search("\n".join(paragraphs))
    if match is None:
        raise ValueError(f"The docstring of {function.__qualname__} lacks a paragraph `Glue: <name>. Cost: <cost>.`")
    return About(match["glue"], match["cost"])


def _row(name: str) -> str:
    function = find_function(name)
    module, known = TRANSFORMS[name].partition(":")[0], about(function)
    link = f"[`{name}`](../{module.replace('.', '/')}.py)"
    summary = (parse(function.__doc__ or "").short_description or "").split(". ")[0].rstrip(".")
    cost = known.cost.removeprefix("lazy").lstrip(",; ")
    cells = [link, known.glue, summary, ", ".join(_arguments(function)), known.lazy, cost]
    return "| " + " | ".join(" ".join(cell.split()).replace("``", "`").replace("|", "\\|") for cell in cells) + " |\n"


def _arguments(function: Callable[..., Any]) -> list[str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [f"`{_argument(parameter)}`" for parameter in parameters if not given_by_the_run(parameter.name)]


def _argument(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    if parameter.default is inspect.Parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"
