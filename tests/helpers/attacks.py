"""Attacks on discreet places, with nothing but what is published and the public streets."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from helpers import toy_town
from quart_heure.outputs.discretion import DISCREET
from quart_heure.study import Coverage, Study


def city(seed: int) -> Study:
    """Return a random city of some square kilometres, denser or emptier, somewhere on the grid."""
    rng = random.Random(seed)
    town = toy_town.random_town(
        seed, columns=rng.randint(10, 24), rows=rng.randint(10, 24), n_services=8
    )
    crowd = rng.choice((0.005, 0.05, 1.0))
    lived = town.residents
    town = dataclasses.replace(
        town, residents=dataclasses.replace(lived, residents=lived.residents * crowd)
    )
    return town.moved(25 * rng.randint(0, 300), 25 * rng.randint(0, 300)).study()


def middle_of_isochrone(published: Coverage, category: str) -> NDArray[np.float64]:
    """Return the middle of the smallest isochrone that leads to the place, in metres."""
    drawn = published.isochrones[published.isochrones["category"] == category]
    smallest = drawn.sort_values("threshold_min").geometry
    shape = next(one for one in smallest if not one.is_empty)
    return shapely.get_coordinates(shapely.centroid(shape))[0]


def explaining_junctions(
    published: Coverage, category: str, *, most: int = 80
) -> NDArray[np.float64]:
    """Try the junctions near the cells that lead to the place; return those that explain them.

    A junction explains the cells if the minutes to it are those that are published wherever the
    nearest service is not told, within half a minute, for the way from the place to the street is
    not known. The best is returned first; shape (j, 2).
    """
    doors, network = published.basis.doors, published.study.network
    cells = published.cells
    told = (cells[f"nearest_{category}"] == DISCREET).to_numpy()
    minutes = cells[f"minutes_{category}"].to_numpy(dtype=float)
    inside = np.flatnonzero(doors.cells.inside)
    start = doors.cells.centre_xy[inside][told][np.argmin(minutes[told])]
    ends = network.node_xy
    near = np.argsort(np.hypot(*(ends - start).T), kind="stable")[:most]
    worst = []
    for junction in near:
        found = doors.times(doors.at(ends[[junction]])).minutes[inside][told]
        worst.append(float(np.median(np.abs(found - minutes[told]))))
    order = np.argsort(worst, kind="stable")
    kept = [at for at in order.tolist() if worst[at] < 0.5] or [int(order[0])]
    return ends[near[kept]]


def with_place(table: pd.DataFrame, xy: NDArray[np.float64], category: str) -> pd.DataFrame:
    """Add one discreet place to a table of services."""
    row = table.iloc[[0]].assign(
        service_id="zz-discreet", name="Maison Mirabelle", address="37 impasse Cachée",
        category=category, status="open", discreet=True, notes="", opening_hours="",
        valid_from="", valid_to="",
    )  # fmt: skip
    row = row.set_geometry([shapely.Point(xy)], crs=table.crs)
    return pd.concat([table, row], ignore_index=True)
