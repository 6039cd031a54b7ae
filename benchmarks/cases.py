"""Each transform, and the same result written by hand. `benchmarks/transforms.py` measures them."""

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from transforms.add_current_timestamp import add_current_timestamp
from transforms.add_identifier import add_identifier
from transforms.add_uuid import add_uuid
from transforms.aggregate import aggregate
from transforms.apply_mapping import apply_mapping
from transforms.array_to_columns import array_to_columns
from transforms.autobalance import autobalance
from transforms.cast_fields import cast_fields
from transforms.concatenate import concatenate
from transforms.conditional_router import conditional_router
from transforms.derive_column import derive_column
from transforms.drop_duplicates import drop_duplicates
from transforms.drop_fields import drop_fields
from transforms.drop_null_fields import drop_null_fields
from transforms.explode import explode
from transforms.extract_json_paths import extract_json_paths
from transforms.extract_regex import extract_regex
from transforms.fill_missing import fill_missing
from transforms.filter_array import filter_array
from transforms.filter_rows import filter_rows
from transforms.flatten import flatten
from transforms.format_timestamp import format_timestamp
from transforms.hash_columns import hash_columns
from transforms.join import join
from transforms.lookup import lookup
from transforms.map_array import map_array
from transforms.map_rows import map_rows
from transforms.mask_columns import mask_columns
from transforms.merge_frames import merge_frames
from transforms.parse_json import parse_json
from transforms.pivot import pivot
from transforms.redact_columns import redact_columns
from transforms.relationalize import relationalize
from transforms.remove_null_rows import remove_null_rows
from transforms.rename_field import rename_field
from transforms.resolve_choice import resolve_choice
from transforms.select_fields import select_fields
from transforms.simplify_ddb_json import simplify_ddb_json
from transforms.spigot import spigot
from transforms.split_fields import split_fields
from transforms.split_rows import split_rows
from transforms.split_string import split_string
from transforms.to_timestamp import to_timestamp
from transforms.unbox import unbox
from transforms.union import union
from transforms.unnest import unnest
from transforms.unnest_ddb_json import unnest_ddb_json
from transforms.unpivot import unpivot
from transforms.with_fields import with_fields


class Frames:
    """The frames that the cases take."""

    def __init__(self, spark: SparkSession, orders: DataFrame) -> None:
        self.orders = orders
        self._spark = spark

    @cached_property
    def towns(self) -> DataFrame:
        """A small table; its column `name` is in `orders` too."""
        return self._spark.createDataFrame([("Ulm", "BW"), ("Bonn", "NW"), ("Köln", "NW")], "town STRING, name STRING")

    @cached_property
    def new_orders(self) -> DataFrame:
        """A tenth of the orders with other amounts, and as many new ones."""
        ids = self._spark.range(900_000, 1_100_000)
        return ids.selectExpr("CAST(id AS INT) AS id", "CAST(id AS DOUBLE) AS amount")

    @cached_property
    def choices(self) -> DataFrame:
        """Orders whose column `v` is now an int, now a text."""
        choice = "named_struct('int', IF(id % 10 = 0, NULL, id), 'string', IF(id % 10 = 0, code, NULL))"
        return self.orders.select("id", F.expr(choice).alias("v", metadata={"choice": [""]}), "town")

    @cached_property
    def tagged(self) -> DataFrame:
        """Orders as DynamoDB writes them."""
        name, price = "named_struct('S', name)", "named_struct('N', CAST(amount AS STRING))"
        tags = "named_struct('L', transform(tags, tag -> named_struct('S', tag)))"
        inner = f"named_struct('M', named_struct('price', {price}))"
        return self.orders.selectExpr(f"named_struct('name', {name}, 'm', {inner}, 'tags', {tags}) AS Item")


Way = Callable[[Frames], DataFrame | dict[str, DataFrame]]


@dataclass(frozen=True)
class Case:
    """A transform and its hand-written counterpart."""

    ours: Way
    by_hand: Way
    same_rows: bool = True
    """Whether both give equal rows; generated keys and samples differ."""
    limited: bool = True
    """Whether the hand-written way is an expression that sets the limit; otherwise it is a slower way to beat."""


def _late(record: dict[str, object]) -> dict[str, object]:
    delay = record["delay"]
    return {"id": record["id"], "late": delay is not None and delay > 15, "city": record["customer"]["address"]["city"]}


def _late_row(row: Row) -> tuple[object, ...]:
    late = _late(row.asDict(recursive=True))
    return late["id"], late["late"], late["city"]


