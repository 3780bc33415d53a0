"""Soliguide: its places count, and nothing of them or of the key is left anywhere."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import fake_portals, fake_server
from helpers.fake_portals import KEY, FakePortals, place
from helpers.study_files import write_town
from quart_heure.categories import default_catalogue
from quart_heure.cli import main
from quart_heure.errors import InputFileError, QuartHeureError, TryLaterError
from quart_heure.sources.online.soliguide import (
    KEY_VARIABLE,
    SoliguideAccess,
    soliguide_access,
    with_soliguide,
)
from quart_heure.sources.online.web import Patience, Web
from quart_heure.sources.services.services import Services
from quart_heure.study import Study, analyse

SECRETS = (KEY, "Lieu secret", "impasse Cachée", "soliguide-")


@pytest.fixture
def portals() -> Iterator[FakePortals]:
    service = FakePortals()
    service.places = [place(1, "shower", 433, 417), place(2, "shower", 1017, 1547)]
    with service.running():
        yield service


@pytest.fixture
def access(portals: FakePortals) -> SoliguideAccess:
    return SoliguideAccess(key=KEY, url=portals.url)


def add(study: Study, access: SoliguideAccess, **changes: Any) -> tuple[Services, dict[str, Any]]:
    settings = {"pauses_s": (5.0,), "timeout_s": 2.0, "wait": lambda _: None}
    return with_soliguide(
        study.services,
        study.area,
        access=access,
        catalogue=study.catalogue,
        categories=changes.pop("categories", ("bains_douches", "bagagerie")),
        reach_m=study.margin_m,
        web=Web(Patience(**settings), **changes),
    )


def test_places_are_added_as_discreet_ones(toy_study: Study, access: SoliguideAccess) -> None:
    services, about = add(toy_study, access)
    new = services.table[services.table["source"] == "Soliguide"]
    assert len(new) == 2 == len(services.table) - len(toy_study.services.table)
    assert new["discreet"].all()
    assert set(new["name"]) == set(new["address"]) == {""}
    row = new.iloc[0]
    assert (row["category"], row["admits"], row["wheelchair"], row["animals"], row["access"]) == (
        *("bains_douches", "women", "yes", "unknown"),
        "walk_in",
    )
    assert row["opening_hours"].startswith("Mo 09:30-17:00; Tu off")
    assert services.table.crs == toy_study.services.table.crs
    assert (about["places"], about["already_known"]) == (2, 0)
    assert "no copies kept" in about["licence"]


def test_only_categories_of_the_study_are_asked_for(
    toy_study: Study, access: SoliguideAccess, portals: FakePortals
) -> None:
    add(toy_study, access)
    asked = [json.loads(body) for _, _, body in portals.asked]
    assert [query["category"] for query in asked] == ["shower", "luggage_storage"]
    assert asked[0]["location"]["geoType"] == "position"
    assert asked[0]["location"]["distance"] >= 1
    services, about = add(toy_study, access, categories=("centre_social",))
    assert services is toy_study.services
    assert about["places"] == 0


def test_a_place_that_the_study_has_is_not_added(
    toy_study: Study, access: SoliguideAccess, portals: FakePortals
) -> None:
    known = toy_study.services.table
    known = known[known["category"] == "bains_douches"].to_crs(4326).geometry.iloc[0]
    portals.places[0]["position"]["location"]["coordinates"] = [known.x, known.y + 0.0001]
    portals.places.append(place(3, "shower", 90_000, 10))  # far away
    services, about = add(toy_study, access)
    assert (about["places"], about["already_known"]) == (1, 1)
    assert (services.table["source"] == "Soliguide").sum() == 1


def test_all_pages_are_read(
    toy_study: Study, access: SoliguideAccess, portals: FakePortals
) -> None:
    portals.places = [place(n, "shower", 80 * (n % 16), 80 * (n // 16)) for n in range(230)]
    _, about = add(toy_study, access, categories=("bains_douches",))
    assert about["places"] + about["already_known"] == 230
    assert portals.count("new-search") == 3


def test_modalities_of_a_service_of_its_own(
    toy_study: Study, access: SoliguideAccess, portals: FakePortals
) -> None:
    own = {
        "category": "shower",
        "close": {"actif": True},
        "differentModalities": True,
        "modalities": {"orientation": {"checked": True}, "animal": {"checked": False}},
        "differentPublics": True,
        "publics": {"accueil": 0},
        "differentHours": True,
        "hours": {"friday": {"timeslot": [{"start": "10:00", "end": "1730"}]}, "monday": None},
    }
    portals.places = [place(1, "shower", 433, 417, services_all=[own])]
    services, _ = add(toy_study, access)
    (row,) = services.table[services.table["source"] == "Soliguide"].to_dict("records")
    assert (row["status"], row["access"], row["animals"], row["admits"], row["opening_hours"]) == (
        *("temporarily_closed", "referral", "no", "everyone"),
        "Mo off; Tu off; We off; Th off; Fr 10:00-17:30; Sa off; Su off; PH unknown",
    )


def test_a_place_without_coordinates_is_counted_as_doubt(
    toy_study: Study, access: SoliguideAccess, portals: FakePortals
) -> None:
    portals.places = [place(1, "shower", 433, 417, position={}), place(2, "shower", 405, 405)]
    services, about = add(toy_study, access)
    assert (about["places"], about["doubts"]) == (1, 1)
    assert services.problems.equals(toy_study.services.problems)


TROUBLES: dict[str, tuple[fake_portals.Trouble, type[QuartHeureError], str]] = {
    "429": (fake_portals.status(429), TryLaterError, "HTTP 429"),
    "page": (fake_server.page, TryLaterError, "a page instead of data"),
    "half": (fake_server.half, TryLaterError, "cut short"),
    "hang up": (fake_server.hang_up, TryLaterError, "broke off"),
    "fewer": (fake_portals.fewer, TryLaterError, "gave 1 places, of 2"),
    "other": (lambda h, _: h.reply(b'{"places": 3}'), TryLaterError, "without places"),
    "forbidden": (
        fake_portals.status(403, json.dumps({"message": f"JWT {KEY} is old"}).encode()),
        InputFileError,
        r"HTTP 403 \(JWT … is old\)",
    ),
    "elsewhere": (
        fake_portals.status(302, Location="http://127.0.0.1:9/steal"),
        TryLaterError,
        "HTTP 302",
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_bad_days_end_clearly_and_keep_the_key(
    name: str,
    toy_study: Study,
    access: SoliguideAccess,
    portals: FakePortals,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble, kind, words = TROUBLES[name]
    portals.troubles["/new-search"] = [trouble] * 9
    said: list[str] = []
    with caplog.at_level(logging.DEBUG), pytest.raises(kind, match=words) as caught:
        add(toy_study, access, say=said.append)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(said)
    assert KEY not in told
    assert KEY not in repr(access)


def test_a_key_that_is_wrong_or_missing(
    toy_study: Study, portals: FakePortals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputFileError, match=r"HTTP 401 \(INVALID_TOKEN\)"):
        add(toy_study, SoliguideAccess(key="another", url=portals.url))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(InputFileError, match=f"{KEY_VARIABLE} is not set"):
        soliguide_access()
    monkeypatch.setenv(KEY_VARIABLE, "two\nlines")
    with pytest.raises(InputFileError, match="is no key"):
        soliguide_access()


@pytest.fixture
def shell(portals: FakePortals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setenv("QUART_HEURE_SOLIGUIDE_URL", portals.url)
    monkeypatch.setenv("QUART_HEURE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "town").mkdir()
    return write_town(tmp_path / "town")


def told_by_files(folder: Path) -> str:
    return "".join(
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("by", ["flag", "file"])
def test_nothing_of_it_is_in_any_file(
    by: str,
    shell: Path,
    portals: FakePortals,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if by == "file":
        text = shell.read_text(encoding="utf-8")
        shell.write_text(re.sub(r"\[services\]\n", "[services]\nsoliguide = true\n", text))
    flags = ["--soliguide"] if by == "flag" else []
    assert main(["analyse", str(shell), "-o", str(tmp_path / "out"), *flags]) == 0
    said = capsys.readouterr()
    told = told_by_files(tmp_path) + said.out + said.err
    assert not [secret for secret in SECRETS if secret in told]
    degrees = [c for p in portals.places for c in p["position"]["location"]["coordinates"]]
    assert not [c for c in degrees if f"{c:.5f}" in told]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    (about,) = [each for each in manifest["inputs"] if each["file"] == "Soliguide"]
    assert (about["places"], about["licence"][:14]) == (2, "API Solidarité")
    assert manifest["withheld"]["services"] == 3  # the town has a discreet place, too
    assert "Soliguide (Solinum)" in manifest["attribution"]
    assert portals.count("new-search") >= 2


def test_its_places_count_in_the_times(toy_study: Study, access: SoliguideAccess) -> None:
    services, _ = add(toy_study, access)
    without, more = analyse(toy_study), analyse(toy_study.replace(services=services))
    before, after = (c.cells["minutes_bains_douches"] for c in (without, more))
    assert (after.fillna(1e9) <= before.fillna(1e9) + 1e-9).all()
    assert (after < before - 0.5).any()


def test_without_being_asked_for_it_is_not_asked(shell: Path, portals: FakePortals) -> None:
    assert main(["analyse", str(shell), "-o", str(shell.parent.parent / "out")]) == 0
    assert portals.asked == []
    assert "bains_douches" in default_catalogue()


def test_a_study_key_that_is_no_yes_or_no(
    shell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shell.read_text(encoding="utf-8").replace("[services]", "[services]\nsoliguide = 1")
    shell.write_text(text, encoding="utf-8")
    assert main(["analyse", str(shell), "-o", str(tmp_path / "out")]) == 4
    assert "true or false" in capsys.readouterr().err
