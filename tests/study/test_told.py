"""Inputs that are wrong in a way that figures would hide: told with their row, or refused."""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from helpers import toy_town
from helpers.study_files import services_table, swap, write_town
from quart_heure import errors
from quart_heure.analysis.placement import none_near
from quart_heure.labels import problem_words
from quart_heure.network.edge_doubts import doubts_in
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.map.map import render_map
from quart_heure.sources.residents.files import read_people
from quart_heure.sources.services.services import read_services
from quart_heure.study import analyse
from quart_heure.study.file import read_study

AREA = toy_town.town_area()
EDGES = toy_town.town_edges()
Table = pd.DataFrame


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town")).parent


@pytest.fixture
def study(town: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town, tmp_path / "town")) / "study.toml"


# --- squares of residents ------------------------------------------------------------------------


def write_squares(path: Path, change: Callable[[Table], Any], **about: Any) -> Path:
    squares = toy_town.town_residents()
    table = pd.DataFrame({"col": squares.col, "row": squares.row, "residents": squares.residents})
    told = {"square_m": 25, "crs": toy_town.CRS, "source": "toy", **about}
    written = pa.Table.from_pandas(change(table), preserve_index=False)
    metadata = {b"quart_heure": json.dumps(told).encode()}
    parquet.write_table(written.replace_schema_metadata(metadata), path)
    return path


def first(people: float) -> Callable[[Table], Table]:
    return lambda t: t.assign(residents=[people, *t["residents"][1:]])


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        (lambda t: pd.concat([t, t]), {}, "row 5121: the square of row 1 again (5120 of 10240"),
        (lambda t: pd.concat([t, t[7:8]]), {}, "row 5121: the square of row 8 again (1 of 5121"),
        (lambda t: t.assign(col=t["col"] + 4000), {}, ": nobody lives in or around"),
        (lambda t: t, {"square_m": 200}, ": nobody lives in or around"),
        (lambda t: t.assign(residents=0.0), {}, ": nobody lives in or around"),
        (first(1e12), {}, "row 1: 1000000000000.0 is not a number of residents"),
        (first(9e9), {}, "row 1: 9000000000.0 is not a number of residents"),
        (first(1e300), {}, "row 1: 1e+300 is not a number of residents"),
        (lambda t: t.assign(residents=True), {}, ": the column 'residents' holds bool, not"),
        (lambda t: t.assign(residents="12"), {}, ": the column 'residents' holds text, not"),
        (lambda t: t.assign(col=t["col"].astype(str)), {}, ": the column 'col' holds text, not"),
        (lambda t: t.assign(col=t["col"] + 0.5), {}, "row 1: column 26000.5 and row 274400 are"),
        (lambda t: t.assign(col=t["col"].astype("int64") + 2**32), {}, "are no square of a grid"),
        (lambda t: t.assign(row=np.nan), {}, "are no square of a grid"),
        (lambda t: t, {"square_m": 1e9}, ": square_m is 1000000000.0, not a number of metres"),
        (lambda t: t, {"square_m": True}, ": square_m is True, not a number of metres"),
    ],
)
def test_squares_of_nobody(
    tmp_path: Path, change: Callable[[Table], Table], about: dict[str, Any], words: str
) -> None:
    path = write_squares(tmp_path / "residents.parquet", change, **about)
    with pytest.raises(errors.InputFileError) as refused:
        read_people(path, AREA)
    assert str(refused.value).startswith(str(path))
    assert words in str(refused.value)


@pytest.mark.parametrize("crs", ["EPSG:5720", "EPSG:4978", 'LOCAL_CS["c",UNIT["metre",1]]'])
def test_squares_of_no_place(tmp_path: Path, crs: str) -> None:
    path = write_squares(tmp_path / "residents.parquet", lambda t: t, crs=crs)
    with pytest.raises(errors.CrsError, match="is not one of places on a map"):
        read_people(path, AREA)


