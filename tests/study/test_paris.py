"""The packaged Paris against figures found elsewhere and against another computation of our own.

The second is written apart from the library: it reads the files with geopandas, joins cells to
streets with its spatial join, and searches with networkx.
"""

from __future__ import annotations

import dataclasses
import itertools

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from helpers.paris_figures import ELSEWHERE_PCT, MOVED_FROM, NOT_COUNTED_PTS, PLACED_SINCE
from helpers.project import fewer, thorough
from helpers.reference import walks_across
from helpers.same import assert_same
from quart_heure.cache import Cache
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.report import render_report
from quart_heure.profiles import ADULT
from quart_heure.sources.sample import paris_dir
from quart_heure.sources.services.services import STATUSES
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.tiled import InTiles

SPEED_M_PER_MIN = 75.0


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def default(cache: Cache) -> Coverage:
    return analyse(Study.paris(cache=cache), cache=cache)


@pytest.mark.parametrize("side", fewer((100, 173), 1))  # 2.5 km, and an odd number
def test_paris_in_tiles_is_paris_to_the_bit(default: Coverage, side: int) -> None:
    tiled = analyse(default.study, tiles=InTiles(tile_cells=side**2))
    assert_same(default, tiled)


@pytest.fixture(scope="module")
def every_place(cache: Cache) -> Coverage:
    return analyse(Study.paris(cache=cache, counted_status=STATUSES), cache=cache)


@pytest.fixture(scope="module")
def old_facts(cache: Cache) -> Coverage:
    """Every place that the facts before 2026 had, where they had it."""
    study = Study.paris(cache=cache, counted_status=STATUSES)
    table = study.services.table
    at = table.set_index("service_id").geometry
    kept = table[~table["service_id"].isin(PLACED_SINCE)]
    gone = [
        {**kept.iloc[0].to_dict(), "service_id": moved, "category": "halte_femmes"}
        | {"name": moved, "status": "moved", "geometry": at[place]}
        for moved, place in MOVED_FROM.items()
    ]
    assert len(kept) == len(table) - len(PLACED_SINCE)
    before = gpd.GeoDataFrame(pd.concat([kept, pd.DataFrame(gone)], ignore_index=True))
    services = dataclasses.replace(study.services, table=before.set_crs(table.crs))
    return analyse(study.replace(services=services), cache=cache)


def city_pct(coverage: Coverage) -> pd.Series[float]:
    return coverage.city.set_index("category")["covered_pct"]


@pytest.mark.parametrize("category", ELSEWHERE_PCT)
def test_figures_found_elsewhere_are_reproduced(old_facts: Coverage, category: str) -> None:
    """Others took the one nearest street, which leaves some ways out, and water for land."""
    more = city_pct(old_facts)[category] - ELSEWHERE_PCT[category]
    assert -0.1 <= more <= 2


def test_places_that_are_not_open_do_not_count_by_default(
    default: Coverage, every_place: Coverage
) -> None:
    fewer = city_pct(every_place) - city_pct(default)
    services = default.services
    closed = services[~services["status"].isin(["open", "unknown"])]
    assert set(closed["category"]) == set(NOT_COUNTED_PTS)
    for category in default.study.categories:
        assert fewer[category] == pytest.approx(NOT_COUNTED_PTS.get(category, 0.0), abs=0.1)


def test_people_add_up(default: Coverage) -> None:
    city = default.city.iloc[0]
    assert default.study.residents is not None
    assert city["residents"] == pytest.approx(default.study.residents.residents.sum(), abs=0.5)
    assert default.manifest["counts"]["residents_outside"] == 0


def test_districts_hold_the_published_area(default: Coverage) -> None:
    # 105.37 km² in EPSG:2154 for the twenty arrondissements
    assert default.city.iloc[0]["area_ha"] == pytest.approx(10_537, abs=5)
    assert len(default.study.area.districts) == 20


