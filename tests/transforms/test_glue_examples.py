"""What Glue's own documentation shows with input and output, done by our functions.

Source: AWS Glue developer guide, pages "DynamicFrame class", "DropNullFields class", "Code example: Joining and
relationalizing data" and "Code example: Data preparation using ResolveChoice, Lambda, and ApplyMapping", and Studio's
on Explode, Split String, Array To Columns, Extract JSON Path and Flatten. Schemas and printed rows are facts of those
pages. Where Glue's order of fields follows from no rule (Map, Join, make_cols), fields are compared as a set.
"""

import json
from datetime import date

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DoubleType, LongType, NullType, StringType, StructField, StructType

from transforms.apply_mapping import apply_mapping
from transforms.array_to_columns import array_to_columns
from transforms.choices.choice import ChoiceType, to_marks
from transforms.choices.format_schema import format_schema
from transforms.drop_fields import drop_fields
from transforms.drop_null_fields import drop_null_fields
from transforms.explode import explode
from transforms.extract_json_paths import extract_json_paths
from transforms.filter_rows import filter_rows
from transforms.flatten import flatten
from transforms.join import join
from transforms.map_rows import map_rows
from transforms.merge_frames import merge_frames
from transforms.relationalize import relationalize
from transforms.rename_field import rename_field
from transforms.resolve_choice import resolve_choice
from transforms.select_fields import select_fields
from transforms.simplify_ddb_json import simplify_ddb_json
from transforms.spigot import spigot
from transforms.split_fields import split_fields
from transforms.split_rows import split_rows
from transforms.split_string import split_string
from transforms.unbox import unbox
from transforms.unnest import unnest
from transforms.unnest_ddb_json import unnest_ddb_json

LINKS = "ARRAY<STRUCT<note: STRING, url: STRING>>"
IDENTIFIERS = "ARRAY<STRUCT<scheme: STRING, identifier: STRING>>"
PERSONS = (
    f"family_name STRING, name STRING, links {LINKS}, gender STRING, image STRING, identifiers {IDENTIFIERS},"
    " other_names ARRAY<STRUCT<lang: STRING, note: STRING, name: STRING>>, sort_name STRING,"
    " images ARRAY<STRUCT<url: STRING>>, given_name STRING, birth_date STRING, id STRING,"
    " contact_details ARRAY<STRUCT<type: STRING, value: STRING>>, death_date STRING"
)
MEMBERSHIPS = (
    "area_id STRING, on_behalf_of_id STRING, organization_id STRING, role STRING, person_id STRING,"
    " legislative_period_id STRING, start_date STRING, end_date STRING"
)
ORGS = (
    f"identifiers {IDENTIFIERS}, other_names ARRAY<STRUCT<lang: STRING, note: STRING, name: STRING>>, id STRING,"
    f" classification STRING, name STRING, links {LINKS}, image STRING, seats INT, type STRING"
)
MEDICARE = [
    *("DRG Definition", "Provider Id", "Provider Name", "Provider Street Address", "Provider City", "Provider State"),
    *("Provider Zip Code", "Hospital Referral Region Description", "Total Discharges", "Average Covered Charges"),
    *("Average Total Payments", "Average Medicare Payments"),
]


@pytest.fixture
def persons(spark):
    names = ("family_name", "name", "given_name", "birth_date", "id", "contact_details")
    details = [{"type": "fax", "value": "202-225-4160"}, {"type": "phone", "value": "202-225-3436"}]
    people = [
        ("Collins", "Mac Collins", "Michael", "1944-10-15", "p1", details),
        ("Huizenga", "Bill Huizenga", "Bill", "1969-01-31", "p2", [{"type": "phone", "value": "202-225-2861"}]),
        ("Clawson", "Curt Clawson", "Curtis", "1959-09-28", "p3", None),
    ]
    lines = [(json.dumps(dict(zip(names, person, strict=True))),) for person in people]
    df = spark.createDataFrame(lines, "line STRING")
    return df.select(F.from_json("line", PERSONS).alias("person")).select("person.*")


@pytest.fixture
def medicare(spark):
    rows = [
        [
            "039",
            "10001",
            "SOUTHEAST ALABAMA",
            "1108 ROSS",
            "DOTHAN",
            "AL",
            "36301",
            "AL - Dothan",
            "91",
            "$1",
            "$2",
            "$3",
        ],
        ["039", "10023", "BAPTIST SOUTH", "2105 EAST", "MONTGOMERY", "AL", "36116", "AL - Mo", "67", "$4", "$5", "$6"],
        ["039", "50108", "SUTTER", "2801 L ST", "SACRAMENTO", "CA", "95816", "CA - Sac", "19", "$7", "$8", "$9"],
    ]
    return spark.createDataFrame(rows, ", ".join(f"`{name}` STRING" for name in MEDICARE))


