"""Geocoding as the State's service and addok-csv were seen to answer, on good days and bad ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.fake_geocoder import ADDED, FakeGeocoder, Place, score
from helpers.workbooks import write_sheets
from quart_heure.cli import main
from quart_heure.errors import InputFileError, TryLaterError
from quart_heure.sources.online.geocoding import Geocoded, geocode_file
from quart_heure.sources.online.web import Patience, Web

PARIS, LYON = {"city": "Paris"}, {"city": "Lyon", "lon": 4.84, "lat": 45.76}
KNOWN = (
    # In both towns, and of these two the service finds that of Lyon first.
    Place(number="19", street="Rue Casimir Périer", postcode="69002", **LYON),
    Place(number="19", street="Rue Casimir Périer", postcode="75007", **PARIS),
    Place(number="8", street="Boulevard du Port", postcode="75010", **PARIS),
    Place(number="5", street="Impasse Joubert", postcode="75009", **PARIS),
    Place(number="12", street="Rue du Faubourg Saint-Denis", postcode="75010", **PARIS),
    Place(number="3", street="Avenue Foch", postcode="75116", **PARIS),
    Place(number="4", street="Place de la Poste", postcode="01000", city="Bourg-en-Bresse"),
)


@pytest.fixture
def service() -> Iterator[FakeGeocoder]:
    with FakeGeocoder(*KNOWN).running() as known:
        yield known


@pytest.fixture
def addok() -> Iterator[FakeGeocoder]:
    with FakeGeocoder(*KNOWN, addok=True).running() as known:
        yield known


def geocode(
    service: FakeGeocoder,
    folder: Path,
    *rows: tuple[str, ...],
    heads: tuple[str, ...] = ("nom", "adresse", "code postal", "commune"),
    **changes: Any,
) -> Geocoded:
    path = folder / "liste.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([heads, *(("X", *row) for row in rows)])
    waits = changes.pop("waits", [])
    web = Web(Patience(pauses_s=(5.0, 20.0), timeout_s=2.0, wait=waits.append))
    output = folder / "placed.csv"
    return geocode_file(path, output, web=web, url=service.search, **changes)


def reasons(done: Geocoded) -> dict[int, str]:
    return {weak.row: weak.reason for weak in done.weak}


# ---- what is sent, and where a match may lie


def test_the_commune_is_known_by_its_headings_and_sent(
    service: FakeGeocoder, tmp_path: Path
) -> None:
    done = geocode(service, tmp_path, ("19 rue Casimir Périer", "75007", "PARIS 7E"))
    assert service.asked == [
        [{"address": "19 rue Casimir Périer", "postcode": "75007", "city": "PARIS"}]
    ]
    assert done.placed == 1
    for heading in ("ville", "Nom de la commune", "City"):
        heads = ("nom", "adresse", "CP", heading)
        geocode(service, tmp_path, ("19 rue Casimir Périer", "", "Paris"), heads=heads)
        assert service.asked[-1][0]["city"] == "Paris"


def test_without_a_postcode_a_match_in_another_commune_is_refused_and_told(
    service: FakeGeocoder, tmp_path: Path
) -> None:
    done = geocode(
        service,
        tmp_path,
        ("19 rue Casimir Périer", "", ""),
        ("4 place de la Poste", "", "Lyon"),
        ("19 rue Casimir Périer", "", "Paris 7ème arrondissement"),
        ("19 rue Casimir Périer, Paris", "", ""),
        ("19 rue Casimir Périer, 75007 Paris", "", ""),
    )
    assert (done.placed, done.without_postcode) == (3, 4)
    assert reasons(done) == {
        1: "found in 69002 Lyon, and the row names neither postcode nor commune",
        2: "another commune (01000 Bourg-en-Bresse)",
    }
    assert done.lines()[1].startswith("4 of those sent have no postcode")
    with done.path.open(encoding="utf-8") as file:
        assert [row["longitude"] for row in csv.DictReader(file, delimiter=";")][2:] == ["2.35"] * 3


def test_kinds_of_streets_are_written_out(service: FakeGeocoder, tmp_path: Path) -> None:
    short = (
        "8 bd du Port",
        "8 bld. du Port",
        "5 imp. Joubert",
        "12 r. du fg St-Denis",
        "3 av Foch",
    )
    # So they are refused, with the right house number, when they are sent as they are.
    for text in short:
        assert max(score(text, place) for place in KNOWN) < 0.75
    done = geocode(service, tmp_path, *((text, "", "Paris") for text in short))
    assert done.placed == len(short)
    assert [row["address"] for row in service.asked[0]] == [
        "8 Boulevard du Port",
        "8 Boulevard du Port",
        "5 Impasse Joubert",
        "12 Rue du Faubourg Saint-Denis",
        "3 Avenue Foch",
    ]


def test_postcodes_are_mended_or_told(service: FakeGeocoder, tmp_path: Path) -> None:
    done = geocode(
        service,
        tmp_path,
        ("8 bd du Port", "75 010", "Paris"),
        ("8 bd du Port", "75010.0", "Paris"),
        ("4 place de la Poste", "1000", "Bourg-en-Bresse"),
        ("8 bd du Port", "75480", "Paris CEDEX 10"),
        ("8 bd du Port", "75480", "Paris"),
        ("8 bd du Port", "dix", "Paris"),
        ("4 place de la Poste", "69480 CEDEX", "Bourg-en-Bresse"),
    )
    assert [row["postcode"] for row in service.asked[0]] == [
        *("75010", "75010", "01000", "", "75480", "", ""),
    ]
    assert reasons(done) == {
        5: "no match with the postcode 75480, perhaps a CEDEX (not-found)",
        7: "another department than that of the CEDEX (01000)",
    }
    assert [(each.row, each.what) for each in done.mended] == [
        (1, "postcode '75 010' sent as 75010"),
        (2, "postcode '75010.0' sent as 75010"),
        (3, "postcode '1000' sent as 01000"),
        (4, "the postcode 75480 is a CEDEX, not that of a street"),
        (6, "postcode 'dix' is none and was not sent"),
        (7, "the postcode 69480 is a CEDEX, not that of a street"),
    ]
    assert "row 3: postcode '1000' sent as 01000" in done.lines()


@pytest.mark.parametrize("typed", ["75016", "75116"])
@pytest.mark.parametrize("base", ["75016", "75116"])
def test_the_two_postcodes_of_the_16th_are_one(base: str, typed: str, tmp_path: Path) -> None:
    place = Place(number="3", street="Avenue Foch", postcode=base, city="Paris")
    with FakeGeocoder(place).running() as service:
        assert geocode(service, tmp_path, ("3 avenue Foch", typed, "Paris")).placed == 1


def test_a_workbook_goes_in(service: FakeGeocoder, tmp_path: Path) -> None:
    sheet = [
        ("Nom", "Adresse postale", "Code postal", "Ville"),
        ("Poste", "4 place de la Poste", 1000, "Bourg-en-Bresse"),
        ("Port", "8 bd du Port", 75010.0, "Paris"),
    ]
    write_sheets(tmp_path / "liste.xlsx", {"Lieux": sheet})
    done = geocode_file(
        tmp_path / "liste.xlsx", tmp_path / "placed.csv", web=Web(), url=service.search
    )
    assert (done.placed, [each.row for each in done.mended]) == (2, [1])


def test_zero_and_zero_is_no_place(service: FakeGeocoder, tmp_path: Path) -> None:
    heads = ("nom", "adresse", "cp", "lon", "lat")
    rows = (("8 bd du Port", "75010", "0", "0"), ("8 bd du Port", "75010", "0", "51.5"))
    done = geocode(service, tmp_path, *rows, heads=heads)
    assert (done.had_place, done.placed) == (1, 1)


# ---- what the service does with a row


def test_rows_that_it_gave_up_are_asked_again(service: FakeGeocoder, tmp_path: Path) -> None:
    service.errors = [{1, 2}, {2}]
    waits: list[float] = []
    rows = [("8 bd du Port", "75010", "Paris"), ("3 av Foch", "75116", ""), ("rue X", "99999", "")]
    done = geocode(service, tmp_path, *rows, waits=waits)
    assert [len(asked) for asked in service.asked] == [3, 2, 1]
    assert (done.placed, waits) == (2, [5, 20])


def test_rows_that_it_gives_up_to_the_end_end_the_command(
    service: FakeGeocoder, tmp_path: Path
) -> None:
    service.errors = [{1}] * 9
    with pytest.raises(TryLaterError, match="status 'error' for 1 of 2 rows") as caught:
        geocode(service, tmp_path, ("8 bd du Port", "75010", ""), ("3 av Foch", "75116", ""))
    assert caught.value.exit_code == 10
    assert [path.name for path in tmp_path.iterdir()] == ["liste.csv"]


def test_what_it_would_not_search_is_cleaned_or_told(service: FakeGeocoder, tmp_path: Path) -> None:
    rows = ['"Le Foyer" 8 bd du Port', "#8 bd du Port", "- 8 bd du Port", "<b>8 bd du Port</b>"]
    long = f"8 bd du Port ({'au fond de la cour ' * 11})"
    done = geocode(
        service, tmp_path, *((text, "75010", "Paris") for text in (*rows, long, "x" * 300, "- b"))
    )
    assert {row["address"] for row in service.asked[0]} == {"8 Boulevard du Port"}
    assert reasons(done) == {
        6: "not sent: too long: the service searches at most 200 characters",
        7: "not sent: too short: the service searches at least 3 characters",
    }


def test_what_it_did_not_search_is_explained(service: FakeGeocoder, tmp_path: Path) -> None:
    skipped = dict.fromkeys(ADDED, "") | {"result_status": "skipped"}
    service._match = lambda *_: skipped  # type: ignore[method-assign]
    done = geocode(service, tmp_path, ("8 bd du Port", "75010", "Paris"))
    assert reasons(done) == {
        1: "not searched by the service: it takes 3 to 200 characters that begin with a letter or"
        " a digit"
    }


@pytest.mark.parametrize("sign", [";", "|"])
def test_small_files_with_delimiters_in_their_cells_are_quoted(
    sign: str, service: FakeGeocoder, tmp_path: Path
) -> None:
    text = f"8 bd du Port{sign} cour{sign} bât. B"
    done = geocode(service, tmp_path, (text, "75010", "Paris"), (text, "75010", "Paris"))
    assert service.bodies[0].startswith(b'"address","postcode","city"\n"8 Boulevard du Port, cour')
    assert [row["address"] for row in service.asked[0]] == ["8 Boulevard du Port, cour, bât. B"] * 2
    assert done.sent == 2
    # The service refuses the same cells without quotes.
    code, said = service.answer(
        b"address\na;b;c\na;b;c\n".replace(b";", sign.encode()), {"columns": ["address"]}
    )
    assert (code, b"TooManyFields" in said) == (400, True)


def test_other_words_around_the_right_house_are_told(service: FakeGeocoder, tmp_path: Path) -> None:
    text = "Mairie annexe, bâtiment B, 2e étage, 5 Impasse Joubert"
    done = geocode(service, tmp_path, (text, "75009", "Paris"))
    assert reasons(done) == {
        1: "score 0.63, below 0.7, although street and number are those of the address"
    }


def test_a_match_elsewhere_than_its_filter_is_refused(
    service: FakeGeocoder, tmp_path: Path
) -> None:
    match = service._match("8 Boulevard du Port 75010 Paris", "")
    service._match = lambda *_: match  # type: ignore[method-assign]
    done = geocode(service, tmp_path, ("8 bd du Port", "75011", "Paris"))
    assert reasons(done) == {1: "another postcode (75010)"}


# ---- addok-csv


def test_addok_has_no_status_and_nothing_below_a_half(addok: FakeGeocoder, tmp_path: Path) -> None:
    rows = [("8 bd du Port", "75010", "Paris"), ("1 rue Nulle", "75010", "Paris")]
    done = geocode(addok, tmp_path, *rows)
    assert done.placed == 1
    assert reasons(done) == {2: "no match with the postcode 75010, perhaps a CEDEX (not found)"}


def too_long(row: int) -> bytes:
    """Return what addok-csv says of a row, whose limit an operator may have set lower than ours."""
    return b'{"title": "Query too long, 153 chars, limit is 150 (row number %d)"}' % row


def test_a_row_that_is_named_is_told_and_the_rest_goes_on(
    addok: FakeGeocoder, tmp_path: Path
) -> None:
    addok.troubles = [
        lambda handler, _: handler.reply(too_long(2), code=413),
        lambda handler, _: handler.reply(too_long(1), code=400),
    ]
    rows = [("3 av Foch", "75010", ""), ("rue Y", "75010", ""), ("8 bd du Port", "75010", "")]
    done = geocode(addok, tmp_path, *rows)
    assert [len(asked) for asked in addok.asked] == [3, 2, 1]
    assert done.placed == 1
    assert reasons(done) == {
        row: f"refused by the service: HTTP {code} (Query too long, 153 chars, limit is 150"
        f" (row number {at}))"
        for row, code, at in ((1, 400, 1), (2, 413, 2))
    }
    assert done.answer is not None
    assert "refused" not in done.answer.read_text(encoding="utf-8")


def test_a_refusal_that_names_no_row_ends_with_its_words(
    addok: FakeGeocoder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = b'{"title": "Empty file"}'
    addok.troubles = [lambda handler, _: handler.reply(said, code=400)]
    with pytest.raises(InputFileError, match="Empty file"):
        geocode(addok, tmp_path, ("3 av Foch", "75010", ""))
    addok.troubles = [lambda handler, _: handler.reply(said, code=400)]
    source, output = str(tmp_path / "liste.csv"), str(tmp_path / "out.csv")
    assert main(["geocode", source, "-o", output, "--server", addok.search]) == 3
    assert "Empty file" in capsys.readouterr().err
