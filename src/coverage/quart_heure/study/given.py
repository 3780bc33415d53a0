"""What a program gives a study: the words of the command line, or the things themselves."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from quart_heure.analysis.audience import Person
from quart_heure.analysis.moment import HoursAsked, read_hours
from quart_heure.network.arrays import NetworkArrays
from quart_heure.profiles import WalkProfile
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.residents.residents import Residents, ResidentZones
from quart_heure.sources.services.services import Services
from quart_heure.study.asked import SEVERAL, find_person, find_walker, read_validity, several

_DAY = (str, datetime.date)
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "profile": ((str, WalkProfile), 'the name of a walker such as "slow", or a WalkProfile'),
    "person": (
        (str, Sequence, Person, type(None)),
        'names such as "woman" or ["woman", "with-child"], or a Person',
    ),
    "at": ((str, datetime.datetime, type(None)), '"2026-12-06 18:00", or a datetime'),
    "on": ((*_DAY, int, type(None)), '"2026-12-06", "sunday", or a date'),
    "between": ((Sequence, type(None)), 'two times: ("18:00", "22:00")'),
    "week_of": ((*_DAY, type(None)), '"2026-12-07", or a date'),
    "date": ((*_DAY, type(None)), '"2026-01-31", or a date'),
    "country": ((str,), 'an ISO code, such as "FR"'),
    "categories": ((str, Collection), 'ids: "bagagerie" or ["bagagerie", "esi"]'),
    "counted_status": ((str, Collection), 'words: "open" or ["open", "unknown"]'),
    "isochrones_min": ((numbers.Real, Collection), "minutes: 15 or [5, 10, 15]"),
    "week": ((bool, np.bool_), "True or False"),
    "private": ((bool, np.bool_), "True or False"),
    **dict.fromkeys(
        ("threshold_min", "cell_m", "snap_m", "min_gap_ha", "useful_share", "stay_min"),
        ((numbers.Real,), "a number"),
    ),
}
"""What a program may give for each: as it is typed at the command line, or as the thing itself."""

ASKED = tuple(_KINDS)
"""Fields of a study by which something is asked."""


def read_given(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a program gives for fields of a study, written as at the command line or as such.

    Parameters
    ----------
    given
        Values by field; fields that nothing is asked by are returned as they are.

    Raises
    ------
    TypeError
        If a value is of a kind that says nothing there.
    StudyFileError
        If a name is not known, or a day or an hour cannot be read.
    """
    for name, value in given.items():
        kinds, wanted = _KINDS.get(name, ((object,), ""))
        # True is a number to Python, and a slip in a call.
        mistaken = isinstance(value, bool) and bool not in kinds and object not in kinds
        if mistaken or not isinstance(value, kinds):
            msg = f"{name} is {value!r}, of type {type(value).__name__}. Give {wanted}."
            raise TypeError(msg)
    read = {**given, **read_hours(cast("HoursAsked", given))}
    for name in SEVERAL & given.keys():
        read[name] = several(given[name])
    if "date" in given:
        read["date"] = read_validity(given["date"], "date")
    if "person" in given:
        read["person"] = find_person(given["person"], ())
    if "profile" in given:
        read["profile"] = find_walker(given["profile"], (), "profile")
    return read


READ_BY: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "area": (StudyArea, "quart_heure.read_area(path) returns"),
    "services": (Services, "quart_heure.read_services([path], area, catalogue=…) returns"),
    "network": (NetworkArrays, "quart_heure.WalkNetwork.read(path) returns"),
    "catalogue": (Mapping, "quart_heure.default_catalogue() returns"),
    "residents": (
        (Residents, ResidentZones, type(None)),
        "quart_heure.sources.residents.residents.read_residents(path) returns, or None",
    ),
    "background_file": ((str, Path, type(None)), "names a file, or None"),
}
"""Fields that hold what was read, and what reads it."""


def check_things(given: Mapping[str, Any]) -> None:
    """Refuse what is not the thing that a field of `READ_BY` holds.

    Raises
    ------
    TypeError
        If something is given in its place, such as the path of its file.
    """
    for name, value in given.items():
        kind, how = READ_BY[name]
        if not isinstance(value, kind):
            msg = f"{name} is of type {type(value).__name__}. Give what {how}."
            raise TypeError(msg)
