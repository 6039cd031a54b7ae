"""Relationalize: which tables come out, that their keys join them, and that the keys stay what they are."""

import gc
import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from transforms.errors import DuplicateColumnError
from transforms.relationalize import relationalize

ORDERS = """
    SELECT * FROM VALUES
        (1, named_struct('name', 'Ann', 'address', named_struct('city', 'Bern')), array(
            named_struct('sku', 'a', 'tags', array('x', 'y')),
            named_struct('sku', 'b', 'tags', array()))),
        (2, NULL, array(NULL, named_struct('sku', 'c', 'tags', NULL))),
        (3, named_struct('name', 'Cid', 'address', NULL), array()),
        (4, named_struct('name', NULL, 'address', NULL), NULL)
    AS orders(order, customer, items)
"""


@pytest.fixture(params=["kept by Spark", "kept as Parquet"])
def staging_path(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return str(tmp_path) if request.param == "kept as Parquet" else None


def together(tables: dict[str, DataFrame]) -> list[dict]:
    """Put the rows back together: every key gives way to the list of the rows that it opens, without their `id`."""
    rows = {name: [row.asDict() for row in frame.collect()] for name, frame in tables.items()}
    root = next(iter(tables))
    below = {name: _by_id(rows[name]) for name in tables if name != root}

    def fill(table: str, row: dict) -> dict:
        return {name: opened(table, name, value) for name, value in row.items()}

    def opened(table: str, name: str, value: object) -> object:
        child = f"{root}_{name}" if f"{root}_{name}" in below else f"{table}.{name}"  # the latter below maps
        if child not in below or value is None:
            return value
        return [fill(child, row) for row in below[child].get(value, [])]

    return [fill(root, row) for row in rows[root]]


def _by_id(rows: list[dict]) -> dict[int, list[dict]]:
    found = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.get("index", 0)):
        found[row["id"]].append({name: value for name, value in row.items() if name not in ("id", "index")})
    return found


def types(tables: dict[str, DataFrame]) -> dict[str, list[str]]:
    return {name: [f"{column} {type_}" for column, type_ in frame.dtypes] for name, frame in tables.items()}


def test_structs_become_dotted_columns_and_arrays_tables(spark: SparkSession):
    assert types(relationalize(spark.sql(ORDERS), "shop")) == {
        "shop": ["order int", "customer.name string", "customer.address.city string", "items bigint"],
        "shop_items": ["id bigint", "index int", "items.val.sku string", "items.val.tags bigint"],
        "shop_items.val.tags": ["id bigint", "index int", "items.val.tags.val string"],
    }


def test_the_keys_put_the_rows_together_again(spark: SparkSession, staging_path: str | None):
    tables = relationalize(spark.sql(ORDERS), staging_path=staging_path)
    assert sorted(together(tables), key=lambda row: row["order"]) == [
        {
            "order": 1,
            "customer.name": "Ann",
            "customer.address.city": "Bern",
            "items": [
                {"items.val.sku": "a", "items.val.tags": [{"items.val.tags.val": "x"}, {"items.val.tags.val": "y"}]},
                {"items.val.sku": "b", "items.val.tags": []},
            ],
        },
        {
            "order": 2,
            "customer.name": None,
            "customer.address.city": None,
            "items": [
                {"items.val.sku": None, "items.val.tags": None},
                {"items.val.sku": "c", "items.val.tags": None},
            ],
        },
        {"order": 3, "customer.name": "Cid", "customer.address.city": None, "items": []},
        {"order": 4, "customer.name": None, "customer.address.city": None, "items": None},
    ]


def test_the_tables_join_by_key(spark: SparkSession):
    tables = relationalize(spark.sql(ORDERS))
    items, tags = tables["root_items"], tables["root_items.val.tags"]
    joined = (
        tables["root"]
        .join(items, tables["root"]["items"] == items["id"], how="inner")
        .join(tags, items["`items.val.tags`"] == tags["id"], how="inner")
        .select("order", items["index"], "`items.val.sku`", tags["index"], "`items.val.tags.val`")
    )
    assert sorted(joined.collect()) == [(1, 0, "a", 0, "x"), (1, 0, "a", 1, "y")]


