"""Study files of the toy town, written into a folder, to be changed by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from helpers import toy_town
from quart_heure.sources.residents.residents import Residents
from quart_heure.study import Coverage, Study
from quart_heure.study.file import read_study

STUDY = """\
[area]
districts = "districts.parquet"
name = "Petite Ville"

[services]
files = ["services.csv"]

[network]
file = "network.parquet"

[residents]
file = "residents.parquet"
"""


def write_town(folder: Path) -> Path:
    """Write the toy town as files, with a study that names them; return the study file."""
    toy_town.town_area().districts.to_parquet(folder / "districts.parquet")
    toy_town.town_network().write(folder / "network.parquet")
    services_table(toy_town.town_services().table).to_csv(folder / "services.csv", index=False)
    write_residents(toy_town.town_residents(), folder / "residents.parquet")
    study = folder / "study.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study


def services_table(services: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give services as people keep them: a table with longitude and latitude."""
    degrees = services.to_crs(4326).geometry
    table = pd.DataFrame(services.drop(columns="geometry"))
    return table.assign(longitude=degrees.x, latitude=degrees.y)


def write_residents(squares: Residents, path: Path, **metadata: Any) -> None:
    about = {"square_m": squares.square_m, "crs": toy_town.CRS, "source": squares.source}
    table = pa.table({"col": squares.col, "row": squares.row, "residents": squares.residents})
    told = json.dumps({**about, **metadata}).encode()
    parquet.write_table(table.replace_schema_metadata({b"quart_heure": told}), path)


def add(study: Path, text: str) -> Path:
    study.write_text(study.read_text(encoding="utf-8") + "\n" + text + "\n", encoding="utf-8")
    return study


def swap(study: Path, old: str, new: str) -> Path:
    text = study.read_text(encoding="utf-8")
    assert text.count(old) == 1
    study.write_text(text.replace(old, new), encoding="utf-8")
    return study


def read_town(study: Path, **overrides: Any) -> Study:
    """Read a study with the categories that the toy town is known by.

    It is private, as `toy_town.town_study` is: its figures are worked out by hand, from where its
    discreet place truly stands.
    """
    asked = {"categories": toy_town.CATEGORIES, "private": True, **overrides}
    return read_study(study, **asked)


def same_figures(one: Coverage, other: Coverage) -> None:
    for table in ("indicators", "composite", "gap_parts"):
        assert_frame_equal(getattr(one, table), getattr(other, table))
    assert_frame_equal(one.gaps.drop(columns="geometry"), other.gaps.drop(columns="geometry"))
