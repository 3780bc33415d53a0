"""Texts of files in the few words that we keep: read to the last word, or not at all."""

from __future__ import annotations

import csv
import importlib.util
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.sources.services import discretion, wordings
from quart_heure.sources.services.admission import ADMITS
from quart_heure.sources.services.capacities import CAPACITY_UNITS, read_capacity
from quart_heure.sources.services.discretion import is_discreet, secrecy_in
from quart_heure.sources.services.phrases import (
    LONGEST,
    hints_of,
    may_hold,
    spellings,
    vocabulary,
    words_of,
)
from quart_heure.sources.services.rows import ACCESS, ANSWERS
from quart_heure.sources.services.services import STATUSES
from quart_heure.sources.services.wordings import read_text, status_in_remarks
from quart_heure.sources.texts import fold, on_distinct

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "data" / "wordings.csv"
with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS = [(row["field"], row["text"], row["reading"]) for row in csv.DictReader(file)]

SENTENCES = [row for row in ROWS if not row[1].startswith("[")]
"""All but lists as portals write them."""

YES = {"status": "open", "access": "walk_in", "animals": "yes", "wheelchair": "yes"}
NEGATIONS = ("pas", "non", "sans", "aucun", "ne", "ni", "sauf", "hors", "jamais", "pas de")


def reading(field: str, text: str) -> str:
    """What a text is read as, in the words of the table."""
    if field == "capacity":
        read = read_capacity(text)
        return "unknown" if math.isnan(read.value) else f"{read.value:g} {read.unit}".strip()
    if field == "secrecy":
        return "hidden" if secrecy_in(text, "notes") else "shown"
    # Whom a place admits stands in a column of the public, which speaks of more than that.
    return read_text(field, text, own=field != "admits").word or "unknown"


def test_the_table_is_large_and_says_each_text_once() -> None:
    assert len(ROWS) >= 250
    assert len({(field, text) for field, text, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("field", "text", "expected"), ROWS)
def test_the_table(field: str, text: str, expected: str) -> None:
    assert reading(field, text) == expected


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda text: f"  {text} ; "])
def test_case_and_blanks_do_not_matter(change: Callable[[str], str]) -> None:
    for field, text, expected in SENTENCES:
        # Who refers, and a street, are told by their capitals.
        if "Villeurbanne" not in text and "ADSF" not in text and "Neuve" not in text:
            assert reading(field, change(text)) == expected, text


def with_word(text: str, word: str) -> list[str]:
    """A text with a word put in at each place."""
    words = text.split()
    return [" ".join([*words[:at], word, *words[at:]]) for at in range(len(words) + 1)]


@pytest.mark.parametrize("word", ["grzyb", "Grzyb"])
def test_an_unknown_word_makes_no_answer(word: str) -> None:
    for field, text, expected in SENTENCES:
        if field == "secrecy":
            continue
        for changed in with_word(text, word):
            # A proper name may say who refers, or where a place has gone: it changes nothing.
            refers = expected in {"referral", "moved"} or "rientation" in text
            named = word == "Grzyb" and (refers or "referral" in text)
            allowed = {"unknown", expected} if named else {"unknown"}
            assert reading(field, changed) in allowed, changed


def test_a_negation_never_leaves_a_yes() -> None:
    seen = 0
    for field, text, expected in SENTENCES:
        # What another part of a text denies says nothing of this one.
        if YES.get(field) != expected or set(text) & set(",;(:") or " et " in text:
            continue
        for negation in NEGATIONS:
            if negation == "ne" and any(word in text.lower() for word in ("aucun", "pas ", "ni ")):
                continue  # "aucun … ne", "ne pas": one negation in two words
            for changed in with_word(text, negation):
                seen += 1
                assert reading(field, changed) != expected, changed
    assert seen > 500


@pytest.mark.parametrize("text", ["Femmes", "Hommes", "Familles", "Tout public", "Jeunes", "Mères"])
@pytest.mark.parametrize("verb", ["", " admis", " acceptés", " uniquement", " accueillies"])
def test_nobody_is_admitted_by_a_negation(text: str, verb: str) -> None:
    group = reading("admits", text)
    for negation in NEGATIONS:
        for changed in with_word(text + verb, negation):
            assert group not in reading("admits", changed).split(";"), changed