def test_public_shelters_count_are_shown_and_open_by_referral(default: Coverage) -> None:
    assert not default.services["discreet"].any()
    assert not any(publishable(default).manifest["withheld"].values())
    sent = default.services[
        (default.services["category"] == "halte_femmes") & default.services["counted"]
    ].set_index("service_id")["access"]
    assert sent.value_counts().to_dict() == {"referral": 4, "walk_in": 1}
    page = render_report(default, format="md", lang="fr")
    for name in ("Halte femmes de l'Hôtel de Ville", "Halte femmes de la mairie du 18e"):
        assert name in page
    assert "sur orientation" in page


# --- streets that nearly meet ---------------------------------------------------------------------


def joined(network: WalkNetwork, within_m: float) -> WalkNetwork:
    """Join every dead end to the streets that pass within some metres of it."""
    ends = np.flatnonzero(np.bincount(np.r_[network.u, network.v]) == 1)
    points = shapely.points(network.node_xy[ends])
    at, near = shapely.STRtree(network.lines).query(points, "dwithin", within_m)
    other = (network.u[near] != ends[at]) & (network.v[near] != ends[at])
    cuts: dict[int, list[tuple[float, int]]] = {}
    for end, edge in zip(at[other], near[other], strict=True):
        along_m = shapely.line_locate_point(network.lines[edge], points[end])
        cuts.setdefault(int(edge), []).append((float(along_m), int(ends[end])))
    edges = network.edges()
    pieces = []
    for edge, row in zip(cuts, edges.iloc[list(cuts)].to_dict("records"), strict=True):
        line, stops = row["geometry"], sorted(cuts[edge])
        for (begin, u), (end, v) in itertools.pairwise(
            [(0.0, row["u"]), *stops, (line.length, row["v"])]
        ):
            if end > begin:
                piece = substring(line, begin, end)
                pieces.append({**row, "u": u, "v": v, "length_m": end - begin, "geometry": piece})
    whole = edges.drop(edges.index[list(cuts)])
    parts = gpd.GeoDataFrame(pieces, crs=edges.crs)
    return WalkNetwork.from_edges(
        gpd.GeoDataFrame(pd.concat([whole, parts], ignore_index=True), crs=edges.crs)
    )


def test_streets_that_nearly_meet_move_no_figure(default: Coverage) -> None:
    """The tiles leave some 2,600 dead ends within 2 m of another street."""
    network = joined(default.study.network, 2.0)
    assert network.n_edges > default.study.network.n_edges + 2_000
    moved = analyse(default.study.replace(network=network))
    for figure in ("covered_pct", "residents_covered_pct"):
        change = (moved.city[figure] - default.city[figure]).abs()
        assert change.max() < 0.1
    assert change.max() > 0  # they were joined


# --- at the door ---------------------------------------------------------------------------------


def share(coverage: Coverage, label: str, category: str) -> float:
    table = coverage.indicators.set_index(["label", "category"])
    return float(table.loc[(label, category), "covered_pct"])


def test_places_that_one_street_misled_are_right(default: Coverage) -> None:
    """The nearest street of each leads away from those who live around it.

    A square's outline that is joined on the far side only, an underground car road, rings with one
    entrance, and a corridor below a town hall: with that one street the shares were 60.3 % of the
    4e, 64.6 % of the 18e and 38.1 % of it.
    """
    assert share(default, "4e", "esi") == pytest.approx(77, abs=3)
    assert share(default, "18e", "distribution_alimentaire") == pytest.approx(73.5, abs=1.5)
    assert share(default, "18e", "halte_femmes") == pytest.approx(46, abs=1)
    entries = default.entries.set_index(["service_id", "rank"])
    nearest = entries["street"].xs(1, level="rank")
    assert nearest["bains_douches-75004-saint-merri"] == "Rue du Renard"
    # The ring is still the nearest of these three, and no longer the only one.
    for name, by in {
        "esi-75012-mazas": "Quai de la Rapée",
        "distribution_alimentaire-75019-amitie-villette": "Quai de l'Oise",
        "distribution_alimentaire-75020-magalimenil": "Rue d'Eupatoria",
    }.items():
        assert by in set(entries.loc[name, "street"])


