"""What is published tells the zone of a discreet place, and nothing of where in it the place is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import toy_town
from helpers.attacks import city, explaining_junctions, middle_of_isochrone, with_place
from helpers.project import THOROUGH, thorough
from helpers.town_week import MONDAY, town_with_hours
from quart_heure.analysis.anchors import LEAST_HA, LEAST_RESIDENTS, anchors_of
from quart_heure.cache import Cache
from quart_heure.network.components import entry_edges
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.map.map import render_map
from quart_heure.outputs.report.check import render_check
from quart_heure.outputs.report.closures import render_closures
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.outputs.report.siting import render_siting
from quart_heure.outputs.report.what_if import gap_changes, render_what_if
from quart_heure.outputs.results.write import write_results
from quart_heure.profiles import ADULT
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.calls import calls
from quart_heure.study.check import check_study
from quart_heure.study.closures import shared_buildings, worst_closures
from quart_heure.study.links import missing_links
from quart_heure.study.scenario import Scenario
from quart_heure.study.siting import site
from quart_heure.study.variants import paces, sensitivity
from quart_heure.study.what_if import what_if

PLACES = 20 if THOROUGH else 2
ORIGIN = np.array(toy_town.ORIGIN)


def made_public(study: Study, xy: NDArray[np.float64]) -> Study:
    """Return a study whose discreet place is somewhere, as it is made for publishing."""
    table = study.services.table
    here = table["discreet"].astype(bool)
    places = table.geometry.where(~here, shapely.Point(xy))
    services = dataclasses.replace(study.services, table=table.set_geometry(places))
    return study.replace(services=services, private=False)


def all_that_is_written(study: Study, folder: Path) -> dict[str, bytes]:
    """Write whatever the program can write of a study; return every file."""
    cache = Cache(folder / "cache")
    coverage = analyse(study, cache=cache)
    write_results(coverage, folder / "results")
    for form in REPORT_FORMATS:
        text = render_report(coverage, format=form)
        (folder / f"report.{form}").write_text(text, encoding="utf-8")
    (folder / "map.html").write_text(render_map(coverage), encoding="utf-8")
    write_dossiers(coverage, folder / "dossiers")
    check = check_study(study, today=dt.date(2026, 1, 1))
    (folder / "check.html").write_text(render_check(check, form="html"), encoding="utf-8")
    shown = publishable(coverage)
    tables = {
        "calls": calls(shown),
        "links": missing_links(shown, "esi"),
        "entries": shown.entries,
        "filters": shown.filters,
        "problems": shown.problems,
    }
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text(table.to_csv(), encoding="utf-8")
    sites = site(coverage, "bagagerie", count=2, mesh_m=200.0, weight="area")
    (folder / "sites.md").write_text(render_siting(sites, form="md"), encoding="utf-8")
    (folder / "study.html").write_text(study.services.table._repr_html_(), encoding="utf-8")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def asked() -> list[Study]:
    """The toy town asked in many ways; of each, what is written must tell the same."""
    town = toy_town.town_study()
    return [
        town,
        town_with_hours(week=True, week_of=MONDAY),
        town_with_hours(at=dt.datetime(2026, 12, 6, 18, 0)),
        town.replace(threshold_min=5.0, categories=("bagagerie", "esi")),
        town.replace(residents=None, counted_status=("open", "unknown", "closed")),
    ]


@pytest.mark.parametrize("question", range(5 if THOROUGH else 1))
def test_two_places_of_one_zone_are_published_alike(
    asked: list[Study], question: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof: whoever reads everything that is written cannot tell which one it was."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764547200")
    study = asked[question]
    written = [
        all_that_is_written(made_public(study, ORIGIN + at), tmp_path / str(n))
        for n, at in enumerate([(90, 1400), (1590, 610)])
    ]
    assert written[0].keys() == written[1].keys()
    assert len(written[0]) > 30
    for name, content in written[0].items():
        assert content == written[1][name], name


def test_variants_are_published_alike(asked: list[Study]) -> None:
    told = []
    for at in ((90, 1400), (1590, 610)):
        study = made_public(asked[0], ORIGIN + at)
        tables = paces(study, profiles=(ADULT,), thresholds=(5.0, 10.0)), sensitivity(study)
        told.append("".join(table.to_csv() for table in tables))
    assert told[0] == told[1]


def test_scenarios_and_closures_are_published_alike(asked: list[Study]) -> None:
    """Closing all the others leaves what the hidden place covers: that of its public point."""
    told = []
    for at in ((90, 1400), (1590, 610)):
        study = made_public(asked[0], ORIGIN + at)
        base = analyse(study)
        scenarios = [
            Scenario(name="others", close=("B1", "B2", "A1", "C1")),
            Scenario(name="longer", threshold_min=25.0),
            Scenario(name="slow", profile="slow", close=("B2",)),
        ]
        outcomes = what_if(base, scenarios)
        worst = [worst_closures(base, name, count=2) for name in ("bagagerie", "esi")]
        shared = shared_buildings(base)
        told.append(
            [
                *(render_what_if(outcomes, form=form) for form in ("csv", "json", "md")),
                *(render_closures(one, shared, form="json") for one in worst),
                gap_changes(outcomes).to_wkt().to_csv(),
            ]
        )
    assert told[0] == told[1]
    assert "B3" not in "".join(told[0])


def test_the_same_places_are_told_apart_in_private(asked: list[Study]) -> None:
    """The proof above has teeth: exact figures differ."""
    at = [ORIGIN + one for one in ((90, 1400), (1590, 610))]
    table = asked[0].services.table
    here = table["service_id"] == "B3"
    exact = [
        analyse(
            asked[0].replace(
                services=dataclasses.replace(
                    asked[0].services,
                    table=table.set_geometry(table.geometry.where(~here, shapely.Point(one))),
                )
            )
        ).cells["minutes_bagagerie"]
        for one in at
    ]
    assert not exact[0].equals(exact[1])


@settings(
    max_examples=12 if THOROUGH else 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_in_any_town_figures_depend_on_the_zone_alone(seed: int, data: st.DataObject) -> None:
    study = city(seed)
    zones = anchors_of(study.network, study.residents, study.area).zones
    table = study.services.table.assign(discreet=False)
    west, south, east, north = study.area.geometry.bounds
    found: dict[int, tuple[str, int]] = {}
    for _ in range(6):
        xy = np.array([data.draw(st.floats(west, east)), data.draw(st.floats(south, north))])
        zone = int(zones.holding(xy[None], study.network.crs)[0])
        services = dataclasses.replace(study.services, table=with_place(table, xy, "bains_douches"))
        shown = publishable(analyse(study.replace(services=services, private=False)))
        told = (
            shown.cells.to_csv()
            + shown.indicators.to_csv()
            + json.dumps(shown.manifest["withheld"])
        )
        told += shown.isochrones.to_wkt().to_csv() + shown.gaps.to_wkt().to_csv()
        assert found.setdefault(zone, (told, 0))[0] == told
        if zone >= 0:
            assert zones.ground_ha[zone] >= LEAST_HA
            lone = zones.known[zone] and zones.residents[zone] > 0
            assert not lone or zones.residents[zone] >= LEAST_RESIDENTS


# --- twenty places of Paris ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def paris(cache: Cache) -> Study:
    return Study.paris(cache=cache, categories=("bagagerie",), cell_m=50.0)


def places_of(study: Study) -> NDArray[np.float64]:
    """Return public positions all over the area, some metres off a junction."""
    xy = study.network.node_xy
    inside = np.flatnonzero(shapely.contains_xy(study.area.geometry, xy[:, 0], xy[:, 1]))
    return xy[inside[:: len(inside) // PLACES][:PLACES]] + (6.0, 10.0)


def published(
    study: Study, xy: NDArray[np.float64], cache: Cache, *, alone: bool, private: bool
) -> Coverage:
    table = study.services.table
    if alone:
        table = table[table["category"] != "bagagerie"]
    services = dataclasses.replace(study.services, table=with_place(table, xy, "bagagerie"))
    asked = study.replace(services=services, private=private)
    return publishable(analyse(asked, cache=cache))


def ground_of(study: Study) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the hectares that streets run through, by their middle, and who lives in each.

    Apart from the library: street by street, in the squares of INSEE's grid.
    """
    change = pyproj.Transformer.from_crs(study.network.crs, 3035, always_xy=True)
    lines = study.network.lines[entry_edges(study.network, ADULT)]
    points = shapely.get_coordinates(shapely.segmentize(lines, 50.0))
    squares = np.floor(np.stack(change.transform(*points.T), axis=1) / 100)
    squares = np.unique(squares, axis=0)
    lived = study.residents
    assert lived is not None
    homes = (np.stack([lived.col, lived.row], axis=1) + 0.5) * lived.square_m
    home = np.floor(np.stack(change.transform(*homes.T), axis=1) / 100)
    people = dict.fromkeys(map(tuple, home.tolist()), 0.0)
    for one, number in zip(map(tuple, home.tolist()), lived.residents.tolist(), strict=True):
        people[one] += number
    middle = np.stack(change.transform(*(squares * 100 + 50).T, direction="INVERSE"), axis=1)
    return middle, np.array([people.get(tuple(one), 0.0) for one in squares.tolist()])


