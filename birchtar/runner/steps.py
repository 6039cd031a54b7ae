"""The steps of a table: which functions a config may name, and what their signatures let it say."""

import importlib
import inspect
import re
import sys
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from pyspark import cloudpickle
from pyspark.sql import DataFrame

from birchtar.lake.text_forms import FUNCTION

_NAMES = (
    "add_current_timestamp",
    "add_identifier",
    "add_uuid",
    "aggregate",
    "apply_mapping",
    "array_to_columns",
    "autobalance",
    "cast_fields",
    "concatenate",
    "conditional_router",
    "derive_column",
    "drop_duplicates",
    "drop_fields",
    "drop_null_fields",
    "explode",
    "extract_json_paths",
    "extract_regex",
    "fill_missing",
    "filter_array",
    "filter_rows",
    "flatten",
    "format_timestamp",
    "hash_columns",
    "join",
    "lookup",
    "map_array",
    "map_rows",
    "mask_columns",
    "merge_frames",
    "parse_json",
    "pivot",
    "redact_columns",
    "relationalize",
    "remove_null_rows",
    "rename_field",
    "resolve_choice",
    "select_fields",
    "simplify_ddb_json",
    "spigot",
    "split_fields",
    "split_rows",
    "split_string",
    "to_timestamp",
    "unbox",
    "union",
    "unnest",
    "unnest_ddb_json",
    "unpivot",
    "with_fields",
)
TRANSFORMS = {name: f"transforms.{name}:{name}" for name in _NAMES}
"""What a step may name: each is a function in a file of its name."""

FUNCTION_NAME = re.compile(FUNCTION)
"""How a config names a function of the user's: ``package.module:function``."""

STAGING = "staging_path"
"""A parameter of this name is the run's to fill: a folder of its own that goes when the run ends."""


KNOWN_NULLS = "known"
"""A parameter of this name is the run's to fill too: with the fields that file statistics tell of, null or not."""


PEEKING = ("map_rows", "spigot")
"""Those of our transforms that may start a job which computes some of the rows only."""


class FunctionError(ValueError):
    """The text ``package.module:function`` leads to no function that can be a step."""


@cache
def find_function(name: str) -> Callable[..., Any]:
    """Return the function that a step names: one of `TRANSFORMS`, or the user's own.

    Raises:
        FunctionError: There is no such module, nothing of this name in it, or it cannot be called.
    """
    module_name, _, attribute = TRANSFORMS.get(name, name).partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise FunctionError(
            f"there is no module `{error.name}` for `{name}`. It has to be importable from the current folder,"
            " or installed."
        ) from error
    except Exception as error:  # the module is the user's: whatever it raises while it loads, this is the sentence
        raise FunctionError(f"the module `{module_name}` fails to load{_at(error)}: {_why(error)}") from error
    if name not in TRANSFORMS and Path(module.__file__ or "").is_relative_to(Path.cwd()):
        # Executors cannot import from the user's folder: what is there travels with the function.
        package = sys.modules[module_name.partition(".")[0]]
        cloudpickle.register_pickle_by_value(package)  # type: ignore[no-untyped-call]  # PySpark's copy has no types
    function = getattr(module, attribute, None)
    if not callable(function):
        own = {key: value for key, value in vars(module).items() if getattr(value, "__module__", "") == module_name}
        functions = [key for key, value in own.items() if callable(value) and not key.startswith("_")]
        from transforms.errors import say_known

        raise FunctionError(
            f"`{module_name}` has no function `{attribute}`. {say_known(attribute, functions, kind='function')}"
        )
    return function  # type: ignore[no-any-return]  # getattr knows no better


