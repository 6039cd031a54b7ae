"""Flat tables in place of nested rows."""

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import MapType

from transforms.core.columns import schema_of
from transforms.nested.flat_tables import FlatTable, Leaf, plan_tables
from transforms.nested.keyed_rows import ROW_KEY, keep_keyed_rows
from transforms.nested.values import SHALLOW
from transforms.paths import quote


def relationalize(df: DataFrame, name: str = "root", *, staging_path: str | None = None) -> dict[str, DataFrame]:
    """Turn nested rows into flat tables that join by generated keys.

    A struct becomes columns with dotted names (``address.city``); a null struct gives nulls, a struct without members
    no column. An array or a map keeps its column, which then holds a key (a long, maybe negative), and its elements
    become the rows of another table, whose column ``id`` holds that key. A null array has a null key; an empty one has
    a key that no row of its table has. A null element is a row of nulls. Other columns keep order and type.

    Starts one job, which computes ``df`` once; the tables are lazy and read what it kept. So their keys agree however
    often, in whatever order and from however many threads they are computed, even if ``df`` would not come out the
    same again. Keys count on from a random number, so that runs that append to the same tables keep apart: for two runs
    of a million rows the chance that keys meet is about 1 in 10**12. Keys of nested arrays are hashed from the key
    above and the position: with a million rows of ten elements each, two are equal with a chance of about 1 in 10**10.

    Glue: Relationalize. Cost: one pass at once, which keeps the rows; each table reads what was kept.

    Args:
        df: Any frame. Rows that are equal get keys of their own.
        name: Name of the root table, and the first part of the others' names.
        staging_path: Folder for the kept rows. They are written once, as Parquet, to a new folder in it, which the
            caller removes when the tables are written. If None, Spark keeps them itself (a local checkpoint): quicker
            and nothing to remove, but the tables are lost with the executors that hold them. They then fail; they
            never show other keys. Choose a folder where executors come and go or run tasks twice (speculation).

    Returns:
        The tables by name: the root, then depth first in column order one for each array and map.

        - ``root_items`` for an array ``items``: ``id``, ``index`` (the position, from 0), then ``items.val``, or for an
          array of structs ``items.val.sku`` and so on.
        - ``root_items.val.parts`` for an array ``parts`` in those structs, with ``items.val.parts.val``;
          ``root_items.val`` for an array of arrays, with ``items.val.val``.
        - ``root_labels`` for a map ``labels``: ``id``, ``key``, ``value``, or ``value.text`` and so on; an array in its
          values is the table ``root_labels.value`` with ``labels.value.val``.

    Raises:
        DuplicateColumnError: Two fields would become one column, as ``a.b`` and the member ``b`` of ``a``, or two
            arrays one table. Names that differ in case are not the same.

    Example:
        >>> df = spark.sql("SELECT 7 AS order, named_struct('city', 'Bern') AS address, array('a', 'b') AS tags")
        >>> tables = relationalize(df)
        >>> tables["root"].columns, tables["root_tags"].columns
        (['order', 'address.city', 'tags'], ['id', 'index', 'tags.val'])
        >>> joined = tables["root"].join(tables["root_tags"], F.col("tags") == F.col("id"), how="inner")
        >>> joined.select("order", "index", "`tags.val`").show()
        +-----+-----+--------+
        |order|index|tags.val|
        +-----+-----+--------+
        |    7|    0|       a|
        |    7|    1|       b|
        +-----+-----+--------+
        <BLANKLINE>

    Source: Glue transforms, Relationalize. Null and empty arrays, maps and nested names are our choice there.
    """
    plan = plan_tables(schema_of(df), name)
    rows = keep_keyed_rows(df, staging_path=staging_path)
    return dict(_frames(plan, rows, F.col(ROW_KEY), depth=0))


def _frames(table: FlatTable, rows: DataFrame, key: Column, *, depth: int) -> Iterator[tuple[str, DataFrame]]:
    yield table.name, rows.select(*table.lead, *(_flat(leaf, key) for leaf in table.leaves))
    # The keys above are numbers in a row; the hash of an element's index moves them to another part of all longs.
    element_key = F.col("id").bitwiseXOR(F.xxhash64("index", F.lit(depth)))
    for leaf, child in table.children:
        yield from _frames(child, _open(leaf, rows, key), element_key, depth=depth + 1)


def _open(collection: Leaf, rows: DataFrame, key: Column) -> DataFrame:
    inside = ["key", "value"] if isinstance(collection.data_type, MapType) else ["element"]
    return rows.select(key.alias("id"), F.posexplode(_at(collection)).alias("index", *inside))


def _flat(leaf: Leaf, key: Column) -> Column:
    value = _at(leaf)
    return (F.when(value.isNotNull(), key) if leaf.is_collection else value).alias(leaf.name)


def _at(leaf: Leaf) -> Column:
    value = F.col(".".join(quote(name) for name in leaf.place))
    # As in `transforms.nested.values.in_branch`: many deep values at once are more than Spark can plan.
    return F.when(F.spark_partition_id() >= 0, value) if len(leaf.place) > SHALLOW else value
