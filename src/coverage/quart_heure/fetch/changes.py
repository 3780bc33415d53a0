"""What changed between two snapshots: streets, services, districts."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quart_heure.errors import InputFileError
from quart_heure.fetch.snapshot import DISTRICTS, NETWORK, SERVICES, Snapshot
from quart_heure.sources.osm.data import is_street

_MOVED_M = 5.0
_EARTH_M = 6_371_009.0


@dataclasses.dataclass(frozen=True)
class TagChange:
    """A tag of a street that has another value now; ``""`` stands for none."""

    way_id: int
    key: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class ServiceChange:
    """A service that came, went or moved; ``moved_m`` is 0 for the former two."""

    service_id: str
    category: str
    name: str
    moved_m: float = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class SnapshotChanges:
    """What changed from one snapshot to another.

    Parameters
    ----------
    old_date, new_date
        Dates of the data.
    by_raw
        Whether streets were compared way by way with all their tags. Where one of the snapshots
        has no raw elements, the walking networks are compared, and ``retagged`` is empty.
    ways_added, ways_removed, ways_reshaped
        OSM ids of streets, ascending; reshaped ones run through other places than before.
    retagged
        Tags of streets that changed.
    added_km, removed_km
        Length of the streets added and removed.
    network_km, nodes, edges
        Of the walking networks, old and new.
    services_added, services_removed, services_moved
        Candidates for services; moved by more than 5 m.
    districts_changed
        Ids of districts that came, went, or have another outline.
    """

    old_date: str
    new_date: str
    by_raw: bool
    ways_added: tuple[int, ...]
    ways_removed: tuple[int, ...]
    ways_reshaped: tuple[int, ...]
    retagged: tuple[TagChange, ...]
    added_km: float
    removed_km: float
    network_km: tuple[float, float]
    nodes: tuple[int, int]
    edges: tuple[int, int]
    services_added: tuple[ServiceChange, ...]
    services_removed: tuple[ServiceChange, ...]
    services_moved: tuple[ServiceChange, ...]
    districts_changed: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether nothing but the date changed."""
        lists = (
            *(self.ways_added, self.ways_removed, self.ways_reshaped, self.retagged),
            *(self.services_added, self.services_removed, self.services_moved),
            self.districts_changed,
        )
        return not any(lists) and self.network_km[0] == self.network_km[1]

    def lines(self, *, most: int = 10) -> list[str]:
        """Return the changes as lines of text, at most so many of each sort one by one."""
        span = f"{self.old_date or 'unknown date'} → {self.new_date or 'unknown date'}"
        if self.nothing:
            return [f"Nothing changed ({span})."]
        km, nodes, edges = self.network_km, self.nodes, self.edges
        return [
            f"Changes, {span}:",
            f"walking network: {km[0]:.1f} → {km[1]:.1f} km, {edges[0]} → {edges[1]} edges,"
            f" {nodes[0]} → {nodes[1]} nodes",
            f"streets: {len(self.ways_added)} added ({self.added_km:.1f} km),"
            f" {len(self.ways_removed)} removed ({self.removed_km:.1f} km),"
            f" {len(self.ways_reshaped)} reshaped,"
            f" {len({change.way_id for change in self.retagged})} with other tags",
            *_some((f"way {c.way_id}: {c.key} {_arrow(c)}" for c in self.retagged), most),
            f"services: {len(self.services_added)} added, {len(self.services_removed)} removed,"
            f" {len(self.services_moved)} moved",
            *_some((f"added {_named(c)}" for c in self.services_added), most),
            *_some((f"removed {_named(c)}" for c in self.services_removed), most),
            *_some((f"moved {_named(c)} by {c.moved_m:.0f} m" for c in self.services_moved), most),
            *([f"districts: {', '.join(self.districts_changed)}"] * bool(self.districts_changed)),
        ]


def compare_snapshots(old: Snapshot, new: Snapshot) -> SnapshotChanges:
    """Say what changed from one snapshot to another.

    Raises
    ------
    InputFileError
        If a file of either cannot be read.
    """
    by_raw = old.has_raw and new.has_raw
    before, after = (_streets(s, by_raw=by_raw) for s in (old, new))
    shared = sorted(before.keys() & after.keys())
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    sizes = [_size(snapshot) for snapshot in (old, new)]
    came, went, moved = _compare_services(old, new)
    return SnapshotChanges(
        old_date=old.osm_date,
        new_date=new.osm_date,
        by_raw=by_raw,
        ways_added=tuple(added),
        ways_removed=tuple(removed),
        ways_reshaped=tuple(way for way in shared if before[way].shape != after[way].shape),
        retagged=tuple(
            TagChange(way, key, before[way].tags.get(key, ""), after[way].tags.get(key, ""))
            for way in shared
            for key in sorted(before[way].tags.keys() | after[way].tags.keys())
            if before[way].tags.get(key) != after[way].tags.get(key)
        ),
        added_km=round(sum(after[way].length_m for way in added) / 1000, 3),
        removed_km=round(sum(before[way].length_m for way in removed) / 1000, 3),
        network_km=(sizes[0][0], sizes[1][0]),
        nodes=(sizes[0][1], sizes[1][1]),
        edges=(sizes[0][2], sizes[1][2]),
        services_added=came,
        services_removed=went,
        services_moved=moved,
        districts_changed=_compare_districts(old, new),
    )


