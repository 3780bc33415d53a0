"""The structure of a dossier: what its page shows, line by line."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from quart_heure.outputs.dossier.services import ServiceLine
from quart_heure.outputs.dossier.week import Week

if TYPE_CHECKING:
    from quart_heure.outputs.dossier.lead import Lead


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """A share of a district, that of the city, and where the district stands."""

    pct: float
    amount: float
    total: float
    city_pct: float
    rank: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithinLine:
    """Shares of a place by the number of essential services within reach, none first."""

    label: str
    shares: list[float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FigureLine:
    """The figures of a category in a district, and in the whole area.

    Parameters
    ----------
    label
        Of the category or composite.
    composite
        Whether it is one.
    anchored
        Whether discreet places of it count, from public points.
    services, city_services
        How many are inside.
    amount
        Residents covered, or hectares where residents are not known.
    share, city_share
        Per cent of residents, or of area, covered.
    pace
        The share for who walks a tenth slower and faster, in words.
    rank
        Of the district, in words; empty without one.
    median, city_median, p90, city_p90
        Minutes of a walk.
    facts
        Places of the whole area that are confirmed, placed and known.
    """

    label: str
    composite: bool
    anchored: bool
    services: int
    city_services: int
    amount: float
    share: float
    city_share: float
    pace: str
    rank: str
    median: float
    city_median: float
    p90: float
    city_p90: float
    facts: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class GapLine:
    """What a district has of a gap.

    Parameters
    ----------
    gap_id, category
        Of the gap.
    label
        Of its category.
    number
        On the map of that category.
    street, nearest, cause
        In words, cut short.
    residents, area_ha, minutes_max
        Of the part in the district.
    beyond
        Whether paper has no room for it.
    """

    gap_id: str
    category: str
    label: str
    number: int
    street: str
    nearest: str
    cause: str
    residents: float
    area_ha: float
    minutes_max: float
    beyond: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class DossierContent:
    """What the dossier of a district says, but for its pictures.

    Parameters
    ----------
    district_id, title
        The district and its name.
    leads
        The figures that lead it; empty without a composite.
    within
        The district and the area; empty without a composite.
    facts
        The headline with confirmed places alone, as a sentence; empty without one.
    since
        What has moved most since an earlier run, as a sentence; empty without one.
    doubts
        What the figure is good to that hangs most on one place; empty where none does.
    figures
        A line per category and composite.
    none_known, anchored
        Names of categories without known services here, and of those with discreet places.
    gaps
        Numbered by category.
    services, left_out
        Those that count, and names of those inside that do not.
    week, week_about
        The week hour by hour, and which it is; None and empty where hours were not looked at.
    unknown
        Sentences on what is not known.
    next
        What proposals mean here, a sentence each; empty without any.
    """

    district_id: str
    title: str
    leads: list[Lead]
    within: list[WithinLine]
    facts: str
    since: str
    doubts: str
    figures: list[FigureLine]
    none_known: list[str]
    anchored: list[str]
    gaps: list[GapLine]
    services: list[ServiceLine]
    left_out: list[str]
    week: Week | None
    week_about: str
    unknown: list[str]
    next: list[str]
