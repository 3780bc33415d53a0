"""Two networks of one place: where they agree, where not, and by which street."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from hypothesis import given, settings

from helpers import toy_town
from helpers.random_towns import SEEDS
from quart_heure.analysis.walks import WalkTree
from quart_heure.cli import main
from quart_heure.errors import NetworkError
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.report.crosscheck import render_crosscheck, write_crosscheck
from quart_heure.schema import check_columns
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.crosscheck import Crosscheck, crosscheck

WHOLE_LINE = settings(max_examples=max(1, settings().max_examples // 10), deadline=None)


@pytest.fixture(scope="module")
def town() -> Study:
    return toy_town.town_study()


@pytest.fixture(scope="module")
def without_bridge() -> Study:
    return toy_town.town_study(network=toy_town.town_network(bridge=False))


@pytest.fixture(scope="module")
def found(town: Study, without_bridge: Study) -> Crosscheck:
    return crosscheck(town, without_bridge)


def covered(coverage: Coverage, category: str) -> np.ndarray:
    return coverage.cells[f"status_{category}"].isin(["covered", "borderline_covered"]).to_numpy()


def test_a_bridge_that_one_lacks_explains_it(found: Crosscheck, without_bridge: Study) -> None:
    here, other = found.coverage, found.other
    differ = covered(here, "bains_douches") & ~covered(other, "bains_douches")
    people = here.cells.loc[differ, "residents"].sum()
    assert people > 0
    first = found.streets.iloc[0]
    assert (first["street"], first["network"]) == ("pont Unique", "here")
    assert first["walkers"] == pytest.approx(people)
    assert first["categories"] == "bains_douches"
    # Only what is further than 15 m from either quay has no counterpart.
    assert first["lacking_m"] == pytest.approx(300 - 2 * 15, abs=10)
    assert found.explained_pct == pytest.approx(100)
    zones = found.zones
    assert set(zones["covered_by"]) == {"here"}
    assert zones["residents"].sum() == pytest.approx(people)
    assert zones.area.sum() / 10_000 == pytest.approx(zones["area_ha"].sum())
    assert zones["area_ha"].sum() == pytest.approx(differ.sum() * 0.0625)


def test_agreement_is_that_of_the_tables(found: Crosscheck) -> None:
    here, other = found.coverage, found.other
    both = here.cells["on_network"] & other.cells["on_network"]
    differences = []
    for row in found.agreement.itertuples():
        mine = both.copy()
        if row.level == "district":
            mine &= here.cells["district_id"] == row.district_id
        weight = here.cells["residents"].where(mine, 0)
        one, two = (covered(each, row.category) for each in (here, other))
        shares = [100 * weight[each].sum() / weight.sum() for each in (one, two)]
        assert [row.covered_pct, row.covered_other_pct] == pytest.approx(shares)
        assert row.difference_points == pytest.approx(shares[1] - shares[0])
        assert row.same_pct == pytest.approx(100 * weight[one == two].sum() / weight.sum())
        if row.level == "district":
            differences.append(abs(shares[1] - shares[0]))
    assert found.mean_points == pytest.approx(np.mean(differences))
    assert found.worst_points == pytest.approx(np.max(differences))
    assert found.worst_points > 1
    check_columns(found.agreement, "crosscheck")


def test_the_other_way_round_is_the_same(
    found: Crosscheck, town: Study, without_bridge: Study
) -> None:
    back = crosscheck(without_bridge, town)
    assert back.mean_points == pytest.approx(found.mean_points)
    assert back.same_pct == pytest.approx(found.same_pct)
    assert back.explained_pct == pytest.approx(found.explained_pct)
    assert set(back.zones["covered_by"]) == {"other"}
    columns = ["street", "lacking_m", "walkers", "categories"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(back.streets[columns]), pd.DataFrame(found.streets[columns])
    )


def test_a_street_drawn_two_metres_away_has_its_counterpart(town: Study) -> None:
    edges = toy_town.town_edges()
    moved = edges.assign(geometry=edges.geometry.translate(1.5, 1.5))
    both = crosscheck(town, town.replace(network=WalkNetwork.from_edges(moved)))
    assert both.streets.empty
    assert both.worst_points < 3


def test_the_same_network_is_refused(town: Study) -> None:
    with pytest.raises(NetworkError, match="nothing to compare"):
        crosscheck(town, toy_town.town_study())


def test_streets_of_another_place_are_refused(town: Study) -> None:
    edges = toy_town.town_edges()
    away = edges.assign(geometry=edges.geometry.translate(50_000, 0))
    with pytest.raises(NetworkError, match="No street"):
        crosscheck(town, town.replace(network=WalkNetwork.from_edges(away)))


@WHOLE_LINE
@given(seed=SEEDS)
def test_walks_that_avoid_an_edge_are_as_long_without_it(seed: int) -> None:
    town = toy_town.random_town(seed)
    coverage = analyse(town.study())
    basis = coverage.basis
    mine = basis.of_category("esi")
    services = basis.doors.at(basis.xy[mine])
    minutes = basis.minutes["esi"]
    which = np.flatnonzero(basis.on_network & np.isfinite(minutes))
    tree = WalkTree.of(
        basis.doors.graph, services, basis.cells.attachment, which, np.ones(len(which))
    )
    network = coverage.study.network
    entered = set(services.edge.tolist()) | set(basis.cells.attachment.edge.tolist())
    total = tree.along(len(network.u))
    for edge in [e for e in tree.edge.tolist() if e not in entered][:6]:
        only = np.zeros(len(network.u), dtype=bool)
        only[edge] = True
        along = tree.leads_along(only)
        assert along.sum() == pytest.approx(total[edge])
        without = np.delete(np.arange(len(network.u)), edge)
        rest = WalkNetwork.from_edges(network.edges().iloc[without].reset_index(drop=True))
        after = analyse(coverage.study.replace(network=rest)).basis.minutes["esi"]
        if len(rest.u) == len(network.u) - 1:  # the rest is joined as it was
            np.testing.assert_allclose(after[which[~along]], minutes[which[~along]])
            assert (after[which[along]] >= minutes[which[along]] - 1e-9).all()


def test_every_format_tells_the_same(found: Crosscheck, tmp_path: Path) -> None:
    content = json.loads(render_crosscheck(found, form="json"))
    assert content["worst_points"] == pytest.approx(found.worst_points, abs=1e-3)
    assert content["streets"][0]["street"] == "pont Unique"
    assert len(content["agreement"]) == len(found.agreement)
    for form, lang in (("table", "fr"), ("md", "en")):
        text = render_crosscheck(found, form=form, lang=lang)
        assert "pont Unique" in text
        assert "{" not in text
    assert render_crosscheck(found, form="csv").count("\n") == len(found.agreement) + 1
    path = tmp_path / "crosscheck.gpkg"
    write_crosscheck(found, path)
    layers = dict(pyogrio.list_layers(path))
    assert {"zones", "streets", "agreement"} <= set(layers)
    assert len(gpd.read_file(path, layer="zones")) == len(found.zones)


def test_discreet_places_lead_along_no_street(town: Study, without_bridge: Study) -> None:
    hidden = [
        study.replace(
            services=toy_town.services_of(
                [(*place[:5], True) for place in toy_town.SERVICES if place[1] == "bains_douches"]
            )
        )
        for study in (town, without_bridge)
    ]
    found = crosscheck(*hidden)
    assert "bains_douches" not in set(";".join(found.streets["categories"]).split(";"))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none.parquet"
    assert main(["crosscheck", "--network", str(missing)]) == 3
    assert str(missing) in capsys.readouterr().err