def test_words_that_were_not_understood_are_told() -> None:
    assert read_text("animals", "Animaux acceptés dans la bagagerie").lost == ("bagagerie",)
    assert read_text("admits", "Femmes du Puy-en-Velay", own=False).lost == ("puy", "velay")
    assert read_text("status", "Ouvert, fermé").lost == ("ouvert, ferme",)
    assert read_capacity("20 lits et 10").lost == ("20 lits et 10",)
    # Said, and no word of ours: nothing is lost.
    assert read_text("access", "Sur rendez-vous").lost == ()
    assert read_text("status", "à vérifier").lost == ()
    # In a column of the public, *non* answers to nothing.
    assert read_text("animals", "Non", own=False).word == "unknown"
    assert read_text("animals", "Femmes", own=False).word == ""


def test_what_is_too_long_is_not_read() -> None:
    long = "Femmes " + "et femmes " * 60
    assert len(long) > LONGEST
    assert read_text("admits", long, own=False).word == "unknown"
    assert math.isnan(read_capacity("20 lits " + " " * LONGEST + "non").value)


@pytest.mark.parametrize(
    ("text", "heading", "value", "unit"),
    [
        ("20", "nb_places", 20, "places"),
        ("1.000", "nb_repas", 1000, "meals"),
        ("environ 20", "Nombre de casiers", 20, "lockers"),
        ("99999999999 places", "", math.nan, ""),
        ("-5", "", math.nan, ""),
        ("1.5", "nb_places", math.nan, ""),
        ("beaucoup", "nb_places", math.nan, ""),
        ("", "", math.nan, ""),
    ],
)
def test_a_figure_counts_what_its_heading_says(
    text: str, heading: str, value: float, unit: str
) -> None:
    read = read_capacity(text, heading=heading)
    assert read.value == pytest.approx(value, nan_ok=True)
    assert read.unit == unit


@pytest.mark.parametrize(
    ("text", "word", "lost"),
    [
        ("En projet", "project", ()),
        ("Fermé définitivement", "closed", ()),
        ("Fermé pour travaux", "temporarily_closed", ()),
        ("Ouverture prévue au printemps, voir la mairie", "unknown", ("ouverture prevue",)),
        ("Le local est fermé définitivement, dit la mairie", "unknown", ("ferme definitivement",)),
        ("Attention : lieu encore en projet", "unknown", ("en projet",)),
        ("Fermé le lundi", "", ()),
        ("Ouvert", "", ()),
        ("Café offert, porté par un projet associatif", "", ()),
        ("", "", ()),
    ],
)
def test_remarks_speak_of_the_status(text: str, word: str, lost: tuple[str, ...]) -> None:
    read = status_in_remarks(text)
    assert (read.word, read.lost) == (word, lost)


@pytest.mark.parametrize(
    ("field", "text", "hidden"),
    [
        ("address", "Non communiquée", True),
        ("address", "sur demande", True),
        ("address", "(confidentielle)", True),
        ("address", "9 rue Cachée", False),
        ("capacity", "Non communiquée", False),
        ("opening_hours_text", "non communiqués", False),
        ("", "confi\u200bdentiel", True),
        ("", "CONFI\u00adDENTIEL", True),
        ("", "Adresse non\u00a0communiquée", True),
        ("name", "Halte — ADRESSE SECRÈTE", True),
        ("notes", "n'est pas une adresse non confidentielle", True),  # denied twice: doubt
        ("notes", "Entretien confidentiel", True),  # of what, nobody knows: doubt
    ],
)
def test_secrecy_by_its_column(field: str, text: str, hidden: bool) -> None:
    assert bool(secrecy_in(text, field)) is hidden


def test_what_hides_in_the_column_of_its_own() -> None:
    for word in ("oui", "OUI", "x", "1", "vrai", "true", "peut-être", "confidentiel"):
        assert is_discreet(word)
    for word in ("", "non", "NON", "0", "faux", "false", "no"):
        assert not is_discreet(word)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2025-05-15T04:00:00+02:00", "2025-05-15"),
        ("31/01/2026", "2026-01-31"),
        ("31/01/26", "2026-01-31"),
        ("31.1.2026", "2026-01-31"),
        ("2026-02-30", ""),
        ("01/2026", ""),
        ("hier", ""),
    ],
)
def test_dates(text: str, date: str) -> None:
    assert wordings.date_of(text) == date


@pytest.mark.parametrize(
    ("text", "closed"), [("-", True), ("Fermé", True), ("", False), ("9h-12h", False)]
)
def test_closed_days(text: str, closed: bool) -> None:
    assert wordings.is_closed_day(text) is closed


