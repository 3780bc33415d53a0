"""The clock of a place: local time as minutes of a line without jumps, and back."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable

ZONE = "Europe/Paris"
"""Time zone of the places, where none is given."""


def wall_time(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return what the clock at the place shows."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(zone).replace(tzinfo=None)


def minute_of(wall: dt.datetime, zone: zoneinfo.ZoneInfo) -> float:
    """Return a moment of the clock as minutes of a line without jumps."""
    moment = wall.replace(tzinfo=zone)
    minute = moment.timestamp() / 60
    if clock_time(minute, zone) == wall.replace(fold=0):
        return minute
    # The clock never shows it: it jumps somewhere in the hour before, and that moment it is.
    late, early = minute, moment.replace(fold=1).timestamp() / 60
    while late - early > 1 / 128:
        middle = (late + early) / 2
        before = _offset(middle, zone) == _offset(early, zone)
        early, late = (middle, late) if before else (early, middle)
    return float(round(late))


def _offset(minute: float, zone: zoneinfo.ZoneInfo) -> dt.timedelta | None:
    return dt.datetime.fromtimestamp(minute * 60, zone).utcoffset()


def clock_time(minute: float, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return what the clock shows at a minute of that line."""
    shown = dt.datetime.fromtimestamp(round(minute * 60, 3), zone)
    return shown.replace(tzinfo=None, fold=0)


def repeat_min(wall: dt.datetime, zone: zoneinfo.ZoneInfo) -> float:
    """Return the minutes between the two times at which the clock shows this, 0 if only once."""
    both = (wall.replace(tzinfo=zone, fold=fold).timestamp() / 60 for fold in (0, 1))
    first, second = both
    return max(0.0, second - first)


def second_times(walls: Iterable[dt.datetime], zone: zoneinfo.ZoneInfo) -> list[int]:
    """Return the positions of the moments at which the clock shows an hour again."""
    return [k for k, wall in enumerate(walls) if wall.fold and repeat_min(wall, zone)]
