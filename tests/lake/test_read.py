"""Formats that know their own columns: taken as they are, or as they are declared."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest
from deltalake import write_deltalake
from pyspark.errors import AnalysisException

from birchtar.lake.errors import SchemaMismatchError
from birchtar.lake.read import read
from birchtar.lake.source import Source

PEOPLE = pa.table(
    {
        "id": pa.array([1, 2], pa.int32()),
        "a.b": ["x", None],
        "born": [date(1815, 12, 10), None],
        "worth": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
    }
)


@pytest.fixture(params=["parquet", "orc", "delta", "avro"])
def people(request, spark, tmp_path):
    """A source of two rows that another program wrote; Avro by Spark, as no other program here writes it."""
    path = str(tmp_path / "people")
    match request.param:
        case "delta":
            write_deltalake(path, PEOPLE)
        case "parquet":
            pa.parquet.write_table(PEOPLE, path)
        case "orc":
            pa.orc.write_table(PEOPLE, path)
        case "avro":
            dotless = PEOPLE.rename_columns(["id", "a_b", "born", "worth"])
            spark.createDataFrame(dotless.to_pandas()).selectExpr(
                "CAST(id AS INT)", "a_b", "born", "CAST(worth AS DECIMAL(10, 2)) AS worth"
            ).coalesce(1).write.format("avro").save(path)

    def source(**settings):
        return Source(path=path, format=request.param, **settings)

    return source


def test_without_a_schema_all_columns_come_as_they_are(spark, people):
    df = read(spark, people())
    assert [kind for _, kind in df.dtypes] == ["int", "string", "date", "decimal(10,2)"]
    assert sorted(map(tuple, df.collect())) == [
        (1, "x", date(1815, 12, 10), Decimal("1.50")),
        (2, None, None, None),
    ]


def test_a_schema_chooses_columns_their_order_and_their_types(spark, people):
    df = read(spark, people(schema="worth DOUBLE, id BIGINT"))
    assert df.dtypes == [("worth", "double"), ("id", "bigint")]
    assert sorted(map(tuple, df.collect()), key=str) == [(1.5, 1), (None, 2)]


def test_a_declared_column_that_is_not_there(spark, people):
    with pytest.raises(
        SchemaMismatchError, match=r"/people: the schema names `ID`, `x`, which .* They have: id, a.b, "
    ):
        read(spark, people(schema="ID INT, worth DOUBLE, x INT"))


def test_a_row_with_a_value_that_does_not_fit_its_declared_type_is_rejected(spark, people):
    df = read(spark, people(schema={"born": "date", "worth": "decimal(2,2)"}))
    error = ("CAST", "`worth` is not a decimal(2,2): 1.50", '{"born":"1815-12-10","worth":1.50}')
    assert sorted(map(tuple, df.collect()), key=str) == [(None, None, None), (date(1815, 12, 10), None, error)]


def test_a_dotted_name_can_be_declared(spark, tmp_path):
    pa.parquet.write_table(PEOPLE, tmp_path / "t")
    df = read(spark, Source(path=str(tmp_path / "t"), format="parquet", schema={"a.b": "string"}))
    assert df.columns == ["a.b"]
    assert df.collect() == [("x",), (None,)]


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_several_paths_and_globs_make_one_frame(spark, tmp_path, kind):
    write = {"parquet": pa.parquet.write_table, "orc": pa.orc.write_table}[kind]
    for number, name in enumerate(["a1", "a2", "b", "c"]):
        write(pa.table({"n": [number]}), tmp_path / name)
    df = read(spark, Source(path=[f"{tmp_path}/a*", f"{tmp_path}/b"], format=kind))
    assert sorted(row.n for row in df.collect()) == [0, 1, 2]


def test_folders_of_partitions_are_columns(spark, tmp_path):
    for day in (1, 2):
        (tmp_path / f"day={day}").mkdir()
        pa.parquet.write_table(pa.table({"n": [day * 10]}), tmp_path / f"day={day}" / "x")
    df = read(spark, Source(path=str(tmp_path), format="parquet", schema="day INT, n BIGINT"))
    assert sorted(map(tuple, df.collect())) == [(1, 10), (2, 20)]


def test_options_reach_the_reader(spark, tmp_path):
    write_deltalake(str(tmp_path), pa.table({"n": [1]}))
    write_deltalake(str(tmp_path), pa.table({"n": [2]}), mode="overwrite")
    source = Source(path=str(tmp_path), format="delta", options={"versionAsOf": 0})
    assert read(spark, source).collect() == [(1,)]


def test_a_path_that_is_not_there(spark, tmp_path):
    with pytest.raises(AnalysisException, match=r"PATH_NOT_FOUND.*/gone"):
        read(spark, Source(path=str(tmp_path / "gone"), format="parquet"))


@pytest.mark.parametrize(
    ("glob", "columns", "numbers"),
    [
        pytest.param("lake/*orders*", ["n", "day"], [0], id="partitions below a glob"),
        pytest.param("lake/*/day=*", ["n"], [0, 1], id="partitions by a glob"),
        pytest.param("lake/*/*/*.parquet", ["n"], [0, 1], id="files"),
    ],
)
def test_what_another_job_is_staging_is_read_by_no_glob(spark, tmp_path, glob, columns, numbers):
    for number, folder in enumerate(["orders", "t[o]wns", ".orders.4f1c-7-1.staged", "_temporary"]):
        (tmp_path / "lake" / folder / "day=1").mkdir(parents=True)
        pa.parquet.write_table(pa.table({"n": [number]}), tmp_path / "lake" / folder / "day=1" / "x.parquet")
    df = read(spark, Source(path=f"{tmp_path}/{glob}", format="parquet"))
    assert df.columns == columns
    assert sorted(row.n for row in df.collect()) == numbers


@pytest.mark.parametrize("options", [{}, {"recursiveFileLookup": True}])
def test_files_to_which_several_paths_lead_are_read_once(spark, tmp_path, options):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"name\n{name}\n")
    paths = [str(tmp_path), f"{tmp_path}/a.csv", f"{tmp_path}/", f"{tmp_path}/b*", f"{tmp_path}/b*"]
    df = read(spark, Source(path=paths, format="csv", options=options))
    assert sorted(row.name for row in df.collect()) == ["a.csv", "b.csv"]


def test_thousands_of_matches_are_handed_over_at_once(spark, tmp_path):
    for number in range(3_000):
        (tmp_path / f"{number}.json").write_text(f'{{"n": {number}}}\n')
    df = read(spark, Source(path=f"{tmp_path}/*.json", format="json", schema="n INT"))
    assert df.agg({"n": "sum"}).collect() == [(4_498_500,)]
