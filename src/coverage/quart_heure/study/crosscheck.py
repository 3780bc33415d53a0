"""Crosscheck: the same study on a second network of the same place, and how far the two agree.

A figure that two independent drawings of the streets agree on can be trusted; where they do not,
the streets that only one of them has say which of the two is to be mended.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.districts import Districts
from quart_heure.analysis.shares import percent
from quart_heure.analysis.walks import (
    LACKS_COLUMNS,
    WalkTree,
    edges_without_counterpart,
    lacking_streets,
)
from quart_heure.analysis.zones import label_zones, zone_polygons
from quart_heure.cache import Cache
from quart_heure.errors import NetworkError
from quart_heure.network.limits import within
from quart_heure.network.snapping import snap
from quart_heure.study.coverage import Coverage
from quart_heure.study.line import analyse
from quart_heure.study.study import Study

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Crosscheck", "crosscheck"]

AGREEMENT_COLUMNS = (
    *("level", "district_id", "label", "category", "covered_pct", "covered_other_pct"),
    *("difference_points", "same_pct", "only_here", "only_other", "not_compared"),
    *("minutes_median_difference", "minutes_p95_difference"),
)

ZONE_COLUMNS = (
    *("rank", "category", "covered_by", "district_id", "street", "area_ha", "residents"),
    *("minutes_here", "minutes_other"),
)

SIDES = ("here", "other")
"""The network of the study, and the second one."""

_ZONES_SHOWN = 40
"""Per category and side."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Crosscheck:
    """How far two networks of one place agree.

    Parameters
    ----------
    coverage, other
        Of the study, and of the same study on the second network.
    agreement
        Columns `AGREEMENT_COLUMNS`: a row per category of each district and of the whole area.
        Shares are of residents (of area, where they are not known) that both networks reach;
        ``only_here`` and ``only_other`` are the people covered by one alone, ``not_compared``
        those that only one of them has a street for.
    zones
        Columns `ZONE_COLUMNS` and outlines: where one covers and the other does not.
    streets
        Columns `LACKS_COLUMNS` and lines: the streets of one network without a counterpart in the
        other that most of these people walk along.
    explained_pct
        Of the people whom one network alone covers, those whose way leads along such a street.
        The others' ways are alike, and differ in how streets join or by a few metres at the limit.
    mean_points, worst_points
        Mean and greatest difference of the shares of the districts, in percentage points.
    same_pct
        People with the same answer from both, all categories together.
    """

    coverage: Coverage
    other: Coverage
    agreement: pd.DataFrame
    zones: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    explained_pct: float
    mean_points: float
    worst_points: float
    same_pct: float


def crosscheck(
    study: Study,
    other: Study,
    *,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
) -> Crosscheck:
    """Run a study on two networks and compare them.

    Parameters
    ----------
    study
        The study.
    other
        The same with another network: the same area, cells, services, walker and threshold.
    cache, progress
        As in `quart_heure.study.line.analyse`.

    Raises
    ------
    NetworkError
        If the networks are the same, or the second one has no street in the area.
    """
    say = progress or (lambda _: None)
    if study.network.digest == other.network.digest:
        msg = "The second network is the one of the study: there is nothing to compare."
        raise NetworkError(msg, hint="Give streets of another date, source or format.")
    coverage = analyse(study, cache=cache, progress=progress)
    say("second network")
    second = analyse(other, cache=cache)
    say("comparison")
    both = _Both(coverage, second)
    agreement = both.agreement()
    of_districts = agreement[agreement["level"] == "district"]
    points = of_districts["difference_points"].abs().dropna()
    streets, explained_pct = _streets(both)
    return Crosscheck(
        coverage=coverage,
        other=second,
        agreement=agreement,
        zones=both.zones(),
        streets=streets,
        explained_pct=explained_pct,
        mean_points=float(points.mean()),
        worst_points=float(points.max()),
        same_pct=both.same_pct(),
    )


