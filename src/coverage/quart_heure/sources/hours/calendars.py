"""Calendars: which days are public or school holidays where the places are, as far as is known."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import functools
import io
import re
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quart_heure.errors import InputFileError

ZONE = "Europe/Paris"
"""Time zone of the places, where none is given."""

_SUBDIVISIONS = {
    **dict.fromkeys(("67", "68"), "6AE"),
    **{code: code for code in ("57", "971", "972", "973", "974", "976")},
    **{"975": "PM", "977": "BL", "978": "MF", "986": "WF", "987": "PF", "988": "NC"},
}
"""Départements with public holidays of their own, as the package ``holidays`` names them."""

_ZONES = {
    **dict.fromkeys(("971", "977", "978"), "America/Guadeloupe"),
    **{"972": "America/Martinique", "973": "America/Cayenne", "974": "Indian/Reunion"},
    **{"975": "America/Miquelon", "976": "Indian/Mayotte", "986": "Pacific/Wallis"},
    **{"987": "Pacific/Tahiti", "988": "Pacific/Noumea"},
}

_OVERSEAS = {  # west, south, east, north in degrees
    "971": (-61.9, 15.8, -60.9, 16.6),
    "972": (-61.3, 14.3, -60.7, 15.0),
    "973": (-54.7, 2.0, -51.5, 5.9),
    "974": (55.1, -21.5, 55.9, -20.8),
    "975": (-56.6, 46.7, -56.0, 47.2),
    "976": (44.9, -13.1, 45.4, -12.6),
    "977": (-63.0, 17.8, -62.7, 18.0),
    "978": (-63.2, 18.0, -62.9, 18.15),
    "986": (-178.3, -14.5, -176.0, -13.1),
    "987": (-155.0, -28.0, -134.0, -7.5),
    "988": (163.0, -23.0, 168.5, -19.0),
}
_ALSACE_MOSELLE = (5.85, 47.4, 8.3, 49.6)

_SCHOOL_ZONES = {
    "Zone A": "25 39 70 90 24 33 40 47 64 03 15 43 63 21 58 71 89 07 26 38 73 74 19 23 87 01 42 69 "
    "16 17 79 86",
    "Zone B": "04 05 13 84 02 60 80 59 62 54 55 57 88 44 49 53 72 85 06 83 14 27 50 61 76 18 28 36 "
    "37 41 45 08 10 51 52 22 29 35 56 67 68",
    "Zone C": "75 77 78 91 92 93 94 95 11 30 34 48 66 09 12 31 32 46 65 81 82",
    "Corse": "2A 2B",
    "Guadeloupe": "971 977 978",
    "Martinique": "972",
    "Guyane": "973",
    "Réunion": "974",
    "Saint Pierre et Miquelon": "975",
    "Mayotte": "976",
    "Wallis et Futuna": "986",
    "Polynésie": "987",
    "Nouvelle Calédonie": "988",
}
"""Zones of the school calendar by département (code de l'éducation, article D521-6)."""

SCHOOL_ZONE_OF: Mapping[str, str] = {
    code: zone for zone, codes in _SCHOOL_ZONES.items() for code in codes.split()
}
DEPARTEMENTS = frozenset(SCHOOL_ZONE_OF)
"""Codes of the French départements and territories."""

_HEADINGS = {
    "population": ("population",),
    "first": ("date de debut", "start_date"),
    "last": ("date de fin", "end_date"),
    "zone": ("zones",),
    "place": ("academies", "location"),
}
_TEACHERS = "enseignants"
_LONGEST_HOLIDAYS_DAYS = 100

Days = NDArray[np.datetime64]
Mask = NDArray[np.bool_]


def departements_of(ids: Iterable[str], coords: tuple[float, float] | None) -> tuple[str, ...]:
    """Return the départements that an area may lie in, by the codes of its districts.

    Parameters
    ----------
    ids
        Codes of its districts: INSEE codes of communes, of IRIS or of départements tell theirs.
    coords
        Latitude and longitude, where the codes tell nothing: overseas that is enough, and far
        from Alsace-Moselle too, where ``""`` stands for a département without holidays of its own.
        Near that border, ``""`` stands beside ``67``. Without both, nothing is known: ``()``.

    Examples
    --------
    >>> departements_of(["75101", "75102", "92050"], None)
    ('75', '92')
    >>> departements_of(["centre", "nord"], (-21.1, 55.5))
    ('974',)
    """
    found = {_departement(str(code).strip().upper()) for code in ids}
    if found and "" not in found:
        return tuple(sorted(found))
    if coords is None:
        return ()
    lat, lon = coords
    for code, (west, south, east, north) in _OVERSEAS.items():
        if west <= lon <= east and south <= lat <= north:
            return (code,)
    west, south, east, north = _ALSACE_MOSELLE
    return ("", "67") if west <= lon <= east and south <= lat <= north else ("",)


def _departement(code: str) -> str:
    if not re.fullmatch(r"(?:\d|2[AB])[\dAB]{1,8}", code) or len(code) not in {2, 3, 5, 9}:
        return ""
    head = code[:3] if code.startswith(("97", "98")) else code[:2]
    return head if head in DEPARTEMENTS else ""


@dataclasses.dataclass(frozen=True)
class SchoolHolidays:
    """School holidays of one zone.

    Parameters
    ----------
    zone
        As the calendar names it: ``Zone C``, or a territory.
    periods
        First day and the day on which school begins again; None if that is not told.
    """

    zone: str
    periods: tuple[tuple[dt.date, dt.date | None], ...]

    @classmethod
    def read(cls, path: Path, zone: str) -> SchoolHolidays:
        """Read the ministry's calendar (data set *fr-en-calendrier-scolaire*, as CSV).

        Parameters
        ----------
        path
            The export as it comes: headings in French or as field names, ``;`` or ``,``.
        zone
            The zone, an académie or a territory.

        Raises
        ------
        InputFileError
            If it cannot be read, lacks a column, or tells nothing of the zone.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path} cannot be read: {error}."
            raise InputFileError(msg, hint="Give the calendar as CSV in UTF-8.") from error
        heading = text.split("\n", 1)[0]
        rows = list(csv.reader(io.StringIO(text), delimiter=max(";,\t", key=heading.count)))
        at = _columns(rows[0] if rows else [], path)
        periods = set()
        for line, row in enumerate(rows[1:], start=2):
            if len(row) <= max(at.values()) or not _is_of(row, at, zone):
                continue
            first, last = _school_day(row[at["first"]]), _school_day(row[at["last"]])
            if first is None:
                msg = f"{path}, line {line}: {row[at['first']]!r} is not a date."
                raise InputFileError(msg, hint="Write it like 2026-10-17.")
            known = last is not None and 0 < (last - first).days <= _LONGEST_HOLIDAYS_DAYS
            periods.add((first, last if known else None))
        if not periods:
            msg = f"{path} tells no school holidays of {zone}."
            raise InputFileError(msg, hint="Is it the calendar of other zones, or of teachers?")
        return cls(zone, tuple(sorted(periods, key=lambda one: one[0])))

    def select(self, days: Days) -> tuple[Mask, Mask]:
        """Tell which days are in the holidays, and of which that is known; shapes (d,)."""
        held, known = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
        starts = [np.datetime64(first) for first, _ in self.periods]
        for (_, last), begin, after in zip(self.periods, starts, [*starts[1:], None], strict=True):
            if last is None:
                continue  # from its first day on, nothing is known until the next holidays
            end = np.datetime64(last)
            held |= (days >= begin) & (days < end)
            known |= (days >= begin) & (days < (end if after is None else max(end, after)))
        return held, known


def _columns(headings: Sequence[str], path: Path) -> dict[str, int]:
    # Deferred: words know nothing of files, and this is all that files need of them.
    from quart_heure.sources.hours.words import plain_text  # noqa: PLC0415

    plain = [plain_text(heading) for heading in headings]
    at = {
        field: next((plain.index(name) for name in names if name in plain), -1)
        for field, names in _HEADINGS.items()
    }
    missing = [names[0] for field, names in _HEADINGS.items() if at[field] < 0]
    if missing:
        msg = f"{path} has no column {', '.join(missing)}."
        hint = "Give the ministry's export of fr-en-calendrier-scolaire as CSV."
        raise InputFileError(msg, hint=hint)
    return at


def _is_of(row: Sequence[str], at: Mapping[str, int], zone: str) -> bool:
    if row[at["population"]].strip().casefold() == _TEACHERS:
        return False
    return zone.casefold() in {row[at[field]].strip().casefold() for field in ("zone", "place")}


def _school_day(text: str) -> dt.date | None:
    """Read a day: the calendar gives midnight in Paris, written in UTC, the evening before."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(zoneinfo.ZoneInfo(ZONE))
    return moment.date()


@dataclasses.dataclass(frozen=True)
class Calendar:
    """Whose holidays hold.

    Parameters
    ----------
    country
        ISO code; None if it is not known.
    departements
        French départements that the places may lie in; ``""`` is one without holidays of its own.
        Where none is given it may be any: a day that is a holiday in a part of France alone is
        then not known to be one, nor known to be none.
    school
        School holidays, None if no table of them is at hand.
    """

    country: str | None
    departements: tuple[str, ...] = ()
    school: SchoolHolidays | None = None

    def select(self, kind: str, days: Days) -> tuple[Mask, Mask]:
        """Tell which days are holidays of a kind, ``ph`` or ``sh``, and of which that is known."""
        if kind == "sh" and self.school is not None:
            return self.school.select(days)
        nowhere = np.zeros(len(days), dtype=bool)
        if kind == "sh" or self.country is None:
            return nowhere, nowhere
        each = [_public(self.country, part, days) for part in self._subdivisions()]
        known: Mask = np.all([mask == each[0] for mask in each], axis=0)
        return each[0] & known, known

    def _subdivisions(self) -> tuple[str | None, ...]:
        if self.country != "FR":
            return (None,)
        if not self.departements:
            return (None, *sorted(set(_SUBDIVISIONS.values())))
        return tuple(sorted({_SUBDIVISIONS.get(code) for code in self.departements}, key=str))

    @property
    def regional(self) -> bool:
        """Whether holidays of a part of the country play a part."""
        return bool(self.departements) and self._subdivisions() != (None,)

    @property
    def zone(self) -> str | None:
        """Time zone of the places, None if it is not known."""
        zones = {_ZONES.get(code, ZONE) for code in self.departements} or {ZONE}
        return zones.pop() if self.country == "FR" and len(zones) == 1 else None


def is_country(code: str) -> bool:
    """Tell whether the public holidays of a country are known by its ISO code."""
    if code == "FR":
        return True  # known without a look at the list, which takes a tenth of a second to load
    from holidays import list_supported_countries  # noqa: PLC0415 - as above

    return len(code) == 2 and code in list_supported_countries()


def public_holidays(
    days: Sequence[dt.date], *, country: str, departements: tuple[str, ...] = ()
) -> list[bool]:
    """Tell which days are public holidays of a country; where its parts differ, which are not."""
    held, _ = Calendar(country, departements).select("ph", np.array(days, "datetime64[D]"))
    return [bool(one) for one in held]


def _public(country: str, subdivision: str | None, days: Days) -> Mask:
    if not len(days):
        return np.zeros(0, dtype=bool)
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    each = [
        _holidays_of(country, subdivision, year)
        for year in range(int(years.min()), int(years.max()) + 1)
    ]
    return np.isin(days, np.concatenate(each))


@functools.lru_cache(maxsize=512)
def _holidays_of(country: str, subdivision: str | None, year: int) -> Days:
    from holidays import country_holidays  # noqa: PLC0415 - only hours with holidays need it

    found = country_holidays(country, subdiv=subdivision, years=year, expand=False)
    return np.array(sorted(found), dtype="datetime64[D]")
