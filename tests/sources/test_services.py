"""Service files as people keep them: every format, every way to say where and what."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import toy_town
from quart_heure import errors
from quart_heure.categories import default_catalogue, extend_catalogue
from quart_heure.sources import raw_tables, text_columns
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.problems import ProblemList
from quart_heure.sources.services.columns import FIELDS, aliases, plain_heading
from quart_heure.sources.services.coordinates import locate_texts, near_box
from quart_heure.sources.services.duplicates import DUPLICATE_M, find_duplicates, name_key
from quart_heure.sources.services.rows import SERVICE_COLUMNS
from quart_heure.sources.services.services import Services, read_services, services_from_rows
from quart_heure.sources.services.settings import ServiceSource

Row = Mapping[str, Any]

CATALOGUE = default_catalogue()
AREA = toy_town.town_area()


def degrees(x: float, y: float) -> tuple[float, float]:
    """Give longitude and latitude of a place in the toy town, in local metres."""
    place = shapely.Point(toy_town.ORIGIN[0] + x, toy_town.ORIGIN[1] + y)
    point = gpd.GeoSeries([place], crs=toy_town.CRS).to_crs(4326).iloc[0]
    return round(point.x, 7), round(point.y, 7)


PLACES = [degrees(200, 300), degrees(900, 700), degrees(1500, 1200)]
BASE = [
    {"nom": "Bains Nord", "type": "Bains-douches", "adresse": "1, rue Haute", "cp": "75001"},
    {"nom": "L'Abri", "type": "ESI", "adresse": "2, rue Basse", "cp": "75002"},
    {"nom": "Café d'été", "type": "Accueil de jour", "adresse": "", "cp": "75002"},
]
IDS = {"bains_douches", "esi", "accueil_de_jour"}


def write_csv(path: Path, rows: Sequence[Row], delimiter: str = ";", **options: Any) -> Path:
    pd.DataFrame(rows).to_csv(path, sep=delimiter, index=False, **options)
    return path


def read(*files: Path | ServiceSource, area: StudyArea = AREA, **options: Any) -> Services:
    return read_services(files, area, **{"catalogue": CATALOGUE, **options})


def write_xlsx(path: Path, rows: Sequence[Sequence[str | float | None]]) -> Path:
    """Write the least of a workbook that readers accept: texts in the cells, no styles."""

    def cell(value: str | float | None) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Lieux" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path


# --- formats -------------------------------------------------------------------------------------


def located() -> list[dict[str, Any]]:
    return [{**row, "Longitude": x, "LAT": y} for row, (x, y) in zip(BASE, PLACES, strict=True)]


def write_as(folder: Path, form: str) -> Path:
    rows = located()
    path = folder / f"lieux.{form.partition('-')[0]}"
    points = [shapely.Point(place) for place in PLACES]
    layer = gpd.GeoDataFrame(BASE, geometry=points, crs=4326)
    records = [
        {**row, "geo_point_2d": {"lon": x, "lat": y}}
        for row, (x, y) in zip(BASE, PLACES, strict=True)
    ]
    contents: dict[str, Any] = {
        "json-list": records,
        "json-results": {"total_count": 3, "results": records},
        # The older interface: fields inside, latitude first.
        "json-records": {
            "nhits": 3,
            "records": [
                {"recordid": f"r{i}", "fields": {**row, "geo_point_2d": [y, x]}}
                for i, (row, (x, y)) in enumerate(zip(BASE, PLACES, strict=True))
            ],
        },
    }
    if form in contents:
        path.write_text(json.dumps(contents[form]), encoding="utf-8")
    elif form == "xlsx":
        write_xlsx(path, [list(rows[0]), *(list(row.values()) for row in rows)])
    elif form == "json-features":
        path.write_text(layer.to_json(), encoding="utf-8")
    elif form == "parquet":
        layer.to_crs(2154).to_parquet(path)
    elif form in {"gpkg", "shp", "geojson"}:
        layer.to_crs(2154 if form != "geojson" else 4326).to_file(path)
    else:
        options: dict[str, dict[str, Any]] = {
            "csv-semicolon": {},
            "csv-tab": {"delimiter": "\t"},
            "csv-bar": {"delimiter": "|"},
            "csv-decimal_commas": {"decimal": ","},
            "csv-bom": {"encoding": "utf-8-sig"},
            "csv-utf16": {"encoding": "utf-16", "delimiter": "\t"},
        }
        write_csv(path, rows, **options[form])
    return path


FORMS = [
    *("csv-semicolon", "csv-tab", "csv-bar", "csv-decimal_commas", "csv-bom", "csv-utf16"),
    *("xlsx", "json-list", "json-results", "json-records", "json-features"),
    *("parquet", "gpkg", "shp", "geojson"),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_gives_the_same_services(tmp_path: Path, form: str) -> None:
    services = read(write_as(tmp_path, form))
    assert services.problems.empty, services.problems.to_dict("records")
    table = services.table.sort_values("name", ignore_index=True)
    assert list(table.columns) == [*SERVICE_COLUMNS, "geometry"]
    assert list(table["name"]) == ["Bains Nord", "Café d'été", "L'Abri"]
    assert list(table["category"]) == ["bains_douches", "accueil_de_jour", "esi"]
    assert list(table["postcode"]) == ["75001", "75002", "75002"]
    expected = gpd.GeoSeries([shapely.Point(PLACES[i]) for i in (0, 2, 1)], crs=4326)
    assert (table.geometry.distance(expected.to_crs(AREA.crs)) < 0.05).all()
    assert table.crs == AREA.crs


def test_windows_files_are_read_and_told(tmp_path: Path) -> None:
    services = read(write_csv(tmp_path / "s.csv", located(), encoding="cp1252"))
    assert "Café d'été" in set(services.table["name"])
    [problem] = services.problems.to_dict("records")
    assert (problem["field"], problem["action"]) == ("encoding", "read as Windows-1252")


def test_a_line_that_names_the_delimiter_is_no_heading(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", located(), delimiter="|")
    path.write_text("sep=|\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert len(read(path).table) == 3


def test_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", [{**row, "Longitude": ""} for row in located()])
    heading, first, *rest = path.read_text(encoding="utf-8").splitlines()
    # A line left empty keeps its number, and cells of nothing beyond the last are nothing.
    text = "\n".join([heading, first, "", ";;;;;", rest[0] + ";;", rest[1] + ";x"])
    path.write_text(text, encoding="utf-8")
    problems = read(path).problems
    told = set(zip(problems["row"], problems["reason"], strict=True))
    assert told == {
        (1, "no coordinates"),
        (4, "no coordinates"),
        (5, "more cells than the heading has"),
    }


def test_of_a_row_whose_cells_have_moved_nothing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(
        "name,address,category,lon,lat,discreet\nRefuge,1, rue Cachée,esi,2.3,48.8,true\n"
        f"A,b,esi,{PLACES[0][0]},{PLACES[0][1]},\n",
        encoding="utf-8",
    )
    services = read(path)
    assert list(services.problems["action"]) == ["left out"]
    assert "Refuge" not in services.problems.to_csv()


def test_a_sheet_of_figures_and_dates(tmp_path: Path) -> None:
    x, y = PLACES[0]
    rows = [
        ["Nom", "Code postal", "Type", "X", "Y", "Capacité"],
        [None, None, None, None, None, None],
        ["Bains", 75001, "bains_douches", x, y, 12],
    ]
    [row] = read(write_xlsx(tmp_path / "s.xlsx", rows)).table.to_dict("records")
    assert (row["postcode"], row["capacity"], row["capacity_value"]) == ("75001", "12", 12)
    assert row["service_id"] == "bains_douches-s.xlsx-2"  # two below the heading


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "no columns 'longitude'"),
        ("a.xlsx", b"PK\x03\x04 and no more", "cannot be read as an Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "cannot be read as an Excel workbook"),
        ("a.json", b"{", "cannot be read as JSON"),
        ("a.json", b"[" * 100_000, "cannot be read as JSON"),
        ("a.json", b'{"error": "quota"}', "holds no list of records"),
        ("a.json", b"[1, 2]", "holds no list of records"),
        ("a.json", b'[{"nom": "x"}]', "no columns 'longitude'"),
        ("a.geojson", b"\x00\x01", "cannot be read as a vector layer"),
        ("a.gpkg", b"SQLite format 3\x00", "cannot be read as a vector layer"),
        ("a.parquet", b"PAR1", "cannot be read as Parquet"),
        ("a.csv", b"name;lon;lat;type\n" + b"x" * 200_000 + b";1;2;esi\n", "field larger than"),
        ("a.csv", b";".join(b"c%d" % i for i in range(3000)), "has 3,000 columns"),
    ],
)
def test_what_is_no_table_ends_clearly(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(errors.InputFileError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_files_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path / "s.csv", located())
    sheet = write_xlsx(tmp_path / "s.xlsx", [["a" * 1_000]])
    with zipfile.ZipFile(sheet, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/big", b"0" * 5_000_000)
    monkeypatch.setattr(raw_tables, "LARGEST_FILE_BYTES", 1_000_000)
    assert sheet.stat().st_size < 100_000
    with pytest.raises(errors.InputFileError, match="holds 5 MB"):
        read(sheet)  # small as it lies, large once opened
    monkeypatch.setattr(raw_tables, "LARGEST_FILE_BYTES", 100)
    with pytest.raises(errors.InputFileError, match="cut it"):
        read(path)
    monkeypatch.undo()
    monkeypatch.setattr(raw_tables, "MOST_ROWS", 2)
    with pytest.raises(errors.InputFileError, match="has 3 rows"):
        read(path)
    monkeypatch.setattr(text_columns, "MOST_CELLS", 10)
    with pytest.raises(errors.InputFileError, match="10 cells at most"):
        read(path)


# --- headings ------------------------------------------------------------------------------------


def test_no_heading_stands_for_two_fields() -> None:
    plain = [{plain_heading(name) for name in names} for names in aliases().values()]
    meant = Counter(name for names in plain for name in names)
    assert not {name for name, n in meant.items() if n > 1}
    assert set(SERVICE_COLUMNS) | {"longitude", "latitude", "point"} <= set(FIELDS)


@pytest.mark.parametrize("written", [str.upper, str.title, lambda name: f" {name} "])
def test_headings_in_any_spelling(tmp_path: Path, written: Any) -> None:
    x, y = PLACES[0]
    row = {"Nom du lieu": "A", "catégorie": "esi", "code postal": "75001", "xlong": x, "ylat": y}
    table = read(write_csv(tmp_path / "s.csv", [{written(k): v for k, v in row.items()}])).table
    assert list(table["name"]) == ["A"]
    assert list(table["postcode"]) == ["75001"]


@pytest.mark.parametrize("name", ["Nom de la structure", "Nom de l’établissement", "Dénomination"])
def test_headings_that_lists_of_cities_have(tmp_path: Path, name: str) -> None:
    x, y = PLACES[0]
    words = ("Douche publique", "Resto solidaire")
    rows = [{name: "A", "Type": word, "Lat": y, "Long": x} for word in words]
    table = read(write_csv(tmp_path / "s.csv", rows)).table
    assert list(table["name"]) == ["A", "A"]
    assert set(table["category"]) == {"bains_douches", "restaurant_solidaire"}


def test_a_study_names_what_is_not_found(tmp_path: Path) -> None:
    x, y = PLACES[0]
    rows = [{"Enseigne": "A", "Genre": "ESI", "E": x, "N": y, "nom": "autre chose"}]
    file = write_csv(tmp_path / "s.csv", rows)
    with pytest.raises(errors.InputFileError, match="Columns are Enseigne, Genre, E, N, nom"):
        read(file)
    columns = {"longitude": "E", "latitude": "n", "name": "Enseigne", "category": "Genre"}
    [row] = read(ServiceSource(file=file, columns=columns)).table.to_dict("records")
    assert (row["name"], row["category"]) == ("A", "esi")
    with pytest.raises(errors.InputFileError, match=r"no column 'Enseigna'.*Did you mean 'Ens"):
        read(ServiceSource(file=file, columns={**columns, "name": "Enseigna"}))


def test_headings_that_differ_by_signs_alone_are_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", [{**row, "NOM": "Autre"} for row in located()])
    services = read(path)
    assert "Autre" not in set(services.table["name"])
    assert list(services.problems["reason"]) == ["two columns with one heading"]


@pytest.mark.parametrize(("values", "read_as"), [(("75011", "75012"), "75011"), (("11", "3"), "")])
def test_an_arrondissement_is_a_postcode_where_it_looks_like_one(
    tmp_path: Path, values: tuple[str, str], read_as: str
) -> None:
    rows = [
        {"nom": str(i), "type": "esi", "arrondissement": value, "lon": x, "lat": y}
        for i, (value, (x, y)) in enumerate(zip(values, PLACES, strict=False))
    ]
    assert read(write_csv(tmp_path / "s.csv", rows)).table["postcode"].iloc[0] == read_as


# --- places --------------------------------------------------------------------------------------

WAYS = {
    "lat_lon": lambda x, y: f"{y}, {x}",
    "lon_lat": lambda x, y: f"{x}, {y}",
    "brackets": lambda x, y: f"[{y}, {x}]",
    "spaces": lambda x, y: f"{y} {x}",
    "commas": lambda x, y: f"{y}; {x}".replace(".", ","),
    "words": lambda x, y: f'{{"lon": {x}, "lat": {y}}}',
    "python": lambda x, y: f"{{'lat': {y}, 'lon': {x}}}",
    "wkt": lambda x, y: f"POINT ({x} {y})",
    "ewkt": lambda x, y: f"SRID=4326;POINT Z({x} {y} 35)",
    "geojson": lambda x, y: json.dumps({"type": "Point", "coordinates": [x, y]}),
    "feature": lambda x, y: json.dumps(
        {
            "type": "Feature",
            "geometry": {"coordinates": [[x, y]], "type": "MultiPoint"},
            "properties": {},
        }
    ),
}


@pytest.mark.parametrize(
    ("way", "heading"),
    [*((way, "tt") for way in WAYS), ("lat_lon", "Coordonnées"), ("geojson", "geo_shape")],
)
def test_places_in_one_text(tmp_path: Path, way: str, heading: str) -> None:
    rows = [{**row, heading: WAYS[way](x, y)} for row, (x, y) in zip(BASE, PLACES, strict=True)]
    services = read(write_csv(tmp_path / "s.csv", rows))
    assert services.problems.empty
    assert set(services.table["category"]) == IDS
    assert shapely.contains(AREA.geometry, services.table.geometry.to_numpy()).all()


def test_the_whole_column_says_which_number_is_the_latitude() -> None:
    near = near_box(AREA)
    x, y = PLACES[0]
    # One pair lies elsewhere, in no order that the area knows: the others decide for it.
    found = locate_texts([f"{x}, {y}", f"{PLACES[1][0]} {PLACES[1][1]}", "5.1, 45.2", "là"], near)
    np.testing.assert_allclose(found.degrees[:3], [PLACES[0], PLACES[1], (5.1, 45.2)])
    assert np.isnan(found.degrees[3]).all()
    assert found.doubts == ()
    # Nothing lies near, or both orders do: latitude first, and that is told.
    for texts in (["45.2, 5.1"], [f"{x}, {y}", f"{y}, {x}"]):
        doubtful = locate_texts(texts, near)
        assert doubtful.doubts[0][2:] == (
            "not certain which number is the latitude",
            "read as latitude, longitude",
        )
    np.testing.assert_allclose(locate_texts(["45.2, 5.1"], near).degrees, [(5.1, 45.2)])


def test_metres_are_read_in_the_crs_that_is_given(tmp_path: Path) -> None:
    x, y = toy_town.ORIGIN[0] + 200, toy_town.ORIGIN[1] + 300
    file = write_csv(tmp_path / "s.csv", [{"nom": "A", "type": "esi", "x": x, "y": y}])
    with pytest.raises(errors.CrsError, match=r'not degrees.*crs = "EPSG:2154"'):
        read(file)
    table = read(ServiceSource(file=file, crs="EPSG:2154")).table
    assert table.geometry[0].distance(shapely.Point(x, y)) < 0.01
    with pytest.raises(errors.CrsError, match="there is no CRS 'lambert'"):
        read(ServiceSource(file=file, crs="lambert"))
    # Portals keep metres beside degrees.
    lon, lat = PLACES[0]
    rows = [{"nom": "A", "type": "esi", "x": x, "y": y, "geo_point_2d": f"{lat}, {lon}"}]
    table = read(write_csv(tmp_path / "s.csv", rows)).table
    assert table.geometry[0].distance(shapely.Point(x, y)) < 0.05


# --- categories ----------------------------------------------------------------------------------


def one_row(tmp_path: Path, name: str = "s.csv", **cells: Any) -> Path:
    x, y = PLACES[0]
    return write_csv(tmp_path / name, [{"nom": "A", "lon": x, "lat": y, **cells}])


@pytest.mark.parametrize(
    "word", ["bains_douches", "Bains-douches", "BAINS DOUCHES", "Bain-douche", "Public baths"]
)
def test_words_for_a_category(tmp_path: Path, word: str) -> None:
    assert list(read(one_row(tmp_path, type=word)).table["category"]) == ["bains_douches"]


def test_the_category_of_a_file_and_its_columns(tmp_path: Path) -> None:
    # A column of types is about something else where the file as a whole has a category.
    table = read(ServiceSource(file=one_row(tmp_path, type="Wallace"), category="esi")).table
    assert list(table["category"]) == ["esi"]
    for cells, expected in (({"category": "bagagerie"}, "bagagerie"), ({"category": ""}, "esi")):
        source = ServiceSource(file=one_row(tmp_path, x=1, **cells), category="esi")
        assert list(read(source).table["category"]) == [expected]
    chosen = {"category": "type"}
    source = ServiceSource(file=one_row(tmp_path, type="ESI"), category="bagagerie", columns=chosen)
    assert list(read(source).table["category"]) == ["esi"]
    with pytest.raises(errors.CategoryError, match="no category 'essi'"):
        read(ServiceSource(file=one_row(tmp_path), category="essi"))


def test_rules_on_the_name(tmp_path: Path) -> None:
    names = ["BAINS-DOUCHES Nord", "Espace Solidarité Sud", "Désir", "L'ESI de l'Est", "Pôle"]
    rows = [
        {"nom": name, "lon": degrees(100 + 200 * i, 300)[0], "lat": degrees(100, 300)[1]}
        for i, name in enumerate(names)
    ]
    rules = {"bains_douches": r"bains?\S+douch", "esi": ["ESI", "espace solidarité"]}
    services = read(ServiceSource(file=write_csv(tmp_path / "s.csv", rows), rules=rules))
    found = dict(zip(services.table["name"], services.table["category"], strict=True))
    # "Désir" holds the letters, but not the word.
    assert found == {names[0]: "bains_douches", names[1]: "esi", names[3]: "esi"}
    told = services.problems
    assert list(told["row"]) == [3, 5]
    assert set(told["reason"]) == {"no rule fits"}
    for bad, error in (({"esi": "("}, errors.StudyFileError), ({"x": "y"}, errors.CategoryError)):
        with pytest.raises(error):
            read(ServiceSource(file=tmp_path / "s.csv", rules=bad))


def test_a_category_may_be_discreet_as_a_whole(tmp_path: Path) -> None:
    catalogue = extend_catalogue({"halte_femmes": {"discreet": True, "portal": ["Abri"]}})
    x, y = PLACES[0]
    rows = [
        {"nom": "Cachée", "type": "Abri", "lon": x, "lat": y, "discreet": "", "statut": "zzz"},
        {"nom": "Dite", "type": "Abri", "lon": x, "lat": y, "discreet": "non", "statut": "zzz"},
    ]
    services = read(write_csv(tmp_path / "s.csv", rows), catalogue=catalogue)
    shown = services.table.set_index("name")["discreet"].to_dict()
    assert shown == {"Cachée": True, "Dite": False}
    assert "Cachée" not in services.problems.to_csv()
    # Nor does any row tell what lies near it.
    assert "duplicate" not in set(services.problems["field"])


# --- what rows say -------------------------------------------------------------------------------


def test_words_of_columns_end_in_the_schema(tmp_path: Path) -> None:
    row = {
        "type": "esi",
        "statut": "Fermé temporairement",
        "valable": "",
        "date_debut": "01/02/2024",
        "Date fin": "2026-12-31",
        "acces_pmr": "Non",
        "public accueilli": "Femmes (animaux acceptés), sur orientation",
        "nb_places": "45",
        "date_maj": "2025-03-01",
    }
    services = read(one_row(tmp_path, **row))
    assert services.problems.empty
    [found] = services.table.to_dict("records")
    expected = {
        "status": "temporarily_closed",
        "valid_from": "2024-02-01",
        "valid_to": "2026-12-31",
        "wheelchair": "no",
        "animals": "yes",
        "admits": "women",
        "access": "referral",
        "capacity": "45",
        "capacity_value": 45,
        "capacity_unit": "places",
        "source_date": "2025-03-01",
    }
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("cells", "field", "reason", "action"),
    [
        ({"statut": "zz"}, "status", "not understood: zz", "taken as unknown"),
        ({"pmr": "zz"}, "wheelchair", "not understood: zz", "taken as unknown"),
        ({"admits": "zz"}, "admits", "not understood: zz", "taken as unknown"),
        ({"date_fin": "demain"}, "valid_to", "not a date", "taken as unknown"),
        (
            {"valid_from": "2026-01-01", "valid_to": "2025-01-01"},
            "valid_to",
            "ends before it begins",
            "kept, to be checked",
        ),
        ({"capacite": "beaucoup"}, "capacity", "no figure", "kept as text"),
        ({"capacity_value": "beaucoup"}, "capacity_value", "not a number", "taken as unknown"),
        ({"capacity_value": "3", "capacity_unit": "lits"}, "capacity_unit", "not one", "taken as"),
        ({"opening_hours": "Mo-Fr lunch"}, "opening_hours", "", "taken as unknown"),
        ({"opening_hours": "off"}, "status", "closed on every day", "taken as temporarily"),
    ],
)
def test_doubtful_cells_are_listed_and_the_row_is_kept(
    tmp_path: Path, cells: dict[str, str], field: str, reason: str, action: str
) -> None:
    services = read(one_row(tmp_path, type="esi", **cells))
    assert len(services.table) == 1
    [problem] = services.problems.to_dict("records")
    assert problem["field"] == field
    assert problem["reason"].startswith(reason)
    assert problem["action"].startswith(action)
    assert (problem["file"], problem["row"]) == ("s.csv", 1)


def test_hours_that_are_not_understood_stay_to_be_read(tmp_path: Path) -> None:
    table = read(one_row(tmp_path, type="esi", opening_hours="zzz à midi")).table
    assert list(table["opening_hours"]) == [""]
    assert list(table["opening_hours_text"]) == ["zzz à midi"]
    table = read(one_row(tmp_path, type="esi", opening_hours="Mo-Fr 09:00-12:00")).table
    assert list(table["opening_hours"]) == ["Mo-Fr 09:00-12:00"]


def test_problems_of_a_discreet_place_quote_nothing_of_it() -> None:
    problems = ProblemList(["f"] * 2, [1, 2], ["Abri", "Agora"], np.array([True, False]))
    reasons = ["not understood: 'rue Cachée'", "not understood: 'voir'"]
    problems.add([0, 1], "opening_hours", ["rue Cachée", "voir"], reasons, "taken as unknown")
    hidden, shown = problems.table().to_dict("records")
    assert (hidden["value"], hidden["reason"]) == ("", "not understood")
    assert (shown["value"], shown["reason"]) == ("Agora – voir", "not understood: 'voir'")


def test_hours_by_day_are_gathered(tmp_path: Path) -> None:
    week = dict.fromkeys(("mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"), "-")
    days = {f"horaires_{day}": text for day, text in {"lundi": "9h-12h", **week}.items()}
    services = read(
        one_row(tmp_path, type="esi", **days, horaires_periode="du 01/01/20 au 01/01/32")
    )
    text = services.table["opening_hours_text"][0]
    assert text.startswith("lundi 9h-12h ; mardi -")
    assert text.endswith("(du 01/01/20 au 01/01/32)")
    assert list(services.table["status"]) == ["open"]
    shut = read(one_row(tmp_path, type="esi", **{**days, "horaires_lundi": "-"}))
    assert list(shut.table["status"]) == ["temporarily_closed"]
    assert "closed on every day" in set(shut.problems["reason"])


MORNING, NOON = "07h30 - 13h00", "12h00 - 18h00"
WEEKS = {
    # Five bains-douches as the portal states them, and their hours as one reads them.
    "Saint-Merri": (
        [*[MORNING] * 3, "-", *[MORNING] * 2, "08h00 - 12h30"],
        "du 01/01/20 au 01/01/32",
        ["Mo-We,Fr-Sa 07:30-13:00", "Su 08:00-12:30", "Th off", "PH unknown"],
    ),
    "Deux-Ponts": (
        ["-", *[NOON] * 5, "-"],
        "à partir du 01/01/20",
        ["Tu-Sa 12:00-18:00", "Mo,Su off", "PH unknown"],
    ),
    "Charenton": (
        ["-", *[MORNING] * 5, "08h00 - 12h30"],
        "du 01/01/20 au 01/02/25",
        ["Tu-Sa 07:30-13:00", "Su 08:00-12:30", "Mo off", "PH unknown"],
    ),
    "Bidassoa": (["-"] * 7, "du 01/01/20 au 01/01/32", ["Mo-Su off"]),
    "Rouvet": (["-"] * 7, "du 19/01/24 au 30/09/25", ["Mo-Su off"]),
}
PERIODS = {
    "du 01/01/20 au 01/01/32": "2020 Jan 01-2032 Jan 01",
    "à partir du 01/01/20": "2020 Jan 01-9999 Dec 31",
    "du 01/01/20 au 01/02/25": "2020 Jan 01-2025 Feb 01",
    "du 19/01/24 au 30/09/25": "2024 Jan 19-2025 Sep 30",
}


def test_weeks_of_the_portal_come_out_as_one_reads_them(tmp_path: Path) -> None:
    days = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    rows = [
        {
            "nom": f"Bain-douche {name}",
            "type": "Bains-douches",
            "geo_point_2d": {"lon": PLACES[0][0] + 0.01 * at, "lat": PLACES[0][1]},
            "statut_ouverture": None,
            "horaires_periode": period,
            **{f"horaires_{day}": text for day, text in zip(days, week, strict=True)},
        }
        for at, (name, (week, period, _)) in enumerate(WEEKS.items())
    ]
    path = tmp_path / "ilots.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    services = read(path)
    found = services.table.set_index("name")
    for name, (_, period, rules) in WEEKS.items():
        hours = ["unknown", *(f"{PERIODS[period]} {rule}" for rule in rules)]
        assert found.loc[f"Bain-douche {name}", "opening_hours"] == "; ".join(hours)
    shut = found.index[found["status"] == "temporarily_closed"]
    assert sorted(shut) == ["Bain-douche Bidassoa", "Bain-douche Rouvet"]
    assert set(services.problems["reason"]) == {"closed on every day"}


# --- duplicates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Bain -douche Pyrénées", "BAINS-DOUCHES des Pyrenees", True),
        ("Bains-douches Rome", "Bains-douches Meaux", False),
        ("Restaurant 7", "Restaurant 8", False),
    ],
)
def test_spellings_of_one_name(one: str, other: str, alike: bool) -> None:
    assert (name_key(one) == name_key(other)) is alike


def test_duplicates_are_left_out_only_where_the_name_is_the_same(tmp_path: Path) -> None:
    places = [(200, 300), (210, 310), (215, 300), (220, 300), (200, 340), (205, 300)]
    names = ["Bains Rome", "Bain de Rome", "Bains Meaux", "Bains Rome", "Bains Rome", "Bains Rome"]
    kinds = ["bains_douches"] * 5 + ["esi"]
    status = ["open"] * 3 + ["closed"] + ["open"] * 2
    rows = [
        {"nom": name, "category": kind, "statut": word}
        | dict(zip(("lon", "lat"), degrees(*place), strict=True))
        for name, kind, word, place in zip(names, kinds, status, places, strict=True)
    ]
    services = read(write_csv(tmp_path / "s.csv", rows))
    told = {
        row["row"]: (row["reason"], row["action"]) for row in services.problems.to_dict("records")
    }
    doubt = ("less than 30 m from row 1 of s.csv", "kept, to be checked")
    # The fifth lies 40 m off, the sixth is of another category.
    assert told == {2: ("the same place as row 1 of s.csv", "left out"), 3: doubt, 4: doubt}
    assert len(services.table) == 5


def test_what_one_of_two_rows_hides_stays_hidden(tmp_path: Path) -> None:
    x, y = PLACES[0]
    rows = [
        {"nom": "Abri", "category": "esi", "lon": x, "lat": y, "discreet": hidden}
        for hidden in ("non", "oui")
    ]
    services = read(write_csv(tmp_path / "s.csv", rows))
    assert list(services.table["discreet"]) == [True]
    assert "Abri" not in services.problems.to_csv()
    assert "row" not in services.problems["reason"][0].replace("another row", "")


def test_the_row_that_is_kept_names_the_other_sources(tmp_path: Path) -> None:
    files = [one_row(tmp_path, f"{source}.csv", type="esi", source=source) for source in "abc"]
    services = read(*files)
    [row] = services.table.to_dict("records")
    assert (row["source"], row["other_sources"]) == ("a", "b;c")
    assert list(services.problems["file"]) == ["b.csv", "c.csv"]
    # Unless somebody merges them later.
    assert len(read(*files, across_sources=False).table) == 3


PLACED = st.tuples(
    st.sampled_from(["esi", "bagagerie"]),
    st.sampled_from(["Rome", "Meaux", ""]),
    st.integers(0, 120),
    st.integers(0, 120),
)


@given(st.lists(PLACED, max_size=25))
def test_duplicates_against_all_pairs(rows: list[tuple[str, str, int, int]]) -> None:
    kinds, names, x, y = (list(column) for column in zip(*rows, strict=True)) if rows else [[]] * 4
    xy = np.array([x, y], dtype=float).T.reshape(-1, 2)
    same, near = find_duplicates(kinds, names, ["open"] * len(rows), xy)
    within = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= DUPLICATE_M
    kept: list[int] = []
    for row in range(len(rows)):
        alike = [
            i
            for i in kept
            if within[row, i] and (kinds[i], names[i]) == (kinds[row], names[row]) and names[row]
        ]
        assert (same[row] >= 0) == bool(alike)
        if alike:
            assert same[row] in alike
            continue
        kept.append(row)
        if near[row] >= 0:
            assert near[row] < row and within[row, near[row]] and kinds[near[row]] == kinds[row]
        elif any(within[row, i] and kinds[i] == kinds[row] for i in kept[:-1]):
            # What is not doubted lies near none but rows that are doubted themselves.
            assert all(near[i] >= 0 for i in kept[:-1] if within[row, i] and kinds[i] == kinds[row])


# --- nothing is lost, nothing breaks -------------------------------------------------------------

ODD = st.sampled_from(
    [
        *("", " ", "-", "2,35", "48.85", "nan", "inf", "-inf", "1e400", "POINT(", "[[[[", "é"),
        *('{"lon":', "esi", "Bains-douches", "oui", "non", "99/99/9999", "Mo-Fr 09:00-12:00"),
        *("38 casiers", "\x00"),
    ]
)
CELL = ODD | st.text(max_size=20)
HEADINGS = [name for names in aliases().values() for name in names[:2]]


def settle(read_it: Any, rows: int) -> None:
    """Check that no row is lost: all are in the table, or listed once as left out."""
    try:
        services = read_it()
    except errors.QuartHeureError as error:
        assert str(error)
        return
    out = services.problems[services.problems["action"] == "left out"]
    assert len(services.table) + len(out) == rows
    assert not out[["file", "row"]].duplicated().any()
    assert services.table["service_id"].is_unique
    assert np.isfinite(services.table.to_crs(4326).total_bounds).all() or services.table.empty


@given(st.data())
def test_any_cells_lose_no_row(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    headings = data.draw(st.lists(st.sampled_from(HEADINGS), min_size=1, max_size=6, unique=True))
    headings = ["category", "lon", "lat", *(h for h in headings if h not in {"lon", "lat"})]
    headings = list(dict.fromkeys(headings))
    x, y = PLACES[0]
    special = {"lon": st.just(str(x)) | CELL, "lat": st.just(str(y)) | CELL}
    special["category"] = st.sampled_from(["esi", "bagagerie"]) | CELL
    rows = data.draw(
        st.lists(st.fixed_dictionaries({h: special.get(h, CELL) for h in headings}), max_size=6)
    )
    records = [
        {**row, "_lon": as_number(row["lon"]), "_lat": as_number(row["lat"])} for row in rows
    ]
    settle(lambda: services_from_rows(records, AREA, catalogue=CATALOGUE), len(rows))
    path = tmp_path_factory.mktemp("any") / "s.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    settle(lambda: read(path), len(rows))


def as_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


@settings(max_examples=60)
@given(
    content=st.binary(max_size=200)
    | st.text(alphabet='lonat,;\t|"\n1.é2=', max_size=120).map(str.encode)
    | st.text(alphabet='[]{}:,"lonat12.eul ', max_size=60).map(str.encode),
    name=st.sampled_from(["a.csv", "a.json", "a.xlsx", "a.tsv"]),
    start=st.sampled_from(
        [b"", b"category,lon,lat\n", b"PK\x03\x04", b'[{"lon": 1, "lat": 2, "x": ']
    ),
)
def test_any_bytes_end_clearly(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(start + content)
    try:
        services = read(path)
    except errors.QuartHeureError as error:
        assert str(error)
    else:
        assert list(services.table.columns) == [*SERVICE_COLUMNS, "geometry"]


def test_the_work_grows_with_the_rows_alone(tmp_path: Path) -> None:
    # All at one place, with one id, in one category: where pairs are compared, this never ends.
    x, y = PLACES[0]
    cells = f"{x};{y};esi;" + " " * 900 + "zz;12 13 14;un;Mo-Fr;" + "(" * 400
    lines = [f"{cells};Lieu {i}" for i in range(5_000)]
    path = tmp_path / "s.csv"
    path.write_text(
        "lon;lat;category;public;capacite;id;horaires;tt;nom\n" + "\n".join(lines), encoding="utf-8"
    )
    services = read(path)
    assert len(services.table) == 5_000
    assert services.table["service_id"].is_unique
