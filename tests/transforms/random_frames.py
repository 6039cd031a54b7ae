"""Random nested schemas and rows for property tests, and the settings that keep such tests quick.

    @few_examples
    @given(frames())
    def test_what_holds_of_any_frame(spark, frame):
        df = frame.on(spark)

Import it as ``from random_frames import frames``: `conftest.py` puts this folder on the path.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as t

few_examples = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Every example is a Spark action, and the same examples every time make a failure one that can be looked into."""

ODD_NAMES = [
    "a",
    "b",
    "id",
    "Id",
    "a.b",
    "a b",
    "a`b",
    "🙂",
    "*",
    "a[0]",
    "x[]",
    ".z",
    "it's",
    'q"',
    "select",
    "ü",
    "\\n",
]

_SCALARS: dict[t.DataType, st.SearchStrategy[Any]] = {
    t.IntegerType(): st.integers(-(2**31), 2**31 - 1),
    t.LongType(): st.integers(-(2**63), 2**63 - 1),
    t.StringType(): st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    t.BooleanType(): st.booleans(),
    t.DoubleType(): st.floats(allow_nan=False, width=32),
}


@dataclass(frozen=True)
class Frame:
    """A schema and rows that fit it, to be made a frame of in any session."""

    schema: t.StructType
    rows: list[tuple[Any, ...]]

    def on(self, spark: SparkSession) -> DataFrame:
        return spark.createDataFrame(self.rows, self.schema)


def data_types(*, maps: bool = True, empty_structs: bool = True) -> st.SearchStrategy[t.DataType]:
    """Types up to a few levels deep."""
    scalars = st.sampled_from(list(_SCALARS))

    def nested(inner: st.SearchStrategy[t.DataType]) -> st.SearchStrategy[t.DataType]:
        kinds = [structs(inner, least=0 if empty_structs else 1), st.builds(t.ArrayType, inner)]
        return st.one_of(*kinds, st.builds(t.MapType, st.just(t.StringType()), inner)) if maps else st.one_of(*kinds)

    return st.recursive(scalars, nested, max_leaves=5)


def structs(inner: st.SearchStrategy[t.DataType], *, least: int = 0, most: int = 4) -> st.SearchStrategy[t.StructType]:
    """Structs of such types, with names that are unlike one another, if only in case."""
    any_names = st.lists(st.sampled_from(ODD_NAMES), unique=True, min_size=least, max_size=most)
    twins = st.permutations(["id", "Id", "a.b"])  # else chance would seldom put them together
    names = st.one_of(any_names, any_names, twins)
    return names.flatmap(
        lambda chosen: st.tuples(*(inner for _ in chosen)).map(
            lambda types: t.StructType([t.StructField(*pair) for pair in zip(chosen, types, strict=True)])
        )
    )


def values(data_type: t.DataType) -> st.SearchStrategy[Any]:
    """Values of a type, a null now and then."""
    if isinstance(data_type, t.StructType):
        some: st.SearchStrategy[Any] = st.tuples(*(values(field.dataType) for field in data_type.fields))
    elif isinstance(data_type, t.ArrayType):
        some = st.lists(values(data_type.elementType), max_size=2)
    elif isinstance(data_type, t.MapType):
        some = st.dictionaries(st.sampled_from("kl"), values(data_type.valueType), max_size=2)
    else:
        some = _SCALARS[data_type]
    return st.one_of(st.none(), some)


def frames(*, maps: bool = True, empty_structs: bool = True) -> st.SearchStrategy[Frame]:
    """Frames of one to four columns and up to three rows."""
    columns = structs(data_types(maps=maps, empty_structs=empty_structs), least=1)
    return columns.flatmap(
        lambda schema: st.lists(st.tuples(*(values(field.dataType) for field in schema.fields)), max_size=3).map(
            lambda rows: Frame(schema, rows)
        )
    )
