"""Opening hours: words of French portals, and states minute by minute."""

from __future__ import annotations

import csv
import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.project import EXTRACTS
from quart_heure.sources.hours.calendars import is_country
from quart_heure.sources.hours.states import Where, next_openings, opening_states, visit_states
from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN, is_osm_hours
from quart_heure.sources.hours.text import hours_from_days, hours_from_text

COOL_PLACES = EXTRACTS / "paris-services-opendata" / "ilots-de-fraicheur-equipements-activites.json"
FACTS = EXTRACTS / "services" / "services_facts.csv"
needs_extracts = pytest.mark.skipif(
    not COOL_PLACES.exists() or not FACTS.exists(),
    reason="the source extracts are not beside the project",
)

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
AT = dt.datetime


def state(hours: str, *moments: dt.datetime, **options: object) -> list[int]:
    stay = {"stay_min": options.pop("stay_min")} if "stay_min" in options else {}
    where = Where(**options)  # type: ignore[arg-type]
    return opening_states([hours], moments, where=where, **stay)[0].tolist()  # type: ignore[arg-type]


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "osm"),
    [
        # as the portals and the packaged sample have them
        ("lu-ve 08:00-12:30, 14:00-16:00", "Mo-Fr 08:00-12:30,14:00-16:00; Sa-Su unknown"),
        (
            "lu-me 07:30-13:00 ; ve-sa 07:30-13:00 ; di 08:00-12:30",
            "Mo-We,Fr-Sa 07:30-13:00; Su 08:00-12:30; Th unknown",
        ),
        (
            "lu-ve 12:00-13:30 ; lu-sa 17:15-19:15",
            "Mo-Fr 12:00-13:30,17:15-19:15; Sa 17:15-19:15; Su unknown",
        ),
        ("ma, je, sa 07:30-09:30, 18:30-20:30", "Tu,Th,Sa 07:30-09:30,18:30-20:30; "),
        ("du lundi au vendredi de 9h à 17h", "Mo-Fr 09:00-17:00; Sa-Su unknown"),
        ("9h30-12h du mardi au samedi", "Tu-Sa 09:30-12:00; Mo,Su unknown"),
        ("Samedi et dimanche : 10h – 13h", "Sa-Su 10:00-13:00; Mo-Fr unknown"),
        ("mardi, jeudi : 7h30 - 9h30 / 18h30 - 20h30", "Tu,Th 07:30-09:30,18:30-20:30; "),
        ("lundi fermé, mardi 9h-12h", "Tu 09:00-12:00; Mo off; We-Su unknown"),
        ("du lundi au vendredi de 9h à 17h (fermé le week-end)", "Mo-Fr 09:00-17:00; Sa-Su off"),
    ],
)
def test_a_sentence_says_what_it_says_and_no_more(words: str, osm: str) -> None:
    parsed = hours_from_text(words)
    assert parsed.understood
    assert parsed.osm.startswith(osm)
    # of public holidays nobody spoke
    assert parsed.osm.endswith("PH unknown")


@pytest.mark.parametrize(
    ("words", "osm"),
    [
        ("24 h sur 24, 7 jours sur 7", "24/7"),
        ("Ouvert 24h/24", "24/7"),
        ("7j/7 de 8h à 20h", "Mo-Su 08:00-20:00"),
        ("toute l'année, tous les jours de 10h à minuit", "Mo-Su 10:00-24:00"),
        ("tous les jours de 10h à 18h sauf jours fériés", "Mo-Su 10:00-18:00; PH off"),
        ("Tous les jours sauf le mardi de 10h00 à 17h00", "Mo,We-Su 10:00-17:00; Tu off"),
        (
            "du lundi au vendredi de 9h à 12h et de 14h à 18h, fermé les jours fériés",
            "Mo-Fr 09:00-12:00,14:00-18:00; Sa-Su unknown; PH off",
        ),
        ("lu-ve 9h-12h y compris les jours fériés", "Mo-Fr 09:00-12:00; Sa-Su unknown"),
        ("lu-di 18:00-09:00", "Mo-Su 18:00-09:00; PH unknown"),
        ("fermé tous les jours", "off"),
        ("Mo-Fr 09:00-12:00; PH off", "Mo-Fr 09:00-12:00; PH off"),
        ("24/7", "24/7"),
        (
            "Du 01/07/2025 au 31/08/2025, tous les jours de 9h à 18h",
            "unknown; 2025 Jul 01-2025 Aug 31 Mo-Su 09:00-18:00",
        ),
        (
            "tous les jours de 9h à 18h du 15 octobre au 31 mars",
            "unknown; Oct 15-Mar 31 Mo-Su 09:00-18:00",
        ),
    ],
)
def test_a_sentence_about_every_day(words: str, osm: str) -> None:
    assert hours_from_text(words).osm == osm
    assert hours_from_text(words).understood


