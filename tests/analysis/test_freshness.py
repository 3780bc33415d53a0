"""Freshness against what really happens when only confirmed places are left, and by hand."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from helpers import toy_town
from helpers.random_towns import SEEDS
from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.freshness import FRESHNESS_COLUMNS, UNPLACED_COLUMNS
from quart_heure.categories import default_catalogue
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.dossier.dossier import write_dossiers
from quart_heure.outputs.map.map import render_map
from quart_heure.outputs.report.report import REPORT_FORMATS, render_report
from quart_heure.outputs.results.read import read_results
from quart_heure.outputs.results.write import write_results
from quart_heure.sources.services.services import Services, read_services
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.variants import sensitivity

WHOLE_LINE = settings(max_examples=max(1, settings().max_examples // 4))
DATES = ("2026-10-02", "2019", "undated", "2024-11-29", "2024-11-28", "2031-01-01")
STATES = ("open", "open", "open", "unknown", "closed")
RECENT = {"2026-10-02", "2024-11-29"}


@pytest.fixture(scope="module", autouse=True)
def day() -> Iterator[None]:
    """Runs are of 29 November 2026."""
    with pytest.MonkeyPatch.context() as patch:
        epoch = int(datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC).timestamp())
        patch.setenv("SOURCE_DATE_EPOCH", str(epoch))
        yield


def dated(study: Study, seed: int = 0) -> Study:
    """Give the services of a study sources of many ages, and statuses."""
    table = study.services.table
    n = len(table)
    dates = [date for date, _ in zip(itertools.cycle(DATES), range(n), strict=False)]
    states = [state for state, _ in zip(itertools.cycle(STATES), range(n), strict=False)]
    order = np.random.default_rng(seed).permutation(n)
    table = table.assign(
        source_date=np.array(dates, dtype=object)[order],
        status=np.array(states, dtype=object)[order[::-1]],
    )
    return study.replace(services=dataclasses.replace(study.services, table=table))


def rows(coverage: Coverage, level: str = "city") -> pd.DataFrame:
    table = coverage.freshness
    return table[table["level"] == level].set_index("category")


@WHOLE_LINE
@given(seed=SEEDS)
def test_shares_are_those_of_an_analysis_of_confirmed_places(seed: int) -> None:
    study = dated(toy_town.random_town(seed, n_services=9).study(cell_m=50.0), seed)
    table = study.services.table
    sure = table["source_date"].isin(RECENT) & (table["status"] == "open")
    left = dataclasses.replace(study.services, table=table[sure].reset_index(drop=True))
    coverage, alone = analyse(study), analyse(study.replace(services=left))
    told = coverage.freshness
    assert tuple(told.columns) == FRESHNESS_COLUMNS
    key = ["level", "district_id", "category"]
    both = told.merge(alone.indicators, on=key, validate="one_to_one")
    assert len(both) == len(told) == len(coverage.indicators)
    for mine, theirs in (
        ("confirmed_covered_pct", "covered_pct"),
        ("residents_confirmed_covered", "residents_covered"),
        ("residents_confirmed_covered_pct", "residents_covered_pct"),
    ):
        np.testing.assert_allclose(both[mine], both[theirs], atol=1e-6)
    # And never more than the figure itself.
    whole = told.merge(coverage.indicators, on=key)
    over = whole["confirmed_covered_pct"] - whole["covered_pct"]
    assert not (over > 1e-9).any()
    for category, row in rows(coverage).drop(list(COMPOSITES)).iterrows():
        mine = table[(table["category"] == category) & (table["status"] != "closed")]
        here = coverage.services.set_index("service_id")["left_out_reason"]
        mine = mine[mine["service_id"].map(here) != "too far outside the area"]
        assert row["placed"] == row["known"] == len(mine)
        assert row["confirmed"] == sum(sure[mine.index])
        assert row["undated"] == sum(mine["source_date"] == "undated")


def test_sensitivity_leaves_out_what_is_not_confirmed() -> None:
    study = dated(toy_town.town_study())
    table = sensitivity(study).set_index(["setting", "category"])
    fresh = rows(analyse(study))
    for category, row in fresh.iterrows():
        told = table.loc[("unconfirmed_facts", category)]
        assert told["value"] == "out"
        assert told["covered_pct"] == pytest.approx(row["confirmed_covered_pct"])


# --- known, not placed ----------------------------------------------------------------------------

HEAD = ("category", "name", "postcode", "longitude", "latitude", "status", "valid_to", "discreet")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Services:
    area = toy_town.town_area()
    middle = area.districts.to_crs(4326).union_all().centroid
    lon, lat = f"{middle.x:.6f}", f"{middle.y:.6f}"
    places = [
        ("esi", "ESI du Centre", "99001", lon, lat, "open", "", "false"),
        ("esi", "ESI des Centres", "99001", "", "", "open", "", "false"),  # placed above
        ("esi", "ESI du Centre", "99002", "", "", "open", "", "false"),  # another town's
        ("esi", "ESI Perdu", "", "", "", "unknown", "", "false"),
        ("esi", "ESI perdus", "99001", "", "", "open", "", "false"),  # the same
        ("esi", "ESI Futur", "", "", "", "project", "", "false"),
        ("esi", "ESI Fini", "", "", "", "open", "2025-01-31", "false"),
        ("esi", "ESI Caché", "", "", "", "open", "", "true"),
        ("nonsense", "Sans catégorie", "", "", "", "open", "", "false"),
    ]
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *places])
    return read_services([path], area, catalogue=default_catalogue())


@pytest.fixture(scope="module")
def waiting(listed: Services) -> Coverage:
    study = toy_town.town_study().replace(services=listed, date=datetime.date(2026, 11, 29))
    return analyse(study)


def test_places_without_coordinates_are_kept_once(listed: Services) -> None:
    assert list(listed.unplaced["name"]) == [
        "ESI Caché",
        "ESI Fini",
        "ESI Futur",
        "ESI Perdu",
        "ESI du Centre",
    ]
    lost = listed.problems[listed.problems["reason"] == "no coordinates"]
    assert len(lost) == 7  # every row is told all the same


def test_they_are_counted_beside_the_figure(waiting: Coverage) -> None:
    shown = publishable(waiting)
    assert tuple(shown.unplaced.columns) == UNPLACED_COLUMNS
    assert dict(zip(shown.unplaced["name"], shown.unplaced["would_count"], strict=True)) == {
        "ESI Fini": False,
        "ESI Futur": False,
        "ESI Perdu": True,
        "ESI du Centre": True,
    }
    row = rows(shown).loc["esi"]
    assert (row["placed"], row["known"]) == (1, 3)
    # Where they are is not known: no district has a number of them.
    assert rows(shown, "district")["known"].isna().all()


def test_every_page_tells_of_them_and_never_of_the_discreet_one(
    waiting: Coverage, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    write_results(waiting, folder)
    read = read_results(folder)
    pages = {form: render_report(waiting, format=form) for form in REPORT_FORMATS}
    for form, page in pages.items():
        assert render_report(read, format=form) == page, form
    pages["map"] = render_map(waiting)
    write_dossiers(waiting, tmp_path / "dossiers")
    written = "".join(
        path.read_text(encoding="utf-8") for path in sorted((tmp_path / "dossiers").glob("*.html"))
    )
    for form in ("table", "md", "html"):
        assert "ESI Perdu" in pages[form], form
    for form in ("json", "map"):
        assert "1 lieu sur 3 placé ; non confirmé depuis deux ans" in pages[form].replace(
            "\u202f", " "
        ).replace("\u00a0", " "), form
    assert "0 / 1 / 3" in written
    everything = "".join([*pages.values(), written])
    assert "Caché" not in everything
    for file in folder.iterdir():
        assert "Caché".encode() not in file.read_bytes(), file.name


def test_discreet_places_are_in_shares_and_not_in_counts() -> None:
    study = dated(toy_town.town_study())
    table = study.services.table
    first = table.index[table["status"] == "open"][0]
    hidden = table.assign(discreet=table.index == first)
    category = table.loc[first, "category"]
    coverage = analyse(study.replace(services=dataclasses.replace(study.services, table=hidden)))
    own = rows(coverage).loc[category]
    shown = publishable(coverage)
    assert rows(shown).loc[category, "confirmed_covered_pct"] == own["confirmed_covered_pct"]
    assert rows(shown).loc[category, "placed"] == own["placed"] - 1
    told = rows(shown, "district").loc[[category], "confirmed_covered_pct"]
    assert not told.isna().any()