WORDS = [
    *("femmes", "hommes", "jeunes", "familles", "sauf", "enfants", "tout", "public", "fermé"),
    *("ouvert", "12", "-", "38", "casiers", "places", "du", "au", "01/02/25", "31/12/2026"),
    *("animaux", "non", "acceptés", "accessible", "(", ")", ";", ",", "et", "ne", "pas", "plus"),
    *("orientation", "sans", "18", "ans", "dont", "+", "PMR", "marches", "avec", "majeurs"),
]
TEXTS = st.text(max_size=80) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@given(TEXTS, st.booleans())
def test_any_text_gets_a_word_of_the_schema(text: str, own: bool) -> None:
    known = {"status": STATUSES, "access": ACCESS, "animals": ANSWERS}
    for field, words in {**known, "wheelchair": (*ANSWERS, "limited")}.items():
        assert read_text(field, text, own=own).word in {*words, "unknown", ""}
    admits = read_text("admits", text, own=own).word.split(";")
    assert admits in ([""], [one for one in (*ADMITS, "unknown") if one in admits])
    read = read_capacity(text)
    assert math.isnan(read.value) or 0 <= read.value <= 1e6
    assert read.unit in {*CAPACITY_UNITS, ""} and not (read.unit and math.isnan(read.value))
    assert isinstance(secrecy_in(text, "notes"), str)
    assert status_in_remarks(text).word in {*STATUSES, ""}


@given(st.lists(st.sampled_from(WORDS), max_size=10), st.integers(0, 10), st.sampled_from(WORDS))
def test_an_unknown_word_in_any_text_makes_no_answer(words: list[str], at: int, field: str) -> None:
    text = " ".join([*words[:at], "grzyb", *words[at:]])
    for name in (*YES, "admits"):
        assert read_text(name, text, own=name != "admits").word in {"unknown", ""}
    assert math.isnan(read_capacity(text).value)


def test_each_phrase_of_the_vocabulary_has_one_meaning() -> None:
    seen: dict[tuple[str, ...], str] = {}
    for kind, values in vocabulary()["phrases"].items():
        for value, phrases in values.items():
            for phrase in {one for text in phrases for one in spellings(text)}:
                words = words_of(phrase)
                assert words, (kind, value, phrase)
                assert seen.setdefault(words, f"{kind}.{value}") == f"{kind}.{value}", phrase


def test_the_page_of_the_table_is_up_to_date() -> None:
    path = ROOT / "scripts" / "render_wordings.py"
    spec = importlib.util.spec_from_file_location("render_wordings", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (ROOT / "docs" / "wordings.md").read_text(encoding="utf-8")
    assert page == script.render(TABLE), "run python scripts/render_wordings.py"


@given(st.text(max_size=60))
def test_folded_texts_are_plain_and_stay_so(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(" " + text + "\u00a0") == fold(text)


def test_each_text_is_read_once() -> None:
    asked: list[str] = []

    def read(text: str) -> int:
        asked.append(text)
        return len(text)

    assert on_distinct(["a", "bb", "a", "a"], read) == [1, 2, 1, 1]
    assert asked == ["a", "bb"]


# A prefilter must never change what is read: every phrase is in a text that it says may hold it.
PIECES = (
    *("fermé", "définitivement", "ouvert", "en", "projet", "Ne", "pas", "diffuser", "sur"),
    *("demande", "rue", "12", "(", ")", ".", ";", "FERMETURE", "temporaire", "l’", "adresse"),
    *("non", "communiquée", "fer\u00admé", "bientôt", "café", "\n", '["', '"]', "par le 115"),
)
REMARKS = st.lists(st.sampled_from(PIECES), max_size=7).map(" ".join)


@given(REMARKS)
def test_what_is_looked_for_first_changes_nothing_of_what_is_read(text: str) -> None:
    found = status_in_remarks(text), secrecy_in(text, "notes"), secrecy_in(text, "address")
    with pytest.MonkeyPatch.context() as patch:
        for module in (wordings, discretion):
            patch.setattr(module, "may_hold", lambda *_: True)
        whole = status_in_remarks(text), secrecy_in(text, "notes"), secrecy_in(text, "address")
    assert found == whole


@pytest.mark.parametrize("kind", ["secret", "shown_verbs", "held_back", "masked"])
def test_each_phrase_is_found_by_its_hint(kind: str) -> None:
    for phrase in vocabulary()["discretion"][kind]:
        for text in (phrase.replace("*", "xyz"), phrase.upper(), f"le lieu, {phrase}."):
            assert may_hold(text, hints_of([tuple(phrase.split())]))
            assert may_hold(text, discretion._hints())
