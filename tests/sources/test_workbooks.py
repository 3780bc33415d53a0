"""Workbooks as people keep them: several sheets, titles above the headings, merged cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import toy_town
from helpers.workbooks import Rows, write_ods, write_sheets
from quart_heure.categories import default_catalogue
from quart_heure.errors import InputFileError
from quart_heure.sources.problems import choices_of
from quart_heure.sources.services.services import Services, read_services
from quart_heure.sources.services.settings import ServiceSource

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
