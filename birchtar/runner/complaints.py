"""Pydantic's findings in our words: what is wrong, what it should be, the closest right name."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from birchtar.lake.text_forms import IN_WORDS, PLACE
from birchtar.runner.document import Location
from transforms.errors import say_known

_KINDS = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "nothing",
}

_OTHER_WORDS = {"upsert": "merge", "update": "merge", "insert": "append", "replace": "overwrite"}
"""What other tools call our values, where it does not look like ours."""


@dataclass(frozen=True)
class Complaint:
    """One thing that a model found wrong in a value."""

    location: Location
    what: str
    of_key: bool = False


def complaints(error: ValidationError, model: type[BaseModel], there: Container[Location]) -> Iterator[Complaint]:
    """Yield what the model found wrong.

    Args:
        error: What pydantic raised.
        model: The model that was asked; it knows the names that are right.
        there: The locations that the value has. Pydantic's own have parts beyond them, such as the tried types.
    """
    found = [(_trimmed(details["loc"], details["type"], there), details) for details in error.errors()]
    for location, group in groupby(sorted(found, key=lambda pair: str(pair[0])), key=lambda pair: pair[0]):
        alike = [details for _, details in group]
        yield _complaint(location, alike, model)


def _complaint(location: Location, alike: list[Any], model: type[BaseModel]) -> Complaint:
    first, forms = alike[0], _forms_at(model, location)
    # What stands where the place of a password should may be the password.
    found = "" if PLACE in forms else f", not {_shown(first['input'])}"
    match first["type"]:
        case "extra_forbidden":
            hint = say_known(str(location[-1]), names(_model_at(model, location[:-1])), kind="key")
            return Complaint(location, f"there is no key `{location[-1]}` here. {hint}", of_key=True)
        case "missing":
            return Complaint(location[:-1], f"`{location[-1]}` is missing.", of_key=True)
        case "too_short":
            return Complaint(location, f"`{location[-1]}` must not be empty.", of_key=True)
        case "greater_than_equal":
            return Complaint(location, f"`{location[-1]}` has to be at least {first['ctx']['ge']}.")
        case "string_pattern_mismatch":
            return Complaint(location, f"`{location[-1]}` has to be {_kind(first)}{found}.")
    name = next((f"`{key}` " for key in reversed(location) if isinstance(key, str)), "")
    if literals := [known for details in alike for known in _literals(details)]:
        return Complaint(location, f"{name}cannot be `{first['input']}`. {_meant(str(first['input']), literals)}")
    a_text = IN_WORDS[forms[0]] if forms else "a text"
    kinds = dict.fromkeys(a_text if (kind := _kind(details)) == "a text" else kind for details in alike)
    return Complaint(location, f"{name}has to be {' or '.join(kinds)}{found}.")


def _meant(wrong: str, literals: list[str]) -> str:
    meant = _OTHER_WORDS.get(wrong.lower())
    if meant not in literals:
        return say_known(wrong, literals, kind="value")
    return f"Did you mean `{meant}`? There are these values: {', '.join(sorted(literals))}."


def _kind(details: Any) -> str:
    if details["type"] == "string_pattern_mismatch":
        pattern = details["ctx"]["pattern"]
        return IN_WORDS.get(pattern, f"a text of the form {pattern}")
    return _KINDS.get(details["type"], str(details["msg"]))


def _forms_at(model: type[BaseModel], location: Location) -> list[str]:
    """Return the patterns of a field's texts that have words."""
    owner = _model_at(model, location[:-1]) if location else model
    fields = {field.alias or name: field for name, field in owner.model_fields.items()}
    field = fields.get(str(location[-1])) if location else None
    metadata = [*field.metadata, *_metadata(field.annotation)] if field else []
    return [each.pattern for each in metadata if getattr(each, "pattern", None) in IN_WORDS]


def _metadata(annotation: Any) -> Iterator[Any]:
    """Yield what the parts of an annotation say beside their types, as pydantic keeps it."""
    for said in getattr(annotation, "__metadata__", ()):
        yield from said.metadata if isinstance(said, FieldInfo) else (said,)
    for inner in get_args(annotation):
        yield from _metadata(inner)


def _trimmed(location: Location, kind: str, there: Container[Location]) -> Location:
    """Cut what pydantic puts behind a location to say which type of several it tried."""
    if kind == "missing":
        return (*_trimmed(location[:-1], "", there), location[-1])
    while location and location not in there:
        location = location[:-1]
    return location


def _literals(details: Any) -> list[str]:
    return re.findall(r"'([^']*)'", details["ctx"]["expected"]) if details["type"] == "literal_error" else []


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """Return the model of the value at a location: through fields by their keys, through mappings by any key."""
    annotation: Any = model
    for key in location:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
            annotation = fields.get(str(key))
        else:
            annotation = next(reversed(get_args(annotation)), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model


def names(model: type[BaseModel]) -> list[str]:
    """Return the keys that a model knows, as a file writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"the text `{value}`"
    return f"`{value}` (in quotes it would be a text)"
