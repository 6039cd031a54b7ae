"""Put something else in place of choices, wherever they lie in a value."""

from collections.abc import Callable

from pyspark.sql.types import ArrayType, MapType

from transforms.choices.bare_choices import holds_choice
from transforms.choices.choice import ChoiceType, path_name
from transforms.nested.values import Value, element_of, members, struct_of, value_in, with_elements, with_values

Change = Callable[[Value, str], Value]
"""Returns what stands in the stead of a choice, given its path as `choices_in` has it."""


def change_choices(value: Value, path: str, change: Change) -> Value:
    """Return a value, of a type as `to_choices` makes it, with its outermost choices changed.

    What is inside a choice is left to ``change``, which may call this for the alternatives that it keeps.
    """
    data_type = value.data_type
    if not holds_choice(data_type):
        return value
    if isinstance(data_type, ChoiceType):
        return change(value, path)
    if isinstance(data_type, ArrayType):
        return with_elements(value, change_choices(element_of(value), f"{path}[]", change))
    if isinstance(data_type, MapType):
        return with_values(value, change_choices(value_in(value), f"{path}{{}}", change))
    fields = [
        field._replace(value=change_choices(field.value, f"{path}.{path_name(field.name)}", change))
        for field in members(value)
    ]
    return struct_of(fields, unless_null=[value])
