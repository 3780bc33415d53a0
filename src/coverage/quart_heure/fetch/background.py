"""The background of a snapshot: water, parks, railways and places to find, where servers tell."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from quart_heure.errors import InputFileError, TryLaterError
from quart_heure.fetch.territory import Territory
from quart_heure.network.streets import ATTRIBUTION, LICENCE
from quart_heure.sources.background import write_background
from quart_heure.sources.online.answers import Answer
from quart_heure.sources.online.overpass import LiveOsm
from quart_heure.sources.osm.background import background_of_elements, background_tags

BACKGROUND = "background.parquet"

_TOLD = {"water": "water", "park": "parks", "rail": "rail", "station": "stations"}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Background:
    """What lies under the figures of a territory, or why that is not known.

    Parameters
    ----------
    table
        See `quart_heure.sources.osm.background.read_osm_background`; None where there is nothing.
    answers
        What it comes from.
    without
        Why it is not known, "" where it is.
    """

    table: gpd.GeoDataFrame | None = None
    answers: Mapping[str, Answer] = dataclasses.field(default_factory=dict)
    without: str = ""

    def writers(self) -> dict[str, Callable[[Path], None]]:
        """Return what writes its file."""
        if self.table is None:
            return {}
        meta = {
            "source": f"OpenStreetMap ({self.answers['background'].server})",
            "licence": LICENCE,
            "attribution": ATTRIBUTION,
        }
        return {BACKGROUND: functools.partial(write_background, self.table, meta=meta)}

    def described(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        if self.table is None:
            return {"background": {"without": self.without} if self.without else {}}
        is_place = shapely.get_dimensions(self.table.geometry.to_numpy()) == 0
        parts = {"drawn": self.table[~is_place], "places": self.table[is_place]}
        return {
            "background": {
                part: {kind: int(n) for kind, n in rows["kind"].value_counts().sort_index().items()}
                for part, rows in parts.items()
            }
        }


def fetch_background(
    live: LiveOsm, territory: Territory, reach: shapely.Geometry, *, say: Callable[[str], None]
) -> Background:
    """Ask for the background; without an answer a snapshot is as good as those of before.

    Parameters
    ----------
    live
        The servers.
    territory
        Places to find by name lie in it.
    reach
        In degrees: what is drawn lies in it.
    say
        Told why there is none.
    """
    try:
        answer = live.features("background", reach, background_tags())
    except (TryLaterError, InputFileError) as error:
        why = str(error.args[0])
        say(f"no background: {why}")
        return Background(without=why)
    table = background_of_elements(
        answer.elements,
        around=reach,
        area=territory.districts.geometry.union_all(),
        crs=territory.area.crs,
    )
    return Background(table=table if len(table) else None, answers={"background": answer})


def background_line(manifest: Mapping[str, Any]) -> str:
    """Return a line on what a snapshot tells of the ground."""
    about = manifest["background"]
    if about.get("without"):
        return f"no water, parks and stations: {about['without']}"
    counts = {**about.get("places", {}), **about.get("drawn", {})}
    found = ", ".join(f"{word} {counts[kind]}" for kind, word in _TOLD.items() if kind in counts)
    return f"for maps, and where nobody walks: {found or 'nothing'}"