def merge_address(record):
    """As the page of Map has it."""
    record["Address"] = {}
    record["Address"]["Street"] = record["Provider Street Address"]
    record["Address"]["City"] = record["Provider City"]
    record["Address"]["State"] = record["Provider State"]
    record["Address"]["Zip.Code"] = record["Provider Zip Code"]
    record["Address"]["Array"] = [
        record[name] for name in ("Provider Street Address", "Provider City", "Provider State", "Provider Zip Code")
    ]
    for name in ("Provider Street Address", "Provider City", "Provider State", "Provider Zip Code"):
        del record[name]
    return record


def tree(df):
    return format_schema(df.schema).splitlines()[1:]


def rows(df):
    return [tuple(row) for row in df.collect()]


def test_apply_mapping(persons):
    mapped = apply_mapping(
        persons,
        [
            ("family_name", "String", "last_name", "String"),
            ("name", "String", "first_name", "String"),
            ("birth_date", "String", "date_of_birth", "Date"),
        ],
    )
    assert tree(mapped) == ["|-- last_name: string", "|-- first_name: string", "|-- date_of_birth: date"]
    assert rows(mapped)[0] == ("Collins", "Mac Collins", date(1944, 10, 15))


def test_apply_mapping_nests(spark):
    names = ["drg definition STRING", "provider id BIGINT", "provider name STRING", "provider city STRING"]
    names += ["provider state STRING", "provider zip code BIGINT", "hospital referral region description STRING"]
    names += ["ACC STRING", "ATP STRING", "AMP STRING"]
    quoted = (f"`{name.rpartition(' ')[0]}` {name.rpartition(' ')[2]}" for name in names)
    row = ("039", 10029, "EAST ALABAMA", "OPELIKA", "AL", 36801, "AL - Bi", "10710.88", "4968.00", "3898.88")
    df = spark.createDataFrame([row], ", ".join(quoted))
    nested = apply_mapping(
        df,
        [
            ("drg definition", "string", "drg", "string"),
            ("provider id", "long", "provider.id", "long"),
            ("provider name", "string", "provider.name", "string"),
            ("provider city", "string", "provider.city", "string"),
            ("provider state", "string", "provider.state", "string"),
            ("provider zip code", "long", "provider.zip", "long"),
            ("hospital referral region description", "string", "rr", "string"),
            ("ACC", "string", "charges.covered", "double"),
            ("ATP", "string", "charges.total_pay", "double"),
            ("AMP", "string", "charges.medicare_pay", "double"),
        ],
    )
    assert tree(nested) == [
        *("|-- drg: string", "|-- provider: struct", "|    |-- id: long", "|    |-- name: string"),
        *("|    |-- city: string", "|    |-- state: string", "|    |-- zip: long", "|-- rr: string"),
        *(
            "|-- charges: struct",
            "|    |-- covered: double",
            "|    |-- total_pay: double",
            "|    |-- medicare_pay: double",
        ),
    ]
    assert rows(nested.select("charges.*")) == [(10710.88, 4968.0, 3898.88)]


def test_drop_fields(spark, tmp_path):
    friends = tmp_path / "friends.json"
    friends.write_text(
        """{"name": "Sally", "age": 23, "location": {"state": "WY", "county": "Fremont"}, "friends": []}
{"name": "Varun", "age": 34, "location": {"state": "NE", "county": "Douglas"}, "friends": [{"name": "Arjun", "age": 3}]}
{"name": "George", "age": 52, "location": {"state": "NY"}, "friends": [{"name": "Fred"}, {"name": "Amy", "age": 15}]}
{"name": "Haruki", "age": 21, "location": {"state": "AK", "county": "Denali"}}
{"name": "Sheila", "age": 63, "friends": [{"name": "Nancy", "age": 22}]}
"""
    )
    schema = "name STRING, age INT, location STRUCT<state: STRING, county: STRING>,"
    df = spark.read.schema(schema + " friends ARRAY<STRUCT<name: STRING, age: INT>>").json(str(friends))
    assert tree(drop_fields(df, ["age", "location.county", "friends.age"])) == [
        *("|-- name: string", "|-- location: struct", "|    |-- state: string"),
        *("|-- friends: array", "|    |-- element: struct", "|    |    |-- name: string"),
    ]


