"""Geocoding: what leaves the machine, what is used of the answer, and whole files or none."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from helpers import fake_portals, fake_server
from helpers.fake_geocoder import FakeGeocoder, Place
from helpers.workbooks import write_sheets
from quart_heure.cli import main
from quart_heure.errors import InputFileError, OutputError, TryLaterError
from quart_heure.sources.online.geocoding import Geocoded, geocode_file
from quart_heure.sources.online.patience import Refusal
from quart_heure.sources.online.web import Patience, Web, _Following

TABLE = """\
service_id,category,name,address,postcode,longitude,latitude,discreet,notes
a,bagagerie,Déjà placé,1 rue A,99001,2.351,48.851,,
b,bagagerie,"Nom, long",12  rue Été,99001,,,,un téléphone
c,esi,Rue seule,rue Longue,99001,,,,
d,esi,Faible,rue Longue-Fontaine des Prés,99001,,,no,
e,esi,Commune,Toyville,99001,,,,
f,halte_femmes,Refuge,9 rue Cachée,99001,,,yes,
g,esi,Sans adresse,,99001,,,,
h,esi,Introuvable,99 rue Nulle,99001,,,,
i,esi,Ailleurs,12 rue Été,99002,,,,
j,esi,Seizième,12 rue Été,75116,,,,
"""


@pytest.fixture
def service() -> Iterator[FakeGeocoder]:
    known = FakeGeocoder(
        Place(),
        Place(number="12", street="rue Été"),
        Place(street="rue Longue"),
        Place(number="12", street="rue Été", postcode="75016", city="Paris"),
    )
    with known.running():
        yield known


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "services.csv"
    path.write_text(TABLE, encoding="utf-8-sig")
    return path


def geocode(service: FakeGeocoder, source: Path, **changes: Any) -> Geocoded:
    waits = changes.pop("waits", [])
    web = Web(Patience(pauses_s=(5.0, 20.0), timeout_s=2.0, wait=waits.append))
    output = source.with_name("placed.csv")
    return geocode_file(source, output, **{"web": web, "url": service.search, **changes})


def sent(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["service_id"]: row for row in csv.DictReader(file)}


def test_only_addresses_without_a_place_leave_the_machine(
    service: FakeGeocoder, source: Path
) -> None:
    geocode(service, source)
    assert [sent(body) for body in service.bodies] == [
        [
            ["address", "postcode", "city"],
            ["12 rue Été", "99001", ""],
            ["rue Longue", "99001", ""],
            ["rue Longue-Fontaine des Prés", "99001", ""],
            ["Toyville", "99001", ""],
            ["99 rue Nulle", "99001", ""],
            ["12 rue Été", "99002", ""],
            ["12 rue Été", "75116", ""],
        ],
        # The 16th arrondissement has two postcodes: the other one is tried.
        [["address", "postcode", "city"], ["12 rue Été", "75016", ""]],
    ]


def test_one_sheet_of_a_workbook_is_placed(service: FakeGeocoder, tmp_path: Path) -> None:
    lists = {
        name: [["nom", "adresse", "code postal"], [f"Lieu {name}", "12 rue Été", "99001"]]
        for name in ("Un", "Deux")
    }
    book = write_sheets(tmp_path / "lieux.xlsx", lists)
    with pytest.raises(InputFileError, match="several sheets or layers: 'Un', 'Deux'"):
        geocode(service, book)
    done = geocode(service, book, part="Deux")
    text = done.path.read_text(encoding="utf-8")
    assert "Lieu Deux,12 rue Été,99001,2.35,48.85" in text
    assert "Lieu Un" not in text


def test_good_matches_are_used_and_weak_ones_are_listed(
    service: FakeGeocoder, source: Path
) -> None:
    done = geocode(service, source)
    placed = rows(done.path)
    assert {key for key, row in placed.items() if row["longitude"]} == {"a", "b", "c", "j"}
    assert (placed["a"]["longitude"], placed["a"]["geocode_type"]) == ("2.351", "")
    assert (placed["b"]["longitude"], placed["b"]["latitude"]) == ("2.35", "48.85")
    score, kind = placed["b"]["geocode_score"], placed["b"]["geocode_type"]
    assert (score, kind) == ("0.7804878048780488", "housenumber")
    assert placed["d"]["geocode_type"] == "street"
    assert 0.4 < float(placed["d"]["geocode_score"]) < 0.7
    assert (placed["b"]["name"], placed["b"]["notes"]) == ("Nom, long", "un téléphone")
    assert [(weak.row, weak.reason) for weak in done.weak] == [
        (4, "score 0.50, below 0.7"),
        (5, "only the municipality was found, not the street"),
        (6, "a discreet place is not sent"),
        (7, "no address"),
        (8, "no match with the postcode 99001, perhaps a CEDEX (not-found)"),
        (9, "no match with the postcode 99002, perhaps a CEDEX (not-found)"),
    ]
    assert (done.rows, done.had_place, done.sent, done.placed) == (10, 1, 7, 3)
    assert "Cachée" not in "\n".join(done.lines())
    assert geocode(service, source, min_score=0.4).placed == 4


@pytest.mark.parametrize(
    ("heading", "word", "sent"),
    [
        *(("confidentiel", word, False) for word in ("oui", "OUI", "x", "1", "vrai", "true")),
        *(("ne_pas_afficher", word, False) for word in ("oui", "peut-être", "à voir")),
        *(("Discret ?", word, False) for word in ("oui", "Oui ", "X")),
        *(("Confidentiel (O/N)", word, False) for word in ("O", "x")),
        *(("Diffusable", word, sent) for word, sent in (("non", False), ("oui", True))),
        *((name, "", True) for name in ("confidentiel", "ne_pas_afficher", "Discret ?")),
        *((name, "non", True) for name in ("confidentiel", "ne_pas_afficher", "Discret ?")),
        ("remarques", "NE PAS DIFFUSER", False),
        ("Bemerkung", "adresse tenue secrète", False),
        ("remarques", "adresse non confidentielle", True),
    ],
)
def test_the_address_of_a_place_that_is_hidden_is_not_sent(
    service: FakeGeocoder, tmp_path: Path, heading: str, word: str, sent: bool
) -> None:
    path = tmp_path / "liste.csv"
    rows = [["Nom", "Adresse", "CP", heading], ["Refuge", "9 rue Cachée", "99001", word]]
    rows.append(["Autre", "12 rue Été", "99001", "oui" if heading == "Diffusable" else ""])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    done = geocode(service, path)
    asked = b"".join(service.bodies).decode()
    assert ("Cachée" in asked) is sent
    assert done.discreet == (0 if sent else 1)
    if not sent:
        [told] = [weak for weak in done.weak if weak.row == 1]
        assert told.address == "(discreet)"
        assert told.reason.startswith("a discreet place is not sent")
        assert "1 discreet, not sent" in done.lines()[0]
        assert "Cachée" not in "\n".join(done.lines())


def test_odd_words_that_hide_are_told(service: FakeGeocoder, tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    path.write_text("adresse,discret,notes\nrue A,peut-être,\nrue B,,NPD\nrue C,,,x\n")
    reasons = {weak.row: weak.reason for weak in geocode(service, path).weak}
    assert reasons == {
        1: "a discreet place is not sent: its column says neither a clear yes nor a clear no",
        2: "a discreet place is not sent: a word of secrecy in the column 'notes'",
        3: "not sent: the row has more cells than the heading, which are not written",
    }
    assert service.asked == []


def test_a_list_is_read_as_every_list_of_services_is(service: FakeGeocoder, tmp_path: Path) -> None:
    path = tmp_path / "liste.json"
    rows = [
        {"Adresse postale": "12 rue Été", "Code Postal": "99001", "geo_point_2d": ""},
        {"Adresse postale": "rue Longue", "Code Postal": "99001", "geo_point_2d": "48.85, 2.35"},
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    done = geocode(service, path)
    assert (done.rows, done.had_place, done.sent, done.placed) == (2, 1, 1, 1)
    assert (
        done.path.read_text(encoding="utf-8").splitlines()[1].startswith("12 rue Été,99001,,2.35")
    )


def test_the_answer_is_kept_with_its_date(
    service: FakeGeocoder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    done = geocode(service, source)
    assert done.answer == source.with_name("placed_answer_2026-11-18.csv")
    with done.answer.open(encoding="utf-8") as file:
        answers = list(csv.DictReader(file))
    assert [row["result_type"] for row in answers[:2]] == ["housenumber", "street"]
    assert "Cachée" not in done.answer.read_text(encoding="utf-8")


def test_batches_have_so_many_rows_and_keep_their_order(
    service: FakeGeocoder, source: Path
) -> None:
    whole = rows(geocode(service, source).path)
    parts = rows(geocode(service, source, rows_at_once=2).path)
    assert parts == whole
    assert [len(rows) for rows in service.asked] == [7, 1, 2, 2, 2, 1, 1]


def test_names_and_semicolons_of_other_files(service: FakeGeocoder, tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    path.write_text("Nom;Adresse;CP\nX;12 rue Été;99001\n", encoding="utf-8")
    done = geocode(service, path)
    text = done.path.read_text(encoding="utf-8").splitlines()
    assert text[0] == ("Nom;Adresse;CP;longitude;latitude;geocode_score;geocode_type;geocode_label")
    assert text[1].startswith("X;12 rue Été;99001;2.35;48.85;0.7804878048780488;housenumber;")


def test_nothing_to_ask_asks_nothing(service: FakeGeocoder, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text("address,lon,lat\nrue A,2.3,48.8\n", encoding="utf-8")
    done = geocode(service, path)
    assert (done.answer, done.placed, service.asked) == (None, 0, [])
    assert done.path.exists()


TROUBLES = {
    "429": (fake_portals.status(429, Retry_After="7"), "HTTP 429"),
    "504": (fake_portals.status(504), "HTTP 504"),
    "page": (fake_server.page, "a page instead of data"),
    "empty": (lambda handler, _: handler.reply(b""), "an empty answer"),
    "bytes": (lambda handler, _: handler.reply(b"\xff\xfe\xfa"), "makes no sense"),
    "hang up": (fake_server.hang_up, "broke off"),
    "silence": (fake_server.silence, "no answer within 2 s"),
}


@pytest.mark.parametrize("name", [name for name in TROUBLES if name != "silence"])
def test_a_bad_answer_is_asked_for_again(name: str, service: FakeGeocoder, source: Path) -> None:
    waits: list[float] = []
    service.troubles = [TROUBLES[name][0]]
    assert geocode(service, source, waits=waits).placed == 3
    assert waits == [7 if name == "429" else 5]


@pytest.mark.parametrize("name", TROUBLES)
def test_a_service_that_stays_bad_leaves_nothing(
    name: str, service: FakeGeocoder, source: Path
) -> None:
    trouble, words = TROUBLES[name]
    service.troubles = [None, *[trouble] * 9]
    web = Web(Patience(pauses_s=(), timeout_s=2.0))
    with pytest.raises(TryLaterError, match=words):
        geocode(service, source, rows_at_once=3, web=web)
    assert [path.name for path in source.parent.iterdir()] == ["services.csv"]


def sent_to(address: str, code: int) -> fake_server.Trouble:
    return lambda handler, _: handler.reply(b"", code=code, headers={"Location": address})


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_addresses_are_sent_to_no_other_server(
    code: int, service: FakeGeocoder, source: Path
) -> None:
    other = FakeGeocoder()
    with other.running():
        service.troubles = [sent_to(other.search, code)] * 3
        # What has moved for good is not asked again.
        kind = InputFileError if code in {301, 308} else TryLaterError
        with pytest.raises(kind, match=f"HTTP {code} .sends on to 127.0.0.1:.*not foll"):
            geocode(service, source)
    assert other.asked == []
    assert [path.name for path in source.parent.iterdir()] == ["services.csv"]


def test_no_redirection_leads_to_what_is_not_encrypted() -> None:
    session, answer = _Following(), requests.Response()
    answer.status_code, answer.url = 302, "https://data.invalid/a"
    for target, follows in (("http://data.invalid/a", False), ("https://o.invalid/b", True)):
        answer.headers["location"] = target
        if follows:
            assert session.get_redirect_target(answer) == target
        else:
            with pytest.raises(Refusal, match=r"sends on to data\.invalid"):
                session.get_redirect_target(answer)


def test_no_formula_is_written(service: FakeGeocoder, tmp_path: Path) -> None:
    service.places = [Place(number="1", street="rue Alpha"), Place(street="=rue Bravo")]
    path = tmp_path / "liste.csv"
    path.write_text(
        "service_id,name,address,postcode,phone\na,=1+1,1 rue Alpha,99001,+33 1 23\n"
        "b,\uff0dx,=rue Bravo,99001,-1\n",
        encoding="utf-8",
    )
    done = geocode(service, path)
    placed = rows(done.path)
    assert (placed["a"]["name"], placed["b"]["name"]) == ("'=1+1", "'\uff0dx")
    # A number is no formula, and neither is a telephone.
    assert [placed[one]["phone"] for one in "ab"] == ["+33 1 23", "-1"]
    assert placed["b"]["geocode_label"] == "'=rue Bravo 99001 Toyville"
    assert done.answer is not None
    assert "'=rue Bravo 99001 Toyville" in done.answer.read_text(encoding="utf-8")


def cut_a_row(handler: fake_server.Handler, body: bytes) -> None:
    handler.reply(body[: body.rstrip().rindex(b"\n")])


def swap_rows(handler: fake_server.Handler, body: bytes) -> None:
    first, second, third, *others = body.splitlines(keepends=True)
    handler.reply(b"".join([first, third, second, *others]))


@pytest.mark.parametrize("trouble", [cut_a_row, swap_rows])
def test_an_answer_to_other_rows_is_never_used(
    trouble: fake_portals.Trouble, service: FakeGeocoder, source: Path
) -> None:
    service.troubles = [trouble]
    with pytest.raises(TryLaterError, match=r"answers to \d rows, of 7"):
        geocode(service, source)
    assert [path.name for path in source.parent.iterdir()] == ["services.csv"]


def test_a_file_that_cannot_be_written(service: FakeGeocoder, source: Path) -> None:
    (source.parent / "placed.csv").mkdir()
    with pytest.raises(OutputError):
        geocode(service, source)
    assert sorted(path.name for path in source.parent.iterdir()) == ["placed.csv", "services.csv"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,postcode\nX,1\n", "no column 'address'"),
        ('address\n"rue\n', "line"),
        ("", "no column 'address'"),
    ],
)
def test_a_file_that_is_none(text: str, words: str, service: FakeGeocoder, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError, match=words):
        geocode(service, path)
    with pytest.raises(InputFileError, match="no such file"):
        geocode(service, tmp_path / "nothing.csv")
    with pytest.raises(InputFileError, match="not within"):
        geocode(service, path, min_score=70)


def test_the_answer_does_not_take_the_name_of_the_source(
    service: FakeGeocoder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795910400")
    named = source.rename(source.with_name("placed_answer_2026-11-29.csv"))
    before = named.read_bytes()
    with pytest.raises(OutputError, match="would replace the file to be geocoded by the answer"):
        geocode(service, named)
    assert named.read_bytes() == before


def test_a_command_that_geocodes(
    service: FakeGeocoder, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = source.with_name("out.csv")
    command = ["geocode", str(source), "-o", str(output), "--server", service.search]
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].startswith("10 rows: 1 had coordinates, 7 were sent, 3 have")
    assert said.out.splitlines()[-1] == str(output)
    assert "rue Longue-Fontaine des Prés 99001: score 0.50, below 0.7" in said.out
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["placed"] == 3
    assert main(["geocode", str(source), "-o", str(source)]) == 9
