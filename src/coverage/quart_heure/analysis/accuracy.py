"""Accuracy: what the share of a district is good to, each source of doubt by itself.

No doubt is a probability: each says how far the figure moves when one thing that nobody knows for
sure is taken otherwise, everything else being equal.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from quart_heure.analysis.answers import COMPOSITES
from quart_heure.analysis.basis import Basis
from quart_heure.analysis.doors import ELSEWHERE_M
from quart_heure.analysis.freshness import confirmed
from quart_heure.analysis.statuses import BORDERLINE
from quart_heure.network.limits import within

ACCURACY_COLUMNS = (
    *("level", "district_id", "label", "category", "doubt", "low_pct", "high_pct"),
    *("residents_low", "residents_high", "residents_low_pct", "residents_high_pct", "service_id"),
)

DOUBTS = ("computed", "one_place", "elsewhere", "speed", "unconfirmed", "unknown")
"""What may be otherwise, in the order of the table.

``computed``: nothing, the figure itself. ``one_place``: one single service stands `ELSEWHERE_M`
from where it is said to, the one that moves the figure most. ``elsewhere``: all of them do, to the
same side. ``speed``: people walk a tenth faster or slower. ``unconfirmed``: only places that a
recent source states are there. ``unknown``: services whose hours or admission are not known are
open to the person.
"""

_Masks = Mapping[str, NDArray[np.bool_]]


def accuracy_table(
    basis: Basis,
    *,
    essentials: Sequence[str],
    since: datetime.date,
    until: datetime.date,
    hide_discreet: bool = False,
) -> pd.DataFrame:
    """Return how low and how high each share could be, per doubt, district and category.

    Parameters
    ----------
    basis
        Of an analysis.
    essentials
        Categories that the composites are made of.
    since, until
        First and last day on which a source confirms a place.
    hide_discreet
        Whether discreet places are not named.

    Returns
    -------
    pandas.DataFrame
        Columns `ACCURACY_COLUMNS`, a row per doubt (`DOUBTS`) of each district and category or
        composite. Shares are of what is on the network and hold the figure as computed. Of
        ``one_place``, ``service_id`` is the place; "" elsewhere and where it moves nothing.
    """
    shares = basis.shares
    known = ~basis.perhaps
    base = _combined(_covered(basis, known), essentials)
    as_computed = {category: shares.of(cells) for category, cells in base.items()}
    others = {
        "elsewhere": [
            _combined(_covered(basis, known, at), essentials) for at in range(len(ELSEWHERE_M))
        ],
        "speed": [
            _combined(_within(basis, basis.threshold_min * by), essentials)
            for by in (1 - BORDERLINE, 1 + BORDERLINE)
        ],
        "unconfirmed": [
            _combined(
                _covered(basis, known & confirmed(basis.services, since=since, until=until)),
                essentials,
            )
        ],
        "unknown": [],
    }
    if not known.all():
        others["unknown"].append(_combined(_covered(basis, np.ones_like(known)), essentials))
    ranges = {"one_place": _one_place(basis, base, as_computed, essentials)}
    for doubt, variants in {"computed": [], **others}.items():
        ranges[doubt] = {category: _Range(figure) for category, figure in as_computed.items()}
        for category, one in ranges[doubt].items():
            for variant in variants:
                one.hold(shares.of(variant[category]))
    table = basis.districts.table(
        [
            {"category": category, "doubt": doubt, **ranges[doubt][category].columns}
            for doubt in DOUBTS
            for category in base
        ]
    )
    if hide_discreet:
        hidden = table["service_id"].isin(basis.services["service_id"][basis.discreet])
        table["service_id"] = table["service_id"].mask(hidden, "")
    return table[list(ACCURACY_COLUMNS)]


ELSEWHERE_COLUMNS = (
    *("level", "district_id", "label", "category", "side"),
    *("covered_pct", "residents_covered", "residents_covered_pct"),
)

_SIDES = ("east", "north", "west", "south")
"""Names of `ELSEWHERE_M`."""


def elsewhere_table(basis: Basis, *, essentials: Sequence[str]) -> pd.DataFrame:
    """Return the shares of each district if every service stood at each of `ELSEWHERE_M`.

    Returns
    -------
    pandas.DataFrame
        Columns `ELSEWHERE_COLUMNS`, a row per side, category or composite, and district; ``side``
        is "" for the services where they are said to be.
    """
    shares = basis.shares
    names = basis.districts.names[basis.districts.rows()].reset_index(drop=True)
    tables = []
    for at, side in ((None, ""), *enumerate(_SIDES)):
        for category, cells in _combined(_covered(basis, ~basis.perhaps, at), essentials).items():
            share = shares.of(cells)
            tables.append(
                names.assign(
                    category=category,
                    side=side,
                    covered_pct=share["pct"],
                    residents_covered=share["residents"],
                    residents_covered_pct=share["residents_pct"],
                )
            )
    return pd.concat(tables, ignore_index=True)[list(ELSEWHERE_COLUMNS)]


class _Range:
    """The least and the greatest of several figures of the same rows."""

    def __init__(self, figure: Mapping[str, NDArray[np.float64]]) -> None:
        self.low = {name: values.copy() for name, values in figure.items()}
        self.high = {name: values.copy() for name, values in figure.items()}
        self.service_id = np.full(len(figure["pct"]), "", dtype=object)

    def hold(self, figure: Mapping[str, NDArray[np.float64]]) -> None:
        for name, values in figure.items():
            self.low[name] = np.minimum(self.low[name], values)
            self.high[name] = np.maximum(self.high[name], values)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        return {
            "low_pct": self.low["pct"],
            "high_pct": self.high["pct"],
            "residents_low": self.low["residents"],
            "residents_high": self.high["residents"],
            "residents_low_pct": self.low["residents_pct"],
            "residents_high_pct": self.high["residents_pct"],
            "service_id": self.service_id,
        }


def _covered(
    basis: Basis, which: NDArray[np.bool_], elsewhere: int | None = None
) -> dict[str, NDArray[np.bool_]]:
    """Return, per category, the cells within reach of some services, perhaps moved; (n,)."""
    reach = basis.reach if elsewhere is None else basis.reach_elsewhere[elsewhere]
    return {
        category: basis.on_network
        & (reach.count((mine := basis.of_category(category))[which[mine]], basis.threshold_min) > 0)
        for category in basis.categories
    }


def _within(basis: Basis, minutes: float) -> dict[str, NDArray[np.bool_]]:
    """Return, per category, the cells within some minutes; (n,).

    Every metre takes as long in proportion, steps and slopes too: at another speed, the same walk
    is within the threshold whose minutes are within another threshold at this one.
    """
    return {
        category: basis.on_network & within(basis.minutes[category], minutes)
        for category in basis.categories
    }


def _combined(covered: _Masks, essentials: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Add the composites: every essential category, and at least one."""
    if not essentials:
        return dict(covered)
    stacked = [covered[category] for category in essentials]
    every, some = np.logical_and.reduce(stacked), np.logical_or.reduce(stacked)
    return {**covered, **dict(zip(COMPOSITES, (every, some), strict=True))}


