"""People on cells, whatever the source: totals are kept, and a slow computation agrees."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from helpers import toy_town
from helpers.project import EXTRACTS
from helpers.study_files import add, swap, write_residents, write_town
from quart_heure.analysis.people import residents_per_cell
from quart_heure.analysis.surface import Cells
from quart_heure.errors import CrsError, InputFileError
from quart_heure.network.snapping import Attachment
from quart_heure.outputs.report.report import render_report
from quart_heure.sources.areas.areas import StudyArea, read_area
from quart_heure.sources.residents.buildings import read_buildings
from quart_heure.sources.residents.files import read_people
from quart_heure.sources.residents.residents import Buildings, Residents, ResidentZones
from quart_heure.sources.sample import paris_dir
from quart_heure.study import analyse
from quart_heure.study.file import read_study

needs = pytest.mark.skipif(
    not EXTRACTS.is_dir(), reason="needs the source extracts beside the project"
)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=max(1, settings().max_examples // 3))
X0, Y0 = (int(v) for v in toy_town.ORIGIN)


def area_and_cells(shape: Any, cell_m: float) -> tuple[StudyArea, Cells]:
    """Lay a grid over a shape, its margin too, without any street."""
    area = toy_town.area_of([("one", "Un", shape)], name="Un")
    west, south, east, north = shape.bounds
    cols = np.arange(west // cell_m - 2, east // cell_m + 3)
    rows = np.arange(south // cell_m - 2, north // cell_m + 3)
    col, row = (each.ravel().astype(np.int32) for each in np.meshgrid(cols, rows))
    inside = shapely.intersects_xy(shape, (col + 0.5) * cell_m, (row + 0.5) * cell_m)
    cells = Cells(
        cell_m=cell_m,
        col=col,
        row=row,
        district=np.where(inside, 0, -1).astype(np.int16),
        inside=inside,
        water=np.zeros(len(col), dtype=bool),
        attachment=Attachment.none(len(col)),
    )
    return area, cells


def slowly(
    cells: Cells, zones: ResidentZones, area: StudyArea
) -> tuple[dict[tuple[int, int], float], float]:
    """Share the people of one zone after the other, cell by cell."""
    here = [
        (int(c), int(r), box(c * cells.cell_m, r * cells.cell_m, (c + 1) * cells.cell_m,
                             (r + 1) * cells.cell_m))
        for c, r, held in zip(cells.col, cells.row, cells.inside, strict=True) if held
    ]  # fmt: skip
    people = {(c, r): 0.0 for c, r, _ in here}
    outside = 0.0
    for zone, count in zip(zones.shapes, zones.residents, strict=True):
        parts = [(zone, 1.0)]
        if zones.buildings is not None:
            homes = zip(zones.buildings.shapes, zones.buildings.height_m, strict=True)
            built = [(zone.intersection(home), height) for home, height in homes]
            built = [(part, height) for part, height in built if part.area > 0]
            parts = built or parts
        total = sum(part.area * height for part, height in parts)
        inside = sum(part.intersection(area.geometry).area * height for part, height in parts)
        amounts = {
            (c, r): sum(part.intersection(cell).area * height for part, height in parts)
            for c, r, cell in here
        }
        met = sum(amounts.values())
        if met > 0:
            for key, amount in amounts.items():
                people[key] += count * inside / total * amount / met
        elif inside > 0:
            key = min(here, key=lambda one: (zone.distance(one[2].centroid), one[1], one[0]))[:2]
            people[key] += count * inside / total
        outside += count * (1 - inside / total)
    return people, outside


def check_against_slowly(cells: Cells, given_: Any, zones: ResidentZones, area: StudyArea) -> None:
    found = residents_per_cell(cells, given_, area)
    people, outside = slowly(cells, zones, area)
    where = {
        (int(c), int(r)): at for at, (c, r) in enumerate(zip(cells.col, cells.row, strict=True))
    }
    expected = np.zeros(len(cells))
    for key, count in people.items():
        expected[where[key]] = count
    assert np.allclose(found.people, expected, atol=1e-6)
    assert found.outside == pytest.approx(outside, abs=1e-6)
    # To the person, and far below.
    assert found.people.sum() + found.outside == pytest.approx(given_.residents.sum(), abs=1e-6)


def random_shape(rng: random.Random) -> Polygon:
    """Draw a bent outline a few cells wide, sometimes with a hole."""
    points = [(rng.uniform(0, 400), rng.uniform(0, 400)) for _ in range(rng.randint(4, 8))]
    shape = shapely.MultiPoint(points).convex_hull.buffer(10)
    if rng.random() < 0.5:
        shape = shape.difference(shape.centroid.buffer(40))
    return shapely.affinity.translate(shape, X0, Y0)


def random_zones(rng: random.Random) -> ResidentZones:
    """Cut a square larger than the area into stripes that lean, a few of them empty."""
    cuts = sorted({-100, 500, *(rng.randint(-90, 490) for _ in range(rng.randint(0, 5)))})
    lean = rng.randint(-60, 60)
    shapes = [
        Polygon([(a, -100), (b, -100), (b + lean, 500), (a + lean, 500)])
        for a, b in itertools.pairwise(cuts)
    ]
    return ResidentZones(
        shapes=np.array([shapely.affinity.translate(s, X0, Y0) for s in shapes], dtype=object),
        residents=np.array([rng.choice((0, 1, 37, 1200.5)) for _ in shapes], dtype=float),
        crs=toy_town.town_area().crs,
        source="drawn",
    )


@FEW
@given(seed=SEEDS, cell_m=st.sampled_from([20.0, 50.0]))
def test_people_of_polygons_are_shared_as_a_slow_computation_does(seed: int, cell_m: float) -> None:
    rng = random.Random(seed)
    area, cells = area_and_cells(random_shape(rng), cell_m)
    zones = random_zones(rng)
    check_against_slowly(cells, zones, zones, area)


@FEW
@given(seed=SEEDS, cell_m=st.sampled_from([20.0, 50.0]))
def test_people_of_buildings_are_shared_as_a_slow_computation_does(
    seed: int, cell_m: float
) -> None:
    rng = random.Random(seed)
    area, cells = area_and_cells(random_shape(rng), cell_m)
    homes = [
        box(x, y, x + rng.randint(5, 60), y + rng.randint(5, 30))
        for x, y in ((X0 + rng.randint(-90, 450), Y0 + rng.randint(-90, 450)) for _ in range(5))
    ]
    heights = np.array([rng.choice((3.0, 12.0, 30.5)) for _ in homes])
    buildings = Buildings(shapes=np.array(homes, dtype=object), height_m=heights)
    zones = dataclasses.replace(random_zones(rng), buildings=buildings)
    check_against_slowly(cells, zones, zones, area)


@FEW
@given(
    seed=SEEDS,
    cell_m=st.sampled_from([20.0, 50.0]),
    square_m=st.sampled_from([60.0, 200.0]),
)
def test_people_of_squares_are_shared_as_a_slow_computation_does(
    seed: int, cell_m: float, square_m: float
) -> None:
    rng = random.Random(seed)
    area, cells = area_and_cells(random_shape(rng), cell_m)
    first = int(X0 // square_m) - 1, int(Y0 // square_m) - 1
    places = [(i, j) for i in range(9) for j in range(9) if rng.random() < 0.4] or [(1, 1)]
    squares = toy_town.residents_of(
        [first[0] + i for i, _ in places],
        [first[1] + j for _, j in places],
        [rng.choice((1.0, 250.25)) for _ in places],
        square_m=square_m,
    )
    check_against_slowly(cells, squares, squares.zones(area.crs), area)


def test_people_beyond_the_boundary_stay_there() -> None:
    # Squares of 200 m of a national grid, the boundary through the middle of one of them.
    x, y = 200 * (X0 // 200), 200 * (Y0 // 200)
    area, cells = area_and_cells(box(x, y, x + 500, y + 400), 25.0)
    squares = toy_town.residents_of(
        [x // 200 + i for i in range(4)], [y // 200] * 4, [10.0, 20.0, 40.0, 80.0], square_m=200.0
    )
    found = residents_per_cell(cells, squares, area)
    assert found.people.sum() == pytest.approx(10 + 20 + 40 / 2)
    assert found.outside == pytest.approx(40 / 2 + 80)


def test_a_corner_without_a_cell_gives_its_people_to_the_nearest() -> None:
    # The corner of the area in the second square is too thin to hold the centre of any cell.
    x, y = 200 * (X0 // 200), 200 * (Y0 // 200)
    area, cells = area_and_cells(box(x, y, x + 205, y + 200), 25.0)
    zones = ResidentZones(
        shapes=np.array([box(x + 200, y, x + 210, y + 100)], dtype=object),
        residents=np.array([8.0]),
        crs=area.crs,
        source="",
    )
    found = residents_per_cell(cells, zones, area)
    assert found.people.sum() == pytest.approx(4.0)
    assert found.outside == pytest.approx(4.0)
    assert set(cells.col[found.people > 0]) == {(x + 175) // 25}


@pytest.mark.parametrize(
    "land", [[(4, 4), (5, 0)], [(-4, 4), (0, -5)], [(0, 6)], [(2, 1), (-2, 0)], [(4, 4), (4, -4)]]
)
def test_people_in_a_lake_live_on_the_nearest_shore(land: list[tuple[int, int]]) -> None:
    """However far that is, and whichever way: a few cells of a lake are land."""
    x, y = 200 * (X0 // 200), 200 * (Y0 // 200)
    area, cells = area_and_cells(box(x, y, x + 400, y + 400), 25.0)
    offsets = zip(cells.col - x // 25 - 8, cells.row - y // 25 - 8, strict=True)
    water = np.array([(int(c), int(r)) not in land for c, r in offsets])
    cells = dataclasses.replace(cells, water=water)
    zones = ResidentZones(
        shapes=np.array([box(x + 200, y + 200, x + 225, y + 225)], dtype=object),
        residents=np.array([8.0]),
        crs=area.crs,
        source="",
    )
    found = residents_per_cell(cells, zones, area)
    away_m = shapely.distance(shapely.points(cells.centre_xy), zones.shapes[0])
    away_m[cells.water | ~cells.inside] = np.inf
    assert found.people.argmax() == away_m.argmin()
    assert found.people.sum() == pytest.approx(8.0)


def test_zones_without_a_building_are_told() -> None:
    area, cells = area_and_cells(box(X0, Y0, X0 + 400, Y0 + 200), 50.0)
    zones = ResidentZones(
        shapes=np.array([box(X0, Y0, X0 + 200, Y0 + 200), box(X0 + 200, Y0, X0 + 400, Y0 + 200)]),
        residents=np.array([16.0, 32.0]),
        crs=area.crs,
        source="",
        buildings=Buildings(
            shapes=np.array([box(X0, Y0, X0 + 50, Y0 + 50), box(X0 + 100, Y0, X0 + 150, Y0 + 50)]),
            height_m=np.array([9.0, 3.0]),
        ),
    )
    found = residents_per_cell(cells, zones, area)
    by_cell = {
        (int(c) - X0 // 50, int(r) - Y0 // 50): n
        for c, r, n in zip(cells.col, cells.row, found.people, strict=True) if n
    }  # fmt: skip
    # By volume 3 to 1 in the first, 2 on each of the 16 cells of the second.
    assert by_cell.pop((0, 0)) == pytest.approx(12)
    assert by_cell.pop((2, 0)) == pytest.approx(4)
    assert list(by_cell.values()) == pytest.approx([2.0] * 16)
    (told,) = found.problems()
    assert (told["value"], told["action"]) == ("1", "shared out by area")


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture
def town() -> StudyArea:
    return toy_town.town_area()


def halves(**columns: list[Any]) -> gpd.GeoDataFrame:
    return toy_town.town_area().districts.assign(**columns)


def halves_file(folder: Path) -> Path:
    halves(pop=[100, 100]).to_file(folder / "iris.gpkg")
    return folder / "iris.gpkg"


@pytest.mark.parametrize("name", ["residents", "Population", "P22_POP", "C11_POP15P", "ind", "pop"])
def test_usual_columns_of_people_are_found(town: StudyArea, tmp_path: Path, name: str) -> None:
    halves(**{name: [1000, 400]}).to_file(tmp_path / "iris.gpkg")
    found = read_people(tmp_path / "iris.gpkg", town)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == [1000, 400]
    assert found.source == f"iris.gpkg, {name}"


def test_a_layer_without_people_says_its_columns(town: StudyArea, tmp_path: Path) -> None:
    halves(menages=[1, 2]).to_file(tmp_path / "iris.gpkg")
    with pytest.raises(InputFileError, match=r"no column of residents.*menages"):
        read_people(tmp_path / "iris.gpkg", town)
    with pytest.raises(InputFileError, match="no column 'habitants'"):
        read_people(tmp_path / "iris.gpkg", town, column="habitants")
    found = read_people(tmp_path / "iris.gpkg", town, column="menages", source="INSEE")
    assert (found.residents.sum(), found.source) == (3, "INSEE")


def test_what_is_no_number_is_left_out_and_told(town: StudyArea, tmp_path: Path) -> None:
    halves(pop=["1 234,5", "secret"]).to_file(tmp_path / "iris.gpkg")
    found = read_people(tmp_path / "iris.gpkg", town)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == [1234.5]
    (told,) = found.problems
    assert (told["field"], told["value"], told["action"]) == ("pop", "secret", "left out")


def people_table(folder: Path, *rows: str) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join(["code,population", *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("east", "west", "people", "told"),
    [
        ("1,234", "2,500", [1234, 2500], "1,234 (2 / 2)"),
        ("500", "12,345,678.5", [500, 12_345_678.5], "12,345,678.5 (1 / 2)"),
        ("1,234", "2,5", [1.234, 2.5], ""),
        ("0,250", "1,234", [0.25, 1.234], ""),
        ("1 234", "2\u202f500", [1234, 2500], ""),
        ("12,34", "7", [12.34, 7], ""),
    ],
)
def test_commas_of_english_thousands_are_told_from_decimals(
    town: StudyArea, tmp_path: Path, east: str, west: str, people: list[float], told: str
) -> None:
    found = read_people(people_table(tmp_path, f'E,"{east}"', f'W,"{west}"'), town)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == people
    problems = [(row["value"], row["action"]) for row in found.problems]
    assert problems == ([(told, "chosen: thousands")] if told else [])


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("CRS9999RES200mN2889000E3761200", CrsError, "tell of a CRS 9999, which there is not"),
        ("CRS3035RES0mN2889000E3761200", InputFileError, "row 1: .* is no name of a square"),
        (f"CRS3035RES200mN{'9' * 20}E3761200", InputFileError, "is no name of a square"),
        (f"CRS3035RES200mN2889000E{'9' * 20}", InputFileError, "is no name of a square"),
    ],
)
def test_squares_that_are_nowhere(
    town: StudyArea, tmp_path: Path, name: str, kind: type[Exception], said: str
) -> None:
    (tmp_path / "squares.csv").write_text(f"idcar_200m,ind\n{name},5\n", encoding="utf-8")
    with pytest.raises(kind, match=said):
        read_people(tmp_path / "squares.csv", town)


def test_more_people_than_there_are_is_no_number(town: StudyArea, tmp_path: Path) -> None:
    found = read_people(people_table(tmp_path, "W,1e308", "E,5"), town)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == [5]
    assert (found.problems[0]["row"], found.problems[0]["reason"]) == (1, "not a number")


def test_a_workbook_of_residents_is_told_to_be_saved_as_csv(
    town: StudyArea, tmp_path: Path
) -> None:
    (tmp_path / "people.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputFileError, match=r"from a workbook\. Save its sheet as CSV"):
        read_people(tmp_path / "people.xlsx", town)


def test_a_district_that_stands_twice_is_added_up_and_told(town: StudyArea, tmp_path: Path) -> None:
    found = read_people(people_table(tmp_path, "W,5", "E,1", "W,7"), town)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == [1, 12]
    (told,) = found.problems
    assert (told["value"], told["reason"]) == ("W (2)", "district twice")
    assert told["action"] == "rows added up"


def test_less_than_nobody_is_not_called_no_number(town: StudyArea, tmp_path: Path) -> None:
    found = read_people(people_table(tmp_path, "W,-5", "E,nan", "E,9"), town)
    assert isinstance(found, ResidentZones)
    reasons = [(row["row"], row["reason"]) for row in found.problems[:2]]
    assert reasons == [(1, "negative"), (2, "not a number")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["W,-5"], r"people.csv, row 1: population is '-5' \(negative\), and no other row has"),
        (["E,0", "W,nan"], r"row 2: population is '' \(not a number\), and no other row"),
        (["E,0", "W,0"], "nobody lives in or around 'Petite Ville'. Check the place"),
    ],
)
def test_why_nobody_is_counted_is_said(
    town: StudyArea, tmp_path: Path, rows: list[str], said: str
) -> None:
    with pytest.raises(InputFileError, match=said):
        read_people(people_table(tmp_path, *rows), town)


def test_a_layer_of_polygons_without_a_crs_is_refused(town: StudyArea, tmp_path: Path) -> None:
    shapes = toy_town.town_area().districts.geometry.to_numpy()
    gpd.GeoDataFrame({"pop": [1, 2]}, geometry=shapes).to_parquet(tmp_path / "iris.parquet")
    with pytest.raises(CrsError, match="no coordinate reference system"):
        read_people(tmp_path / "iris.parquet", town)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_table_gives_people_to_the_districts_it_names(
    town: StudyArea, tmp_path: Path, form: str
) -> None:
    rows = [
        {"code": "W", "population": 700, "more": {"a": 1}},
        {"code": "elsewhere", "population": 50},
    ]
    path = tmp_path / f"people.{form}"
    if form == "json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("code;population\nW;700\nelsewhere;50\n", encoding="utf-8")
    found = read_people(path, town)
    assert isinstance(found, ResidentZones)
    assert found.residents.tolist() == [700]
    assert [(p["reason"], p["action"]) for p in found.problems] == [
        ("in no district", "left out"),
        ("no number", "taken as zero"),
    ]
    path.write_text(path.read_text().replace("W", "?"), encoding="utf-8")
    with pytest.raises(InputFileError, match="no row names a district"):
        read_people(path, town)


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(("west", "east"), [(1000, 0), (1234, 1.5), (0, 7)])
def test_people_of_a_district_live_in_it(
    tmp_path: Path, built: bool, west: float, east: float
) -> None:
    """A border that cuts cells takes nobody across, however few live beyond."""
    border = X0 + 210
    halves = [
        ("W", "West", box(X0, Y0, border, Y0 + 300)),
        ("X", "East", box(border, Y0, X0 + 400, Y0 + 300)),
    ]
    area = toy_town.area_of(halves, name="Two")
    _, cells = area_and_cells(area.geometry, 25.0)
    holder = np.where(cells.centre_xy[:, 0] <= border, 0, 1)
    cells = dataclasses.replace(cells, district=np.where(cells.inside, holder, -1).astype(np.int16))
    path = tmp_path / "people.csv"
    path.write_text(f"code;population\nW;{west}\nX;{east}\n", encoding="utf-8")
    zones = read_people(path, area)
    assert isinstance(zones, ResidentZones)
    if built:
        # One house stands across the border, and nothing else in the west.
        shapes = [
            box(border - 9, Y0 + 40, border + 9, Y0 + 60),
            box(X0 + 300, Y0, X0 + 350, Y0 + 9),
        ]
        houses = Buildings(shapes=np.array(shapes, dtype=object), height_m=np.array([6.0, 9.0]))
        zones = dataclasses.replace(zones, buildings=houses)
    people = residents_per_cell(cells, zones, area).people
    assert people is not None
    assert people[cells.district == 0].sum() == pytest.approx(west)
    assert people[cells.district == 1].sum() == pytest.approx(east)


def two_districts(cut: float, back: float = 0.0) -> StudyArea:
    """Cut a square of 400 m in two districts; the second reaches back into the first."""
    west = box(X0, Y0, X0 + cut, Y0 + 400)
    east = box(X0 + cut - back, Y0, X0 + 400, Y0 + 400)
    return toy_town.area_of([("1", "West", west), ("2", "East", east)], name="Two")


def people_by_district(area: StudyArea, zones: ResidentZones) -> list[float]:
    coverage = analyse(toy_town.town_study(area=area, residents=zones, threshold_min=5))
    return coverage.cells.groupby("district_id", observed=True)["residents"].sum().tolist()


def test_people_of_districts_that_overlap_are_those_told(tmp_path: Path) -> None:
    area = two_districts(300, back=150)
    (tmp_path / "p.csv").write_text("code;population\n1;1000\n2;500\n", encoding="utf-8")
    zones = read_people(tmp_path / "p.csv", area)
    assert isinstance(zones, ResidentZones)
    assert people_by_district(area, zones) == pytest.approx([1000, 500])


@pytest.mark.parametrize(("begin", "first"), [(215, 0.0), (200, 0.0), (180, 20 / 120)])
def test_people_of_a_part_across_districts_are_shared_by_area(
    tmp_path: Path, begin: int, first: float
) -> None:
    area = two_districts(200)
    part = box(X0 + begin, Y0, X0 + begin + 120, Y0 + 400)
    finer = gpd.GeoDataFrame(
        {"district_id": ["q"], "label": ["Quarter"], "parent_id": ["2"]},
        geometry=[part],
        crs=area.crs,
    )
    area = dataclasses.replace(area, subdistricts=finer)
    (tmp_path / "p.csv").write_text("code;population\nq;300\n", encoding="utf-8")
    zones = read_people(tmp_path / "p.csv", area)
    assert isinstance(zones, ResidentZones)
    assert people_by_district(area, zones) == pytest.approx([300 * first, 300 * (1 - first)])


def test_people_told_for_other_districts_are_shared_by_area(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("code;population\n1;1000\n2;500\n", encoding="utf-8")
    zones = read_people(tmp_path / "p.csv", two_districts(200))
    assert isinstance(zones, ResidentZones)
    ground = two_districts(200).geometry
    thirds = [
        (name, name, box(X0 + west, Y0, X0 + east, Y0 + 400))
        for name, west, east in (("a", 0, 100), ("b", 100, 200), ("c", 200, 400))
    ]
    area = toy_town.area_of(thirds, name="Three")
    assert area.geometry.equals(ground)
    assert people_by_district(area, zones) == pytest.approx([500, 500, 500])


def test_a_district_without_a_cell_is_told(town: StudyArea) -> None:
    speck = box(X0 + 1001, Y0 + 1001, X0 + 1005, Y0 + 1005)
    rest = town.geometry.difference(speck)
    area = toy_town.area_of([("all", "All", rest), ("speck", "Speck", speck)], name="Two")
    coverage = analyse(toy_town.town_study(area=area))
    told = coverage.problems[coverage.problems["field"] == "districts"]
    assert told["value"].tolist() == ["speck – Speck"]
    assert told["reason"].tolist() == ["too small to hold the centre of a cell"]
    assert "districts" not in set(analyse(toy_town.town_study()).problems["field"])


def national_squares(town: StudyArea) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Give the squares of 200 m around the town as INSEE does: by name, and as polygons."""
    bounds = gpd.GeoSeries([town.geometry], crs=town.crs).to_crs(3035).total_bounds // 200
    places = [
        (i, j)
        for i in range(int(bounds[0]) - 2, int(bounds[2]) + 3)
        for j in range(int(bounds[1]) - 2, int(bounds[3]) + 3)
    ]
    table = pd.DataFrame(
        {
            "idcar_200m": [f"CRS3035RES200mN{j * 200}E{i * 200}" for i, j in places],
            "ind": [float(1 + (3 * i + j) % 7) for i, j in places],
        }
    )
    shapes = [box(i * 200, j * 200, i * 200 + 200, j * 200 + 200) for i, j in places]
    return table, gpd.GeoDataFrame(table, geometry=shapes, crs=3035)


