"""What is said of a choice where one type is needed."""

from typing import NoReturn

from pyspark.sql.types import ArrayType, DataType, StructType

from transforms.choices.choice import ChoiceType, FoundChoice, path_name, specs_of, to_choices, walk_choices
from transforms.errors import ColumnTypeError
from transforms.paths import Position


def say_choice(found: FoundChoice) -> str:
    """Return the sentence with which a transform refuses a choice: which types it has, and what resolves it.

    Example:
        >>> from transforms.core.type_names import parse_type
        >>> choice = ChoiceType.of([parse_type("long"), parse_type("string")])
        >>> say_choice(FoundChoice("a[].id", choice)).partition(" with the step ")[0]
        '`a[].id` is a choice of long, string; resolve it first'
    """
    return (
        f"`{found.path}` is a choice of {', '.join(found.choice.names)}; resolve it first with the step"
        f" resolve_choice: {{specs: {{{specs_of([found.path])}}}}}, or another action."
    )


def refuse_choice(schema: StructType, position: Position, *, where: str = "") -> None:
    """Check that a field, or what is in the arrays that it holds, is no choice.

    Raises:
        ColumnTypeError: It is one.
    """
    here, path = _element(*_field(schema, position))
    if isinstance(here, ChoiceType):
        _refuse(FoundChoice(path, here), where)


def refuse_choices_within(schema: StructType, position: Position, *, where: str = "") -> None:
    """Check that a field neither is nor holds a choice: of one, Spark would cast the struct that it is.

    Raises:
        ColumnTypeError: It is or does.
    """
    here, path = _field(schema, position)
    for found in walk_choices(here, path):
        _refuse(found, where)


def _refuse(found: FoundChoice, where: str) -> NoReturn:
    raise ColumnTypeError(f"{where}: {say_choice(found)}" if where else say_choice(found))


def _field(schema: StructType, position: Position) -> tuple[DataType, str]:
    """Return the type of a field, with choices as types, and its path."""
    here: DataType = to_choices(schema)
    path = ""
    for index in position:
        here, path = _element(here, path)
        assert isinstance(here, StructType)  # noqa: S101  # a position leads through structs
        path = f"{path}.{path_name(here.names[index])}".removeprefix(".")
        here = here[index].dataType
    return here, path


def _element(data_type: DataType, path: str) -> tuple[DataType, str]:
    while isinstance(data_type, ArrayType):
        data_type, path = data_type.elementType, f"{path}[]"
    return data_type, path