@pytest.mark.parametrize(
    "words",
    [
        "lu-sa 17:15-19:30 (environ)",
        "09:00-13:00, 14:00-17:00 ou 18:00 (jours non indiqués)",
        "18:00-20:00",  # of which days?
        "lu-di 19:00",  # until when?
        "lu-ve à midi",
        "le soir",
        "ma-sa 14:30-20:30 (2019)",
        "lu-di 09:00-17:00 (un week-end sur deux)",
        "lundi 9h-12h, mardi",
        "9h-12h lundi 14h-17h",
        "lu-ve 9h-9h",
        "lu-ve 25h-26h",
        "lu-ve 9h75-12h",
        "sur rendez-vous",
        "fermeture du 3 au 20 août inclus",
        "pas le lundi 9h-12h",
        "",
        "   ",
    ],
)
def test_what_is_not_understood_is_unknown(words: str) -> None:
    parsed = hours_from_text(words)
    assert (parsed.osm, parsed.understood) == ("", False)
    assert parsed.reason
    assert state(parsed.osm, AT(2026, 5, 4, 18)) == [UNKNOWN]


@pytest.mark.parametrize(
    ("words", "osm"),
    [
        ("09h30-12h", "09:30-12:00"),
        ("9h à 12h30 et 14h-18h", "09:00-12:30,14:00-18:00"),
        ("07:30-13:00", "07:30-13:00"),
        ("14h - 17h", "14:00-17:00"),
        ("07h00 - 08h30 / 11h30 - 13h30 / 16h30 - 22h30", "07:00-08:30,11:30-13:30,16:30-22:30"),
        ("10h – 18h", "10:00-18:00"),
        ("9H30 - 17H", "09:30-17:00"),
        ("10h00 -18h30", "10:00-18:30"),
        ("de 9h00 à 12h00", "09:00-12:00"),
        ("24h/24", "00:00-24:00"),
    ],
)
def test_the_hours_of_a_day(words: str, osm: str) -> None:
    parsed = hours_from_days({"horaires_lundi": words})
    assert parsed.osm == f"Mo {osm}; Tu-Su unknown; PH unknown"


@pytest.mark.parametrize("words", ["-", "Fermé", "fermé ", "--", "–"])
def test_a_dash_is_closed_and_a_blank_is_not(words: str) -> None:
    every = hours_from_days(dict.fromkeys(DAYS, words))
    assert every.osm == "off"
    assert state(every.osm, AT(2026, 5, 4, 10)) == [CLOSED]
    monday = AT(2026, 5, 4, 10)
    one = hours_from_days({"lundi": words, "mardi": "9h-12h", "mercredi": "", "jeudi": None})
    assert state(one.osm, *(monday + dt.timedelta(days=k) for k in range(4))) == [
        *(CLOSED, OPEN, UNKNOWN, UNKNOWN)
    ]
    assert hours_from_days(dict.fromkeys(DAYS, "")).osm == ""


def test_a_day_that_is_not_understood_is_told_and_unknown() -> None:
    # cut off by the width of the portal's column
    cut = "06h30 - 07h45 / 11h45 - 13h45 / 16h30 - 19h45 / 20"
    parsed = hours_from_days({0: "9h-12h", "tuesday": cut}, closed_on_holidays=True)
    assert parsed.osm == "Mo 09:00-12:00; Tu-Su unknown; PH off"
    assert not parsed.understood
    assert "Tu" in parsed.reason
    assert hours_from_days({"someday": "9h-12h"}).osm == ""


