"""Several small studies in one folder, and the orders that a batch would make of them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
from shapely import box

from helpers import toy_town
from helpers.study_files import add, write_town
from quart_heure.batch.inputs import marks_of
from quart_heure.batch.storage import Store
from quart_heure.batch.task import Order
from quart_heure.batch.territories import read_territories
from quart_heure.batch.territory import Territory
from quart_heure.stamp import tool_version

DAY = datetime.date(2026, 1, 1)


def write_towns(folder: Path, *names: str) -> list[Path]:
    """Write the toy town under several names, in cells that are quickly worked out."""
    studies = []
    for name in names:
        (folder / name).mkdir(parents=True)
        study = write_town(folder / name)
        studies.append(add(study, '[analysis]\ncell_m = 100\ncategories = ["esi", "bagagerie"]'))
    return studies


def order_for(territory: Territory, out: object, **changes: Any) -> Order:
    """Return the order that a batch makes of a territory."""
    values: dict[str, Any] = {
        "territory": territory,
        "store": Store(str(out)),
        "asked": {},
        "day": DAY,
        "question": {"asked": {}, "day": DAY.isoformat()},
        "marks": marks_of(territory, {}),
        "version": tool_version(),
    }
    return Order(**{**values, **changes})


def town_order(folder: Path, name: str, out: object, **changes: Any) -> Order:
    """Write one town and return its order."""
    (study,) = write_towns(folder, name)
    (territory,) = read_territories([str(study)], None)
    return order_for(territory, out, **changes)


def write_blocks(path: Path, *, side: int = 4) -> gpd.GeoDataFrame:
    """Write the toy town cut into blocks, with a code and a name each."""
    x, y = toy_town.ORIGIN
    wide, high = toy_town.WIDTH_M / side, toy_town.HEIGHT_M / side
    rows = [
        (f"010{row}{col}", f"Bloc {row}.{col}", col * wide, row * high)
        for row in range(side)
        for col in range(side)
    ]
    blocks = gpd.GeoDataFrame(
        {"insee": [code for code, *_ in rows], "nom": [name for _, name, *_ in rows]},
        geometry=[box(x + a, y + b, x + a + wide, y + b + high) for *_, a, b in rows],
        crs=toy_town.CRS,
    )
    blocks.to_file(path)
    return blocks
