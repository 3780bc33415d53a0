"""House numbers of the tiles: where an address stands whose street and number both match.

The tiles give the number of a house, not its street: it is of the named street that lies nearest.
Nothing is guessed: an address without a number, a number that only a neighbour of the street has,
or one that stands at two places has no coordinates.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.sources.tiles.files import Tile, find_tiles, grid_transform, read_layer

__all__ = ["COORD_SOURCE", "HouseNumbers", "number_and_street"]

COORD_SOURCE = "OSM housenumber (ODbL), street and number match"

_CRS = 2154
_STREET_M = 60.0
"""A house stands no further than this from its street."""
_APART_M = 60.0
"""Points of one number that lie further apart are two houses."""

_ADDRESS = re.compile(
    r"(?P<number>\d+(?: ?(?:bis|ter|quater))?(?:-\d+)?), (?P<street>[^,()\d/]+)", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class HouseNumbers:
    """House numbers and named streets around the districts, in EPSG:2154.

    Parameters
    ----------
    numbers, houses
        Each number, and the point that bears it; shape (h,).
    names, streets
        Name of each street, as `_key` writes it, and its line; shape (s,).
    districts
        With district_id: a postcode of Paris is that of one of them.
    """

    numbers: NDArray[np.object_]
    houses: NDArray[np.object_]
    names: NDArray[np.object_]
    streets: NDArray[np.object_]
    districts: gpd.GeoDataFrame

    @classmethod
    def read(cls, folder: Path, districts: gpd.GeoDataFrame) -> HouseNumbers:
        """Read the tiles of a folder that touch the districts."""
        bounds = tuple(districts.to_crs(4326).total_bounds)
        houses: list[tuple[str, shapely.Point]] = []
        streets: list[tuple[str, shapely.Geometry]] = []
        for tile in find_tiles(folder, bounds=bounds):
            houses += _numbers_of(tile)
            streets += _streets_of(tile)
        numbers, points = zip(*houses, strict=True)
        names, lines = zip(*streets, strict=True)
        return cls(
            numbers=np.array(numbers, dtype=object),
            houses=np.array(points, dtype=object),
            names=np.array(names, dtype=object),
            streets=np.array(lines, dtype=object),
            districts=districts.to_crs(_CRS),
        )

    def find(self, address: str, postcode: str) -> tuple[str, str] | None:
        """Return longitude and latitude of an address, as texts; None if they are not certain."""
        parts = number_and_street(address)
        if parts is None:
            return None
        number, street = parts
        here = self.houses[self.numbers == number]
        inside = self.districts.geometry[self.districts["district_id"] == _district(postcode)]
        if not len(inside) or not len(here):
            return None
        here = here[shapely.covers(inside.iloc[0], here)]
        nearest, own = (
            self._distance_m(here, self.names != street),
            self._distance_m(here, self.names == street),
        )
        here = here[(own <= _STREET_M) & (own <= nearest)]
        if not len(here) or _width_m(here) > _APART_M:
            return None
        middle = shapely.centroid(shapely.MultiPoint(here))
        lon, lat = pyproj.Transformer.from_crs(_CRS, 4326, always_xy=True).transform(
            middle.x, middle.y
        )
        return f"{lon:.6f}", f"{lat:.6f}"

    def _distance_m(
        self, points: NDArray[np.object_], which: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return how far the nearest of some streets is from each point; infinite without any."""
        lines = self.streets[which]
        found = np.full(len(points), np.inf)
        if len(lines) and len(points):
            (at, _), far_m = shapely.STRtree(lines).query_nearest(
                points, return_distance=True, all_matches=False
            )
            found[at] = far_m
        return found


def number_and_street(address: str) -> tuple[str, str] | None:
    """Return the number of an address and the key of its street; None if it has not both."""
    found = _ADDRESS.fullmatch(re.sub(r" \(.*\)$", "", address.strip()))
    if found is None:
        return None
    return found["number"].lower().replace(" ", ""), _key(found["street"])


def _numbers_of(tile: Tile) -> list[tuple[str, shapely.Point]]:
    points, values = read_layer(tile, "housenumber", ["housenumber"])
    points = shapely.transform(points, grid_transform(tile.z, pyproj.CRS.from_epsg(_CRS)))
    return [
        (number.strip().lower().replace(" ", ""), point)
        for text, point in zip(values["housenumber"], points, strict=True)
        for number in re.split(r"[;,]", str(text))
    ]


def _streets_of(tile: Tile) -> list[tuple[str, shapely.Geometry]]:
    lines, values = read_layer(tile, "transportation_name", ["name:latin", "class"])
    lines = shapely.transform(lines, grid_transform(tile.z, pyproj.CRS.from_epsg(_CRS)))
    return [
        (_key(str(name)), line)
        for name, class_, line in zip(values["name:latin"], values["class"], lines, strict=True)
        if name and class_ not in {"rail", "transit"}
    ]


def _key(street: str) -> str:
    plain = unicodedata.normalize("NFKD", street.lower().replace("œ", "oe"))
    return "".join(re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode()))


def _district(postcode: str) -> str:
    """Return the code of the arrondissement of a postcode: 75013 → 75113."""
    return f"751{postcode[3:]}" if re.fullmatch(r"750\d\d", postcode) else ""


def _width_m(points: NDArray[np.object_]) -> float:
    west, south, east, north = shapely.total_bounds(points)
    return float(np.hypot(east - west, north - south))
