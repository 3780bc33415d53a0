"""Tables for offices: CSV as spreadsheets of the language open it, and a workbook."""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from helpers.hostile import hostile_coverage
from quart_heure.errors import OutputError
from quart_heure.file_sets import replacing_set
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.results.office import styled_csv, with_bars, write_workbook
from quart_heure.outputs.results.write import text_tables
from quart_heure.schema import COLUMNS, table_columns
from quart_heure.study import Study


@pytest.fixture(scope="module")
def tables(toy_study: Study) -> dict[str, tuple[pd.DataFrame, list]]:
    return text_tables(publishable(hostile_coverage(toy_study)))


def read_office(text: str) -> list[list[str]]:
    """Read a file as a French spreadsheet does: it takes the mark away, and parts at semicolons."""
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";"))


def test_a_french_spreadsheet_reads_every_cell(
    tables: dict[str, tuple[pd.DataFrame, list]],
) -> None:
    for name, (frame, columns) in tables.items():
        head, *rows = read_office(styled_csv(frame, columns, style="office", lang="fr"))
        shown = [column for column in columns if column.name in head]
        assert head == [column.name for column in shown]
        assert len(rows) == len(frame), name
        for at, column in enumerate(shown):
            cells = [row[at] for row in rows]
            if column.dtype in {"number", "integer"}:
                assert all(re.fullmatch(r"-?\d*(,\d+)?", cell) for cell in cells), column.name
                found = [float(c.replace(",", ".")) if c else math.nan for c in cells]
                given = frame[column.name].astype(float).replace([np.inf, -np.inf], np.nan)
                decimals = 6 if column.decimals is None else column.decimals
                assert np.allclose(found, given, rtol=0, atol=0.51 * 10**-decimals, equal_nan=True)
            elif column.dtype == "text":
                assert not any(cell.startswith(("=", "+", "-", "@", "＝")) for cell in cells)


def test_an_english_spreadsheet_reads_points_and_commas() -> None:
    columns = [c for c in table_columns("gaps") if c.name in {"districts", "area_ha"}]
    frame = pd.DataFrame({"districts": ["a;b"], "area_ha": [1.5]})
    assert styled_csv(frame, columns, style="office", lang="en") == (
        "\ufeffdistricts,area_ha\na | b,1.5000\n"
    )
    assert styled_csv(frame, columns) == "districts,area_ha\na;b,1.5000\n"


def test_no_list_has_the_sign_that_parts_cells(
    tables: dict[str, tuple[pd.DataFrame, list]],
) -> None:
    lists = {column.name for column in COLUMNS if "';'" in column.en}
    assert lists >= {"admits", "districts", "other_sources"}
    for column in sorted(lists):
        frame = with_bars(pd.DataFrame({column: ["a;b; c", ""]}))
        assert frame[column].tolist() == ["a | b | c", ""], column
    assert sum(name in frame for name in lists for frame, _ in tables.values()) >= 3


def test_the_workbook_holds_the_same_cells_and_runs_none(
    tables: dict[str, tuple[pd.DataFrame, list]], tmp_path: Path
) -> None:
    titles = {name: f"{name[:20]} [x]" for name in tables} | {"about": "À lire"}
    paths = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path in paths:
        about = [("Nom", "=1+1")]
        created = "2026-11-29T13:00:00Z"
        write_workbook(tables, path, lang="fr", titles=titles, created=created, about=about)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    book = CalamineWorkbook.from_path(str(paths[0]))
    assert book.sheet_names == ["À lire", *(f"{name[:20]} -x-" for name in tables)]
    assert book.get_sheet_by_index(0).to_python() == [["Nom", "=1+1"]]
    for at, (name, (frame, columns)) in enumerate(tables.items(), start=1):
        sheet = book.get_sheet_by_index(at).to_python(skip_empty_area=False)
        shown = [column for column in columns if column.name in frame]
        assert sheet[0] == [column.name for column in shown]
        for row, given in zip(sheet[1:], with_bars(frame).iloc, strict=False):
            for cell, column in zip(row, shown, strict=False):
                value = given[column.name]
                if column.dtype == "text":
                    assert cell == ("" if pd.isna(value) else str(value)), (name, column.name)
                elif column.dtype == "boolean":
                    assert cell is bool(value)
                elif pd.isna(value) or not math.isfinite(value):
                    assert cell == ""
                else:
                    assert cell == pytest.approx(
                        float(value), abs=0.51 * 10 ** -(column.decimals or 0)
                    )
    # What a spreadsheet runs is kept in elements of its own.
    with zipfile.ZipFile(paths[0]) as archive:
        sheets = [archive.read(n) for n in archive.namelist() if "worksheets/sheet" in n]
    assert sheets
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


# --- a set of files ------------------------------------------------------------------------------


def test_a_set_replaces_its_own_files_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for texts, former in (({"a": "1", "sub/b": "1"}, []), ({"a": "2"}, ["a", "sub/b"])):
        with replacing_set(tmp_path, former=former) as made:
            for name, text in texts.items():
                (made / name).parent.mkdir(exist_ok=True)
                (made / name).write_text(text)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "mine.txt"]
    assert (tmp_path / "a").read_text() == "2"


@pytest.mark.parametrize("fails", ["while it is made", "while files take their places"])
def test_a_set_that_fails_leaves_what_was_there(
    tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new" / "set"
    if fails != "while it is made":
        folder.mkdir(parents=True)
        for name in ("a", "c"):
            (folder / name).write_text("before")
    replaced = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target == folder / "b":
            raise OSError(28, "No space left on device")
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with (
        pytest.raises(OutputError, match="No space left"),
        replacing_set(folder, former=["c"]) as made,
    ):
        (made / "a").write_text("after")
        if fails == "while it is made":
            raise OSError(28, "No space left on device")
        (made / "b").write_text("after")
    if fails == "while it is made":
        assert not (tmp_path / "new").exists()
    else:
        assert {path.name: path.read_text() for path in folder.iterdir()} == {
            "a": "before",
            "c": "before",
        }
