"""What is kept between runs: the network as arrays, its search graph, and the attached cells.

None of these depend on the services, so that a change of theirs finds them still warm. Where those
meet the network is kept too, discreet places aside. See `quart_heure.analysis.stored_searches` for
what was searched from them.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.analysis.doors import services_at
from quart_heure.analysis.entering import Entering, are_few
from quart_heure.analysis.people import CellResidents, residents_per_cell
from quart_heure.analysis.surface import Cells, cells_of_area
from quart_heure.cache import Cache, Like, checked, hash_of, packed, unpacked
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
    return cache.recall_as("network", key, compute, _network)


def _network(arrays: dict[str, NDArray[Any]]) -> WalkNetwork:
    words = json.loads(bytes(arrays["words"]))
    per_edge = dict.fromkeys(("steps", "bridge", "tunnel", "forward", "backward"), Like("b", "u"))
    kept = checked(
        arrays,
        **per_edge,
        u=Like("i"),
        v=Like("i", "u"),
        length_m=Like("f", "u"),
        flags=Like("iu", "u"),
        osm_id=Like("i", "u"),
        kind_code=Like("iu", "u", below=len(words["kinds"])),
        name_code=Like("iu", "u", below=len(words["names"])),
        xy=Like("f", columns=2),
        offsets=Like("i", len(arrays["u"]) + 1, parts_of="xy"),
        part_nodes=Like("i", optional=True),
        words=Like("u"),
    )
    del kept["words"]
    return WalkNetwork(
        **kept,
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

    def read(arrays: dict[str, NDArray[Any]]) -> SearchGraph:
        n_edges = network.n_edges
        kept = checked(
            arrays,
            indptr=Like("i", network.n_nodes + 1, parts_of="indices"),
            indices=Like("i", below=network.n_nodes),
            level_m=Like("f", "indices"),
            forward=Like("b", n_edges),
            backward=Like("b", n_edges),
            effort_forward=Like("f", n_edges),
            effort_backward=Like("f", n_edges),
        )
        return SearchGraph(
            **kept,
            u=network.u,
            v=network.v,
            length_m=network.length_m,
            speed_m_per_min=profile.speed_m_per_min,
        )

    return cache.recall_as("search", key, compute, read)


def stored_cells(
    area: StudyArea,
    entering: Entering,
    *,
    cell_m: float,
    cache: Cache,
    like: tuple[Entering, Cells] | None = None,
) -> Cells:
    """Return the cells of an area and their entries, by way of the cache.

    Parameters
    ----------
    area
        The study area and its districts.
    entering
        By which rule they enter the streets.
    cell_m
        Side of the cells in metres.
    cache
        Keeps them for the next run.
    like
        Another rule, and the same cells as they enter by it, where they are known.
    """
    of_cells = ("col", "row", "district", "inside", "water")
    network, ground = entering.network, entering.ground
    differs = None if like is None else like[0].differs_for(entering, like[1])
    if like is not None and differs is not None and not differs.any():
        return like[1]

    def find() -> Cells:
        if like is not None and differs is not None and are_few(differs):
            return entering.let_in(like[1], differs)
        return cells_of_area(
            area,
            network,
            graph=entering.graph,
            usable=entering.usable,
            cell_m=cell_m,
            snap_m=entering.snap_m,
            ground=ground,
        )

    def compute() -> dict[str, NDArray[Any]]:
        cells = find()
        return {name: getattr(cells, name) for name in of_cells} | _entries(cells.attachment)

    key: list[Any] = [network.digest, entering.graph.ways_digest, hash_of(entering.usable)]
    key += [*_area_key(area), cell_m, entering.snap_m, "" if ground is None else ground.digest]

    def read(arrays: dict[str, NDArray[Any]]) -> Cells:
        n = len(arrays["col"])
        own = checked(
            {name: arrays[name] for name in of_cells},
            col=Like("i", n),
            row=Like("i", n),
            district=Like("i", n, below=len(area.districts), least=-1),
            inside=Like("b", n),
            water=Like("b", n),
        )
        return Cells(cell_m=cell_m, **own, attachment=_attachment(arrays, n, network.n_edges))

    return cache.recall_as("cells", key, compute, read)


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
    read = functools.partial(_attachment, n_places=len(xy), n_edges=network.n_edges)
    return cache.recall_as("places", key, compute, read)


_GROUND = "3"
"""Another where the same file tells another ground than before."""

_ENTRY_ARRAYS = ("place", "edge", "offset_m", "access_m")


def _entries(attachment: Attachment) -> dict[str, NDArray[Any]]:
    return {name: getattr(attachment, name) for name in _ENTRY_ARRAYS}


def _attachment(arrays: dict[str, NDArray[Any]], n_places: int, n_edges: int) -> Attachment:
    entries = checked(
        {name: arrays[name] for name in _ENTRY_ARRAYS},
        place=Like("i", below=n_places),
        edge=Like("i", "place", below=n_edges),
        offset_m=Like("f", "place"),
        access_m=Like("f", "place"),
    )
    return Attachment(**entries, n_places=n_places)


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
        words = np.frombuffer(json.dumps(ground.words).encode(), dtype=np.uint8)
        shapes = {f"{kind}_{n}": a for kind, arrays in pieces.items() for n, a in arrays.items()}
        return {**shapes, "words": words}

    if not path.exists():
        compute()  # it says what is missing
    where = [] if reach is None else [reach.wkt]

    def as_ground(arrays: dict[str, NDArray[Any]]) -> Ground:
        water, barriers = (
            np.array(unpacked({n: arrays[f"{kind}_{n}"] for n in ("shapes", "ends")}), dtype=object)
            for kind in ("water", "barriers")
        )
        words = tuple(map(str, json.loads(bytes(arrays["words"]))))
        if words and len(words) != len(barriers):
            msg = "its words are not those of its barriers"
            raise ValueError(msg)
        return Ground(water=water, barriers=barriers, source=path.name, words=words)

    key = [_GROUND, sha256_of(path), crs.to_string(), *where]
    return cache.recall_as("ground", key, compute, as_ground)


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

    def read(arrays: dict[str, NDArray[Any]]) -> CellResidents:
        kept = checked(arrays, people=Like("f", len(cells)), told=Like("f", 2))
        outside, without = kept["told"].tolist()
        return CellResidents(
            people=kept["people"], outside=outside, zones_without_building=int(without)
        )

    return cache.recall_as("residents", [*key, *map(hash_of, parts)], compute, read)


def _shapes_key(shapes: NDArray[np.object_]) -> str:
    return hashlib.blake2b(b"".join(shapely.to_wkb(shapes)), digest_size=16).hexdigest()


def _area_key(area: StudyArea) -> list[str]:
    shapes = shapely.to_wkb([area.geometry, *area.districts.geometry.to_numpy()])
    return [hashlib.blake2b(b"".join(shapes), digest_size=16).hexdigest(), area.crs.to_string()]
