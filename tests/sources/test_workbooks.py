"""Workbooks as people keep them: several sheets, titles above the headings, merged cells."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from helpers import toy_town
from helpers.workbooks import Rows, write_ods, write_sheets
from quart_heure.categories import default_catalogue
from quart_heure.errors import InputFileError
from quart_heure.sources import sheet_sizes
from quart_heure.sources.problems import choices_of
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource
from quart_heure.sources.workbooks import read_sheets

AREA = toy_town.town_area()
HEAD = ("nom", "catégorie", "latitude", "longitude")
PLACES = (
    ("Bains du Port", "Bains-douches", 48.8600, 2.3500),
    ("Bagagerie Nord", "Bagagerie", 48.8605, 2.3510),
)


def read(path: Path, **settings: str) -> Services:
    return read_services(
        [ServiceSource(file=path, **settings)], AREA, catalogue=default_catalogue()
    )


def names(services: Services) -> set[str]:
    return set(services.table["name"])


def told(services: Services) -> list[tuple[str, str, str]]:
    rows = services.problems[services.problems["row"].isna()]
    return list(rows[["field", "value", "reason"]].itertuples(index=False, name=None))


def test_a_hidden_first_sheet_is_passed_over_and_told(tmp_path: Path) -> None:
    old = [HEAD, ("Ancienne", "Bagagerie", 48.861, 2.352)]
    path = write_sheets(
        tmp_path / "s.xlsx", {"archives": old, "2026": [HEAD, *PLACES]}, hidden=["archives"]
    )
    services = read(path)
    assert names(services) == {"Bains du Port", "Bagagerie Nord"}
    assert told(services) == [("sheet", "archives: 1 rows", "hidden")]
    assert choices_of(services.problems) == [
        "s.xlsx: hidden (archives: 1 rows), chosen: the others, sheet names this"
    ]
    # Whoever wants it names it.
    assert names(read(path, part="archives")) == {"Ancienne"}


def test_all_sheets_with_places_are_read_and_the_others_told(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {
        "Lisez-moi": [("Liste tenue par le service social",), ("depuis 2024",)],
        "Nord": [HEAD, PLACES[0]],
        "Sud": [HEAD, PLACES[1]],
    }
    services = read(write_sheets(tmp_path / "s.xlsx", sheets))
    assert names(services) == {"Bains du Port", "Bagagerie Nord"}
    assert ("sheet", "Lisez-moi: 1 rows", "without coordinates") in told(services)
    assert dict(services.rows.values()) == {"s.xlsx, Nord": 1, "s.xlsx, Sud": 1}
    assert set(services.table["source"]) == {"s.xlsx"}


def test_the_name_of_a_sheet_is_the_category_of_rows_without_one(tmp_path: Path) -> None:
    bare = [(HEAD[0], *HEAD[2:])]
    sheets = {
        "Bains-douches": [*bare, (PLACES[0][0], *PLACES[0][2:])],
        "Bagagerie": [*bare, (PLACES[1][0], *PLACES[1][2:])],
        "Brouillon": [*bare, ("Inconnu", 48.8590, 2.3490)],
    }
    services = read(write_sheets(tmp_path / "s.xlsx", sheets))
    found = services.table.set_index("name")["category"].to_dict()
    assert found == {"Bains du Port": "bains_douches", "Bagagerie Nord": "bagagerie"}
    lost = services.problems[services.problems["action"] == "left out"]
    assert list(lost["file"]) == ["s.xlsx, Brouillon"]
    assert list(lost["reason"]) == ["unknown category"]


def test_an_unknown_sheet_is_refused_with_the_names(tmp_path: Path) -> None:
    path = write_sheets(tmp_path / "s.xlsx", {"Nord": [HEAD, *PLACES], "Sud": [HEAD]})
    with pytest.raises(InputFileError, match="no sheet 'Est'") as refused:
        read(path, part="Est")
    assert "'Nord', 'Sud'" in str(refused.value.hint)


@pytest.mark.parametrize(
    "title",
    [
        [("Lieux solidaires de la ville",)],
        [("Lieux solidaires", None, "maj 12/03/2026"), (None,)],
        [("Lieux",), ("Source : mairie",), ()],
    ],
)
def test_a_title_above_the_headings(tmp_path: Path, title: Rows) -> None:
    services = read(write_sheets(tmp_path / "s.xlsx", {"Lieux": [*title, HEAD, *PLACES]}))
    assert names(services) == {"Bains du Port", "Bagagerie Nord"}
    assert sorted(row for _, row in services.rows.values()) == [1, 2]  # below the headings
    [(field, value, _)] = told(services)
    assert field == "headings"
    assert value.startswith("line 1")


@pytest.mark.parametrize("title", ["Lieux solidaires", "Lieux solidaires, état de mars"])
def test_a_title_above_the_headings_of_a_csv(tmp_path: Path, title: str) -> None:
    rows = [";".join(map(str, row)) for row in (HEAD, *PLACES)]
    path = tmp_path / "s.csv"
    path.write_text("\n".join([title, *rows]), encoding="utf-8")
    services = read(path)
    assert names(services) == {"Bains du Port", "Bagagerie Nord"}
    assert [field for field, *_ in told(services)] == ["headings"]


def test_a_comma_in_two_columns_is_no_title(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text('nom,point\nBains;douches,"48.86;2.35"\nA;B,"48.8605;2.351"\n', "utf-8")
    assert names(read(path, category="bagagerie")) == {"Bains;douches", "A;B"}


MERGED = (
    HEAD,
    ("Bains du Port", "Bains-douches", 48.8600, 2.3500),
    ("Bains du Quai", None, 48.8590, 2.3480),
    ("Bagagerie Nord", "Bagagerie", 48.8605, 2.3510),
    ("Sans rien", None, 48.8610, 2.3520),
)


def test_merged_cells_of_a_category_hold_for_all_their_rows(tmp_path: Path) -> None:
    xlsx = write_sheets(tmp_path / "s.xlsx", {"Lieux": MERGED}, merged={"Lieux": ["B2:B3"]})
    ods = write_ods(tmp_path / "s.ods", MERGED, tall={(1, 1): 2})
    for path in (xlsx, ods):
        services = read(path)
        found = services.table.set_index("name")["category"].to_dict()
        assert found == {
            "Bains du Port": "bains_douches",
            "Bains du Quai": "bains_douches",
            "Bagagerie Nord": "bagagerie",
        }
        # A blank that is not merged is none.
        [lost] = services.problems[services.problems["action"] == "left out"].to_dict("records")
        assert (lost["row"], lost["reason"]) == (4, "no category")


def test_merged_cells_of_a_table_that_stands_apart(tmp_path: Path) -> None:
    """Rows and columns are counted from the table, merged cells from the corner of the sheet."""
    rows: Rows = [(), (), *[(None, None, *row) for row in MERGED]]
    path = write_sheets(tmp_path / "s.xlsx", {"Lieux": rows}, merged={"Lieux": ["D4:D5"]})
    found = read(path).table.set_index("name")["category"]
    assert found["Bains du Quai"] == "bains_douches"
    assert "Sans rien" not in found


@pytest.mark.parametrize(
    ("sheet", "title"),
    [("Lieux", "Liste confidentielle"), ("Confidentiel", None), ("Lieux", "NE PAS DIFFUSER")],
)
def test_a_word_of_secrecy_above_a_table_hides_all_of_it(
    tmp_path: Path, sheet: str, title: str | None
) -> None:
    above: Rows = [] if title is None else [(title,)]
    services = read(write_sheets(tmp_path / "s.xlsx", {sheet: [*above, HEAD, *PLACES]}))
    assert services.table["discreet"].all()
    told = services.problems[services.problems["field"] == "discreet"]
    assert set(told["reason"]) == {"a word of secrecy in the column 'title of the table'"}
    # Nor is what it says repeated.
    assert not services.problems["value"].str.contains("onfident|DIFFUSER").any()


# --- how large a sheet is ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_a_sheet_that_spans_too_much_is_not_read(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cells apart are enough; here the limit is small, and so is what they span."""
    rows: list[list[str | float | None]] = [[None] * 5 for _ in range(10)]
    rows[1][1], rows[9][4] = "a", 1.0
    path = tmp_path / f"x.{ending}"
    _ = write_sheets(path, {"x": rows}) if ending == "xlsx" else write_ods(path, rows, tall={})
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", 9 * 4)
    [sheet] = read_sheets(path)
    assert (len(sheet.rows), len(sheet.rows[0])) == (9, 4)
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", 9 * 4 - 1)
    with pytest.raises(InputFileError, match=r"x\..*: its sheets span 36 cells\. 35 at most"):
        read_sheets(path)


