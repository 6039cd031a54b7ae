"""A field that nobody may read is followed under every name that a step or a query gives it."""

from pathlib import Path

import pytest

from birchtar.runner.derived import ANYTHING
from birchtar.runner.derived_queries import made_by_query
from birchtar.runner.derived_steps import KEEPING, MAKING, MASKING
from birchtar.runner.hidden import covers
from birchtar.runner.load import load
from birchtar.runner.sensitive import sensitive_fields
from birchtar.runner.steps import TRANSFORMS
from transforms.paths import parse_path

JOB = """
    inputs:
      i: {{path: i.json, format: json, sensitive: [card, person.card, "items[].sku"]}}
      j: {{path: j.json, format: json}}
    tables:
      t:
        {made}
    outputs: {{{output}: {{path: out, format: json}}}}
"""


@pytest.fixture(autouse=True)
def inputs(place: Path):
    for name in ("i", "j"):
        (place / f"{name}.json").write_text("{}\n")


def readable(config, made: str, names: list[str], output: str = "t") -> list[str]:
    """Return which of some columns of the table may be read."""
    found = sensitive_fields(load(config(JOB.format(made=made, output=output)))).get(("t", "rules"), frozenset())
    return [name for name in names if not covers(found, parse_path(name))]


def test_every_transform_is_followed():
    assert sorted([*KEEPING, *MAKING, *MASKING]) == sorted(TRANSFORMS)


@pytest.mark.parametrize(
    ("step", "hidden", "shown"),
    [
        pytest.param("concatenate: {columns: [person.card, id], new_column: c}", ["c"], ["id"], id="concatenate"),
        pytest.param("derive_column: {column: c, expression: upper(Person.card)}", ["c"], ["id"], id="derive_column"),
        pytest.param("derive_column: {column: c, expression: person.name}", [], ["c"], id="beside"),
        pytest.param("derive_column: {column: c, expression: to_json(struct(*))}", ["c"], ["id"], id="all"),
        pytest.param("derive_column: {column: c, expression: price * id}", [], ["c"], id="times"),
        pytest.param(
            "with_fields: {fields: {'items[].code': upper(sku), 'items[].n': price}}",
            ["items.code"],
            ["items.n"],
            id="with_fields",
        ),
        pytest.param(
            "with_fields: {fields: {'items[].code': _.sku, 'items[].n': _row.card}}",
            ["items.code", "items.n"],
            ["items.price"],
            id="with_fields of the struct and the row",
        ),
        pytest.param("map_array: {path: tags, expression: _ || card}", ["tags"], ["id"], id="map_array"),
        pytest.param("map_rows: {expressions: {c: 'lower(`card`)', d: id}}", ["c"], ["d"], id="map_rows"),
        pytest.param("rename_field: {old_name: person, new_name: p}", ["p.card"], ["p.name"], id="rename_field"),
        pytest.param("apply_mapping: {mappings: [[person.card, a.b, string], [id, n]]}", ["a.b"], ["n"], id="mapping"),
        pytest.param("apply_mapping: {mappings: [[card, a, int], [id, long, n]]}", ["a"], ["n"], id="mapping of three"),
        pytest.param("apply_mapping: {mappings: [[person, struct, p, string]]}", ["p"], ["id"], id="mapping to text"),
        pytest.param("cast_fields: {types: {person: string}}", ["person.name"], ["id"], id="cast_fields"),
        pytest.param(
            "extract_regex: {column: card, pattern: '(.)(.)', new_columns: [a, '', b]}", ["a", "b"], ["id"], id="regex"
        ),
        pytest.param("split_string: {column: card, pattern: '-', new_column: c}", ["c"], ["id"], id="split_string"),
        pytest.param("extract_json_paths: {column: card, paths: {a: x, b: y}}", ["a", "b"], ["id"], id="json_paths"),
        pytest.param("array_to_columns: {column: items, new_columns: [x]}", ["x.sku"], ["x.price"], id="array"),
        pytest.param("explode: {column: items, new_column: one}", ["one.sku"], ["one.price", "value"], id="explode"),
        pytest.param("explode: {column: card}", ["key", "value"], ["id"], id="explode a map"),
        pytest.param("explode: {column: card, key_column: k}", ["k", "value"], ["key"], id="explode to names"),
        pytest.param("unpivot: {columns: [card, id]}", ["value"], ["name", "town"], id="unpivot"),
        pytest.param("unpivot: {columns: [id, card], value_column: v}", ["v"], ["value"], id="unpivot to a name"),
        pytest.param(
            "pivot: {columns: card, aggregate: sum, values_of: id, values: [a]}", ["id", "town"], [], id="pivot"
        ),
        pytest.param("pivot: {columns: town, aggregate: sum, values_of: id}", ["card"], ["town"], id="another pivot"),
        pytest.param(
            "aggregate: {groups: [person.card, town], aggregations: [[card, max], [person.card, min], [id, sum]]}",
            ["card", "max(card)", "`min(person.card)`"],
            ["town", "sum(id)"],
            id="aggregate",
        ),
        pytest.param("parse_json: {column: card, schema: a INT, new_column: c}", ["c.a"], ["id"], id="parse_json"),
        pytest.param("unbox: {path: card, format: json, schema: a INT}", ["card.a"], ["id"], id="unbox"),
        pytest.param("flatten: {}", ["`person.card`"], ["`person.name`"], id="flatten"),
        pytest.param("to_timestamp: {column: card, new_column: c}", ["c"], ["id"], id="to_timestamp"),
        pytest.param("format_timestamp: {column: card, pattern: y, new_column: c}", ["c"], ["id"], id="format"),
        pytest.param("fill_missing: {columns: card, how: mode, output_column: c}", ["c"], ["id"], id="fill_missing"),
        pytest.param("fill_missing: {columns: card, how: model}", ["card_filled"], ["id_filled"], id="model"),
        pytest.param("fill_missing: {columns: id, how: model, features: card}", ["id_filled"], ["id"], id="learnt"),
        pytest.param("resolve_choice: {choice: make_cols}", ["card_long"], ["id_long"], id="make_cols"),
        pytest.param("resolve_choice: {choice: 'cast:string'}", ["person.name"], ["id"], id="choices as texts"),
        pytest.param("join: {other: j, keys: id}", ["`.card`"], ["`.id`"], id="join"),
        pytest.param("lookup: {other: j, keys: id, columns: card}", ["`.card`"], ["`.id`"], id="lookup"),
        pytest.param("union: {other: j}", ["card"], ["id"], id="union"),
        pytest.param("simplify_ddb_json: {}", ["card"], ["id"], id="simplify_ddb_json"),
    ],
)
def test_steps_are_followed(config, step, hidden, shown):
    assert readable(config, f"from: i\n        steps: [{{{step}}}]", [*hidden, *shown]) == shown


