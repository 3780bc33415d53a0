"""The missing link: each is opened in a network of its own and analysed again."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, box

from helpers.toy_town import CRS, ORIGIN, area_of, finish_edges, residents_of, services_of
from quart_heure.analysis.gap_barriers import NamedBarriers
from quart_heure.categories import default_catalogue
from quart_heure.cli import main
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.links import render_links, write_links
from quart_heure.schema import check_columns
from quart_heure.study import Study, analyse
from quart_heure.study.links import missing_links

WIDTH = 800


def street(name: str, *stops: tuple[float, float]) -> dict[str, object]:
    flags = dict.fromkeys(("steps", "bridge", "tunnel"), False)
    ways = dict.fromkeys(("forward", "backward"), True)
    return {"name": name, "geometry": LineString(stops), "kind": "residential", **flags, **ways}


def two_banks(*, bridge: LineString | None = None, discreet: bool = False) -> Study:
    """Two quays on either side of a river of 180 m, which meet at its far western end only.

    On the north bank people live in a row along the quay; the service is on the south bank.
    """
    south, north = 12.5, 212.5
    stops = [(float(x), south) for x in range(0, WIDTH + 1, 100)]
    over = [(float(x), north) for x in range(0, WIDTH + 1, 100)]
    rows = [street("quai Sud", *pair) for pair in itertools.pairwise(stops)]
    rows += [street("quai Nord", *pair) for pair in itertools.pairwise(over)]
    rows.append(street("pont Vieux", stops[0], over[0]))
    if bridge is not None:
        local = shapely.transform(bridge, lambda xy: xy - np.array(ORIGIN))
        a, b = local.coords
        # The quays are cut where the new bridge lands: a street meets another at its ends only.
        near = local.buffer(0.5)
        rows = [row for row in rows if not shapely.intersects(row["geometry"], near)]
        for y, name in ((south, "quai Sud"), (north, "quai Nord")):
            x = (a if abs(a[1] - y) < 1 else b)[0]
            left = 100 * (x // 100) if x % 100 else x - 100
            cut = [(left, y), (x, y), (min(100 * (x // 100) + 100, WIDTH), y)]
            rows += [
                street(name, p, q)
                for p, q in itertools.pairwise(cut)
                if p != q and LineString([p, q]).length > 0
            ]
        rows.append(street("passerelle", a, b))
    squares = [(int(ORIGIN[0]) // 25 + i, int(ORIGIN[1]) // 25 + 8) for i in range(WIDTH // 25)]
    x, y = ORIGIN
    return Study(
        area=area_of([("d", "Rive", box(x, y - 50, x + WIDTH, y + 275))], name="Deux rives"),
        services=services_of([("S", "esi", 612.5, south, "open", discreet)]),
        network=WalkNetwork.from_edges(finish_edges(rows)),
        residents=residents_of(
            [c for c, _ in squares],
            [r for _, r in squares],
            [float(i + 1) for i in range(WIDTH // 25)],
        ),
        catalogue=default_catalogue(),
        categories=("esi",),
        threshold_min=6.0,
        isochrones_min=(6.0,),
        private=True,
    )


def covered(study: Study) -> float:
    return float(analyse(study).city["residents_covered"].iloc[0])


def test_the_bridge_that_is_missing_is_found_and_brings_what_is_said() -> None:
    coverage = analyse(two_banks())
    assert set(coverage.gaps["cause"]) == {"barrier"}
    found = missing_links(coverage, "esi", count=5)
    check_columns(found, "links")
    assert len(found)
    for row in found.itertuples():
        assert (row.from_street, row.to_street) == ("quai Nord", "quai Sud")
        assert row.geometry.length == pytest.approx(row.length_m) and row.length_m <= 300
        # The whole way in metres: along the link, and along the south quay.
        (_, _), (far_x, _) = row.geometry.coords
        metres = row.length_m + abs(ORIGIN[0] + 612.5 - far_x)
        assert row.minutes_after == pytest.approx(metres / 75)
        assert row.minutes_before > row.minutes_after + row.length_m / 75
    assert found["gain"].is_monotonic_decreasing
    best = found.iloc[0]
    opened = covered(two_banks(bridge=best.geometry)) - covered(two_banks())
    assert best["gain"] == pytest.approx(opened)
    per_m = found.sort_values("rank_per_m")["gain_per_m"]
    assert per_m.is_monotonic_decreasing


def test_by_hand_who_is_within_reach_of_the_best_link() -> None:
    found = missing_links(analyse(two_banks()), "esi", count=1).iloc[0]
    (near_x, near_y), _ = found.geometry.coords
    left = 6.0 * 75 - found.minutes_after * 75
    wanted = 0.0
    for i in range(WIDTH // 25):
        x, y = ORIGIN[0] + 25 * i + 12.5, ORIGIN[1] + 212.5
        old_way = (25 * i + 12.5) + 200 + 612.5  # by the old bridge
        if abs(x - near_x) + abs(y - near_y) <= left + 1e-6 and old_way > 450:
            wanted += i + 1
    assert found["gain"] == pytest.approx(wanted)


def test_links_are_at_most_as_long_as_asked_for() -> None:
    coverage = analyse(two_banks())
    assert missing_links(coverage, "esi", most_m=199.0).empty
    short = missing_links(coverage, "esi", most_m=205.0)
    assert (short["length_m"] <= 205).all()
    with pytest.raises(StudyFileError, match="0 m cannot be asked"):
        missing_links(coverage, "esi", most_m=0.0)
    with pytest.raises(StudyFileError, match="0 links"):
        missing_links(coverage, "esi", count=0)
    with pytest.raises(CategoryError, match="'bagagerie'"):
        missing_links(coverage, "bagagerie")


def test_without_a_barrier_there_is_nothing_to_cross(tmp_path: Path) -> None:
    found = missing_links(analyse(two_banks().replace(threshold_min=60.0)), "esi")
    assert found.empty
    for form, words in (("md", "Aucune zone blanche"), ("json", '"links": []')):
        assert words in render_links(found, two_banks(), "esi", most_m=300.0, form=form)
    write_links(found, tmp_path / "none.gpkg")


def test_no_link_leads_to_a_discreet_place() -> None:
    coverage = analyse(two_banks(discreet=True))
    assert set(coverage.gaps["cause"]) == {"barrier"}
    assert missing_links(coverage, "esi").empty
    assert missing_links(publishable(coverage), "esi").empty


def test_the_river_that_cuts_a_gap_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = ORIGIN
    river = shapely.box(x - 500, y + 60, x + WIDTH + 500, y + 160)
    known = NamedBarriers(shapes=np.array([river], dtype=object), words=["La Seine"])
    monkeypatch.setattr(Study, "named_barriers", lambda _: known)
    for discreet, named in ((False, {"La Seine"}), (True, {""})):
        # A line to a discreet place would point at it: what it crosses is not told.
        gaps = analyse(two_banks(discreet=discreet)).gaps
        assert set(gaps["cause"]) == {"barrier"}
        assert set(gaps["barrier"]) == named
    monkeypatch.setattr(Study, "named_barriers", lambda _: None)
    assert set(analyse(two_banks()).gaps["barrier"]) == {""}


def test_what_a_link_crosses_is_named(tmp_path: Path) -> None:
    x, y = ORIGIN
    layer = gpd.GeoDataFrame(
        {"kind": ["water", "rail"], "name": ["La Rivière", ""]},
        geometry=[box(x - 500, y + 30, x + 1500, y + 150), box(x, y + 160, x + 1000, y + 170)],
        crs=CRS,
    )
    layer.to_parquet(tmp_path / "ground.parquet")
    study = two_banks().replace(background_file=tmp_path / "ground.parquet")
    found = missing_links(analyse(study), "esi", count=2)
    assert set(found["crosses"]) == {"La Rivière;rail"}
    text = render_links(found, study, "esi", most_m=300.0, form="md")
    assert "La Rivière, voie ferrée" in text
    assert "quai Nord" in text
    told = json.loads(render_links(found, study, "esi", most_m=300.0, form="json"))
    assert len(told["links"][0]["ends"]) == 2
    write_links(found, tmp_path / "links.gpkg")
    back = gpd.read_file(tmp_path / "links.gpkg", layer="links")
    assert back.geom_type.eq("LineString").all()
    assert back["gain"].tolist() == found["gain"].tolist()
    assert isinstance(back, pd.DataFrame)


def test_wrong_questions_are_refused_before_the_analysis(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["links", "--category", "esi", "--length", "-3"]) == 4
    assert "A link of -3 m" in capsys.readouterr().err
