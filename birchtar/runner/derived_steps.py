"""What each transform makes of the fields that it gets: none of them is missing here."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from birchtar.runner.derived import Made
from birchtar.runner.hidden import Paths, plain
from transforms.paths import Path, format_path, parse_path

MASKING = frozenset({"hash_columns", "mask_columns", "redact_columns"})
"""Those behind which a field may be read."""

KEEPING = frozenset(
    {
        "add_current_timestamp",
        "add_identifier",
        "add_uuid",
        "autobalance",
        "conditional_router",
        "drop_duplicates",
        "drop_fields",
        "drop_null_fields",
        "filter_array",
        "filter_rows",
        "flatten",
        "merge_frames",
        "remove_null_rows",
        "select_fields",
        "spigot",
        "split_fields",
        "split_rows",
        "union",
        "unnest",
    }
)
"""Those behind which no value has another name, if dots in a name count as they do in a path."""

Said = Mapping[str, Any]

_NAME = r"(?:`(?:[^`]|``)+`|[^\W\d]\w*)"
_NAMES = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME})*")
_ALL_FIELDS = re.compile(r"(?<!count)[(,.]\s*\*", re.IGNORECASE)

_TYPES = (
    *("array", "binary", "boolean", "byte", "date", "decimal", "double", "float", "int", "long", "map", "null"),
    *("short", "string", "struct", "timestamp", "timestamp_ntz", "variant"),
)
_TYPE_ENDS = (*_TYPES, *(f"{outer}_{inner}" for outer in ("array", "map") for inner in _TYPES))
"""What `resolve_choice` puts behind the name of a choice when it makes columns of it."""

_AS_IT_IS = frozenset({"array", "map", "struct"})
"""The types of a mapping that leave a value as it is."""


def named_in(expression: str) -> Iterator[Path]:
    """Yield the fields that an SQL expression may name, and the empty path where it takes all.

    Example:
        >>> list(named_in("upper(Person.`card no`) || tags[0]"))
        [('upper',), ('person', 'card no'), ('tags',)]
        >>> list(named_in("to_json(struct(*))"))
        [('to_json',), ('struct',), ()]
    """
    for match in _NAMES.finditer(expression):
        parts = re.findall(_NAME, match[0])
        yield plain(tuple(part[1:-1].replace("``", "`") if part[0] == "`" else part for part in parts))
    if _ALL_FIELDS.search(expression):
        yield ()


def made_by(name: str, said: Said, paths: Paths) -> Iterator[Made]:
    """Yield the fields that a step makes, besides those that keep their names.

    Args:
        name: A transform; a user's own function makes none.
        said: Its arguments.
        paths: The fields to be followed, before the step or behind it.

    Example:
        >>> list(made_by("split_string", {"column": "person.card", "new_column": "parts"}, frozenset()))
        [Made(new=('parts',), source=('person', 'card'), is_same=False)]
    """
    if name in MAKING:
        yield from MAKING[name](said, paths)


def _aggregate(said: Said, paths: Paths) -> Iterator[Made]:
    for group in _list(said.get("groups", ())):
        yield Made(_path(group)[-1:], _path(group), is_same=True)
    for column, function in said["aggregations"]:
        if not function.startswith("count"):  # which tells no value
            name = format_path(parse_path(column))
            label = f"sum(DISTINCT {name})" if function == "sumDistinct" else f"{function}({name})"
            yield Made(plain((label,)), _path(column))


def _apply_mapping(said: Said, paths: Paths) -> Iterator[Made]:
    for source, *rest in said["mappings"]:
        # Of three parts either of the last two may be the target, and the other one a type.
        targets = rest[1:2] if len(rest) == 3 else rest
        is_same = len(rest) == 1 or (len(rest) == 3 and rest[-1] in _AS_IT_IS)
        yield from (Made(_path(target), _path(source), is_same) for target in targets)


def _array_to_columns(said: Said, paths: Paths) -> Iterator[Made]:
    yield from (Made(plain((new,)), _path(said["column"]), is_same=True) for new in said["new_columns"])


def _cast_fields(said: Said, paths: Paths) -> Iterator[Made]:
    # Of a struct a text may be made, and structs are cast by position.
    yield from (Made(_path(path), _path(path)) for path in said["types"])


def _concatenate(said: Said, paths: Paths) -> Iterator[Made]:
    yield from (Made(plain((said["new_column"],)), _path(column)) for column in said["columns"])


def _derive_column(said: Said, paths: Paths) -> Iterator[Made]:
    yield from (Made(plain((said["column"],)), source) for source in named_in(said["expression"]))


def _explode(said: Said, paths: Paths) -> Iterator[Made]:
    source = _path(said["column"])
    if new := said.get("new_column"):
        yield Made(plain((new,)), source, is_same=True)
        return
    yield Made(plain((said.get("key_column") or "key",)), source)
    yield Made(plain((said.get("value_column") or "value",)), source)


def _extract_json_paths(said: Said, paths: Paths) -> Iterator[Made]:
    yield from (Made(plain((new,)), _path(said["column"])) for new in said["paths"])


def _extract_regex(said: Said, paths: Paths) -> Iterator[Made]:
    yield from (Made(plain((new,)), _path(said["column"])) for new in _list(said["new_columns"]) if new)


def _fill_missing(said: Said, paths: Paths) -> Iterator[Made]:
    is_model = said["how"] == "model"
    for column in _list(said["columns"]):
        source = _path(column)
        filled = f"{parse_path(column)[-1]}_filled" if is_model else None
        output = said.get("output_column") or filled
        new = plain((output,)) if output else source
        yield Made(new, source)
        if is_model:  # what it has learnt from a field may tell its values
            yield from (Made(new, _path(feature)) for feature in _list(said.get("features") or ()))
            if not said.get("features"):
                yield Made(new, ())


def _of_other_frame(said: Said, paths: Paths) -> Iterator[Made]:
    # A column of the other frame gets as many dots before its name as it takes to be free.
    yield from (Made(("", *path), path, is_same=True) for path in paths if path)


def _map_array(said: Said, paths: Paths) -> Iterator[Made]:
    path = _path(said["path"])
    yield from (Made(path, source) for source in _named_inside(said["expression"], path))


def _map_rows(said: Said, paths: Paths) -> Iterator[Made]:
    for new, text in (said.get("expressions") or {}).items():
        yield from (Made(plain((new,)), source) for source in named_in(text))


def _parse_json(said: Said, paths: Paths) -> Iterator[Made]:
    source = _path(said["column"])
    yield Made(_new_or(said, source), source)


def _pivot(said: Said, paths: Paths) -> Iterator[Made]:
    # Values become names, which nothing hides but the whole record.
    yield from (Made((), _path(column)) for column in [*_list(said["columns"]), said["values_of"]])


def _relationalize(said: Said, paths: Paths) -> Iterator[Made]:
    # In the tables of arrays the elements are `val`, at whatever depth, in those of maps the entries `key` and `value`.
    yield from (Made((end,), ()) for end in ("key", "value"))
    for path in filter(None, paths):
        inside = tuple(name for at, name in enumerate(path) if not at or name not in ("val", "value"))
        yield Made(path, inside, is_same=True)
        for marks in product(((), ("val",), ("val", "val"), ("value",)), repeat=min(len(path), 4) - 1):
            starts = zip(path, marks, strict=False)
            new = tuple(name for start, mark in starts for name in (start, *mark)) + path[len(marks) :]
            yield Made(new, path, is_same=True)


def _rename_field(said: Said, paths: Paths) -> Iterator[Made]:
    yield Made(_path(said["new_name"]), _path(said["old_name"]), is_same=True)


def _resolve_choice(said: Said, paths: Paths) -> Iterator[Made]:
    specs = said.get("specs") or {}
    for path, _ in specs.items() if isinstance(specs, Mapping) else specs:
        yield Made(_path(path), _path(path))
    if not (said.get("choice") or "make_cols").startswith(("make_", "project")):
        yield from (Made(path[:1], path) for path in paths)
    for path in paths:
        for at, name in enumerate(path):
            for end in _TYPE_ENDS:
                yield Made((*path[:at], f"{name}_{end}"), path[: at + 1], is_same=True)
                if name.endswith(f"_{end}"):
                    yield Made(path[: at + 1], (*path[:at], name.removesuffix(f"_{end}")), is_same=True)


def _simplify_ddb_json(said: Said, paths: Paths) -> Iterator[Made]:
    # Each attribute counts as a whole: inside it there are tags at any place.
    for path in paths:
        names = path[1:] if path[:1] == ("item",) else path
        name = names[:1]
        yield Made(name, ("item", *name))
        yield Made(name, name)


def _to_new_column(said: Said, paths: Paths) -> Iterator[Made]:
    source = _path(said["column"])
    yield Made(_new_or(said, source), source)


def _unbox(said: Said, paths: Paths) -> Iterator[Made]:
    yield Made(_path(said["path"]), _path(said["path"]))


def _unpivot(said: Said, paths: Paths) -> Iterator[Made]:
    new = plain((said.get("value_column", "value"),))
    yield from (Made(new, _path(column), is_same=True) for column in said["columns"])


def _with_fields(said: Said, paths: Paths) -> Iterator[Made]:
    for field, text in said["fields"].items():
        path = _path(field)
        yield from (Made(path, source) for source in _named_inside(text, path[:-1]))


MAKING: dict[str, Callable[[Said, Paths], Iterator[Made]]] = {
    "aggregate": _aggregate,
    "apply_mapping": _apply_mapping,
    "array_to_columns": _array_to_columns,
    "cast_fields": _cast_fields,
    "concatenate": _concatenate,
    "derive_column": _derive_column,
    "explode": _explode,
    "extract_json_paths": _extract_json_paths,
    "extract_regex": _extract_regex,
    "fill_missing": _fill_missing,
    "format_timestamp": _to_new_column,
    "join": _of_other_frame,
    "lookup": _of_other_frame,
    "map_array": _map_array,
    "map_rows": _map_rows,
    "parse_json": _parse_json,
    "pivot": _pivot,
    "relationalize": _relationalize,
    "rename_field": _rename_field,
    "resolve_choice": _resolve_choice,
    "simplify_ddb_json": _simplify_ddb_json,
    "split_string": _to_new_column,
    "to_timestamp": _to_new_column,
    "unbox": _unbox,
    "unnest_ddb_json": _simplify_ddb_json,
    "unpivot": _unpivot,
    "with_fields": _with_fields,
}
"""Those that make fields of fields. Where a new one may have any name its path is empty: then whole records count."""


def _named_inside(expression: str, around: Path) -> Iterator[Path]:
    """Yield what an expression may name that is computed inside a struct: of it, of those around it, or a column."""
    for path in named_in(expression):
        if path[:1] == ("_row",):
            yield path[1:]
        elif path[:1] == ("_",):
            yield around + path[1:]
        yield from (around[:depth] + path for depth in range(len(around) + 1))


def _new_or(said: Said, source: Path) -> Path:
    return plain((said["new_column"],)) if said.get("new_column") else source


def _path(text: str) -> Path:
    return plain(parse_path(text))


def _list(said: Any) -> list[Any]:
    return [said] if isinstance(said, str) else list(said)
