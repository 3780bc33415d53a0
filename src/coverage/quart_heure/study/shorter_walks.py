"""Shorter walks: where to open so that people walk least on the mean (the p-median)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quart_heure.analysis.siting.nearest import Savings, save_most
from quart_heure.errors import StudyFileError
from quart_heure.network.reach import reach_of_services
from quart_heure.network.snapping import Attachment
from quart_heure.study.candidates import MESH, candidates_of
from quart_heure.study.coverage import Coverage
from quart_heure.study.elsewhere import Elsewhere
from quart_heure.study.siting import MOST_SITES, check_category

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["ShorterWalks", "shorter_walks"]

WALK_COLUMNS = (
    *("rank", "category", "candidate_id", "name", "street", "crossing", "quarter", "district_id"),
    *("minutes_saved", "people_nearer"),
)

SQUARE_M = 100.0
"""People are searched for by squares of this side; what is told is counted cell by cell."""

MESH_M = 300.0
LONGEST_FACTOR = 2.0
"""Who walks longer than so many thresholds, or cannot walk there at all, counts as so many."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ShorterWalks:
    """Sites that shorten the mean walk most.

    Parameters
    ----------
    coverage, category
        Of what.
    sites
        Columns `WALK_COLUMNS` and the point of each, in the order in which each saves most:
        ``minutes_saved`` off the mean beside those before it, ``people_nearer`` whom it brings
        nearer (hectares where residents are not known).
    mean_min, mean_after_min
        Mean walk of today, and with all of the sites.
    least_after_min
        No choice of as many candidates brings the mean below this, as counted by squares.
    model_after_min
        The mean with these sites as counted by squares, which the bound is to be held against.
    longest_min
        What a longer walk counts as.
    """

    coverage: Coverage
    category: str
    sites: gpd.GeoDataFrame
    mean_min: float
    mean_after_min: float
    model_after_min: float
    least_after_min: float
    longest_min: float


def shorter_walks(
    coverage: Coverage,
    category: str,
    *,
    count: int = 3,
    candidates: str | Path = MESH,
    mesh_m: float = MESH_M,
    progress: Callable[[str], None] | None = None,
) -> ShorterWalks:
    """Tell where services should open so that people walk least on the mean.

    Existing services stay. Longer walks than `LONGEST_FACTOR` thresholds count as that.

    Parameters
    ----------
    coverage
        What was found for the services that there are.
    category
        What is to open.
    count
        How many sites.
    candidates, mesh_m
        As of `quart_heure.study.siting.site`.
    progress
        As in `quart_heure.study.line.analyse`.

    Raises
    ------
    CategoryError
        If the category is not in the study.
    StudyFileError
        If a number cannot be, or no candidate brings anybody nearer.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    check_category(coverage.study, category)
    check_count(count)
    say = progress or (lambda _: None)
    elsewhere = Elsewhere(coverage=coverage)
    basis = coverage.basis
    say("candidates")
    found = candidates_of(elsewhere, category, candidates, mesh_m=mesh_m)
    longest = LONGEST_FACTOR * coverage.study.threshold_min
    today = np.minimum(basis.minutes[category], longest)
    weight = np.where(basis.on_network, basis.cells.cell_ha, 0.0)
    if basis.people is not None:
        weight = basis.people_on_network
    if not weight.sum() > 0:
        msg = "There is nobody whose walk could be shorter."
        raise StudyFileError(msg, hint="Check the residents of the study.")
    say("reach of the candidates")
    stands_for, people = _squares(elsewhere, weight)
    savings = _savings(elsewhere, found.attachment, today, stands_for, people, longest)
    if not savings.pairs.nnz:
        msg = f"No candidate would bring anybody nearer to a service of {category!r}."
        raise StudyFileError(msg, hint="Give other candidates, or a finer mesh.")
    say("search")
    best = save_most(savings, count)
    total = float(people.sum())
    model = float((today[stands_for] * people).sum()) / total
    table = found.table.iloc[best.chosen].reset_index(drop=True)
    minutes, nearer, means = today, [], [float((today * weight).sum() / weight.sum())]
    for at in range(len(best.chosen)):
        # Counted cell by cell, each site beside those before it.
        one = basis.doors.times(found.attachment[best.chosen[at : at + 1]]).minutes
        nearer.append(float(weight[one < minutes].sum()))
        minutes = np.minimum(minutes, one)
        means.append(float((minutes * weight).sum() / weight.sum()))
    frame = table[["candidate_id", "name", "street", "crossing", "quarter", "district_id"]]
    frame = frame.astype(object).assign(
        rank=np.arange(1, len(frame) + 1),
        category=category,
        minutes_saved=-np.diff(means),
        people_nearer=nearer,
    )
    return ShorterWalks(
        coverage=coverage,
        category=category,
        sites=gpd.GeoDataFrame(
            frame[list(WALK_COLUMNS)],
            geometry=shapely.points(found.xy[best.chosen]),
            crs=coverage.study.area.crs,
        ),
        mean_min=means[0],
        mean_after_min=means[-1],
        model_after_min=model - best.value / _PARTS / total,
        least_after_min=model - best.bound / _PARTS / total,
        longest_min=longest,
    )


def check_count(count: int) -> None:
    """Refuse a number of sites that cannot be.

    Raises
    ------
    StudyFileError
        If it cannot.
    """
    if not 1 <= count <= MOST_SITES:
        msg = f"{count} sites cannot be asked for."
        raise StudyFileError(msg, hint=f"Ask for 1 to {MOST_SITES}.")


_PARTS = 1000
"""Savings are whole thousandths of a person's minute."""


def _squares(
    elsewhere: Elsewhere, weight: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return for each square the cell that stands for it, of most people, and its people."""
    cells = elsewhere.cells
    here = np.flatnonzero(weight > 0)
    square = np.floor(cells.centre_xy[here] / SQUARE_M).astype(np.int64)
    _, number = np.unique(square, axis=0, return_inverse=True)
    number = number.ravel()
    order = np.lexsort((here, -weight[here], number))
    first = order[np.flatnonzero(np.diff(number[order], prepend=-1))]
    return here[first], np.bincount(number, weights=weight[here]).astype(np.float64)


def _savings(
    elsewhere: Elsewhere,
    candidates: Attachment,
    today: NDArray[np.float64],
    stands_for: NDArray[np.intp],
    people: NDArray[np.float64],
    longest: float,
) -> Savings:
    reach = reach_of_services(
        elsewhere.graph, candidates, elsewhere.cells.attachment[stands_for], limit_min=longest
    )
    saved_min = today[stands_for][reach.place] - reach.minutes
    whole = np.rint(np.maximum(saved_min, 0.0) * people[reach.place] * _PARTS).astype(np.int64)
    kept = whole > 0
    ends = np.concatenate([[0], np.cumsum(kept)])[reach.offsets]
    pairs = csr_array(
        (whole[kept], reach.place[kept], ends), shape=(reach.n_services, len(stands_for))
    )
    return Savings(pairs=pairs)