def test_a_frame_without_arrays_gives_the_root_alone(spark: SparkSession):
    df = spark.sql("SELECT 1 AS a, named_struct('c', 2) AS b")
    tables = relationalize(df)
    assert list(tables) == ["root"]
    assert tables["root"].collect() == [(1, 2)]
    assert tables["root"].columns == ["a", "b.c"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("array(1, NULL)", [{"v.val": 1}, {"v.val": None}], id="scalars, one of them null"),
        pytest.param("array(array(1, 2), NULL, array())", [
            {"v.val": [{"v.val.val": 1}, {"v.val.val": 2}]}, {"v.val": None}, {"v.val": []},
        ], id="an array of arrays"),
        pytest.param("array(array(named_struct('a', 1, 'b', array(2))))", [
            {"v.val": [{"v.val.val.a": 1, "v.val.val.b": [{"v.val.val.b.val": 2}]}]},
        ], id="an array of arrays of structs"),
        pytest.param("named_struct('a', named_struct('b', array(1)))", None, id="an array inside structs"),
        pytest.param("map('k', 1, 'l', NULL)", [{"key": "k", "value": 1}, {"key": "l", "value": None}], id="a map"),
        pytest.param("map('k', named_struct('a', named_struct('b', 1)), 'l', NULL)", [
            {"key": "k", "value.a.b": 1}, {"key": "l", "value.a.b": None},
        ], id="a map of structs"),
        pytest.param("map(named_struct('a', 1), 2)", [{"key.a": 1, "value": 2}], id="a map with structs as keys"),
        pytest.param("map('k', array(1, 2))", [
            {"key": "k", "value": [{"v.value.val": 1}, {"v.value.val": 2}]},
        ], id="a map of arrays"),
        pytest.param("map('k', map('l', 1))", [
            {"key": "k", "value": [{"key": "l", "value": 1}]},
        ], id="a map of maps"),
        pytest.param("map('k', named_struct('a', array(1)))", [
            {"key": "k", "value.a": [{"v.value.a.val": 1}]},
        ], id="an array in the structs of a map"),
        pytest.param("array(map('k', 1))", [{"v.val": [{"key": "k", "value": 1}]}], id="an array of maps"),
        pytest.param("array(named_struct(), NULL)", [{}, {}], id="structs without members count as rows"),
        pytest.param("array(named_struct('a', named_struct(), 'b', 1))", [{"v.val.b": 1}], id="an empty inner struct"),
        pytest.param("array(NULL, NULL)", [{"v.val": None}, {"v.val": None}], id="nulls without a type"),
        pytest.param("map('k', NULL)", [{"key": "k", "value": None}], id="a map of nulls without a type"),
        pytest.param("array(named_struct('id', 1, 'Id', array(2)))", [
            {"v.val.id": 1, "v.val.Id": [{"v.val.Id.val": 2}]},
        ], id="members that differ in case"),
    ],
)  # fmt: skip
def test_what_can_be_nested(spark: SparkSession, staging_path: str | None, value: str, expected: list | None):
    [row] = together(relationalize(spark.sql(f"SELECT 1 AS a, {value} AS v"), staging_path=staging_path))
    assert row == ({"a": 1, "v": expected} if expected is not None else {"a": 1, "v.a.b": [{"v.a.b.val": 1}]})


def test_the_tables_of_maps(spark: SparkSession):
    df = spark.sql("SELECT map('k', named_struct('a', array(map(1, 2)), 'b', array(1.5))) AS m")
    assert types(relationalize(df)) == {
        "root": ["m bigint"],
        "root_m": ["id bigint", "key string", "value.a bigint", "value.b bigint"],
        "root_m.value.a": ["id bigint", "index int", "m.value.a.val bigint"],
        "root_m.value.a.val": ["id bigint", "key int", "value int"],
        "root_m.value.b": ["id bigint", "index int", "m.value.b.val decimal(2,1)"],
    }


def test_columns_without_a_type_or_members(spark: SparkSession, staging_path: str | None):
    df = spark.sql("SELECT NULL AS a, named_struct() AS b, named_struct('d', NULL) AS c, 1 AS e")
    tables = relationalize(df, staging_path=staging_path)
    assert types(tables) == {"root": ["a void", "c.d void", "e int"]}
    assert tables["root"].collect() == [(None, None, 1)]