def _at(error: Exception) -> str:
    """Return the user's own line that raised, if it is of a file below the current folder."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(Path(frame.filename))]
    return f" ({lines[-1].filename}:{lines[-1].lineno})" if lines else ""


def _is_own(file: Path) -> bool:
    return file.is_relative_to(Path.cwd()) and "site-packages" not in file.parts and file != Path(__file__)


def _why(error: Exception) -> str:
    if "SESSION_OR_CONTEXT_NOT_EXISTS" in str(error):
        return (
            "it calls Spark, which has not been started when modules are loaded. Say types as `BooleanType()`, not as"
            " texts such as 'boolean', or make it inside of a function."
        )
    return f"{type(error).__name__}: {error}"


@cache
def arguments_model(name: str) -> type[BaseModel]:
    """Return the model of what a config may say to a step, made from its function's signature.

    A `DataFrame` becomes a table's name, a function its ``package.module:function``; what YAML cannot write, such as
    a Column, falls away where a text will do as well. The frame itself, the first parameter, is the table so far.

    Raises:
        FunctionError: There is no such function, or it takes no frame.
    """
    function = find_function(name)
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise FunctionError(f"`{name}` takes no frame: the first parameter is the table so far.")
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    extra: Literal["allow", "forbid"] = "forbid"
    for parameter in parameters[1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL and not given_by_the_run(parameter.name):
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            # A trailing underscore, for a parameter may have the name of one of pydantic's own methods.
            field = Field(default, alias=parameter.name)
            fields[f"{parameter.name}_"] = (in_yaml(hints.get(parameter.name, Any)), field)
    config = ConfigDict(extra=extra, strict=True, arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(name, __config__=config, **fields)


def given_by_the_run(parameter: str) -> bool:
    """Return whether a config leaves a parameter of this name to the run."""
    return parameter in (STAGING, KNOWN_NULLS)


def takes_known_nulls(function: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
    """Return whether a step that looks at all rows for nulls can be spared it by file statistics."""
    return KNOWN_NULLS in inspect.signature(function).parameters and arguments.get("in_every_row") is True


def may_peek(name: str) -> bool:
    """Return whether a step may start a job over some of its rows only; of a user's own function nobody knows."""
    return name in PEEKING or name not in TRANSFORMS


def takes_staging(function: Callable[..., Any]) -> bool:
    """Return whether the run has to give the function a folder for its staging."""
    return STAGING in inspect.signature(function).parameters


def makes_several_tables(function: Callable[..., Any]) -> bool:
    """Return whether the function is annotated to return frames by name rather than a frame."""
    returned = get_type_hints(function).get("return")
    origin = get_origin(returned)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def table_parameters(function: Callable[..., Any]) -> set[str]:
    """Return the parameters that take other tables of the job."""
    hints = get_type_hints(function)
    first = next(iter(inspect.signature(function).parameters))
    return {name for name, hint in hints.items() if name not in (first, "return") and _mentions(hint, DataFrame)}


def function_parameters(function: Callable[..., Any]) -> set[str]:
    """Return the parameters that take a function of the user's."""
    return {name for name, hint in get_type_hints(function).items() if name != "return" and _mentions_function(hint)}


def in_yaml(annotation: Any) -> Any:
    """Return what a parameter's annotation comes to in a YAML file.

    Example:
        >>> in_yaml(Sequence[str] | None)
        list[str] | None
        >>> in_yaml(DataFrame)
        <class 'str'>
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is DataFrame:
        return str
    if origin in (Union, types.UnionType):
        members = [in_yaml(member) for member in arguments]
        return reduce(or_, (member for member in members if member is not None))
    if _is_function(annotation):
        return Annotated[str, Field(pattern=FUNCTION)]
    if origin is Literal or annotation in (Any, type(None), str, bool, int, float):
        return annotation
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, in_yaml(arguments[1])]  # type: ignore[misc]  # made at run time
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return list[in_yaml(arguments[0])]  # type: ignore[misc]  # made at run time
    return None


def _is_function(annotation: Any) -> bool:
    return annotation is Callable or get_origin(annotation) is Callable


def _mentions_function(annotation: Any) -> bool:
    return _is_function(annotation) or any(map(_mentions_function, get_args(annotation)))


def _mentions(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(argument, wanted) for argument in get_args(annotation))
