"""Rows of open data sets as rows of a table of services: our columns, our words."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import shapely

from quart_heure.sources.hours.text import hours_from_days, hours_from_text
from quart_heure.sources.online.open_data import DAYS, DatasetAnswer
from quart_heure.sources.online.patience import host_of
from quart_heure.sources.services.discretion import secrecy_in
from quart_heure.sources.services.rows import SERVICE_COLUMNS
from quart_heure.sources.services.wordings import is_closed_day, read_text


def service_rows(
    answer: DatasetAnswer, *, reach: shapely.Geometry
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the rows of a data set that lie within reach, as rows of a table of services.

    Parameters
    ----------
    answer
        A data set of services.
    reach
        Where services are wanted, in degrees.

    Returns
    -------
    rows
        `SERVICE_COLUMNS`, ``longitude`` and ``latitude``; ordered by service_id.
    left_out
        How many rows were left out, by reason: ``no_place``, ``elsewhere``.
    """
    left_out = Counter(no_place=0, elsewhere=0)
    rows = []
    for feature in answer.features:
        place = _point(feature["geometry"])
        if place is None:
            left_out["no_place"] += 1
        elif not shapely.contains_xy(reach, place.x, place.y):
            left_out["elsewhere"] += 1
        else:
            rows.append(_row(feature["properties"], place, answer))
    return sorted(rows, key=lambda row: str(row["service_id"])), dict(left_out)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of services as CSV, the same bytes for the same rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = [*SERVICE_COLUMNS, "longitude", "latitude"]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _point(geometry: Any) -> shapely.Point | None:
    """Return the middle of a geometry, None if it has no place on the globe."""
    try:
        middle = shapely.geometry.shape(geometry).centroid
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        return None
    on_globe = not middle.is_empty and abs(middle.x) <= 180 and abs(middle.y) <= 90
    return middle if on_globe else None


def _row(row: Mapping[str, Any], place: shapely.Point, answer: DatasetAnswer) -> dict[str, Any]:
    dataset = answer.dataset

    def text(ours: str) -> str:
        return _words(row.get(dataset.fields.get(ours, "")))

    hours, hours_text = _hours(row, dataset.fields)
    stopped = any(text(ours) == value for ours, value in dataset.closed_when.items())
    closed = stopped or hours == "off"
    place_key = f"{text('name')}|{text('address')}|{place.x:.5f}|{place.y:.5f}"
    digest = hashlib.blake2b(place_key.encode(), digest_size=5).hexdigest()
    return {
        **dict.fromkeys(SERVICE_COLUMNS, ""),
        "service_id": f"{dataset.slug}-{text('id') or digest}",
        "category": dataset.category,
        "name": text("name"),
        "address": " ".join(text("address").split()),
        "postcode": text("postcode"),
        "status": "temporarily_closed" if closed else dataset.status,
        "access": "unknown",
        # A portal publishes what it publishes; a word of secrecy in it is heeded all the same.
        "discreet": "true" if any(secrecy_in(_words(value)) for value in row.values()) else "false",
        "admits": "unknown",
        "animals": "unknown",
        "wheelchair": read_text("wheelchair", text("wheelchair")).word or "unknown",
        "opening_hours": hours,
        "opening_hours_text": hours_text,
        "operator": dataset.attribution.partition("(")[0].strip(),
        "source": f"{host_of(dataset.portal)}: {answer.title}",
        "source_date": answer.date[:10],
        "notes": dataset.caveat,
        "longitude": round(place.x, 7),
        "latitude": round(place.y, 7),
    }


def _hours(row: Mapping[str, Any], fields: Mapping[str, str]) -> tuple[str, str]:
    """Return opening hours in OpenStreetMap's syntax where understood, and as the source says."""
    if "days" not in fields:
        said = _words(row.get(fields.get("hours", "")))
        return hours_from_text(said).osm, said
    days = {day: _words(row.get(fields["days"].format(day=day))) for day in DAYS}
    if not any(days.values()):
        return "", ""
    told = " ; ".join(f"{day} {hours or '?'}" for day, hours in days.items())
    period = _words(row.get(fields.get("period", "")))
    # A week of dashes is a place that is closed for now, whatever its period.
    shut = all(is_closed_day(hours) for hours in days.values())
    osm = "off" if shut else hours_from_days(dict(enumerate(days.values())), period=period).osm
    return osm, f"{told} ({period})" if period else told


def _words(value: Any) -> str:
    """Return a value as text on one line."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ; ".join(_words(item) for item in value)
    return " ".join(str(value).split())
