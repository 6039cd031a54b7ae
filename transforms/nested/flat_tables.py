"""Which flat tables, with which columns, come of a nested schema. Looks at types alone; needs no Spark session.

A place says where a value is in the rows that a table is made from: by the names that
`transforms.nested.keyed_rows` gives, below ``element`` for the rows of an array and below ``key`` and ``value``
for those of a map.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from transforms.errors import DuplicateColumnError
from transforms.nested.keyed_rows import member_names
from transforms.paths import Path, format_path


@dataclass(frozen=True)
class Leaf:
    """A column of a flat table: a value without members, or a key in the stead of an array or a map."""

    name: str
    source: Path
    """Where the value is in the input; ``val``, ``key`` and ``value`` stand for the inside of arrays and maps."""
    place: Path
    data_type: DataType

    @property
    def is_collection(self) -> bool:
        """Whether the rows of a table of its own come of this value."""
        return isinstance(self.data_type, ArrayType | MapType)


@dataclass(frozen=True)
class FlatTable:
    """A table, and below it those of the arrays and maps in its rows."""

    name: str
    source: Path
    """Where the array or map is in the input; empty for the root."""
    lead: tuple[str, ...]
    """The columns before the leaves: what joins a row to the table above."""
    leaves: tuple[Leaf, ...]
    children: tuple[tuple[Leaf, "FlatTable"], ...]
    """The arrays and maps among the leaves, each with its table."""

    def with_all_below(self) -> Iterator["FlatTable"]:
        """Yield this table and those below it, depth first."""
        yield self
        for _, child in self.children:
            yield from child.with_all_below()


def plan_tables(schema: StructType, name: str) -> FlatTable:
    """Return the root table of a schema.

    Raises:
        DuplicateColumnError: Two fields would become one column, or two arrays one table.
    """
    tops = [Leaf(field.name, (field.name,), (f"c{i}",), field.dataType) for i, field in enumerate(schema.fields)]
    leaves = [leaf for top in tops for leaf in _flatten(top)]
    root = FlatTable(name, (), (), tuple(leaves), _children(leaves, name))
    _refuse_twins(root)
    return root


def _flatten(value: Leaf) -> Iterator[Leaf]:
    if not isinstance(value.data_type, StructType):
        yield value
        return
    for name, field in zip(member_names(value.data_type), value.data_type.fields, strict=True):
        source, place = (*value.source, field.name), (*value.place, name)
        yield from _flatten(Leaf(f"{value.name}.{field.name}", source, place, field.dataType))


def _children(leaves: Sequence[Leaf], root: str) -> tuple[tuple[Leaf, FlatTable], ...]:
    return tuple((leaf, _child(leaf, root)) for leaf in leaves if leaf.is_collection)


def _child(opened: Leaf, root: str) -> FlatTable:
    leaves = [leaf for value in _inside(opened) for leaf in _flatten(value)]
    lead = ("id",) if isinstance(opened.data_type, MapType) else ("id", "index")
    name = f"{root}_{'.'.join(opened.source)}"
    return FlatTable(name, opened.source, lead, tuple(leaves), _children(leaves, root))


def _inside(opened: Leaf) -> Iterator[Leaf]:
    if isinstance(opened.data_type, ArrayType):
        source = (*opened.source, "val")
        yield Leaf(".".join(source), source, ("element",), opened.data_type.elementType)
    if isinstance(opened.data_type, MapType):
        yield Leaf("key", (*opened.source, "key"), ("key",), opened.data_type.keyType)
        yield Leaf("value", (*opened.source, "value"), ("value",), opened.data_type.valueType)


def _refuse_twins(root: FlatTable) -> None:
    tables: dict[str, Path] = {}
    for table in root.with_all_below():
        _remember(tables, table.name, table.source, f"table `{table.name}`")
        columns: dict[str, Path] = {}
        for leaf in table.leaves:
            _remember(columns, leaf.name, leaf.source, f"column `{leaf.name}` of the table `{table.name}`")


def _remember(seen: dict[str, Path], name: str, source: Path, what: str) -> None:
    if name in seen:
        twins = f"{format_path(seen[name])} and {format_path(source)}"
        raise DuplicateColumnError(f"The fields {twins} would both become the {what}. Rename one of them first.")
    seen[name] = source