def _untagged_by_hand(frames: Frames, *, open_lists: bool) -> DataFrame:
    price = F.when(F.col("Item.m.M").isNotNull(), F.struct(F.col("Item.m.M.price.N").alias("price"))).alias("m")
    tags = F.transform("Item.tags.L", lambda tag: tag["S"]) if open_lists else F.col("Item.tags.L")
    return frames.tagged.select(F.col("Item.name.S").alias("name"), price, tags.alias("tags"))


def _spigot_by_hand(frames: Frames) -> DataFrame:
    frames.orders.limit(100).coalesce(1).write.json(f"{tempfile.mkdtemp()}/sample")
    return frames.orders


_LATE = "id INT, late BOOLEAN, city STRING"
_FOR_LATE = ["id", "delay", "customer", "tags"]


def _kept(struct: str, members: Column) -> Column:
    """Return the members where there is the struct; a null struct stays null, as it does in the transforms."""
    return F.when(F.col(struct).isNotNull(), members)


def _customer_by_hand(*members: str) -> Column:
    address = _kept("customer.address", F.struct("customer.address.city")).alias("address")
    return _kept("customer", F.struct(*members, address)).alias("customer")


def _drop_by_hand(frames: Frames) -> DataFrame:
    items = _items(lambda item: _members(item, "sku", "parts"))
    made = {"customer": _customer_by_hand("customer.id"), "items": items}
    return frames.orders.select(*(made.get(name, name) for name in frames.orders.columns if name != "nothing"))


def _nulls_by_hand(frames: Frames) -> DataFrame:
    df = frames.orders
    inside = ["customer.id", "customer.address.city", "customer.address.zip"]
    lists = [_has("items", name) for name in ("sku", "price", "parts")]
    found = df.agg(*(F.count(name).alias(name) for name in df.columns), *map(F.count, inside), *lists).first()
    return df.drop(*(name for name in df.columns if not found[name]))


def _has(array: str, member: str) -> Column:
    return F.count_if(F.exists(array, lambda element: element[member].isNotNull())).alias(f"{array}.{member}")


def _relationalize_by_hand(frames: Frames) -> dict[str, DataFrame]:
    # Keys of two runs must not meet. A start of its own also makes Spark compile the query anew each time, as in a run.
    key = F.monotonically_increasing_id() + F.lit(secrets.randbelow(2**62))
    rows = frames.orders.select("id", "customer", "items", "tags").withColumn("key", key).localCheckpoint()
    items = rows.select(F.col("key").alias("id"), F.posexplode("items").alias("index", "item"))
    items = items.withColumn("item_key", F.xxhash64("id", "index"))
    address = [F.col(f"customer.address.{name}").alias(f"customer.address.{name}") for name in ("city", "zip")]
    customer = F.col("customer.id").alias("customer.id")
    item = [F.col(f"item.{name}").alias(f"items.val.{name}") for name in ("sku", "price")]
    return {
        "root": rows.select("id", customer, *address, _key("items", "key"), _key("tags", "key")),
        "root_items": items.select("id", "index", *item, _key("item.parts", "item_key").alias("items.val.parts")),
        "root_items.val.parts": items.select(F.col("item_key").alias("id"), F.posexplode("item.parts")),
        "root_tags": rows.select(F.col("key").alias("id"), F.posexplode("tags")),
    }


def _key(array: str, key: str) -> Column:
    return F.when(F.col(array).isNotNull(), F.col(key)).alias(array)


def _items(change: Callable[[Column], list[Column]]) -> Column:
    """Return the items with other members; a null item stays null, as it does in the transforms."""
    return F.transform("items", lambda item: F.when(item.isNotNull(), F.struct(*change(item)))).alias("items")


def _members(item: Column, *names: str) -> list[Column]:
    return [item[name].alias(name) for name in names]


def _note_by_hand(frames: Frames) -> DataFrame:
    """Parse, and tell the rows whose text does not parse, as `parse_json` and `unbox` must."""
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "corrupt"}
    parsed = frames.orders.withColumn("parsed", F.from_json("note", f"{_NOTE}, corrupt STRING", options))
    bad, record = F.col("parsed.corrupt").isNotNull(), F.to_json(F.struct(*frames.orders.columns))
    error = F.struct(F.lit("PARSE").alias("code"), F.lit("").alias("message"), record.alias("record"))
    note = F.struct("parsed.a", "parsed.b", "parsed.c")
    return parsed.withColumns({"note": F.when(~bad, note), "_error": F.when(bad, error)}).drop("parsed")


