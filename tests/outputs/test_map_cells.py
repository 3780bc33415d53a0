"""Cells of the map: the page is given what the tables say, at every threshold and hour."""

from __future__ import annotations

import base64
import dataclasses
import math
import zlib
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from helpers.town_week import (
    MONDAY,
    STARTS,
    TRIED_HOURS,
    by_clock,
    shares_at,
    town_week,
    town_with_hours,
)
from quart_heure.analysis.statuses import classify
from quart_heure.errors import StudyFileError
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.map import hours as map_hours
from quart_heure.outputs.map.cells import (
    FAR,
    OFF_NETWORK,
    UNREACHABLE,
    Grid,
    cells_shown,
    mercator_share,
    thresholds_offered,
    upper_minutes,
)
from quart_heure.outputs.map.data import Ends, PackedCells, PackedHours
from quart_heure.outputs.map.figures import (
    category_figures_at,
    composite_shares_at,
)
from quart_heure.outputs.map.ground import ground
from quart_heure.outputs.map.hours import hours_shown
from quart_heure.outputs.map.map import render_map
from quart_heure.outputs.shapes import Pen
from quart_heure.sources.areas.areas import area_from_districts
from quart_heure.sources.hours.syntax import OPEN, UNKNOWN
from quart_heure.study import Coverage, Study, analyse


