"""Services of the packaged Paris: a table of facts, read with explicit rules.

Every fact keeps its source and the source's date. Nothing is added: what a source does not say
stays unknown.
"""

from __future__ import annotations

import csv
import datetime
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from paris_addresses import COORD_SOURCE
from paris_french import in_french, names_in_french
from paris_updates import merge_update
from quart_heure.sources.hours.syntax import is_osm_hours
from quart_heure.sources.services.capacities import read_capacity
from quart_heure.sources.services.wordings import date_of, read_text

__all__ = ["COLUMNS", "build_services", "write_services"]

COLUMNS = (
    "service_id",
    "category",
    "name",
    "address",
    "postcode",
    "longitude",
    "latitude",
    "coord_source",
    "opening_hours",
    "opening_hours_text",
    "capacity",
    "capacity_value",
    "capacity_unit",
    "audience",
    "admits",
    "animals",
    "wheelchair",
    "operator",
    "status",
    "valid_from",
    "valid_to",
    "access",
    "discreet",
    "source",
    "source_date",
    "other_sources",
    "notes",
)

Row = Mapping[str, str]
Find = Callable[[str, str], tuple[str, str] | None]
"""Gives longitude and latitude of an address and a postcode, None if they are not certain."""

COMPILED = datetime.date(2026, 11, 28)
"""The day on which the facts were put together: a period that ended before is over."""

OPEN_SINCE = 2019
"""A source of this year or later that states a place without a doubt makes it open, not unknown."""

_STATUS_RULES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    # status, field, what it says; the first that matches decides
    ("moved", "notes", re.compile(r"^CLOSED here:.*reopened in new premises")),
    ("closed", "notes", re.compile(r"treat as closed")),
    ("project", "name", re.compile(r"\(project\)")),
    ("project", "notes", re.compile(r"^project|^opening announced|opening NOT verified")),
    # The seven days of the record are "-".
    ("temporarily_closed", "opening_hours", re.compile(r"^off$")),
    # Some months of the year only, by the word or by its dates.
    (
        "seasonal",
        "notes",
        re.compile(r"seasonal|season of the source|16 September to 13 July|every winter"),
    ),
    (
        "unknown",
        "notes",
        re.compile(
            r"not verified|to be checked|until checked|check before|confirm|existence only"
            r"|EXISTENCE ONLY|address not found|may have moved|may be |treat status as unknown"
            # People are sent there at night: whether a new one takes anybody is not known.
            r"|do not count as walk-in"
        ),
    ),
)

_BY_REFERRAL = re.compile(r"referral", re.IGNORECASE)
_NOT_WALK_IN = re.compile(r"not open to walk-in|do not count as walk-in")
_WALK_IN = re.compile(
    r"^anyone|no condition|unconditional|^Tout public|^open to everyone|open sessions",
    re.IGNORECASE,
)
_NIGHTS = {
    # The audience of a new place says when it is open; of a known one, its hours do.
    "women only; night halt": "la nuit (heures non indiquées)",
}

_ACCESSIBLE = re.compile(r"\b[1-9]\d* accessible")
"""Of the cabins that are counted, some are for wheelchairs."""

_HOLIDAYS = "closed 1 Jan, 1 May, 14 Jul, 15 Aug, 25 Dec"
_HOLIDAYS_OFF = "; Jan 1,May 1,Jul 14,Aug 15,Dec 25 off"

_REWRITTEN_HOURS = {
    # A later rule of the OSM grammar replaces an earlier one on the same days: lunch would be lost.
    "Mo-Fr 12:00-13:30; Mo-Sa 17:15-19:15": "Mo-Fr 12:00-13:30,17:15-19:15; Sa 17:15-19:15",
}
_SEASONS = {"16 September to 13 July": "Sep 16-Jul 13 "}
_DAYS = re.compile(r"\b(?:Mo|Tu|We|Th|Fr|Sa|Su)\b|^24/7$|^off$")

