"""join: which rows meet, which columns stay and under which names, which keys are refused."""

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StructField, StructType

from transforms.drop_fields import drop_fields
from transforms.errors import ColumnTypeError, DuplicateColumnError, MissingColumnError, PathSyntaxError, TransformError
from transforms.join import join

X = None


def rows_of(df):
    return sorted(df.collect(), key=str)


@pytest.fixture
def people(spark):
    rows = [("Ada", 1, "10"), ("Bob", 2, "20"), ("Cyd", 2, "99"), ("Dan", None, "10")]
    return spark.createDataFrame(rows, "name STRING, org INT, zip STRING")


@pytest.fixture
def orgs(spark):
    rows = [(1, "10", "One"), (2, "20", "Two"), (2, "21", "Too"), (None, "10", "Nil"), (4, "40", "Four")]
    return spark.createDataFrame(rows, "org INT, zip STRING, title STRING")


ADA_ONE = ("Ada", 1, "10", 1, "10", "One")
BOB_TWO, BOB_TOO = ("Bob", 2, "20", 2, "20", "Two"), ("Bob", 2, "20", 2, "21", "Too")
CYD_TWO, CYD_TOO = ("Cyd", 2, "99", 2, "20", "Two"), ("Cyd", 2, "99", 2, "21", "Too")
INNER = [ADA_ONE, BOB_TWO, BOB_TOO, CYD_TWO, CYD_TOO]
DAN_X = ("Dan", X, "10", X, X, X)
X_NIL, X_FOUR = (X, X, X, X, "10", "Nil"), (X, X, X, 4, "40", "Four")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param("inner", INNER, id="inner: m rows times n rows, null meets nothing"),
        pytest.param("left", [*INNER, DAN_X], id="left"),
        pytest.param("right", [*INNER, X_NIL, X_FOUR], id="right"),
        pytest.param("outer", [*INNER, DAN_X, X_NIL, X_FOUR], id="outer"),
        pytest.param("left_semi", [("Ada", 1, "10"), ("Bob", 2, "20"), ("Cyd", 2, "99")], id="semi: once each"),
        pytest.param("left_anti", [("Dan", None, "10")], id="anti: a null key has no match"),
    ],
)
def test_rows_meet_where_the_key_is_equal(people, orgs, how, expected):
    assert rows_of(people.transform(join, orgs, "org", how=how)) == sorted(expected, key=str)


def test_duplicate_rows_multiply(spark):
    two = spark.createDataFrame([(1,), (1,)], "k INT")
    three = spark.createDataFrame([(1,), (1,), (1,)], "k INT")
    assert two.transform(join, three, "k").collect() == [(1, 1)] * 6


@pytest.mark.parametrize(
    ("keys", "other_keys", "expected"),
    [
        pytest.param(["org", "zip"], None, [ADA_ONE, BOB_TWO], id="two keys"),
        pytest.param(["zip", "org"], ["zip", "org"], [ADA_ONE, BOB_TWO], id="in another order"),
        pytest.param("name", "title", [], id="of other names"),
        pytest.param(["org", "org"], None, INNER, id="one key twice"),
    ],
)
def test_keys_pair_up_in_order(people, orgs, keys, other_keys, expected):
    assert rows_of(people.transform(join, orgs, keys, other_keys)) == sorted(expected, key=str)


def test_an_empty_frame_meets_nothing(people, orgs):
    assert people.transform(join, orgs.where("org > 9"), "org").collect() == []
    assert people.where("org > 9").transform(join, orgs, "org", how="right").count() == 5


@pytest.mark.parametrize(
    ("left", "right", "names"),
    [
        pytest.param(["k", "zip"], ["k", "zip"], ["k", "zip", ".k", ".zip"], id="a leading dot"),
        pytest.param(["k", ".k", "..k"], ["k"], ["k", ".k", "..k", "...k"], id="more dots until the name is free"),
        pytest.param(["k"], ["k", ".k"], ["k", "..k", ".k"], id="free on both sides"),
        pytest.param(["k", ".k"], ["k", ".k"], ["k", ".k", "..k", "...k"], id="a join of a join"),
        pytest.param(["k", "zip"], ["k", "Zip"], ["k", "zip", ".k", ".Zip"], id="another case counts as the same"),
        pytest.param(["k"], ["k", "K"], ["k", ".k", "..K"], id="twins of the other frame"),
        pytest.param(["k"], ["k", "x", "X"], ["k", ".k", "x", "X"], id="twins that clash with nothing stay"),
        pytest.param(["k", "a.b", "`"], ["k", "a.b", "`", "🙂"], ["k", "a.b", "`", ".k", ".a.b", ".`", "🙂"], id="odd"),
    ],
)
def test_names_of_the_other_frame_give_way(spark, left, right, names):
    one = spark.range(1).select(*(F.lit(1).alias(name) for name in left))
    two = spark.range(1).select(*(F.lit(2).alias(name) for name in right))
    assert one.transform(join, two, "k").columns == names