def _one_place(
    basis: Basis,
    base: _Masks,
    as_computed: Mapping[str, Mapping[str, NDArray[np.float64]]],
    essentials: Sequence[str],
) -> dict[str, _Range]:
    """Return how far one single service that stands elsewhere moves each figure."""
    number = np.zeros(len(basis.cells), dtype=np.int32)
    for category in essentials:
        number += base[category]
    moves: dict[str, list[_Move]] = {category: [] for category in base}
    for category in basis.categories:
        for move in _moves(basis, category):
            moves[category].append(move)
            if category in essentials:
                every, some = COMPOSITES
                lost, gained = number[move.lost], number[move.gained]
                n = len(essentials)
                moves[every].append(move.where(lost == n, gained == n - 1))
                moves[some].append(move.where(lost == 1, gained == 0))
    ids = basis.services["service_id"].to_numpy(dtype=object)
    by = "pct" if basis.people is None else "residents_pct"
    ranges = {}
    for category, before in as_computed.items():
        one = ranges[category] = _Range(before)
        if not moves[category]:
            continue
        found = moves[category]
        parts = [part for move in found for part in (move.lost, move.gained)]
        sizes = [len(part) for part in parts]
        changes = basis.shares.changes(
            np.repeat(np.repeat(np.arange(len(found)), 2), sizes),
            np.concatenate(parts),
            np.repeat(np.tile([-1.0, 1.0], len(found)), sizes),
            n_variants=len(found),
        )
        for ends in (np.min, np.max):
            one.hold({name: before[name] + ends(changes[name], axis=0) for name in before})
        # A millionth is noise of the sums; of equals the first, in the order of the services.
        size = np.nan_to_num(np.abs(changes[by])).round(6)
        furthest = size.argmax(axis=0)
        for row in np.flatnonzero(size.max(axis=0) > 0):
            one.service_id[row] = ids[found[furthest[row]].service]
    return ranges


@dataclasses.dataclass(frozen=True, eq=False)
class _Move:
    """One service stands elsewhere: the cells that lose and gain cover by it."""

    service: int
    lost: NDArray[np.int32]
    gained: NDArray[np.int32]

    def where(self, lost: NDArray[np.bool_], gained: NDArray[np.bool_]) -> _Move:
        return _Move(self.service, self.lost[lost], self.gained[gained])


def _moves(basis: Basis, category: str) -> Iterator[_Move]:
    """Give, per service and side, what changes if it alone stands there."""
    mine = basis.of_category(category)
    mine = mine[~basis.perhaps[mine]]
    count = basis.reach.count(mine, basis.threshold_min)
    only, bare = (count == 1) & basis.on_network, (count == 0) & basis.on_network
    there = np.zeros(len(basis.cells), dtype=bool)
    for service in mine.tolist():
        here = basis.reach.of(service)[0]
        alone = here.take(np.flatnonzero(only.take(here)))
        for elsewhere in basis.reach_elsewhere:
            place = elsewhere.of(service)[0]
            there[place] = True
            lost = alone.take(np.flatnonzero(~there.take(alone)))
            there[place] = False
            gained = place.take(np.flatnonzero(bare.take(place)))
            yield _Move(service, lost, gained)
