"""What leads a page: the figures that tell a district from the others, the lack before the rest.

A figure that reads 0,0 or 100,0 % in most districts tells nobody anything, however right it is: it
stays in the tables, and another one leads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from quart_heure.outputs.dossier.structure import Share
from quart_heure.outputs.results.rows import people_on_network

if TYPE_CHECKING:
    from quart_heure.outputs.dossier.content import Dossiers

_LEADING = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lead:
    """A figure that leads a page.

    Parameters
    ----------
    key
        ``none`` or ``all`` of the essential services, or a category.
    share
        The figure, that of the area, the rank.
    label
        Of the category; empty for the others.
    """

    key: str
    share: Share
    label: str = ""


def tells(figures: Mapping[str, float]) -> bool:
    """Tell whether a share says something of at least half of the districts.

    Examples
    --------
    >>> tells({"a": 0.0, "b": 0.04, "c": 12.0}), tells({"a": 0.0, "b": 7.0, "c": 12.0})
    (False, True)
    >>> tells({"a": 99.98}), tells({})
    (False, False)
    """
    known = [round(share, 1) for share in figures.values() if not math.isnan(share)]
    return bool(known) and 2 * sum(0 < share < 100 for share in known) >= len(known)


def leads(dossiers: Dossiers, district_id: str) -> list[Lead]:
    """Return the figures that lead the dossier of a district; none without essential services.

    First who has none of the essential services, then who has them all, if these figures tell
    districts apart; then the category in which the district is furthest behind the whole area.
    """
    headline = dossiers.headline(district_id)
    found = [
        Lead(key=name, share=headline[name])
        for name in ("none", "all")
        if headline
        and tells({each: dossiers.headline(each)[name].pct for each in dossiers.districts})
    ]
    if headline and len(found) < _LEADING:
        behind = _furthest_behind(dossiers, district_id)
        found += [behind] if behind else []
    return (found or [Lead(key=name, share=share) for name, share in headline.items()])[:_LEADING]


def _furthest_behind(dossiers: Dossiers, district_id: str) -> Lead | None:
    """Return the category whose share here is most below that of the area; judged ones alone."""
    judged = [c for c in dossiers.categories if c["essential"] and dossiers.judged(c["id"])]
    lacks = {}
    for category in judged:
        row, city = dossiers.row(district_id, category["id"]), dossiers.city[category["id"]]
        lack = float(city[dossiers.share]) - float(row[dossiers.share])
        if not math.isnan(lack):
            lacks[category["id"]] = lack
    if not lacks:
        return None
    key = max(lacks, key=lambda each: lacks[each])
    row = dossiers.row(district_id, key)
    people = dossiers.by_people
    share = Share(
        pct=float(row[dossiers.share]),
        amount=row["residents_covered" if people else "covered_ha"],
        total=people_on_network(row) if people else row["on_network_ha"],
        city_pct=float(dossiers.city[key][dossiers.share]),
        rank=dossiers.rank(key, district_id),
    )
    return Lead(key=key, share=share, label=dossiers.names[key])