def test_sound_squares_are_read_in_any_kind_of_number(tmp_path: Path) -> None:
    path = tmp_path / "residents.parquet"
    plain = read_people(write_squares(path, lambda t: t), AREA)
    for kind in ("int64", "float32"):
        whole = read_people(write_squares(path, lambda t, k=kind: t.astype(k)), AREA)
        np.testing.assert_array_equal(whole.residents, plain.residents)


@pytest.mark.parametrize(
    ("people", "read", "action"),
    [([40, 60, 40, 60], [40, 60], "counted once"), ([40, 60, 30, 60], [70, 120], "rows added up")],
)
def test_named_squares_that_stand_twice(
    tmp_path: Path, people: list[int], read: list[int], action: str
) -> None:
    corner = gpd.GeoSeries([AREA.geometry.centroid], crs=AREA.crs).to_crs(3035)[0]
    north, east = (int(n // 200) * 200 for n in (corner.y, corner.x))
    names = [f"CRS3035RES200mN{north}E{east + 200 * at}" for at in (0, 1)]
    path = tmp_path / "p.csv"
    pd.DataFrame({"idcar_200m": names * 2, "ind": people}).to_csv(path, index=False)
    found = read_people(path, AREA)
    assert found.residents.sum() == sum(read)
    [told] = found.problems  # type: ignore[union-attr]
    assert (told["row"], told["reason"], told["action"]) == (3, "square twice", action)
    assert told["value"] == f"{names[0]} (2 / 4)"


# --- edges ---------------------------------------------------------------------------------------


def swapped(row: int) -> gpd.GeoDataFrame:
    u, v = EDGES["u"].tolist(), EDGES["v"].tolist()
    u[row], v[row] = v[row], u[row]
    return EDGES.assign(u=u, v=v)


@pytest.mark.parametrize(
    ("edges", "kind", "words"),
    [
        (EDGES.rename(columns={"u": "v", "v": "u"}), errors.NetworkError, "Row 1 of the edge ta"),
        (EDGES.assign(u=EDGES["u"].iloc[0]), errors.NetworkError, "such rows of 277). u is the"),
        (EDGES.assign(length_m=EDGES.length / 100), errors.NetworkError, "ends lie 200.0 m apart"),
        (EDGES.assign(length_m="long"), errors.InputFileError, "'length_m' of the edge table hol"),
        (EDGES.assign(u=None), errors.InputFileError, "Row 1 of the edge table has no u."),
        (EDGES.assign(u=EDGES["u"].astype(str)), errors.InputFileError, "are of several kinds"),
    ],
)
def test_edges_that_contradict_themselves(
    edges: gpd.GeoDataFrame, kind: type[errors.QuartHeureError], words: str
) -> None:
    with pytest.raises(kind) as refused:
        WalkNetwork.from_edges(edges)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("edges", "row", "field", "value", "reason"),
    [
        (swapped(40), 41, "u, v", "200.0 m (1 / 277)", "drawn elsewhere than where its nodes are"),
        (
            EDGES.assign(length_m=EDGES.length.where(EDGES.index != 9, 3000.0)),
            *(10, "length_m", "3000 m, 200 m (1 / 277)", "longer than it is drawn"),
        ),
    ],
)
def test_an_edge_that_contradicts_itself_is_told(
    study: Path, edges: gpd.GeoDataFrame, row: int, field: str, value: str, reason: str
) -> None:
    edges.to_parquet(study.parent / "network.parquet")
    told = read_study(study).problems.query("file == 'network.parquet'").to_dict("records")
    action = "kept, to be checked"
    keys = ("row", "field", "value", "reason", "action")
    assert [tuple(one[key] for key in keys) for one in told] == [
        (row, field, value, reason, action)
    ]
    assert problem_words(reason, "fr") != reason


def test_sound_edges_are_not_doubted_and_doubts_are_told_once(tmp_path: Path) -> None:
    assert doubts_in(WalkNetwork.from_edges(EDGES).meta) == []
    path = tmp_path / "edges.parquet"
    swapped(40).to_parquet(path)
    network = WalkNetwork.read(path)
    network.write(path)
    assert doubts_in(WalkNetwork.read(path).meta)[:1] == doubts_in(network.meta)
    assert doubts_in({"doubts": "nothing of ours"}) == []


# --- services ------------------------------------------------------------------------------------


def change_services(study: Path, change: Callable[[Table], Table]) -> Path:
    path = study.parent / "services.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)
    return path


def reasons(problems: pd.DataFrame, field: str = "services") -> list[tuple[str, str, str]]:
    rows = problems[problems["field"] == field]
    return list(zip(rows["file"], rows["value"], rows["reason"], strict=True))


def test_a_list_without_a_row_is_told(study: Path) -> None:
    change_services(study, lambda t: t.iloc[:0])
    none = ("", "0", "no service is known")
    in_file = ("services.csv", "0 rows", "no service in the file")
    assert reasons(read_study(study).problems) == [none, in_file]
    swap(study, '["services.csv"]', "[]")
    assert reasons(read_study(study).problems) == [none]
    assert problem_words(none[2], "fr") == "aucun service connu"


def test_services_that_are_all_elsewhere_are_told() -> None:
    table = pd.DataFrame(
        {"counted": [False] * 2, "left_out_reason": ["too far outside the area"] * 2}
    )
    [row] = none_near(table)
    assert (row["value"], row["reason"]) == ("0 / 2", "no service in the area or near it")
    assert none_near(table.assign(left_out_reason="closed")) == []
    assert none_near(table.assign(counted=[True, False])) == []
    assert none_near(table.iloc[:0]) == []


def test_a_list_whose_columns_are_swapped_is_refused(study: Path) -> None:
    names = {"longitude": "latitude", "latitude": "longitude"}
    path = change_services(study, lambda table: table.rename(columns=names))
    message = r"services\.csv: in all of its 7 rows longitude and latitude are swapped\. Exchange"
    catalogue = toy_town.town_study().catalogue
    with pytest.raises(errors.InputFileError, match=message):
        read_services([path], AREA, catalogue=catalogue)
    # Two rows may be a slip each: they are told.
    change_services(study, lambda table: table[:2])
    told = read_services([path], AREA, catalogue=catalogue).problems
    assert told["reason"].tolist() == ["longitude and latitude seem swapped"] * 2


def test_a_capacity_that_no_place_has(study: Path, tmp_path: Path) -> None:
    change_services(study, lambda t: t.assign(capacity_value="1e300", capacity_unit="places"))
    services = read_study(study).services
    assert services.table["capacity_value"].isna().all()
    assert set(reasons(services.problems, "capacity_value")) >= {
        ("services.csv", "Service A1 – 1e300", "not a number")
    }
    layer = services_table(toy_town.town_services().table).assign(capacity=1e300)
    layer.to_parquet(tmp_path / "s.parquet")
    table = read_services(
        [tmp_path / "s.parquet"], AREA, catalogue=toy_town.town_study().catalogue
    ).table
    assert table["capacity_value"].isna().all()


@pytest.mark.parametrize("crs", ["EPSG:5720", "EPSG:4978", 'LOCAL_CS["c",UNIT["metre",1]]'])
def test_services_of_no_place(study: Path, crs: str) -> None:
    swap(study, "[services]", f"[services]\ncrs = '{crs}'")
    with pytest.raises(errors.CrsError, match="is not one of places on a map"):
        read_study(study)


def test_a_service_outside_that_is_closed_then_is_on_the_map() -> None:
    """It counts at other hours of the week, which the page has, too."""
    town = toy_town.town_study(private=False)
    table = town.services.table.assign(opening_hours="Mo-Fr 08:00-12:00")
    study = town.replace(
        services=dataclasses.replace(town.services, table=table),
        at=datetime.datetime(2026, 12, 6, 18),
        week=True,
    )
    coverage = publishable(analyse(study))
    outside = coverage.services[~coverage.services["inside"].astype(bool)]
    assert outside["left_out_reason"].tolist() == ["closed then"]
    assert f'"{outside["name"].iloc[0]}"' in render_map(coverage)
