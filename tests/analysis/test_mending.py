"""What a doubtful place or street may move: held against the analysis of what was mended."""

from __future__ import annotations

import datetime
import itertools
import json
import re
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from helpers import toy_town
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.report.check import render_check
from quart_heure.study import Study, analyse
from quart_heure.study.check import Check, check_study

TODAY = datetime.date(2026, 1, 1)
X0, Y0 = toy_town.ORIGIN
SHORT_M = 1.5


def covered(study: Study, category: str) -> float:
    city = analyse(study).city.set_index("category")
    return float(city.loc[category, "residents_covered"])


def cul_de_sac(*, mended: bool, loop: bool = False, yard: bool = False, **overrides: Any) -> Study:
    """Two streets side by side, the upper with a service; a lane between stops short of it."""
    lanes = {
        "haute": [(0, 900), (1000, 900), (2000, 900)],
        "basse": [(0, 300), (1000, 300), (2000, 300)],
        "lien": [(0, 300), (0, 900)],
    }
    rows, nodes = [], {}

    def edge(name: str, *places: tuple[float, float]) -> None:
        ends = [nodes.setdefault(place, len(nodes)) for place in (places[0], places[-1])]
        line = shapely.LineString([(X0 + x, Y0 + y) for x, y in places])
        rows.append({"u": ends[0], "v": ends[1], "name": name, "geometry": line})

    for name, places in lanes.items():
        for a, b in itertools.pairwise(places):
            edge(name, a, b)
    edge("ruelle", (1000, 300), (1000, 900 - SHORT_M))
    if mended:
        edge("joint", (1000, 900 - SHORT_M), (1000, 900))
    if loop:  # a dead end beside the street that it leaves: nobody gains by its end
        edge("boucle", (1000, 900), (1010, 950), (1050, 900 + SHORT_M))
    if yard:
        edge("cour", (1500, 600), (1520, 600))
    network = WalkNetwork.from_edges(gpd.GeoDataFrame(rows, crs=toy_town.CRS))
    places = [("b", "bagagerie", 1100.0, 905.0, "open", False), *overrides.pop("more", ())]
    area = toy_town.area_of(
        [("S", "Sud", shapely.box(X0, Y0 + 250, X0 + 2000, Y0 + 950))], name="Impasse"
    )
    return toy_town.town_study(
        **{"area": area, "network": network, "services": toy_town.services_of(places)},
        **{"categories": ("bagagerie",), **overrides},
    )


def first(check: Check, kind: str) -> Any:
    return check.findings[check.findings["kind"] == kind].iloc[0]


def test_a_missing_junction_moves_whom_the_mended_street_moves() -> None:
    ill, well = cul_de_sac(mended=False), cul_de_sac(mended=True)
    gained = covered(well, "bagagerie") - covered(ill, "bagagerie")
    assert gained > 100
    check = check_study(ill, today=TODAY)
    end = first(check, "dangling_end")
    assert end["residents"] == pytest.approx(gained)
    assert "Joined, so many more would have bagagerie" in end["detail"]
    assert not len(check_study(well, today=TODAY).moving)


def test_what_moves_comes_first_and_the_rest_is_counted_below() -> None:
    check = check_study(cul_de_sac(mended=False, loop=True), today=TODAY)
    ends = check.findings[check.findings["kind"] == "dangling_end"]
    assert (ends["residents"] > 0).tolist() == [True, False]
    assert ends["residents"].iloc[1] == 0
    assert check.moving["place"].tolist() == ["haute"]
    told = " ".join(render_check(check, form="table", width=200).split())
    assert "what moves figures, the most first: 1" in told
    assert re.search(r"osm\.org/\?mlat=\d+\.\d+&mlon=\d+\.\d+&zoom=19", told)
    assert "Besides, moving no figure that is known: 1 dangling end;" in told
    content = json.loads(render_check(check, form="json"))
    assert (content["moving"], content["findings"][1]["residents"]) == (1, 0)
    page = render_check(check, form="html")
    assert page.index("what moves figures") < page.index("<h2>dangling end: 2</h2>")


def test_a_service_without_a_street_moves_at_most_who_lacks_it_around() -> None:
    far = ("x", "bagagerie", 1900.0, 600.0, "open", False)
    study = cul_de_sac(mended=False, more=[far], threshold_min=5.0, isochrones_min=(5.0,))
    lost = first(check_study(study, today=TODAY), "service_off_network")
    coverage = analyse(study)
    cells, people = coverage.cells, coverage.basis.people
    xy = cells[["x_m", "y_m"]].to_numpy() - (X0 + 1900, Y0 + 600)
    # Of the area alone; minutes of cells off the network are NaN.
    lacks = cells["minutes_bagagerie"].to_numpy() > 5.0
    around = np.hypot(*xy.T) <= 5 * 75
    assert people is not None
    assert lost["residents"] == pytest.approx(cells.loc[lacks & around, "residents"].sum())
    assert lost["residents"] > 0


def test_a_small_part_moves_at_most_who_is_off_the_network_beside_it() -> None:
    study = cul_de_sac(mended=True, yard=True)
    part = first(check_study(study, today=TODAY), "small_part")
    cells = analyse(study).cells
    lane = shapely.LineString([(X0 + 1500, Y0 + 600), (X0 + 1520, Y0 + 600)])
    beside = shapely.dwithin(shapely.points(cells["x_m"], cells["y_m"]), lane, study.snap_m)
    lost = beside & ~cells["on_network"].to_numpy()
    assert lost.sum() > 10
    assert part["residents"] == pytest.approx(cells.loc[lost, "residents"].sum())


def test_without_residents_hectares_are_told() -> None:
    check = check_study(cul_de_sac(mended=False, residents=None), today=TODAY)
    end = first(check, "dangling_end")
    assert np.isnan(end["residents"])
    assert end["ha"] > 1
    assert check.moving["kind"].tolist() == ["dangling_end"]
    assert f"{end['ha']:.1f} ha" in render_check(check, form="table", width=200)