@dataclasses.dataclass(frozen=True)
class _Street:
    shape: Any
    tags: Mapping[str, str]
    length_m: float


def _streets(snapshot: Snapshot, *, by_raw: bool) -> dict[int, _Street]:
    if not by_raw:
        edges = _network_columns(snapshot, ["osm_id", "length_m"])
        ids, at = np.unique(edges["osm_id"], return_inverse=True)
        length_m = np.round(np.bincount(at, weights=edges["length_m"]), 2).tolist()
        # The length stands for the shape: contraction keeps it, wherever it cuts.
        return {
            way: _Street(length, {}, length)
            for way, length in zip(ids.tolist(), length_m, strict=True)
            if way > 0
        }
    elements = snapshot.raw_elements()
    places = {e["id"]: (e["lon"], e["lat"]) for e in elements if e["type"] == "node"}
    streets = {}
    for element in elements:
        tags = element.get("tags", {})
        if element["type"] == "way" and is_street(tags):
            shape = tuple(places[ref] for ref in element.get("nodes", ()) if ref in places)
            streets[int(element["id"])] = _Street(shape, tags, _length_m(shape))
    return streets


def _length_m(places: tuple[tuple[float, float], ...]) -> float:
    """Return the length of a line in degrees, on the sphere."""
    lon, lat = np.radians(np.array(places, dtype=float).reshape(-1, 2)).T
    half = np.sin(np.diff(lat) / 2) ** 2
    half += np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
    return float(2 * _EARTH_M * np.arcsin(np.sqrt(half)).sum())


def _network_columns(snapshot: Snapshot, columns: list[str]) -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = snapshot.file(NETWORK)
    try:
        table = pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as error:
        msg = f"{path}: cannot be read ({error})."
        raise InputFileError(msg, hint="Fetch it again.") from error
    return {name: table[name].to_numpy() for name in columns}


def _size(snapshot: Snapshot) -> tuple[float, int, int]:
    """Return kilometres, nodes and edges of a network."""
    edges = _network_columns(snapshot, ["u", "v", "length_m"])
    nodes = max(edges["u"].max(initial=-1), edges["v"].max(initial=-1)) + 1
    return round(float(edges["length_m"].sum()) / 1000, 3), int(nodes), len(edges["u"])


def _compare_services(old: Snapshot, new: Snapshot) -> tuple[tuple[ServiceChange, ...], ...]:
    files = _service_files(old) & _service_files(new)
    before, after = (
        {str(f["properties"]["service_id"]): f for f in _services(s, files)} for s in (old, new)
    )
    moved = []
    for key in sorted(before.keys() & after.keys()):
        places = [tuple(f["geometry"]["coordinates"]) for f in (before[key], after[key])]
        moved_m = _length_m((places[0], places[1]))
        if moved_m > _MOVED_M:
            moved.append(_service_change(after[key], round(moved_m, 1)))
    came = [_service_change(after[key]) for key in sorted(after.keys() - before.keys())]
    went = [_service_change(before[key]) for key in sorted(before.keys() - after.keys())]
    return tuple(came), tuple(went), tuple(moved)


def _service_files(snapshot: Snapshot) -> set[str]:
    """Return the files of services that came from portals."""
    return {str(a["file"]) for a in snapshot.manifest.get("open_data", ()) if "file" in a}


def _services(snapshot: Snapshot, files: Iterable[str]) -> list[dict[str, Any]]:
    """Return the services of a snapshot; of portals, those of data sets that both have."""
    found = _features(snapshot.file(SERVICES))
    for name in sorted(files):
        with snapshot.file(name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                place = [float(row["longitude"]), float(row["latitude"])]
                found.append({"properties": row, "geometry": {"coordinates": place}})
    return found


def _service_change(feature: Mapping[str, Any], moved_m: float = 0.0) -> ServiceChange:
    about = feature["properties"]
    return ServiceChange(about["service_id"], about["category"], about["name"], moved_m)


def _compare_districts(old: Snapshot, new: Snapshot) -> tuple[str, ...]:
    before, after = (
        {str(f["properties"]["district_id"]): f["geometry"] for f in _features(s.file(DISTRICTS))}
        for s in (old, new)
    )
    keys = sorted(before.keys() | after.keys())
    return tuple(key for key in keys if before.get(key) != after.get(key))


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        features: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path}: cannot be read ({error})."
        raise InputFileError(msg, hint="Fetch it again.") from error
    return features


def _arrow(change: TagChange) -> str:
    return f"{change.old or '(none)'} → {change.new or '(none)'}"


def _named(change: ServiceChange) -> str:
    return f"{change.category} {change.name or change.service_id}"


def _some(lines: Iterable[str], most: int) -> list[str]:
    every = [f"  {line}" for line in lines]
    more = len(every) - most
    return every if more <= 0 else [*every[:most], f"  … and {more} more"]