def test_national_squares_by_name_and_as_polygons_are_one(town: StudyArea, tmp_path: Path) -> None:
    table, squares = national_squares(town)
    table.to_csv(tmp_path / "carreaux.csv", index=False)
    squares.to_file(tmp_path / "carreaux.gpkg")
    paths = [tmp_path / "carreaux.csv", tmp_path / "carreaux.gpkg"]
    named, drawn = (read_people(path, town) for path in paths)
    study = toy_town.town_study()
    one, other = (analyse(study.replace(residents=each)) for each in (named, drawn))
    assert np.allclose(one.cells["residents"], other.cells["residents"], atol=1e-6)
    # An even spread of the means: 4 people per 4 ha, over the 380 ha of the town.
    assert one.cells["residents"].sum() == pytest.approx(380, rel=0.03)
    told = one.manifest["counts"]["residents_outside"]
    assert told > 0
    assert f"comptés : {round(told)}" in render_report(one, format="md").replace("\xa0", " ")
    table.assign(idcar_200m="CRS3035RES200mNxE1").to_csv(tmp_path / "carreaux.csv", index=False)
    with pytest.raises(InputFileError):
        read_people(tmp_path / "carreaux.csv", town)


def test_squares_of_another_crs_are_turned(town: StudyArea, tmp_path: Path) -> None:
    table, _ = national_squares(town)
    parts = table["idcar_200m"].str.extract(r"N(\d+)E(\d+)").astype(int).to_numpy() // 200
    squares = toy_town.residents_of(parts[:, 1], parts[:, 0], table["ind"], square_m=200.0)
    write_residents(squares, tmp_path / "residents.parquet", crs="EPSG:3035")
    table.to_csv(tmp_path / "carreaux.csv", index=False)
    ours = read_people(tmp_path / "residents.parquet", town)
    theirs = read_people(tmp_path / "carreaux.csv", town)
    assert isinstance(ours, ResidentZones)
    assert isinstance(theirs, ResidentZones)
    assert shapely.equals_exact(ours.shapes, theirs.shapes, tolerance=1e-6).all()
    assert ours.residents.tolist() == theirs.residents.tolist()