@pytest.mark.parametrize(
    "later",
    [
        pytest.param("join: {other: i, keys: id}", id="join"),
        pytest.param("union: {other: [i]}", id="union"),
        pytest.param("sql: 'SELECT * FROM t JOIN i USING (id)'", id="sql"),
    ],
)
def test_fields_come_in_with_the_step_that_reads_them(config, later):
    made = f"sql: 'SELECT id, town FROM j'\n        steps: [filter_rows: {{where: id > 1}}, {{{later}}}]"
    assert readable(config, made, ["card", "id", "town"]) == ["id", "town"]
    again = f"{made[:-1]}, sql: 'SELECT id, name AS card FROM t']"
    assert readable(config, again, ["card", "id"]) == ["card", "id"]


def test_flat_tables_are_followed(config):
    names = ["`items.val.sku`", "value", "`items.val.price`", "town"]
    made = "from: i\n        steps: [relationalize: {}]"
    assert readable(config, made, names, output="t.root") == ["`items.val.price`", "town"]


def test_attributes_of_dynamodb_are_followed(config):
    job = """
        inputs: {{i: {{path: i.json, format: json{sensitive}}}}}
        tables: {{t: {{from: i, steps: [simplify_ddb_json: {{}}{mask}]}}}}
        outputs: {{t: {{path: out, format: json}}}}
    """
    named = sensitive_fields(load(config(job.format(sensitive=", sensitive: [Item.card.S]", mask=""))))
    assert covers(named["t", "rules"], ("card",))
    assert not covers(named["t", "rules"], ("town",))
    masked = sensitive_fields(load(config(job.format(sensitive="", mask=", mask_columns: {columns: card}"))))
    assert covers(masked["i", "read"], ("Item", "card"))
    assert not covers(masked["i", "read"], ("Item", "town"))


