"""Flat tables in place of nested rows."""

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import MapType

from transforms.flat_tables import FlatTable, Leaf, plan_tables
from transforms.keyed_rows import ROW_KEY, keep_keyed_rows
from transforms.paths import quote


def relationalize(df: DataFrame, name: str = "root", *, staging_path: str | None = None) -> dict[str, DataFrame]:
    """TODO."""
    plan = plan_tables(df.schema, name)
    rows = keep_keyed_rows(df, staging_path=staging_path)
    return dict(_frames(plan, rows, F.col(ROW_KEY), depth=0))


def _frames(table: FlatTable, rows: DataFrame, key: Column, *, depth: int) -> Iterator[tuple[str, DataFrame]]:
    yield table.name, rows.select(*_lead(table), *(_flat(leaf, key) for leaf in table.leaves))
    # An element's key: distinct numbers, next to each other, spread over all longs by the position of the element.
    element_key = F.col("id").bitwiseXOR(F.xxhash64("index", F.lit(depth)))
    for child in table.children:
        yield from _frames(child, _open(child.opened, rows, key), element_key, depth=depth + 1)


def _lead(table: FlatTable) -> list[str]:
    if table.opened is None:
        return []
    return ["id"] if isinstance(table.opened.data_type, MapType) else ["id", "index"]


def _open(collection: Leaf, rows: DataFrame, key: Column) -> DataFrame:
    inside = ["key", "value"] if isinstance(collection.data_type, MapType) else ["element"]
    return rows.select(key.alias("id"), F.posexplode(_at(collection)).alias("index", *inside))


def _flat(leaf: Leaf, key: Column) -> Column:
    value = _at(leaf)
    return (F.when(value.isNotNull(), key) if leaf.is_collection else value).alias(leaf.name)


def _at(leaf: Leaf) -> Column:
    return F.col(".".join(quote(name) for name in leaf.place))
