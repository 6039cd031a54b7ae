"""A property: whatever the choices and wherever they are, make_cols and make_struct keep every value."""

import random
from collections import Counter
from datetime import date

import pytest
from pyspark.sql import types as t

from transforms.choices.choice import ChoiceType, choices_in, to_marks
from transforms.resolve_choice import resolve_choice

_SCALARS = {
    t.LongType(): lambda rng: rng.randrange(-(10**12), 10**12),
    t.StringType(): lambda rng: rng.choice(["", "x", "🙂", "null", "7"]),
    t.BooleanType(): lambda rng: rng.random() < 0.5,
    t.DateType(): lambda rng: date(2000 + rng.randrange(50), 1, 1),
}
_NAMES = ["a", "b c", "d.e", "f`g", "🙂", "long", "int"]


def some_type(rng, depth):
    kind = rng.choice(["scalar", "choice", "struct", "array", "map"] if depth else ["scalar"])
    if kind == "choice":
        alternatives = {made.typeName(): made for made in (some_plain(rng, depth - 1) for _ in range(4))}
        return ChoiceType.of(list(alternatives.values()))
    return some_plain(rng, depth, kind)


def some_plain(rng, depth, kind=None):
    kind = kind or rng.choice(["scalar", "scalar", "struct", "array"] if depth else ["scalar"])
    if kind == "struct":
        names = rng.sample(_NAMES, rng.randrange(1, 4))
        return t.StructType([t.StructField(name, some_type(rng, depth - 1)) for name in names])
    if kind == "array":
        return t.ArrayType(some_type(rng, depth - 1))
    if kind == "map":
        return t.MapType(t.StringType(), some_type(rng, depth - 1))
    return rng.choice(list(_SCALARS))


def some_value(rng, data_type):
    if rng.random() < 0.15:
        return None
    if isinstance(data_type, ChoiceType):
        chosen = rng.randrange(len(data_type.fields))
        return tuple(
            some_value(rng, field.dataType) if number == chosen else None
            for number, field in enumerate(data_type.fields)
        )
    if isinstance(data_type, t.StructType):
        return tuple(some_value(rng, field.dataType) for field in data_type.fields)
    if isinstance(data_type, t.ArrayType):
        return [some_value(rng, data_type.elementType) for _ in range(rng.randrange(4))]
    if isinstance(data_type, t.MapType):
        return {f"k{number}": some_value(rng, data_type.valueType) for number in range(rng.randrange(3))}
    return _SCALARS[data_type](rng)


def leaves(value):
    if isinstance(value, tuple | list):
        return sum(map(leaves, value), Counter())
    if isinstance(value, dict):
        return sum(map(leaves, value.values()), Counter())
    return Counter() if value is None else Counter([(type(value), value)])


@pytest.mark.parametrize("action", ["make_cols", "make_struct"])
@pytest.mark.parametrize("seed", range(6))
def test_every_value_is_still_there(spark, action, seed):
    rng = random.Random(seed)
    schema = t.StructType([t.StructField(f"{name} {n}", some_type(rng, 3)) for n, name in enumerate(_NAMES)])
    rows = [tuple(some_value(rng, field.dataType) for field in schema.fields) for _ in range(20)]
    df = spark.createDataFrame(rows, to_marks(schema))
    resolved = df.transform(resolve_choice, choice=action)
    assert choices_in(resolved.schema) == []
    assert [leaves(row) for row in resolved.collect()] == [leaves(row) for row in rows]
