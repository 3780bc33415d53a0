"""The missing link: which footbridge, passage or gate would bring most people within reach."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.siting.links import apart, free_links, link_gains, shortcuts, street_spots
from quart_heure.analysis.statuses import STATUSES
from quart_heure.errors import StudyFileError
from quart_heure.study.coverage import Coverage
from quart_heure.study.elsewhere import Elsewhere
from quart_heure.study.siting import check_category

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["missing_links"]

LINK_M = 300.0
"""Length of the longest link, in metres."""

_APART_M = 150.0

_LEAST_GAIN = 0.05
"""What rounds to nothing in a table is no gain."""

_COVERED = STATUSES[: STATUSES.index("borderline_covered") + 1]

LINK_COLUMNS = (
    *("rank", "category", "gap_id", "district_id", "from_street", "to_street", "crosses"),
    *("length_m", "minutes_before", "minutes_after", "gain", "gain_per_m", "rank_per_m"),
)


def missing_links(
    coverage: Coverage,
    category: str,
    *,
    count: int = 10,
    most_m: float = LINK_M,
    progress: Callable[[str], None] | None = None,
) -> gpd.GeoDataFrame:
    """Rank straight links between two streets that would help the gaps that a barrier makes.

    Parameters
    ----------
    coverage
        Its gaps of the cause ``barrier`` are looked at.
    category
        Category of these, not a composite.
    count
        The most links to return.
    most_m
        Length of the longest, in metres.
    progress
        As in `quart_heure.study.line.analyse`.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns `LINK_COLUMNS` and the line of each; those that gain most first. Empty without
        such a gap. Links lead to services that may be shown: discreet ones do not count here.

    Raises
    ------
    CategoryError
        If the category is not in the study.
    StudyFileError
        If the length or the number cannot be.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    check_category(coverage.study, category)
    check_asked(count, most_m)
    say = progress or (lambda _: None)
    empty = gpd.GeoDataFrame(
        pd.DataFrame(columns=list(LINK_COLUMNS)), geometry=[], crs=coverage.study.area.crs
    )
    gaps = coverage.gaps
    gaps = gaps[(gaps["category"] == category) & (gaps["cause"] == "barrier")]
    services = _shown_services(coverage, category)
    if gaps.empty or not len(services):
        return empty
    study, basis = coverage.study, coverage.basis
    elsewhere = Elsewhere(coverage=coverage)
    say("ends of links")
    spots = street_spots(elsewhere.network, elsewhere.usable)
    outlines = shapely.buffer(gaps.geometry.to_numpy(), study.snap_m)
    shapely.prepare(outlines)
    holding = shapely.STRtree(outlines)
    around = shapely.buffer(shapely.union_all(outlines), most_m)
    shapely.prepare(around)
    spots = spots[shapely.intersects_xy(around, *spots.T)]
    spots = spots[~elsewhere.on_closed_ground(spots)]
    if not len(spots):
        return empty
    places = elsewhere.attach(spots)
    minutes = elsewhere.times(elsewhere.attach(services), places)
    at_gap, gap = holding.query(shapely.points(spots), predicate="intersects")
    near, first = np.unique(at_gap, return_index=True)
    say("links")
    links = shortcuts(
        spots,
        minutes,
        near,
        most_m=most_m,
        speed_m_per_min=study.profile.speed_m_per_min,
        threshold_min=study.threshold_min,
    )
    if len(links):
        network = elsewhere.network
        ground = elsewhere.usable & ~network.bridge & ~network.tunnel
        links = free_links(links, spots, network, ground)
    if not len(links):
        return empty
    weight = basis.people_on_network
    if basis.people is None:
        weight = np.where(basis.on_network, basis.cells.cell_ha, 0.0)
    covered = np.zeros(len(basis.cells), dtype=bool)
    covered[basis.cells.inside] = coverage.cells[f"status_{category}"].isin(_COVERED).to_numpy()
    gains = link_gains(
        links,
        elsewhere.reach(places[links.near]),
        weight,
        wanted=basis.on_network & ~covered,
        threshold_min=study.threshold_min,
    )
    order = np.lexsort((links.near, links.length_m, -gains))
    taken = apart(order[gains[order] >= _LEAST_GAIN], links, spots, apart_m=_APART_M, count=count)
    if not len(taken):
        return empty
    lines = shapely.linestrings(np.stack([spots[links.near[taken]], spots[links.far[taken]]], 1))
    names = [elsewhere.streets_near(spots[ends]) for ends in (links.near[taken], links.far[taken])]
    gap_of = dict(zip(near.tolist(), gap[first].tolist(), strict=True))
    rows = gaps.iloc[[gap_of[one] for one in links.near[taken].tolist()]]
    per_m = gains[taken] / links.length_m[taken]
    rank_per_m = np.empty(len(taken), dtype=np.int64)
    rank_per_m[np.lexsort((np.arange(len(taken)), -per_m))] = np.arange(1, len(taken) + 1)
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(taken) + 1),
            "category": category,
            "gap_id": rows["gap_id"].to_numpy(dtype=object),
            "district_id": rows["district_id"].to_numpy(dtype=object),
            "from_street": names[0],
            "to_street": names[1],
            "crosses": _crossed(coverage, lines),
            "length_m": links.length_m[taken],
            "minutes_before": minutes[links.near[taken]],
            "minutes_after": links.minutes[taken],
            "gain": gains[taken],
            "gain_per_m": per_m,
            "rank_per_m": rank_per_m,
        }
    )
    return gpd.GeoDataFrame(table, geometry=lines, crs=study.area.crs)


def check_asked(count: int, most_m: float) -> None:
    """Refuse a number or a length of links that cannot be.

    Raises
    ------
    StudyFileError
        If one cannot.
    """
    if not (math.isfinite(most_m) and 0 < most_m <= 1000):
        msg = f"A link of {most_m:g} m cannot be asked for."
        raise StudyFileError(msg, hint="Give a length above 0 and up to 1000 metres.")
    if not 1 <= count <= 1000:
        msg = f"{count} links cannot be asked for."
        raise StudyFileError(msg, hint="Ask for 1 to 1000.")


def _shown_services(coverage: Coverage, category: str) -> NDArray[np.float64]:
    """Return where the services of a category are that count for sure and may be shown."""
    services = coverage.services
    shown = (services["category"] == category) & services["counted"].astype(bool)
    shown &= ~services["discreet"].astype(bool) & ~services["perhaps"].astype(bool)
    if "open_then" in services:
        shown &= services["open_then"] != "unknown"
    xy = shapely.get_coordinates(services.geometry.to_numpy()[shown.to_numpy()])
    return np.asarray(xy).reshape(-1, 2)


def _crossed(coverage: Coverage, lines: NDArray[np.object_]) -> list[str]:
    """Return what each line crosses of the background, by name or else by kind, by ';'."""
    crossed: list[list[str]] = [[] for _ in lines]
    background = coverage.study.background()
    if background is not None and len(background):
        shapes = background.geometry.to_numpy()
        kinds, named = background["kind"].tolist(), background["name"].fillna("").tolist()
        line, shape = shapely.STRtree(shapes).query(lines, predicate="intersects")
        for at, other in sorted(zip(line.tolist(), shape.tolist(), strict=True)):
            words = str(named[other]) or str(kinds[other])
            if words not in crossed[at]:
                crossed[at].append(words)
    return [";".join(words) for words in crossed]
