"""A place of Soliguide as rows of services: what an analysis needs of it, and nothing else.

Names and addresses are not even taken. A closure with dates and hours for some weeks are written
into the opening hours, so that each holds on its own days; the closure of the day of the analysis
is the status, too, for those who ask for no hour.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

_DAYS = {
    "monday": "Mo",
    "tuesday": "Tu",
    "wednesday": "We",
    "thursday": "Th",
    "friday": "Fr",
    "saturday": "Sa",
    "sunday": "Su",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EXCLUSIVE = 2

_NOT_OPEN: Mapping[str, str] = {
    "PERMANENTLY_CLOSED": "closed",
    "OFFLINE": "temporarily_closed",
    "DRAFT": "project",
}
"""Statuses of a place in their words, but for ONLINE."""

_FOR_ALL = "ALL"
"""Who sees a place: with PRO, professionals alone, who send people there."""

_ANY_AGE = (0, 99)
_ALL_FAMILIES = 4
"""Isolated, family, couple, pregnant: a place that names them all names nobody."""

_NO_END = dt.date(2099, 12, 31)
"""What has begun and has no end; the grammar of opening hours knows no later year."""

_MIDNIGHTS = frozenset({"22:00", "23:00"})
"""Midnight in metropolitan France, told in universal time: of the day that begins."""

_NOT_SET = "24/7 unknown"

Period = tuple[dt.date, dt.date]
"""First and last day."""


def place_rows(
    place: Mapping[str, Any], ours: str, theirs: str, *, day: dt.date
) -> list[dict[str, Any]]:
    """Return a row for each service of a category that a place offers.

    Parameters
    ----------
    place
        As the API gives it. One without any service of the category in its list is one row.
    ours, theirs
        Names of the category.
    day
        Whose closures are the status.
    """
    offered = [
        service
        for service in place.get("services_all") or ()
        if isinstance(service, Mapping) and service.get("category") == theirs
    ]
    return [_row(place, service, ours, day) for service in offered or [{}]]


def _row(
    place: Mapping[str, Any], service: Mapping[str, Any], ours: str, day: dt.date
) -> dict[str, Any]:
    modalities = _part(service if service.get("differentModalities") else place, "modalities")
    publics = _part(service if service.get("differentPublics") else place, "publics")
    location = _part(_part(place, "position"), "location").get("coordinates")
    lon, lat = location if isinstance(location, list) and len(location) == 2 else (None, None)
    referral = (
        _part(modalities, "orientation").get("checked") is True
        or place.get("visibility", _FOR_ALL) != _FOR_ALL
    )
    closures = _closures(place, service)
    return {
        "category": ours,
        "status": _status(place, closures, day),
        "access": "referral" if referral else "walk_in",
        "discreet": True,
        "admits": _admits(publics),
        "animals": _answer(_part(modalities, "animal").get("checked")),
        "wheelchair": _answer(_part(modalities, "pmr").get("checked")),
        "opening_hours": _opening_hours(place, service, closures),
        "source": "Soliguide",
        "_lon": _degrees(lon),
        "_lat": _degrees(lat),
    }


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}


def _degrees(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _answer(checked: Any) -> str:
    return "unknown" if not isinstance(checked, bool) else "yes" if checked else "no"


def _admits(publics: Mapping[str, Any]) -> str:
    """Return whom a place admits; of a part of some people no word of ours can say it."""
    if publics.get("accueil") != _EXCLUSIVE:
        return "everyone"
    age = _part(publics, "age")
    ages = (age.get("min", _ANY_AGE[0]), age.get("max", _ANY_AGE[1]))
    others = [
        value
        for key in ("administrative", "other")
        for value in publics.get(key) or ()
        if value != "all"
    ]
    if ages != _ANY_AGE or others:
        return "unknown"
    families = publics.get("familialle") == ["family"]
    for gender in ("women", "men"):
        if publics.get("gender") == [gender]:
            # What all families may be is said by all of their words, or by none.
            whole = not publics.get("familialle") or len(publics["familialle"]) >= _ALL_FAMILIES
            if not (whole or families):
                return "unknown"
            return gender if whole else "mothers" if gender == "women" else "unknown"
    return "families" if families else "unknown"


# --- dates ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Closures:
    """Closures of a place and of a service of it."""

    periods: tuple[Period, ...]
    undated: bool
    """Whether one is going on without a date."""
    unread: bool
    """Whether one has dates that make no sense: nobody knows when it is."""


def _closures(place: Mapping[str, Any], service: Mapping[str, Any]) -> _Closures:
    """Return the closures.

    Dates decide: their flag ``actif`` is set a fortnight before a closure, and may be stale. It
    decides alone where there is no date.
    """
    told = [_part(service, "close"), _part(_part(place, "tempInfos"), "closure")]
    dated = [one for one in told if _dated(one)]
    periods = [_period(one) for one in dated]
    return _Closures(
        periods=tuple(sorted({period for period in periods if period is not None})),
        undated=any(one.get("actif") is True for one in told if not _dated(one)),
        unread=None in periods,
    )


def _status(place: Mapping[str, Any], closures: _Closures, day: dt.date) -> str:
    """Return the status on a day."""
    status = _NOT_OPEN.get(str(place.get("status")), "open")
    if status != "open":
        return status
    if closures.undated or any(begin <= day <= end for begin, end in closures.periods):
        return "temporarily_closed"
    return "unknown" if closures.unread else "open"


def _dated(told: Mapping[str, Any]) -> bool:
    return any(told.get(name) not in (None, "") for name in ("dateDebut", "dateFin"))


def _period(told: Mapping[str, Any]) -> Period | None:
    """Return the days of something temporary, None if it has no beginning or makes no sense."""
    begin = _date(told.get("dateDebut"))
    end = _NO_END if told.get("dateFin") in (None, "") else _date(told.get("dateFin"))
    return None if begin is None or end is None or end < begin else (begin, min(end, _NO_END))


def _date(moment: Any) -> dt.date | None:
    """Return the day of a moment such as ``2026-07-14T00:00:00.000Z``, None if it is none."""
    text = str(moment or "")
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
    local_midnight = text[11:16] in _MIDNIGHTS and text[16:19] in {"", ":00"}
    day += dt.timedelta(days=local_midnight)
    return day if day.year <= _NO_END.year else _NO_END


# --- hours ---------------------------------------------------------------------------------------


def _opening_hours(
    place: Mapping[str, Any], service: Mapping[str, Any], closures: _Closures
) -> str:
    """Return opening hours in OpenStreetMap's syntax, ``""`` if nothing is known of them.

    The later rule prevails, as with them: the week, the hours of some weeks (of a service that
    has the hours of its place), public holidays, closures.
    """
    own = bool(service.get("differentHours"))
    usual = _part(service, "hours") if own else _part(place, "newhours")
    told = {} if own else _part(_part(place, "tempInfos"), "hours")
    period = _period(told)
    if closures.unread or (_dated(told) and period is None):
        return ""
    rules = _week(usual)
    for_now = _week(_part(told, "hours"))
    if period is not None:
        days = _days_text(period)
        # Other hours of which nothing is said are not the usual ones.
        rules = rules or [_NOT_SET]
        rules += [f"{days} {rule}" for rule in for_now] or [f"{days} unknown"]
    elif told.get("actif") is True:
        rules = for_now
    if rules:
        rules += _on_holidays(place, service if own else {}, usual)
    if closures.periods:
        rules = rules or [_NOT_SET]
        rules += [f"{_days_text(period)} off" for period in closures.periods]
    return "; ".join(rules)


def _on_holidays(
    place: Mapping[str, Any], own: Mapping[str, Any], usual: Mapping[str, Any]
) -> list[str]:
    """Return the rule of public holidays, where they are not days as others.

    A place that is closed closes its services. What neither says is not known, and nobody knows
    of an hour of such a day.
    """
    hours = (_part(place, "newhours"), _part(own, "hours"))
    if any(told.get("closedHolidays") == "CLOSED" for told in hours):
        return ["PH off"]
    return [] if usual.get("closedHolidays") == "OPEN" else ["PH unknown"]


def _week(hours: Mapping[str, Any]) -> list[str]:
    """Return a rule for each day, none if no day has hours.

    A day of which some time cannot be read is unknown, not closed.
    """
    rules = {}
    for day, short in _DAYS.items():
        told = _part(hours, day)
        slots = told.get("timeslot") or ()
        spans = [_span(slot) for slot in slots] if isinstance(slots, list | tuple) else [""]
        if not spans:
            rules[short] = "unknown" if told.get("open") is True else "off"
        else:
            rules[short] = ",".join(spans) if all(spans) else "unknown"
    if set(rules.values()) <= {"off"}:
        return []
    return [f"{short} {rule}" for short, rule in rules.items()]


def _span(slot: Any) -> str:
    if not isinstance(slot, Mapping):
        return ""
    start, end = _clock(slot.get("start")), _clock(slot.get("end"))
    return f"{start}-{end}" if start and end and start not in (end, "24:00") else ""


def _clock(moment: Any) -> str:
    """Return a time such as 930 as ``09:30``, ``""`` if it is none."""
    digits = str(moment).replace(":", "").replace("h", "")
    if (
        not (digits.isascii() and digits.isdecimal())
        or int(digits) > 2400
        or int(digits) % 100 > 59
    ):
        return ""
    return f"{int(digits) // 100:02d}:{int(digits) % 100:02d}"


def _days_text(period: Period) -> str:
    """Return days as opening hours write them: ``2026 Jul 14-2026 Sep 06``."""
    begin, end = (f"{day.year} {_MONTHS[day.month - 1]} {day.day:02d}" for day in period)
    return begin if begin == end else f"{begin}-{end}"
