"""Study files: a study written down, found again in what is analysed."""

from __future__ import annotations

import glob
import json
import re
import shutil
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from helpers import toy_town
from helpers.study_files import (
    add,
    read_town,
    same_figures,
    services_table,
    swap,
    write_residents,
    write_town,
)
from quart_heure.analysis.audience import PERSONS
from quart_heure.cache import Cache
from quart_heure.errors import CategoryError, StudyFileError
from quart_heure.network.graph import WalkNetwork
from quart_heure.profiles import ADULT, SLOW, STEP_FREE, WalkProfile
from quart_heure.sources.residents.residents import read_residents
from quart_heure.sources.services.services import STATUSES
from quart_heure.study import Coverage, Study, analyse
from quart_heure.study.file import read_study
from quart_heure.study.settings import KEYS, template


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_town(tmp_path_factory.mktemp("town")).parent


@pytest.fixture
def study_file(town: Path, tmp_path: Path) -> Path:
    """Give a study file of one's own to change."""
    shutil.copytree(town, tmp_path / "town")
    return tmp_path / "town" / "study.toml"


# --- the whole -----------------------------------------------------------------------------------


def test_essentials_are_those_that_the_file_names(study_file: Path) -> None:
    # The usual ones, of which a place is known; of the others nobody knows.
    usual = read_study(study_file)
    assert usual.essentials == ("bains_douches", "bagagerie", "esi")
    assert usual.unjudged == ("restaurant_solidaire", "halte_femmes")
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text + '[analysis]\nessentials = ["esi", "accueil_de_jour"]\n')
    named = read_study(study_file)
    assert named.essentials == ("esi",)
    assert named.unjudged == ("accueil_de_jour",)
    study_file.write_text(text + '[analysis]\nessentials = ["esy"]\n')
    with pytest.raises(CategoryError, match="esy"):
        read_study(study_file)


