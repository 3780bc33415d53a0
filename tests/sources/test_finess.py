"""FINESS: its first line, its two kinds of lines, and the projections that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pyproj
import pytest
import shapely

from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.errors import InputFileError
from quart_heure.sources.areas.areas import StudyArea, area_from_districts
from quart_heure.sources.services.finess import COLUMNS, is_finess
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource

FIRST = "finess;etalab;111;2026-05-12"
PLACES = {
    "met": (2.35, 48.85, 2154, "LAMBERT_93"),
    "mart": (-61.05, 14.61, 5490, "UTM_N20"),
    "guy": (-52.32, 4.93, 2972, "UTM_N22"),
    "reun": (55.45, -20.89, 2975, "UTM_S40"),
    "may": (45.23, -12.78, 4471, "UTM_S38"),
}


def establishment(number: str, **changes: str) -> str:
    cells = {
        "nofinesset": number,
        "rs": f"LIEU {number}",
        "rslongue": f"LIEU LONG {number}",
        "numvoie": "4",
        "typvoie": "R",
        "voie": "DES EXEMPLES",
        "ligneacheminement": "99001 VILLE",
        "categetab": "220",
        "libcategetab": "Centre Social",
        "dateouv": "1999-01-01",
        **changes,
    }
    return ";".join(["structureet", *(cells.get(name, "") for name in COLUMNS)])


def place(number: str, part: str, *, said: str = "", shift_m: float = 0.0) -> str:
    lon, lat, epsg, name = PLACES[part]
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    said = said or f"1,ATLASANTE,100,IGN,BD_ADRESSE,V2.2,{name}"
    return f"geolocalisation;{number};{x + shift_m:.1f};{y:.1f};{said};2026-05-04"


def area(part: str = "met") -> StudyArea:
    lon, lat, _, _ = PLACES[part]
    box = shapely.box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)
    districts = {"district_id": ["1"], "label": ["A"]}
    return area_from_districts(gpd.GeoDataFrame(districts, geometry=[box], crs=4326), name="A")


def read(folder: Path, *lines: str, part: str = "met", **settings: Any) -> Services:
    file = folder / "etalab-cs1100507-stock.csv"
    encoding = settings.pop("encoding", "utf-8")
    file.write_bytes("".join(f"{line}\n" for line in (FIRST, *lines)).encode(encoding))
    catalogue = settings.pop("catalogue", default_catalogue())
    return read_services([ServiceSource(file=file, **settings)], area(part), catalogue=catalogue)


def test_an_establishment(tmp_path: Path) -> None:
    services = read(tmp_path, establishment("1"), place("1", "met"))
    (row,) = services.table.to_dict("records")
    assert [row[name] for name in ("service_id", "category", "name", "address", "postcode")] == [
        *("finess-1", "centre_social", "LIEU LONG 1", "4 R DES EXEMPLES", "99001"),
    ]
    assert [row[name] for name in ("source", "source_date", "valid_from", "notes", "access")] == [
        *("FINESS", "2026-05-12", "1999-01-01", "Centre Social (FINESS 220)", "unknown"),
    ]
    assert services.problems.empty


@pytest.mark.parametrize("part", PLACES)
@pytest.mark.parametrize("new", [True, False])
def test_each_projection_is_believed(part: str, new: bool, tmp_path: Path) -> None:
    lon, lat, epsg, _ = PLACES[part]
    said = f"2,ATLASANTE,100,BAN,EPSG:{epsg} RGF93 / nom (Lieu)" if new else ""
    services = read(tmp_path, establishment("1"), place("1", part, said=said), part=part)
    (found,) = services.table.geometry.to_crs(4326)
    assert (found.x, found.y) == (pytest.approx(lon, abs=1e-5), pytest.approx(lat, abs=1e-5))


def test_projections_of_one_file_may_differ(tmp_path: Path) -> None:
    lines = [establishment("1"), establishment("2"), place("2", "reun"), place("1", "met")]
    for part, name in (("met", "LIEU LONG 1"), ("reun", "LIEU LONG 2")):
        table = read(tmp_path, *lines, part=part).table
        inside = shapely.intersects(table.geometry.to_numpy(), area(part).geometry)
        assert table["name"][inside].tolist() == [name]


def test_what_cannot_be_placed_is_told(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        establishment("1"),
        establishment("2"),
        establishment("3"),
        establishment("4"),
        establishment("5"),
        place("2", "met", said="1,ATLASANTE,100,IGN,MARS"),
        place("3", "met", said="1,ATLASANTE,100,IGN,EPSG:4326"),
        "geolocalisation;4;;;1,ATLASANTE,100,IGN,LAMBERT_93;2026-05-04",
        place("5", "met"),
        place("9", "met"),
        "autre;1;2",
        "structureej;1;2",
    )
    assert services.table["name"].tolist() == ["LIEU LONG 5"]
    gone = services.problems[services.problems["action"] == "left out"]
    assert list(zip(gone["row"], gone["reason"], strict=True)) == [
        (n, "no coordinates") for n in (1, 2, 3, 4)
    ]
    rest = services.problems[services.problems["action"] != "left out"]
    assert sorted(zip(rest["field"], rest["reason"], strict=True)) == [
        ("line", "neither an establishment nor a place"),
        ("line", "neither an establishment nor a place"),
        ("line", "places of no establishment in the file"),
        ("sourcecoordet", "its projection is not known"),
        ("sourcecoordet", "its projection is not known"),
    ]


def test_doubtful_places_are_kept_and_told(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        *(establishment(str(n)) for n in (1, 2, 3)),
        place("1", "met", said="3,ATLASANTE,41,BAN,LAMBERT_93"),
        place("2", "met", shift_m=200.0),
        place("2", "met", shift_m=400.0),
        place("3", "met", shift_m=600.0),
        place("3", "met", shift_m=600.0),
    )
    assert len(services.table) == 3
    problems = services.problems
    assert list(zip(problems["row"], problems["reason"], strict=True)) == [
        (1, "a geocoder's match of 41 of 100"),
        (2, "2 lines place it"),
    ]


def test_rows_with_too_few_or_too_many_cells(tmp_path: Path) -> None:
    services = read(
        tmp_path,
        "structureet;1;2;COURT",
        establishment("2") + ";more",
        establishment("3") + ";",
        *(place(n, "met", shift_m=100.0 * int(n)) for n in "123"),
    )
    assert services.table["service_id"].tolist() == ["finess-3"]
    assert sorted(services.problems["row"]) == [1, 2]
    assert set(services.problems["action"]) == {"left out"}


def test_categories_by_code_label_name_or_file(tmp_path: Path) -> None:
    other = {"categetab": "178", "libcategetab": "Centre d'accueil (réduction des risques)"}
    lines = [establishment("1"), establishment("2", **other)]
    lines += [place("1", "met"), place("2", "met", shift_m=200.0)]

    def kinds(**settings: Any) -> list[str]:
        found: list[str] = read(tmp_path, *lines, **settings).table["category"].tolist()
        return found

    assert kinds() == ["centre_social"]
    unknown = read(tmp_path, *lines).problems
    assert unknown["reason"].tolist() == ["unknown category"]
    assert unknown["value"].tolist() == ["LIEU LONG 2 – 178 " + other["libcategetab"]]
    caarud = {"fr": "CAARUD", "portal": ["FINESS 178"]}
    assert kinds(catalogue=extend_catalogue({"caarud": caarud})) == ["centre_social", "caarud"]
    assert kinds(category="accueil_de_jour") == ["accueil_de_jour"] * 2
    assert kinds(rules={"esi": ["LIEU LONG 2"]}) == ["centre_social", "esi"]
    own = {"caarud": {"fr": "CAARUD", "portal": ["178"]}}
    named = {"columns": {"category": "categetab"}, "catalogue": extend_catalogue(own)}
    assert kinds(**named) == ["caarud"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_and_quotes(encoding: str, tmp_path: Path) -> None:
    line = establishment("1", rslongue='"FOYER ""L\'ÉTÉ"""')
    services = read(tmp_path, line, place("1", "met"), encoding=encoding)
    assert services.table["name"].tolist() == ['FOYER "L\'ÉTÉ"']


def test_an_opening_to_come(tmp_path: Path) -> None:
    lines = (establishment("1", dateouv="2031-09-01"), place("1", "met"))
    assert read(tmp_path, *lines).table["valid_from"].tolist() == ["2031-09-01"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [((), "without any establishment"), (('structureet;"1',), "line 2")],
)
def test_a_file_that_cannot_be_read(lines: tuple[str, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=words):
        read(tmp_path, *lines)


def test_other_files_are_none(tmp_path: Path) -> None:
    assert not is_finess(tmp_path / "missing.csv")
    for text in ("", "nom;finess;etalab\n", "finess,etalab\n"):
        (tmp_path / "a.csv").write_text(text)
        assert not is_finess(tmp_path / "a.csv")