def _routed_by_hand(frames: Frames) -> dict[str, DataFrame]:
    df = frames.orders
    ulm, late = F.col("town") == "Ulm", F.col("delay") > 15
    rest = df.where(~F.coalesce(ulm, F.lit(False)) & ~F.coalesce(late, F.lit(False)))
    return {"ulm": df.where(ulm), "late": df.where(late), "rest": rest}


def _pivoted(frames: Frames) -> DataFrame:
    return frames.orders.select("code", "parts", "amount")


def _means_by_hand(frames: Frames) -> DataFrame:
    mean = frames.orders.agg(F.avg("delay")).first()[0]
    return frames.orders.fillna(round(mean), ["delay"])


def _merged_by_hand(frames: Frames) -> DataFrame:
    df, new = frames.orders.select("id", "amount"), frames.new_orders
    return df.join(new, df["id"].eqNullSafe(new["id"]), how="left_anti").unionByName(new)


_NOTE = "a INT, b STRING, c STRUCT<d: ARRAY<INT>>"
_HIDDEN = "regexp_replace(substring(name, 1, length(name) - 4), '(?s).', '*') || right(name, 4)"
_MAPPINGS = [
    ("id", "int", "key", "long"),
    ("customer.address.city", "string", "at.city", "string"),
    ("code", "string", "at.code", "int"),
    ("amount", "amount"),
]

