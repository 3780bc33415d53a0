"""Runs compared: pairs whose cause is known, parts that add up, and what is refused."""

from __future__ import annotations

import itertools
import json
import types
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from jsonschema import Draft202012Validator

from helpers import toy_town
from helpers.fake_osm import INSEE, FakeOsm
from helpers.project import fewer
from helpers.runs import (
    CAUSES,
    copied,
    edit_manifest,
    edit_table,
    snapshot_of,
    town_coverage,
    town_folder,
    town_run,
)
from quart_heure.cache import Cache
from quart_heure.errors import InputFileError
from quart_heure.fetch.fetch import fetch_territory
from quart_heure.fetch.territory import TerritoryRequest
from quart_heure.outputs.report.compare import (
    change_table,
    render_comparison,
    write_comparison,
)
from quart_heure.outputs.results.write import write_results
from quart_heure.outputs.runs import causes as causes_module
from quart_heure.outputs.runs.compare import Comparison, Run, compare_runs
from quart_heure.outputs.runs.figures import KEYS, figures_of
from quart_heure.outputs.runs.gaps import match_gaps
from quart_heure.outputs.schemas import json_schema
from quart_heure.schema import check_columns
from quart_heure.sources.online.overpass import LiveSettings


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town_run(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def compared(one: Path, other: Path, cache: Cache | None = None) -> Comparison:
    return compare_runs(Run.read(one), Run.read(other), cache=cache)


def shares(found: Comparison) -> pd.DataFrame:
    """Return a row per figure, a column per cause."""
    return found.causes.pivot(index=list(KEYS), columns="cause", values="change").fillna(0.0)


def changes(found: Comparison) -> pd.Series:
    return found.figures.set_index(list(KEYS))["change"].dropna()


def adds_up(found: Comparison) -> None:
    whole = changes(found)
    total = shares(found).sum(axis=1).loc[whole.index]
    np.testing.assert_allclose(total, whole, atol=1e-6)


# --- pairs whose cause is known ------------------------------------------------------------------


@pytest.mark.parametrize("cause", fewer(CAUSES, 3))
def test_all_of_a_change_is_of_its_only_cause(
    base: Path, tmp_path: Path, cache: Cache, cause: str
) -> None:
    found = compared(base, town_run(tmp_path, [cause]), cache)
    told = {one.name for one in found.about if one.changed}
    assert told == {cause}
    table = shares(found)
    assert (changes(found) != 0).any()
    np.testing.assert_allclose(table[cause].loc[changes(found).index], changes(found), atol=1e-9)
    assert (table.drop(columns=cause) == 0).all(axis=None)
    adds_up(found)


@pytest.mark.parametrize(
    "pair", fewer([("services", "streets"), ("limits", "parameters"), ("residents", "services")], 1)
)
def test_each_share_is_what_a_run_with_that_change_alone_shows(
    base: Path, tmp_path: Path, cache: Cache, pair: tuple[str, str]
) -> None:
    """Against runs of their own: one study for each cause, written and read as any other."""
    alone = {}
    for cause in ((), *((one,) for one in pair), pair):
        study = town_folder(tmp_path / f"alone-{'-'.join(cause)}", cause)
        rows = figures_of(town_coverage(study).indicators).set_index(list(KEYS))["value"]
        alone[cause] = rows
    found = compared(base, town_run(tmp_path / "both", pair), cache)
    table = shares(found)
    for cause in pair:
        expected = (alone[cause,] - alone[()]).loc[table.index]
        np.testing.assert_allclose(table[cause], expected.fillna(0), atol=1e-4)
    beyond = alone[pair] - alone[pair[0],] - alone[pair[1],] + alone[()]
    np.testing.assert_allclose(table["together"], beyond.loc[table.index].fillna(0), atol=1e-4)
    assert (table["program"] == 0).all()
    adds_up(found)


def test_all_causes_at_once_add_up(base: Path, tmp_path: Path, cache: Cache) -> None:
    found = compared(base, town_run(tmp_path, CAUSES), cache)
    assert {one.name for one in found.about if one.changed} == set(CAUSES)
    assert (shares(found)["together"].abs() > 0.5).any()
    adds_up(found)
    table = change_table(found)
    check_columns(table, "changes")
    causes = [name for name in table if name.startswith("of_")]
    known = table.dropna(subset="change")
    np.testing.assert_allclose(known[causes].fillna(0).sum(axis=1), known["change"], atol=1e-6)


def test_a_run_against_itself_has_no_change(base: Path, cache: Cache) -> None:
    found = compared(base, base, cache)
    assert (changes(found) == 0).all()
    assert not any(one.changed for one in found.about)
    assert set(found.gaps["change"]) == {"same"}
    assert found.services.empty
    assert not found.definitions
    assert (found.causes["change"] == 0).all()


def test_back_again_is_the_contrary(base: Path, tmp_path: Path, cache: Cache) -> None:
    other = town_run(tmp_path, ["services", "streets"])
    there, back = compared(base, other, cache), compared(other, base, cache)
    np.testing.assert_allclose(changes(back), -changes(there), atol=1e-9)
    turned = {"opened": "closed", "closed": "opened", "grown": "shrunk", "shrunk": "grown"}
    kinds = [turned.get(kind, kind) for kind in there.gaps["change"]]
    assert sorted(back.gaps["change"]) == sorted(kinds)
    adds_up(back)


# --- the program ---------------------------------------------------------------------------------


def test_what_an_earlier_program_found_otherwise_is_the_programs(
    base: Path, tmp_path: Path, cache: Cache
) -> None:
    """A folder whose figure and version are as another program would have left them."""
    old = copied(base, tmp_path / "old")
    row = next(
        line
        for line in (old / "indicators.csv").read_text(encoding="utf-8").splitlines()
        if line.startswith("city") and ",esi," in line
    )
    run = Run.read(old)
    city = run.indicators.query("level == 'city' and category == 'esi'").iloc[0]
    written = f"{city['residents_covered_pct']:.2f}"
    edit_table(old, "indicators.csv", row, row.replace(f",{written},", ",12.34,"))
    edit_manifest(old, version="0.0.9", definitions_date=None)
    later = town_run(tmp_path / "later", ["services"])
    found = compared(old, later, cache)
    table = shares(found)
    at = ("city", "", "esi", "residents_covered_pct")
    assert table.loc[at, "program"] == pytest.approx(float(written) - 12.34, abs=1e-6)
    assert (table["program"].drop(at) == 0).all()
    assert {one.name for one in found.about if one.changed} == {"program", "services"}
    adds_up(found)


def test_a_later_run_of_another_program_has_its_share_too(
    base: Path, tmp_path: Path, cache: Cache
) -> None:
    """Back to a folder of before: what its program found otherwise is the program's, once more."""
    old = town_run(tmp_path / "old", ["services"])
    city = Run.read(old).indicators.query("level == 'city' and category == 'esi'").iloc[0]
    written = f"{city['covered_pct']:.2f}"
    rows = (old / "indicators.csv").read_text(encoding="utf-8").splitlines()
    row = next(line for line in rows if line.startswith("city") and ",esi," in line)
    edit_table(old, "indicators.csv", row, row.replace(f",{written},", ",12.34,", 1))
    edit_manifest(old, version="0.0.9")
    found = compared(base, old, cache)
    at = ("city", "", "esi", "covered_pct")
    assert shares(found).loc[at, "program"] == pytest.approx(12.34 - float(written), abs=1e-6)
    adds_up(found)


def test_changes_of_definitions_are_told(base: Path, tmp_path: Path) -> None:
    old = copied(base, tmp_path / "old")
    manifest = json.loads((old / "manifest.json").read_text(encoding="utf-8"))
    parameters = manifest["parameters"]
    parameters.pop("entries_within_m")
    edit_manifest(old, definitions_date=None, parameters=parameters)
    found = compare_runs(Run.read(old), Run.read(base), causes=False)
    assert [change["date"] for change in found.definitions].count("2026-11-29") == 3
    text = render_comparison(found, form="table", lang="fr", width=140)
    assert "L’eau n’est pas de la terre" in text
    assert text.count("Définition modifiée le 29 novembre 2026") == 3
    assert found.causes.empty


# --- inputs that are gone ------------------------------------------------------------------------


def test_what_alone_differs_needs_no_inputs(base: Path, tmp_path: Path) -> None:
    one = copied(base, tmp_path / "one")
    (tmp_path / "one" / "study" / "services.csv").unlink()
    other = town_run(tmp_path / "other", ["services"])
    found = compared(one, other)
    assert [(c.name, c.how) for c in found.about if c.changed] == [("services", "alone")]
    assert list(found.causes["cause"].unique()) == ["services"]
    assert found.lost == (["services services.csv: gone"], [])
    adds_up(found)


def test_of_a_file_changed_in_place_parameters_are_still_told_apart(
    base: Path, tmp_path: Path, cache: Cache
) -> None:
    """The commonest case: the list and the threshold are edited, and the study is run again."""
    one = copied(base, tmp_path / "one")
    other = town_run(tmp_path / "other", ["services", "parameters"])
    services = (tmp_path / "other" / "study" / "services.csv").read_bytes()
    (tmp_path / "one" / "study" / "services.csv").write_bytes(services)
    found = compared(one, other, cache)
    how = {c.name: c.how for c in found.about if c.changed}
    assert how == {"services": "alone", "parameters": "recomputed"}
    study = town_folder(tmp_path / "half", ["services"])
    half = figures_of(town_coverage(study).indicators).set_index(list(KEYS))["value"]
    after = figures_of(Run.read(other).indicators).set_index(list(KEYS))["value"]
    table = shares(found)
    np.testing.assert_allclose(table["parameters"], (after - half).loc[table.index], atol=1e-4)
    adds_up(found)


def test_what_cannot_be_told_apart_is_said(base: Path, tmp_path: Path) -> None:
    one = copied(base, tmp_path / "one")
    other = town_run(tmp_path / "other", ["services", "residents"])
    for name in ("services.csv", "residents.parquet"):
        (tmp_path / "one" / "study" / name).unlink()
    found = compared(one, other)
    assert {c.name: c.how for c in found.about if c.changed} == {
        "services": "unseparated",
        "residents": "unseparated",
    }
    assert list(found.causes["cause"].unique()) == ["unseparated"]
    adds_up(found)
    text = render_comparison(found, form="md", lang="en")
    assert "Cannot be told apart without the inputs of then: services, residents." in text


def test_a_study_that_was_moved_is_found_where_it_is_said_to_be(
    base: Path, tmp_path: Path, cache: Cache
) -> None:
    one = copied(base, tmp_path / "one")
    (tmp_path / "one" / "study").rename(tmp_path / "elsewhere")
    other = town_run(tmp_path / "other", ["services", "residents"])
    runs = Run.read(one), Run.read(other)
    assert "unseparated" in set(compare_runs(*runs, cache=cache).causes["cause"])
    found = compare_runs(*runs, studies=(tmp_path / "elsewhere", None), cache=cache)
    assert {c.how for c in found.about if c.changed} == {"recomputed"}


# --- what is refused -----------------------------------------------------------------------------


def test_runs_of_two_places_are_refused(base: Path, tmp_path: Path) -> None:
    study = town_folder(tmp_path / "study")
    districts = toy_town.town_area().districts.assign(district_id=["X", "Y"])
    districts.to_parquet(tmp_path / "study" / "districts.parquet")
    write_results(town_coverage(study), tmp_path / "results")
    with pytest.raises(InputFileError, match="share no district") as refused:
        compared(base, tmp_path / "results")
    assert refused.value.exit_code == 3


def test_runs_without_a_common_category_are_refused(base: Path, tmp_path: Path) -> None:
    study = town_folder(tmp_path / "study")
    coverage = town_coverage(study, categories=("centre_social",))
    write_results(coverage, tmp_path / "results")
    with pytest.raises(InputFileError, match="no category in common"):
        compared(base, tmp_path / "results")


def test_runs_in_two_coordinate_systems_are_refused(base: Path, tmp_path: Path) -> None:
    other = copied(base, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    edit_manifest(other, parameters={**manifest["parameters"], "crs": "EPSG:3857"})
    with pytest.raises(InputFileError, match="EPSG:2154 and EPSG:3857"):
        compared(base, other)


@pytest.mark.parametrize(
    ("was", "typed", "said"),
    [
        (",esi,", ",ESI,", "it has a category 'ESI', of which the manifest knows nothing"),
        # What could have been written: the hash alone tells.
        (",5120.0,", ",5121.0,", "is not the file that was written"),
    ],
)
def test_a_folder_edited_by_hand_is_refused(
    base: Path, tmp_path: Path, was: str, typed: str, said: str
) -> None:
    other = copied(base, tmp_path / "other")
    table = other / "indicators.csv"
    text = table.read_text(encoding="utf-8")
    assert was in text
    table.write_text(text.replace(was, typed), encoding="utf-8")
    with pytest.raises(InputFileError, match=rf"indicators\.csv: {said}"):
        Run.read(other)


def test_a_folder_of_a_version_with_other_columns_is_refused_by_name(
    base: Path, tmp_path: Path
) -> None:
    other = copied(base, tmp_path / "other")
    edit_table(other, "indicators.csv", "covered_ha", "covered_hectares")
    edit_manifest(other, version="0.0.3")
    with pytest.raises(InputFileError, match=r"Written by version 0\.0\.3"):
        Run.read(other)


# --- two fetches of one place --------------------------------------------------------------------


@pytest.fixture
def osm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOsm]:
    zone = pyproj.CRS.from_epsg(32631)
    monkeypatch.setattr("osmnx._nominatim.time", types.SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("geopandas.GeoDataFrame.estimate_utm_crs", lambda *_, **__: zone)
    with FakeOsm().running() as service:
        yield service


def test_two_fetches_of_one_place(osm: FakeOsm, tmp_path: Path) -> None:
    settings = LiveSettings(mirrors=(osm.a,), nominatim_url=osm.nominatim, pauses_s=(1, 1))

    def run(name: str) -> Path:
        report = fetch_territory(
            TerritoryRequest(insee=INSEE),
            output=tmp_path / "snapshots",
            settings=settings,
            cache=Cache(tmp_path / "cache"),
        )
        Draft202012Validator(json_schema("fetch")).validate(dict(report.snapshot.manifest))
        study = report.snapshot.folder / "study.toml"
        write_results(town_coverage(study, date="2026-06-01"), tmp_path / name)
        return tmp_path / name

    one = run("one")
    osm.elements = [e for e in osm.elements if (e["type"], e["id"]) not in _GONE]
    osm.osm_date = "2026-12-01T00:00:00Z"
    found = compared(one, run("two"))
    changed = {c.name for c in found.about if c.changed}
    assert {"services", "streets"} <= changed <= {"services", "streets", "limits"}
    assert all(c.how == "recomputed" for c in found.about if c.changed)
    assert list(found.services["change"]) == ["removed"]
    assert list(found.services["service_id"]) == ["osm-node-7002"]
    assert (changes(found) != 0).any()
    adds_up(found)
    # The restaurant was the only one: that its category is no longer judged, and no longer one of
    # the essentials, is of the services, and of nothing else.
    assert (shares(found)["together"] == 0).all()


_GONE = {("way", 61), ("node", 7002)}
"""A street and a service that the second fetch does not find."""


# --- gaps ----------------------------------------------------------------------------------------


def gaps_of(*zones: tuple[str, str, tuple[float, float, float, float]]) -> gpd.GeoDataFrame:
    shapes = [shapely.box(*bounds) for _, _, bounds in zones]
    return gpd.GeoDataFrame(
        {
            "gap_id": [name for name, _, _ in zones],
            "category": [category for _, category, _ in zones],
            "district_id": "E",
            "street": "rue",
            "area_ha": [shape.area / 10_000 for shape in shapes],
            "residents": [shape.area / 1000 for shape in shapes],
        },
        geometry=shapes,
        crs=toy_town.CRS,
    )


def test_gaps_are_matched_by_the_ground_they_share() -> None:
    before = gaps_of(
        ("a", "esi", (0, 0, 100, 100)),  # grows
        ("b", "esi", (200, 0, 300, 100)),  # shrinks
        ("c", "esi", (400, 0, 500, 100)),  # closes
        ("d", "esi", (600, 0, 800, 100)),  # falls apart
        ("f", "esi", (1000, 0, 1100, 100)),  # stays
        ("g", "esi", (1200, 0, 1300, 100)),  # moves on
        ("h", "bagagerie", (0, 0, 100, 100)),  # another category on the same ground
    )
    after = gaps_of(
        ("A", "esi", (0, 0, 150, 100)),
        ("B", "esi", (200, 0, 250, 100)),
        ("D1", "esi", (600, 0, 650, 100)),
        ("D2", "esi", (700, 0, 800, 100)),
        ("E", "esi", (500, 0, 600, 100)),  # opens, beside two that it touches at an edge
        ("F", "esi", (1000, 0, 1100, 100)),
        ("G", "esi", (1250, 0, 1350, 100)),
    )
    found = match_gaps(before, after).set_index("gaps_before")
    esi = found[found["category"] == "esi"]
    assert esi["change"].to_dict() == {
        "": "opened",
        "c": "closed",
        "a": "grown",
        "d": "shrunk",
        "b": "shrunk",
        "g": "moved",
        "f": "same",
    }
    assert esi.loc["d", "gaps_after"] == "D1;D2"
    assert (esi.loc["a", "opened_ha"], esi.loc["a", "closed_ha"]) == (0.5, 0)
    assert (esi.loc["g", "opened_ha"], esi.loc["g", "closed_ha"]) == (0.5, 0.5)
    assert found.loc["h", "change"] == "closed"
    assert found.loc["c", "geometry"].equals(before.geometry.iloc[2])
    assert esi["area_before_ha"].sum() == pytest.approx(before["area_ha"].iloc[:6].sum())
    assert esi["area_after_ha"].sum() == pytest.approx(after["area_ha"].sum())


def test_areas_of_matched_gaps_balance(base: Path, tmp_path: Path) -> None:
    other = town_run(tmp_path, ["services", "streets"])
    gaps = compare_runs(Run.read(base), Run.read(other), causes=False).gaps
    moved = gaps["area_before_ha"] + gaps["opened_ha"] - gaps["closed_ha"]
    np.testing.assert_allclose(moved, gaps["area_after_ha"], atol=1e-3)
    for side, run in (("before", base), ("after", other)):
        names = [n for names in gaps[f"gaps_{side}"] for n in names.split(";") if n]
        assert sorted(names) == sorted(Run.read(run).gaps["gap_id"])


# --- forms, discretion, faults -------------------------------------------------------------------


def test_every_form_tells_the_same(base: Path, tmp_path: Path, cache: Cache) -> None:
    found = compared(base, town_run(tmp_path, ["services", "parameters"]), cache)
    content = json.loads(render_comparison(found, form="json"))
    assert content["format"] == "quart-heure-comparison/1"
    assert len(content["figures"]) == len(found.figures)
    rows = render_comparison(found, form="csv").splitlines()
    assert len(rows) == len(found.figures) + 1
    for form, lang in itertools.product(("table", "md"), ("fr", "en")):
        text = render_comparison(found, form=form, lang=lang, width=160)
        assert "A9" in text
        assert ("Réglages" if lang == "fr" else "Settings") in text
    write_comparison(found, tmp_path / "changes.gpkg")
    layer = gpd.read_file(tmp_path / "changes.gpkg", layer="gap_changes")
    assert list(layer["change"]) == list(found.gaps["change"])
    assert len(gpd.read_file(tmp_path / "changes.gpkg", layer="changes")) == len(found.figures)


def test_a_discreet_place_is_not_given_away(tmp_path: Path, cache: Cache) -> None:
    """B3 is discreet; then it is public and hidden again, and another is closed."""
    hidden = town_run(tmp_path / "hidden", discreet=True)
    shown = town_run(tmp_path / "shown")
    forms = ("table", "md", "json", "csv")
    appears = compared(hidden, shown, cache)
    assert list(appears.services["service_id"]) == ["B3"]
    # The other way it was public once, and must not be named now.
    hides = compared(shown, hidden, cache)
    assert list(hides.services["change"]) == ["removed"]
    text = "".join(render_comparison(hides, form=form) for form in forms)
    assert "B3" not in text
    # What services of one run do on the streets of another is told of the whole area alone.
    both = town_run(tmp_path / "both", ["streets", "parameters"], discreet=True)
    told = compared(hidden, both, cache)
    assert set(told.causes["level"]) == {"city"}
    assert "B3" not in "".join(render_comparison(told, form=form) for form in forms)
    write_comparison(hides, tmp_path / "hides.gpkg")
    assert b"B3" not in (tmp_path / "hides.gpkg").read_bytes()


def test_a_comparison_leaves_both_folders_alone(base: Path, tmp_path: Path, cache: Cache) -> None:
    other = town_run(tmp_path, ["services", "streets"])
    before = snapshot_of(base.parent), snapshot_of(tmp_path)
    compared(base, other, cache)
    assert (snapshot_of(base.parent), snapshot_of(tmp_path)) == before


def test_a_comparison_that_is_stopped_writes_nothing(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = town_run(tmp_path, ["services", "streets"])
    before = snapshot_of(tmp_path)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(causes_module, "recomputed", stop)
    with pytest.raises(KeyboardInterrupt):
        compared(base, other)
    assert snapshot_of(tmp_path) == before
