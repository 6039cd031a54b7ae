"""What is said of a choice where one type is needed."""

from pyspark.sql.types import ArrayType, DataType, StructType

from transforms.choices.choice import ChoiceType, FoundChoice, path_name, specs_of, to_choices
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
    here: DataType = to_choices(schema)
    path = ""
    for index in position:
        here, path = _element(here, path)
        assert isinstance(here, StructType)  # noqa: S101  # a position leads through structs
        path = f"{path}.{path_name(here.names[index])}"
        here = here[index].dataType
    here, path = _element(here, path)
    if isinstance(here, ChoiceType):
        said = say_choice(FoundChoice(path.removeprefix("."), here))
        raise ColumnTypeError(f"{where}: {said}" if where else said)


def _element(data_type: DataType, path: str) -> tuple[DataType, str]:
    while isinstance(data_type, ArrayType):
        data_type, path = data_type.elementType, f"{path}[]"
    return data_type, path
