"""Proposals on the map: where they are, what changes with them, and what each place would gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.labels import LANGUAGES, format_number, phrase, word
from quart_heure.outputs.map.cells import Grid, minute_codes, upper_minutes
from quart_heure.outputs.map.data import Gains, Proposal, ProposalWords, ProposedPlace
from quart_heure.outputs.map.ground import points
from quart_heure.outputs.palette import PALETTE
from quart_heure.outputs.proposals import proposal as found
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.shapes import Pen
from quart_heure.study.elsewhere import Elsewhere
from quart_heure.study.siting.tables import place_words

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.study.coverage import Coverage

_SHOWN_CALLS = 20
_NEAR_M = 160.0
"""Further from every candidate, nothing is told; on a mesh of 150 m some are as far apart."""


def proposals_shown(
    given: Sequence[found.Proposal], coverage: Coverage, grid: Grid, pen: Pen
) -> list[Proposal]:
    """Return the proposals as the page draws them.

    Parameters
    ----------
    given
        Of the study that is shown (see `quart_heure.outputs.proposals.proposal.check_fits`).
    coverage
        A published coverage.
    grid, pen
        Where its cells and shapes lie.

    Raises
    ------
    InputFileError
        If one is of another study.
    """
    found.check_fits(given, coverage.manifest)
    shown = []
    for one in given:
        if one.kind == "sites":
            shown.append(_sites(one, coverage, grid, pen))
        elif one.kind == "calls":
            shown.append(_calls(one, coverage, pen))
        else:
            shown.append(_links(one, pen))
    return shown


def _words(one: found.Proposal) -> dict[str, ProposalWords]:
    return {
        lang: ProposalWords(lines=[printable(str(line)) for line in one.said[lang]["lines"]])
        for lang in LANGUAGES
    }


def _sites(one: found.Proposal, coverage: Coverage, grid: Grid, pen: Pen) -> Proposal:
    sites = one.tables["sites"]
    xy = shapely.get_coordinates(sites.geometry.to_numpy()).reshape(-1, 2)
    rows = pd.DataFrame(sites.drop(columns="geometry"))
    covers = one.answer.get("asked", {}).get("goal", "cover") == "cover"
    weight = str(one.answer.get("asked", {}).get("weight", "residents"))
    unit = {"area": "ha", "second": "second"}.get(weight, "people")
    return Proposal(
        kind="sites",
        category=one.category,
        unit=unit,
        said=_words(one),
        places=[
            ProposedPlace(
                at=at,
                rank=int(row["rank"]),
                name=printable(name),
                facts={
                    lang: _said_gain(lang, unit, float(row["gain_added"]), float(row["gain_alone"]))
                    for lang in LANGUAGES
                },
            )
            for row, name, at in zip(
                rows.to_dict("records"), place_words(rows), points(xy, pen), strict=True
            )
        ],
        minutes=_minutes_with(xy, one.category, coverage, grid) if covers else "",
        gains=_gains(one.tables["site_candidates"], coverage, grid),
    )


def _said_gain(lang: str, unit: str, added: float, alone: float) -> list[str]:
    said = [phrase(f"next_added_{unit}", lang, n=format_number(added, lang))]
    if round(added) != round(alone):
        said.append(phrase("next_alone", lang, n=format_number(alone, lang)))
    return said


def _minutes_with(xy: NDArray[np.float64], category: str, coverage: Coverage, grid: Grid) -> str:
    """Return the minutes of every cell to a service of the category or to a proposed site."""
    cells, elsewhere = coverage.cells, Elsewhere(coverage=coverage)
    inside = elsewhere.cells.inside
    places = elsewhere.attach(xy)
    minutes = elsewhere.times(places, elsewhere.cells.attachment)[inside]
    today = cells[f"minutes_{category}"].to_numpy(float)
    # Off the network both are unknown, and what is unknown stays so.
    with_it = np.where(np.isnan(today), np.nan, np.fmin(today, minutes))
    codes = minute_codes(with_it, upper_minutes(coverage.study))
    codes[(cells[f"status_{category}"] == "water").to_numpy()] = 0
    return grid.packed(codes)


def _gains(candidates: gpd.GeoDataFrame, coverage: Coverage, grid: Grid) -> Gains | None:
    """Return the class of what is gained where one opened, per cell: that of the next candidate."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - most maps show no proposal

    gain = candidates["gain_alone"].to_numpy(float)
    if not len(gain) or gain.max() <= 0:
        return None
    limits = class_limits(float(gain.max()), len(PALETTE.gains))
    xy = shapely.get_coordinates(candidates.geometry.to_numpy()).reshape(-1, 2)
    centre = coverage.cells[["x_m", "y_m"]].to_numpy(float)
    away_m, nearest = map(np.asarray, cKDTree(xy).query(centre))
    # 1 for what gains next to nothing, then one more per limit; 0 where no candidate is near.
    classes = np.searchsorted(np.array(limits), gain[nearest], side="right") + 1
    classes[gain[nearest] <= 0] = 1
    classes[away_m > _NEAR_M] = 0
    classes[~coverage.cells["on_network"].to_numpy(bool)] = 0
    return Gains(limits=limits, classes=grid.packed(classes.astype(np.int64)))