def test_drop_null_fields(persons):
    with_null = persons.withColumn("empty_column", F.lit(None).cast(NullType()))
    assert tree(with_null)[-1] == "|-- empty_column: null"
    assert drop_null_fields(with_null).schema == persons.schema


def test_filter(medicare):
    where = "`Provider State` IN ('CA', 'AL') AND `Provider City` IN ('SACRAMENTO', 'MONTGOMERY')"
    assert filter_rows(medicare, where).count() == 2


def test_join_of_three(spark, persons):
    memberships = spark.createDataFrame([("a", "party/r", "o1", "member", "p1", "t", "2001", None)], MEMBERSHIPS)
    orgs = spark.createDataFrame([(None, None, "o1", "legislature", "House", None, None, 435, "lower house")], ORGS)
    orgs = rename_field(
        rename_field(drop_fields(orgs, ["other_names", "identifiers"]), "id", "org_id"), "name", "org_name"
    )
    both = join(persons, memberships, ["id"], other_keys=["person_id"])
    combined = drop_fields(join(orgs, both, ["org_id"], other_keys=["organization_id"]), ["person_id", "org_id"])
    assert set(combined.columns) == {
        *("role", "seats", "org_name", "links", "type", "sort_name", "area_id", "images", "on_behalf_of_id"),
        *("other_names", "contact_details", "name", "birth_date", "organization_id", "gender", "classification"),
        *("legislative_period_id", "identifiers", "image", "given_name", "start_date", "family_name", "id"),
        *("death_date", "end_date"),
        # Both sides have these two. The page prints them once; those of Join say that one copy gets a dot.
        *(".links", ".image"),
    }
    assert combined.count() == 1


def test_map_unbox_and_unnest(medicare):
    mapped = map_rows(medicare, merge_address).drop("_error")
    address = [
        *("|-- Address: struct", "|    |-- Street: string", "|    |-- City: string", "|    |-- State: string"),
        *("|    |-- Zip.Code: string", "|    |-- Array: array", "|    |    |-- element: string"),
    ]
    kept = [name for name in MEDICARE if not name.startswith(("Provider S", "Provider C", "Provider Z"))]
    assert sorted(tree(mapped)) == sorted([*address, *(f"|-- {name}: string" for name in kept)])
    unnested = unnest(mapped)
    assert set(unnested.columns) == {
        *kept,
        *("Address.Zip.Code", "Address.City", "Address.Array", "Address.State", "Address.Street"),
    }
    with_text = mapped.withColumn("AddressString", F.to_json("Address"))
    unboxed = unbox(with_text, "AddressString", "json").drop("_error")
    fields = {"Street": "string", "City": "string", "State": "string", "Zip.Code": "string", "Array": "array<string>"}
    found = unboxed.schema["AddressString"].dataType
    assert {field.name: field.dataType.simpleString() for field in found.fields} == fields
    assert unboxed.columns == with_text.columns
    street = unboxed.select(F.col("AddressString").getField("Street"), "Provider Id").where("`Provider Id` = '10001'")
    assert rows(street) == [("1108 ROSS", "10001")]


CONTACTS = "id BIGINT, index INT, `contact_details.val.type` STRING, `contact_details.val.value` STRING"


def test_relationalize(persons):
    ours = relationalize(select_fields(persons, ["id", "given_name", "contact_details"]), "l_root")
    assert list(ours) == ["l_root", "l_root_contact_details"]
    assert tree(ours["l_root_contact_details"]) == [
        *("|-- id: long", "|-- index: int"),
        *("|-- contact_details.val.type: string", "|-- contact_details.val.value: string"),
    ]
    root = {row.given_name: row.contact_details for row in ours["l_root"].collect()}
    assert root["Curtis"] is None
    details = ours["l_root_contact_details"].orderBy("id", "index")
    of_michael = details.where(F.col("id") == root["Michael"])
    assert [row[1:] for row in rows(of_michael)] == [(0, "fax", "202-225-4160"), (1, "phone", "202-225-3436")]
    everything = relationalize(persons, "l_root")
    arrays = ("images", "links", "other_names", "contact_details", "identifiers")
    assert set(everything) == {"l_root", *(f"l_root_{name}" for name in arrays)}


