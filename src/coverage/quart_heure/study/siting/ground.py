"""Ground: what there is to gain by sites, and where."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import PARTS_PER_PERSON
from quart_heure.analysis.statuses import STATUSES
from quart_heure.study.coverage import Coverage
from quart_heure.study.siting.question import Asked, Weight, refuse

_COVERED = STATUSES[: STATUSES.index("borderline_covered") + 1]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What there is to gain where: weights, cells, and districts; shapes (n,), (n,), (n,), (g,)."""

    weight: NDArray[np.float64]
    wanted: NDArray[np.bool_]
    group: NDArray[np.int64]
    held: NDArray[np.int64]
    all_of: NDArray[np.int64]

    @classmethod
    def of(cls, coverage: Coverage, category: str, asked: Asked) -> Ground:
        """Return the ground of a question; refuses a weight that the study does not have."""
        basis = coverage.basis
        cells, on = basis.cells, basis.on_network
        weight = _weights(coverage, asked.weight)
        covered = np.zeros(len(cells), dtype=bool)
        covered[cells.inside] = coverage.cells[f"status_{category}"].isin(_COVERED).to_numpy()
        wanted, held = on & ~covered, covered
        if asked.goal == "backup":
            if basis.discreet[basis.of_category(category)].any():
                refuse(
                    f"{category!r} counts a discreet place.",
                    "Who depends on a single one would tell where it is: ask for goal cover.",
                )
            wanted = basis.single[category]
            # Shares are of who has a second service then: all that are covered have a first.
            held = covered & ~wanted
        n_districts = len(coverage.study.area.districts)
        group = np.where(cells.district < 0, n_districts, cells.district).astype(np.int64)
        whole = np.rint(np.where(on, weight, 0.0) * PARTS_PER_PERSON).astype(np.int64)
        sums = [
            np.bincount(group[mask], weights=whole[mask], minlength=n_districts + 1)
            for mask in (on & held, on)
        ]
        has, all_of = (np.rint(each).astype(np.int64) for each in sums)
        return cls(weight=weight, wanted=wanted, group=group, held=has, all_of=all_of)


def _weights(coverage: Coverage, weight: Weight) -> NDArray[np.float64]:
    basis, study = coverage.basis, coverage.study
    if weight == "area":
        return np.where(basis.on_network, basis.cells.cell_ha, 0.0)
    if weight == "residents":
        if basis.people is None:
            refuse("The study has no residents.", "Add [residents], or ask for weight area.")
        return basis.people_on_network
    if study.weights is None:
        refuse("The study has no second weight.", "Add [weights], or ask for another weight.")
    # As for the shares: those counted are spread evenly over the walkable area of their district.
    spread = np.zeros(len(basis.cells))
    for at, district in enumerate(study.area.districts["district_id"]):
        here = basis.on_network & (basis.cells.district == at)
        if here.any():
            spread[here] = study.weights.values.get(str(district), 0.0) / here.sum()
    return spread