def class_limits(most: float, n: int) -> list[float]:
    """Return limits of ``n`` classes up to a value, in steps that people read: 1, 2 or 5 times ten.

    Examples
    --------
    >>> class_limits(109117.0, 5), class_limits(8.3, 5)
    ([20000.0, 40000.0, 60000.0, 80000.0], [2.0, 4.0, 6.0, 8.0])
    """
    step = most / n
    power = 10.0 ** np.floor(np.log10(step))
    step = float(
        next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= 0.9 * step)
    )
    return [round(step * at, 6) for at in range(1, n) if step * at < most]


def _calls(one: found.Proposal, coverage: Coverage, pen: Pen) -> Proposal:
    services = coverage.services.set_index("service_id", drop=False)
    calls = one.tables["calls"]
    known = calls[calls["service_id"].isin(services.index)].head(_SHOWN_CALLS)
    shapes = services.loc[known["service_id"], "geometry"].to_numpy()
    at = points(shapely.get_coordinates(shapes).reshape(-1, 2), pen)
    unit = "people" if one.answer.get("unit") == "people" else "ha"
    return Proposal(
        kind="calls",
        category="",
        unit=unit,
        said=_words(one),
        places=[
            ProposedPlace(
                at=place,
                rank=int(row["rank"]),
                name=printable(str(row["name"] or row["service_id"])),
                facts={lang: _said_call(row, unit, lang) for lang in LANGUAGES},
            )
            for row, place in zip(known.to_dict("records"), at, strict=True)
        ],
    )


def _said_call(row: dict[Any, Any], unit: str, lang: str) -> list[str]:
    asks = ", ".join(word(f"ask_{ask}", lang) for ask in str(row["asks"]).split(";"))
    numbers = {
        "yes": format_number(float(row["gain_if_yes"]), lang),
        "no": format_number(float(row["gain_if_no"]), lang),
    }
    address = ", ".join(printable(str(row[name])) for name in ("address", "postcode") if row[name])
    asked = phrase("next_ask", lang, asks=asks)
    return [part for part in (address, asked, phrase(f"next_call_{unit}", lang, **numbers)) if part]


def _links(one: found.Proposal, pen: Pen) -> Proposal:
    links = one.tables["links"]
    lines = links.geometry.to_numpy()
    middles = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    rows = pd.DataFrame(links.drop(columns="geometry")).to_dict("records")
    unit = "people" if one.answer.get("unit") == "people" else "ha"
    return Proposal(
        kind="links",
        category=one.category,
        unit=unit,
        said=_words(one),
        places=[
            ProposedPlace(
                at=at,
                rank=int(row["rank"]),
                name=" – ".join(
                    printable(str(row[name])) or "?" for name in ("from_street", "to_street")
                ),
                facts={lang: _said_link(row, unit, lang) for lang in LANGUAGES},
                line=steps,
            )
            for row, at, steps in zip(
                rows, points(middles.reshape(-1, 2), pen), pen.lines(lines), strict=True
            )
        ],
    )


def _said_link(row: dict[Any, Any], unit: str, lang: str) -> list[str]:
    gain, length = (format_number(float(row[name]), lang) for name in ("gain", "length_m"))
    return [
        phrase(f"next_added_{unit}", lang, n=gain),
        phrase("next_length", lang, n=length),
    ]