def test_services_on_the_other_pavement_move_few_figures(default: Coverage) -> None:
    """Every service 15 m further east, north, west or south; the nearest street alone gave 16.9."""
    basis = default.basis
    wide = default.indicators[default.indicators["level"] == "district"].pivot(
        index="district_id", columns="category", values="covered_pct"
    )
    on, district = basis.on_network, basis.cells.district
    cells = np.bincount(district[on])
    changes = []
    for elsewhere in basis.reach_elsewhere:
        for category in basis.categories:
            covered = on & (elsewhere.count(basis.of_category(category), 15) > 0)
            moved = 100 * np.bincount(district[covered], minlength=len(cells)) / cells
            changes.append(moved - wide[category].to_numpy())
    change = np.abs(np.concatenate(changes))
    assert change.max() <= 3
    assert np.sqrt((change**2).mean()) <= 0.5


def test_water_is_no_land(default: Coverage) -> None:
    city = default.city.iloc[0]
    parts = city["on_network_ha"] + city["off_network_ha"] + city["water_ha"]
    assert parts == pytest.approx(city["area_ha"])
    rows = default.indicators[default.indicators["category"] == "esi"].set_index("label")
    assert 100 * rows.loc["4e", "water_ha"] / rows.loc["4e", "area_ha"] == pytest.approx(13, abs=2)
    assert (default.cells["residents"][default.cells["status_esi"] == "water"] == 0).all()


# --- another computation, on the same files ------------------------------------------------------


