"""What `resolve_choice` is told: actions such as ``cast:long``, and paths such as ``items[].price``."""

import re
from typing import Literal, NamedTuple, get_args

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.choices.choice import ChoiceType, path_name
from transforms.core.type_names import parse_type, type_name
from transforms.errors import (
    ColumnTypeError,
    DuplicateColumnError,
    MissingColumnError,
    TransformError,
    say_known,
)
from transforms.paths import names_and_marks

Kind = Literal["cast", "make_cols", "make_struct", "match_catalog", "project"]
Steps = tuple[str, ...]
"""A parsed path: names, each behind a dot, and between them ``[]`` and ``{}``."""


class Action(NamedTuple):
    """An action, and the type of those that have one."""

    kind: Kind
    type: str = ""

    def target(self) -> DataType:
        """Return the type that a cast is to."""
        return parse_type(self.type)

    def alternative(self, choice: ChoiceType, where: str) -> str | None:
        """Return the name that the alternative of a projection has; None if the choice does not have it.

        Raises:
            ColumnTypeError: The choice does not have it, and the name alone does not say what nulls of it would be.
        """
        name = self.type.strip().lower()
        if name in choice.names:
            return name
        try:
            name = type_name(self.target())
        except TransformError:
            raise ColumnTypeError(
                f"`{where}` holds no {self.type}; it is a choice of {', '.join(choice.names)}."
            ) from None
        return name if name in choice.names else None


def parse_action(text: str) -> Action:
    """Return the action that a text names.

    Raises:
        TransformError: There is no such action, or it lacks a type, or has one too many.

    Example:
        >>> parse_action("cast:String"), parse_action("make_cols")
        (Action(kind='cast', type='String'), Action(kind='make_cols', type=''))
    """
    name, _, target = text.partition(":")
    kind = name.strip().lower()
    if kind not in get_args(Kind):
        raise TransformError(f"There is no action `{text}`. {say_known(kind, get_args(Kind), kind='action')}")
    if (kind in ("cast", "project")) != bool(target.strip()):
        raise TransformError(
            f"The action `{kind}` needs a type: `{kind}:long`."
            if kind in ("cast", "project")
            else f"The action `{kind}` has no type, got `{text}`."
        )
    if kind == "cast":
        parse_type(target)
    return Action(kind, target)  # type: ignore[arg-type]  # it is one of the literals


def parse_steps(text: str) -> Steps:
    """Return the steps of a path.

    Raises:
        PathSyntaxError: The text is empty, a name in it is empty, or a back-tick is not closed.

    Example:
        >>> parse_steps("a.`b.c`[].d")
        ('.a', '.b.c', '[]', '.d')
    """
    pairs = names_and_marks(text, enters_maps=True)
    return tuple(step for name, marks in pairs for step in (f".{name}", *re.findall(r"\[\]|\{\}", marks)))


def format_steps(steps: Steps) -> str:
    """Return the text of a path."""
    return "".join(f".{path_name(step[1:])}" if step[0] == "." else step for step in steps).removeprefix(".")


def require_place(schema: StructType, steps: Steps) -> DataType:
    """Return the type at a place of a schema that `to_choices` made.

    Raises:
        MissingColumnError: There is no such field.
        DuplicateColumnError: Several fields have the name.
        ColumnTypeError: A step does not fit the type, such as a name where ``[]`` is needed.
    """
    here: DataType = schema
    for depth, step in enumerate(steps):
        before, there = format_steps(steps[:depth]), format_steps(steps[: depth + 1])
        if step == "[]" and isinstance(here, ArrayType):
            here = here.elementType
        elif step == "{}" and isinstance(here, MapType):
            here = here.valueType
        elif step in ("[]", "{}"):
            raise ColumnTypeError(f"There is no place `{there}`: `{before}` is of type {type_name(here)}.")
        elif isinstance(here, ArrayType | MapType):
            mark = "[]" if isinstance(here, ArrayType) else "{}"
            inside = format_steps((*steps[:depth], mark, *steps[depth:]))
            raise ColumnTypeError(f"`{before}` is of type {type_name(here)}. What is inside is written `{inside}`.")
        else:
            names = here.names if isinstance(here, StructType) else []
            if step[1:] not in names:
                kind = "field" if depth else "column"
                known = say_known(step[1:], names, kind=kind)
                raise MissingColumnError(f"There is no {kind} `{there}`. {known}")
            if names.count(step[1:]) > 1:
                raise DuplicateColumnError(f"There are {names.count(step[1:])} fields `{there}`. Rename them first.")
            here = here[step[1:]].dataType  # type: ignore[index]  # it has names, so it is a struct
    return here
