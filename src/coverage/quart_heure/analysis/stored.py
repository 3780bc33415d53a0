"""What is kept between runs: the network as arrays, its search graph, and the attached cells.

None of these depend on the services, so that a change of theirs finds them still warm. Where those
meet the network is kept too, discreet places aside. See `quart_heure.analysis.stored_searches` for
what was searched from them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.doors import services_at
from quart_heure.analysis.people import CellResidents, residents_per_cell
from quart_heure.analysis.surface import Cells, cells_of_area
from quart_heure.cache import Cache, hash_of, packed, unpacked
from quart_heure.files import sha256_of
from quart_heure.network.files import READING, holds_tiles, is_cut_to_place, read_network_file
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.slopes import slopes_of
from quart_heure.network.snapping import Attachment
from quart_heure.network.travel_time import SearchGraph, search_graph
from quart_heure.profiles import WalkProfile
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.background import Ground, ground_of_background, read_background
from quart_heure.sources.heights import Heights
from quart_heure.sources.residents.residents import Residents, ResidentZones

_NETWORK_ARRAYS = (
    *("u", "v", "length_m", "steps", "bridge", "tunnel", "forward", "backward", "flags", "osm_id"),
    *("kind_code", "name_code", "xy", "offsets"),
)


def is_tiles(path: Path) -> bool:
    """Tell whether a network is read from vector tiles."""
    return path.is_dir() or path.name.lower().endswith(".mbtiles")


def stored_network(
    path: Path, cache: Cache, *, reach: shapely.Polygon, crs: pyproj.CRS
) -> WalkNetwork:
    """Read a network file, by way of the cache.

    Parameters
    ----------
    path
        Any file of streets (see `read_network_file`).
    cache
        Keeps the network for the next run.
    reach, crs
        For raw data and tiles: where streets are wanted, in degrees, and the CRS of the network.
    """
    if not path.exists():
        return read_network_file(path, reach=reach, crs=crs)  # it says what is missing

    def compute() -> dict[str, NDArray[Any]]:
        network = read_network_file(path, reach=reach, crs=crs)
        words = {
            "kinds": network.kinds,
            "names": network.names,
            "crs": network.crs.to_json(),
            "meta": dict(network.meta),
            "digest": network.digest,
        }
        arrays = {name: getattr(network, name) for name in _NETWORK_ARRAYS}
        if network.part_nodes is not None:
            arrays["part_nodes"] = network.part_nodes
        return {**arrays, "words": np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)}

    key = [
        READING,
        sha256_of(path),
        *([reach.wkt, crs.to_string()] if is_cut_to_place(path) else []),
    ]
    arrays = cache.recall("network", key, compute)
    words = json.loads(bytes(arrays.pop("words")))
    return WalkNetwork(
        **arrays,
        kinds=tuple(words["kinds"]),
        names=tuple(words["names"]),
        crs=pyproj.CRS.from_json(words["crs"]),
        meta=words["meta"],
        digest=words["digest"],
    )


def stored_search_graph(
    network: WalkNetwork, profile: WalkProfile, cache: Cache, *, heights: Heights | None = None
) -> SearchGraph:
    """Return the search graph of a walker, by way of the cache; all is level without heights."""
    kept = (
        *("indptr", "indices", "level_m", "forward", "backward"),
        *("effort_forward", "effort_backward"),
    )

    def compute() -> dict[str, NDArray[Any]]:
        slopes = None if heights is None else slopes_of(network, heights)
        graph = search_graph(network, profile, slopes=slopes)
        return {name: getattr(graph, name) for name in kept}

    ground = "level" if heights is None else heights.digest
    key = [network.digest, profile.steps_factor, profile.steps_allowed, profile.demanding_allowed]
    key.append(ground)
    return SearchGraph(
        **cache.recall("search", key, compute),
        u=network.u,
        v=network.v,
        length_m=network.length_m,
        speed_m_per_min=profile.speed_m_per_min,
    )


def stored_cells(
    area: StudyArea,
    network: WalkNetwork,
    *,
    graph: SearchGraph,
    usable: NDArray[np.bool_],
    cell_m: float,
    snap_m: float,
    cache: Cache,
    ground: Ground | None = None,
) -> Cells:
    """Return the cells of an area and their entries, by way of the cache."""
    of_cells = ("col", "row", "district", "inside", "water")

    def compute() -> dict[str, NDArray[Any]]:
        cells = cells_of_area(
            area,
            network,
            graph=graph,
            usable=usable,
            cell_m=cell_m,
            snap_m=snap_m,
            ground=ground,
        )
        return {name: getattr(cells, name) for name in of_cells} | _entries(cells.attachment)

    key = [network.digest, graph.ways_digest, hash_of(usable), *_area_key(area), cell_m, snap_m]
    key.append("" if ground is None else ground.digest)
    arrays = cache.recall("cells", key, compute)
    own = {name: arrays[name] for name in of_cells}
    return Cells(cell_m=cell_m, **own, attachment=_attachment(arrays, len(own["col"])))


def stored_snap(
    network: WalkNetwork,
    xy: NDArray[np.float64],
    *,
    usable: NDArray[np.bool_],
    snap_m: float,
    cache: Cache,
    ground: Ground | None = None,
) -> Attachment:
    """Return where services enter the network, by way of the cache (see `services_at`)."""

    def compute() -> dict[str, NDArray[Any]]:
        return _entries(services_at(network, xy, usable=usable, snap_m=snap_m, ground=ground))

    key = [network.digest, hash_of(usable), hash_of(xy), snap_m]
    key.append("" if ground is None else ground.digest)
    return _attachment(cache.recall("places", key, compute), len(xy))


_ENTRY_ARRAYS = ("place", "edge", "offset_m", "access_m")


def _entries(attachment: Attachment) -> dict[str, NDArray[Any]]:
    return {name: getattr(attachment, name) for name in _ENTRY_ARRAYS}


def _attachment(arrays: dict[str, NDArray[Any]], n_places: int) -> Attachment:
    return Attachment(**{name: arrays[name] for name in _ENTRY_ARRAYS}, n_places=n_places)


def stored_ground(
    path: Path, cache: Cache, *, crs: pyproj.CRS, reach: shapely.Polygon | None = None
) -> Ground:
    """Return what a file tells of water and barriers, by way of the cache.

    Parameters
    ----------
    path
        A background (see `read_background`); or, with ``reach``, the raw data or the vector tiles
        that the streets come from.
    cache
        Keeps the ground for the next run.
    crs
        The CRS that is wanted.
    reach
        Where it is wanted, in degrees.
    """

    def read() -> Ground:
        if reach is None:
            return ground_of_background(read_background(path, crs=crs), source=path.name)
        if holds_tiles(path):
            from quart_heure.sources.tiles.ground import read_tile_ground  # noqa: PLC0415

            return read_tile_ground(path, polygon=reach, crs=crs)
        from quart_heure.sources.osm.ground import read_osm_ground  # noqa: PLC0415 - raw data only

        return read_osm_ground(path, polygon=reach, crs=crs)

    def compute() -> dict[str, NDArray[Any]]:
        ground = read()
        pieces = {"water": packed(ground.water), "barriers": packed(ground.barriers)}
        return {f"{kind}_{n}": a for kind, arrays in pieces.items() for n, a in arrays.items()}

    if not path.exists():
        compute()  # it says what is missing
    where = [] if reach is None else [reach.wkt]
    arrays = cache.recall("ground", [sha256_of(path), crs.to_string(), *where], compute)
    water, barriers = (
        np.array(unpacked({n: arrays[f"{kind}_{n}"] for n in ("shapes", "ends")}), dtype=object)
        for kind in ("water", "barriers")
    )
    return Ground(water=water, barriers=barriers, source=path.name)


def stored_residents(
    cells: Cells, residents: Residents | ResidentZones | None, area: StudyArea, cache: Cache
) -> CellResidents:
    """Return residents per cell and those outside, by way of the cache."""
    if residents is None:
        return CellResidents()

    def compute() -> dict[str, NDArray[Any]]:
        found = residents_per_cell(cells, residents, area)
        told = np.array([found.outside, found.zones_without_building])
        return {"people": np.asarray(found.people), "told": told}

    parts: list[NDArray[Any]] = [cells.col, cells.row, cells.inside, cells.water]
    parts.append(residents.residents)
    if isinstance(residents, Residents):
        parts += [residents.col, residents.row, np.array([residents.square_m])]
    key = [cells.cell_m, *_area_key(area)]
    if isinstance(residents, ResidentZones):
        key.append(_shapes_key(residents.shapes))
        if residents.district is not None:
            key += [hash_of(residents.district), area.districts["district_id"].tolist()]
        if residents.buildings is not None:
            key.append(_shapes_key(residents.buildings.shapes))
            parts.append(residents.buildings.height_m)
    arrays = cache.recall("residents", [*key, *map(hash_of, parts)], compute)
    outside, without = arrays["told"].tolist()
    return CellResidents(
        people=arrays["people"], outside=outside, zones_without_building=int(without)
    )


def _shapes_key(shapes: NDArray[np.object_]) -> str:
    return hashlib.blake2b(b"".join(shapely.to_wkb(shapes)), digest_size=16).hexdigest()


def _area_key(area: StudyArea) -> list[str]:
    shapes = shapely.to_wkb([area.geometry, *area.districts.geometry.to_numpy()])
    return [hashlib.blake2b(b"".join(shapes), digest_size=16).hexdigest(), area.crs.to_string()]