def test_types_and_nullability_stay(spark: SparkSession):
    df = spark.sql(
        "SELECT 1Y AS a, DATE'0001-01-01' AS b, TIMESTAMP_NTZ'2024-01-01 00:00:00' AS c, parse_json('[1]') AS d,"
        " X'00' AS e, INTERVAL 1 DAY AS f, array(named_struct('g', 1.5BD)) AS h, 'x' COLLATE UTF8_LCASE AS i"
    )
    tables = relationalize(df)
    plain = ["a", "b", "c", "e", "f", "i"]
    assert tables["root"].select(*plain).schema == df.select(*plain).schema
    assert types(tables)["root"][3] == "d variant"
    assert [field.nullable for field in tables["root_h"].schema] == [False, False, False]


def test_an_empty_frame_gives_all_tables(spark: SparkSession, staging_path: str | None):
    tables = relationalize(spark.sql(ORDERS).where("false"), staging_path=staging_path)
    assert types(tables) == types(relationalize(spark.sql(ORDERS)))
    assert [frame.count() for frame in tables.values()] == [0, 0, 0]


def test_equal_rows_get_keys_of_their_own(spark: SparkSession):
    tables = relationalize(spark.sql("SELECT 1 AS a, array(array(1), array(1)) AS v FROM range(3)"))
    keys = [row["v"] for row in tables["root"].collect()]
    inner = [row["v.val"] for row in tables["root_v"].collect()]
    assert len(set(keys)) == 3
    assert len(set(inner)) == 6
    assert sorted(row["id"] for row in tables["root_v.val"].collect()) == sorted(inner)


def test_two_runs_have_no_key_in_common(spark: SparkSession):
    df = spark.sql("SELECT array(array(1), array(1)) AS v FROM range(100)")
    first, second = relationalize(df), relationalize(df)
    for name, keys in {"root": 200, "root_v": 400}.items():
        assert first[name].union(second[name]).distinct().count() == keys


def test_odd_names(spark: SparkSession, staging_path: str | None):
    df = spark.sql(
        "SELECT 1 AS `a.b`, 2 AS `A.b`, array(named_struct('c d', 3, 'e`f', 4, ' ,;{}()=\n\t', 5)) AS `x.y`,"
        " array(6) AS `X.Y`, 7 AS id, 8 AS row_key, 9 AS c0, array(10) AS `🙂`"
    )
    assert together(relationalize(df, "my root", staging_path=staging_path)) == [
        {
            "a.b": 1,
            "A.b": 2,
            "x.y": [{"x.y.val.c d": 3, "x.y.val.e`f": 4, "x.y.val. ,;{}()=\n\t": 5}],
            "X.Y": [{"X.Y.val": 6}],
            "id": 7,
            "row_key": 8,
            "c0": 9,
            "🙂": [{"🙂.val": 10}],
        }
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        pytest.param(
            "1 AS `a.b`, named_struct('b', 1) AS a",
            "The fields `a.b` and a.b would both become the column `a.b` of the table `root`."
            " Rename one of them first.",
            id="a dotted name and a member",
        ),
        pytest.param(
            "1 AS a, 2 AS a",
            "The fields a and a would both become the column `a` of the table `root`. Rename one of them first.",
            id="two columns of one name",
        ),
        pytest.param(
            "array(named_struct('b.c', 1, 'b', named_struct('c', 2))) AS v",
            "The fields v.val.`b.c` and v.val.b.c would both become the column `v.val.b.c` of the table `root_v`."
            " Rename one of them first.",
            id="below an array",
        ),
        pytest.param(
            "array(array(1)) AS v, array(1) AS `v.val`",
            "The fields v.val and `v.val` would both become the table `root_v.val`. Rename one of them first.",
            id="two arrays that would be one table",
        ),
    ],
)
def test_names_that_would_meet_are_refused_before_any_job(spark: SparkSession, columns: str, message: str):
    df = spark.sql(f"SELECT {columns}, raise_error('computed') AS z")
    with pytest.raises(DuplicateColumnError) as error:
        relationalize(df)
    assert str(error.value) == message


def restless(spark: SparkSession, log: Path) -> DataFrame:
    """A frame whose rows come in another order each time they are computed; `log` gets a line for each row computed."""

    def shuffled(batches):
        import pyarrow as pa

        for batch in batches:
            with log.open("a") as lines:
                lines.write("row\n" * batch.num_rows)
            yield batch.take(pa.array(random.sample(range(batch.num_rows), batch.num_rows)))

    df = spark.range(0, 400, 1, 4).selectExpr("id AS a", "array(array(id), array(id, -id)) AS v")
    return df.repartition(3, "a").mapInArrow(shuffled, df.schema)


