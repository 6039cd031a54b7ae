"""The JSON schema of a job's config, for editors: made of the same models that check it."""

from typing import Any

from docstring_parser import parse

from birchtar.lake.text_forms import FUNCTION
from birchtar.runner.spec import Job
from birchtar.runner.steps import TRANSFORMS, arguments_model, find_function

_PLAIN = {"type": "object", "maxProperties": 1, "minProperties": 1}


def job_schema() -> dict[str, Any]:
    """Return the schema, by the draft that pydantic writes (2020-12)."""
    schema = Job.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A job: inputs, tables, outputs"
    definitions = schema["$defs"]
    definitions["Step"] = {
        "anyOf": [
            {"type": "string", "anyOf": [{"enum": sorted(TRANSFORMS)}, {"pattern": FUNCTION}]},
            {
                **_PLAIN,
                "properties": {
                    **{name: _step(name, definitions) for name in TRANSFORMS},
                    "sql": {"type": "string", "description": "A SELECT; the table's own name means its rows so far."},
                },
                "patternProperties": {FUNCTION: {"type": ["object", "null"]}},
                "additionalProperties": False,
            },
        ]
    }
    definitions["Table"]["properties"]["steps"]["items"] = {"$ref": "#/$defs/Step"}
    return schema


def _step(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = arguments_model(name).model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    documented = parse(find_function(name).__doc__ or "")
    described = {parameter.arg_name: parameter.description for parameter in documented.params}
    for argument, said in schema.get("properties", {}).items():
        if argument in described:
            said["description"] = " ".join((described[argument] or "").split())
    schema.pop("title", None)
    schema["description"] = documented.short_description or ""
    if not schema.get("required"):
        schema["type"] = ["object", "null"]
    return schema