@pytest.mark.parametrize(
    ("query", "hidden", "shown"),
    [
        pytest.param("SELECT * FROM i", ["card", "person.card"], ["id", "person.name"], id="all"),
        pytest.param("SELECT id, person.card FROM i", ["card"], ["id", "person"], id="a field of a struct"),
        pytest.param("SELECT id, x.person.card FROM i AS x", ["card"], ["id"], id="qualified"),
        pytest.param("SELECT person.card AS c, person.name n FROM i", ["c"], ["n"], id="aliases of fields"),
        pytest.param("SELECT upper(person.card) AS c FROM i", ["c"], ["id"], id="an expression"),
        pytest.param("SELECT CARD AS c FROM i", ["c"], ["id"], id="another case"),
        pytest.param("SELECT person AS p FROM i", ["p.card"], ["p.name"], id="a struct"),
        pytest.param("SELECT items[0].sku AS c, items.price AS n FROM i", ["c"], ["n"], id="an element"),
        pytest.param("SELECT upper(card), id FROM i", ["id", "town"], [], id="no name"),
        pytest.param("SELECT upper(town), id FROM i", [], ["id", "town"], id="no name, but harmless"),
        pytest.param("SELECT id, card AS c, upper(c) AS d FROM i", ["c", "d"], ["id"], id="an alias of an alias"),
        pytest.param("WITH a(x, y) AS (SELECT id, card FROM i) SELECT x, y FROM a", ["y"], ["x"], id="named parts"),
        pytest.param("SELECT x, y FROM (SELECT id, card FROM i) AS a(x, y)", ["y"], ["x"], id="a named subquery"),
        pytest.param(
            "WITH a AS (SELECT card AS b, id FROM i), c AS (SELECT b AS d, id FROM a) SELECT d AS e, id FROM c",
            ["e"],
            ["b", "d", "id"],
            id="parts of parts",
        ),
        pytest.param("SELECT a.x, a.y FROM i AS a(x, y)", ["x", "y"], ["id"], id="a table by position"),
        pytest.param(
            "SELECT id, c, d FROM i LATERAL VIEW explode(split(card, '')) t AS c LATERAL VIEW explode(tags) u AS d",
            ["c"],
            ["d", "id"],
            id="lateral views",
        ),
        pytest.param("SELECT x.c FROM i, LATERAL explode(i.items) AS x(c)", ["c"], ["id"], id="lateral"),
        pytest.param("SELECT posexplode(items) AS (at, one), id FROM i", ["one", "at"], ["id"], id="two aliases"),
        pytest.param("SELECT * EXCEPT (card) FROM i", ["person.card"], ["id"], id="all but one"),
        pytest.param("SELECT id, person.* FROM i", ["card"], ["id", "name"], id="all of a struct"),
        pytest.param("SELECT x.* FROM i x JOIN j y ON x.id = y.id", ["card"], ["id", "name"], id="all of a table"),
        pytest.param("SELECT id AS a, town AS b FROM j UNION SELECT id, card FROM i", ["b"], ["a"], id="a union"),
        pytest.param("SELECT id AS a FROM j UNION ALL BY NAME SELECT card FROM i", ["card"], ["a"], id="by name"),
        pytest.param("SELECT * FROM j UNION ALL SELECT * FROM i", ["id", "card"], [], id="a union of unknown columns"),
        pytest.param(
            "SELECT * FROM i WHERE a UNION ALL SELECT * FROM i WHERE b", ["card"], ["id"], id="a union of one table"
        ),
        pytest.param(
            "SELECT town, count(*), count(DISTINCT card) AS n, max(card) AS c FROM i GROUP BY town",
            ["c"],
            ["town", "n"],
            id="groups",
        ),
        pytest.param("SELECT y.name, x.card AS c FROM i x JOIN j y USING (id)", ["c"], ["name"], id="a join"),
        pytest.param("SELECT x.card AS c, y.id FROM (i x JOIN j y)", ["c"], ["id"], id="a join in parentheses"),
        pytest.param("SELECT id, (SELECT max(card) FROM i) AS c FROM j", ["c"], ["id"], id="a scalar subquery"),
        pytest.param("SELECT to_json(struct(*)) AS c, id FROM i", ["c"], ["id"], id="a struct of all"),
        pytest.param("SELECT to_json(struct(count(*))) AS c, id FROM i", [], ["c", "id"], id="only counted"),
        pytest.param("SELECT * FROM i PIVOT (sum(id) FOR card IN (1, 2))", ["id", "`1`"], [], id="a pivot"),
        pytest.param(
            "SELECT * FROM (SELECT town, year, id FROM i) PIVOT (sum(id) FOR year IN (1, 2))",
            [],
            ["town", "card"],
            id="a harmless pivot",
        ),
        pytest.param("SELECT person:card::string AS c, id FROM i", ["c"], ["id"], id="a path of a variant"),
    ],
)
def test_queries_are_followed(config, query, hidden, shown):
    assert readable(config, f'sql: "{query}"', [*hidden, *shown]) == shown


def test_what_is_no_known_sql_may_make_anything_of_anything():
    assert made_by_query("SELECT a :: :: b FROM i") == [ANYTHING]


@pytest.mark.parametrize(
    ("steps", "entering"),
    [
        pytest.param("parse_json: {column: text, schema: no STRING}", ["text"], id="inside a text"),
        pytest.param("sql: 'SELECT id AS x, person.no AS text FROM t'", ["person.no"], id="a field of a struct"),
        pytest.param("sql: 'WITH a(text) AS (SELECT tel FROM t) SELECT text FROM a'", ["tel"], id="a named part"),
        pytest.param("explode: {column: texts, new_column: text}", ["texts"], id="an array"),
        pytest.param("sql: 'SELECT id, upper(town), tel AS text FROM t'", ["tel"], id="beside one without a name"),
    ],
)
def test_what_is_masked_later_is_followed_back(config, steps, entering):
    made = f"from: j\n        steps: [{{{steps}}}, mask_columns: {{columns: text}}]"
    found = sensitive_fields(load(config(JOB.format(made=made, output="t"))))["j", "read"]
    others = ["id", "town", "tel", "person.name", "texts"]
    assert [name for name in [*entering, *others] if covers(found, parse_path(name))] == [
        *entering,
        *(name for name in others if name in entering),
    ]
