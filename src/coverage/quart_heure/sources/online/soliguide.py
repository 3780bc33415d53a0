"""Soliguide's places, read live with the user's own key, for one run, and never kept.

Its terms allow no copies. So its places are discreet ones: they count in the times, and are in no
table, map or manifest; nothing of them is cached, and no file ever holds the key.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from quart_heure.categories import Category
from quart_heure.errors import InputFileError, TryLaterError
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.online.patience import host_of
from quart_heure.sources.online.soliguide_places import place_rows
from quart_heure.sources.online.web import Web
from quart_heure.sources.projecting import transformer
from quart_heure.sources.services.services import Services, services_from_rows
from quart_heure.stamp import creation_time

if TYPE_CHECKING:
    import geopandas as gpd


KEY_VARIABLE = "QUART_HEURE_SOLIGUIDE_KEY"
_URL_VARIABLE = "QUART_HEURE_SOLIGUIDE_URL"

TERMS = "API Solidarité: read live, no copies kept"

_URL = "https://api.soliguide.fr"
_PAGE = 100
_MOST_PAGES = 100
_SAME_PLACE_M = 60.0

_CATEGORIES: Mapping[str, str] = {
    "bains_douches": "shower",
    "bagagerie": "luggage_storage",
    "restaurant_solidaire": "food_distribution",
    "distribution_alimentaire": "food_packages",
    "accueil_de_jour": "day_hosting",
}
"""Our categories and theirs. Theirs tell no ESI and no halte femmes from other day centres."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoliguideAccess:
    """The user's own access; the key is not shown.

    Parameters
    ----------
    key
        As Solinum gave it.
    url
        The API.
    """

    key: str = dataclasses.field(repr=False)
    url: str = _URL


def soliguide_access() -> SoliguideAccess:
    """Return the access that the environment holds; its address may be another one, too.

    Raises
    ------
    InputFileError
        If it holds none.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        msg = f"Soliguide is read with a key of your own, and {KEY_VARIABLE} is not set."
        raise InputFileError(msg, hint="Ask Solinum for one (api@solinum.org), and export it.")
    if not (key.isascii() and key.isprintable()):
        msg = f"What {KEY_VARIABLE} holds is no key."
        raise InputFileError(msg, hint="Export it as Solinum gave it.")
    return SoliguideAccess(key=key, url=os.environ.get(_URL_VARIABLE, "").strip() or _URL)


def with_soliguide(
    services: Services,
    area: StudyArea,
    *,
    access: SoliguideAccess,
    catalogue: Mapping[str, Category],
    categories: Sequence[str],
    reach_m: float,
    day: dt.date | None = None,
    web: Web | None = None,
) -> tuple[Services, dict[str, Any]]:
    """Add Soliguide's places to services, for one run.

    Parameters
    ----------
    services
        Those of the study. A place of Soliguide that is one of them, by category and within 60 m,
        is not added.
    area
        The study area.
    access
        The user's key.
    catalogue
        Known categories.
    categories
        Those of the study; the ones that Soliguide has are asked for.
    reach_m
        How far around the area places are wanted.
    day
        Whose closures count; today by default. Those of other days are in the hours.
    web
        Asks the API.

    Returns
    -------
    services
        With the places added, all of them discreet.
    about
        What the manifest may say: source, terms, numbers.

    Raises
    ------
    TryLaterError
        If the API does not answer, or not with all places.
    InputFileError
        If it refuses the key.
    """
    day = day or dt.date.fromisoformat(creation_time()[:10])
    wanted = {ours: theirs for ours, theirs in _CATEGORIES.items() if ours in categories}
    rows: list[dict[str, Any]] = []
    for ours, theirs in wanted.items():
        places = _search(web or Web(), access, theirs, _circle(area, reach_m))
        rows += [row for place in places for row in place_rows(place, ours, theirs, day=day)]
    for number, row in enumerate(rows, start=1):
        row |= {"_file": "Soliguide", "_row": number, "service_id": f"soliguide-{number}"}
    found = services_from_rows(rows, area, catalogue=catalogue)
    known = _known(found.table, services.table)
    near = found.table[_near(found.table, area, reach_m) & ~known]
    about = {
        "role": "services",
        "file": "Soliguide",
        "sha256": "",
        "date": creation_time()[:10],
        "source": "Soliguide",
        "licence": TERMS,
        "attribution": "Soliguide (Solinum)",
        "places": len(near),
        "already_known": int(known.sum()),
        "doubts": len(found.problems),
    }
    if near.empty:
        return services, about
    table = pd.concat([services.table, near]).sort_values("service_id", ignore_index=True)
    # What is wrong with a place of Soliguide's is not told either.
    return dataclasses.replace(services, table=table), about


def _circle(area: StudyArea, reach_m: float) -> tuple[float, float, float]:
    """Return longitude, latitude and kilometres of a circle around an area and its reach."""
    west, south, east, north = area.geometry.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    to_degrees = transformer(area.crs, 4326)
    lon, lat = to_degrees.transform(*middle)
    radius_m = float(np.hypot(east - west, north - south)) / 2 + reach_m
    return float(lon), float(lat), float(np.ceil(radius_m / 1000))


def _search(
    web: Web, access: SoliguideAccess, category: str, circle: tuple[float, float, float]
) -> list[Mapping[str, Any]]:
    """Return all places of a category in a circle, page by page, each once."""
    lon, lat, radius_km = circle
    found: dict[Any, Mapping[str, Any]] = {}
    total = 1
    for page in range(1, _MOST_PAGES + 1):
        answer = web.json(
            "Soliguide",
            f"{access.url.rstrip('/')}/new-search/fr",
            post={
                "category": category,
                "location": {
                    "geoType": "position",
                    "coordinates": [lon, lat],
                    "distance": radius_km,
                },
                "placeType": "PLACE",
                "options": {"page": page, "limit": _PAGE, "sortBy": "distance"},
            },
            key=access.key,
        )
        places = answer.get("places") if isinstance(answer, Mapping) else None
        total = answer.get("nbResults", -1) if isinstance(answer, Mapping) else -1
        if not isinstance(places, list) or not isinstance(total, int):
            msg = f"{host_of(access.url)} answers without places or without their number."
            raise TryLaterError(msg, hint="Run the same command later.")
        found |= {p["lieu_id"]: p for p in places if isinstance(p, Mapping) and "lieu_id" in p}
        if len(found) >= total or not places:
            break
    if len(found) != total:
        msg = f"{host_of(access.url)} gave {len(found)} places, of {total}."
        raise TryLaterError(msg, hint="A part is not used. Run the same command later.")
    return list(found.values())


def _near(places: gpd.GeoDataFrame, area: StudyArea, reach_m: float) -> np.ndarray[Any, Any]:
    return np.asarray(shapely.dwithin(places.geometry.to_numpy(), area.geometry, reach_m))


def _known(places: gpd.GeoDataFrame, services: gpd.GeoDataFrame) -> np.ndarray[Any, Any]:
    """Tell which places are services of the study already."""
    known = np.zeros(len(places), dtype=bool)
    for category in sorted(set(places["category"])):
        here = (places["category"] == category).to_numpy()
        there = services.geometry[(services["category"] == category).to_numpy()].to_numpy()
        tree = shapely.STRtree(there)
        pairs = tree.query(
            places.geometry[here].to_numpy(), predicate="dwithin", distance=_SAME_PLACE_M
        )
        known[np.flatnonzero(here)[np.unique(pairs[0])]] = True
    return known
