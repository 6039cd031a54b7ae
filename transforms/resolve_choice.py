"""Turn choices into plain columns."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from transforms.choices.actions import Action, Steps, format_steps, parse_action, parse_steps, require_place
from transforms.choices.choice import ChoiceType, members_of, named, to_choices
from transforms.choices.convert import convert
from transforms.core.columns import by_position
from transforms.core.type_names import parse_fields, type_name
from transforms.errors import DuplicateColumnError, TransformError

Specs = Mapping[str, str] | Sequence[Sequence[str]]


def resolve_choice(
    df: DataFrame,
    specs: Specs | None = None,
    *,
    choice: str | None = None,
    schema: StructType | str | None = None,
) -> DataFrame:
    """Turn choices, fields that hold values of several types, into what the actions say. Lazy.

    - ``cast:T``: one field of type T. A value that cannot be cast is null; a struct, array or map becomes its JSON
      text where T is ``string``.
    - ``make_cols``: a field per type, ``id_long`` and ``id_string``, in the place of ``id``; in each row all but one
      are null. The elements of an array give an array per type, of the same length, with nulls. No value is lost.
    - ``make_struct``: a struct with a member per type, ``{long, string}``.
    - ``project:T``: one field of type T with the values of that type; the others are null. ``project:struct`` and
      ``project:array`` are legal.
    - ``match_catalog``: only as ``choice``; each choice is cast to the type that its field has in ``schema``, names in
      any case. What is not in ``schema`` stays a choice.

    A null stays null. Fields that are no choice stay untouched, except that ``cast:T`` in ``specs`` casts them as well.
    Names of types are Glue's or Spark's, in any case.

    Glue: ResolveChoice. Cost: lazy, no pass.

    Args:
        df: Any frame.
        specs: Actions by path, as a mapping or as pairs. A path needs ``[]`` behind an array and ``{}`` behind a map:
            ``orders[].price``. Case matters. Not together with ``choice``.
        choice: One action for all choices, at any depth.
        schema: For ``match_catalog``: the table's columns, as DDL text or a type.

    Returns:
        The columns in their order; what ``make_cols`` makes stands where the choice was.

    Raises:
        TransformError: Not exactly one of ``specs`` and ``choice`` is given; an action or type is not known.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A path is not there.
        ColumnTypeError: A path lacks ``[]`` or has one too many.
        DuplicateColumnError: ``make_cols`` would make a name that is there.

    Example:
        >>> from pyspark.sql.types import LongType, StringType
        >>> from transforms.choices.choice import to_marks
        >>> ids = to_marks(StructType().add("id", ChoiceType.of([LongType(), StringType()])))
        >>> df = spark.createDataFrame([((7, None),), ((None, "x"),)], ids)
        >>> df.transform(resolve_choice, choice="make_cols").collect()
        [Row(id_long=7, id_string=None), Row(id_long=None, id_string='x')]
        >>> df.transform(resolve_choice, {"id": "cast:long"}).collect()
        [Row(id=7), Row(id=None)]

    Source:
        reference: Glue transforms, "Choice and resolveChoice". For project Glue's pages disagree; values of other types
        become null. Elements, maps, missing catalog columns and plain columns under other actions are our choice.
    """
    opened = to_choices(df.schema)
    plan = _plan(df, opened, specs, choice, schema)
    parts = [
        (position, part)
        for position, field in enumerate(opened.fields)
        for part in plan.parts_of(field, (f".{field.name}",))
    ]
    _refuse_twins([part.field.name for _, part in parts], df.columns, "the frame")
    columns = [named(part.value(F.col(f"c{position}")), part.field) for position, part in parts]
    return by_position(df).select(*columns)


class _Part(NamedTuple):
    """One of the fields that a field becomes; for most fields the only one."""

    field: StructField
    build: Callable[[Column], Column] | None = None
    """Makes its value of the field's; None where that stays as it is."""

    def value(self, column: Column) -> Column:
        return column if self.build is None else self.build(column)


class _Split(NamedTuple):
    """One of the values that a value becomes."""

    suffix: str
    data_type: DataType
    build: Callable[[Column], Column] | None = None