def repeated(path: Path, row: str) -> Path:
    write_ods(path, [["REPLACED"]], tall={})
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist()}
    begin, end = parts["content.xml"].split("<table:table-row>")[0], "</table:table>"
    parts["content.xml"] = begin + row + end + parts["content.xml"].split(end)[1]
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return path


@pytest.mark.parametrize("inner", ["", '<table:table-cell table:number-columns-repeated="6"/>'])
def test_repeated_cells_are_counted_as_often_as_they_stand(
    tmp_path: Path, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = '<table:table-cell {} office:value-type="float" office:value="1"/>'
    many = cell.format('table:number-columns-repeated="4"')
    row = f'<table:table-row table:number-rows-repeated="3">{many}{inner}</table:table-row>'
    blank = (
        '<table:table-row table:number-rows-repeated="1000"><table:table-cell/></table:table-row>'
    )
    path = repeated(tmp_path / "x.ods", row + blank)
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", 12)
    [sheet] = read_sheets(path)  # what is blank behind the last cell takes no room
    assert sheet.rows == [("1",) * 4] * 3
    repeated(path, row)
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", 11)
    with pytest.raises(InputFileError, match="its sheets span 12 cells"):
        read_sheets(path)


def test_a_sheet_that_is_only_coloured_takes_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[list[str | None]] = [["a", None], *([[None, None]] * 8), [None, None, None]]
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", 1)
    [sheet] = read_sheets(write_sheets(tmp_path / "x.xlsx", {"x": rows}))
    assert sheet.rows == [("a",)]


def test_a_binary_workbook_is_tried_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.xls"
    path.write_bytes(b"no workbook")
    with pytest.raises(InputFileError, match="cannot be read as an Excel workbook"):
        read_sheets(path)
    monkeypatch.setattr(sheet_sizes, "_TRIAL", "import os; os.abort()")
    with pytest.raises(InputFileError, match="asks for more room than a workbook needs"):
        read_sheets(path)


# --- what is damaged is measured by the reader itself ---------------------------------------------

_FAR = '<row r="1"><c r="A1"><v>1</v></c></row>{}<row r="9"><c r="A9"><v>1</v></c></row>'
_TO_THE_END = 9
"""Cells of a sheet of one column, with its first and its ninth filled."""


def with_sheet(path: Path, body: str, *, before: str = "") -> Path:
    """Write an XLSX with this in its sheet, whatever it is."""
    write_sheets(path, {"x": [["a"]]})
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = f"<worksheet><sheetData>{body}</sheetData></worksheet>"
    parts["xl/worksheets/sheet1.xml"] = (before + sheet).encode()
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return path


def spans_too_much(path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether one cell too many is refused; as many as may be are read."""
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", _TO_THE_END)
    [sheet] = read_sheets(path)
    assert len(sheet.rows) == _TO_THE_END
    monkeypatch.setattr(sheet_sizes, "MOST_CELLS", _TO_THE_END - 1)
    with pytest.raises(InputFileError, match="its sheets span 9 cells"):
        read_sheets(path)
    return True


@pytest.mark.parametrize(
    ("body", "before"),
    [
        (_FAR.format("<x></y>"), ""),
        (_FAR.format("<x a=1/>"), ""),
        (_FAR.format("\x00"), ""),
        (_FAR.format(""), "words"),
        (_FAR.format(""), '<!DOCTYPE x [<!ENTITY a "b">]>'),
        (_FAR.format(""), '<?xml version="1.0" encoding="of-nobody"?>'),
        (_FAR.format("").replace('r="9"', "").replace('"A9"', '"A00000009"'), ""),
        (_FAR.format("").replace('r="9"', ""), ""),
        (_FAR.format(f'<row r="{"9" * 5_000}"/>').replace('"A9"', '"a9"'), ""),
    ],
    ids=["ends", "attribute", "nul", "words", "entity", "encoding", "zeros", "no row", "number"],
)
def test_a_sheet_is_measured_as_its_reader_reads_it(
    tmp_path: Path, body: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spans_too_much(with_sheet(tmp_path / "x.xlsx", body, before=before), monkeypatch)


def _changed_byte(path: Path, mark: bytes, step: int, byte: int) -> None:
    content = bytearray(path.read_bytes())
    content[content.rindex(mark) + step] = byte
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("mark", "step", "byte"),
    [(b"nothing", 0, ord("N")), (b"PK\1\2", 8, 1), (b"PK\1\2", 10, 97), (b"PK\1\2", 10, 8)],
    ids=["checksum", "encrypted", "method", "deflated"],
)
def test_a_part_that_cannot_be_unpacked_hides_no_sheet(
    tmp_path: Path, mark: bytes, step: int, byte: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_sheet(tmp_path / "x.xlsx", _FAR.format(""))
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("docProps/remark.bin", b"nothing of a sheet")
    _changed_byte(path, mark, step, byte)
    assert spans_too_much(path, monkeypatch)


def test_an_ending_in_capitals_hides_no_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="1"/>'
    row = f'<table:table-row table:number-rows-repeated="9">{cell}</table:table-row>'
    path = repeated(tmp_path / "x.ods", row)
    # In capitals an ending says nothing to the reader, which looks into the file.
    assert spans_too_much(path.rename(tmp_path / "x.XLSX"), monkeypatch)


@pytest.mark.parametrize("value", ["string-value", "date-value", "time-value", "boolean-value"])
def test_values_of_every_kind_take_room(
    tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"date-value": "2026-01-01", "time-value": "PT1H", "boolean-value": "true"}
    cell = f'<table:table-cell office:{value}="{said.get(value, "a")}"/>'
    row = f'<table:table-row table:number-rows-repeated="+9">{cell}</table:table-row>'
    assert spans_too_much(repeated(tmp_path / "x.ods", row), monkeypatch)


def test_pictures_and_settings_of_a_printer_are_not_in_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_sheet(tmp_path / "x.xlsx", _FAR.format(""))
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("xl/printerSettings/printerSettings1.bin", bytes(range(256)))
    monkeypatch.setattr(sheet_sizes, "_TRIAL", "import os; os.abort()")
    assert len(read_sheets(path)) == 1
    # Where nothing can be tried, what is damaged is not opened.
    monkeypatch.setitem(sys.modules, "resource", None)
    with_sheet(path, _FAR.format("<x></y>"))
    with pytest.raises(InputFileError, match="is damaged: not all of its parts can be read"):
        read_sheets(path)