def test_a_study_read_is_the_study_written(study_file: Path, toy_coverage: Coverage) -> None:
    same_figures(analyse(read_town(study_file)), toy_coverage)
    study = read_study(study_file, private=True)
    assert study.area.name == "Petite Ville"
    assert (study.profile, study.threshold_min, study.cell_m) == (ADULT, 15.0, 25.0)
    roles = [(each["role"], each["file"]) for each in study.provenance]
    assert roles == [
        ("districts", "districts.parquet"),
        ("services", "services.csv"),
        ("network", "network.parquet"),
        ("residents", "residents.parquet"),
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", each["sha256"]) for each in study.provenance)


def test_an_area_of_several_files_is_read_again_when_one_changes(
    study_file: Path, tmp_path: Path
) -> None:
    districts = toy_town.town_area().districts.rename(columns={"district_id": "code"})
    cache = Cache(tmp_path / "cache")
    for name in ("quartiers [2024].shp", "quartiers.tab"):
        study = tmp_path / "town" / f"{name}.toml"
        study.write_text(
            study_file.read_text(encoding="utf-8").replace("districts.parquet", name),
            encoding="utf-8",
        )
        driver = "MapInfo File" if name.endswith("tab") else None
        for codes in (["A", "B"], ["X", "Y"]):
            path = tmp_path / "town" / name
            for old in path.parent.glob(f"{glob.escape(path.stem)}.*"):
                if old.suffix != ".toml":
                    old.unlink()
            districts.assign(code=codes).to_file(path, driver=driver)
            area = read_study(study, cache=cache).area
            assert area.districts["district_id"].tolist() == codes


def test_a_crs_of_ones_own_is_written_as_it_was(study_file: Path, tmp_path: Path) -> None:
    own = "+proj=laea +lat_0=48.85 +lon_0=2.35 +datum=WGS84 +units=m"
    districts = toy_town.town_area().districts.to_crs(own)
    districts.to_parquet(study_file.parent / "districts.parquet")
    cache = Cache(tmp_path / "cache")
    told = {
        read_study(study_file, cache=kept).area.crs.to_string()
        for kept in (Cache(None), cache, cache)
    }
    assert len(told) == 1


@pytest.mark.parametrize("layer", ["parquet", "geojson", "shp"])
def test_an_area_that_was_kept_is_the_area(study_file: Path, tmp_path: Path, layer: str) -> None:
    """Its finer division, its faults and its CRS too; another file is another area."""
    folder, cache = study_file.parent, Cache(tmp_path / "cache")
    districts = toy_town.town_area().districts
    path = folder / f"districts.{layer}"

    def write(frame: gpd.GeoDataFrame) -> None:
        if layer == "parquet":
            frame.to_parquet(path)
        else:
            frame.rename(columns={"district_id": "code"}).to_file(path)

    wider = districts.assign(geometry=districts.buffer(30, join_style="mitre"))  # they overlap
    write(wider)
    quarters = districts.assign(district_id=["q1", "q2"], label=["Été", "Nord"])
    quarters.to_parquet(folder / "quarters.parquet")
    swap(
        study_file,
        'districts = "districts.parquet"',
        f'districts = "{path.name}"\nsubdistricts = "quarters.parquet"',
    )
    areas = [read_study(study_file, cache=kept).area for kept in (Cache(None), cache, cache)]
    assert list((tmp_path / "cache").glob("area-*"))
    for area in areas[1:]:
        assert (area.name, area.problems) == (areas[0].name, areas[0].problems)
        assert area.crs == areas[0].crs
        assert area.crs.to_string() == areas[0].crs.to_string()
        assert area.geometry.wkb == areas[0].geometry.wkb
        assert_frame_equal(area.districts, areas[0].districts)
        assert area.subdistricts is not None
        assert areas[0].subdistricts is not None
        assert_frame_equal(area.subdistricts, areas[0].subdistricts)
    assert areas[0].problems
    write(districts)
    assert read_study(study_file, cache=cache).area.geometry.area < areas[0].geometry.area


def test_the_essential_categories_and_those_that_occur(study_file: Path) -> None:
    # An essential category without any place is shown, and not judged.
    services = pd.read_csv(study_file.parent / "services.csv")
    services.loc[services["category"] == "esi", "category"] = "centre_social"
    services.to_csv(study_file.parent / "services.csv", index=False)
    study = read_study(study_file)
    assert study.categories == (
        *("bains_douches", "bagagerie", "restaurant_solidaire", "esi", "halte_femmes"),
        "centre_social",
    )
    city = analyse(study).city.set_index("category")
    assert np.isnan(city.loc["esi", "uncovered_pct"])
    assert study.essentials == ("bains_douches", "bagagerie")
    assert city.loc["essential_any", "covered_pct"] > 0


def test_what_is_optional_may_be_missing(study_file: Path) -> None:
    shutil.copy(study_file.parent / "districts.parquet", study_file.parent / "Belle Ville.parquet")
    swap(study_file, 'name = "Petite Ville"\n', "")
    swap(study_file, "districts.parquet", "Belle Ville.parquet")
    swap(study_file, '[residents]\nfile = "residents.parquet"\n', "")
    study = read_study(study_file)
    assert study.area.name == "Belle Ville"
    assert study.residents is None
    assert study.background() is None
    coverage = analyse(study)
    assert coverage.indicators["residents"].isna().all()
    judged = ~coverage.indicators["category"].isin(study.unjudged)
    assert coverage.indicators.loc[judged, "covered_pct"].notna().all()


# --- the template --------------------------------------------------------------------------------


def activated(template: str) -> str:
    """Take the sign of a comment off every line that holds a setting or opens a table."""
    return re.sub(r"(?m)^# (?=\[|\w+ = )", "", template)


SCHOOL = (
    "Description;Population;Date de début;Date de fin;Académies;Zones\n"
    "Vacances de Noël;-;2026-12-18T23:00:00+00:00;2027-01-03T23:00:00+00:00;Paris;Zone C\n"
)


def town_for_the_template(study_file: Path, template: str) -> Path:
    folder = study_file.parent
    gpd.read_parquet(folder / "districts.parquet").to_file(folder / "districts.geojson")
    water = gpd.GeoDataFrame(
        {"kind": ["water"], "name": ["la Rivière"]},
        geometry=[toy_town.town_area().geometry.buffer(-900)],
        crs=toy_town.CRS,
    )
    water.to_parquet(folder / "background.parquet")
    halves = gpd.read_parquet(folder / "districts.parquet")
    halves["quarter_id"] = ["q1", "q2"]
    halves[["quarter_id", "geometry"]].to_file(folder / "quarters.geojson")
    homes = gpd.GeoDataFrame(
        {"height": [9.0, 12.0]}, geometry=halves.geometry.centroid.buffer(50), crs=halves.crs
    )
    homes.to_file(folder / "buildings.gpkg")
    (folder / "counted.csv").write_text("district_id,value\nW,12\nE,\n", encoding="utf-8")
    x, y = toy_town.ORIGIN
    flat = f"ncols 2\nnrows 2\nxllcorner {x - 3e3}\nyllcorner {y - 3e3}\ncellsize 8000\n0 0\n0 0\n"
    (folder / "heights.asc").write_text(flat, encoding="ascii")
    (folder / "fr-en-calendrier-scolaire.csv").write_text(SCHOOL, encoding="utf-8")
    study_file.write_text(template, encoding="utf-8")
    return study_file


def test_the_template_is_a_study_as_it_stands(study_file: Path, toy_study: Study) -> None:
    study = read_study(town_for_the_template(study_file, template()))
    assert study.area.name == "My city"
    for field in ("threshold_min", "isochrones_min", "cell_m", "snap_m", "min_gap_ha", "profile"):
        assert getattr(study, field) == getattr(toy_study, field), field


def test_what_the_template_comments_out_is_the_default(study_file: Path) -> None:
    active = activated(template())
    settings = tomllib.loads(active)
    assert set(settings) >= {"residents", "map", "profiles", "persons", "categories"}
    study = read_study(town_for_the_template(study_file, active))
    plain = read_study(town_for_the_template(study_file, template()))
    for field in (
        *("threshold_min", "isochrones_min", "cell_m", "snap_m", "min_gap_ha"),
        *("profile", "counted_status", "useful_share"),
    ):
        assert getattr(study, field) == getattr(plain, field), field
    assert study.person == PERSONS["woman_with_child"]
    assert study.heights is not None
    assert study.catalogue["laverie"].fr == "Laveries solidaires"
    background = study.background()
    assert background is not None
    assert background.crs == study.area.crs
    assert analyse(study).city["residents"].notna().all()


def test_school_holidays_are_read_where_a_calendar_is_named(study_file: Path) -> None:
    calendar = study_file.parent / "calendar.csv"
    calendar.write_text(SCHOOL, encoding="utf-8")
    add(study_file, '[hours]\nschool_holidays = "calendar.csv"\nzone = "Zone C"')
    study = read_study(study_file)
    assert study.school is not None
    assert study.school.zone == "Zone C"
    told = next(one for one in study.provenance if one["role"] == "hours")
    assert told["file"] == "calendar.csv"
    # Districts called W and E are in no département: nobody says which calendar is theirs.
    with pytest.raises(StudyFileError, match="do not tell the zone"):
        read_study(swap(study_file, 'zone = "Zone C"', ""))


def test_streets_without_a_date_may_be_given_one(study_file: Path) -> None:
    network = '[network]\ndate = "2026-01-31"'
    study = read_study(swap(study_file, "[network]", network))
    assert study.network.meta["osm_date"] == "2026-01-31"
    with pytest.raises(StudyFileError, match="date is 'soon'"):
        read_study(swap(study_file, '"2026-01-31"', '"soon"'))


def test_the_template_names_every_key(study_file: Path) -> None:
    # Whatever a file may hold, somebody who runs `init` has seen.
    settings = tomllib.loads(activated(template()))
    assert {table: set(keys) for table, keys in KEYS.items()} == {
        table: set(settings[table]) for table in KEYS
    }


# --- flags over files ----------------------------------------------------------------------------


def test_overrides_prevail_over_the_file(study_file: Path) -> None:
    add(
        swap(study_file, "[services]", '[services]\ncounted_status = ["open"]'),
        '[analysis]\nthreshold_min = 20\nprofile = "slow"\ncategories = ["esi"]\ncell_m = 50',
    )
    study = read_study(study_file)
    assert (study.threshold_min, study.profile, study.cell_m) == (20, SLOW, 50)
    assert (study.categories, study.counted_status) == (("esi",), ("open",))
    flagged = read_study(
        study_file,
        threshold_min=12.5,
        profile="step_free",
        categories=("bagagerie", "esi"),
        counted_status=STATUSES,
        isochrones_min=[12.5],
    )
    assert (flagged.threshold_min, flagged.profile, flagged.cell_m) == (12.5, STEP_FREE, 50)
    assert (flagged.categories, flagged.counted_status) == (("bagagerie", "esi"), STATUSES)
    assert flagged.isochrones_min == (12.5,)


def test_isochrones_are_drawn_at_the_threshold_at_least(study_file: Path) -> None:
    study = read_town(add(study_file, "[analysis]\nisochrones_min = []\nthreshold_min = 8"))
    assert study.isochrones_min == ()
    assert set(analyse(study).isochrones["threshold_min"]) == {8}


def test_a_walker_may_be_given_as_such(study_file: Path) -> None:
    walker = WalkProfile(name="nageur", speed_kmh=3.5)
    assert read_study(study_file, profile=walker).profile is walker


# --- what a study may bring of its own -----------------------------------------------------------


def test_a_walker_of_its_own(study_file: Path) -> None:
    add(
        study_file,
        '[analysis]\nprofile = "with_a_dog"\n'
        "[profiles.with_a_dog]\nspeed_kmh = 4\nsteps_factor = 2.0\nsteps_allowed = false",
    )
    walker = WalkProfile(name="with_a_dog", speed_kmh=4, steps_factor=2.0, steps_allowed=False)
    study = read_study(study_file)
    assert study.profile == walker
    assert set(analyse(study).indicators["profile"]) == {"with_a_dog"}
    assert read_study(study_file, profile="slow").profile == SLOW


def test_an_own_walker_prevails_over_a_packaged_one(study_file: Path) -> None:
    add(study_file, "[profiles.adult]\nspeed_kmh = 5\n[analysis]\nprofile = 'adult'")
    assert read_study(study_file).profile.speed_kmh == 5


def test_a_category_of_its_own(study_file: Path) -> None:
    services = pd.read_csv(study_file.parent / "services.csv")
    services.loc[services["service_id"] == "A1", "category"] = "laverie"
    services.to_csv(study_file.parent / "services.csv", index=False)
    add(study_file, '[categories.laverie]\nfr = "Laveries"\ncolour = "#117733"\nessential = true')
    study = read_study(study_file)
    laverie = study.catalogue["laverie"]
    assert (laverie.fr, laverie.en, laverie.colour) == ("Laveries", "Laveries", "#117733")
    assert study.categories[-1] == "laverie"  # after those of the catalogue
    assert study.essentials == ("bains_douches", "bagagerie", "esi", "laverie")
    city = analyse(study).city.set_index("category")
    assert city.loc["laverie", "covered_ha"] > 0
    assert city.loc["bains_douches", "covered_ha"] == 0


def test_a_packaged_category_may_be_renamed(study_file: Path) -> None:
    add(study_file, '[categories.esi]\nfr = "Accueils"')
    catalogue = read_study(study_file).catalogue
    assert catalogue["esi"].fr == "Accueils"
    assert catalogue["esi"].essential


def test_one_category_for_a_whole_file(study_file: Path) -> None:
    services = pd.read_csv(study_file.parent / "services.csv").drop(columns="category")
    services.to_csv(study_file.parent / "services.csv", index=False)
    swap(study_file, "[services]", '[services]\ncategory = "centre_social"')
    study = read_study(study_file)
    assert set(study.services.table["category"]) == {"centre_social"}
    assert len(study.services.table) == len(services)


def test_services_from_several_files(study_file: Path) -> None:
    folder = study_file.parent
    table = toy_town.town_services().table
    table[:3].to_parquet(folder / "a.parquet")
    table[3:5].to_crs(4326).to_file(folder / "b.geojson")
    services_table(table[5:]).to_csv(folder / "c.csv", index=False)
    swap(study_file, '["services.csv"]', '["a.parquet", "b.geojson", "c.csv"]')
    study = read_study(study_file, private=True)
    found = study.services.table
    assert list(found["service_id"]) == sorted(table["service_id"])
    assert found.geometry.geom_equals_exact(table.geometry, tolerance=0.01).all()
    assert list(found["discreet"]) == list(table["discreet"])
    assert study.services.problems.empty


def test_missing_values_of_a_layer_are_blank(study_file: Path) -> None:
    # In a layer, one missing value makes whole numbers and words floats.
    table = toy_town.town_services().table.assign(
        service_id=[1, 2, 3, 4, 5, 6, None],
        name=[None, *"bcdefg"],
        status=[None, "closed", *["open"] * 5],
        capacity=[12, None, None, None, None, None, 1.5],
        discreet=[1, 0, 0, 0, 1, 0, None],
    )
    for name in ("s.parquet", "s.gpkg"):
        path = study_file.parent / name
        table.to_parquet(path) if name.endswith("parquet") else table.to_file(path)
        found = read_study(swap(study_file, '"services.csv"', f'"{name}"')).services
        swap(study_file, f'"{name}"', '"services.csv"')
        rows = found.table.set_index("service_id")
        assert list(rows.index) == ["1", "2", "3", "4", "5", "6", f"esi-{name}-7"]
        assert (rows.loc["1", "name"], rows.loc["1", "status"]) == ("", "open")
        assert list(rows["capacity"]) == ["12", "", "", "", "", "", "1.5"]
        assert list(rows["discreet"]) == [True, False, False, False, True, False, False]
        # One and a half is a figure that no capacity has.
        assert list(zip(found.problems["row"], found.problems["field"], strict=True)) == [
            (7, "capacity")
        ]


# --- where things are, and in which CRS ----------------------------------------------------------


def test_paths_are_relative_to_the_file(
    study_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = study_file.parent
    (folder / "in" / "deep").mkdir(parents=True)
    shutil.move(folder / "network.parquet", folder / "in" / "deep" / "network.parquet")
    swap(study_file, "network.parquet", "in/deep/network.parquet")
    below = folder / "in" / "study.toml"
    text = study_file.read_text(encoding="utf-8").replace("in/deep/", "deep/")
    text = re.sub(r'"(\w+\.(?:csv|parquet))"', r'"../\1"', text)
    below.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for path in (study_file, below, Path("town/in/study.toml")):
        assert read_study(path).network.n_edges == toy_town.town_network().n_edges
    absolute = swap(study_file, '"services.csv"', json.dumps(str(folder / "services.csv")))
    assert len(read_study(absolute).services.table) == len(toy_town.SERVICES)


def test_a_network_in_another_crs_is_reprojected(
    study_file: Path, toy_coverage: Coverage, toy_network: WalkNetwork
) -> None:
    edges = toy_network.edges().to_crs(32631).drop(columns="length_m")
    path = study_file.parent / "network.parquet"
    WalkNetwork.from_edges(edges, meta={"osm_date": "2020-02-02"}).write(path)
    study = read_town(study_file)
    assert study.network.crs == study.area.crs
    assert study.network.meta["osm_date"] == "2020-02-02"
    # Lengths are those of the study's CRS: those of the file are centimetres off per street.
    assert np.abs(edges.length - toy_network.length_m).max() > 0.01
    np.testing.assert_allclose(study.network.length_m, toy_network.length_m, atol=1e-3)
    coverage = analyse(study)
    assert coverage.manifest["osm_date"] == "2020-02-02"
    # A hair's breadth decides between streets equally near: half a minute for a cell or two.
    for column, tolerance in (("covered_ha", 2.0), ("off_network_ha", 2.0), ("minutes_p90", 0.5)):
        found, expected = (c.indicators[column] for c in (coverage, toy_coverage))
        np.testing.assert_allclose(found, expected, atol=tolerance)


def test_an_area_in_degrees_is_measured_in_metres(study_file: Path, toy_coverage: Coverage) -> None:
    districts = gpd.read_parquet(study_file.parent / "districts.parquet").to_crs(4326)
    districts.to_file(study_file.parent / "districts.geojson")
    study = read_study(swap(study_file, "districts.parquet", "districts.geojson"))
    assert study.area.crs == toy_coverage.study.area.crs  # Lambert-93, in France
    assert study.area.geometry.area == pytest.approx(2000 * 1900, rel=1e-5)


def test_names_of_districts_may_be_anywhere(study_file: Path) -> None:
    districts = gpd.read_parquet(study_file.parent / "districts.parquet")
    renamed = districts.rename(columns={"district_id": "insee", "label": "nom"})
    renamed.assign(insee=[75102.0, 75101.0]).to_parquet(study_file.parent / "districts.parquet")
    swap(study_file, "[area]", '[area]\nid_column = "insee"\nlabel_column = "nom"')
    found = read_study(study_file).area.districts
    assert list(found["district_id"]) == ["75101", "75102"]
    assert list(found["label"]) == ["Ouest", "Est"]


@pytest.mark.parametrize("square_m", [10, 40, 200])
def test_residents_of_another_square_size(
    study_file: Path, toy_coverage: Coverage, square_m: int
) -> None:
    # Three people per 25 m square in the south, as in the town, in squares of another size that
    # do not all end where cells do.
    x0, y0 = (int(origin) // square_m for origin in toy_town.ORIGIN)
    wide, high = int(toy_town.WIDTH_M) // square_m, 800 // square_m
    col, row = (each.ravel() for each in np.meshgrid(np.arange(wide), np.arange(high)))
    people = np.full(len(col), 3.0 * square_m**2 / 625)
    squares = toy_town.residents_of(x0 + col, y0 + row, people, square_m=square_m)
    path = study_file.parent / "residents.parquet"
    write_residents(squares, path)
    assert read_residents(path).square_m == square_m
    coverage = analyse(read_study(study_file))
    total = 3.0 * 80 * 32
    assert coverage.city["residents"].to_numpy() == pytest.approx(total)
    south = coverage.cells["y_m"] < toy_town.ORIGIN[1] + 800
    assert coverage.cells["residents"].sum() == pytest.approx(total)
    np.testing.assert_allclose(coverage.cells.loc[south, "residents"], 3.0, rtol=1e-9)
    expected = toy_coverage.cells.loc[south, "residents"].sum()
    assert coverage.cells.loc[south, "residents"].sum() == pytest.approx(expected)
