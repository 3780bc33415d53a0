"""Tables asked of figures at hand: minutes at a place, gaps of a district, a comparison."""

from __future__ import annotations

import html
import math

import geopandas as gpd
import numpy as np
import pandas as pd

from quart_heure.errors import GeometryError, StudyFileError
from quart_heure.labels import heading
from quart_heure.outputs.notebook.at_hand import AtHand
from quart_heure.outputs.report.content import resolve_districts
from quart_heure.outputs.runs.figures import KEYS, figures_of
from quart_heure.sources.projecting import transformer

_SHOWN = ("services_inside", "covered_pct", "residents_covered_pct", "gaps")
"""Figures of the whole area that a notebook shows at a glance."""


def minutes_at(found: object, lon: float, lat: float) -> pd.DataFrame:
    """Tell the walks from a place: see `quart_heure.study.views.Views.minutes_at`."""
    here = AtHand.of(found)
    to_metres = transformer(4326, here.crs)
    x, y = to_metres.transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        msg = f"There is no place at longitude {lon}, latitude {lat}."
        raise GeometryError(msg, hint="Give degrees: first the longitude, then the latitude.")
    col, row = math.floor(x / here.cell_m), math.floor(y / here.cell_m)
    cells = here.cells()
    at = np.flatnonzero((cells["col"] == col) & (cells["row"] == row))
    if not len(at):
        msg = f"Longitude {lon}, latitude {lat} lies outside {here.manifest['area']}."
        raise GeometryError(msg, hint="Give the longitude first, then the latitude.")
    cell = cells.iloc[int(at[0])]
    return pd.DataFrame(
        {
            "minutes": [float(cell[f"minutes_{one}"]) for one in here.categories],
            "nearest": [cell[f"nearest_{one}"] for one in here.categories],
            "status": [cell[f"status_{one}"] for one in here.categories],
        },
        index=pd.Index(list(here.categories), name="category"),
    )


def gaps_of(found: object, district: str) -> gpd.GeoDataFrame:
    """Return the gaps of a district: see `quart_heure.study.views.Views.gaps_of`."""
    here = AtHand.of(found)
    (district_id,) = resolve_districts(here.found.indicators, [str(district)])
    parts = here.found.gap_parts
    parts = parts[parts["district_id"] == district_id]
    about = here.found.gaps[["gap_id", "cause", "barrier", "geometry"]]
    joined = parts.merge(about, on="gap_id", how="left", validate="many_to_one")
    rows = gpd.GeoDataFrame(joined, geometry="geometry", crs=here.found.gaps.crs)
    layer = here.districts.set_index("district_id")
    rows = rows.set_geometry(rows.intersection(layer.geometry.loc[district_id]))
    by = ["category", "residents", "area_ha"]
    return rows.sort_values(by, ascending=[True, False, False], kind="stable", ignore_index=True)


def compare(before: object, after: object) -> pd.DataFrame:
    """Tell which figures differ: see `quart_heure.study.views.Views.compare`."""
    earlier, later = AtHand.of(before), AtHand.of(after)
    ids = [set(one.districts["district_id"]) for one in (earlier, later)]
    if ids[0] != ids[1]:
        msg = "The two are of different districts."
        raise StudyFileError(msg, hint="Compare runs of one place, by the same districts.")
    tables = [figures_of(one.found.indicators) for one in (earlier, later)]
    both = tables[0].merge(tables[1], on=list(KEYS), how="outer", suffixes=("_before", "_after"))
    both = both.rename(columns={"value_before": "before", "value_after": "after"})
    both["change"] = both["after"] - both["before"]
    labels = dict(zip(earlier.districts["district_id"], earlier.districts["label"], strict=True))
    called = both["district_id"].map(labels).fillna(earlier.manifest["area"])
    both.insert(2, "label", called)
    neither = both["before"].isna() & both["after"].isna()
    return both[~neither & (both["before"] != both["after"])].reset_index(drop=True)


def city_html(found: object, lang: str = "fr") -> str:
    """Return the figures of the whole area as an HTML table, a row per category."""
    here = AtHand.of(found, shown=True)
    rows = here.found.indicators
    rows = rows[rows["level"] == "city"]
    table = pd.DataFrame(
        {heading("category", lang): [here.label(c, lang) for c in rows["category"]]}
    )
    for name in _SHOWN:
        values = rows[name].to_numpy(dtype=float)
        if np.isfinite(values).any():
            decimals = 1 if name.endswith("pct") else 0
            table[heading(name, lang)] = [
                f"{value:.{decimals}f}" if math.isfinite(value) else "" for value in values.tolist()
            ]
    caption = f"{here.manifest['area']}, {here.threshold_min:g} min"
    shown = table.to_html(index=False, border=0)  # pandas escapes every text
    return shown.replace("<thead>", f"<caption>{html.escape(caption)}</caption><thead>", 1)