def test_the_dotted_column_can_be_dropped(people, orgs):
    found = people.transform(join, orgs, "org").transform(drop_fields, ["`.zip`", "`.org`"])
    assert found.columns == ["name", "org", "zip", "title"]


def test_a_frame_is_joined_with_itself_and_with_what_comes_of_it(people):
    assert people.transform(join, people, "name").count() == 4
    chiefs = people.where("org = 1").withColumn("chief", F.col("name")).select("org", "chief")
    assert people.transform(join, chiefs, "org").collect() == [("Ada", 1, "10", 1, "Ada")]
    again = people.transform(join, people, "name").transform(join, people, "name")
    assert again.columns == ["name", "org", "zip", ".name", ".org", ".zip", "..name", "..org", "..zip"]
    assert again.count() == 4


def test_keys_inside_structs(spark):
    here = spark.sql("SELECT named_struct('b', named_struct('c.d', 1)) AS a UNION ALL SELECT null")
    there = spark.sql("SELECT 1 AS id, named_struct('id', 7, 'Id', 1) AS t UNION ALL SELECT 2, null")
    assert here.transform(join, there, "a.b.`c.d`", "t.Id").collect() == [(((1,),), 1, (7, 1))]
    assert here.transform(join, there, "a.b.`c.d`", "t.id").collect() == []


def test_keys_whose_names_differ_in_case_only(spark):
    df = spark.sql("SELECT 1 AS id, 2 AS Id")
    other = spark.sql("SELECT 2 AS id, 3 AS ID")
    assert df.transform(join, other, "Id", "id").collect() == [(1, 2, 2, 3)]
    assert df.transform(join, other, "id").collect() == []


def typed(spark, value, name):
    return spark.sql(f"SELECT {value} AS {name}")


@pytest.mark.parametrize(
    ("one", "two", "count"),
    [
        pytest.param("1", "1L", 1, id="int and long"),
        pytest.param("1.0", "1D", 1, id="decimal and double"),
        pytest.param("DATE'2024-01-01'", "TIMESTAMP'2024-01-01 00:00:00'", 1, id="date and timestamp"),
        pytest.param("NULL", "1", 0, id="always null"),
        pytest.param("NULL", "NULL", 0, id="always null on both sides"),
        pytest.param("array(1)", "array(1L)", 1, id="arrays"),
        pytest.param("named_struct('a', 1)", "named_struct('a', 1L)", 1, id="structs"),
        pytest.param(
            "array(named_struct('a', DATE'2024-01-01', 'b', NULL))",
            "array(named_struct('a', TIMESTAMP'2024-01-01 00:00:00', 'b', 1.5))",
            0,
            id="structs in arrays",
        ),
        pytest.param(
            "named_struct('a', CAST(NULL AS INT))", "named_struct('a', CAST(NULL AS INT))", 1, id="null inside"
        ),
        pytest.param("X'0A'", "X'0A'", 1, id="binary"),
    ],
)
def test_types_of_one_kind_compare(spark, one, two, count):
    assert len(typed(spark, one, "a").transform(join, typed(spark, two, "b"), "a", "b").select("a").collect()) == count