@pytest.mark.parametrize(
    ("period", "inside", "outside"),
    [
        ("du 01/07/2025 au 31/08/2025", AT(2025, 8, 31, 10), AT(2025, 9, 1, 10)),
        ("Du 01/01/20 au 01/02/25", AT(2025, 2, 1, 10), AT(2025, 2, 2, 10)),
        ("à partir du 16/06/20", AT(2030, 6, 16, 10), AT(2020, 6, 15, 10)),
        ("A partir du 08 juillet 2023", AT(2023, 7, 8, 10), AT(2023, 7, 7, 10)),
        ("Du 08 juillet au 03 septembre 2023", AT(2023, 9, 3, 10), AT(2023, 9, 4, 10)),
        ("jusqu'au 31/12/2025", AT(2025, 12, 31, 10), AT(2026, 1, 1, 10)),
        ("Du 28 juillet au 22 août", AT(2031, 8, 22, 10), AT(2031, 8, 23, 10)),
    ],
)
def test_outside_of_its_period_nothing_is_known(
    period: str, inside: dt.datetime, outside: dt.datetime
) -> None:
    open_ = hours_from_days(dict.fromkeys(DAYS, "9h-12h"), period=period, closed_on_holidays=False)
    shut = hours_from_days(dict.fromkeys(DAYS, "-"), period=period)
    assert state(open_.osm, inside, outside) == [OPEN, UNKNOWN]
    assert state(shut.osm, inside, outside) == [CLOSED, UNKNOWN]
    assert open_.understood


def test_a_period_tells_its_days_and_one_in_words_is_not_guessed() -> None:
    days = dict.fromkeys(DAYS, "9h-12h")
    known = hours_from_days(days, period="du 19/01/24 au 30/09/25")
    assert (known.valid_from, known.valid_to) == ("2024-01-19", "2025-09-30")
    assert known.reason
    for words in ("Horaires d'ouverture du parc", "Fermeture du 3 au 20 août inclus"):
        guess = hours_from_days(days, period=words)
        assert (guess.osm, guess.understood) == ("", False)
        assert words in guess.reason
    assert hours_from_days(days, period="toute l’année").osm.startswith("Mo-Su 09:00-12:00")


RANGES = st.lists(st.integers(0, 47), min_size=2, max_size=4, unique=True).map(sorted)


