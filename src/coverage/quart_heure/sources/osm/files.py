"""OpenStreetMap files: ``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``, brought to `RawOsm`.

A PBF file as nearly all are is read by `quart_heure.sources.osm.pbf_reader`, any other file by
`quart_heure.sources.osm.osmium_reader`, which tells what is wrong with it as well.
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from quart_heure.errors import InputFileError
from quart_heure.files import AnyPath
from quart_heure.sources.osm.data import OSM_SUFFIXES, RawOsm, assemble_raw
from quart_heure.sources.osm.elements import Elements, Nodes, Ways, damaged, outlines
from quart_heure.sources.osm.grounds import ground_shapes
from quart_heure.sources.osm.messages import DamagedFileError, UnusualFileError
from quart_heure.sources.osm.pbf_reader import read_usual_pbf

__all__ = ["read_osm_file"]


def read_osm_file(path: AnyPath, *, polygon: shapely.Geometry | None = None) -> RawOsm:
    """Read streets from an OpenStreetMap file, before any rule.

    Parameters
    ----------
    path
        A file whose name ends as one of `OSM_SUFFIXES`.
    polygon
        In degrees. Ways without any node in its bounds are left out; the exact cut is made when the
        network is built.

    Raises
    ------
    InputFileError
        If the file is missing, of another kind, damaged, a history file, or without any street.
    """
    path = Path(path)
    _check_name(path)
    found = _read(path)
    nodes, ways = found.nodes, found.ways
    if len(ways.way_id) == 0:
        msg = f"{path}: there is no street in it."
        raise InputFileError(msg, hint="Give an extract with its highways.")
    if polygon is not None:
        ways = _near(ways, nodes, polygon)
    return assemble_raw(
        **vars(nodes),
        **vars(ways),
        osm_date=found.osm_date,
        source=path.name,
        deleted=found.deleted,
        obstacles=ground_shapes(found.grounds, nodes.node_id, nodes.lon, nodes.lat),
    )


def _check_name(path: Path) -> None:
    if not path.is_file():
        msg = f"{path}: there is no such file."
        raise InputFileError(msg, hint="Check the name and the folder it is relative to.")
    if not path.name.lower().endswith(OSM_SUFFIXES):
        msg = f"{path}: not a kind of OpenStreetMap file that is known."
        raise InputFileError(msg, hint=f"Its name must end in {', '.join(OSM_SUFFIXES)}.")


def _read(path: Path) -> Elements:
    if path.suffix.lower() == ".pbf":
        try:
            return read_usual_pbf(path)
        except DamagedFileError as error:
            raise damaged(path, error) from error
        except (UnusualFileError, OSError):
            pass
    from quart_heure.sources.osm.osmium_reader import (  # noqa: PLC0415 - few files need osmium
        read_by_osmium,
    )

    return read_by_osmium(path)


def _near(ways: Ways, nodes: Nodes, polygon: shapely.Geometry) -> Ways:
    """Leave out the ways without a node in the bounds of a polygon.

    Areas that reach into it, outlines of relations, and all that touches them are kept whole: where
    an area is entered decides how it is crossed.
    """
    west, south, east, north = shapely.bounds(polygon)
    inside = (nodes.lon >= west) & (nodes.lon <= east) & (nodes.lat >= south) & (nodes.lat <= north)
    way = np.repeat(np.arange(len(ways.counts)), ways.counts)

    def touching(node_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = np.isin(ways.ref_id, node_ids)
        return np.bincount(way[found], minlength=len(ways.counts)) > 0

    kept = touching(nodes.node_id[inside])
    is_area = np.array([tags.get("area") == "yes" for tags in ways.way_tags], dtype=bool) & kept
    is_area |= np.isin(ways.way_id, np.array(sorted(outlines(ways.areas)), dtype=np.int64))
    kept |= is_area | touching(ways.ref_id[is_area[way]])
    return dataclasses.replace(
        ways,
        way_id=ways.way_id[kept],
        ref_id=ways.ref_id[kept[way]],
        counts=ways.counts[kept],
        way_tags=list(itertools.compress(ways.way_tags, kept)),
    )
