"""Words of files in the few words that we keep."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.sources.services import wordings
from quart_heure.sources.services.rows import ACCESS, ADMITS, ANSWERS, CAPACITY_UNITS
from quart_heure.sources.services.services import STATUSES
from quart_heure.sources.texts import fold, on_distinct


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Ouvert", "open"),
        ("OUI", "open"),
        ("open", "open"),
        ("Fermé temporairement", "temporarily_closed"),
        ("FERMETURE TEMPORAIRE pour l’été", "temporarily_closed"),
        ("Fermée pour travaux", "temporarily_closed"),
        ("NON", "temporarily_closed"),
        ("Eteint", "temporarily_closed"),
        ("temporarily_closed", "temporarily_closed"),
        ("En projet", "project"),
        ("Pas encore ouvert", "project"),
        ("ouverture prochaine", "project"),
        ("Fermé", "closed"),
        ("fermé définitivement", "closed"),
        ("a déménagé au 3, rue Neuve", "moved"),
        ("Saisonnier", "seasonal"),
        ("ouvert l'hiver", "seasonal"),
        ("à vérifier", "unknown"),
        ("?", "unknown"),
        ("mercredi", ""),
        ("", ""),
    ],
)
def test_status(text: str, status: str) -> None:
    assert wordings.status_of(text) == status


@pytest.mark.parametrize(
    ("text", "admits"),
    [
        ("Tout public", "everyone"),
        ("anyone; free of charge", "everyone"),
        ("Toute personne (pour le 20e arr.)", "everyone"),
        ("Tout public (sauf mineurs)", "women;men;young_people"),
        ("Tout public, interdit aux hommes", "women;families;young_people"),
        ("Femmes seulement ; sans condition", "women"),
        ("Femmes seules sans enfant", "women"),
        ("women only; referral by 115", "women"),
        ("Hommes exclusivement", "men"),
        ("Hommes et femmes isolés sans enfant", "women;men"),
        ("Adultes isolés sans domicile", "women;men"),
        ("Familles", "families"),
        ("mères avec enfants, femmes enceintes", "families"),
        ("Jeunes femmes et hommes en errance (18-25 ans)", "young_people"),
        ("Femmes et hommes de 18 à 25 ans", "young_people"),
        ("Familles et jeunes", "families;young_people"),
        # Young women alone: no word of ours says that, and none is made up.
        ("Jeunes femmes", "unknown"),
        # By a card, and families too: not families alone.
        ("Sur orientation ; familles admises", "everyone"),
        ("Réfugiés et demandeurs d'asile", "unknown"),
        ("", "unknown"),
    ],
)
def test_whom_a_text_admits(text: str, admits: str) -> None:
    assert wordings.admits_of(text) == admits


@pytest.mark.parametrize(
    ("text", "animals", "wheelchair", "access"),
    [
        ("Tout public (animaux acceptés)", "yes", "", "walk_in"),
        ("animaux muselés tolérés dans le jardin", "yes", "", ""),
        ("Animaux non acceptés", "no", "", ""),
        ("pas d'animaux", "no", "", ""),
        ("animaux laissés à l'entrée", "no", "", ""),
        ("Femmes, sur orientation du 115", "", "", "referral"),
        ("Tout public disposant d'un bon des services sociaux", "", "", "referral"),
        ("accès libre, accessible PMR", "", "yes", "walk_in"),
        ("Non accessible aux fauteuils", "", "no", ""),
        ("partiellement accessible", "", "limited", ""),
        ("oui", "yes", "yes", ""),
        ("Non", "no", "no", ""),
        ("Non (escaliers)", "no", "no", ""),
        ("non renseigné", "unknown", "unknown", "unknown"),  # begins like a no, and is none
    ],
)
def test_animals_wheelchairs_and_access(
    text: str, animals: str, wheelchair: str, access: str
) -> None:
    assert wordings.animals_of(text) == animals
    assert wordings.wheelchair_of(text) == wheelchair
    assert wordings.access_of(text) == access


@pytest.mark.parametrize(
    ("text", "heading", "value", "unit"),
    [
        ("38 casiers", "", 38, "lockers"),
        ("48-50 lockers", "", 48, "lockers"),  # of a range, what is there for sure
        ("150 repas/soir", "", 150, "meals"),
        ("1 200 repas", "", 1200, "meals"),
        ("70 à 100 déjeuners par jour", "", 70, "meals"),
        ("45 places", "", 45, "places"),
        ("50 la nuit et 75 le jour (2018) ; 39 places", "", 39, "places"),
        ("17 lits", "", 17, "places"),
        ("12 cabines (2 familiales)", "", 12, "cabins"),
        ("20", "", 20, ""),
        ("20", "nb_places", 20, "places"),
        ("environ 20", "Nombre de casiers", 20, "lockers"),
        ("environ 100 personnes par jour ; 340 m²", "", math.nan, ""),
        ("99999999999 places", "", math.nan, ""),
        ("-5", "", math.nan, ""),
        ("beaucoup", "nb_places", math.nan, ""),
        ("", "", math.nan, ""),
    ],
)
def test_capacity(text: str, heading: str, value: float, unit: str) -> None:
    found, counted = wordings.capacity_of(text, heading=heading)
    assert found == pytest.approx(value, nan_ok=True)
    assert counted == unit


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
    *("animaux", "non", "acceptés", "accessible"),
]
TEXTS = st.text(max_size=80) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@given(TEXTS)
def test_any_text_gets_a_word_of_the_schema(text: str) -> None:
    assert wordings.status_of(text) in {*STATUSES, ""}
    assert wordings.access_of(text) in {*ACCESS, ""}
    assert wordings.animals_of(text) in {*ANSWERS, ""}
    assert wordings.wheelchair_of(text) in {*ANSWERS, "limited", ""}
    admits = wordings.admits_of(text).split(";")
    assert admits == ["unknown"] or admits == [one for one in ADMITS if one in admits]
    value, unit = wordings.capacity_of(text)
    assert math.isnan(value) or 0 <= value <= 1e6
    assert unit in {*CAPACITY_UNITS, ""} and not (unit and math.isnan(value))
    date = wordings.date_of(text)
    assert date == "" or len(date) == 10


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
