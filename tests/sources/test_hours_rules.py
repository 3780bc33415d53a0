"""Rules of opening hours: the smallest texts that were read wrongly, nights, holidays, the sun."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_heure.errors import InputFileError
from quart_heure.sources.hours.calendars import (
    DEPARTEMENTS,
    SCHOOL_ZONE_OF,
    Calendar,
    SchoolHolidays,
    departements_of,
    public_holidays,
)
from quart_heure.sources.hours.dates import Easter, easter_sunday, iso_week, weekday
from quart_heure.sources.hours.schedule import sun_minutes
from quart_heure.sources.hours.states import Where, next_openings, opening_states
from quart_heure.sources.hours.syntax import CLOSED, OPEN, UNKNOWN, is_osm_hours, read_rules

PARIS = (48.86, 2.35)


def state(hours: str, *moments: str, where: Where | None = None) -> list[int]:
    at = [dt.datetime.fromisoformat(moment) for moment in moments]
    states = opening_states([hours], at, where=where or Where(coords=PARIS), stay_min=0.0)
    return [int(one) for one in states[0]]


MON, TUE, SAT, SUN = "2026-06-15", "2026-06-16", "2026-06-20", "2026-06-21"
HOLIDAY = "2026-07-14"  # a Tuesday


@pytest.mark.parametrize(
    ("hours", "moment", "wanted"),
    [
        # a holiday that falls on such a day
        ("Mo-Fr 09:00-17:00; PH Mo-Fr off", f"{TUE} 10:00", OPEN),
        ("Mo-Fr 09:00-17:00; PH Mo-Fr off", f"{HOLIDAY} 10:00", CLOSED),
        ("Mo-Su 09:00-17:00; PH Su off", f"{SUN} 10:00", OPEN),
        ("Mo-Su 09:00-17:00; PH Su off", f"{HOLIDAY} 10:00", OPEN),
        ("Mo-Su 09:00-17:00; PH Su off", "2026-11-01 10:00", CLOSED),
        ("PH Mo-Fr 09:00-17:00", f"{TUE} 10:00", CLOSED),
        ("PH Mo-Fr 09:00-17:00", f"{HOLIDAY} 10:00", OPEN),
        ("SH Mo-Fr 09:00-17:00", f"{SAT} 10:00", CLOSED),
        ("SH Mo-Fr 09:00-17:00", f"{TUE} 10:00", UNKNOWN),
        # a last fallback of the whole day
        ('Mo-Fr 09:00-12:00 || "sur rendez-vous"', f"{TUE} 10:00", OPEN),
        ('Mo-Fr 09:00-12:00 || "sur rendez-vous"', f"{TUE} 15:00", UNKNOWN),
        ("Mo-Fr 09:00-12:00 || unknown", f"{SAT} 10:00", UNKNOWN),
        ("Mo-Fr 09:00-12:00 || off", f"{TUE} 10:00", OPEN),
        ("Mo-Fr 09:00-12:00 || off", f"{TUE} 15:00", CLOSED),
        ("Mo-Fr 20:00-08:00 || unknown", f"{SAT} 07:00", OPEN),
        # a blank after a comma
        ("Mo-Fr 09:00-17:00; Sa, Su off", f"{SAT} 03:00", CLOSED),
        ("Mo-Fr 09:00-17:00; Sa, Su, PH off", f"{SAT} 03:00", CLOSED),
        ("Mo-Fr 09:00-17:00; Sa, Su, PH off", f"{HOLIDAY} 10:00", CLOSED),
        ("Mo-Fr 09:00-17:00; Jul, Aug off", f"{HOLIDAY} 10:00", CLOSED),
        ("Mo-Fr 09:00-17:00; Jul, Aug off", f"{TUE} 10:00", OPEN),
        ("Su, PH 10:00-12:00", f"{SUN} 04:00", CLOSED),
        ("Mo-Fr 09:00-17:00; Dec 25, Jan 01 off", "2026-12-25 10:00", CLOSED),
        ("Mo-Fr 09:00-17:00; Su, PH, Dec 24 off", "2026-12-24 10:00", CLOSED),
        # a night that runs into a day of an earlier rule
        ("Mo-Fr 09:00-17:00; Sa-Su 20:00-08:00", "2026-06-22 03:00", OPEN),
        ("Su-Th 18:00-00:00; Fr-Sa 18:00-02:00", f"{SUN} 01:00", OPEN),
        # or of a later one
        ("Fr-Sa 18:00-02:00; Su-Th 18:00-00:00", f"{SUN} 01:00", OPEN),
        ("Mo-Fr 20:00-08:00; Sa-Su 18:00-10:00", f"{SAT} 03:00", OPEN),
        ("Mo 20:00-08:00; Tu 20:00-08:00", f"{TUE} 03:00", OPEN),
        ("Mo-Su 20:00-08:00; PH off", f"{HOLIDAY} 03:00", UNKNOWN),
        ("Mo-Su 20:00-08:00; PH off", f"{HOLIDAY} 21:00", CLOSED),
        ("Mo-Su 20:00-08:00; PH off", "2026-07-15 03:00", CLOSED),
        ("Mo-Su 20:00-08:00; Tu 00:00-06:00 off", f"{TUE} 03:00", CLOSED),
        ("Mo-Su 20:00-08:00; Tu 00:00-06:00 off", f"{TUE} 07:00", OPEN),
        ("Mo-Su 20:00-08:00; Dec 25 10:00-12:00", "2026-12-25 03:00", UNKNOWN),
        ("24/7; Mo 22:00-06:00 off", f"{TUE} 03:00", CLOSED),
        # ours
        ("Mo-Fr 09:00-17:00, SH off", f"{TUE} 10:00", UNKNOWN),
        ("Mo-Fr 09:00-17:00, SH off", f"{TUE} 18:00", CLOSED),
        ("Mo-Fr 09:00-17:00;", f"{TUE} 10:00", OPEN),
        ("Mo-Fr 09:00-12:00; 14:00-17:00", f"{TUE} 10:00", OPEN),
        ("Mo-Fr 09:00-12:00; 14:00-17:00", f"{TUE} 15:00", OPEN),
        ("Mo-Fr 09:00-12:00; 14:00-17:00", f"{SAT} 10:00", CLOSED),
        ("Mo-Fr 09:00-12:00; 14:00-17:00", f"{SAT} 15:00", UNKNOWN),
        ("Mo-Fr 09:00-17:00; off", f"{TUE} 10:00", UNKNOWN),
        ("Mo-Fr", f"{TUE} 10:00", UNKNOWN),
        ("Apr-Oct open", f"{TUE} 10:00", OPEN),
        ("week 40-18 Sa 10:00-12:00", "2027-01-02 11:00", OPEN),
    ],
)
def test_what_a_text_means(hours: str, moment: str, wanted: int) -> None:
    assert state(hours, moment) == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        *("WE 10:00-18:00", "Mo 10:00", "Mo-Fr 09:00-17:00,", "Mo Tu 09:00-17:00", "; ;", "|| off"),
        *("Mo-Fr 09:00-17:00 et", "Mo-Fr, Jul-Aug 09:00-12:00", "Feb 30 off", "Mo-Fr 9h", "Mo[6]"),
        *("Mo-Fr 09:60-17:00", "Mo-Fr 09:00-49:00", "week 54 Mo 10:00-12:00", "x" * 2000, '"'),
        "2026 Dec 24-9",
    ],
)
def test_what_is_not_in_the_syntax_to_the_last_sign(text: str) -> None:
    assert not is_osm_hours(text)
    assert state(text, f"{TUE} 10:00") == [UNKNOWN]


_DAYS = st.sampled_from(["Mo-Fr", "Sa,Su", "Mo,We-Th", "Tu", "Mo-Su"])
_NIGHTS = st.tuples(st.integers(17, 23), st.integers(1, 9))


@given(st.lists(st.tuples(_DAYS, _NIGHTS), min_size=1, max_size=3), st.integers(0, 7 * 24 - 1))
def test_nights_belong_to_their_evening(
    rules: list[tuple[str, tuple[int, int]]], hour: int
) -> None:
    """Against a table of evenings: the last rule of a day says when its night begins and ends."""
    text = "; ".join(f"{days} {begin}:00-0{end}:00" for days, (begin, end) in rules)
    evenings: dict[int, tuple[int, int]] = {}
    names = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    for days, night in rules:
        for part in days.split(","):
            first, _, last = part.partition("-")
            span = range(names.index(first), names.index(last or first) + 1)
            evenings |= dict.fromkeys(span, night)
    at = dt.datetime(2026, 6, 15, 0, 30) + dt.timedelta(hours=hour)
    today, eve = at.weekday(), (at.weekday() - 1) % 7
    open_ = today in evenings and at.hour >= evenings[today][0]
    open_ |= eve in evenings and at.hour < evenings[eve][1]
    assert state(text, at.isoformat()) == [OPEN if open_ else CLOSED]


@given(st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31)))
def test_days_of_the_calendar(day: dt.date) -> None:
    days = np.array([day], dtype="datetime64[D]")
    assert weekday(days)[0] == day.weekday()
    assert iso_week(days)[0] == day.isocalendar().week
    easter = easter_sunday(day.year).astype(dt.date)
    assert easter.weekday() == 6
    assert dt.date(day.year, 3, 22) <= easter <= dt.date(day.year, 4, 25)
    assert Easter(None, 39).of(day.year).astype(dt.date) == easter + dt.timedelta(days=39)


# --- holidays ------------------------------------------------------------------------------------


def test_regions_have_holidays_of_their_own() -> None:
    good_friday, after_christmas = "2026-04-03 10:00", "2026-12-26 10:00"
    hours = "Mo-Sa 09:00-17:00; PH off"
    for code in ("57", "67", "68"):
        there = Where(departements=(code,))
        assert state(hours, good_friday, after_christmas, where=there) == [CLOSED, CLOSED]
    assert (
        state(hours, good_friday, after_christmas, where=Where(departements=("54",))) == [OPEN] * 2
    )
    # on either side of the border: only where both have it
    both = Where(departements=("54", "57"))
    assert state(hours, good_friday, "2026-05-25 10:00", where=both) == [UNKNOWN, CLOSED]
    for code, day in (("972", "2026-05-22"), ("973", "2026-06-10"), ("974", "2026-12-20")):
        date = dt.date.fromisoformat(day)
        assert public_holidays([date], country="FR", departements=(code,)) == [True]
        assert public_holidays([date], country="FR") == [False]


def test_the_departement_is_told_by_codes_or_by_the_place() -> None:
    assert departements_of(["67482"], PARIS) == ("67",)
    assert departements_of(["2A004", "20"], PARIS) == ("",)
    assert departements_of(["2A004"], PARIS) == ("2A",)
    assert departements_of(["97411", "97415"], None) == ("974",)
    assert departements_of(["751010101"], None) == ("75",)
    assert departements_of(["1", "2"], (48.58, 7.75)) == ("", "67")
    assert departements_of(["W", "E"], (16.25, -61.55)) == ("971",)
    assert departements_of(["99101"], PARIS) == ("",)
    assert departements_of([], PARIS) == ("",)
    assert departements_of([], None) == ()
    near = Where(departements=("", "67"))
    assert state("Mo-Fr 09:00-17:00; PH off", "2026-04-03 10:00", where=near) == [UNKNOWN]


def test_somewhere_in_france_a_holiday_of_a_part_is_not_known() -> None:
    hours, at = ["Mo-Sa 09:00-17:00; PH off"], [dt.datetime(2026, 12, 26, 10)]
    assert opening_states(hours, at, country="FR").tolist() == [[UNKNOWN]]
    assert opening_states(hours, at, coords=PARIS).tolist() == [[OPEN]]
    # Christmas and an ordinary Saturday are the same everywhere.
    same = [dt.datetime(2026, 12, 25, 10), dt.datetime(2026, 12, 19, 10)]
    assert opening_states(hours, same, country="FR").tolist() == [[CLOSED, OPEN]]


def test_clocks_overseas() -> None:
    assert Where(departements=("974",)).zone.key == "Indian/Reunion"
    assert Where(departements=("75", "92")).zone.key == "Europe/Paris"
    assert Calendar("PT").zone is None


T, P = "T22:00:00+00:00", "Paris"  # midnight in Paris in summer
CALENDAR = "\n".join(
    ";".join(row)
    for row in (
        ("Description", "Population", "Date de début", "Date de fin", "Académies", "Zones"),
        ("Toussaint", "-", f"2026-10-16{T}", "2026-11-01T23:00:00+00:00", P, "Zone C"),
        ("Noël", "-", "2026-12-18T23:00:00+00:00", "2027-01-03T23:00:00+00:00", P, "Zone C"),
        ("Été", "Enseignants", f"2027-06-01{T}", f"2027-08-30{T}", "", "Zone C"),
        ("Été", "Élèves", f"2027-07-02{T}", f"2027-07-02{T}", P, "Zone C"),
        ("Toussaint", "-", f"2026-10-09{T}", "2026-10-25T23:00:00+00:00", "Lyon", "Zone A"),
    )
)


def test_school_holidays_are_those_of_the_zone_where_a_table_is_given(tmp_path: Path) -> None:
    path = tmp_path / "calendrier.csv"
    path.write_text(CALENDAR, encoding="utf-8")
    hours = "Mo-Fr 09:00-17:00; SH off"
    moments = ("2026-10-16 10:00", "2026-10-19 10:00", "2026-11-02 10:00", "2026-11-03 10:00")
    zone_c = SchoolHolidays.read(path, SCHOOL_ZONE_OF["75"])
    # Friday before, Monday in them, the Monday on which school begins again
    assert state(hours, *moments, where=Where(school=zone_c)) == [UNKNOWN, CLOSED, OPEN, OPEN]
    zone_a = SchoolHolidays.read(path, "Lyon")
    assert state(hours, "2026-10-12 10:00", where=Where(school=zone_a)) == [CLOSED]
    # outside of the table nothing is known, nor from the last day of school on
    assert state(hours, "2027-07-06 10:00", "2028-01-10 10:00", where=Where(school=zone_c)) == [
        *(UNKNOWN, UNKNOWN)
    ]
    assert state("SH Mo-Fr 09:00-12:00", "2027-02-01 10:00", where=Where(school=zone_c)) == [CLOSED]
    for text, why in (("a;b\n1;2\n", "no column"), (CALENDAR, "tells no school")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputFileError, match=why):
            SchoolHolidays.read(path, "Zone B")
    with pytest.raises(InputFileError, match="cannot be read"):
        SchoolHolidays.read(tmp_path / "none.csv", "Zone C")
    path.write_text(CALENDAR.replace("2026-10-16T22:00:00+00:00", "soon"), encoding="utf-8")
    with pytest.raises(InputFileError, match="line 2"):
        SchoolHolidays.read(path, "Zone C")


def test_every_departement_has_a_zone() -> None:
    mainland = {f"{n:02}" for n in range(1, 96)} - {"20"} | {"2A", "2B"}
    assert mainland <= DEPARTEMENTS
    assert {SCHOOL_ZONE_OF[code] for code in mainland} == {"Zone A", "Zone B", "Zone C", "Corse"}


# --- the sun -------------------------------------------------------------------------------------


def test_the_sun_is_that_of_the_place() -> None:
    # of the almanac: sunrise and sunset in Paris at the solstices
    for day, rise, sets in (("2026-06-21", "05:47", "21:58"), ("2026-12-21", "08:41", "16:56")):
        found = sun_minutes(dt.date.fromisoformat(day), (*PARIS, "Europe/Paris"))
        for event, clock in (("sunrise", rise), ("sunset", sets)):
            hour, minute = map(int, clock.split(":"))
            assert abs(found[event] - (60 * hour + minute)) <= 2
    assert state("sunrise-sunset", "2026-12-21 07:30", "2026-06-21 07:30") == [CLOSED, OPEN]
    assert state("Mo-Su 22:00-sunrise", "2026-12-21 07:30", "2026-06-21 07:30") == [OPEN, CLOSED]
    assert state("sunset+", "2026-06-21 22:30", "2026-06-21 15:00") == [UNKNOWN, CLOSED]
    # a place that nobody knows, or its clock
    assert state("sunrise-sunset", f"{TUE} 12:00", where=Where()) == [UNKNOWN]
    assert state("sunrise-sunset", f"{TUE} 12:00", where=Where(country="PT", coords=PARIS)) == [
        UNKNOWN
    ]
    lisbon = Where(country="PT", coords=(38.7, -9.1), timezone="Europe/Lisbon")
    assert state("sunrise-sunset", f"{TUE} 06:30", f"{TUE} 21:30", where=lisbon) == [OPEN, CLOSED]
    north = Where(country="NO", coords=(69.6, 18.9), timezone="Europe/Oslo")
    assert state("sunrise-sunset", "2026-12-21 12:00", where=north) == [UNKNOWN]


def test_the_next_opening_is_looked_for_far_enough() -> None:
    at = dt.datetime(2026, 6, 16, 10)
    hours = ["Jan 15 10:00-12:00", "Mo-Fr 09:00-12:00; PH Mo-Fr off", "2030 Jan 10:00-12:00", ""]
    assert next_openings(hours, at) == [dt.datetime(2027, 1, 15, 10), at, None, None]


def test_rules_are_read_once() -> None:
    assert read_rules("Mo-Fr 09:00-12:00") is read_rules("Mo-Fr 09:00-12:00")