def test_a_restless_frame_breaks_keys_that_are_not_kept(spark: SparkSession, tmp_path: Path):
    naive = restless(spark, tmp_path / "log").select("a", F.monotonically_increasing_id().alias("key"))
    assert sorted(naive.collect()) != sorted(naive.collect())


def test_keys_agree_however_often_and_from_many_threads(spark: SparkSession, staging_path: str | None, tmp_path: Path):
    log = tmp_path / "log"
    tables = relationalize(restless(spark, log), staging_path=staging_path)
    gc.collect()
    frames = [tables["root"].orderBy("a"), tables["root"].repartition(5), *tables.values(), *tables.values()]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(DataFrame.collect, frames))
    assert sorted(results[0]) == sorted(results[1]) == sorted(results[2]) == sorted(results[5])
    assert sorted(results[3]) == sorted(results[6])
    assert sorted(together(tables), key=lambda row: row["a"]) == [
        {"a": a, "v": [{"v.val": [{"v.val.val": a}]}, {"v.val": [{"v.val.val": a}, {"v.val.val": -a}]}]}
        for a in range(400)
    ]
    assert log.read_text().count("row") == 400


def test_tables_written_side_by_side_agree(spark: SparkSession, tmp_path: Path):
    tables = relationalize(restless(spark, tmp_path / "log"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: tables[name].write.parquet(f"{tmp_path}/out/{name}"), tables))
    written = {name: spark.read.parquet(f"{tmp_path}/out/{name}") for name in tables}
    assert types(written) == types(tables)
    assert sorted(together(written), key=lambda row: row["a"])[7] == {
        "a": 7,
        "v": [{"v.val": [{"v.val.val": 7}]}, {"v.val": [{"v.val.val": 7}, {"v.val.val": -7}]}],
    }


def test_a_table_reads_only_its_columns_of_what_is_staged(spark: SparkSession, tmp_path: Path, capsys):
    tables = relationalize(spark.sql(ORDERS), staging_path=f"{tmp_path}/")
    assert len(list(tmp_path.iterdir())) == 1
    tables["root_items.val.tags"].explain()
    assert "ReadSchema: struct<c2:array<struct<tags:array<string>>>,row_key:bigint>" in capsys.readouterr().out


def test_a_thousand_columns_and_members(spark: SparkSession):
    members = ", ".join(f"'m{i}', {i}" for i in range(1000))
    df = spark.range(1).select(
        *(F.lit(i).alias(f"c {i}") for i in range(1000)),
        F.expr(f"named_struct({members})").alias("s"),
        F.expr(f"array(named_struct({members}))").alias("v"),
    )
    tables = relationalize(df)
    assert tables["root"].columns == [f"c {i}" for i in range(1000)] + [f"s.m{i}" for i in range(1000)] + ["v"]
    assert tables["root_v"].columns == ["id", "index", *(f"v.val.m{i}" for i in range(1000))]
    assert tables["root_v"].first()[2:] == tuple(range(1000))


def test_a_hundred_arrays(spark: SparkSession):
    tables = relationalize(spark.range(1).select(*(F.array(F.lit(i)).alias(f"v{i}") for i in range(100))))
    assert list(tables) == ["root", *(f"root_v{i}" for i in range(100))]
    assert tables["root_v99"].first()["v99.val"] == 99


@pytest.mark.parametrize(
    ("levels", "wrap", "step"),
    [
        pytest.param(30, "array({})", "val", id="thirty arrays"),
        # PySpark's Connect client refuses schemas of some twenty such levels: a limit of protobuf's.
        pytest.param(15, "array(named_struct('a', {}))", "val.a", id="fifteen arrays of structs"),
    ],
)
def test_deep_arrays(spark: SparkSession, levels: int, wrap: str, step: str):
    value = "7"
    for _ in range(levels):
        value = wrap.format(value)
    tables = relationalize(spark.sql(f"SELECT {value} AS v"))
    above, deepest = list(tables)[-2:]
    assert deepest == "root_v" + f".{step}" * (levels - 1)
    [row] = tables[deepest].collect()
    assert row["id"] == tables[above].first()[2]
    assert row[2] == 7