class _Both:
    """Two coverages of the same cells."""

    def __init__(self, here: Coverage, other: Coverage) -> None:
        self.sides = (here, other)
        basis = here.basis
        self.cells = basis.cells
        self.categories = basis.categories
        self.threshold_min = basis.threshold_min
        self.on = [side.basis.on_network for side in self.sides]
        self.compared: NDArray[np.bool_] = self.on[0] & self.on[1]
        self.by_people = basis.people is not None
        weight = np.full(len(self.cells), self.cells.cell_ha)
        self.weight = weight if basis.people is None else basis.people.astype(np.float64)
        self.districts: Districts = basis.districts

    def minutes(self, side: int, category: str) -> NDArray[np.float64]:
        return self.sides[side].basis.minutes[category]

    def covered(self, side: int, category: str) -> NDArray[np.bool_]:
        """Return the cells that both reach and one covers; shape (n,)."""
        return self.compared & within(self.minutes(side, category), self.threshold_min)

    def agreement(self) -> pd.DataFrame:
        sums = self.districts.sums
        all_ = sums(self.compared, self.weight)
        apart = sums(self.on[0] ^ self.on[1], self.weight)
        shown = self.districts.rows()
        tables = []
        for category in self.categories:
            here, other = (self.covered(side, category) for side in (0, 1))
            shares = [percent(sums(side, self.weight), all_) for side in (here, other)]
            only = [sums(here & ~other, self.weight), sums(other & ~here, self.weight)]
            table = self.districts.names.assign(
                category=category,
                covered_pct=shares[0],
                covered_other_pct=shares[1],
                difference_points=shares[1] - shares[0],
                same_pct=100 - percent(only[0] + only[1], all_),
                only_here=only[0],
                only_other=only[1],
                not_compared=apart,
                **self._minutes(category),
            )
            tables.append(table[shown])
        return pd.concat(tables, ignore_index=True)[list(AGREEMENT_COLUMNS)]

    def _minutes(self, category: str) -> dict[str, NDArray[np.float64]]:
        """Return how far the minutes of half and of 95 % of the cells differ at most."""
        here, other = (self.minutes(side, category) for side in (0, 1))
        known = self.compared & np.isfinite(here) & np.isfinite(other)
        apart = np.abs(here[known] - other[known])
        code = self.districts.code[known]
        last = len(self.districts.names) - 1
        rows = [apart[code == at] for at in range(last)] + [apart]
        return {
            f"minutes_{name}_difference": np.array(
                [np.quantile(row, q) if len(row) else np.nan for row in rows]
            )
            for name, q in (("median", 0.5), ("p95", 0.95))
        }

    def same_pct(self) -> float:
        differ = sum(
            float(self.weight[self.covered(0, c) != self.covered(1, c)].sum())
            for c in self.categories
        )
        total = float(self.weight[self.compared].sum()) * len(self.categories)
        return 100 - 100 * differ / total if total else float("nan")

    def zones(self) -> gpd.GeoDataFrame:
        """Return the largest zones that one of the two covers alone."""
        import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

        rows, shapes = [], []
        for category in self.categories:
            for side, covered_by in enumerate(SIDES):
                alone = self.covered(side, category) & ~self.covered(1 - side, category)
                for row, shape in self._zones_of(alone, category):
                    rows.append({**row, "category": category, "covered_by": covered_by})
                    shapes.append(shape)
        names = self._streets_of(np.array([row.pop("at") for row in rows]).reshape(-1, 2))
        kinds = dict.fromkeys(("area_ha", "residents", "minutes_here", "minutes_other"), np.float64)
        table = pd.DataFrame(rows, columns=[c for c in ZONE_COLUMNS if c not in {"rank", "street"}])
        table = table.astype(kinds)
        table = table.assign(street=names, geometry=shapes)
        order = table.sort_values(
            ["residents", "area_ha", "category"], ascending=[False, False, True], kind="stable"
        ).reset_index(drop=True)
        order["rank"] = np.arange(len(order)) + 1
        crs = self.sides[0].study.area.crs
        return gpd.GeoDataFrame(order[[*ZONE_COLUMNS, "geometry"]], geometry="geometry", crs=crs)

    def _zones_of(
        self, alone: NDArray[np.bool_], category: str
    ) -> list[tuple[dict[str, object], shapely.Geometry]]:
        cells = self.cells
        mask = np.zeros(cells.shape, dtype=bool)
        mask.ravel()[cells.place[alone]] = True
        labels = label_zones(mask)
        of_cell = labels.ravel()[cells.place]
        n = int(labels.max(initial=0)) + 1
        weight = np.bincount(of_cell, weights=self.weight, minlength=n)
        count = np.bincount(of_cell, minlength=n)
        chosen = np.flatnonzero(count * cells.cell_ha >= self.sides[0].study.min_gap_ha)
        chosen = chosen[chosen > 0]
        chosen = chosen[np.argsort(-weight[chosen], kind="stable")][:_ZONES_SHOWN]
        outlines = zone_polygons(labels) if len(chosen) else []
        ids = list(self.sides[0].study.area.districts["district_id"])
        found = []
        for zone in chosen.tolist():
            here = np.flatnonzero(of_cell == zone)
            furthest = here[np.argmax(self.weight[here])]
            held = cells.district[here]
            held = held[held >= 0]
            shape = shapely.transform(
                outlines[zone - 1], lambda xy: (xy + np.array(cells.first)) * cells.cell_m
            )
            minutes = [np.median(self.minutes(side, category)[here]) for side in (0, 1)]
            row: dict[str, object] = {
                "district_id": ids[np.bincount(held).argmax()] if len(held) else "",
                "area_ha": count[zone] * cells.cell_ha,
                "residents": weight[zone] if self.by_people else np.nan,
                "minutes_here": minutes[0],
                "minutes_other": minutes[1],
                "at": cells.centre_xy[furthest],
            }
            found.append((row, shape))
        return found

    def _streets_of(self, xy: NDArray[np.float64]) -> list[str]:
        """Return the nearest street that has a name, "" where none is near."""
        if not len(xy):
            return []
        side = self.sides[0]
        network, doors = side.study.network, side.basis.doors
        named = doors.usable & np.array([name != "" for name in network.names])[network.name_code]
        places = snap(network, xy, usable=named, max_distance_m=2 * side.study.snap_m)
        names = [""] * len(xy)
        for place in np.flatnonzero(places.attached).tolist():
            names[place] = network.name_of(int(places.edge[places.begin[place]]))
        return names