def test_rename_field(spark):
    orgs = rename_field(rename_field(spark.createDataFrame([], ORGS), "id", "org_id"), "name", "org_name")
    kept = ["identifiers", "other_names", "org_id", "classification", "org_name", "links", "image", "seats", "type"]
    assert orgs.columns == kept
    dotted = spark.createDataFrame([("x",)], "`this.old.name` STRING")
    assert rename_field(dotted, "`this.old.name`", "thisNewName").columns == ["thisNewName"]
    assert apply_mapping(dotted, [("`this.old.name`", "string", "thisNewName", "string")]).columns == ["thisNewName"]


def test_resolve_choice(spark):
    choice = ChoiceType.of([LongType(), StringType()])
    schema = StructType([StructField("drg definition", StringType()), StructField("provider id", choice)])
    df = spark.createDataFrame([("039", (10001, None)), ("948", (None, "INC"))], to_marks(schema))
    assert tree(df) == ["|-- drg definition: string", "|-- provider id: choice", "|    |-- long", "|    |-- string"]
    cast = resolve_choice(df, specs=[("provider id", "cast:long")])
    assert tree(cast) == ["|-- drg definition: string", "|-- provider id: long"]
    assert rows(cast.select("provider id")) == [(10001,), (None,)]
    columns = resolve_choice(df, choice="make_cols")
    assert set(tree(columns)) == {
        *("|-- drg definition: string", "|-- provider id_string: string", "|-- provider id_long: long"),
    }
    assert rows(columns.select("provider id_long", "provider id_string")) == [(10001, None), (None, "INC")]
    struct = resolve_choice(df, choice="make_struct")
    assert tree(struct)[1:] == ["|-- provider id: struct", "|    |-- long: long", "|    |-- string: string"]
    # Glue's pages disagree on project: that of the class keeps the values of the type alone, as its samples do.
    texts = resolve_choice(df, specs=[("provider id", "project:string")])
    assert rows(texts.select("provider id")) == [(None,), ("INC",)]


def test_resolve_choice_inside_an_array(spark):
    price = StructType([StructField("price", ChoiceType.of([DoubleType(), StringType()]))])
    schema = StructType([StructField("myList", ArrayType(price))])
    df = spark.createDataFrame([([((100.0, None),), ((None, "$100.00"),)],)], to_marks(schema))
    resolved = resolve_choice(df, specs=[("myList[].price", "cast:double")])
    assert rows(resolved.selectExpr("myList.price")) == [([100.0, None],)]


def test_select_fields(persons):
    names = select_fields(persons, ["family_name", "given_name"])
    assert tree(names) == ["|-- family_name: string", "|-- given_name: string"]
    assert rows(names) == [("Collins", "Michael"), ("Huizenga", "Bill"), ("Clawson", "Curtis")]


def test_simplify_ddb_json(spark):
    item = {
        "parentMap": {
            "M": {"childMap": {"M": {"appName": {"S": "maps"}, "packageName": {"S": "org"}, "updatedAt": {"N": "7"}}}}
        },
        "strings": {"SS": ["a"]},
        "numbers": {"NS": ["1"]},
        "binaries": {"BS": ["eA=="]},
        "isDDBJson": {"BOOL": True},
        "nullValue": {"NULL": True},
    }
    text = "STRUCT<S: STRING>"
    child = f"STRUCT<M: STRUCT<appName: {text}, packageName: {text}, updatedAt: STRUCT<N: STRING>>>"
    sets = ", ".join(
        f"{name}: STRUCT<{tag}: ARRAY<STRING>>"
        for name, tag in zip(("strings", "numbers", "binaries"), ("SS", "NS", "BS"), strict=True)
    )
    kind = (
        f"Item STRUCT<parentMap: STRUCT<M: STRUCT<childMap: {child}>>, {sets},"
        " isDDBJson: STRUCT<BOOL: BOOLEAN>, nullValue: STRUCT<NULL: BOOLEAN>>"
    )
    df = spark.createDataFrame([(json.dumps({"Item": item}),)], "line STRING")
    df = df.select(F.from_json("line", kind).alias("it")).select("it.*")
    simple = simplify_ddb_json(df)
    assert tree(simple) == [
        *("|-- parentMap: struct", "|    |-- childMap: struct", "|    |    |-- appName: string"),
        *("|    |    |-- packageName: string", "|    |    |-- updatedAt: string"),
        *("|-- strings: array", "|    |-- element: string", "|-- numbers: array", "|    |-- element: string"),
        *("|-- binaries: array", "|    |-- element: string", "|-- isDDBJson: boolean", "|-- nullValue: null"),
    ]
    assert rows(simple.select("parentMap.childMap.*")) == [("maps", "org", "7")]


