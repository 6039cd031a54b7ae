"""bind: which words of an SQL text are names of fields, and which are SQL's own."""

import pytest
from pyspark.sql.types import ArrayType, IntegerType, StructType

from transforms.errors import DuplicateColumnError, MissingColumnError, TransformError
from transforms.nested.bound_names import bind
from transforms.nested.values import Value, row_of

ITEM = StructType()
for name in ("price", "x", "date", "a.b", "id", "Id", "é"):
    ITEM = ITEM.add(name, "integer")
ROW = StructType().add("rate", "integer").add("items", ArrayType(ITEM)).add("price", "integer")
ELEMENT = Value("__e0", ITEM, arrays=1)


def bound(text: str, element: Value = ELEMENT) -> str:
    return bind(text, [row_of(ROW), element], element, where="here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price", "(__e0.`price`)"),
        ("PRICE*rate", "(__e0.`price`*__c0)"),
        ("_row.price || _row.`price`", "(__c2 || __c2)"),
        ("_.price", "(__e0.price)"),
        ("size(items)", "(size(__c1))"),
        ("price(1)", "(price(1))"),
        ("cast(price AS price)", "(cast(__e0.`price` AS price))"),
        ("price::price", "(__e0.`price`::price)"),
        ("`a.b` + `x`", None),
        ("é", "(__e0.`é`)"),
        (
            "'price' \"price\" 'it\\'s price' r'\\' -- price\n/* price */ 1e5",
            "('price' \"price\" 'it\\'s price' r'\\' 1e5)",
        ),
        ("price >= 1 != 2 <=> 3", "(__e0.`price` >= 1 != 2 <=> 3)"),
        ("f(price => price)", "(f(price => __e0.`price`))"),
        ("other.price", "(other.price)"),
        ("filter(_row.items, i -> i.price > price)", "(filter(__c1, i -> i.price > __e0.`price`))"),
        ("id + Id", None),
        ("1 + .5 + 2.price", None),
    ],
)
def test_names_are_bound_to_the_innermost_field(text, expected):
    found = bound(text)
    assert expected is None or found == expected


def test_words_of_sql_and_variables_of_lambdas_become_variables():
    assert bound("date'2020-01-01' < date") == "transform(array(__e0.`date`), `date` -> (date'2020-01-01' < date))[0]"
    text = bound("filter(_row.items, (x, i) -> x.price > 1)")
    assert text == "transform(array(__e0.`x`), `x` -> (filter(__c1, (x, i) -> x.price > 1)))[0]"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", TransformError, "here: The expression is empty."),
        ("price) , (1", TransformError, r"here: A bracket \) at character 6 closes none."),
        ("(price]", TransformError, r"A bracket \] at character 7 closes none"),
        ("f(price", TransformError, r"A bracket \( is not closed"),
        ("'price", TransformError, "A quote ' at character 1 is not closed"),
        ("ID", DuplicateColumnError, "`ID` can mean more than one field: `id`, `Id`"),
        ("_row.prise", MissingColumnError, "There is no column `prise`. Did you mean `price`?"),
        ("__c0 + 1", MissingColumnError, "There is no field `__c0`"),
    ],
)
def test_what_cannot_be_bound_is_refused(text, error, message):
    with pytest.raises(error, match=message):
        bound(text)


def test_a_scalar_has_no_names_but_itself():
    assert bound("_ + price", Value("__e0", IntegerType(), arrays=1)) == "(__e0 + __c2)"
