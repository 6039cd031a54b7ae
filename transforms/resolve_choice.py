"""Turn choices into plain columns."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, DoubleType, FloatType, IntegralType, MapType, StructType

from transforms.choices.actions import Action, Steps, format_steps
from transforms.choices.choice import ChoiceType, choice_of, marked, to_choices
from transforms.choices.convert import convert
from transforms.choices.specs import Specs, parse_specs
from transforms.core.columns import schema_of
from transforms.core.type_names import parse_fields, type_name
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.rebuild import select
from transforms.nested.values import (
    Named,
    Value,
    element_of,
    member,
    members,
    null_of,
    row_of,
    struct_of,
    value_in,
    with_elements,
    with_values,
)

_KINDS_OF_NUMBERS = (IntegralType, (FloatType, DoubleType))


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
      ``project:array`` are legal. Where the choice has no T, but whole numbers or fractions of another width, such as
      long for int, these are taken where they fit.
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
    opened = to_choices(schema_of(df))
    plan = _plan(opened, specs, choice, schema)
    parts = [
        part
        for field in members(row_of(opened))
        for part in plan.parts(field, (f".{field.name}",), _inside(plan.catalog, f".{field.name}"))
    ]
    _refuse_twins([part.name for part in parts], opened.names, "the frame")
    return select(df, [marked(*part) for part in parts])


class _Part(NamedTuple):
    """One of the values that a value becomes; for most the only one."""

    suffix: str
    value: Value


@dataclass(frozen=True)
class _Plan:
    actions: Mapping[Steps, Action]
    for_all: Action | None
    catalog: DataType | None

    def parts(self, field: Named, at: Steps, catalog: DataType | None) -> list[Named]:
        """Return the fields that a field becomes."""
        split = self.split(field.value, at, catalog)
        return [Named(field.name + suffix, value, field.metadata) for suffix, value in split]

    def split(self, value: Value, at: Steps, catalog: DataType | None) -> list[_Part]:
        action, data_type = self.actions.get(at), value.data_type
        if isinstance(data_type, ChoiceType):
            return self._of_choice(value, data_type, at, action or self.for_all, catalog)
        if action is not None and action.kind == "cast":
            return [_Part("", convert(value, action.target()))]
        if isinstance(data_type, ArrayType):
            inner = self.split(element_of(value), (*at, "[]"), _inside(catalog, "[]"))
            return [_Part(suffix, with_elements(value, new)) for suffix, new in inner]
        if isinstance(data_type, MapType):
            inner = self.split(value_in(value), (*at, "{}"), _inside(catalog, "{}"))
            return [_Part(suffix, with_values(value, new)) for suffix, new in inner]
        if isinstance(data_type, StructType):
            return [_Part("", self._of_struct(value, at, catalog))]
        return [_Part("", value)]

    def _of_choice(
        self, value: Value, choice: ChoiceType, at: Steps, action: Action | None, catalog: DataType | None
    ) -> list[_Part]:
        kind = action.kind if action else None
        if action and kind == "cast":
            return [_Part("", convert(value, action.target()))]
        if kind == "match_catalog" and catalog is not None:
            return [_Part("", convert(value, catalog))]
        if action and kind == "project":
            name = action.alternative(choice, format_steps(at))
            if name is None:
                return [_Part("", _of_kin(value, choice, action.target()))]
            return self._of_alternative(value, choice.names.index(name), at, catalog)
        if kind == "make_cols":
            return [
                _Part(f"_{name}{suffix}", new)
                for index, name in enumerate(choice.names)
                for suffix, new in self._of_alternative(value, index, at, catalog)
            ]
        struct = self._of_struct(value, at, catalog)
        return [_Part("", _unmarked(struct) if kind == "make_struct" else struct)]

    def _of_alternative(self, value: Value, index: int, at: Steps, catalog: DataType | None) -> list[_Part]:
        name = value.data_type.names[index]  # type: ignore[attr-defined]  # a choice is a struct
        inner = self.split(member(value, index), (*at, f".{name}"), catalog)
        return [_Part(suffix, replace(new, is_kept=False)) for suffix, new in inner]

    def _of_struct(self, value: Value, at: Steps, catalog: DataType | None) -> Value:
        is_choice = isinstance(value.data_type, ChoiceType)
        before, after = members(value), list[Named]()
        for field in before:
            inside = catalog if is_choice else _inside(catalog, f".{field.name}")
            after += self.parts(field, (*at, f".{field.name}"), inside)
        if after == before:
            return value
        _refuse_twins([field.name for field in after], [field.name for field in before], f"`{format_steps(at)}`")
        if is_choice and all(field.name == type_name(field.value.data_type) for field in after):
            return choice_of(after, unless_null=value)
        return struct_of(after, unless_null=[value])


def _of_kin(value: Value, choice: ChoiceType, target: DataType) -> Value:
    """Return the values of the alternatives that hold numbers of the target's kind in another width; where they fit."""
    kind = next((kind for kind in _KINDS_OF_NUMBERS if isinstance(target, kind)), ())
    kin = [at for at, field in enumerate(choice.fields) if isinstance(field.dataType, kind)]
    if not kin:
        return null_of(target)
    values = ", ".join(convert(member(value, at), target).sql for at in kin)
    return Value(f"coalesce({values})", target, arrays=value.arrays, is_kept=False)


def _unmarked(struct: Value) -> Value:
    """Return a choice as a struct. Of a field as it is, Spark would keep the metadata and so the mark."""
    plain_struct = StructType(struct.data_type.fields)  # type: ignore[attr-defined]  # a choice is a struct
    return replace(struct, sql=f"coalesce({struct.sql})", data_type=plain_struct, is_kept=False)


def _plan(opened: StructType, specs: Specs | None, choice: str | None, schema: StructType | str | None) -> _Plan:
    catalog = parse_fields(schema) if isinstance(schema, str) else schema
    actions, for_all = parse_specs(opened, specs, choice)
    if for_all and for_all.kind == "match_catalog" and catalog is None:
        raise TransformError("`match_catalog` needs a `schema`: the columns of the table to match.")
    return _Plan(actions, for_all, catalog)


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


def _refuse_twins(names: list[str], before: list[str], where: str) -> None:
    known = Counter(name.lower() for name in before)
    for name, times in Counter(name.lower() for name in names).items():
        if times > max(1, known[name]):
            raise DuplicateColumnError(f"make_cols would make a second `{name}` in {where}. Rename one first.")
