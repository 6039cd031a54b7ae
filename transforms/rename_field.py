"""Rename a field, or move it to another struct."""

from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, StructType

from transforms.choices.refused import refuse_choice
from transforms.core.columns import schema_of
from transforms.drop_fields import emptied
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.rebuild import Addition, Change, Scope, rebuild
from transforms.nested.values import Named, Value, member, members, struct_of
from transforms.paths import Path, Position, fields_in, fields_of, find, format_path, parse_path, position_of, require


def rename_field(df: DataFrame, old_name: str, new_name: str, *, strict: bool = False) -> DataFrame:
    """Give a field another name, at the top or inside structs and arrays of structs; another path moves it there.

    Lazy. Both names are full paths: ``items[].price`` becomes ``items[].unit_price``, not ``unit_price``. A field that
    keeps its struct keeps its place, type and metadata. A field that moves goes behind the others of its new struct,
    which is made if it is not there; where that struct is null and the field is not, the struct is made too. The struct
    that it leaves goes if it has no other field. A field stays inside its array: elements of one array have no one
    value for a field outside it.

    Glue: RenameField. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        old_name: The path of the field; case matters. Of several fields with this path, all are renamed.
        new_name: Its new path.
        strict: Refuse an ``old_name`` that is not there; otherwise nothing changes then, as in Glue.

    Returns:
        The same columns in the same order, but for a column that moves in or out.

    Raises:
        PathSyntaxError: A path cannot be read.
        MissingColumnError: ``strict`` is set and there is no such field.
        DuplicateColumnError: There is a field with the new path already, or several of the old that would move.
        TransformError: The field would move out of its array, into another array, or into itself.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, array(named_struct('sku', 'a', 'price', 9)) AS items")
        >>> df.transform(rename_field, "items[].price", "items[].unit_price").collect()
        [Row(id=1, items=[Row(sku='a', unit_price=9)])]
        >>> df.transform(rename_field, "id", "order.id").collect()
        [Row(items=[Row(sku='a', price=9)], order=Row(id=1))]

    Source:
        reference: Glue transforms, "RenameField". What happens to null structs and to a name that is taken is our
        choice.
    """
    schema, old, new = schema_of(df), parse_path(old_name), parse_path(new_name)
    if strict:
        require(schema, old)
    places = [field.position for field in fields_in(schema) if field.path == old]
    if not places or old == new:
        return df
    if find(schema, new) is not None:
        raise DuplicateColumnError(f"rename_field: There is a field `{new_name}` already. Rename or drop it first.")
    if old[:-1] == new[:-1]:
        return rebuild(df, dict.fromkeys(places, lambda field, scope: [field._replace(name=new[-1])]))
    return _moved(df, schema, old, new)


def _moved(df: DataFrame, schema: StructType, old: Path, new: Path) -> DataFrame:
    if new[: len(old)] == old:
        raise TransformError(f"rename_field cannot move `{format_path(old)}` into itself, to `{format_path(new)}`.")
    there = max(depth for depth in range(len(new)) if depth == 0 or find(schema, new[:depth]) is not None)
    source = position_of(schema, old, enters_arrays=True)
    target = position_of(schema, new[:there], enters_arrays=True) if there else ()
    shared = _innermost_array(schema, old[:-1])
    if shared != _innermost_array(schema, new[:there]) or source[:shared] != target[:shared]:
        raise TransformError(
            f"rename_field cannot move `{format_path(old)}` to `{format_path(new)}`: it cannot leave an array or enter"
            " one. In place, write the whole path: "
            f"`{format_path((*old[:-1], new[-1]))}`."
        )
    if there:
        refuse_choice(schema, target)
    if there and fields_of(find(schema, new[:there]) or schema) is None:
        kind = (find(schema, new[:there]) or schema).simpleString()
        raise TransformError(
            f"rename_field cannot put a field into `{format_path(new[:there])}`, which is of type {kind}."
        )

    def moving(scope: Scope) -> Named:
        value, metadata = _reached(scope[shared], source[shared:])
        for name in reversed(new[there + 1 :]):
            value, metadata = struct_of([Named(name, value, metadata)]), {}
        return Named(new[there], value, metadata)

    def joined(field: Named, scope: Scope) -> list[Named]:
        more = moving(scope)
        return [field._replace(value=struct_of([*members(field.value), more], unless_null=[field.value, more.value]))]

    gone = emptied(schema, [source], filled=target)
    changes: dict[Position, Change] = dict.fromkeys(gone, lambda field, scope: [])
    additions: dict[Position, list[Addition]] = {}
    if target == source[: len(target)]:
        additions[target] = [moving]
    else:
        changes[target] = joined
    return rebuild(df, changes, additions)


def _innermost_array(schema: StructType, path: Path) -> int:
    """Return how many names of the path lead to the last array on it; 0 if there is none."""
    deepest, here = 0, schema
    for depth, name in enumerate(path, start=1):
        found: DataType = (fields_of(here) or schema)[name].dataType
        if isinstance(found, ArrayType):
            deepest = depth
        here = fields_of(found) or StructType()
    return deepest


def _reached(value: Value, position: Position) -> tuple[Value, dict[str, object]]:
    metadata: dict[str, object] = {}
    for index in position:
        struct = value.data_type
        value = member(value, index)
        metadata = struct[index].metadata or {} if isinstance(struct, StructType) else {}
    return value, metadata