def test_attacks_on_many_places_find_no_less_than_a_zone(paris: Study, cache: Cache) -> None:
    """Whoever tries every hectare of Paris by the public rule is left with a zone of them."""
    middle, living = ground_of(paris)
    anchors = anchors_of(paris.network, paris.residents, paris.area)
    zone_of = anchors.zones.holding(middle, paris.network.crs)
    anchor_of = np.where(zone_of[:, None] >= 0, anchors.xy[zone_of], np.nan)
    centre_off, junction_off, left_ha, left_people = [], [], [], []
    for n, xy in enumerate(places_of(paris)):
        alone = n % 2 == 0
        shown = published(paris, xy, cache, alone=alone, private=False)
        if (shown.cells["nearest_bagagerie"] != "discreet").all():
            continue  # its point is nowhere the nearest: nothing is learnt but that
        if alone:
            centre_off.append(np.hypot(*(middle_of_isochrone(shown, "bagagerie") - xy)))
        junctions = explaining_junctions(shown, "bagagerie")
        junction_off.append(np.hypot(*(junctions[0] - xy)))
        # Positions that the rule brings to a junction that explains what is published.
        left = np.array([np.hypot(*(anchor_of - one).T) < 1 for one in junctions]).any(axis=0)
        left_ha.append(int(left.sum()))
        zone = anchors.zones.holding(xy[None], paris.network.crs)[0]
        if anchors.zones.known[zone] and anchors.zones.residents[zone] > 0:
            left_people.append(float(living[left].sum()))
    assert len(left_ha) >= PLACES // 2
    assert min(left_ha) >= LEAST_HA
    assert min(left_people) >= LEAST_RESIDENTS
    assert np.median(centre_off) > 200
    assert np.median(junction_off) > 200