def test_unnest_ddb_json(spark):
    kind = StructType.fromDDL(
        "Item STRUCT<ColA: STRUCT<S: STRING>, ColB: STRUCT<S: STRING>, ColC: STRUCT<N: STRING>,"
        " ColD: STRUCT<L: ARRAY<VOID>>>"
    )
    df = spark.createDataFrame([((("a",), ("b",), ("1",), ([None],)),)], kind)
    assert tree(unnest_ddb_json(df)) == [
        *("|-- ColA: string", "|-- ColB: string", "|-- ColC: string", "|-- ColD: array", "|    |-- element: null"),
    ]


def test_spigot(persons, tmp_path):
    chosen = select_fields(persons, ["family_name", "given_name", "birth_date"])
    spigot(chosen, str(tmp_path / "sample"), top=2)
    (written,) = (path for path in (tmp_path / "sample").rglob("*") if path.is_file() and path.name[0] not in "._")
    assert written.read_text().splitlines() == [
        '{"family_name":"Collins","given_name":"Michael","birth_date":"1944-10-15"}',
        '{"family_name":"Huizenga","given_name":"Bill","birth_date":"1969-01-31"}',
    ]


def test_split_fields_split_rows_and_merge(spark):
    contacts = spark.createDataFrame(
        [(1, 0, "phone", "202-225-5265"), (1, 1, "twitter", "kathyhochul"), (10, 0, "fax", "1"), (20, 0, "fax", "2")],
        CONTACTS,
    )
    fields = split_fields(contacts, ["id", "index"], "left", "right")
    assert tree(fields["left"]) == ["|-- id: long", "|-- index: int"]
    assert tree(fields["right"]) == ["|-- contact_details.val.type: string", "|-- contact_details.val.value: string"]
    parts = split_rows(contacts, {"id": {">": 10}}, "high", "low")
    assert list(parts) == ["high", "low"]
    assert [row[0] for row in rows(parts["low"])] == [1, 1, 10]
    assert [row[0] for row in rows(parts["high"])] == [20]
    merged = merge_frames(parts["high"], parts["low"], ["id"])
    assert rows(merged.where("id = 1 OR id = 20").orderBy("id", "index")) == [
        (1, 0, "phone", "202-225-5265"),
        (1, 1, "twitter", "kathyhochul"),
        (20, 0, "fax", "2"),
    ]


def test_studio_explode(spark):
    categories = [["sports", "winter"], ["garden", "tools"], ["videogames"], ["game", "boardgame", "social"], []]
    df = spark.createDataFrame(list(enumerate(categories, start=1)), "product_id INT, category ARRAY<STRING>")
    shown = [(1, "sports"), (1, "winter"), (2, "garden"), (2, "tools"), (3, "videogames")]
    shown += [(4, "game"), (4, "boardgame"), (4, "social")]
    assert rows(explode(df, "category", keep_nulls=True)) == [*shown, (5, None)]
    assert rows(explode(df, "category")) == shown


def test_studio_split_string_and_array_to_columns(spark):
    df = spark.createDataFrame([(1, "sports,winter"), (3, "videogames")], "product_id INT, categories STRING")
    split = split_string(df, "categories", ",", new_column="categories_arr")
    assert rows(split) == [(1, "sports,winter", ["sports", "winter"]), (3, "videogames", ["videogames"])]
    subnets = [[54, 240, 197, 238], [192, 168, 0, 1], [192, 168], []]
    df = spark.createDataFrame([(subnet,) for subnet in subnets], "subnet ARRAY<INT>")
    columns = array_to_columns(df, "subnet", ["first_octect", "fourth_octect"], indexes=[1, 4])
    assert rows(columns) == [
        (subnets[0], 54, 238),
        (subnets[1], 192, 1),
        (subnets[2], 192, None),
        (subnets[3], None, None),
    ]


def test_studio_extract_json_path(spark):
    df = spark.createDataFrame([('{"a. a": 1, "prop_1": "x", "prop_2": 2}',)], "line STRING")
    paths = {"one": "prop_1", "two": "prop_2", "odd": "$['a. a']"}
    assert rows(extract_json_paths(df, "line", paths, drop_column=True)) == [("x", "2", "1")]


def test_studio_flatten(spark):
    home = "home_phone: STRUCT<country_code: STRING, number: STRING>"
    df = spark.createDataFrame([], f"phone_numbers STRUCT<{home}>")
    assert flatten(df).columns == [
        *("phone_numbers.home_phone.country_code", "phone_numbers.home_phone.number"),
    ]
    assert flatten(df, max_levels=1).columns == ["phone_numbers.home_phone"]
