"""Where next: sites of a predicted town, rules, refusals, and what is not given away."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from shapely import LineString, box

from helpers import toy_town
from helpers.study_files import write_town
from helpers.toy_town import ORIGIN, area_of, finish_edges, residents_of, services_of
from quart_heure.analysis.siting.covering import Covering
from quart_heure.analysis.siting.exact import Proof, quick
from quart_heure.analysis.siting.rules import Rules
from quart_heure.categories import default_catalogue
from quart_heure.cli import main
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.report.siting import render_siting, siting_tables, write_siting
from quart_heure.schema import table_columns
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.siting import Siting, site

COLUMNS, ROWS, SIDE_M = 7, 4, 100
CORNERS = [(c, r) for r in range(ROWS) for c in range(COLUMNS)]
WEIGHT = {corner: float(2**at) for at, corner in enumerate(CORNERS)}
REACH_M = 337.5  # 4.5 minutes at 75 m a minute: between three and four blocks


def corner_xy(corner: tuple[int, int]) -> tuple[float, float]:
    # On the centre of a cell: whoever lives there has no way to the street.
    return corner[0] * SIDE_M + 12.5, corner[1] * SIDE_M + 12.5


def reached(corner: tuple[int, int]) -> set[tuple[int, int]]:
    """Corners within the threshold: blocks are counted, nothing is searched."""
    return {
        other
        for other in CORNERS
        if SIDE_M * (abs(other[0] - corner[0]) + abs(other[1] - corner[1])) <= REACH_M
    }


def gain_of(corners: list[tuple[int, int]], taken: set[tuple[int, int]]) -> float:
    found = set().union(*(reached(corner) for corner in corners)) - taken
    return sum(WEIGHT[corner] for corner in found)


def predicted_study(**changes: Any) -> Study:
    """A grid of streets, a corner apart each 100 m, where corner k has 2 to the power of k people.

    So the sum of people tells which corners it is of. A bagagerie stands at the first corner.
    """
    rows = []
    for c, r in CORNERS:
        for dc, dr, name in ((1, 0, f"rue {r}"), (0, 1, f"avenue {c}")):
            if c + dc < COLUMNS and r + dr < ROWS:
                line = LineString([corner_xy((c, r)), corner_xy((c + dc, r + dr))])
                rows.append(
                    {"name": name, "geometry": line, "kind": "residential"}
                    | dict.fromkeys(("steps", "bridge", "tunnel"), False)
                    | dict.fromkeys(("forward", "backward"), True)
                )
    squares = [
        (int(ORIGIN[0] + x) // 25, int(ORIGIN[1] + y) // 25) for x, y in map(corner_xy, CORNERS)
    ]
    x, y = ORIGIN
    west, middle, east = x - 50, x + 350, x + 750
    values: dict[str, Any] = {
        "area": area_of(
            [
                ("d1", "Premier", box(west, y - 50, middle, y + 450)),
                ("d2", "Deuxième", box(middle, y - 50, east, y + 450)),
            ],
            name="Prévue",
        ),
        "services": services_of([("B1", "bagagerie", 12.5, 12.5, "open", False)]),
        "network": WalkNetwork.from_edges(finish_edges(rows)),
        "residents": residents_of(
            [c for c, _ in squares], [r for _, r in squares], [WEIGHT[k] for k in CORNERS]
        ),
        "catalogue": default_catalogue(),
        "categories": ("bagagerie", "esi"),
        "threshold_min": 4.5,
        "isochrones_min": (4.5,),
        "min_gap_ha": 0.0625,
    }
    return Study(**{**values, **changes})


@pytest.fixture(scope="module")
def predicted() -> Coverage:
    return analyse(predicted_study())


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Every corner as a candidate, in a file; what each costs is its column, and one more."""
    return write_places(tmp_path / "places.csv", CORNERS)


def write_places(path: Path, corners: list[tuple[int, int]], extra: str = "") -> Path:
    to_degrees = pyproj.Transformer.from_crs(2154, 4326, always_xy=True)
    lines = ["id,name,cost,lon,lat"]
    for c, r in corners:
        x, y = corner_xy((c, r))
        lon, lat = to_degrees.transform(ORIGIN[0] + x, ORIGIN[1] + y)
        lines.append(f"{c}-{r},Mairie {c}-{r},{c + 1},{lon:.9f},{lat:.9f}")
    path.write_text("\n".join(lines) + "\n" + extra, encoding="utf-8")
    return path