@pytest.fixture(scope="module")
def computed_apart() -> pd.DataFrame:
    """Share covered per district and category on 50 m cells."""
    edges = gpd.read_parquet(paris_dir() / "network.parquet")
    graph = nx.Graph()
    for u, v, length in zip(edges["u"], edges["v"], edges["length_m"], strict=True):
        if not graph.has_edge(u, v) or graph[u][v]["weight"] > length:
            graph.add_edge(u, v, weight=length)
    large = [part for part in nx.connected_components(graph) if len(part) >= 0.01 * len(graph)]
    useful = edges[edges["u"].isin(set().union(*large))]
    useful = useful[~useful["tunnel"] & ~useful["bridge"]]
    useful = useful[~useful["kind"].isin(["corridor", "elevator"])]
    background = gpd.read_parquet(paris_dir() / "background.parquet")
    water = background[background["kind"] == "water"]
    barriers = background[background["kind"].isin(["water", "rail"])].geometry.to_numpy()
    districts = gpd.read_file(paris_dir() / "districts.geojson").to_crs(2154)
    west, south, east, north = districts.total_bounds
    x, y = np.meshgrid(
        np.arange(west // 50 * 50 + 25, east, 50), np.arange(south // 50 * 50 + 25, north, 50)
    )
    cells = gpd.GeoDataFrame(geometry=shapely.points(x.ravel(), y.ravel()), crs=2154)
    cells = cells.sjoin(districts[["district_id", "geometry"]], predicate="within")
    cells = cells.drop(columns="index_right").reset_index(drop=True)
    wet = cells.sjoin(water[["geometry"]], predicate="intersects").index
    cells = cells.drop(index=wet.unique()).reset_index(drop=True)
    entries = attach(cells, useful, barriers, always_m=40)
    rows = pd.read_csv(paris_dir() / "services.csv").dropna(subset=["longitude", "latitude"])
    rows = rows[rows["status"].isin(["open", "unknown"])]
    points = gpd.points_from_xy(rows["longitude"], rows["latitude"], crs=4326).to_crs(2154)
    services = gpd.GeoDataFrame(rows[["category"]], geometry=points).reset_index(drop=True)
    doors = attach(services, useful, barriers, always_m=100)
    category = services["category"].loc[doors["place"]].to_numpy()
    on = cells.loc[entries["place"].unique()]
    shares = {
        one: (minutes_to(graph, doors[category == one], entries) <= 15)
        .reindex(on.index)
        .groupby(on["district_id"])
        .mean()
        .mul(100)
        for one in sorted(set(services["category"]))
    }
    return pd.DataFrame(shares)


def attach(
    places: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    barriers: NDArray[np.object_],
    *,
    always_m: float,
) -> pd.DataFrame:
    """Join places to every street in their radius, by a tree of whole streets."""
    lines, points = streets.geometry.to_numpy(), places.geometry.to_numpy()
    place, street = shapely.STRtree(lines).query(points, predicate="dwithin", distance=100)
    access = shapely.shortest_line(points[place], lines[street])
    free = np.ones(len(place), dtype=bool)
    line, barrier = shapely.STRtree(barriers).query(access, predicate="intersects")
    for one, other in zip(line, barrier, strict=True):
        free[one] &= not walks_across(access[one], barriers[other])
    place, street, access = place[free], street[free], access[free]
    found = streets.iloc[street][["u", "v", "length_m"]].reset_index(names="edge")
    distance = shapely.length(access)
    found["place"] = place
    least = pd.Series(distance).groupby(place).transform("min").to_numpy()
    found["access_m"] = least + 1.5 * (distance - least)
    found["offset_m"] = (
        shapely.line_locate_point(lines[street], points[place], normalized=True) * found["length_m"]
    )
    return found[distance <= np.maximum(always_m, 1.5 * least)]


def minutes_to(graph: nx.Graph, doors: pd.DataFrame, entries: pd.DataFrame) -> pd.Series:
    """Walk from the services through a copy of the graph in which each entry is a node."""
    walked = graph.copy()
    for number, door in enumerate(doors.itertuples()):
        at = ("door", number)
        for end, way in ((door.u, door.offset_m), (door.v, door.length_m - door.offset_m)):
            weight = way + door.access_m
            if not walked.has_edge(at, end) or walked[at][end]["weight"] > weight:
                walked.add_edge(at, end, weight=weight)
    sources = [("door", number) for number in range(len(doors))]
    # A path through a service is never shorter than one that ends there.
    metres = pd.Series(nx.multi_source_dijkstra_path_length(walked, sources, cutoff=1200))
    metres = metres[[not isinstance(node, tuple) for node in metres.index]]
    through_u = entries["u"].map(metres).fillna(np.inf) + entries["offset_m"]
    through_v = entries["v"].map(metres).fillna(np.inf) + entries["length_m"] - entries["offset_m"]
    best = np.minimum(through_u, through_v)
    along = entries["offset_m"].to_numpy()
    least, on_edge = best.to_numpy(copy=True), entries.reset_index().groupby("edge").indices
    for door in doors.itertuples():
        same = on_edge.get(door.edge, [])
        direct = np.abs(along[same] - door.offset_m) + door.access_m
        least[same] = np.minimum(least[same], direct)
    best = pd.Series(least, index=entries.index)
    return ((best + entries["access_m"]) / SPEED_M_PER_MIN).groupby(entries["place"]).min()


@thorough
def test_every_district_agrees_with_a_computation_apart(
    computed_apart: pd.DataFrame, cache: Cache
) -> None:
    coverage = analyse(Study.paris(cache=cache, cell_m=50.0), cache=cache)
    rows = coverage.indicators[coverage.indicators["level"] == "district"]
    ours = rows.pivot(index="district_id", columns="category", values="covered_pct")
    assert coverage.study.profile == ADULT
    assert set(computed_apart.columns) == set(coverage.study.categories)
    difference = (ours[computed_apart.columns] - computed_apart).abs()
    assert difference.to_numpy().max() < 0.1


@thorough
def test_finer_cells_change_little(default: Coverage, computed_apart: pd.DataFrame) -> None:
    rows = default.indicators[default.indicators["level"] == "district"]
    ours = rows.pivot(index="district_id", columns="category", values="covered_pct")
    # Points of share per district: cells of 50 m against 25 m.
    difference = (ours[computed_apart.columns] - computed_apart).abs()
    assert difference.to_numpy().mean() < 0.5