def unpacked(text: str) -> np.ndarray:
    """Read bytes as the page does: the sum of the steps, modulo 256."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
    return np.cumsum(steps, dtype=np.uint8)


def of_cells(codes: np.ndarray, coverage: Coverage, grid: Grid) -> np.ndarray:
    """Pick the codes of the cells, in the order of their table."""
    laid = codes.reshape(grid.height, grid.width)
    cells = coverage.cells
    return laid[cells["row"] - grid.first_row, cells["col"] - grid.first_col]


def numbered(layers: list[str], coverage: Coverage, grid: Grid) -> np.ndarray:
    """Put the bytes of the numbers of the cells together, the lowest first."""
    planes = [of_cells(unpacked(layer), coverage, grid).astype(int) for layer in layers]
    return sum(plane * 256**n for n, plane in enumerate(planes))  # type: ignore[return-value]


def places_of(coverage: Coverage) -> dict[str, int]:
    return {name: place for place, name in enumerate(coverage.services["service_id"])}


@pytest.fixture(scope="module")
def discreet_coverage(toy_study: Study) -> Coverage:
    table = toy_study.services.table.copy()
    table.loc[table["service_id"] == "A1", "discreet"] = True
    services = dataclasses.replace(toy_study.services, table=table)
    return publishable(analyse(toy_study.replace(services=services)))


@pytest.fixture(scope="module")
def grid(toy_coverage: Coverage) -> Grid:
    return Grid(toy_coverage)


@pytest.fixture(scope="module")
def shown(toy_coverage: Coverage, grid: Grid) -> PackedCells:
    return cells_shown(toy_coverage, grid, places_of(toy_coverage))


def test_more_districts_are_told_than_a_byte_holds(toy_study: Study) -> None:
    outline = toy_study.area.geometry
    x0, y0, x1, y1 = outline.bounds
    xs, ys = np.linspace(x0, x1, 20), np.linspace(y0, y1, 20)
    shapes = [
        shapely.box(*corner)
        for corner in zip(
            *(each.ravel() for each in np.meshgrid(xs[:-1], ys[:-1])),
            *(each.ravel() for each in np.meshgrid(xs[1:], ys[1:])),
            strict=True,
        )
    ]
    squares = {"district_id": [f"D{n:03}" for n in range(len(shapes))]}
    layer = gpd.GeoDataFrame(squares, geometry=shapes, crs=toy_town.CRS)
    coverage = analyse(toy_study.replace(area=area_from_districts(layer, name="x")))
    fine = Grid(coverage)
    packed = cells_shown(coverage, fine, places_of(coverage))
    row = numbered(packed.district, coverage, fine) - 1
    assert row.max() > 255
    ids = coverage.study.area.districts["district_id"].to_numpy()
    assert ids[row].tolist() == coverage.cells["district_id"].astype(str).tolist()
    assert "D360" in render_map(coverage)


# --- minutes and nearest -------------------------------------------------------------------------


def test_codes_give_the_status_of_the_tables_at_every_threshold(
    toy_coverage: Coverage, grid: Grid, shown: PackedCells
) -> None:
    upper = np.array([0, *shown.upper_min])
    for category, text in shown.minutes.items():
        codes = of_cells(unpacked(text), toy_coverage, grid).astype(int)
        minutes = toy_coverage.cells[f"minutes_{category}"].to_numpy()
        told = np.where(codes <= len(upper) - 1, upper[np.minimum(codes, len(upper) - 1)], np.inf)
        on = codes != OFF_NETWORK
        assert (on == toy_coverage.cells["on_network"]).all()
        for threshold in thresholds_offered(toy_coverage.study):
            said = classify(told, on, threshold)
            assert (said == classify(minutes, on, threshold)).all()
        status = toy_coverage.cells[f"status_{category}"].cat.codes
        assert (classify(told, on, toy_coverage.study.threshold_min) == status).all()
        near = np.isfinite(minutes) & (minutes <= 25)
        assert (told[near] >= minutes[near] - 1e-6).all()
        assert (told[near] - minutes[near] <= 0.25 + 1e-6).all()


def test_outside_the_area_is_nothing(grid: Grid, shown: PackedCells) -> None:
    codes = unpacked(shown.minutes["esi"]).reshape(grid.height, grid.width)
    edge = [codes[:2], codes[-2:], codes[:, :2], codes[:, -2:]]
    assert not any(side.any() for side in edge)
    assert (codes > 0).sum() == len(grid._at)


def test_cells_in_water_are_told_apart_from_what_is_outside(
    toy_coverage: Coverage, toy_study: Study, shown: PackedCells
) -> None:
    assert shown.water == ""
    coverage = analyse(toy_study.replace(ground=toy_town.town_river()))
    grid = Grid(coverage)
    told = cells_shown(coverage, grid, places_of(coverage))
    water = unpacked(told.water)
    wet = (coverage.cells["status_esi"] == "water").to_numpy()
    assert (of_cells(water, coverage, grid) == wet).all()
    assert water.sum() == wet.sum() == coverage.manifest["counts"]["cells_water"] > 700
    for text in told.minutes.values():
        assert ((of_cells(unpacked(text), coverage, grid) == 0) == wet).all()


def test_water_that_no_background_draws_is_drawn_from_what_cells_are_judged_by(
    toy_coverage: Coverage, toy_study: Study
) -> None:
    pen = Pen(toy_study.area.crs)
    assert ground(toy_coverage, None, pen).scenery == {}
    drawn = ground(analyse(toy_study.replace(ground=toy_town.town_river())), None, pen).scenery
    assert len(drawn["water"].areas) == 1
    assert drawn["water"].lines == []


def test_the_nearest_service_is_that_of_the_tables(
    toy_coverage: Coverage, grid: Grid, shown: PackedCells
) -> None:
    ids = toy_coverage.services["service_id"].tolist()
    for category, told in shown.nearest.items():
        (layer,) = told.layers
        numbers = of_cells(unpacked(layer), toy_coverage, grid)
        names = [""] + [ids[place] for place in told.places]
        expected = toy_coverage.cells[f"nearest_{category}"].astype(str)
        assert [names[n] for n in numbers] == expected.tolist()


def test_more_services_than_a_byte_counts(toy_coverage: Coverage, grid: Grid) -> None:
    names = [f"S{n % 300}" for n in range(len(toy_coverage.cells))]
    cells = toy_coverage.cells.assign(nearest_esi=pd.Categorical(names))
    many = dataclasses.replace(toy_coverage, cells=cells)
    told = cells_shown(many, grid, {f"S{n}": n for n in range(300)}).nearest["esi"]
    numbers = numbered(told.layers, many, grid)
    assert [told.places[n - 1] for n in numbers] == [int(name[1:]) for name in names]


@pytest.mark.parametrize("largest", [1, 255, 256, 65_535, 65_536, 2**24])
def test_numbers_of_any_size_come_back(toy_coverage: Coverage, grid: Grid, largest: int) -> None:
    numbers = np.linspace(0, largest, len(toy_coverage.cells)).astype(np.int64)
    layers = grid.packed_numbers(numbers)
    assert len(layers) == max(1, math.ceil(math.log(largest + 1, 256)))
    assert (numbered(layers, toy_coverage, grid) == numbers).all()


@pytest.mark.parametrize("wrong", [-1, 256])
def test_codes_that_a_byte_cannot_hold_are_refused(
    toy_coverage: Coverage, grid: Grid, wrong: int
) -> None:
    codes = np.zeros(len(toy_coverage.cells), dtype=np.int64)
    codes[3] = wrong
    with pytest.raises(ValueError, match=r"do not fit in 1 bytes"):
        grid.packed(codes)


@given(st.floats(0, 400), st.sampled_from([5.0, 10.0, 12.0, 15.0, 20.0]))
def test_rounding_up_never_changes_an_answer(minutes: float, threshold: float) -> None:
    upper = np.append(upper_minutes(STUDY_OF_12), np.inf)
    told = upper[np.searchsorted(upper * (1 + 1e-9), [minutes])]
    on = np.ones(1, dtype=bool)
    assert classify(told, on, threshold) == classify(np.array([minutes]), on, threshold)


@dataclasses.dataclass(frozen=True)
class _Minutes:
    threshold_min: float = 12.0
    isochrones_min: tuple[float, ...] = (5.0, 10.0, 15.0)


STUDY_OF_12: Any = _Minutes()


@pytest.mark.parametrize("number", [1, 7, 30, 82])
def test_codes_leave_room_for_every_threshold(number: int) -> None:
    """… and for what has no minutes: the finer steps give way, the furthest first."""
    many: Any = _Minutes(isochrones_min=tuple(300.0 * n / 83 for n in range(1, number + 1)))
    upper = upper_minutes(many)
    assert len(upper) < FAR < UNREACHABLE < OFF_NETWORK
    assert (np.diff(upper) > 0).all()
    minutes = np.linspace(0, 400, 20_001)
    near = np.append(upper, np.inf)[np.searchsorted(upper * (1 + 1e-9), minutes)]
    on = np.ones(len(minutes), dtype=bool)
    for threshold in thresholds_offered(many):
        assert (classify(near, on, threshold) == classify(minutes, on, threshold)).all()


def test_more_thresholds_than_codes_are_refused() -> None:
    many: Any = _Minutes(isochrones_min=tuple(float(n) / 7 for n in range(1, 100)))
    with pytest.raises(StudyFileError, match=r"252 limits of minutes, not for \d+") as refused:
        upper_minutes(many)
    assert "at most 83 isochrones_min" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("crs", "corner"), [("EPSG:2154", (640_000, 6_855_000)), ("EPSG:32629", (520_000, 4_550_000))]
)
def test_the_page_finds_the_cell_of_a_place(
    toy_coverage: Coverage, crs: str, corner: tuple[int, int]
) -> None:
    """For an area of 40 km by 20 km, the polynomial is within a metre of the projection."""
    col = corner[0] // 25 + np.array([0, 1600])
    row = corner[1] // 25 + np.array([0, 800])
    wide = dataclasses.replace(toy_coverage, cells=pd.DataFrame({"col": col, "row": row}))
    grid = Grid(wide)
    fit = grid.fit(pyproj.CRS(crs))
    rng = np.random.default_rng(1)
    x = corner[0] + rng.uniform(0, 40_000, 200)
    y = corner[1] + rng.uniform(0, 20_000, 200)
    lon, lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    share_x, share_y = mercator_share(lon, lat)
    u = (share_x - fit.centre.x) / fit.half.x
    v = (share_y - fit.centre.y) / fit.half.y
    up_to = fit.degree + 1
    terms = [u**i * v**j for i in range(up_to) for j in range(up_to - i)]
    for factors, first, metres in ((fit.col, grid.first_col, x), (fit.row, grid.first_row, y)):
        found = sum(c * term for c, term in zip(factors, terms, strict=True))
        assert np.abs((found + first) * 25 - metres).max() < 1.0


# --- discretion ----------------------------------------------------------------------------------


def test_a_discreet_place_has_no_place(discreet_coverage: Coverage) -> None:
    grid = Grid(discreet_coverage)
    told = cells_shown(discreet_coverage, grid, places_of(discreet_coverage))
    assert -1 in told.nearest["bains_douches"].places
    assert -1 not in told.nearest["esi"].places
    assert category_figures_at(discreet_coverage, "bains_douches")


def test_hours_of_a_discreet_place_are_not_told(toy_study: Study) -> None:
    study = town_with_hours(week=True, week_of=MONDAY)
    table = study.services.table.copy()
    table.loc[table["service_id"] == "A1", "discreet"] = True
    coverage = publishable(
        analyse(study.replace(services=dataclasses.replace(study.services, table=table)))
    )
    places = places_of(coverage)
    assert "A1" not in places
    hours = hours_shown(coverage, coverage.week, Grid(coverage), places)
    assert hours is not None
    assert {"bains_douches", "esi"} <= set(hours.categories)
    states = unpacked(hours.services).reshape(len(places), -1)
    for service, place in places.items():
        counted = coverage.services["counted"].to_numpy()[place]
        told = [by_clock(service, moment) if counted else 0 for moment in STARTS]
        assert (states[place] == [{OPEN: 2, UNKNOWN: 1}.get(state, 0) for state in told]).all()


# --- thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [True, False])
def test_figures_are_those_of_a_study_with_that_threshold(toy_study: Study, people: bool) -> None:
    study = toy_study if people else toy_study.replace(residents=None)
    coverage = analyse(study)
    for threshold in (5.0, 10.0, 20.0):
        other = analyse(study.replace(threshold_min=threshold))
        table = other.indicators[other.indicators["category"] == "esi"]
        beyond = table["residents_borderline_uncovered"] + table["residents_uncovered"]
        (found,) = (one for one in category_figures_at(coverage, "esi") if one.minutes == threshold)
        assert found.covered_pct == pytest.approx(table["covered_pct"].tolist(), abs=0.051)
        if people:
            shares = table["residents_covered_pct"].tolist()
            assert found.residents_covered_pct == pytest.approx(shares, abs=0.051)
            assert found.residents_beyond == pytest.approx(beyond.tolist(), abs=0.51)
        share = "residents_pct" if people else "area_pct"
        composite = other.composite.pivot(index="label", columns="essentials_within", values=share)
        labels = [*study.area.districts["label"], study.area.name]
        expected = composite.loc[labels].to_numpy()
        (told,) = (
            one.shares_pct for one in composite_shares_at(coverage) if one.minutes == threshold
        )
        assert np.array(told, dtype=float) == pytest.approx(expected, abs=0.051)


def test_a_threshold_of_many_decimals_has_its_figures(toy_study: Study) -> None:
    threshold = 7.123456789
    coverage = analyse(toy_study.replace(isochrones_min=(threshold,)))
    (found,) = category_figures_at(coverage, "esi")
    assert found.minutes == threshold
    assert threshold in thresholds_offered(coverage.study)
    assert threshold in upper_minutes(coverage.study)


# --- hours ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weekly() -> Coverage:
    return publishable(town_week())


def told_hours(coverage: Coverage) -> PackedHours:
    hours = hours_shown(coverage, coverage.week, Grid(coverage), places_of(coverage))
    assert hours is not None
    return hours


def shares_told(ends: Ends) -> np.ndarray:
    """Share at least and at most, per row."""
    return np.array([ends.at_least_pct, ends.at_most_pct], dtype=float).T


def state_at(coverage: Coverage, category: str, hour: int) -> np.ndarray:
    assert coverage.week is not None
    return coverage.week.cell_states(category, coverage.week.state_of_hour[category][hour])


def test_hours_come_back_cell_by_cell(weekly: Coverage) -> None:
    hours, grid = told_hours(weekly), Grid(weekly)
    for category, one in hours.categories.items():
        classes = numbered(one.classes, weekly, grid) - 1
        table = np.frombuffer(zlib.decompress(base64.b64decode(one.table)), dtype=np.uint8)
        table = table.reshape(-1, len(one.ends))
        for hour in range(168):
            told = table[classes, one.hours[hour]]
            assert (told == np.maximum(state_at(weekly, category, hour), 0)).all()


def test_which_week_it_is_is_said(weekly: Coverage) -> None:
    assert told_hours(weekly).monday == MONDAY.isoformat()
    assert told_hours(weekly).holidays == [4]
    page = render_map(weekly)
    assert "Semaine du 27 avril 2026 au 3 mai 2026. Férié" in page
    assert "vendredi 1er mai 2026" in page
    assert "Public holiday: Friday 1 May 2026." in page


def test_the_map_agrees_with_the_study_of_that_hour(weekly: Coverage) -> None:
    hours = told_hours(weekly)
    ids = [*weekly.study.area.districts["district_id"], ""]
    seen = set()
    for category, one in hours.categories.items():
        for hour in TRIED_HOURS:
            told = shares_told(one.ends[one.hours[hour]])
            expected = shares_at(hour, category).loc[ids].to_numpy()
            assert told == pytest.approx(expected, abs=0.051)
            seen.add(tuple(np.sign(told[-1]).tolist()))
    assert seen == {(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)}


def test_services_are_open_by_their_clock(weekly: Coverage) -> None:
    places = places_of(weekly)
    states = unpacked(told_hours(weekly).services).reshape(len(places), -1)
    counted = dict(zip(places, weekly.services["counted"], strict=True))
    for service in ("A1", "C1", "C2"):
        assert counted[service]
        expected = [by_clock(service, moment) for moment in STARTS]
        words = {OPEN: 2, UNKNOWN: 1}
        assert states[places[service]].tolist() == [words.get(state, 0) for state in expected]
    assert not counted["A2"]
    assert not states[places["A2"]].any()


@pytest.mark.parametrize("hour", TRIED_HOURS)
def test_counts_at_an_hour_are_those_of_the_states(weekly: Coverage, hour: int) -> None:
    counted = weekly.study.essentials
    assert counted
    sure = sum(state_at(weekly, category, hour) == 2 for category in counted)
    cells = weekly.cells[weekly.cells["on_network"]]
    composite = told_hours(weekly).composite
    assert composite is not None
    rows = composite.shares_pct[composite.hours[hour]]
    ids = [*weekly.study.area.districts["district_id"], ""]
    for district, row in zip(ids, rows, strict=True):
        here = cells if district == "" else cells[cells["district_id"] == district]
        total = here["residents"].sum()
        for n, share in enumerate(row):
            people = here["residents"][(sure == n)[here.index]].sum()
            assert share == pytest.approx(100 * people / total, abs=0.051)


def test_hours_without_residents_are_of_area() -> None:
    study = town_with_hours(week=True, week_of=MONDAY, residents=None)
    coverage = publishable(analyse(study))
    on = coverage.cells["on_network"].to_numpy()
    one = told_hours(coverage).categories["esi"]
    for hour in TRIED_HOURS:
        states = state_at(coverage, "esi", hour)[on]
        expected = [100 * (states == 2).mean(), 100 * (states >= 1).mean()]
        ends = one.ends[one.hours[hour]]
        assert shares_told(ends)[-1] == pytest.approx(expected, abs=0.11)
        assert ends.residents_at_least == ends.residents_at_most == [None] * 3


def test_many_states_are_told_apart(toy_coverage: Coverage) -> None:
    rng = np.random.default_rng(5)
    patterns = rng.integers(0, 3, size=(40, 100)).astype(np.int8)
    cells = rng.integers(0, 40, size=1000)
    classes, table = map_hours._classes(list(patterns[cells].T))
    assert (table[classes] == patterns[cells]).all()
    assert len(table) == len(np.unique(patterns[np.unique(cells)], axis=0))


def test_hours_that_are_too_large_are_left_out_and_told(
    weekly: Coverage, toy_coverage: Coverage, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hours_shown(toy_coverage, None, grid, places_of(toy_coverage)) is None
    monkeypatch.setattr(map_hours, "HOURS_LIMIT_BYTES", 10)
    assert told_hours(weekly) == PackedHours(categories={}, too_large=True)
    assert "Les horaires ne sont pas dans ce fichier" in render_map(weekly)
