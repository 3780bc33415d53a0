"""Services of a dossier: for whom, when, how far, within reach of how many of its residents."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from quart_heure.analysis.districts import NO_DISTRICT
from quart_heure.labels import format_number, word
from quart_heure.outputs.dossier.words import Words, short
from quart_heure.outputs.results.rows import Row

if TYPE_CHECKING:
    from quart_heure.study.coverage import Coverage

_NAME, _ADDRESS, _HOURS, _PUBLIC = 70, 60, 80, 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceLine:
    """A service that counts, in words.

    Parameters
    ----------
    service_id, category
        Of the service.
    label
        Of its category.
    name, address
        Cut short.
    here
        Whether it is inside the district.
    away
        How long a walk it is from the district.
    hours, welcome
        When it is open, how one is admitted and who is.
    hours_known, status_known, access_known
        Whether the source says.
    residents
        Those of the district within reach; NaN where residents are not known.
    weight
        These, or hectares; what next door is ranked by.
    source_date
        As the source writes it.
    """

    service_id: str
    category: str
    label: str
    name: str
    address: str
    here: bool
    away: str
    hours: str
    hours_known: bool
    status_known: bool
    access_known: bool
    welcome: str
    residents: float
    weight: float
    source_date: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ServiceRows:
    """The services of one dossier.

    Parameters
    ----------
    counted
        Those inside first by category and name, then those next door, the ones
        that most residents reach first.
    left_out
        Names of the places inside that do not count, each with its reason.
    """

    counted: list[ServiceLine]
    left_out: list[str]


def walks_to_services(coverage: Coverage) -> pd.DataFrame:
    """Find the counted services that each district reaches within the threshold.

    Discreet places are not among them.

    Returns
    -------
    pandas.DataFrame
        One row per pair within reach: service_id, district_id, minutes (from the district's
        nearest place on the network), residents (of the district within the threshold, NaN
        where they are not known), area_ha.
    """
    basis = coverage.basis
    cells = basis.cells
    shown = np.flatnonzero(~basis.services["discreet"].to_numpy(dtype=bool))
    reach = basis.reach.take(shown)
    people = np.full(len(cells), np.nan) if basis.people is None else basis.people
    pairs = pd.DataFrame(
        {
            "service": np.repeat(shown, np.diff(reach.offsets)),
            "district": cells.district[reach.place],
            "minutes": reach.minutes,
            "residents": people[reach.place],
        }
    )[cells.inside[reach.place]]
    found = pairs.groupby(["service", "district"], as_index=False).agg(
        minutes=("minutes", "min"), residents=("residents", "sum"), cells=("minutes", "size")
    )
    if basis.people is None:
        found["residents"] = np.nan
    ids = [*coverage.study.area.districts["district_id"], NO_DISTRICT]
    return pd.DataFrame(
        {
            "service_id": basis.services["service_id"].to_numpy()[found["service"]],
            "district_id": np.array(ids, dtype=object)[found["district"]],
            "minutes": found["minutes"],
            "residents": found["residents"],
            "area_ha": found["cells"] * cells.cell_ha,
        }
    )


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table, each by column."""
    return [
        {str(column): value for column, value in row.items()}
        for row in pd.DataFrame(table).to_dict("records")
    ]


def service_rows(
    services: Sequence[Row],
    walks: Mapping[str, Row],
    *,
    district_id: str,
    names: Mapping[str, str],
    say: Words,
) -> ServiceRows:
    """Return the services in a district and those next door within its reach.

    Parameters
    ----------
    services
        Published services, as in a coverage, each by column.
    walks
        Those that the district reaches (see `walks_to_services`), by id.
    district_id
        The district.
    names
        Labels of the categories.
    say
        Words in the language of the dossier.
    """
    order = {category: at for at, category in enumerate(names)}
    rows: list[ServiceLine] = []
    left_out: list[str] = []
    for service in services:
        here = service["district_id"] == district_id
        reached = walks.get(service["service_id"])
        if not service["counted"]:
            if here:
                reason = word(service["left_out_reason"], say.lang)
                left_out.append(f"{_name(service)} ({reason})")
        elif here or reached is not None:
            rows.append(_row(service, reached, here=here, names=names, say=say))
    rows.sort(
        key=lambda row: (
            (0, order[row.category], 0.0, row.name, row.service_id)
            if row.here
            else (1, 0, -row.weight, row.name, row.service_id)
        )
    )
    return ServiceRows(counted=rows, left_out=sorted(left_out))


def _row(
    service: Row,
    reached: Row | None,
    *,
    here: bool,
    names: Mapping[str, str],
    say: Words,
) -> ServiceLine:
    residents, weight, away = 0.0, -math.inf, say("here")
    if reached is not None:
        residents = float(reached["residents"])
        weight = float(reached["area_ha"]) if math.isnan(residents) else residents
        if not here:
            minutes = max(math.ceil(float(reached["minutes"])), 1)
            away = say("minutes_away", n=format_number(minutes, say.lang))
    address = f"{_text(service, 'address')} {_text(service, 'postcode')}"
    return ServiceLine(
        service_id=str(service["service_id"]),
        category=service["category"],
        label=names[service["category"]],
        name=_name(service),
        address=short(address, _ADDRESS),
        here=here,
        away=away,
        hours=_hours(service, say),
        hours_known=_text(service, "opening_hours") != "",
        status_known=str(service.get("status", "")) != "unknown",
        access_known=_access(service) != "unknown",
        welcome=_welcome(service, say),
        residents=residents,
        weight=weight,
        source_date=_text(service, "source_date"),
    )


def _text(service: Row, column: str) -> str:
    value = service.get(column)
    return value if isinstance(value, str) else ""


def _name(service: Row) -> str:
    return short(_text(service, "name"), _NAME) or short(service["service_id"], _NAME)


def _hours(service: Row, say: Words) -> str:
    hours = _text(service, "opening_hours")
    told = _text(service, "opening_hours_text")
    if told:
        return short(told, _HOURS)
    if hours == "off":
        return say("words.closed")
    return short(hours, _HOURS) or say("words.unknown_hours")


def _access(service: Row) -> str:
    access = _text(service, "access")
    return access if access in {"walk_in", "referral"} else "unknown"


def _welcome(service: Row, say: Words) -> str:
    """Say how one is admitted and who is, as far as the source says."""
    admits = [part for part in _text(service, "admits").split(";") if say.has(f"admits_{part}")]
    listed = ", ".join(say(f"admits_{part}") for part in admits)
    public = short(_text(service, "audience"), _PUBLIC) or listed
    access = _access(service)
    if access == "unknown" and not public:
        return say("welcome_unknown")
    return f"{say(f'access_{access}')} · {public or say('audience_unknown')}"
