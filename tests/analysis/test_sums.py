"""The parts add up to the whole: areas, residents, districts, composites, gaps."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from helpers import reference, toy_town
from quart_heure.study import Coverage, Study, analyse

SEEDS = st.integers(0, 2**32 - 1)
COMPOSITES = ("essential_all", "essential_any")
EXTENSIVE = [
    "services_inside",
    "area_ha",
    "water_ha",
    "off_network_ha",
    "on_network_ha",
    "covered_ha",
    "borderline_covered_ha",
    "borderline_uncovered_ha",
    "uncovered_ha",
    "residents",
    "residents_off_network",
    "residents_covered",
    "residents_borderline_uncovered",
    "residents_uncovered",
    "gaps",
]


@pytest.fixture(scope="module")
def toy(toy_coverage: Coverage) -> Coverage:
    return toy_coverage


# --- what every coverage has to satisfy ----------------------------------------------------------


def check_areas(coverage: Coverage) -> None:
    table = coverage.indicators
    assert close(
        table["on_network_ha"] + table["off_network_ha"] + table["water_ha"], table["area_ha"]
    )
    parts = table["covered_ha"] + table["borderline_uncovered_ha"] + table["uncovered_ha"]
    assert close(parts, table["on_network_ha"])
    assert (table["borderline_covered_ha"] <= table["covered_ha"] + 1e-9).all()
    some = table[table["on_network_ha"] > 0]
    shares = some["covered_pct"] + some["borderline_uncovered_pct"] + some["uncovered_pct"]
    assert close(shares, 100.0)
    for part in ("covered", "borderline_covered", "borderline_uncovered", "uncovered"):
        expected = 100 * some[f"{part}_ha"] / some["on_network_ha"]
        assert close(some[f"{part}_pct"], expected)


def check_residents(coverage: Coverage) -> None:
    table = coverage.indicators
    parts = (
        table["residents_off_network"]
        + table["residents_covered"]
        + table["residents_borderline_uncovered"]
        + table["residents_uncovered"]
    )
    assert close(parts, table["residents"])
    city = table[table["level"] == "city"]
    assert close(city["residents"], coverage.cells["residents"].sum())
    on_network = table["residents"] - table["residents_off_network"]
    some = table[on_network > 1e-9]
    expected = 100 * some["residents_covered"] / on_network[on_network > 1e-9]
    assert close(some["residents_covered_pct"], expected)


def check_city_is_the_sum(coverage: Coverage) -> None:
    table = coverage.indicators
    city = table[table["level"] == "city"].set_index("category")
    districts = table[table["level"] == "district"]
    assert (table.loc[table["level"] == "city", "district_id"] == "").all()
    sums = districts.groupby("category")[EXTENSIVE].sum()
    assert sorted(city.index) == sorted(sums.index)
    counts_people = coverage.study.residents is not None
    for column in EXTENSIVE:
        if counts_people or not column.startswith("residents"):
            assert close(city[column], sums[column].reindex(city.index)), column


def check_rows(coverage: Coverage) -> None:
    study = coverage.study
    table = coverage.indicators
    ids = {*study.area.districts["district_id"], *coverage.cells["district_id"], ""}
    wanted = {(d, c) for d in ids for c in (*study.categories, *COMPOSITES)}
    assert {*zip(table["district_id"], table["category"], strict=True)} == wanted
    assert len(table) == len(wanted)


def check_indicators_count_the_cells(coverage: Coverage) -> None:
    hectares = coverage.study.cell_m**2 / 10_000
    table = coverage.indicators.set_index(["district_id", "category"])
    for (district, category), row in table.iterrows():
        cells = coverage.cells
        if district:
            cells = cells[cells["district_id"] == district]
        status = status_of(coverage, cells, category)
        assert row["area_ha"] == pytest.approx(len(cells) * hectares)
        for word in ("off_network", "borderline_covered", "borderline_uncovered", "uncovered"):
            here = status == word
            assert row[f"{word}_ha"] == pytest.approx(here.sum() * hectares)
            if word != "borderline_covered":
                assert row[f"residents_{word}"] == pytest.approx(cells["residents"][here].sum())
        covered = status.isin(["covered", "borderline_covered"])
        assert row["covered_ha"] == pytest.approx(covered.sum() * hectares)
        assert row["residents_covered"] == pytest.approx(cells["residents"][covered].sum())


def check_composite(coverage: Coverage) -> None:
    hectares = coverage.study.cell_m**2 / 10_000
    table = coverage.composite
    indicators = coverage.indicators.drop_duplicates("district_id").set_index("district_id")
    for district, rows in table.groupby("district_id"):
        cells = coverage.cells
        if district:
            cells = cells[cells["district_id"] == district]
        cells = cells[cells["on_network"]]
        assert rows["essentials_within"].is_unique
        for row in rows.itertuples():
            here = cells["essentials_within"] == row.essentials_within
            assert row.area_ha == pytest.approx(here.sum() * hectares)
            assert row.residents == pytest.approx(cells["residents"][here].sum())
        whole = indicators.loc[district]
        assert rows["area_ha"].sum() == pytest.approx(whole["on_network_ha"])
        on_network = whole["residents"] - whole["residents_off_network"]
        assert rows["residents"].sum() == pytest.approx(on_network)
        if whole["on_network_ha"] > 0:
            assert rows["area_pct"].sum() == pytest.approx(100)
        if on_network > 1e-9:
            assert rows["residents_pct"].sum() == pytest.approx(100)
    ids = {*coverage.study.area.districts["district_id"], *coverage.cells["district_id"], ""}
    assert set(table["district_id"]) == ids
    city = table[table["level"] == "city"].set_index("essentials_within")
    sums = table[table["level"] == "district"].groupby("essentials_within").sum(numeric_only=True)
    for column in ("area_ha", "residents"):
        assert close(city[column], sums[column].reindex(city.index))


def check_essentials_within(coverage: Coverage) -> None:
    cells = coverage.cells
    threshold = coverage.study.threshold_min
    minutes = cells[[f"minutes_{category}" for category in essentials(coverage.study)]]
    within = (minutes <= threshold + 1e-9).sum(axis=1).where(cells["on_network"], -1)
    assert (cells["essentials_within"] == within).all()


def check_gaps(coverage: Coverage) -> None:
    """Every uncovered zone of at least the least area is exactly one gap, and nothing else is."""
    study = coverage.study
    hectares = study.cell_m**2 / 10_000
    gaps = coverage.gaps
    assert gaps["gap_id"].is_unique
    for category in (*study.categories, *COMPOSITES):
        status = status_of(coverage, coverage.cells, category)
        cells = coverage.cells[status == "uncovered"].set_index(["col", "row"])
        large = [z for z in reference.zones(cells.index) if len(z) * hectares >= study.min_gap_ha]
        rows = gaps[gaps["category"] == category]
        assert len(rows) == len(large)
        zone_of = {square: k for k, zone in enumerate(large) for square in zone}
        seen = set()
        for shape in rows.geometry:
            shapely.prepare(shape)
        for row in rows.itertuples():
            inside = [
                square
                for square in zone_of
                if row.geometry.contains(
                    Point((square[0] + 0.5) * study.cell_m, (square[1] + 0.5) * study.cell_m)
                )
            ]
            numbers = {zone_of[square] for square in inside}
            assert len(numbers) == 1
            number = numbers.pop()
            assert number not in seen
            seen.add(number)
            zone = large[number]
            assert set(inside) == zone
            assert row.cells == len(zone)
            assert row.area_ha == pytest.approx(len(zone) * hectares)
            members = cells.loc[sorted(zone)]
            if study.residents is not None:
                assert row.residents == pytest.approx(members["residents"].sum(), abs=1e-6)
            check_gap_row(coverage, row, members)
            check_gap_parts(coverage, row, members)
        others = [
            Point((c + 0.5) * study.cell_m, (r + 0.5) * study.cell_m)
            for c, r in zip(coverage.cells["col"], coverage.cells["row"], strict=True)
            if (c, r) not in zone_of
        ]
        for shape in rows.geometry:
            assert not any(shape.contains(centre) for centre in others)
        ranked = rows.sort_values("rank")
        assert ranked["rank"].tolist() == list(range(1, len(rows) + 1))
        assert not (np.diff(ranked["residents"]) > 1e-6).any()


def check_gap_row(coverage: Coverage, row: object, members: pd.DataFrame) -> None:
    touched = sorted({d for d in members["district_id"] if d})
    assert sorted(row.districts.split(";")) == touched
    assert row.district_id in touched
    counts = members["district_id"].value_counts()
    by_residents = members.groupby("district_id")["residents"].sum()
    assert row.district_id in {
        *counts[counts == counts.max()].index,
        *by_residents[by_residents == by_residents.max()].index,
    }
    if row.category in COMPOSITES:
        return
    minutes = members[f"minutes_{row.category}"]
    assert row.minutes_min == pytest.approx(minutes.min())
    assert row.minutes_max == pytest.approx(minutes.max())
    # whether a walk without an end counts in the median or not, half the cells are on either side
    known = [v for v in (row.minutes_median,) if not math.isnan(v)]
    for value in known:
        assert minutes.min() <= value <= minutes.max()
    if row.nearest_service_id:
        assert row.nearest_service_id in set(members[f"nearest_{row.category}"])
    else:
        assert np.isinf(minutes).all()
    assert row.cause in {"too_far", "barrier"}
    assert 0 <= row.barrier_pct <= 100


def check_gap_parts(coverage: Coverage, gap: object, members: pd.DataFrame) -> None:
    """What a district has of a gap is told of its own cells."""
    parts = coverage.gap_parts[coverage.gap_parts["gap_id"] == gap.gap_id]
    assert sorted(parts["district_id"]) == sorted(gap.districts.split(";"))
    if gap.category in COMPOSITES:
        return
    for part in parts.itertuples():
        here = members[members["district_id"] == part.district_id]
        minutes = here[f"minutes_{gap.category}"]
        assert part.area_ha == pytest.approx(len(here) * coverage.study.cell_m**2 / 10_000)
        assert part.minutes_min == pytest.approx(minutes.min())
        assert part.minutes_max == pytest.approx(minutes.max())
        at_least = here.loc[minutes == minutes.min(), f"nearest_{gap.category}"]
        assert part.nearest_service_id == min(at_least)


def check_gap_counts(coverage: Coverage) -> None:
    gaps = coverage.gaps
    for row in coverage.indicators.itertuples():
        of_category = gaps[gaps["category"] == row.category]
        if row.level == "city":
            main, touching = of_category, of_category
        else:
            main = of_category[of_category["district_id"] == row.district_id]
            hit = [row.district_id in found.split(";") for found in of_category["districts"]]
            touching = of_category[np.array(hit, dtype=bool)]
        assert row.gaps == len(main)
        assert row.gaps_touching == len(touching)
        assert row.worst_gap_id == worst_gap(coverage, row.category, row.level, row.district_id)


def worst_gap(coverage: Coverage, category: str, level: str, district_id: str) -> str:
    """Name the gap with most residents, then most area, in a district or in the whole area."""
    table = coverage.gaps if level == "city" else coverage.gap_parts
    mine = table[table["category"] == category]
    if level != "city":
        mine = mine[mine["district_id"] == district_id]
    best, name = (-1.0, -1.0), ""
    for part in mine.itertuples():
        size = (0.0 if math.isnan(part.residents) else part.residents, part.area_ha)
        if size > best:
            best, name = size, str(part.gap_id)
    return name


def check_everything(coverage: Coverage) -> None:
    check_rows(coverage)
    check_areas(coverage)
    check_residents(coverage)
    check_city_is_the_sum(coverage)
    check_indicators_count_the_cells(coverage)
    check_essentials_within(coverage)
    check_composite(coverage)
    check_gaps(coverage)
    check_gap_counts(coverage)


def essentials(study: Study) -> list[str]:
    return [c for c in study.categories if study.catalogue[c].essential]


def status_of(coverage: Coverage, cells: pd.DataFrame, category: str) -> pd.Series:
    """Status of a category, or of a composite by the worst or the best of its categories."""
    if category not in COMPOSITES:
        return cells[f"status_{category}"]
    minutes = cells[[f"minutes_{one}" for one in essentials(coverage.study)]]
    combined = minutes.max(axis=1) if category == "essential_all" else minutes.min(axis=1)
    combined = combined.where(cells["on_network"])
    words = [reference.status(value, coverage.study.threshold_min) for value in combined]
    return pd.Series(words, index=cells.index, dtype=object)


def close(left: pd.Series, right: pd.Series | float) -> bool:
    wanted = right.to_numpy(dtype=float) if isinstance(right, pd.Series) else right
    return bool(np.allclose(left.to_numpy(dtype=float), wanted, rtol=1e-9, atol=1e-6))


# --- tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "check",
    [
        check_rows,
        check_areas,
        check_residents,
        check_city_is_the_sum,
        check_indicators_count_the_cells,
        check_essentials_within,
        check_composite,
        check_gaps,
        check_gap_counts,
    ],
    ids=lambda check: check.__name__.removeprefix("check_"),
)
def test_toy_town_adds_up(toy: Coverage, check: object) -> None:
    check(toy)


@settings(max_examples=max(1, settings().max_examples // 4))
@given(
    seed=SEEDS,
    n_services=st.integers(0, 6),
    threshold_min=st.sampled_from([2.0, 4.0, 6.0]),
    cell_m=st.sampled_from([25.0, 50.0]),
)
def test_random_towns_add_up(
    seed: int, n_services: int, threshold_min: float, cell_m: float
) -> None:
    town = toy_town.random_town(seed, n_services=n_services)
    check_everything(analyse(town.study(threshold_min=threshold_min, cell_m=cell_m)))


def test_what_no_district_holds_is_counted_too() -> None:
    # the eastern half belongs to no district: the city is still the sum of its rows
    area = toy_town.town_area()
    west = area.districts[area.districts["district_id"] == "W"].reset_index(drop=True)
    coverage = analyse(toy_town.town_study(area=dataclasses.replace(area, districts=west)))
    check_everything(coverage)
    city = coverage.indicators[coverage.indicators["level"] == "city"]
    assert city["area_ha"].tolist() == pytest.approx([380.0] * len(city))


def test_an_area_with_a_hole_and_an_island_adds_up() -> None:
    x, y = toy_town.ORIGIN
    holed = box(x, y, x + 1000, y + 1900).difference(box(x + 400, y + 400, x + 600, y + 600))
    island = box(x + 1200, y + 200, x + 1600, y + 800)
    area = toy_town.area_of([("W", "Ouest", holed), ("E", "Est", island)], name="En deux")
    coverage = analyse(toy_town.town_study(area=area))
    check_everything(coverage)
    city = coverage.indicators[coverage.indicators["level"] == "city"]
    # 100 × 190 ares less 20 × 20, and 40 × 60: 190 − 4 + 24 ha
    assert city["area_ha"].tolist() == pytest.approx([210.0] * len(city))
    for shape in (*coverage.isochrones.geometry, *coverage.gaps.geometry):
        assert shape.difference(area.geometry).area < 1e-3


def test_area_of_the_toy_town_is_its_380_hectares(toy: Coverage) -> None:
    city = toy.indicators[toy.indicators["level"] == "city"]
    assert city["area_ha"].tolist() == pytest.approx([380.0] * len(city))
    districts = toy.indicators[toy.indicators["level"] == "district"]
    assert districts["area_ha"].tolist() == pytest.approx([190.0] * len(districts))


@pytest.mark.parametrize("cell_m", [12.5, 25.0, 50.0, 100.0])
def test_residents_are_all_kept_whatever_the_cell(cell_m: float) -> None:
    # an area whose limits fall on every one of these grids
    col0, row0 = (int(v) // 25 for v in toy_town.ORIGIN)
    squares = [(i, j) for i in range(0, 80, 3) for j in range(4, 76, 5)]
    people = [0.1 + (7 * i + 3 * j) % 11 for i, j in squares]
    residents = toy_town.residents_of(
        [col0 + i for i, _ in squares], [row0 + j for _, j in squares], people
    )
    coverage = analyse(toy_town.town_study(residents=residents, cell_m=cell_m))
    cells = coverage.cells
    assert cells["residents"].sum() == pytest.approx(sum(people), abs=1e-6)
    west = sum(p for (i, _), p in zip(squares, people, strict=True) if i < 40)
    found = cells.loc[cells["district_id"] == "W", "residents"].sum()
    assert found == pytest.approx(west, abs=1e-6)


def test_squares_of_200_m_are_spread_over_their_cells() -> None:
    # one square of 200 m: 64 cells of 25 m
    col, row = (int(v) // 200 for v in toy_town.ORIGIN)
    residents = toy_town.residents_of([col + 2], [row + 3], [128.0], square_m=200.0)
    cells = analyse(toy_town.town_study(residents=residents)).cells
    settled = cells[cells["residents"] > 0]
    assert len(settled) == 64
    assert settled["residents"].tolist() == pytest.approx([2.0] * 64)
    x0 = toy_town.ORIGIN[0]
    assert settled["x_m"].min() == x0 + 412.5
    assert settled["x_m"].max() == x0 + 587.5


def test_residents_outside_the_area_are_not_counted() -> None:
    col0, row0 = (int(v) // 25 for v in toy_town.ORIGIN)
    residents = toy_town.residents_of(
        [col0 - 10, col0 + 5, col0 + 95], [row0 + 5, row0 + 5, row0 + 5], [100.0, 7.0, 100.0]
    )
    coverage = analyse(toy_town.town_study(residents=residents))
    assert coverage.cells["residents"].sum() == pytest.approx(7)


def test_without_residents_areas_still_add_up() -> None:
    coverage = analyse(toy_town.town_study(residents=None))
    check_areas(coverage)
    check_city_is_the_sum(coverage)
    check_gaps(coverage)


def test_a_category_without_known_places_is_not_judged() -> None:
    coverage = analyse(toy_town.town_study(categories=("halte_femmes",)))
    rows = coverage.indicators[coverage.indicators["category"] == "halte_femmes"]
    assert len(rows) == 3
    assert rows[["covered_pct", "uncovered_pct", "uncovered_ha", "gaps"]].isna().all(axis=None)
    assert rows["services_inside"].tolist() == [0] * 3
    assert coverage.gaps.empty
    assert not {*COMPOSITES} & {*coverage.indicators["category"]}
    assert coverage.composite["essentials_within"].tolist() == [0] * 3  # of nothing, nothing


def test_a_category_whose_places_do_not_count_is_uncovered_everywhere() -> None:
    study = toy_town.town_study(categories=("halte_femmes",)).replace(judged=("halte_femmes",))
    coverage = analyse(study)
    rows = coverage.indicators[coverage.indicators["category"] == "halte_femmes"]
    assert rows["uncovered_pct"].tolist() == [100.0] * 3
    assert rows["services_inside"].tolist() == [0] * 3
    check_gaps(coverage)


def test_medians_are_weighted_by_residents(toy: Coverage) -> None:
    cells = toy.cells[toy.cells["on_network"]]
    table = toy.indicators.set_index(["district_id", "category"])
    step = 0.05  # minutes between neighbouring values, whichever convention of quantile is used
    for category in toy.study.categories:
        for district in ("", "W", "E"):
            here = cells if not district else cells[cells["district_id"] == district]
            minutes = here[f"minutes_{category}"].tolist()
            for share, column in ((0.5, "minutes_median"), (0.9, "minutes_p90")):
                wanted = reference.weighted_median(minutes, here["residents"].tolist(), share)
                found = table.loc[(district, category), column]
                assert found == pytest.approx(wanted, abs=step)


def test_least_area_of_a_gap_is_the_studys_choice(toy: Coverage) -> None:
    for min_gap_ha in (0.0625, 1.0, 20.0):
        coverage = analyse(toy_town.town_study(min_gap_ha=min_gap_ha))
        check_gaps(coverage)
        assert (coverage.gaps["area_ha"] >= min_gap_ha - 1e-9).all()


def test_one_hectare_is_enough_and_less_is_not() -> None:
    # 16 cells of 25 m are 1 ha: a study all of whose cells are uncovered, on a strip of streets
    for width_m, expected in ((400, 1), (375, 0)):
        x, y = toy_town.ORIGIN
        shape = box(x, y, x + width_m, y + 25)
        area = toy_town.area_of([("one", "Un", shape)], name="Bande")
        row = {"name": "rue", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
        row |= {"forward": True, "backward": True}
        row |= {"geometry": toy_town.LineString([(0, 12.5), (500, 12.5)])}
        network = toy_town.WalkNetwork.from_edges(toy_town.finish_edges([row]))
        study = toy_town.town_study(area=area, network=network, categories=("esi",))
        study = dataclasses.replace(study, services=toy_town.services_of([]))
        coverage = analyse(study)
        assert len(coverage.cells) == width_m // 25
        assert len(coverage.gaps[coverage.gaps["category"] == "esi"]) == expected


def test_main_district_of_a_gap_in_equal_halves_goes_by_id() -> None:
    # 16 cells along one street, 8 in each district, nothing within reach
    x, y = toy_town.ORIGIN
    halves = [("a", "A", box(x, y, x + 200, y + 25)), ("b", "B", box(x + 200, y, x + 400, y + 25))]
    area = toy_town.area_of(halves, name="Bande")
    row = {"name": "rue", "kind": "path", "steps": False, "bridge": False, "tunnel": False}
    row |= {"forward": True, "backward": True}
    row |= {"geometry": toy_town.LineString([(0, 12.5), (500, 12.5)])}
    network = toy_town.WalkNetwork.from_edges(toy_town.finish_edges([row]))
    main = []
    for districts in (area.districts, area.districts[::-1].reset_index(drop=True)):
        coverage = analyse(
            toy_town.town_study(
                area=dataclasses.replace(area, districts=districts),
                network=network,
                services=toy_town.services_of([]),
                residents=None,
                categories=("esi",),
            )
        )
        main.append(coverage.gaps["district_id"].astype(str).tolist())
    assert main[0] == main[1]


def nested(shapes: Sequence[object]) -> bool:
    """Whether each shape holds the one before it, but for slivers."""
    return all(
        smaller.difference(larger).area < 1e-3 for smaller, larger in itertools.pairwise(shapes)
    )


def test_isochrones_of_the_toy_town_are_nested(toy: Coverage) -> None:
    for _, rows in toy.isochrones.groupby("category"):
        ordered = rows.sort_values("threshold_min")
        assert ordered["threshold_min"].tolist() == [5, 10, 15, 20]
        assert nested(list(ordered.geometry))
        assert ordered.geometry.is_valid.all()
        assert ordered["area_ha"].tolist() == pytest.approx(
            (ordered.geometry.area / 10_000).tolist()
        )
        within = ordered.geometry.difference(toy.study.area.geometry.buffer(1e-6))
        assert within.area.sum() < 1e-3
