"""Streets of the ground as the page unpacks them: lines, names, and where a name stands.

Most of a drawing is the small steps between its points. As bytes, deflated, they are a third of
what they are as numbers in a text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from quart_heure.network.graph import WalkNetwork
from quart_heure.outputs.map.cells import deflated
from quart_heure.outputs.map.data import PackedLabels, PackedLines, PackedStretches, StreetMap
from quart_heure.outputs.map.walk_streets import packed_points, planes
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.shapes import Pen, Steps
from quart_heure.sources.areas.areas import StudyArea


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreetLabels:
    """Places of street names, a column per field: all lists are as long.

    ``x`` and ``y`` are units of degrees, ``angle_deg`` turns clockwise, ``room_m`` is how long the
    name may be, ``level`` the class of the street and ``name`` the position of its name.
    """

    x: list[int]
    y: list[int]
    angle_deg: list[int]
    room_m: list[int]
    level: list[int]
    name: list[int]


class Parts:
    """The parts of an area that streets and places are told by: quartiers, else districts.

    Parameters
    ----------
    area
        The area of the study.
    """

    def __init__(self, area: StudyArea) -> None:
        finer = area.subdistricts
        table = area.districts if finer is None else finer
        labels = dict(zip(area.districts["district_id"], area.districts["label"], strict=True))
        self.names = [printable(str(label)) for label in table["label"]]
        if finer is not None:
            above = [labels.get(parent, "") for parent in finer["parent_id"]]
            self.names = [
                ", ".join(filter(None, (printable(str(label)), name)))
                for label, name in zip(above, self.names, strict=True)
            ]
        self._tree = shapely.STRtree(table.geometry.to_numpy())

    def holding(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the position of the part that holds each place, plus one; 0 outside all."""
        places, parts = self._tree.query(shapely.points(xy), predicate="intersects")
        found = np.full(len(xy), len(self.names) + 1, dtype=np.int64)
        # On a common border the first one holds it, as it holds the cells there.
        np.minimum.at(found, places, parts + 1)
        found[found > len(self.names)] = 0
        return found


def street_map(
    classes: Sequence[Sequence[Steps]],
    names: Iterable[str],
    labels: StreetLabels,
    stretches: Stretches,
) -> StreetMap:
    """Return streets as the page unpacks them.

    Parameters
    ----------
    classes
        The lines of each class.
    names
        What streets are called.
    labels
        Where that stands.
    stretches
        Where they are found.
    """
    return StreetMap(
        classes=[_lines(lines) for lines in classes],
        names=packed_names(names),
        labels=PackedLabels(
            at=packed_points(_steps(labels.x, labels.y)),
            angle_deg=planes(np.array(labels.angle_deg, dtype=np.int64)),
            room_m=planes(np.diff(np.array(labels.room_m, dtype=np.int64), prepend=0)),
            level=planes(np.array(labels.level, dtype=np.int64)),
            name=planes(np.diff(np.array(labels.name, dtype=np.int64), prepend=0)),
        ),
        stretches=PackedStretches(
            at=packed_points(np.diff(stretches.at, axis=0, prepend=0)),
            name=planes(np.diff(stretches.name, prepend=0)),
            part=planes(stretches.part),
        ),
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Stretches:
    """What of each street lies in each part of the area; see `PackedStretches`.

    Parameters
    ----------
    names
        Those of the labels first, then the others.
    at
        Places in units of degrees; shape (n, 2).
    name, part
        Positions of the name, and of the part plus one; shapes (n,).
    """

    names: list[str]
    at: NDArray[np.int64]
    name: NDArray[np.int64]
    part: NDArray[np.int64]

    @classmethod
    def of(cls, network: WalkNetwork, parts: Parts, names: Sequence[str], pen: Pen) -> Stretches:
        """Find them in a network; ``names`` are those that are written on the map."""
        position: dict[str, int] = {name: n for n, name in enumerate(names)}
        table = _by_part(network, parts, position)
        # The longest of a street first; ties by place.
        table = table.sort_values(["name", "total_m", "part"], ascending=[True, False, True])
        return cls(
            names=list(position),
            at=pen.units(table[["x", "y"]].to_numpy(float)),
            name=table["name"].to_numpy(np.int64),
            part=table["part"].to_numpy(np.int64),
        )


def _by_part(network: WalkNetwork, parts: Parts, position: dict[str, int]) -> pd.DataFrame:
    """Return name, part, x, y (of its longest edge) and total_m of each street in each part.

    Names that have no position yet get the next one.
    """
    named = np.flatnonzero(np.array([name != "" for name in network.names])[network.name_code])
    first, last = network.offsets[named], network.offsets[named + 1]
    at = network.xy[(first + last) // 2]
    part = parts.holding(at)
    inside = part > 0
    named, at, part = named[inside], at[inside], part[inside]
    codes, code = np.unique(network.name_code[named], return_inverse=True)
    names = [position.setdefault(network.names[one], len(position)) for one in codes]
    table = pd.DataFrame(
        {
            "name": np.array(names, dtype=np.int64)[code],
            "part": part,
            "x": at[:, 0],
            "y": at[:, 1],
            "length_m": network.length_m[named],
        }
    )
    grouped = table.sort_values("length_m", ascending=False, kind="stable").groupby(
        ["name", "part"]
    )
    found = grouped[["x", "y"]].first()
    found["total_m"] = grouped["length_m"].sum()
    return found.reset_index()


def packed_names(names: Iterable[str]) -> str:
    """Return names as one text of lines, deflated: none holds the end of a line."""
    lines = "\n".join(" ".join(name.split("\n")) for name in map(printable, names))
    return deflated(np.frombuffer(lines.encode("utf-8", "replace"), dtype=np.uint8))


def _lines(lines: Sequence[Steps]) -> PackedLines:
    sizes = np.array([len(line) // 2 for line in lines], dtype=np.int64)
    steps = np.array([step for line in lines for step in line], dtype=np.int64).reshape(-1, 2)
    first = (np.cumsum(sizes) - sizes)[sizes > 0]
    # A line begins where it does as seen from where the one before began.
    steps[first] = np.diff(steps[first], axis=0, prepend=0)
    return PackedLines(sizes=planes(sizes), steps=packed_points(steps))


def _steps(x: Sequence[int], y: Sequence[int]) -> NDArray[np.int64]:
    return np.diff(np.array([x, y], dtype=np.int64).T.reshape(-1, 2), axis=0, prepend=0)