def test_buildings_without_a_height_take_the_usual_one(town: StudyArea, tmp_path: Path) -> None:
    homes = gpd.GeoDataFrame(
        {"height": ["12,5 m", None, "", "3"], "building:levels": [None, "2;3", None, "9"]},
        geometry=[box(X0 + i * 50, Y0, X0 + i * 50 + 20, Y0 + 20) for i in range(4)],
        crs=2154,
    )
    homes.to_file(tmp_path / "homes.gpkg")
    zone = read_people(halves_file(tmp_path), town)
    assert isinstance(zone, ResidentZones)
    buildings, problems = read_buildings(tmp_path / "homes.gpkg", zone)
    assert buildings.height_m.tolist() == [12.5, 6, 6, 3]
    assert [(p["value"], p["action"]) for p in problems] == [("1 / 4", "taken as the median")]
    found = read_people(tmp_path / "iris.gpkg", town, buildings=tmp_path / "homes.gpkg")
    coverage = analyse(toy_town.town_study(residents=found))
    lived_in = coverage.cells[coverage.cells["residents"] > 0]
    west = lived_in[lived_in["district_id"] == "W"]
    assert west["residents"].sum() == pytest.approx(100)
    assert west["y_m"].max() < Y0 + 25  # all in the buildings
    assert len(lived_in[lived_in["district_id"] == "E"]) == 40 * 76  # no building there: by area
    assert "shared out by area" in set(coverage.problems["action"])
    with pytest.raises(InputFileError, match="without buildings"):
        read_people(tmp_path / "iris.gpkg", town, method="buildings")


