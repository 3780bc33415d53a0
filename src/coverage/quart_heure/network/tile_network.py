"""A walking network from vector tiles: a folder ``z/x/y.pbf``, MBTiles or PMTiles."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import NetworkError
from quart_heure.files import AnyPath
from quart_heure.network.contraction import contract
from quart_heure.network.edge_doubts import with_doubts
from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.network.rules import judge
from quart_heure.sources.projecting import metric_crs, transformer
from quart_heure.sources.tiles.archive import tile_folder, tile_metadata
from quart_heure.sources.tiles.files import EXTENT, find_tiles, grid_transform
from quart_heure.sources.tiles.tiles import TileStreets, read_tiles

_DATE_KEY = "planetiler:osm:osmosisreplicationtime"
"""Where the one generator that tells the date of its data does so."""

_OSM_CREDIT = "© OpenStreetMap contributors"
_LONGEST_CREDIT = 200
_MARKUP = re.compile(r"<[^<>]*>")


def tile_rule(tags: Mapping[str, str]) -> tuple[str, int]:
    """Say by tags why a street is not walked, ``""`` if it is, and its flags (see `judge`)."""
    verdict = judge(tags)
    return ("" if verdict.walkable else verdict.reason), verdict.flags


def read_tile_network(
    path: AnyPath,
    *,
    polygon: shapely.Geometry | None = None,
    crs: pyproj.CRS | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> WalkNetwork:
    """Read a walking network from vector tiles: OpenMapTiles, Shortbread or Protomaps.

    Parameters
    ----------
    path
        A folder ``z/x/y.pbf`` (or ``.pbf.gz``), an MBTiles or a PMTiles file; the highest zoom is
        read.
    polygon
        In degrees. Segments with neither end in it are left out.
    crs
        Metric CRS of the network. By default EPSG:2154 in metropolitan France, else the UTM zone.
    report
        Called with a line of progress now and then.

    Returns
    -------
    WalkNetwork
        ``meta`` holds source, schema, licence, attribution, ``lacks`` (what tiles of this schema do
        not tell), counts and what was dropped. ``osm_date`` is empty where the tiles state no date
        of their data, as most do.

    Raises
    ------
    InputFileError
        If there is no tile, none of the polygon, one cannot be read, or the schema is not known.
    NetworkError
        If nothing in them can be walked.
    """
    path = Path(path)
    about = tile_metadata(path)
    bounds = None if polygon is None else tuple(map(float, shapely.bounds(polygon)))
    with tile_folder(path, bounds=bounds) as folder:  # type: ignore[arg-type]
        if crs is None:
            crs = metric_crs(_places(folder) if polygon is None else polygon)
        area = None if polygon is None else _projected(polygon, crs)
        streets = read_tiles(folder, rule=tile_rule, area=area, crs=crs, report=report)
    if len(streets.a) == 0:
        msg = f"{path}: no street in these tiles can be walked."
        raise NetworkError(msg, hint="Check that the tiles and the area are of one place.")
    name = about.get("name", "")
    meta = {
        "source": "OpenStreetMap, vector tiles" + (f" ({name})" if name else ""),
        "schema": streets.schema,
        "osm_date": about.get(_DATE_KEY, ""),
        "licence": "ODbL 1.0",
        "attribution": _credit(about.get("attribution", "")),
        "lacks": list(streets.lacks),
    }
    return network_from_tiles(streets, meta=with_doubts(meta, _doubts(streets), path.name))


def _doubts(streets: TileStreets) -> list[Mapping[str, Any]]:
    """Tell of tiles that are not there, in one row: of the sea they may be missing for good."""
    if not streets.missing:
        return []
    named = ", ".join(streets.missing[:5]) + (" …" if len(streets.missing) > 5 else "")
    value = f"{named} ({len(streets.missing)} / {streets.counts['tiles'] + len(streets.missing)})"
    about = {"row": None, "field": "tiles", "value": value}
    return [{**about, "reason": "tiles missing", "action": "no street is known there"}]


def _credit(told: str) -> str:
    """Return the credit that tiles ask for as plain text, OpenStreetMap's with it."""
    text = html.unescape(_MARKUP.sub(" ", told))
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = " ".join(text.split())[:_LONGEST_CREDIT]
    if not text:
        return _OSM_CREDIT
    return text if "openstreetmap" in text.lower() else f"{_OSM_CREDIT}; {text}"


def network_from_tiles(
    streets: TileStreets,
    *,
    meta: Mapping[str, Any],
    node_xy: NDArray[np.float64] | None = None,
) -> WalkNetwork:
    """Contract the streets of vector tiles.

    Parameters
    ----------
    streets
        As `quart_heure.sources.tiles.tiles.read_tiles` gives them.
    meta
        Source, data date, licence; counts and what was dropped are added.
    node_xy
        Coordinates to take instead of those of the streets, such as rounded ones; shape (K, 2).
    """
    arrays = contract(
        a=streets.a,
        b=streets.b,
        node_xy=streets.node_xy if node_xy is None else node_xy,
        columns={
            "steps": streets.steps,
            "bridge": streets.bridge,
            "tunnel": streets.tunnel,
            "flags": streets.flags | streets.square_walk * np.uint16(Flags.SQUARE_WALK),
        },
        kind=(streets.kind_code, streets.kinds),
        name=(streets.name_code, streets.names),
        crs=streets.crs,
        meta={**meta, "counts": streets.counts, "dropped": streets.dropped},
    )
    return WalkNetwork.of(arrays)


def _places(folder: Path) -> shapely.Geometry:
    """Return the middles of all tiles in degrees."""
    tiles = find_tiles(folder)
    middles = np.array([(tile.x + 0.5, tile.y + 0.5) for tile in tiles]) * EXTENT
    to_degrees = grid_transform(tiles[0].z, pyproj.CRS.from_epsg(4326))
    return shapely.multipoints(to_degrees(middles))


def _projected(polygon: shapely.Geometry, crs: pyproj.CRS) -> shapely.Geometry:
    to_metres = transformer(4326, crs)
    return shapely.transform(
        polygon, lambda xy: np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1)
    )