@thorough
def test_the_same_attacks_find_places_that_are_not_moved(paris: Study, cache: Cache) -> None:
    """The attacks have teeth: in private outputs they find the place to a few metres."""
    off = []
    for n, xy in enumerate(places_of(paris)[:6]):
        exact = published(paris, xy, cache, alone=n % 2 == 0, private=True)
        junctions = explaining_junctions(exact, "bagagerie")
        off.append(min(np.hypot(*(one - xy)) for one in junctions))
    assert np.median(off) < 30


@thorough
def test_other_places_of_the_zone_explain_all_that_is_published(paris: Study, cache: Cache) -> None:
    """Thresholds, statuses and hours together: each position of the zone explains them all."""
    xy = places_of(paris)[7]
    anchors = anchors_of(paris.network, paris.residents, paris.area)
    zone = anchors.zones.holding(xy[None], paris.network.crs)[0]
    nodes = paris.network.node_xy
    same = nodes[anchors.zones.holding(nodes, paris.network.crs) == zone]
    ends = [same[np.argmin(same @ way)] for way in np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])]
    questions = [
        paris,
        paris.replace(threshold_min=5.0),
        paris.replace(counted_status=("open", "unknown", "closed")),
        paris.replace(on=6),
    ]
    for asked in questions:
        told = []
        for place in (xy, *ends):
            shown = published(asked, place, cache, alone=False, private=False)
            told.append(
                shown.cells.to_csv()
                + shown.indicators.to_csv()
                + shown.isochrones.to_wkt().to_csv()
                + shown.fragility.to_csv()
                + shown.dependence.to_csv()
            )
        assert len(set(told)) == 1
