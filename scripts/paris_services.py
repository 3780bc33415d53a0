"""Services of the packaged Paris: a table of facts, read with explicit rules.

Every fact keeps its source and the source's date. Nothing is added: what a source does not say
stays unknown.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from paris_french import in_french, names_in_french
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
    "notes",
)

Row = Mapping[str, str]

OPEN_SINCE = 2019
"""A source of this year or later that states a place without a doubt makes it open, not unknown."""

_STATUS_RULES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    # status, field, what it says; the first that matches decides
    ("moved", "notes", re.compile(r"^CLOSED here:.*reopened in new premises")),
    ("closed", "notes", re.compile(r"treat as closed")),
    ("project", "name", re.compile(r"\(project\)")),
    ("project", "notes", re.compile(r"^project|^opening announced")),
    # The seven days of the record are "-".
    ("temporarily_closed", "opening_hours", re.compile(r"^off$")),
    # Some months of the year only, by the word or by its dates.
    ("seasonal", "notes", re.compile(r"seasonal|season of the source|16 September to 13 July")),
    (
        "unknown",
        "notes",
        re.compile(
            r"not verified|to be checked|check before|confirm|existence only|address not found"
            r"|may have moved|may be |Period of validity in the data ended"
        ),
    ),
)

_BY_REFERRAL = re.compile(r"referral", re.IGNORECASE)
_NOT_WALK_IN = re.compile(r"not open to walk-in")
_WALK_IN = re.compile(r"^anyone|no condition|unconditional by day|^Tout public", re.IGNORECASE)

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
    (re.compile(r" is not in the stored sources"), " is not known here"),
    (re.compile(r",? stored z14 vector tiles"), ""),
    (re.compile(r"OpenStreetMap \(named POI in stored vector tiles\)"), "OpenStreetMap, named POI"),
    (re.compile(r"address not stated in the tiles; name matched by eye"), "address not stated"),
    (re.compile(r"^undated tiles$"), "undated"),
    (re.compile(r" \(copy in a public GitHub repository: [^)]*\)"), ""),
    (re.compile(r"; copy in a public GitHub repository \([^)]*\)"), ""),
    (re.compile(r" \(fdocuments copy\)"), ""),
)
_UNWANTED = re.compile(r"\bseed\b|\bstored\b|\bbrief\b|GitHub", re.IGNORECASE)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_DAY = rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>20\d\d)"
_OPENED = re.compile(rf"\bopened {_DAY}")
_ENDED = re.compile(rf"^seasonal: .* to {_DAY}")

_NAME_PREFIX = re.compile(
    r"^(?:bains-douches|bagagerie|restaurant solidaire|restaurant social|centre social|esi"
    r"|halte femmes|accueil de jour)\b[ ]?(?:of the |of |des |du |de la |de l'|de |d'|\(esi\))?",
    re.IGNORECASE,
)


def build_services(source: Path) -> list[dict[str, str]]:
    """Read the table of facts and return one row per service, in the order of `COLUMNS`.

    Raises
    ------
    ValueError
        If two services would have one id, or a text still names a working file.
    """
    with source.open(encoding="utf-8", newline="") as file:
        facts = list(csv.DictReader(file))
    rows = [_service(fact) for fact in facts]
    ids = [row["service_id"] for row in rows]
    twice = sorted({key for key in ids if ids.count(key) > 1})
    if twice:
        msg = f"{source}: service ids given twice: {', '.join(twice)}."
        raise ValueError(msg)
    for row in rows:
        for column, text in row.items():
            if _UNWANTED.search(text):
                msg = f"{row['service_id']}, {column}: the text {text!r} needs a wording."
                raise ValueError(msg)
    return sorted(rows, key=lambda row: (row["category"], row["postcode"], row["service_id"]))


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
        "coord_source": fact["coord_source"],
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
        "notes": fact["notes"],
    }
    return {column: _reword(values[column]) for column in COLUMNS}


def _status(fact: Row) -> str:
    for status, field, pattern in _STATUS_RULES:
        if pattern.search(fact[field]):
            return status
    years = [int(year) for year in re.findall(r"(?<!\d)20\d\d(?!\d)", fact["source_date"])]
    return "open" if max(years, default=0) >= OPEN_SINCE else "unknown"


def _validity(fact: Row) -> tuple[str, str]:
    """Return the first and the last day of a place, "" where no source states the day.

    The periods of the public baths are those of their hours: a place whose hours have run out is
    *unknown* by the rules above, not closed.
    """
    opened = _OPENED.search(fact["notes"])
    ended = _ENDED.search(fact["notes"])
    return (
        _day(opened["day"], opened["month"], opened["year"]) if opened else "",
        _day(ended["day"], ended["month"], ended["year"]) if ended else "",
    )


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
    return f"{fact['category']}-{fact['postcode']}-{slug}"


def _reword(text: str) -> str:
    for pattern, words in _WORDING:
        text = pattern.sub(words, text)
    return text.strip()
