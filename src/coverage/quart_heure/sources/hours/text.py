"""Hours in words: what portals and people write, turned into the syntax of OpenStreetMap.

The words are French first, as the portals are. Only what is understood to the last word is taken:
one word that is not may turn the meaning round ("sauf", "environ", "sur rendez-vous").
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

from quart_heure.sources.hours.period import Period
from quart_heure.sources.hours.sentence import Said, read_sentence, read_times
from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.hours.words import (
    DAY_NAMES,
    WHOLE_DAY,
    DayHours,
    NotUnderstoodError,
    plain_text,
)

_OSM_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_CLOSED_WORDS = frozenset({"-", "--", "ferme", "fermee", "closed", "off"})
_BLANK_WORDS = frozenset({"", "none", "nan", "null", "?", "nc", "non communique"})
_MARCH_OR_TUESDAY = re.compile(r"(?<![-,])\bMar\b(?! ?- ?[A-Z]| \d{1,2}(?![\d:h]))")


@dataclasses.dataclass(frozen=True)
class ParsedHours:
    """Opening hours read from words.

    Parameters
    ----------
    osm
        Hours in the syntax of OpenStreetMap, ``""`` if nothing is known. Days of which nothing is
        said are ``unknown`` in it, and so is what lies outside of the period of the hours.
    understood
        Whether all that was said is in them.
    reason
        What was not understood, or for which period the hours hold; ``""`` if all is plain.
    valid_from, valid_to
        First and last day of that period as ISO dates, ``""`` if it has none.
    """

    osm: str
    understood: bool
    reason: str = ""
    valid_from: str = ""
    valid_to: str = ""


def hours_from_days(
    days: Mapping[str | int, str | None],
    *,
    period: str = "",
    closed_on_holidays: bool | None = None,
) -> ParsedHours:
    """Read hours that are stated in one column a day.

    Parameters
    ----------
    days
        What is said of each day: ``-`` or *fermé* for a day on which the place is closed, blank
        where nothing is said. Days are numbers, Monday being 0, or names; a column name that ends
        with one is one.
    period
        When the hours hold, such as "du 01/07/2025 au 31/08/2025".
    closed_on_holidays
        Whether the place is closed on public holidays; where nobody says, they are unknown.

    Examples
    --------
    >>> hours_from_days({"lundi": "-", "mardi": "9h à 12h30 et 14h-18h"}).osm
    'Tu 09:00-12:30,14:00-18:00; Mo off; We-Su unknown; PH unknown'
    """
    stated: dict[int, DayHours] = {}
    doubts = []
    for name, value in days.items():
        day = _day_number(name)
        text = plain_text(value or "")
        if day is None:
            doubts.append(f"day {name!r}")
        elif text in _CLOSED_WORDS:
            stated[day] = ()
        elif text not in _BLANK_WORDS:
            ranges = read_times(text)
            if ranges is None:
                doubts.append(f"{_OSM_DAYS[day]} {str(value).strip()[:60]!r}")
            else:
                stated[day] = ranges
    when = Period.read(plain_text(period))
    if when is None:
        return ParsedHours("", False, f"period not understood: {period.strip()[:80]!r}")
    if not stated:
        return ParsedHours("", False, _not_understood(doubts) or "no hours stated")
    said = Said(
        days={} if when.osm else stated,
        periods=[(when, stated)] if when.osm else [],
        holidays=() if closed_on_holidays else None,
        as_other_days=closed_on_holidays is False,
    )
    return _parsed(said, doubts)


def hours_from_text(text: str) -> ParsedHours:
    """Read hours from a sentence, or from a text that is in the syntax of OpenStreetMap already.

    Hours without a day are not understood: they may be those of any day.

    Examples
    --------
    >>> hours_from_text("du lundi au vendredi de 9h à 17h, fermé les jours fériés").osm
    'Mo-Fr 09:00-17:00; Sa-Su unknown; PH off'
    >>> hours_from_text("le soir, sur rendez-vous").reason
    "not understood: 'sur'"
    """
    words = text.strip()
    if not words:
        return ParsedHours("", False, "no hours stated")
    if _MARCH_OR_TUESDAY.search(words) and is_osm_hours(words):
        return ParsedHours("", False, "not understood: 'Mar', March or mardi")
    if is_osm_hours(words) and re.search(r"[A-Z][a-z]|24/7|^off$|^closed$", words):
        return ParsedHours(words, True)
    plain = plain_text(words)
    if plain in _CLOSED_WORDS:
        return ParsedHours("off", True)
    try:
        return _parsed(read_sentence(plain), [])
    except NotUnderstoodError as error:
        return ParsedHours("", False, str(error))


def _parsed(said: Said, doubts: Sequence[str]) -> ParsedHours:
    rules = _rules(said.days) if said.days else []
    rules += [f"{_OSM_DAYS[day]}[{numbers}] {_times(hours)}" for day, numbers, hours in said.nth]
    if said.nth and not said.days:
        rules = ["unknown", *rules]
    if said.periods and not said.days:
        # Outside of its period nothing is known: over does not mean closed for good.
        rules = ["unknown"]
    for period, days in said.periods:
        rules += _rules_of_period(period, days, said.days)
    rules += _holiday_rules(said)
    rules += [f"{period.osm} unknown" for period in said.silent]
    rules += [f"{period.osm} off" for period in said.shut]
    osm = "; ".join(rules)
    if not is_osm_hours(osm):
        return ParsedHours("", False, f"not valid: {osm[:100]!r}")
    reason = _not_understood(doubts)
    if len(said.periods) == 1 and not said.days:
        ((when, _),) = said.periods
        return ParsedHours(osm, not doubts, reason or f"hours of {when.osm}", when.first, when.last)
    return ParsedHours(osm, not doubts, reason)


def _rules_of_period(
    period: Period, days: Mapping[int, DayHours], others: Mapping[int, DayHours]
) -> list[str]:
    """Return the rules of a period; other days that have hours outside of it are unknown in it."""
    untold = [day for day in others if others[day] and day not in days]
    rules = [f"{_osm_days(untold)} unknown"] if untold else []
    rules += [rule for rule in _rules(days) if others == {} or not rule.endswith(" unknown")]
    every_day = {"off": "Mo-Su off", "24/7": "Mo-Su 00:00-24:00"}
    return [f"{period.osm} {every_day.get(rule, rule)}" for rule in rules]


def _holiday_rules(said: Said) -> list[str]:
    """Return the rules of public holidays, of which nobody knows where nobody speaks of them."""
    if said.holidays:
        return [f"PH {_times(said.holidays)}"]
    rule = "PH unknown" if said.holidays is None else "PH off"
    if rule == "PH unknown" and (said.as_other_days or said.every_day):
        return []
    weeks = [("", said.days)] if said.days or not said.periods else _prefixed(said)
    # A week that is closed, or open round the clock, is so on holidays too.
    alike = (["off"], ["24/7"]) if rule == "PH unknown" else (["off"],)
    return [f"{prefix}{rule}" for prefix, days in weeks if not days or _rules(days) not in alike]


def _prefixed(said: Said) -> list[tuple[str, Mapping[int, DayHours]]]:
    if any(period.osm == "SH" for period, _ in said.periods):
        return [("", {})]
    return [(f"{period.osm} ", days) for period, days in said.periods]


def _times(hours: DayHours) -> str:
    return ",".join(f"{_osm_time(begin)}-{_osm_time(end)}" for begin, end in hours)


def _not_understood(doubts: Sequence[str]) -> str:
    return f"not understood: {', '.join(doubts)}" if doubts else ""


def _rules(stated: Mapping[int, DayHours]) -> list[str]:
    """Return the rules of a week: hours, then closed days, then those nobody speaks of.

    Where nights run into the days after, these come first: the syntax lets a day of a later rule
    put an end to them at midnight.
    """
    if len(stated) == len(_OSM_DAYS) and len(set(stated.values())) == 1:
        (alike,) = set(stated.values())
        if alike == ():
            return ["off"]
        if alike == WHOLE_DAY:
            return ["24/7"]
    rules = []
    for ranges in dict.fromkeys(stated[day] for day in sorted(stated)):
        if ranges:
            rules.append(f"{_osm_days(d for d in stated if stated[d] == ranges)} {_times(ranges)}")
    off = [day for day in stated if not stated[day]]
    silent = [day for day in range(len(_OSM_DAYS)) if day not in stated]
    others = [f"{_osm_days(off)} off"] if off else []
    others += [f"{_osm_days(silent)} unknown"] if silent else []
    nights = any(end <= begin for ranges in stated.values() for begin, end in ranges)
    return [*others, *rules] if nights else [*rules, *others]


def _osm_days(days: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        _OSM_DAYS[run[0]] if len(run) == 1 else f"{_OSM_DAYS[run[0]]}-{_OSM_DAYS[run[-1]]}"
        for run in runs
    )


def _osm_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day_number(name: str | int) -> int | None:
    if isinstance(name, int):
        return name if 0 <= name < len(_OSM_DAYS) else None
    return DAY_NAMES.get(re.split(r"[\W_]", plain_text(name))[-1])
