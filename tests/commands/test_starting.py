"""`quart-heure init`: what lies in a folder becomes a study that runs, told and asked."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyproj
import pytest
import shapely
from numpy.testing import assert_allclose

from helpers import toy_town
from helpers.called import Call
from helpers.fake_geocoder import FakeGeocoder, Place
from helpers.project import EXTRACTS, thorough
from helpers.study_files import write_town
from helpers.vector_tiles import X, Y, Z, line, write_tile
from helpers.workbooks import Cell, write_sheets
from quart_heure import errors
from quart_heure.categories import default_catalogue
from quart_heure.sources.online import geocoding
from quart_heure.sources.tiles.scenery import read_tile_background
from quart_heure.starting.folder import look_into
from quart_heure.starting.lists import category_named, near_categories
from quart_heure.study.file import read_study

HEADINGS = ["NOM DU LIEU", "Type de lieu", "Adresse", "Code Postal", "Coordonnées GPS", "Note"]
# Name, what it is called, local metres, a remark.
PLACES = [
    ("Bains-douches municipaux", "Bains douches", 300, 300, ""),
    ("Bagagerie de la gare", "BAGAGERIE", 1500, 300, ""),
    ("Accueil Étoile", "Accueil jour", 600, 600, ""),
    ("Épicerie du coin", "Épicerie sociale", 700, 300, ""),
    ("Halte Est", "Halte femmes", 900, 300, "NE PAS DIFFUSER"),
    ("Halte des Lilas", "Haltes femmes", 500, 300, ""),
    ("Centre Ramenas", "Centres Sociaux", 1700, 300, ""),
]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_HEURE_CACHE", "")


def degrees(x: float, y: float) -> str:
    to_degrees = pyproj.Transformer.from_crs(toy_town.CRS, 4326, always_xy=True)
    lon, lat = to_degrees.transform(toy_town.ORIGIN[0] + x, toy_town.ORIGIN[1] + y)
    return f"{lat:.5f} ; {lon:.5f}".replace(".", ",")


def messy(places: Sequence[tuple[str, str, float, float, str]] = PLACES) -> list[list[Cell]]:
    """Give a list as people keep it: titles, an empty row, a line of totals."""
    rows: list[list[Cell]] = [["Lieux solidaires"], ["Mis à jour le 12/10/2026"], [], [*HEADINGS]]
    for name, kind, x, y, note in places:
        rows.append([name, kind, "1 rue du Test", "93100", degrees(x, y), note])
    rows.insert(7, [])
    rows.append(["TOTAL", str(len(places)), None, None, None, None])
    return [[*row, *[None] * (len(HEADINGS) - len(row))] for row in rows]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a town, without a study: districts with people, streets, a workbook."""
    write_town(tmp_path)
    for name in ("services.csv", "residents.parquet", "study.toml", "districts.parquet"):
        (tmp_path / name).unlink()
    districts = toy_town.town_area().districts.rename(
        columns={"district_id": "CODE_SECT", "label": "Nom_Secteur"}
    )
    districts.assign(CODE_SECT=["S1", "S2"], population=[900, 1100]).to_file(
        tmp_path / "secteurs.geojson"
    )
    write_sheets(tmp_path / "Lieux 2026.xlsx", {"Lieux": messy()})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Sit at a terminal: answer questions by words of theirs, else by what is proposed."""

    def sit(**answers: str | list[str]) -> list[str]:
        asked: list[str] = []

        def prompt(question: str, default: str = "", **_: object) -> str:
            asked.append(question)
            for words, answer in answers.items():
                if words.replace("_", " ") in question and answer:
                    return answer.pop(0) if isinstance(answer, list) else answer
            return default

        monkeypatch.setattr("typer.prompt", prompt)
        for stream in ("stdin", "stderr"):
            monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
        return asked

    return sit


def written(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def services(folder: Path) -> gpd.GeoDataFrame:
    return read_study(folder / "study.toml", private=True).services.table


# --- without a terminal --------------------------------------------------------------------------


def test_what_lies_in_a_folder_becomes_a_study_that_runs(call: Call, folder: Path) -> None:
    done = call("init", "--yes", "--name", "Petite Ville")
    assert (done.code, done.out) == (0, "study.toml\n")
    study = written(folder / "study.toml")
    assert study["area"] == {
        **{"districts": "secteurs.geojson", "name": "Petite Ville"},
        **{"id_column": "CODE_SECT", "label_column": "Nom_Secteur"},
    }
    assert study["services"] == {"files": ["Lieux 2026.xlsx"]}
    assert study["network"] == {"file": "network.parquet"}
    assert study["residents"] == {"file": "secteurs.geojson", "column": "population"}
    assert "lines 1 to 2 above the headings left out" in done.err
    assert "NOM DU LIEU → name (Bains-douches municipaux), Type de lieu → category" in done.err
    assert "'Accueil jour' (1 row) is taken as accueil_de_jour" in done.err
    assert "'Épicerie sociale' (1 row) is no category: left out" in done.err
    assert "  ID is one of bains_douches, " in done.err
    assert "'7'" not in done.err  # of the line of totals
    assert "Next: quart-heure check study.toml" in done.err
    assert call("check", "study.toml").code == 0
    assert call("analyse", "study.toml", "-o", "results").code == 0
    table = services(folder)
    kinds = dict(zip(table["name"], table["category"], strict=True))
    assert kinds["Accueil Étoile"] == "accueil_de_jour"
    assert kinds["Bagagerie de la gare"] == "bagagerie"
    assert "Épicerie du coin" not in kinds


def test_shelters_are_hidden_unless_somebody_says_that_they_are_public(
    call: Call, folder: Path
) -> None:
    done = call("init", "--yes")
    assert "Haltes femmes: taken as secret and never shown (--public halte_femmes" in done.err
    assert written(folder / "study.toml")["categories"]["halte_femmes"] == {"discreet": True}
    hidden = services(folder).set_index("name")["discreet"]
    assert hidden["Halte des Lilas"]
    done = call("init", "--yes", "--force", "--public", "halte_femmes")
    assert "halte_femmes" not in written(folder / "study.toml")["categories"]
    shown = services(folder).set_index("name")["discreet"]
    assert not shown["Halte des Lilas"]
    assert shown["Halte Est"]  # its own row says so


def test_a_name_that_is_secret_is_no_example(folder: Path) -> None:
    rows = messy([PLACES[4], PLACES[0]])
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": rows})
    (one,) = look_into(folder).lists
    assert one.example()["NOM DU LIEU"] == "Bains-douches municipaux"
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": messy([PLACES[4]])[:-1]})
    (one,) = look_into(folder).lists
    assert one.example() == {}


def test_words_that_are_near_are_not_taken_without_a_yes(call: Call, folder: Path) -> None:
    done = call("init")
    assert '--word "Accueil jour=accueil_de_jour"' in done.err
    assert "accueil_de_jour" not in written(folder / "study.toml")["categories"]
    flags = ("--word", "Accueil jour=accueil_de_jour", "--word", "Épicerie sociale=epicerie")
    assert call("init", "--force", *flags, "--essential", "epicerie").code == 0
    study = written(folder / "study.toml")
    assert study["categories"]["epicerie"]["fr"] == "Épicerie sociale"
    assert study["analysis"]["essentials"] == ["epicerie"]
    kinds = set(services(folder)["category"])
    assert {"accueil_de_jour", "epicerie", "esi"} & kinds == {"accueil_de_jour", "epicerie"}


def test_what_only_a_person_can_say_is_refused_with_its_option(call: Call, folder: Path) -> None:
    (folder / "quartiers.geojson").write_bytes((folder / "secteurs.geojson").read_bytes())
    several = call("init")
    assert several.code == errors.InputFileError.exit_code
    assert "secteurs.geojson: 2 polygons; quartiers.geojson: 2 polygons" in several.err
    assert "--districts" in several.err
    assert call("init", "--districts", "quartiers.geojson").code == 0
    assert written(folder / "study.toml")["area"]["districts"] == "quartiers.geojson"
    (folder / "study.toml").unlink()
    (folder / "quartiers.geojson").unlink()
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": [[*row[:1], *row[2:]] for row in messy()]})
    nameless = call("init")
    assert nameless.code == errors.InputFileError.exit_code
    assert '--category "Lieux 2026.xlsx=ID"' in nameless.err
    assert not (folder / "study.toml").exists()
    assert call("init", "--category", "Lieux 2026.xlsx=bagagerie").code == 0
    assert set(services(folder)["category"]) == {"bagagerie"}
    wrong = call("init", "--force", "--category", "Lieux 2026.xlsx=bagage")
    assert (wrong.code, "Did you mean 'bagagerie'?" in wrong.err) == (7, True)


def test_a_heading_of_one_list_is_asked_of_no_other(call: Call, folder: Path) -> None:
    (folder / "autres.csv").write_text(
        f'Enseigne;type;gps\nBains;Bains-douches;"{degrees(900, 900)}"\n', encoding="utf-8"
    )
    wrong = call("init", "--yes", "--column", "name=Enseignes")
    assert wrong.code == errors.InputFileError.exit_code
    assert "there is no column 'Enseignes'" in wrong.err
    assert call("init", "--yes", "--column", "name=Enseigne").code == 0
    names = set(read_study(folder / "study.toml").services.table["name"])
    assert {"Bains", "Bains-douches municipaux"} <= names


def test_what_is_not_read_is_told_without_a_terminal(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broken.parquet").write_bytes(b"no Parquet")
    (folder / "zz.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    files = sum(path.suffix != ".toml" for path in folder.iterdir())
    monkeypatch.setattr("quart_heure.starting.folder._MOST_FILES", files - 1)
    told = call("init", "--yes").err
    assert "not read: broken.parquet (cannot be read as Parquet)" in told
    assert f"not read: {folder.name} (1 beyond the {files - 1} files looked into)" in told


def test_a_column_of_another_name_is_known_by_its_words(call: Call, folder: Path) -> None:
    rows = messy()
    rows[3][1] = "Prestation"
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": rows})
    asked = call("init")
    assert asked.code == errors.InputFileError.exit_code
    assert '--column "category=Prestation"' in asked.err
    done = call("init", "--yes")
    assert "Prestation → category, for most of its words" in done.err
    source = written(folder / "study.toml")["services"]["sources"][0]
    assert source == {"file": "Lieux 2026.xlsx", "columns": {"category": "Prestation"}}
    assert "files" not in written(folder / "study.toml")["services"]
    assert len(services(folder)) == len(PLACES) - 1
    gone = call("init", "--force", "--column", "name=Nom perdu")
    assert "there is no column 'Nom perdu'" in gone.err


def test_metres_are_those_by_which_places_lie_in_the_area(call: Call, folder: Path) -> None:
    zone = pyproj.Transformer.from_crs(toy_town.CRS, 3949, always_xy=True)
    rows = [[*HEADINGS[:4], "X", "Y"]]
    for name, kind, x, y, _ in PLACES:
        metres = zone.transform(toy_town.ORIGIN[0] + x, toy_town.ORIGIN[1] + y)
        rows.append([name, kind, "1 rue du Test", "93100", *map(str, metres)])
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": rows})
    done = call("init")
    assert "coordinates are metres of EPSG:3949" in done.err
    (source,) = written(folder / "study.toml")["services"]["sources"]
    assert source == {"file": "Lieux 2026.xlsx", "crs": "EPSG:3949"}
    bath = services(folder).set_index("name").loc["Bains-douches municipaux"].geometry
    assert_allclose((bath.x, bath.y), (toy_town.ORIGIN[0] + 300, toy_town.ORIGIN[1] + 300))
    for row in rows[1:]:
        row[4] = "9000000"
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": rows})
    lost = call("init", "--force")
    assert (lost.code, "--crs EPSG:2154" in lost.err) == (errors.InputFileError.exit_code, True)


def test_a_list_without_places_says_how_to_place_it(call: Call, folder: Path) -> None:
    rows = [[cell for at, cell in enumerate(row) if at != 4] for row in messy()]
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": rows, "Notes": [["Lire"], ["ceci"]]})
    done = call("init", "--yes")
    command = "quart-heure geocode 'Lieux 2026.xlsx' --sheet Lieux -o 'Lieux 2026_placed.csv'"
    assert f"To do: {command}" in done.err
    assert written(folder / "study.toml")["services"]["files"] == ["Lieux 2026_placed.csv"]
    # Once it is there it stands for the list that it was made of.
    places = "\n".join(f"{p[0]},{p[1]},2.3,48.8" for p in PLACES)
    placed = folder / "Lieux 2026_placed.csv"
    placed.write_text(f"nom,type,longitude,latitude\n{places}\n", encoding="utf-8")
    answer = folder / "Lieux 2026_placed_answer_2026-11-29.csv"
    answer.write_text("nom,longitude,latitude\na,2,48\n", encoding="utf-8")
    assert [one.file.name for one in look_into(folder).lists] == ["Lieux 2026_placed.csv"]


def test_addresses_are_placed_where_somebody_agrees(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[cell for at, cell in enumerate(row) if at != 4] for row in messy()]
    write_sheets(folder / "Lieux 2026.xlsx", {"Lieux": rows, "Notes": [["Lire"], ["ceci"]]})
    known = FakeGeocoder(Place(number="1", street="rue du Test", postcode="93100"))
    with known.running():
        monkeypatch.setattr(geocoding, "GEOCODING_URL", known.search)
        done = call("init", "--yes", "--geocode", "--word", "Accueil jour=accueil_de_jour")
    assert done.code == 0, done.err
    assert "To do" not in done.err
    assert "1 discreet, not sent" in done.err
    assert not any(b"NE PAS DIFFUSER" in body for body in known.bodies)
    assert written(folder / "study.toml")["services"]["files"] == ["Lieux 2026_placed.csv"]


def test_what_is_missing_is_told(call: Call, folder: Path) -> None:
    (folder / "network.parquet").unlink()
    (folder / "Lieux 2026.xlsx").write_text("no workbook", encoding="utf-8")
    done = call("init", "--yes", "--no-residents")
    assert done.code == 0
    assert "To do: file = … in [network]" in done.err
    assert "To do: files = … in [services]" in done.err
    assert "residents" not in written(folder / "study.toml")
    wrong = call("init", "--force", "--network", "secteurs.geojson")
    assert (wrong.code, "does not hold streets" in wrong.err) == (3, True)
    wrong = call("init", "--force", "--services", "Lieux 2026.xlsx")
    assert (wrong.code, "does not hold services" in wrong.err) == (3, True)
    wrong = call("init", "--force", "--streets-date", "hier")
    assert (wrong.code, "is no day" in wrong.err) == (4, True)


def test_districts_that_lie_elsewhere_are_named_as_they_are(call: Call, folder: Path) -> None:
    (folder / "work").mkdir()
    named = ("--districts", "secteurs.geojson", "--services", "Lieux 2026.xlsx")
    assert call("init", "work/study.toml", *named, "--network", "network.parquet").code == 0
    assert written(folder / "work" / "study.toml")["area"]["districts"] == str(
        folder / "secteurs.geojson"
    )
    assert call("check", "work/study.toml").code == 0


# --- on a terminal -------------------------------------------------------------------------------


def test_a_person_is_asked_and_may_say_otherwise(
    call: Call, folder: Path, terminal: Callable[..., list[str]]
) -> None:
    asked = terminal(
        Name="Ville",
        Column_of_their_ids=["nothing", "CODE_SECT"],
        Accueil_jour=["accueil", "accueil_de_jour"],
        Épicerie="+",
        Essential="bagagerie, accueil_de_jour",
        Haltes_femmes="yes",
        residents=["7", "0"],
    )
    done = call("init", "asked.toml")
    assert done.code == 0
    study = written(folder / "asked.toml")
    assert study["area"]["name"] == "Ville"
    assert study["analysis"]["essentials"] == ["bagagerie", "accueil_de_jour"]
    assert study["categories"]["epicerie_sociale"]["fr"] == "Épicerie sociale"
    assert "halte_femmes" not in study["categories"]
    assert "residents" not in study
    assert "Did you mean 'accueil_de_jour'?" in done.err
    assert "Give a number up to 1." in done.err
    assert "There is no column 'nothing'." in done.err
    assert "'Accueil jour' (1 row) is which category" in asked
    assert call("analyse", "asked.toml", "-o", "results").code == 0


def test_nothing_that_was_declined_is_in_the_study(
    call: Call, folder: Path, terminal: Callable[..., list[str]]
) -> None:
    write_sheets(
        folder / "Lieux 2026.xlsx", {"Lieux": messy(), "Anciens": messy(PLACES[:2]), "Vide": []}
    )
    terminal(Take_Lieux_2026_xlsx="no", Anciens=["maybe", "no"])
    assert [one.part for one in look_into(folder).lists] == ["Lieux", "Anciens"]
    done = call("init")
    assert "'maybe' is neither yes nor no." in done.err
    assert written(folder / "study.toml")["services"] == {
        "sources": [{"file": "Lieux 2026.xlsx", "sheet": "Lieux"}]
    }


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "category", "sure"),
    [
        ("Accueil jour", "accueil_de_jour", True),
        ("accueils de jours", "accueil_de_jour", True),
        ("Distribution alim.", "distribution_alimentaire", False),
        ("Restaurant", "restaurant_solidaire", False),
        ("Épicerie sociale", "", False),
        ("Laverie solidaire", "", False),
        ("Mairie", "", False),
    ],
)
def test_words_are_near_categories_or_not(word: str, category: str, *, sure: bool) -> None:
    found = near_categories([word], default_catalogue())
    assert found.get(word, ("", False)) == (category, sure)


def test_a_title_names_a_category_by_its_whole_name() -> None:
    catalogue = default_catalogue()
    assert category_named("Bains-douches de Lyon 2026", catalogue) == "bains_douches"
    assert category_named("Lieux solidaires 2026", catalogue) == ""


# --- what tiles tell -----------------------------------------------------------------------------


def test_water_parks_tracks_and_stations_are_taken_out_of_tiles(call: Call, folder: Path) -> None:
    tiles = folder / "tiles"
    square = [(1000, 1000), (1000, 2000), (2000, 2000), (2000, 1000), (1000, 1000)]
    layers = {
        "water": [("polygon", square, {"class": "lake"})],
        "landcover": [("polygon", [(x + 1100, y) for x, y in square], {"subclass": "park"})],
        "transportation": [
            line("rail", [(100, 500), (4000, 500)]),
            line("rail", [(100, 700), (4000, 700)], brunnel="tunnel"),
            line("minor", [(100, 900), (4000, 900)]),
            line("minor", [(100, 900), (100, 3900)]),
            line("minor", [(100, 2500), (4000, 2500)]),
        ],
        "poi": [
            ("point", [(900, 900)], {"class": "railway", "subclass": "station", "name:latin": "G"})
        ],
    }
    write_tile(tiles, X, layers)
    crs = pyproj.CRS.from_epsg(2154)
    side = 40075016.685578488 / 2**Z
    west, north = X * side - 20037508.342789244, 20037508.342789244 - Y * side
    area = gpd.GeoSeries([shapely.box(west, north - side, west + side, north)], crs=3857).to_crs(
        crs
    )
    table = read_tile_background(tiles, area=area.iloc[0], margin_m=100, crs=crs)
    assert table.groupby("kind").size().to_dict() == {
        "park": 1,
        "rail": 1,
        "station": 1,
        "water": 1,
    }
    lake = table.set_index("kind").loc["water"].geometry
    assert_allclose(lake.area, (1000 * 0.393) ** 2, rtol=0.02)
    assert set(table.loc[table["kind"] == "rail"].geometry.geom_type) == {"LineString"}
    for name in ("network.parquet", "secteurs.geojson", "Lieux 2026.xlsx"):
        (folder / name).unlink()
    area.to_crs(4326).to_frame("geometry").assign(code="A1", nom="Tout").to_file(
        folder / "secteurs.geojson"
    )
    done = call("init", "--yes", "--streets-date", "2021-08-06")
    assert "taken out of tiles: 1 water, 1 park, 1 station, 1 rail" in done.err
    study = written(folder / "study.toml")
    assert study["map"] == {"background": "background.parquet"}
    assert study["network"] == {"file": "tiles", "date": "2021-08-06"}
    again = call("init", "--force", "--no-background")
    assert again.code == 0
    assert "map" not in written(folder / "study.toml")


@pytest.fixture
def montreuil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nine polygons and fifteen rows beside real tiles."""
    if not (EXTRACTS / "osm-tiles-paris").is_dir():
        pytest.skip("needs the source extracts beside the project")
    boxes = [
        shapely.box(2.425 + 0.017 * i, 48.848 + 0.009 * j, 2.442 + 0.017 * i, 48.857 + 0.009 * j)
        for j in range(3)
        for i in range(3)
    ]
    table = {
        "code": [f"S{n}" for n in range(9)],
        "nom": list("ABCDEFGHI"),
        "pop": range(10, 100, 10),
    }
    gpd.GeoDataFrame(table, geometry=boxes, crs=4326).to_file(tmp_path / "secteurs.geojson")
    rows = messy()
    kinds = [*(p[1] for p in PLACES), *(p[1] for p in PLACES), "Bagagerie"]
    body: list[list[Cell]] = [
        [f"Lieu {n}", kind, "", "93100", f"{48.85 + 0.0015 * n:.4f}, {2.43 + 0.003 * n:.4f}", ""]
        for n, kind in enumerate(kinds)
    ]
    write_sheets(tmp_path / "lieux.xlsx", {"Lieux": [*rows[:4], *body, rows[-1]]})
    (tmp_path / "tiles").symlink_to(EXTRACTS / "osm-tiles-paris")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@thorough
def test_another_city_from_tiles_has_its_map_in_three_commands(call: Call, montreuil: Path) -> None:
    assert call("init", "--yes").code == 0
    assert call("check", "study.toml").code == 0
    assert call("analyse", "study.toml", "-o", "results").code == 0
    assert (montreuil / "results" / "map.html").stat().st_size > 100_000
