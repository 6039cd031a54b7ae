"""The countries job on the real records: its tables, read by DuckDB, against the records themselves."""

import json
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from birchtar.runner.load import load
from birchtar.runner.progress import Progress
from birchtar.runner.run import run
from birchtar.state.database import open_state

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data/raw/countries/countries.jsonl"


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory, classic_spark) -> Path:
    folder = tmp_path_factory.mktemp("countries")
    settings = [f"outputs.world.path={folder}", f"inputs.countries.path={RAW}"]
    with Progress(Console(), classic_spark.sparkContext) as progress:
        run(load(ROOT / "conf/jobs/countries.yaml", settings), classic_spark, open_state(), progress)
    return folder


@pytest.fixture(scope="module")
def records() -> list[dict]:
    return [json.loads(line) for line in RAW.read_text().splitlines()]


def test_every_list_has_a_folder_of_its_own(curated: Path):
    assert {folder.name for folder in curated.iterdir()} == {
        "root",
        *(f"root_{name}" for name in ("alt", "altSpellings", "borders", "callingCodes", "capital_latlng")),
        *(f"root_{name}" for name in ("currencies", "languages", "latlng", "provinces", "timezoneNames")),
        *("root_timezones", "root_tld", "root_geoJSON.features"),
        *(f"root_geoJSON.features.val.geometry.coordinates{deeper}" for deeper in ("", ".val", ".val.val")),
    }


@pytest.mark.parametrize("name", ["borders", "languages", "provinces", "currencies", "altSpellings", "tld"])
def test_a_table_holds_every_element_in_its_place(curated: Path, records: list[dict], name: str):
    expected = sorted(
        (record["ISO"].get("alpha3"), at, value)
        for record in records
        for at, value in enumerate(record.get(name) or [])
        if record["ISO"].get("alpha3") is not None
    )
    found = duckdb.sql(
        f"""
        SELECT r."ISO.alpha3", c.index, c."{name}.val"
        FROM '{curated}/root/*.parquet' r JOIN '{curated}/root_{name}/*.parquet' c ON r.{name} = c.id
        WHERE r."ISO.alpha3" IS NOT NULL
        """
    ).fetchall()
    assert sorted(found) == expected


def test_no_list_and_an_empty_list_are_told_apart(curated: Path, records: list[dict]):
    root = f"'{curated}/root/*.parquet'"
    without = sum(1 for record in records if record.get("borders") is None)
    assert duckdb.sql(f"SELECT count(*) FROM {root} WHERE borders IS NULL").fetchall() == [(without,)]
    children = f"'{curated}/root_borders/*.parquet'"
    empty = sum(1 for record in records if record.get("borders") == [])
    childless = f"SELECT count(*) FROM {root} WHERE borders NOT IN (SELECT id FROM {children})"
    assert duckdb.sql(childless).fetchall() == [(empty,)]


def test_geometry_is_there_to_the_last_ring(curated: Path, records: list[dict]):
    deepest = f"'{curated}/root_geoJSON.features.val.geometry.coordinates/*.parquet'"
    features = [feature for record in records for feature in (record.get("geoJSON") or {}).get("features", [])]
    rings = sum(len(feature["geometry"]["coordinates"]) for feature in features)
    assert duckdb.sql(f"SELECT count(*) FROM {deepest}").fetchall() == [(rings,)]