@dataclass(frozen=True)
class _Plan:
    actions: Mapping[Steps, Action]
    for_all: Action | None
    catalog: DataType | None

    def parts_of(self, field: StructField, at: Steps) -> list[_Part]:
        parts = []
        for suffix, data_type, build in self.splits(field.dataType, at, self.catalog and _inside(self.catalog, at[-1])):
            whole = StructField(field.name + suffix, data_type, True if build else field.nullable, field.metadata)
            parts.append(_Part(whole, build))
        return parts

    def splits(self, data_type: DataType, at: Steps, catalog: DataType | None) -> list[_Split]:
        action = self.actions.get(at)
        if isinstance(data_type, ChoiceType):
            return self._of_choice(data_type, at, action or self.for_all, catalog)
        if action is not None and action.kind == "cast":
            return [_cast(data_type, action.target())]
        if isinstance(data_type, ArrayType):
            inner = self.splits(data_type.elementType, (*at, "[]"), catalog and _inside(catalog, "[]"))
            return [_each_element(split) for split in inner]
        if isinstance(data_type, MapType):
            keys, inner = data_type.keyType, self.splits(data_type.valueType, (*at, "{}"), _inside(catalog, "{}"))
            return [_each_value(keys, split) for split in inner]
        if isinstance(data_type, StructType):
            return [self._of_struct(data_type, at, catalog)]
        return [_Split("", data_type)]

    def _of_choice(
        self, choice: ChoiceType, at: Steps, action: Action | None, catalog: DataType | None
    ) -> list[_Split]:
        kind = action.kind if action else None
        if action and kind == "cast":
            return [_cast(choice, action.target())]
        if kind == "match_catalog" and catalog is not None:
            return [_cast(choice, catalog)]
        if action and kind == "project":
            return self._projected(choice, at, action, catalog)
        if kind == "make_cols":
            return [
                _Split(f"_{field.name}{split.suffix}", split.data_type, _member(field.name, split.build))
                for field in choice.fields
                for split in self.splits(field.dataType, (*at, f".{field.name}"), catalog)
            ]
        struct = self._of_struct(choice, at, catalog)
        if kind == "make_struct":
            # Of the field itself, Spark would keep the metadata and so the mark.
            build = struct.build or (lambda column: F.coalesce(column))
            return [_Split("", StructType(_fields_of(struct.data_type)), build)]
        return [struct]

    def _projected(self, choice: ChoiceType, at: Steps, action: Action, catalog: DataType | None) -> list[_Split]:
        name = action.alternative(choice, format_steps(at))
        if name is not None:
            inner = self.splits(choice[name].dataType, (*at, f".{name}"), catalog)
            return [_Split(split.suffix, split.data_type, _member(name, split.build)) for split in inner]
        target = action.target()
        return [_Split("", target, lambda _: F.lit(None).cast(target))]

    def _of_struct(self, struct: StructType, at: Steps, catalog: DataType | None) -> _Split:
        is_choice = isinstance(struct, ChoiceType)
        parts = [self.splits_of_member(field, (*at, f".{field.name}"), catalog, is_choice) for field in struct.fields]
        fields = [part.field for inner in parts for part in inner]
        if all(part.build is None for inner in parts for part in inner):
            return _Split("", struct)
        _refuse_twins([field.name for field in fields], struct.names, f"`{format_steps(at)}`")

        def build(column: Column) -> Column:
            members = [
                named(part.value(member), part.field)
                for member, inner in zip(members_of(column, struct), parts, strict=True)
                for part in inner
            ]
            return F.when(column.isNotNull(), F.struct(*members))

        still = is_choice and all(field.name == type_name(field.dataType) for field in fields)
        return _Split("", ChoiceType(fields) if still else StructType(fields), build)

    def splits_of_member(self, field: StructField, at: Steps, catalog: DataType | None, is_choice: bool) -> list[_Part]:
        inside = catalog if is_choice or catalog is None else _inside(catalog, at[-1])
        return [
            _Part(StructField(field.name + suffix, data_type, True, field.metadata), build)
            for suffix, data_type, build in self.splits(field.dataType, at, inside)
        ]


def _plan(
    df: DataFrame, opened: StructType, specs: Specs | None, choice: str | None, schema: StructType | str | None
) -> _Plan:
    if not specs and not choice:
        raise TransformError("resolve_choice needs `specs`, actions by path, or `choice`, one action for all choices.")
    if specs and choice:
        raise TransformError("resolve_choice takes either `specs` or `choice`, not both.")
    catalog = parse_fields(schema) if isinstance(schema, str) else schema
    if choice:
        action = parse_action(choice)
        if action.kind == "match_catalog" and catalog is None:
            raise TransformError("`match_catalog` needs a `schema`: the columns of the table to match.")
        return _Plan({}, action, catalog)
    actions: dict[Steps, Action] = {}
    for path, text in _pairs(specs or {}):
        steps, action = parse_steps(path), parse_action(text)
        if action.kind == "match_catalog":
            raise TransformError(f"`{path}`: `match_catalog` is for all choices at once: choice='match_catalog'.")
        require_place(opened, steps)
        if actions.setdefault(steps, action) != action:
            raise TransformError(f"`{path}` has two actions: {actions[steps].kind} and {action.kind}.")
    return _Plan(actions, None, catalog)


def _pairs(specs: Specs) -> Iterator[tuple[str, str]]:
    if isinstance(specs, Mapping):
        yield from specs.items()
        return
    pairs = [specs] if len(specs) and isinstance(specs[0], str) else specs
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            raise TransformError(f"`specs` holds pairs of a path and an action, got {pair!r}.")
        yield pair[0], pair[1]  # type: ignore[misc]  # a pair of texts


def _cast(source: DataType, target: DataType) -> _Split:
    return _Split("", target, lambda column: convert(column, source, target))


def _member(name: str, build: Callable[[Column], Column] | None) -> Callable[[Column], Column]:
    return lambda column: column.getField(name) if build is None else build(column.getField(name))


def _each_element(split: _Split) -> _Split:
    build = split.build
    return _Split(split.suffix, ArrayType(split.data_type), build and (lambda column: F.transform(column, build)))


def _each_value(keys: DataType, split: _Split) -> _Split:
    build = split.build
    whole = MapType(keys, split.data_type)
    return _Split(
        split.suffix, whole, build and (lambda column: F.transform_values(column, lambda _, value: build(value)))
    )


def _inside(catalog: DataType | None, step: str) -> DataType | None:
    """Return what a table has at a step, names in any case."""
    if isinstance(catalog, ArrayType) and step == "[]":
        return catalog.elementType
    if isinstance(catalog, MapType) and step == "{}":
        return catalog.valueType
    if isinstance(catalog, StructType) and step.startswith("."):
        by_case = {field.name.lower(): field.dataType for field in catalog.fields}
        by_case |= {field.name: field.dataType for field in catalog.fields}
        return by_case.get(step[1:], by_case.get(step[1:].lower()))
    return None


def _fields_of(data_type: DataType) -> list[StructField]:
    return data_type.fields if isinstance(data_type, StructType) else []


def _refuse_twins(names: list[str], before: list[str], where: str) -> None:
    known = Counter(name.lower() for name in before)
    for name, times in Counter(name.lower() for name in names).items():
        if times > max(1, known[name]):
            raise DuplicateColumnError(f"make_cols would make a second `{name}` in {where}. Rename one first.")