@pytest.mark.parametrize(
    ("one", "two", "types"),
    [
        pytest.param("'1'", "1", "string and int", id="string and number"),
        pytest.param("named_struct('a', 1)", "1", "struct<a:int> and int", id="struct and number"),
        pytest.param("named_struct('a', 1)", "named_struct('b', 1)", "struct<a:int> and struct<b:int>", id="structs"),
        pytest.param("array('1')", "array(1)", "array<string> and array<int>", id="inside arrays"),
        pytest.param("map(1, 2)", "map(1, 2)", "map<int,int> and map<int,int>", id="maps"),
        pytest.param("array(map(1, 2))", "array(map(1, 2))", "array<map<int,int>>", id="arrays of maps"),
        pytest.param("parse_json('1')", "parse_json('1')", "variant and variant", id="variants"),
        pytest.param("true", "1", "boolean and int", id="boolean and number"),
        pytest.param("'2024-01-01'", "DATE'2024-01-01'", "string and date", id="string and date"),
        pytest.param("'a'", "'a' COLLATE UTF8_LCASE", "string and string collate UTF8_LCASE", id="collations"),
    ],
)
def test_types_of_two_kinds_are_refused(spark, one, two, types):
    with pytest.raises(ColumnTypeError, match=f"keys `a` of `df` and `b` of `other` .* do not compare: {types}"):
        typed(spark, one, "a").transform(join, typed(spark, two, "b"), "a", "b")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        pytest.param({"keys": []}, TransformError, "at least one key", id="no keys"),
        pytest.param({"keys": "org", "other_keys": []}, TransformError, "got 1 of `df` and 0 of", id="no other keys"),
        pytest.param({"keys": ["org"], "other_keys": ["org", "zip"]}, TransformError, "got 1 .* and 2", id="unequal"),
        pytest.param(
            {"keys": "Org"}, MissingColumnError, r"key `Org` of `df`\. .* Did you mean `org`\?", id="another case"
        ),
        pytest.param(
            {"keys": "org", "other_keys": "orgs"},
            MissingColumnError,
            r"key `orgs` of `other`\. .* Did you mean `org`\?",
            id="not in the other frame",
        ),
        pytest.param({"keys": "org."}, PathSyntaxError, "no name", id="no path"),
        pytest.param(
            {"keys": "org", "how": "full"},
            TransformError,
            "how='full'. There are these ways: inner, left, left_anti, left_semi, outer, right",
            id="how",
        ),
    ],
)
def test_wrong_arguments_are_refused(people, orgs, arguments, error, message):
    with pytest.raises(error, match=message):
        people.transform(join, orgs, **arguments)


def test_a_key_inside_an_array_or_of_two_columns_is_refused(spark):
    df = spark.sql("SELECT named_struct('b', array(array(named_struct('c', 1)))) AS a, 1 AS x, 2 AS x")
    with pytest.raises(ColumnTypeError, match=r"`a\.b\.c` of `df` lies inside the array `a\.b`"):
        df.transform(join, df, "a.b.c")
    with pytest.raises(DuplicateColumnError, match="`x` of `df` names 2 fields"):
        df.transform(join, df, "x")


def test_types_nullability_and_metadata_are_unchanged(spark):
    id_field = StructField("id", IntegerType(), False, {"note": 1})
    schema = StructType([id_field, StructField("s", StructType([id_field]), False)])
    df = spark.createDataFrame([], schema)
    dotted = [StructField(f".{field.name}", field.dataType, field.nullable, field.metadata) for field in schema]
    assert df.transform(join, df, "id").schema == StructType([*schema.fields, *dotted])
    assert df.transform(join, df, "id", how="left_semi").schema == schema


def test_it_is_lazy(spark):
    df = spark.range(1).select(F.raise_error("read").cast("int").alias("id"))
    assert df.transform(join, df, "id", how="outer").columns == ["id", ".id"]


def test_a_thousand_columns(spark):
    wide = spark.range(2).select(*((F.col("id") + number).alias(f"c {number}") for number in range(1000)))
    found = wide.transform(join, wide, ["c 0", "c 999"])
    assert len(found.columns) == 2000
    assert found.select("`c 1`", "`.c 2`").count() == 2


def test_decimals_that_would_meet_only_rounded_do_not_join(spark):
    one, other = spark.sql("SELECT CAST(1 AS DECIMAL(38, 0)) AS k"), spark.sql("SELECT 1.40BD AS k")
    other = other.selectExpr("CAST(k AS DECIMAL(10, 2)) AS k")
    with pytest.raises(ColumnTypeError, match=r"none has room for all digits: decimal\(38,0\) and decimal\(10,2\)"):
        join(one, other, "k", "k")
    assert join(one, other.selectExpr("CAST(k AS DECIMAL(9, 0)) AS k"), "k", "k").count() == 1