_WORDING = (
    # Names of working files mean nothing to readers: say what the source is.
    (
        re.compile(
            r"public GitHub seed file of a refugee-support application \(Rails, SINGA type\)"
        ),
        "list of places of a refugee-support application (public repository)",
    ),
    (
        re.compile(
            r"stated in a public GitHub seed file \(refugee-support Rails application, (.*)\)"
        ),
        r"stated by the list of a refugee-support application (public repository, \1)",
    ),
    (re.compile(r"stated in the seed file"), "stated by the source"),
    (re.compile(r"brief seed document \(city text of about 2011\)"), "city text of about 2011"),
    (re.compile(r"brief seed document on the city's haltes"), "text on the city's haltes"),
    (
        re.compile(
            r"JehanneDussert/underlaid \(public GitHub repository\), methodology file: list of "
            r"CPAM sessions hosted by partners, from the service-public directory \(DILA\)"
        ),
        "list of CPAM sessions hosted by partners, from the service-public directory (DILA)",
    ),
    (re.compile(r"services_facts\.csv row \(same address\): "), ""),
    (re.compile(r" and absent from services_facts\.csv"), ""),
    (re.compile(r" of services_facts\.csv"), ""),
    (re.compile(r" in any stored page"), ""),
    # "Not published" is said of what must not be shown.
    (re.compile(r"street not published in what was read"), "street not known here"),
    (re.compile(r"not in the stored pages"), "not known here"),
    (re.compile(r"place by place in the stored pages"), "place by place"),
    (re.compile(r"; \(see hours rows\)"), ""),
    (re.compile(r" is not in the stored sources"), " is not known here"),
    (re.compile(r",? stored z14 vector tiles"), ""),
    (re.compile(r"OpenStreetMap \(named POI in stored vector tiles\)"), "OpenStreetMap, named POI"),
    (re.compile(r"address not stated in the tiles; name matched by eye"), "address not stated"),
    (re.compile(r"^undated tiles$"), "undated"),
    (re.compile(r" \(copy in a public GitHub repository: [^)]*\)"), ""),
    (re.compile(r"; copy in a public GitHub repository \([^)]*\)"), ""),
    (re.compile(r" \(fdocuments copy\)"), ""),
)
_UNWANTED = re.compile(
    r"\bseed\b|\bstored\b|\bbrief\b|GitHub|services_facts|underlaid", re.IGNORECASE
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAY = rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>20\d\d)"
_OPENED = re.compile(rf"\bopened {_DAY}")
_ENDED = re.compile(rf"^seasonal: .* to {_DAY}")
_PERIOD = re.compile(r"\bvalidity du (?P<first>\d\d/\d\d/\d\d) au (?P<last>\d\d/\d\d/\d\d)(?!\d)")
"""The period of a record of the city's data."""

_NAME_PREFIX = re.compile(
    r"^(?:bains-douches|bagagerie|restaurant solidaire|restaurant social|centre social|esi"
    r"|halte femmes|accueil de jour)\b[ ]?(?:of the |of |des |du |de la |de l'|de |d'|\(esi\))?",
    re.IGNORECASE,
)


def build_services(facts: Path, updates: Path, *, find: Find) -> list[dict[str, str]]:
    """Read the table of facts and its updates; return one row per service, as `COLUMNS` order them.

    Parameters
    ----------
    facts
        The table of facts.
    updates
        Fresher facts in the same columns, with ``change`` and ``replaces``.
    find
        Places an exact address that has no coordinates.

    Raises
    ------
    ValueError
        If two services would have one id, a text still names a working file, or an update replaces
        what is not there.
    """
    rows = {(fact["category"], fact["name"]): _service(fact) for fact in _read(facts)}
    for update in _read(updates):
        fresh, key = _service(update), (update["category"], update["replaces"])
        if not update["replaces"]:
            night = _NIGHTS.get(update["audience"], "")
            told = fresh["opening_hours_text"] or night
            rows[update["category"], update["name"]] = {**fresh, "opening_hours_text": told}
        elif key in rows:
            rows[key] = merge_update(rows[key], fresh, change=update["change"])
        else:
            names = f"{update['name']!r} replaces {update['replaces']!r}"
            msg = f"{updates}: {names}, which is not there."
            raise ValueError(msg)
    found = [_placed(row, find) for row in rows.values()]
    ids = [row["service_id"] for row in found]
    twice = sorted({key for key in ids if ids.count(key) > 1})
    if twice:
        msg = f"{facts}: service ids given twice: {', '.join(twice)}."
        raise ValueError(msg)
    for row in found:
        for column, text in row.items():
            if _UNWANTED.search(text):
                msg = f"{row['service_id']}, {column}: the text {text!r} needs a wording."
                raise ValueError(msg)
    return sorted(found, key=lambda row: (row["category"], row["postcode"], row["service_id"]))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _placed(row: Row, find: Find) -> dict[str, str]:
    """Give a row without coordinates those of its house number, where street and number match."""
    place = None if row["longitude"] else find(row["address"], row["postcode"])
    if place is None:
        return dict(row)
    longitude, latitude = place
    return {**row, "longitude": longitude, "latitude": latitude, "coord_source": COORD_SOURCE}