CASES = {
    "add_current_timestamp": Case(
        lambda f: add_current_timestamp(f.orders),
        lambda f: f.orders.withColumn("timestamp", F.current_timestamp()),
        same_rows=False,
    ),
    "add_identifier": Case(
        lambda f: add_identifier(f.orders, "number"),
        lambda f: f.orders.withColumn("number", F.monotonically_increasing_id()),
    ),
    "add_uuid": Case(
        lambda f: add_uuid(f.orders), lambda f: f.orders.withColumn("uuid", F.expr("uuid()")), same_rows=False
    ),
    "aggregate": Case(
        lambda f: aggregate(f.orders, [["amount", "sum"], ["id", "count"]], groups=["code"]),
        lambda f: f.orders.groupBy("code").agg(F.sum("amount"), F.count("id")),
    ),
    "apply_mapping": Case(
        lambda f: apply_mapping(f.orders, _MAPPINGS),
        lambda f: f.orders.selectExpr(
            "CAST(id AS LONG) AS key",
            "named_struct('city', customer.address.city, 'code', try_cast(code AS INT)) AS at",
            "amount",
        ),
    ),
    "array_to_columns": Case(
        lambda f: array_to_columns(f.orders, "tags", ["first", "second"]),
        lambda f: f.orders.withColumns({"first": F.get("tags", F.lit(0)), "second": F.get("tags", F.lit(1))}),
    ),
    "autobalance": Case(lambda f: autobalance(f.orders, 4), lambda f: f.orders.repartition(4)),
    "cast_fields": Case(
        lambda f: cast_fields(f.orders, {"code": "int", "items.price": "int"}),
        lambda f: f.orders.withColumn("code", F.expr("try_cast(code AS INT)")).withColumn(
            "items",
            _items(
                lambda item: [
                    item["sku"].alias("sku"),
                    item["price"].try_cast("int").alias("price"),
                    item["parts"].alias("parts"),
                ]
            ),
        ),
    ),
    "concatenate": Case(
        lambda f: concatenate(f.orders, ["name", "town", "id"], "text", separator="-"),
        lambda f: f.orders.withColumn("text", F.concat_ws("-", "name", F.coalesce("town", F.lit("")), "id")),
    ),
    "conditional_router": Case(
        lambda f: conditional_router(f.orders, {"ulm": "town = 'Ulm'", "late": "delay > 15"}, default="rest"),
        _routed_by_hand,
    ),
    "derive_column": Case(
        lambda f: derive_column(f.orders, "double", "amount * 2"),
        lambda f: f.orders.withColumn("double", F.expr("amount * 2")),
    ),
    "drop_duplicates": Case(
        lambda f: drop_duplicates(f.orders.select("name", "town"), ["name", "town"]),
        lambda f: f.orders.select("name", "town").dropDuplicates(["name", "town"]),
    ),
    "drop_fields": Case(lambda f: drop_fields(f.orders, "nothing"), lambda f: f.orders.drop("nothing")),
    "drop_fields, nested": Case(
        lambda f: drop_fields(f.orders, ["nothing", "customer.address.zip", "items.price"]), _drop_by_hand
    ),
    "drop_null_fields": Case(lambda f: drop_null_fields(f.orders, in_every_row=True), _nulls_by_hand),
    "explode": Case(
        lambda f: explode(f.orders.select("id", "tags"), "tags"),
        lambda f: f.orders.select("id", F.explode("tags").alias("tags")),
    ),
    "extract_json_paths": Case(
        lambda f: extract_json_paths(f.orders, "note", {"a": "a", "d": "c.d[1]"}),
        lambda f: f.orders.withColumns(
            {"a": F.get_json_object("note", "$.a"), "d": F.get_json_object("note", "$.c.d[1]")}
        ),
    ),
    "extract_regex": Case(
        lambda f: extract_regex(f.orders, "parts", "([a-z])-([0-9])", ["letter", "digit"]),
        lambda f: f.orders.withColumns(
            {
                "letter": F.regexp_extract("parts", "([a-z])-([0-9])", 1),
                "digit": F.regexp_extract("parts", "([a-z])-([0-9])", 2),
            }
        ),
    ),
    "fill_missing, constant": Case(
        lambda f: fill_missing(f.orders, "delay", "constant", value=0), lambda f: f.orders.fillna(0, ["delay"])
    ),
    "fill_missing, mean": Case(lambda f: fill_missing(f.orders, "delay", "mean"), _means_by_hand),
    "filter_array": Case(
        lambda f: filter_array(f.orders, "items", "price > 2"),
        lambda f: f.orders.withColumn("items", F.filter("items", lambda item: item["price"] > 2)),
    ),
    "filter_rows": Case(
        lambda f: filter_rows(f.orders, "delay > 15 AND town = 'Ulm'"),
        lambda f: f.orders.where("delay > 15 AND town = 'Ulm'"),
    ),
    "flatten": Case(
        lambda f: flatten(f.orders.select("id", "customer"), 1),
        lambda f: f.orders.select(
            "id", F.col("customer.id").alias("customer.id"), F.col("customer.address").alias("customer.address")
        ),
    ),
    "format_timestamp": Case(
        lambda f: format_timestamp(f.orders, "placed", "%Y-%m-%d %H:%M"),
        lambda f: f.orders.withColumn("placed", F.date_format("placed", "yyyy-MM-dd HH:mm")),
    ),
    "hash_columns": Case(
        lambda f: hash_columns(f.orders, "name"), lambda f: f.orders.withColumn("name", F.sha2("name", 256))
    ),
    "join": Case(
        lambda f: join(f.orders, f.towns, ["town"], how="left"),
        lambda f: f.orders.join(f.towns.toDF(".town", ".name"), f.orders["town"] == F.col("`.town`"), how="left"),
    ),
    "lookup": Case(
        lambda f: lookup(f.orders, f.towns.withColumnRenamed("name", "state"), ["town"], ["state"]),
        lambda f: f.orders.join(f.towns.withColumnRenamed("name", "state"), ["town"], how="left").select(
            *f.orders.columns, "state"
        ),
    ),
    "map_array": Case(
        lambda f: map_array(f.orders, "tags", "upper(_)"),
        lambda f: f.orders.withColumn("tags", F.transform("tags", F.upper)),
    ),
    "map_rows, expressions": Case(
        lambda f: map_rows(f.orders, expressions={"amount": "amount * 2", "late": "delay > 15"}),
        lambda f: f.orders.withColumns({"amount": F.expr("amount * 2"), "late": F.expr("delay > 15")}),
    ),
    "map_rows, function / rdd.map": Case(
        lambda f: map_rows(f.orders.select(*_FOR_LATE), _late, schema=_LATE),
        lambda f: f.orders.select(*_FOR_LATE).rdd.map(_late_row).toDF(_LATE),
        same_rows=False,
        limited=False,
    ),
    "mask_columns": Case(
        lambda f: mask_columns(f.orders, "name", keep_last=4), lambda f: f.orders.withColumn("name", F.expr(_HIDDEN))
    ),
    "merge_frames": Case(
        lambda f: merge_frames(f.orders.select("id", "amount"), f.new_orders, "id"),
        _merged_by_hand,
    ),
    "parse_json": Case(lambda f: parse_json(f.orders, "note", schema=_NOTE), _note_by_hand, same_rows=False),
    "pivot": Case(
        lambda f: pivot(_pivoted(f), "parts", aggregate="sum", values_of="amount"),
        lambda f: _pivoted(f).groupBy("code").pivot("parts").agg(F.sum("amount")),
    ),
    "redact_columns": Case(
        lambda f: redact_columns(f.orders, "name", pattern="[0-9]+"),
        lambda f: f.orders.withColumn("name", F.regexp_replace("name", "[0-9]+", "*******")),
    ),
    "relationalize": Case(
        lambda f: relationalize(f.orders.select("id", "customer", "items", "tags")),
        _relationalize_by_hand,
        same_rows=False,
    ),
    "remove_null_rows": Case(lambda f: remove_null_rows(f.orders), lambda f: f.orders.na.drop("all")),
    "rename_field": Case(
        lambda f: rename_field(f.orders, "items.price", "items.unit_price"),
        lambda f: f.orders.withColumn(
            "items",
            _items(
                lambda item: [
                    item["sku"].alias("sku"),
                    item["price"].alias("unit_price"),
                    item["parts"].alias("parts"),
                ]
            ),
        ),
    ),
    "resolve_choice, cast": Case(
        lambda f: resolve_choice(f.choices, {"v": "cast:long"}),
        lambda f: f.choices.withColumn("v", F.expr("coalesce(CAST(v.int AS LONG), try_cast(v.string AS LONG))")),
    ),
    "resolve_choice, make_cols": Case(
        lambda f: resolve_choice(f.choices, {"v": "make_cols"}),
        lambda f: f.choices.selectExpr("id", "v.int AS v_int", "v.string AS v_string", "town"),
    ),
    "resolve_choice, make_struct": Case(
        lambda f: resolve_choice(f.choices, {"v": "make_struct"}),
        lambda f: f.choices.withMetadata("v", {}),
    ),
    "resolve_choice, match_catalog": Case(
        lambda f: resolve_choice(f.choices, choice="match_catalog", schema="id INT, v STRING, town STRING"),
        lambda f: f.choices.withColumn("v", F.expr("coalesce(CAST(v.int AS STRING), v.string)")),
    ),
    "resolve_choice, project": Case(
        lambda f: resolve_choice(f.choices, {"v": "project:int"}),
        lambda f: f.choices.withColumn("v", F.col("v.int")),
    ),
    "select_fields": Case(
        lambda f: select_fields(f.orders, ["id", "customer.address.city", "items.price"]),
        lambda f: f.orders.select(
            "id",
            _customer_by_hand(),
            _items(lambda item: _members(item, "price")),
        ),
    ),
    "simplify_ddb_json": Case(lambda f: simplify_ddb_json(f.tagged), lambda f: _untagged_by_hand(f, open_lists=True)),
    "spigot": Case(lambda f: spigot(f.orders, tempfile.mkdtemp()), _spigot_by_hand),
    "split_fields": Case(
        lambda f: split_fields(f.orders, ["id", "name"]),
        lambda f: {"frame1": f.orders.select("id", "name"), "frame2": f.orders.drop("id", "name")},
    ),
    "split_rows": Case(
        lambda f: split_rows(f.orders, {"delay": {">": 5, "<=": 20}}),
        lambda f: {
            "frame1": f.orders.where("delay > 5 AND delay <= 20"),
            "frame2": f.orders.where("NOT coalesce(delay > 5 AND delay <= 20, false)"),
        },
    ),
    "split_string": Case(
        lambda f: split_string(f.orders, "parts", "-"), lambda f: f.orders.withColumn("parts", F.split("parts", "-"))
    ),
    "to_timestamp": Case(
        lambda f: to_timestamp(f.orders, "id", "seconds", new_column="at"),
        lambda f: f.orders.withColumn("at", F.timestamp_seconds("id")),
    ),
    "unbox": Case(lambda f: unbox(f.orders, "note", "json", schema=_NOTE), _note_by_hand, same_rows=False),
    "union": Case(
        lambda f: union(f.orders.drop("tags"), f.orders.drop("items")),
        lambda f: f.orders.drop("tags").unionByName(f.orders.drop("items"), allowMissingColumns=True),
    ),
    "unnest": Case(
        lambda f: unnest(f.orders),
        lambda f: f.orders.select(
            *(
                F.col(name).alias(name)
                for column in f.orders.columns
                for name in (
                    ["customer.id", "customer.address.city", "customer.address.zip"]
                    if column == "customer"
                    else [column]
                )
            )
        ),
    ),
    "unnest_ddb_json": Case(lambda f: unnest_ddb_json(f.tagged), lambda f: _untagged_by_hand(f, open_lists=False)),
    "unpivot": Case(
        lambda f: unpivot(f.orders.select("id", "name", "town"), ["name", "town"]),
        lambda f: (
            f.orders.select("id", "name", "town")
            .unpivot("id", ["name", "town"], "name", "value")
            .where("value IS NOT NULL")
        ),
    ),
    "with_fields": Case(
        lambda f: with_fields(f.orders, {"items.total": "price * 2"}),
        lambda f: f.orders.withColumn(
            "items",
            _items(lambda item: [*_members(item, "sku", "price", "parts"), (item["price"] * 2).alias("total")]),
        ),
    ),
}
