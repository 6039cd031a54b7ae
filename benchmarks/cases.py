"""Each transform, and the same result written by hand. `benchmarks/transforms.py` measures them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from transforms.drop_fields import drop_fields
from transforms.drop_null_fields import drop_null_fields
from transforms.filter_rows import filter_rows
from transforms.join import join
from transforms.map_rows import map_rows
from transforms.relationalize import relationalize


class Frames:
    """The frames that the cases take."""

    def __init__(self, spark: SparkSession, orders: DataFrame) -> None:
        self.orders = orders
        self._spark = spark

    @cached_property
    def towns(self) -> DataFrame:
        """A small table; its column `name` is in `orders` too."""
        return self._spark.createDataFrame([("Ulm", "BW"), ("Bonn", "NW"), ("Köln", "NW")], "town STRING, name STRING")


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


_LATE = "id INT, late BOOLEAN, city STRING"
_FOR_LATE = ["id", "delay", "customer", "tags"]


def _cities_by_hand(frames: Frames) -> DataFrame:
    items = F.transform("items", lambda item: F.struct(item["sku"].alias("sku"), item["parts"].alias("parts")))
    customer = F.struct("customer.id", F.struct("customer.address.city").alias("address")).alias("customer")
    others = [name for name in frames.orders.columns if name not in ("items", "customer", "nothing")]
    return frames.orders.select(*others, customer, items.alias("items"))


def _drop_by_hand(frames: Frames) -> DataFrame:
    cities = _cities_by_hand(frames)
    return cities.select(*(name for name in frames.orders.columns if name != "nothing"))


def _nulls_by_hand(frames: Frames) -> DataFrame:
    df = frames.orders
    inside = ["customer.id", "customer.address.city", "customer.address.zip"]
    lists = [_has("items", name) for name in ("sku", "price", "parts")]
    found = df.agg(*(F.count(name).alias(name) for name in df.columns), *map(F.count, inside), *lists).first()
    return df.drop(*(name for name in df.columns if not found[name]))


def _has(array: str, member: str) -> Column:
    return F.count_if(F.exists(array, lambda element: element[member].isNotNull())).alias(f"{array}.{member}")


def _relationalize_by_hand(frames: Frames) -> dict[str, DataFrame]:
    rows = frames.orders.select("id", "customer", "items", "tags").withColumn("key", F.monotonically_increasing_id())
    rows = rows.localCheckpoint()
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


CASES = {
    "drop_fields": Case(lambda f: drop_fields(f.orders, "nothing"), lambda f: f.orders.drop("nothing")),
    "drop_fields, nested": Case(
        lambda f: drop_fields(f.orders, ["nothing", "customer.address.zip", "items.price"]), _drop_by_hand
    ),
    "drop_null_fields": Case(lambda f: drop_null_fields(f.orders, in_every_row=True), _nulls_by_hand),
    "filter_rows": Case(
        lambda f: filter_rows(f.orders, "delay > 15 AND town = 'Ulm'"),
        lambda f: f.orders.where("delay > 15 AND town = 'Ulm'"),
    ),
    "join": Case(
        lambda f: join(f.orders, f.towns, ["town"], how="left"),
        lambda f: f.orders.join(f.towns.toDF(".town", ".name"), f.orders["town"] == F.col("`.town`"), how="left"),
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
    "relationalize": Case(
        lambda f: relationalize(f.orders.select("id", "customer", "items", "tags")),
        _relationalize_by_hand,
        same_rows=False,
    ),
}
