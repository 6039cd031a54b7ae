"""What `relationalize` takes apart, joined back by its keys, is the input."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import assume, given
from pyspark.sql import types as t
from random_frames import few_examples, frames

from transforms.errors import DuplicateColumnError
from transforms.relationalize import relationalize

Tables = Mapping[str, Mapping[Any, Sequence[Mapping[str, Any]]]]
"""The rows of each table, by the key in their column ``id``."""


@few_examples
@given(frames())
def test_any_frame_can_be_joined_back(spark, frame):
    df = frame.on(spark)
    try:
        frames_by_name = relationalize(df)
    except DuplicateColumnError:
        assume(False)
    tables: defaultdict[str, Any] = defaultdict(lambda: defaultdict(list))
    for name, table in frames_by_name.items():
        for row in table.collect():
            record = dict(zip(table.columns, row, strict=True))
            tables[name][record["id"] if name != "root" else None].append(record)
    found = [joined(record, frame.schema, "", (), tables) for record in tables["root"][None]]
    wanted = [without_null_structs(row, frame.schema) for row in frame.rows]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


def joined(record: Mapping[str, Any], kind: t.DataType, name: str, source: tuple[str, ...], tables: Tables) -> Any:
    """Return the value that a table's row has in a column, with what lies in the tables below it."""
    below = tables["root_" + ".".join(source)] if source else {}
    if isinstance(kind, t.StructType):
        prefix = f"{name}." if source else ""
        return {
            field.name: joined(record, field.dataType, prefix + field.name, (*source, field.name), tables)
            for field in kind.fields
        }
    if isinstance(kind, t.ArrayType) and record[name] is not None:
        inner = (*source, "val")
        elements = sorted(below.get(record[name], []), key=lambda element: element["index"])
        assert [element["index"] for element in elements] == list(range(len(elements)))
        return [joined(element, kind.elementType, ".".join(inner), inner, tables) for element in elements]
    if isinstance(kind, t.MapType) and record[name] is not None:
        entries = below.get(record[name], [])
        return {
            entry["key"]: joined(entry, kind.valueType, "value", (*source, "value"), tables)
            for entry in sorted(entries, key=lambda entry: entry["key"])
        }
    return record[name]


def without_null_structs(value: Any, kind: t.DataType) -> Any:
    """Return a value as it comes back: a null struct as one of nulls, which is all that flat tables tell of it."""
    if isinstance(kind, t.StructType):
        members = value if value is not None else [None] * len(kind.fields)
        pairs = zip(kind.fields, members, strict=True)
        return {field.name: without_null_structs(member, field.dataType) for field, member in pairs}
    if isinstance(kind, t.ArrayType) and value is not None:
        return [without_null_structs(element, kind.elementType) for element in value]
    if isinstance(kind, t.MapType) and value is not None:
        return {key: without_null_structs(item, kind.valueType) for key, item in sorted(value.items())}
    return value