def _streets(both: _Both) -> tuple[gpd.GeoDataFrame, float]:
    """Return the streets of one network that the other lacks, and whose ways they explain."""
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    tables, explained, asked = [], 0.0, 0.0
    for side, name in enumerate(SIDES):
        mine, theirs = both.sides[side], both.sides[1 - side]
        basis = mine.basis
        trees = []
        for category in both.categories:
            alone = both.covered(side, category) & ~both.covered(1 - side, category)
            where = np.flatnonzero(alone)
            services = basis.doors.at(basis.xy[_sure(mine, category)])
            if len(where):
                tree = WalkTree.of(
                    basis.doors.graph,
                    services,
                    both.cells.attachment if side == 0 else basis.cells.attachment,
                    where,
                    both.weight[where],
                )
                trees.append((category, tree))
        used = np.unique(np.concatenate([tree.edge for _, tree in trees] or [np.empty(0, int)]))
        lacks = edges_without_counterpart(
            mine.study.network,
            used.astype(np.intp),
            theirs.study.network,
            theirs.basis.doors.usable,
        )
        for _, tree in trees:
            asked += float(tree.weight.sum())
            explained += float(tree.weight[tree.leads_along(lacks > 0)].sum())
        tables.append(lacking_streets(mine.study.network, trees, lacks).assign(network=name))
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values(["walkers", "lacking_m"], ascending=False, kind="stable")
    table = table.reset_index(drop=True).assign(rank=lambda t: np.arange(len(t)) + 1)
    crs = both.sides[0].study.area.crs
    streets = gpd.GeoDataFrame(table[[*LACKS_COLUMNS, "geometry"]], geometry="geometry", crs=crs)
    return streets, 100 * explained / asked if asked else float("nan")


def _sure(coverage: Coverage, category: str) -> Sequence[int] | NDArray[np.intp]:
    """Return the services of a category that count for sure and may be shown."""
    basis = coverage.basis
    mine = basis.of_category(category)
    return mine[~basis.perhaps[mine] & ~basis.discreet[mine]]
