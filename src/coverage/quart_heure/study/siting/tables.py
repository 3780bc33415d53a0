"""The tables of a siting: sites, candidates, other sets, gaps, districts, and the curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.siting.covering import PARTS_PER_PERSON, Covering
from quart_heure.analysis.siting.exact import Proof
from quart_heure.analysis.siting.plans import Alternative
from quart_heure.study.candidates import Candidates
from quart_heure.study.coverage import Coverage

if TYPE_CHECKING:
    import geopandas as gpd

_PLACE = ["candidate_id", "name", "street", "crossing", "quarter", "district_id"]


def site_table(
    candidates: Candidates,
    covering: Covering,
    chosen: NDArray[np.intp],
    category: str,
    crs: pyproj.CRS,
) -> gpd.GeoDataFrame:
    """Return the sites in the order in which each adds most, with what each gains."""
    import geopandas as gpd  # noqa: PLC0415 - see the design: heavy imports wait

    added = covering.in_turn(chosen) / PARTS_PER_PERSON
    table = candidates.table.iloc[chosen].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "category": category,
            "rank": np.arange(1, len(chosen) + 1),
            **{name: table[name].astype(object) for name in _PLACE},
            "gain_alone": covering.alone[chosen] / PARTS_PER_PERSON,
            "gain_added": added,
            "gain_total": np.cumsum(added),
            "cost": table["cost"].to_numpy(dtype=float),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.points(candidates.xy[chosen]), crs=crs)


def candidate_table(
    candidates: Candidates,
    covering: Covering,
    chosen: NDArray[np.intp],
    category: str,
    crs: pyproj.CRS,
) -> gpd.GeoDataFrame:
    """Return every candidate with what is gained if one service opened there."""
    import geopandas as gpd  # noqa: PLC0415 - as above

    proposed = np.zeros(covering.n_candidates, dtype=bool)
    proposed[chosen] = True
    frame = pd.DataFrame(
        {
            "category": category,
            **{name: candidates.table[name].astype(object) for name in _PLACE},
            "gain_alone": covering.alone / PARTS_PER_PERSON,
            "proposed": proposed,
        }
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.points(candidates.xy), crs=crs)


def menu_table(
    candidates: Candidates,
    others: Sequence[Alternative],
    value: int,
    category: str,
) -> pd.DataFrame:
    """Return other sets, with what each gives up against the proposed one."""
    ids, words = candidates.table["candidate_id"], place_words(candidates.table)
    rows = [
        {
            "category": category,
            "rank": at,
            "gain": other.value / PARTS_PER_PERSON,
            "gives_up": (value - other.value) / PARTS_PER_PERSON,
            "gives_up_pct": 100 * (value - other.value) / value if value else 0.0,
            "left_out": ids[other.left_out],
            "left_out_place": words[other.left_out],
            "put_in": ids[other.put_in],
            "put_in_place": words[other.put_in],
            "candidate_ids": ";".join(ids[one] for one in other.chosen),
        }
        for at, other in enumerate(others, start=1)
    ]
    columns = (
        *("category", "rank", "gain", "gives_up", "gives_up_pct", "left_out", "left_out_place"),
        *("put_in", "put_in_place", "candidate_ids"),
    )
    return pd.DataFrame(rows, columns=list(columns))


def place_words(table: pd.DataFrame) -> list[str]:
    """Return the words that a person finds a candidate by: name, street and crossing street."""
    words = []
    for row in table[["name", "street", "crossing", "candidate_id"]].itertuples(index=False):
        name, street, crossing, candidate_id = map(str, row)
        where = " / ".join(part for part in (street, crossing) if part)
        words.append(", ".join(part for part in (name, where) if part) or candidate_id)
    return words


def gap_table(coverage: Coverage, category: str, newly: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the gaps that newly covered cells close or shrink, those with most people first.

    A gap is closed when none of its cells is left.
    """
    basis, gaps = coverage.basis, coverage.gaps
    gaps = gaps[gaps["category"] == category]
    xy = basis.cells.centre_xy
    cells = np.flatnonzero(newly)
    points = shapely.points(xy[cells])
    people = np.zeros(len(newly)) if basis.people is None else basis.people
    place, at = shapely.STRtree(gaps.geometry.to_numpy()).query(points, predicate="within")
    taken = np.bincount(at, minlength=len(gaps))
    freed = np.bincount(at, weights=people[cells[place]], minlength=len(gaps))
    left_ha = (gaps["cells"].to_numpy() - taken) * basis.cells.cell_ha
    left = np.maximum(gaps["residents"].to_numpy(dtype=float) - freed, 0.0).round(6)
    table = pd.DataFrame(
        {
            **{
                name: gaps[name].to_numpy(dtype=object)
                for name in ("gap_id", "category", "district_id", "districts", "street")
            },
            "residents": gaps["residents"].to_numpy(dtype=float),
            "residents_left": left,
            "area_ha": gaps["area_ha"].to_numpy(dtype=float),
            "area_left_ha": left_ha,
            "outcome": np.where(taken == gaps["cells"].to_numpy(), "closed", "shrunk"),
        }
    )
    return table[taken > 0].reset_index(drop=True)


def district_table(
    coverage: Coverage,
    category: str,
    held: NDArray[np.int64],
    all_of: NDArray[np.int64],
    covering: Covering,
    chosen: NDArray[np.intp],
) -> pd.DataFrame:
    """Return the share of each district that is covered before and after, and of the whole area."""
    districts = coverage.study.area.districts
    gained = covering.by_group(chosen)[: len(held)]
    rows: list[dict[str, Any]] = []
    names = [*zip(districts["district_id"], districts["label"], strict=True)]
    parts = [(name, label, slice(at, at + 1)) for at, (name, label) in enumerate(names)]
    for district_id, label, here in [*parts, ("", coverage.study.area.name, slice(None))]:
        whole = int(all_of[here].sum())
        before, more = int(held[here].sum()), int(gained[here].sum())
        rows.append(
            {
                "category": category,
                "level": "district" if district_id else "city",
                "district_id": str(district_id),
                "label": str(label),
                "before_pct": 100 * before / whole if whole else np.nan,
                "after_pct": 100 * (before + more) / whole if whole else np.nan,
                "gain": more / PARTS_PER_PERSON,
            }
        )
    return pd.DataFrame(rows)


def curve_table(
    steps: Sequence[tuple[int, Proof]],
    held: NDArray[np.int64],
    all_of: NDArray[np.int64],
    category: str,
) -> pd.DataFrame:
    """Return what 1, 2 … sites gain at best, with the bound of each."""
    whole = max(int(all_of.sum()), 1)
    rows = [
        {
            "category": category,
            "count": count,
            "gain": step.value / PARTS_PER_PERSON,
            "bound": step.bound / PARTS_PER_PERSON,
            "gap_pct": 100 * step.gap,
            "covered_pct": 100 * (int(held.sum()) + step.value) / whole,
        }
        for count, step in steps
    ]
    return pd.DataFrame(
        rows, columns=["category", "count", "gain", "bound", "gap_pct", "covered_pct"]
    )