def corners_of(siting: Siting) -> list[tuple[int, int]]:
    return [tuple(map(int, name.split("-"))) for name in siting.sites["candidate_id"]]  # type: ignore[misc]


TAKEN = reached((0, 0))


def test_the_reach_of_every_candidate_is_the_one_that_is_predicted(
    predicted: Coverage, places: Path
) -> None:
    found = site(predicted, "bagagerie", candidates=places)
    assert found.wanted == sum(WEIGHT[k] for k in CORNERS if k not in TAKEN)
    for row in found.candidates.itertuples():
        corner = tuple(map(int, row.candidate_id.split("-")))
        assert row.gain_alone == gain_of([corner], TAKEN), corner


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_best_sites_are_those_of_all_sets(
    predicted: Coverage, places: Path, count: int
) -> None:
    found = site(predicted, "bagagerie", candidates=places, count=count, curve=True)
    best = max(gain_of(list(s), TAKEN) for s in itertools.combinations(CORNERS, count))
    assert found.proven
    assert (found.value, found.bound, found.gap_pct) == (best, best, 0.0)
    corners = corners_of(found)
    assert gain_of(corners, TAKEN) == best
    sites = found.sites
    assert sites["gain_added"].sum() == best == sites["gain_total"].iloc[-1]
    assert sites["gain_alone"].tolist() == [gain_of([k], TAKEN) for k in corners]
    curve = found.curve
    assert curve["count"].tolist() == list(range(1, len(curve) + 1))
    assert curve["gain"].is_monotonic_increasing
    assert (curve["bound"] >= curve["gain"]).all()
    whole = sum(WEIGHT.values())
    taken = sum(WEIGHT[k] for k in TAKEN)
    assert curve["covered_pct"].iloc[-1] == pytest.approx(100 * (taken + best) / whole, rel=0.01)
    for row in found.alternatives.itertuples():
        other = [tuple(map(int, name.split("-"))) for name in row.candidate_ids.split(";")]
        assert row.gain == gain_of(other, TAKEN) == pytest.approx(found.value - row.gives_up)
        assert row.gives_up >= 0
        assert len(set(other) & set(corners)) == len(corners) - 1
    assert found.alternatives["gain"].is_monotonic_decreasing
    assert len(found.alternatives) == 10


