"""Steps that choose, rename and edit fields, as a job file says them."""

import json

import duckdb
import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.run import run
from birchtar.state.database import open_state


@pytest.fixture
def orders(place) -> None:
    items = [{"sku": "a", "price": "2.5", "quantity": 2}, {"sku": "b", "price": "?", "quantity": 1}]
    rows = [
        {"id": "1", "customer": {"name": "Ada", "city": "Ulm"}, "items": items, "tags": ["x", "y"], "note": '{"a": 1}'},
        {"id": "z", "customer": {"name": "Bob", "city": "Bonn"}, "items": [], "tags": [], "note": None},
    ]
    (place / "orders.json").write_text("\n".join(map(json.dumps, rows)))


def test_a_job_maps_edits_and_splits(orders, config, spark: SparkSession):
    text = """
    inputs: {orders: {path: orders.json, format: json}}
    tables:
      mapped:
        from: orders
        steps:
          - unbox: {path: note, format: json, schema: a INT}
          - apply_mapping:
              mappings:
                - [id, string, key, long]
                - [customer.name, buyer.name]
                - [customer.city, string, buyer.town, string]
                - [items, items]
                - [tags, array, tags, array]
                - [note.a, noted, long]
          - cast_fields: {types: {"items[].price": double}}
          - with_fields:
              fields:
                "items[].total": price * quantity
                items.sku: upper(sku)
          - rename_field: {old_name: "items[].quantity", new_name: "items[].count"}
          - filter_array: {path: items, where: total IS NOT NULL}
          - map_array: {path: tags, expression: "_ || buyer.name"}
      split:
        from: mapped
        steps:
          - split_fields: {paths: [key, buyer.town], name1: towns, name2: rest}
      towns:
        from: split.towns
        steps:
          - unnest: {}
    outputs:
      mapped: {path: out/mapped, format: parquet}
      towns: {path: out/towns, format: parquet}
      split.rest: {path: out/rest, format: parquet}
    """
    with Progress(Console(), spark.sparkContext) as progress:
        run(load(config(text)), spark, open_state(), progress)
    found = duckdb.sql(
        "SELECT key, buyer, items, tags, noted FROM 'out/mapped/*.parquet' ORDER BY buyer.name"
    ).fetchall()
    item = {"sku": "A", "price": 2.5, "count": 2, "total": 5.0}
    assert found == [
        (1, {"name": "Ada", "town": "Ulm"}, [item], ["xAda", "yAda"], 1),
        (None, {"name": "Bob", "town": "Bonn"}, [], [], None),
    ]
    towns = duckdb.sql("SELECT key, \"buyer.town\" FROM 'out/towns/*.parquet' ORDER BY ALL").fetchall()
    assert towns == [(1, "Ulm"), (None, "Bonn")]
    assert duckdb.sql("DESCRIBE SELECT * FROM 'out/rest/*.parquet'").fetchall()[0][:2] == (
        "buyer",
        'STRUCT("name" VARCHAR)',
    )
