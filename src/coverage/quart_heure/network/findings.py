"""Findings: doubtful things as a table, those that move the figures of a study most first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.network.graph import WalkNetwork
from quart_heure.sources.projecting import transformer

if TYPE_CHECKING:
    import geopandas as gpd

FINDING_COLUMNS = ("kind", "place", "residents", "ha", "detail", "value", "unit", "osm_url")
"""Columns of a table of findings, besides its geometry."""

SAFETY = "shelter_to_confirm"
"""Moves no figure, and comes before all that does."""

KINDS = (
    SAFETY,
    "district_overlap",
    "district_gap",
    "service_off_network",
    "service_on_island",
    "service_across_barrier",
    "service_second_entry",
    "square_without_entrance",
    "odd_length",
    "small_part",
    "dangling_end",
)
"""Kinds of findings, in the order of those of which nobody knows what they move."""

_MOST_FIRST = frozenset({"small_part", "dangling_end", "service_second_entry"})
"""Kinds whose largest figures matter most; of the others the smallest come first."""


@dataclasses.dataclass(frozen=True)
class MissedJunction:
    """A dead end and the place on a street that it does not join.

    Parameters
    ----------
    own, own_m
        The edge that ends there, and the metres along it from its node u.
    edge, along_m
        The street, and the metres along it from its node u.
    gap_m
        What lies between.
    """

    own: int
    own_m: float
    edge: int
    along_m: float
    gap_m: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One doubtful thing.

    Parameters
    ----------
    kind
        What it is, as a word.
    place
        A name to find it by.
    detail
        A sentence on what is doubtful.
    value, unit
        The figure that decided.
    osm_id
        The OSM object to look at: ways positive, relations negative, 0 if not known.
    geometry
        Where it is, in the CRS of the network.
    residents, ha
        Whose answer it may change, at most: people, and hectares. NaN where nobody knows.
    service_id
        The service that it is about.
    part
        Edges of the small part that it is about.
    junction
        The junction that is missing.
    """

    kind: str
    place: str
    detail: str
    value: float
    unit: str
    osm_id: int = 0
    geometry: shapely.Geometry = dataclasses.field(default_factory=shapely.Point)
    residents: float = np.nan
    ha: float = np.nan
    service_id: str = ""
    part: tuple[int, ...] = ()
    junction: MissedJunction | None = None

    @property
    def moves(self) -> float:
        """What it may move, for an order: people where they are known, else hectares."""
        return float(np.nan_to_num(self.ha if np.isnan(self.residents) else self.residents))


def finding_table(findings: Iterable[Finding], network: WalkNetwork) -> gpd.GeoDataFrame:
    """Return findings as a table: `FINDING_COLUMNS` and geometry.

    What concerns safety comes first, then what moves most, then the rest in the order of `KINDS`.

    ``osm_url`` is the page of the OSM object, or the map around the place where none is known.
    """
    import geopandas as gpd  # noqa: PLC0415 - imported where a table is really made
    import pandas as pd  # noqa: PLC0415

    found = sorted(
        findings,
        key=lambda one: (
            one.kind != SAFETY,
            -one.moves,
            KINDS.index(one.kind),
            -one.value if one.kind in _MOST_FIRST else one.value,
            one.place,
            one.osm_id,
        ),
    )
    places = _map_urls(np.array([one.geometry for one in found], dtype=object), network)
    rows = [
        {
            "kind": one.kind,
            "place": one.place,
            "residents": one.residents,
            "ha": one.ha,
            "detail": one.detail,
            "value": one.value,
            "unit": one.unit,
            "osm_url": osm_url(one.osm_id) or place,
        }
        for one, place in zip(found, places, strict=True)
    ]
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=list(FINDING_COLUMNS)),
        geometry=[one.geometry for one in found],
        crs=network.crs,
    )


def osm_url(osm_id: int) -> str:
    """Return the page of an OSM way (positive) or relation (negative), "" if it is not known."""
    if osm_id == 0:
        return ""
    return f"https://www.openstreetmap.org/{'way' if osm_id > 0 else 'relation'}/{abs(osm_id)}"


def _map_urls(shapes: NDArray[np.object_], network: WalkNetwork) -> list[str]:
    """Return the map of OSM around some shapes, marked; "" for what is nowhere."""
    somewhere = np.flatnonzero(~shapely.is_empty(shapes))
    xy = shapely.get_coordinates(shapely.centroid(shapes[somewhere]))
    to_degrees = transformer(network.crs, 4326)
    urls = [""] * len(shapes)
    for at, lon, lat in zip(somewhere.tolist(), *to_degrees.transform(*xy.T), strict=True):
        urls[at] = f"https://www.openstreetmap.org/?mlat={lat:.5f}&mlon={lon:.5f}&zoom=19"
    return urls