def test_the_last_row_of_the_curve_is_the_answer_itself(
    predicted: Coverage, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps are proven to a hundredth: of the answer more is known, and the same is told."""

    def roughly(covering: Covering, rules: Rules, **_: Any) -> list[tuple[int, Proof]]:
        steps = (dataclasses.replace(rules, count=count) for count in (1, 2))
        known = [(step.count, quick(covering, step)) for step in steps]
        return [(n, dataclasses.replace(one, bound=one.bound + 1000)) for n, one in known]

    monkeypatch.setattr("quart_heure.study.siting.answer.curve", roughly)
    found = site(predicted, "bagagerie", candidates=places, count=2, curve=True)
    last = found.curve.iloc[-1]
    assert found.curve["bound"].iloc[0] > 0 and found.proven
    assert (last["count"], last["gain"], last["bound"]) == (2, found.value, found.bound)
    # With floors, smaller sets keep to none: the curve is of the best totals.
    floored = site(predicted, "bagagerie", candidates=places, count=2, curve=True, floor_pct=50.0)
    assert floored.curve["gain"].iloc[-1] == found.value


def test_opening_where_a_service_is_gains_nothing(predicted: Coverage, tmp_path: Path) -> None:
    here = write_places(tmp_path / "here.csv", [(0, 0)])
    with pytest.raises(StudyFileError, match=r"anybody new within 4\.5 min"):
        site(predicted, "bagagerie", candidates=here)


def test_the_proposed_sites_opened_cover_what_was_said(predicted: Coverage, places: Path) -> None:
    found = site(predicted, "bagagerie", candidates=places, count=2)
    table = [("B1", "bagagerie", 12.5, 12.5, "open", False)]
    table += [
        (f"N{at}", "bagagerie", *corner_xy(corner), "open", False)
        for at, corner in enumerate(corners_of(found))
    ]
    after = analyse(predicted_study(services=services_of(table)))
    before = predicted.city.set_index("category")["residents_covered"]
    then = after.city.set_index("category")["residents_covered"]
    assert then["bagagerie"] - before["bagagerie"] == found.value
    told = found.districts.set_index("district_id")
    for name, row in (
        after.indicators.query("category == 'bagagerie'").set_index("district_id").iterrows()
    ):
        assert told.loc[name, "after_pct"] == pytest.approx(row["residents_covered_pct"])
    # Gaps that are closed are no more, and what is left of the others adds up.
    gaps = found.gaps
    uncovered = after.cells["status_bagagerie"].isin(["borderline_uncovered", "uncovered"])
    assert (gaps["residents_left"] <= gaps["residents"]).all()
    assert set(gaps["outcome"]) <= {"closed", "shrunk"}
    closed = gaps["outcome"] == "closed"
    assert (gaps["area_left_ha"][closed] == 0).all()
    assert (gaps["area_left_ha"][~closed] > 0).all()
    assert uncovered.any() or closed.all()


def test_the_fewest_sites_for_a_share_are_not_one_too_many(
    predicted: Coverage, places: Path
) -> None:
    whole = sum(WEIGHT.values())
    taken = sum(WEIGHT[k] for k in TAKEN)
    for share in (60.0, 90.0, 100.0):
        found = site(predicted, "bagagerie", candidates=places, target_pct=share)
        n = len(found.sites)
        assert found.proven and found.at_least == n
        assert 100 * (taken + found.value) / whole >= share
        if n > 1:
            best = max(gain_of(list(s), TAKEN) for s in itertools.combinations(CORNERS, n - 1))
            assert 100 * (taken + best) / whole < share
        # Other sets of as many sites reach the share, too: all those of one other candidate.
        corners = corners_of(found)
        others = [
            [*(k for k in corners if k != left_out), put_in]
            for left_out in corners
            for put_in in CORNERS
            if put_in not in corners
        ]
        enough = sum(gain_of(one, TAKEN) + taken >= share / 100 * whole for one in others)
        assert len(found.alternatives) == min(enough, 10)
        for row in found.alternatives.itertuples():
            ids = row.candidate_ids.split(";")
            assert len(ids) == n
            assert 100 * (taken + row.gain) / whole >= share
    assert enough > 0  # the last share, at least, leaves a choice
    with pytest.raises(StudyFileError, match="reached already"):
        site(predicted, "bagagerie", candidates=places, target_pct=0.0001)
    few = write_places(places.parent / "few.csv", [(1, 1)])
    with pytest.raises(StudyFileError, match="all candidates together reach"):
        site(predicted, "bagagerie", candidates=few, target_pct=100.0)


def shares_of(corners: list[tuple[int, int]]) -> list[float]:
    got = set(TAKEN).union(*(reached(corner) for corner in corners))
    shares = []
    for west in (True, False):
        mine = [k for k in CORNERS if (corner_xy(k)[0] < 350) == west]
        shares.append(sum(WEIGHT[k] for k in mine if k in got) / sum(WEIGHT[k] for k in mine))
    return shares


@pytest.mark.parametrize("count", [1, 2])
def test_the_fair_sites_leave_the_least_covered_district_no_worse(
    predicted: Coverage, places: Path, count: int
) -> None:
    fair = site(predicted, "bagagerie", candidates=places, count=count, fair=True)
    best = site(predicted, "bagagerie", candidates=places, count=count)
    least = min(shares_of(corners_of(fair)))
    assert fair.least_pct == pytest.approx(100 * least)
    assert least >= min(shares_of(corners_of(best)))
    of_all = max(min(shares_of(list(s))) for s in itertools.combinations(CORNERS, count))
    assert least <= of_all + 1e-9
    assert fair.least_at_most_pct is not None
    assert fair.least_at_most_pct >= 100 * of_all - 1e-6
    assert fair.price == pytest.approx(best.value - fair.value)
    assert fair.price >= 0


def test_rules_are_kept(predicted: Coverage, places: Path) -> None:
    ask: dict[str, Any] = {"candidates": places, "count": 3}
    spaced = corners_of(site(predicted, "bagagerie", **ask, spacing_m=450.0))
    for a, b in itertools.combinations(spaced, 2):
        assert np.hypot(a[0] - b[0], a[1] - b[1]) * SIDE_M >= 450
    one_each = site(predicted, "bagagerie", **ask, most_per_district=1)
    assert sorted(one_each.sites["district_id"]) == ["d1", "d2"]
    cheap = site(predicted, "bagagerie", **ask, budget=7)
    assert cheap.sites["cost"].sum() <= 7
    allowed = [
        gain_of(list(s), TAKEN)
        for size in (1, 2, 3)
        for s in itertools.combinations(CORNERS, size)
        if sum(c + 1 for c, _ in s) <= 7
    ]
    assert cheap.value == max(allowed)
    fixed = site(predicted, "bagagerie", **ask, fixed=("6-0",), forbidden=("5-3",))
    assert "6-0" in set(fixed.sites["candidate_id"])
    assert "5-3" not in set(fixed.sites["candidate_id"])
    assert not any("5-3" in ids.split(";") for ids in fixed.alternatives["candidate_ids"])
    assert all("6-0" in ids.split(";") for ids in fixed.alternatives["candidate_ids"])


def test_a_floor_is_kept_at_a_price(predicted: Coverage, tmp_path: Path) -> None:
    def gain(corner: tuple[int, int]) -> float:
        return gain_of([corner], TAKEN)

    def least(corner: tuple[int, int]) -> float:
        return min(shares_of([corner]))

    more, fairer = next(
        (a, b)
        for a, b in itertools.permutations(CORNERS, 2)
        if gain(a) > gain(b) and least(a) < least(b)
    )
    two = write_places(tmp_path / "two.csv", [more, fairer])
    ask: dict[str, Any] = {"candidates": two, "count": 1}
    assert corners_of(site(predicted, "bagagerie", **ask)) == [more]
    floor_pct = 50 * (least(more) + least(fairer))
    floored = site(predicted, "bagagerie", **ask, floor_pct=floor_pct)
    assert corners_of(floored) == [fairer]
    assert floored.price == gain(more) - gain(fairer)


def test_area_and_the_second_weight_may_be_gained(predicted: Coverage, places: Path) -> None:
    by_area = site(predicted, "bagagerie", candidates=places, weight="area", count=1)
    # Every cell counts alike, so the answer is another than that of people.
    assert 0 < by_area.value < predicted.basis.on_network.sum() * 0.0625
    with pytest.raises(StudyFileError, match="no second weight"):
        site(predicted, "bagagerie", candidates=places, weight="second")
    nobody = analyse(predicted_study(residents=None))
    with pytest.raises(StudyFileError, match="no residents"):
        site(nobody, "bagagerie", candidates=places)
    assert (
        site(nobody, "bagagerie", candidates=places, weight="area", count=1).value == by_area.value
    )


def test_a_second_service_frees_who_depends_on_one(predicted: Coverage, places: Path) -> None:
    found = site(predicted, "bagagerie", candidates=places, goal="backup", count=1)
    # All that one service covers depends on it.
    assert found.wanted == sum(WEIGHT[k] for k in TAKEN)
    (corner,) = corners_of(found)
    freed = max(sum(WEIGHT[k] for k in TAKEN & reached(other)) for other in CORNERS)
    assert found.value == freed == sum(WEIGHT[k] for k in TAKEN & reached(corner))
    # Shares are of who has a second service: nobody today.
    city = found.districts[found.districts["level"] == "city"].iloc[0]
    assert (city["before_pct"], city["gain"]) == (0.0, freed)
    assert city["after_pct"] == pytest.approx(100 * freed / sum(WEIGHT.values()))


def test_crossings_on_a_mesh_have_names_that_a_person_can_find(predicted: Coverage) -> None:
    found = site(predicted, "bagagerie", mesh_m=100.0, count=2)
    table = found.candidates
    assert len(table) > 10
    # Corners of the town with two streets only are no crossings.
    for row in table.itertuples():
        x, y = row.geometry.x - ORIGIN[0] - 12.5, row.geometry.y - ORIGIN[1] - 12.5
        names = {f"avenue {round(x / SIDE_M)}", f"rue {round(y / SIDE_M)}"}
        assert {row.street, row.crossing} == names
        assert row.district_id == ("d1" if x + 12.5 < 350 else "d2")
    assert table["candidate_id"].is_unique
    assert table["proposed"].sum() == 2


def test_of_the_crossings_of_a_square_one_with_a_name_is_taken(predicted: Coverage) -> None:
    network = predicted.study.network
    rue_1 = network.names.index("rue 1")
    some = dataclasses.replace(
        network,
        names=(*network.names, ""),
        name_code=np.where(network.name_code == rue_1, rue_1, len(network.names)).astype(
            network.name_code.dtype
        ),
    )
    mesh_m = 200.0

    def square_of(corner: tuple[int, int]) -> tuple[float, float]:
        x, y = corner_xy(corner)
        return (ORIGIN[0] + x) // mesh_m, (ORIGIN[1] + y) // mesh_m

    named = {square_of((c, 1)) for c in range(COLUMNS)}
    both = named & {square_of((c, r)) for c in range(1, COLUMNS - 1) for r in (0, 2)}
    assert both, "a square has crossings with a name and without"
    found = site(analyse(predicted_study(network=some)), "bagagerie", mesh_m=mesh_m, count=1)
    for row in found.candidates.itertuples():
        if (row.geometry.x // mesh_m, row.geometry.y // mesh_m) in named:
            assert row.street == "rue 1"


def test_the_same_answer_in_any_order_of_the_file(predicted: Coverage, tmp_path: Path) -> None:
    a = site(predicted, "bagagerie", candidates=write_places(tmp_path / "a.csv", CORNERS))
    b = site(predicted, "bagagerie", candidates=write_places(tmp_path / "b.csv", CORNERS[::-1]))
    assert a.value == b.value
    again = site(predicted, "bagagerie", candidates=tmp_path / "a.csv")
    for name, table in siting_tables(a).items():
        pd.testing.assert_frame_equal(
            pd.DataFrame(table), pd.DataFrame(siting_tables(again)[name]), obj=name
        )


def test_places_of_other_categories_are_candidates_and_discreet_ones_are_not() -> None:
    services = services_of(
        [
            ("B1", "bagagerie", 12.5, 12.5, "open", False),
            ("E1", "esi", *corner_xy((5, 2)), "open", False),
            ("E2", "esi", *corner_xy((6, 0)), "open", True),
            ("E3", "esi", *corner_xy((6, 3)), "closed", False),
        ]
    )
    coverage = analyse(predicted_study(services=services))
    for each in (coverage, publishable(coverage)):
        found = site(each, "bagagerie", candidates="services", count=1)
        assert found.candidates["candidate_id"].tolist() == ["E1"]
        assert found.sites["name"].tolist() == ["Service E1"]
        assert found.value == gain_of([(5, 2)], TAKEN)


def test_what_cannot_be_is_said(predicted: Coverage, places: Path, tmp_path: Path) -> None:
    def refused(match: str, category: str = "bagagerie", **asked: Any) -> None:
        with pytest.raises(StudyFileError, match=match):
            site(predicted, category, **{"candidates": places, **asked})

    with pytest.raises(CategoryError, match="'halte_femmes' is not a category of this study"):
        site(predicted, "halte_femmes")
    refused("0 sites cannot be asked for", count=0)
    refused("2 candidates are fixed, and 1 sites", fixed=("0-0", "1-0"), count=1)
    refused("'0-0' is fixed and forbidden", fixed=("0-0",), forbidden=("0-0",))
    refused("The candidate 'mairie' is none", fixed=("mairie",))
    refused(
        "No single site brings 'Premier' and 'Deuxième' to 100 % together: a little less for the"
        " least covered of them, though each",
        count=1,
        floor_pct=100.0,
    )
    refused(
        r"No single site brings 'Premier' and 'Deuxième' to 80 % together: 59\.69 % at most",
        candidates=write_places(tmp_path / "two.csv", [(0, 3), (6, 3)]),
        count=1,
        floor_pct=80.0,
    )
    few = write_places(tmp_path / "few.csv", [(1, 1), (2, 1)])
    refused(
        r"No single site brings 'Deuxième' to 50 %: 0\.11 % at most",
        candidates=few,
        count=1,
        floor_pct=50.0,
    )
    refused("floor_pct is 101", floor_pct=101.0)
    refused("fixed candidates do not keep", fixed=("6-0", "5-0"), budget=3)
    refused("no candidate has a cost", candidates="mesh", mesh_m=100.0, budget=3)
    refused("A mesh of 0 m", candidates="mesh", mesh_m=0.0)
    refused("no candidate for 'bagagerie'", candidates="services")
    refused("A fair plan has no target", fair=True, target_pct=50.0)
    far = write_places(tmp_path / "far.csv", [(0, 3), (40, 40)])
    found = site(predicted, "bagagerie", candidates=far, count=1)
    assert found.problems["value"].tolist() == ["40-40"]
    off = write_places(tmp_path / "off.csv", [(40, 40), (50, 50)])
    refused(
        r"off\.csv: none of its 2 places can be a candidate; '40-40': no useful", candidates=off
    )
    refused("'40-40' is off the streets", candidates=far, fixed=("40-40",))


def test_rows_that_cannot_be_placed_are_told(predicted: Coverage, tmp_path: Path) -> None:
    path = write_places(tmp_path / "some.csv", [(5, 1), (5, 2)], extra="x,Sans lieu,1,,\n")
    found = site(predicted, "bagagerie", candidates=path, count=1)
    assert found.problems[["row", "value", "reason"]].values.tolist() == [
        [3, "x", "no coordinates that can be read"]
    ]
    told = json.loads(render_siting(found, form="json"))
    assert told["problems"][0]["value"] == "x"


# --- in files and on the command line -----------------------------------------------------------


def test_every_form_says_the_same(predicted: Coverage, places: Path, tmp_path: Path) -> None:
    found = site(predicted, "bagagerie", candidates=places, count=2, curve=True)
    told = json.loads(render_siting(found, form="json"))
    assert told["proven"] is True
    assert (told["value"], told["bound"]) == (found.value, found.bound)
    assert told["asked"]["candidates"] == "places.csv"
    rows = list(csv.DictReader(render_siting(found, form="csv").splitlines()))
    assert [row["candidate_id"] for row in rows] == found.sites["candidate_id"].tolist()
    for row, (c, r) in zip(rows, corners_of(found), strict=True):
        x, y = pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform(
            float(row["longitude"]), float(row["latitude"])
        )
        assert (x - ORIGIN[0], y - ORIGIN[1]) == pytest.approx(corner_xy((c, r)), abs=0.2)
    for lang, words in (
        ("fr", "Prouvé : aucun autre choix de 2 sites"),
        ("en", "Proven: no other"),
    ):
        for form in ("table", "md"):
            text = render_siting(found, form=form, lang=lang, width=120)
            text = text.replace("\xa0", " ").replace("\u202f", " ")
            assert words in text
            assert "4,5 minutes" in text or "4.5 minutes" in text
            assert "Mairie" in text
    path = tmp_path / "sites.gpkg"
    write_siting(found, path)
    sites = gpd.read_file(path, layer="sites")
    assert sites["candidate_id"].tolist() == found.sites["candidate_id"].tolist()
    assert sites.crs == found.sites.crs
    surface = gpd.read_file(path, layer="site_candidates")
    assert list(surface.columns[:-1]) == [
        c.name for c in table_columns("site_candidates") if c.files == "all"
    ]
    assert surface["gain_alone"].tolist() == found.candidates["gain_alone"].tolist()


def test_the_command_line_proposes_sites(tmp_path: Path) -> None:
    study = write_town(tmp_path)
    command = [sys.executable, "-m", "quart_heure", "site", str(study), "--category", "esi"]
    command += ["--count", "1", "--mesh", "200", "--json", "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # The solver's own greeting is not in the way of the results.
    told = json.loads(done.stdout)
    assert told["category"] == "esi"
    assert len(told["sites"]) == 1
    assert told["value"] > 0


OFF = "off.csv"
"""The name of a file whose one candidate stands where there is no street."""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--category", "piscine"], 7, "'piscine' is not a category of this study"),
        (["--category", "esi", "--count", "0"], 4, "0 sites cannot be asked for"),
        (["--category", "esi", "--candidates", "nowhere.csv"], 3, "nowhere.csv: there is no such"),
        (["--category", "esi", "--fix", "a", "--fix", "b", "--count", "1"], 4, "2 candidates are"),
        (["--category", "esi", "--time-limit", "-1"], 4, "limit_s is -1"),
        (["--category", "esi", "--count", "1", "--mesh", "300", "--floor", "99"], 4, "% at most"),
        (["--category", "esi", "--candidates", OFF], 4, "none of its 1 places can be a candidate"),
        (["--category", "esi", "--candidates", OFF], 4, "'sea': no useful street within"),
        (["--category", "esi", "--fix", "mairie"], 4, "The candidate 'mairie' is none"),
    ],
)
def test_wrong_questions_leave_nothing_behind(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = write_town(tmp_path)
    off = tmp_path / OFF
    off.write_text("id,name,lon,lat\nsea,En mer,-1.5,45.0\n", encoding="utf-8")
    arguments = [str(off) if word == OFF else word for word in arguments]
    output = tmp_path / "out" / "sites.json"
    given = ["site", str(study), *arguments, "--no-cache", "--output", str(output)]
    assert main(given) == code
    assert words in capsys.readouterr().err
    assert not output.exists()


# --- discretion ----------------------------------------------------------------------------------

SECRET = ("B3", "Maison Mirabelle", "37 impasse Cachée")


def test_discreet_places_are_given_away_by_nothing(tmp_path: Path) -> None:
    study = toy_town.town_study()
    table = study.services.table.copy()
    table.loc[table["service_id"] == "B3", ["name", "address"]] = SECRET[1:]
    study = study.replace(
        services=type(study.services)(table=table, problems=study.services.problems)
    )
    hidden = table[table["service_id"] == "B3"].geometry.iloc[0]
    coverage = analyse(study)
    for each in (coverage, publishable(coverage)):
        for asked in ({"mesh_m": 200.0}, {"candidates": "services"}):
            found = site(each, "bagagerie", count=2, **asked)  # type: ignore[arg-type]
            texts = [render_siting(found, form=form) for form in ("table", "csv", "json", "md")]
            write_siting(found, tmp_path / "s.gpkg")
            texts.append((tmp_path / "s.gpkg").read_bytes().decode("latin-1"))
            for text in texts:
                for word in SECRET[1:]:
                    assert word not in text
            assert "B3" not in set(found.candidates["candidate_id"])
            assert hidden.distance(found.candidates.geometry).min() > 1
        with pytest.raises(StudyFileError, match="counts a discreet place"):
            site(each, "bagagerie", goal="backup", mesh_m=200.0)
    one, other = (
        site(each, "bagagerie", mesh_m=200.0) for each in (coverage, publishable(coverage))
    )
    assert one.value == other.value


def test_crossings_without_names_are_told_by_the_nearest_street_that_has_one(
    predicted: Coverage,
) -> None:
    network = predicted.study.network
    names = network.names
    # The streets of the eastern half lose their names; a path between two corners has none either.
    east = shapely.get_coordinates(shapely.centroid(network.lines))[:, 0] > ORIGIN[0] + 350
    nameless = dataclasses.replace(
        network,
        names=(*names, ""),
        name_code=np.where(east, len(names), network.name_code).astype(network.name_code.dtype),
    )
    found = site(analyse(predicted_study(network=nameless)), "bagagerie", mesh_m=100.0, count=1)
    whole = site(predicted, "bagagerie", mesh_m=100.0, count=1)
    assert set(found.candidates["candidate_id"]) == set(whole.candidates["candidate_id"])
    far = found.candidates[found.candidates.geometry.x > ORIGIN[0] + 450]
    assert len(far) and far["crossing"].eq("").all()
    for row in far.itertuples():
        y = row.geometry.y - ORIGIN[1] - 12.5
        x = row.geometry.x - ORIGIN[0] - 312.5  # avenue 3 is the last that has its name
        assert row.street in {f"avenue 3 ({x:.0f} m)", f"rue {round(y / SIDE_M)} ({x:.0f} m)"}
    paths = dataclasses.replace(
        nameless,
        kinds=(*network.kinds, "path"),
        kind_code=np.where(east, len(network.kinds), network.kind_code).astype(
            network.kind_code.dtype
        ),
    )
    found = site(analyse(predicted_study(network=paths)), "bagagerie", mesh_m=100.0, count=1)
    assert (found.candidates.geometry.x < ORIGIN[0] + 450).all()


@pytest.mark.parametrize(
    ("kind", "name"), [("water", ""), ("rail", ""), ("park", "Cimetière du Nord")]
)
def test_nothing_opens_on_water_a_railway_or_a_cemetery(
    kind: str, name: str, tmp_path: Path
) -> None:
    x, y = ORIGIN
    ground = gpd.GeoDataFrame(
        {"kind": [kind, "park"], "name": [name, "Square des Batignolles"]},
        geometry=[box(x + 350, y - 50, x + 750, y + 450), box(x, y, x + 350, y + 450)],
        crs=toy_town.CRS,
    )
    ground.to_parquet(tmp_path / "ground.parquet")
    coverage = analyse(predicted_study(background_file=tmp_path / "ground.parquet"))
    found = site(coverage, "bagagerie", mesh_m=100.0)
    assert len(found.candidates)
    assert (found.candidates.geometry.x < x + 350).all()