@given(st.lists(st.one_of(st.none(), st.just([]), RANGES), min_size=7, max_size=7), st.data())
def test_days_come_out_as_they_went_in(week: list[list[int] | None], data: st.DataObject) -> None:
    """Half hours of the day, in the forms of the portals, read back one by one."""

    def clock(half: int) -> str:
        hour, minute = divmod(half * 30, 60)
        form = data.draw(st.sampled_from(["{:02}h{:02}", "{:02}:{:02}", "{}h{:02}"]))
        return f"{hour}h" if not minute and data.draw(st.booleans()) else form.format(hour, minute)

    def words(ranges: list[int] | None) -> str:
        if ranges is None:
            return ""
        pairs = [ranges[k : k + 2] for k in range(0, len(ranges) // 2 * 2, 2)]
        dash = data.draw(st.sampled_from(["-", " - ", " à ", " – "]))
        joined = data.draw(st.sampled_from([" / ", " et ", ", "])).join(
            f"{clock(a)}{dash}{clock(b)}" for a, b in pairs
        )
        return joined or "-"

    said = {DAYS[day]: words(ranges) for day, ranges in enumerate(week)}
    parsed = hours_from_days(said, closed_on_holidays=False)
    assert parsed.understood == any(ranges is not None for ranges in week)
    monday = AT(2026, 3, 2)
    moments = [monday + dt.timedelta(minutes=30 * k) for k in range(7 * 48)]
    found = state(parsed.osm, *moments, stay_min=30.0)
    for k, got in enumerate(found):
        day, half = divmod(k, 48)
        ranges = week[day]
        if ranges is None:
            assert got == UNKNOWN
        else:
            pairs = zip(ranges[::2], ranges[1::2], strict=False)
            assert got == (OPEN if any(a <= half < b for a, b in pairs) else CLOSED)


# --- states --------------------------------------------------------------------------------------

MONDAY = AT(2026, 5, 4)


def test_a_place_that_closes_soon_after_one_arrives_is_not_open() -> None:
    hours = "Mo 09:00-12:00,12:00-13:00"
    moments = [MONDAY.replace(hour=12, minute=minute) for minute in (0, 44, 45, 46, 59)]
    assert state(hours, *moments) == [OPEN, OPEN, OPEN, CLOSED, CLOSED]
    assert state(hours, *moments, stay_min=0.0) == [OPEN] * 5
    assert state(hours, *moments, stay_min=5.0) == [OPEN] * 4 + [CLOSED]
    # what follows is not known: it may stay open
    assert state("Mo 09:00-12:00 open, Mo 12:00-13:00 unknown", *moments) == [
        *(UNKNOWN, UNKNOWN, UNKNOWN, CLOSED, CLOSED)
    ]


def test_hours_past_midnight_and_round_the_clock() -> None:
    night = [AT(2026, 5, 4, 23, 50), AT(2026, 5, 5, 1, 45), AT(2026, 5, 5, 1, 50)]
    assert state("22:00-02:00", *night) == [OPEN, OPEN, CLOSED]
    assert state("Mo 22:00-02:00", *night, AT(2026, 5, 4, 1)) == [OPEN, OPEN, CLOSED, CLOSED]
    assert state("24/7", *night) == [OPEN] * 3


def test_public_holidays_are_those_of_the_country() -> None:
    first_of_may, ascension, pentecost = (
        AT(2026, 5, 1, 10),
        AT(2026, 5, 14, 10),
        AT(2026, 5, 25, 10),
    )
    hours = "Mo-Su 09:00-12:00; PH off"
    assert state(hours, first_of_may, ascension, pentecost, MONDAY.replace(hour=10)) == [
        *(CLOSED, CLOSED, CLOSED, OPEN)
    ]
    assert state(hours, ascension, country="GB") == [OPEN]
    # a country nobody knows the holidays of: any day may be one
    assert state(hours, ascension, MONDAY.replace(hour=13), country=None) == [UNKNOWN, CLOSED]
    assert is_country("FR")
    assert not is_country("Paris")


def test_school_holidays_are_unknown_where_they_would_decide() -> None:
    noon, evening = MONDAY.replace(hour=10), MONDAY.replace(hour=20)
    assert state("Mo-Su 09:00-12:00; SH off", noon, evening) == [UNKNOWN, CLOSED]
    assert state("Mo-Su 09:00-12:00; PH,SH off", noon, evening) == [UNKNOWN, CLOSED]
    assert state("SH Mo-Fr 09:00-12:00", noon, evening) == [UNKNOWN, CLOSED]
    assert state("Mo-Fr,SH 09:00-12:00", noon, AT(2026, 5, 3, 10)) == [OPEN, UNKNOWN]
    # the same hours either way: they decide nothing
    assert state("Mo-Fr 09:00-12:00; SH Mo-Fr 09:00-12:00", noon) == [OPEN]


def test_what_is_not_certain_is_unknown() -> None:
    noon, late = MONDAY.replace(hour=10), MONDAY.replace(hour=13)
    assert state('Mo-Fr 09:00-12:00 "sur rendez-vous"', noon, late) == [UNKNOWN, CLOSED]
    assert state('"sur rendez-vous"', noon) == [UNKNOWN]
    assert state("Mo-Fr 09:00+", noon, MONDAY.replace(hour=8)) == [UNKNOWN, CLOSED]
    assert state("Mo-Fr 09:00-12:00+", noon, late) == [OPEN, UNKNOWN]
    assert state("sunrise-sunset", noon, late) == [UNKNOWN, UNKNOWN]
    assert state("sunrise-sunset", noon, MONDAY.replace(hour=23), coords=(48.86, 2.35)) == [
        *(OPEN, CLOSED)
    ]
    for text in ("", "  ", "Mo-Fr 9h-12h", "ouvert", "Mo-Fr 25:00-26:00", "\0"):
        assert state(text, noon) == [UNKNOWN], text


def test_clocks_that_are_put_forward_and_back() -> None:
    # On 29 March 2026 it is 03:00 after 01:59; on 25 October 02:00 … 02:59 come twice.
    night = [AT(2026, 3, 29, 1, 40), AT(2026, 3, 29, 1, 50), AT(2026, 3, 29, 2, 30)]
    assert state("22:00-02:30", *night) == [OPEN, CLOSED, CLOSED]
    assert state("22:00-04:00", *night) == [OPEN] * 3
    assert state("02:00-03:00", *night) == [CLOSED] * 3
    twice = [AT(2026, 10, 25, 2, 50), AT(2026, 10, 25, 2, 50, fold=1)]
    assert state("02:00-03:00", *twice) == [OPEN, CLOSED]  # an hour left, and ten minutes
    assert state("22:00-02:30", AT(2026, 10, 25, 2, 10), AT(2026, 10, 25, 2, 10, fold=1)) == [
        *(OPEN, UNKNOWN)
    ]
    utc = [moment.replace(tzinfo=dt.UTC) for moment in (AT(2026, 10, 25, 0, 50),)]
    assert state("02:00-03:00", *utc) == [OPEN]


def test_a_visit_lies_within_the_window() -> None:
    sunday = AT(2026, 5, 3)
    window = sunday.replace(hour=18), sunday.replace(hour=22)
    hours = ["18:00-18:14", "18:05-18:20", "21:46-23:00", "21:45-23:00", "17:00-18:10,21:50-23:00"]
    assert visit_states(hours, *window).tolist() == [CLOSED, OPEN, CLOSED, OPEN, CLOSED]
    assert visit_states(["", "Su 17:00-20:00 unknown", "Su off"], *window).tolist() == [
        *(UNKNOWN, UNKNOWN, CLOSED)
    ]
    # past midnight
    assert visit_states(["Mo 00:30-01:00"], window[0], sunday + dt.timedelta(days=1, hours=1)) == [
        OPEN
    ]


def test_when_a_place_opens_next() -> None:
    eve = AT(2026, 4, 30, 11, 50)  # the day after is a holiday
    hours = ["Tu-Sa 10:00-12:00; PH off", "off", "", "22:00-02:00", "24/7", "Th 11:55-12:05"]
    assert next_openings(hours, eve) == [
        AT(2026, 5, 2, 10),
        None,
        None,
        AT(2026, 4, 30, 22),
        eve,
        None,  # never for long enough
    ]


PIECES = st.sampled_from(
    [
        *("Mo", "Tu-Fr", "Sa,Su", "PH", "SH", "PH,SH", "Jan", "week 1-53/2", "2026", "easter"),
        *("10:00-12:00", "22:00-02:00", "20:00+", "10:00-12:00+", "sunrise-sunset", "off"),
        *("unknown", "open", '"x"', "24/7", ";", "||", ",", "Mo[1]", "-", " "),
        *("lundi", "9h", "à", "12h30", "fermé", "du 01/02/25 au", "tous les jours", "sauf", "7j/7"),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=7).map(" ".join))
NIGHTS = [AT(2026, 5, 1, 10, 30), AT(2026, 3, 29, 2, 30), AT(2026, 10, 25, 2, 30, fold=1)]


@given(TEXTS, st.sampled_from(["FR", "PT", None]))
@example("24/7; SH off", "FR")
@example('"', "FR")
def test_no_text_raises_or_opens_a_door_by_mistake(text: str, country: str | None) -> None:
    found = opening_states([text], NIGHTS, where=Where(country=country))
    if not text.strip() or not is_osm_hours(text):
        assert (found == UNKNOWN).all()
    for parsed in (hours_from_text(text), hours_from_days({"lundi": text}, period=text)):
        assert parsed.osm == "" or is_osm_hours(parsed.osm)
        assert parsed.osm or not parsed.understood


RULES = st.lists(
    st.tuples(
        st.sampled_from(["", "Mo-Fr ", "Sa,Su ", "Tu ", "May ", "PH "]),
        st.sampled_from(
            ["09:00-12:00", "11:30-12:10,14:00-18:00", "22:00-02:00", "off", "unknown", "24/7"]
        ),
    ).map("".join),
    min_size=1,
    max_size=4,
).map("; ".join)


@given(RULES, st.integers(0, 7 * 24 * 60), st.integers(0, 45))
def test_a_stay_is_open_in_every_minute_of_it(rules: str, minute: int, stay_min: int) -> None:
    """The state of who arrives against those of each minute of the stay."""
    if not is_osm_hours(rules):
        return
    arrival = AT(2026, 4, 27) + dt.timedelta(minutes=minute)  # the week of 1 May
    minutes = [arrival + dt.timedelta(minutes=k) for k in range(max(stay_min, 1))]
    during = state(rules, *minutes, stay_min=0.0)
    assert state(rules, arrival, stay_min=float(stay_min)) == [min(during)]


@given(st.lists(RULES, max_size=6), st.integers(1, 5))
def test_each_row_has_its_own_answer(rules: list[str], n: int) -> None:
    moments = [MONDAY + dt.timedelta(hours=7 * k) for k in range(n)]
    found = opening_states(rules, moments)
    assert found.shape == (len(rules), n)
    for row, text in zip(found, rules, strict=True):
        assert row.tolist() == state(text, *moments)


# --- the real files ------------------------------------------------------------------------------

# Five bains-douches, as the portal states them; the states below are read off by hand.
BAINS_DOUCHES = {
    "Saint-Merri": ["07h30 - 13h00"] * 3 + ["-"] + ["07h30 - 13h00"] * 2 + ["08h00 - 12h30"],
    "Deux-Ponts": ["-", *["12h00 - 18h00"] * 5, "-"],
    "Audubon": ["12h00 - 18h00"] * 5 + ["-"] * 2,
    "Butte-aux-Cailles": [
        *("-", "07h30 - 13h00", "-", *["07h30 - 13h00"] * 3, "08h30 - 12h30"),
    ],
    "Rouvet": ["-"] * 7,
}
BY_HAND = {
    # Monday 4 May at 10:00 and at 15:00, Sunday 3 May at 8:15, at 12:10 and at 12:20, 1 May at 10
    "Saint-Merri": (OPEN, CLOSED, OPEN, OPEN, CLOSED, UNKNOWN),
    "Deux-Ponts": (CLOSED, CLOSED, CLOSED, CLOSED, CLOSED, UNKNOWN),
    "Audubon": (CLOSED, OPEN, CLOSED, CLOSED, CLOSED, UNKNOWN),
    "Butte-aux-Cailles": (CLOSED, CLOSED, CLOSED, OPEN, CLOSED, UNKNOWN),
    "Rouvet": (CLOSED,) * 6,
}
VISITS = [
    *(AT(2026, 5, 4, 10), AT(2026, 5, 4, 15), AT(2026, 5, 3, 8, 15)),
    *(AT(2026, 5, 3, 12, 10), AT(2026, 5, 3, 12, 20), AT(2026, 5, 1, 10)),
]


@pytest.mark.parametrize("name", BAINS_DOUCHES)
def test_five_bains_douches_read_by_hand(name: str) -> None:
    parsed = hours_from_days(dict(enumerate(BAINS_DOUCHES[name])))
    assert parsed.understood
    assert tuple(state(parsed.osm, *VISITS)) == BY_HAND[name]


@needs_extracts
@pytest.mark.extracts
def test_the_portal_s_own_file() -> None:
    rows = json.loads(COOL_PLACES.read_text(encoding="utf-8"))
    read = {
        row["nom"]: hours_from_days(
            {f"horaires_{day}": row[f"horaires_{day}"] for day in DAYS},
            period=row["horaires_periode"] or "",
        )
        for row in rows
        if row["type"] == "Bains-douches"
    }
    assert len(read) == 17
    assert all(parsed.understood for parsed in read.values())
    now = opening_states([parsed.osm for parsed in read.values()], [AT(2025, 9, 16, 10)])[:, 0]
    states = dict(zip(read, now.tolist(), strict=True))
    assert [n for n, s in states.items() if s == OPEN and ("Rouvet" in n or "Bidassoa" in n)] == []
    for name, stated in BAINS_DOUCHES.items():
        (full,) = [full for full in read if name in full]
        assert stated == [
            row[f"horaires_{day}"] for row in rows if row["nom"] == full for day in DAYS
        ]
    # its period was over in February 2025: closed is not what the file says
    (charenton,) = [full for full in read if "Charenton" in full]
    assert states[charenton] == UNKNOWN
    # of all places with hours, what is not understood has its day or period told
    told = [
        hours_from_days(
            {day: row[f"horaires_{day}"] for day in DAYS}, period=row["horaires_periode"] or ""
        )
        for row in rows
        if any(row[f"horaires_{day}"] for day in DAYS)
    ]
    doubts = [parsed.reason for parsed in told if not parsed.understood]
    assert len(told) == 125
    assert len(doubts) <= 4
    assert all(doubts)


@needs_extracts
@pytest.mark.extracts
def test_the_hand_compiled_facts() -> None:
    with FACTS.open(encoding="utf-8", newline="") as file:
        texts = {row["opening_hours"].strip() for row in csv.DictReader(file)} - {""}
    assert len(texts) > 30
    open_now = np.array([AT(2026, 5, 4, 10), AT(2026, 5, 4, 19)])
    for text in texts:
        # Free text is never open, in either reading.
        if not is_osm_hours(text):
            assert (opening_states([text], open_now.tolist()) == UNKNOWN).all()
            if any(word in text for word in ("about", "not stated", " or ", "(")):
                assert hours_from_text(text).osm == "", text
