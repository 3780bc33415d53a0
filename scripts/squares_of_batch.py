"""Turn the cells of a batch into the 200 m squares of INSEE: minutes on foot by square, as Parquet.

    .venv/bin/python scripts/squares_of_batch.py BATCH squares.parquet

The squares are those of INSEE's gridded data (EPSG:3035, named by their lower left corner), so that
the table joins theirs by ``idcar_200m``. A cell belongs to the square that holds its centre. Of a
square that several territories share, every cell counts once: that of a territory is not another's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj

SQUARE_M = 200
_SUMS = ("cells", "on_network", "residents")


def squares_of(batch: Path) -> pd.DataFrame:
    """Return a row per square that holds a cell of a batch.

    Returns
    -------
    DataFrame
        idcar_200m; cells, on_network (of them, those that one can walk from) and residents; for
        each category ``minutes_…``, the mean of the cells that one can walk from and from which a
        service is within reach, by residents where there are any, and ``reached_…``, how many these
        are.
    """
    parts = pd.concat([_sums_of(folder) for folder in _territories(batch)])
    whole = parts.groupby(level=0).sum()
    table = whole[list(_SUMS)].astype({"cells": "int64", "on_network": "int64"})
    for name in sorted(str(column) for column in whole if str(column).startswith("weight_")):
        category = name.removeprefix("weight_")
        weighed = whole[name] > 0
        weight = whole[name].where(weighed, whole[f"reached_{category}"])
        product = whole[f"product_{category}"].where(weighed, whole[f"sum_{category}"])
        table[f"minutes_{category}"] = (product / weight).round(2)
        table[f"reached_{category}"] = whole[f"reached_{category}"].astype("int64")
    return table.rename_axis("idcar_200m").reset_index()


def _territories(batch: Path) -> Iterator[Path]:
    found = sorted(batch.glob("country=*/dep=*/insee=*/manifest.json"))
    if not found:
        sys.exit(f"{batch}: is no folder of a batch, or none of its territories has results.")
    yield from (path.parent for path in found)


def _sums_of(folder: Path) -> pd.DataFrame:
    """Return what can be summed of the squares of one territory, by the name of the square."""
    crs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["crs"]
    cells = pd.read_parquet(folder / "cells.parquet")
    to_grid = pyproj.Transformer.from_crs(crs, 3035, always_xy=True)
    east, north = to_grid.transform(cells["x_m"].to_numpy(), cells["y_m"].to_numpy())
    corners = [(np.floor(axis / SQUARE_M) * SQUARE_M).astype(int) for axis in (north, east)]
    names = [f"CRS3035RES{SQUARE_M}mN{n}E{e}" for n, e in zip(*corners, strict=True)]
    residents = cells["residents"].fillna(0.0)
    sums = {"cells": 1, "on_network": cells["on_network"], "residents": residents}
    for column in (str(name) for name in cells if str(name).startswith("minutes_")):
        category, minutes = column.removeprefix("minutes_"), cells[column]
        reached = minutes.notna() & np.isfinite(minutes)
        known = minutes.where(reached, 0.0)
        sums[f"reached_{category}"] = reached.astype(int)
        sums[f"sum_{category}"] = known
        sums[f"weight_{category}"] = residents.where(reached, 0.0)
        sums[f"product_{category}"] = known * residents
    return pd.DataFrame(sums).astype("float64").groupby(names).sum()


def main(arguments: Sequence[str]) -> None:
    """Write the squares of a batch."""
    if len(arguments) != len(("BATCH", "FILE")):
        sys.exit(__doc__)
    table = squares_of(Path(arguments[0]))
    table.to_parquet(arguments[1], index=False, compression="zstd")
    print(f"{len(table)} squares, {table['residents'].sum():,.0f} residents: {arguments[1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