def write_services(rows: list[dict[str, str]], path: Path) -> None:
    """Write the rows as CSV, UTF-8 with line feeds."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _service(fact: Row) -> dict[str, str]:
    access = _access(fact)
    audience, capacity = in_french(fact["audience"]), in_french(fact["capacity"])
    read = read_capacity(capacity)
    first_day, last_day = _validity(fact)
    values = {
        "service_id": _service_id(fact),
        "category": fact["category"],
        "name": names_in_french(fact["name"]),
        "address": names_in_french(fact["address"]),
        "postcode": fact["postcode"],
        "longitude": fact["longitude"],
        "latitude": fact["latitude"],
        "coord_source": fact["coord_source"] if fact["longitude"] else "",
        "opening_hours": _opening_hours(fact),
        "opening_hours_text": in_french(fact["opening_hours"].strip()),
        "capacity": capacity,
        "capacity_value": "" if math.isnan(read.value) else f"{read.value:g}",
        "capacity_unit": read.unit,
        "audience": audience,
        "admits": read_text("admits", audience, own=False).word or "unknown",
        "animals": read_text("animals", audience, own=False).word or "unknown",
        "wheelchair": "yes" if _ACCESSIBLE.search(capacity) else "unknown",
        "operator": in_french(fact["operator"]),
        "status": _status(fact),
        "valid_from": first_day,
        "valid_to": last_day,
        "access": access,
        # Every place has been published with its address by the City, its operator or the press:
        # a shelter that takes people by referral says so in `access`. Discretion is for what
        # nobody publishes, and none of that is collected.
        "discreet": "false",
        "source": fact["source"],
        "source_date": fact["source_date"],
        "other_sources": "",
        "notes": fact["notes"],
    }
    return {column: _reword(values[column]) for column in COLUMNS}


def _status(fact: Row) -> str:
    for status, field, pattern in _STATUS_RULES:
        if pattern.search(fact[field]):
            return status
    if _period(fact) != ("", ""):
        return "unknown"
    years = [int(year) for year in re.findall(r"(?<!\d)20\d\d(?!\d)", fact["source_date"])]
    return "open" if max(years, default=0) >= OPEN_SINCE else "unknown"


def _validity(fact: Row) -> tuple[str, str]:
    """Return the first and the last day of a place, "" where no source states the day."""
    if _period(fact) != ("", ""):
        return _period(fact)
    opened = _OPENED.search(fact["notes"])
    ended = _ENDED.search(fact["notes"])
    return (
        _day(opened["day"], opened["month"], opened["year"]) if opened else "",
        _day(ended["day"], ended["month"], ended["year"]) if ended else "",
    )


def _period(fact: Row) -> tuple[str, str]:
    """Return the period of a record that is over; one that still runs is that of its hours."""
    found = _PERIOD.search(fact["notes"])
    if found is None or date_of(found["last"]) >= COMPILED.isoformat():
        return "", ""
    return date_of(found["first"]), date_of(found["last"])


def _day(day: str, month: str, year: str) -> str:
    return date_of(f"{day}/{_MONTHS.index(month) + 1}/{year}")


def _access(fact: Row) -> str:
    if _BY_REFERRAL.search(fact["audience"]) or _NOT_WALK_IN.search(fact["notes"]):
        return "referral"
    return "walk_in" if _WALK_IN.search(fact["audience"]) else "unknown"


def _opening_hours(fact: Row) -> str:
    """Return the hours in OSM grammar, blank where they are not certain.

    Blank: no hours, free text, no day stated ("18:00-20:00" may be any day), a start without an end
    (the grammar would take "20:00+" as open until midnight), approximate or dated hours.
    """
    text = fact["opening_hours"].strip()
    text = _REWRITTEN_HOURS.get(text, text)
    if not _DAYS.search(text):
        return ""
    for words, season in _SEASONS.items():
        if words in fact["notes"]:
            text = season + text
    if _HOLIDAYS in fact["notes"] and text != "off":
        text += _HOLIDAYS_OFF
    return text if is_osm_hours(text) else ""


def _service_id(fact: Row) -> str:
    name = re.sub(r"\(.*?\)", "", names_in_french(fact["name"]))
    short = _NAME_PREFIX.sub("", name).strip()
    if len(re.findall(r"[^\W\d_]", short)) > 2:  # "20" or "7e" says too little by itself
        name = short
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "Oe"))
    slug = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower()).strip("-")
    return "-".join(part for part in (fact["category"], fact["postcode"], slug) if part)


def _reword(text: str) -> str:
    for pattern, words in _WORDING:
        text = pattern.sub(words, text)
    return text.strip()