def test_a_layer_of_a_country_is_read_around_the_area(town: StudyArea, tmp_path: Path) -> None:
    far = halves(pop=[5, 6])
    far.geometry = far.geometry.translate(90_000, 0)
    pd.concat([far, halves(pop=[1, 2])]).to_crs(4326).to_file(tmp_path / "country.gpkg")
    found = read_people(tmp_path / "country.gpkg", town)
    assert found.residents.tolist() == [1, 2]
    far.to_file(tmp_path / "elsewhere.gpkg")
    with pytest.raises(InputFileError, match="no row for the place"):
        read_people(tmp_path / "elsewhere.gpkg", town)


def test_a_raster_is_read_around_the_area(town: StudyArea, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    values = np.full((60, 80), -99999.0)
    values[20:39, 30:50] = 5.0  # 100 m pixels over the whole town, 2 km by 1.9 km
    values[0, 0] = 7.0  # far away
    with rasterio.open(
        tmp_path / "people.tif", "w", driver="GTiff", width=80, height=60, count=1,
        dtype="float32", crs="EPSG:2154", nodata=-99999.0,
        transform=rasterio.transform.Affine(100, 0, X0 - 3000, 0, -100, Y0 + 3900),
    ) as raster:  # fmt: skip
        raster.write(values.astype("float32"), 1)
    found = read_people(tmp_path / "people.tif", town)
    assert found.residents.sum() == 5 * 380
    cells = analyse(toy_town.town_study(residents=found)).cells
    assert cells["residents"].to_numpy() == pytest.approx(5 / 16)


def test_without_rasterio_it_is_said_what_to_install(
    town: StudyArea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "people.tif").write_bytes(b"II*")
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(InputFileError, match=r"quart-heure\[raster\]"):
        read_people(tmp_path / "people.tif", town)


def test_a_study_file_names_people_of_any_kind(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    halves(P22_POP=[1000, 400]).to_file(tmp_path / "iris.gpkg")
    swap(study, 'file = "residents.parquet"', 'file = "iris.gpkg"\nsource = "Recensement"')
    add(study, '[services.merge]\non = true\ntrust = ["toy"]')
    coverage = analyse(read_study(study))
    rows = coverage.indicators.drop_duplicates("district_id").set_index("district_id")
    assert rows["residents"].to_dict() == pytest.approx({"": 1400, "W": 400, "E": 1000})
    assert coverage.manifest["counts"]["residents_source"] == "Recensement"


# --- Paris ---------------------------------------------------------------------------------------


def test_squares_of_the_packaged_paris_all_lie_in_it() -> None:
    area = read_area(paris_dir() / "districts.geojson")
    squares = read_people(paris_dir() / "residents.parquet", area)
    assert isinstance(squares, Residents)
    centres = (np.stack([squares.col, squares.row]) + 0.5) * squares.square_m
    assert shapely.intersects_xy(area.geometry, *centres).all()


@needs
@pytest.mark.extracts
@pytest.mark.parametrize(
    ("name", "people", "outside"),
    [
        ("paris-iris/derived_iris_pop15p_2011.geojson.gz", 1_926_666, 300),
        ("paris-population/arrondissements.json", 1_958_441, 0),
    ],
)
def test_people_of_the_source_files_are_all_there(name: str, people: int, outside: int) -> None:
    area = read_area(paris_dir() / "districts.geojson")
    found = read_people(EXTRACTS / name, area)
    assert found.residents.sum() == people
    _, cells = area_and_cells(area.geometry, 100.0)
    settled = residents_per_cell(cells, found, area)
    assert settled.people.sum() + settled.outside == pytest.approx(people, abs=1e-3)
    assert settled.outside <= outside
