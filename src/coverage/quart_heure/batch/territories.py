"""Territories: what a batch is to run, from study files or from a table of places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from quart_heure.batch.inputs import opened, settings_of
from quart_heure.batch.territory import Territory
from quart_heure.cache import Cache
from quart_heure.errors import InputFileError, QuartHeureError
from quart_heure.files import shown
from quart_heure.hints import nearest_hint
from quart_heure.sources.areas.names import ID_COLUMNS, NamedRows, find_column, named_rows
from quart_heure.sources.given import check_given
from quart_heure.sources.hours.calendars import departements_of
from quart_heure.sources.layers import check_layer, holds_geometry, read_layer
from quart_heure.sources.raw_tables import read_raw_table
from quart_heure.study.inputs import read_study_area

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from quart_heure.sources.text_columns import RawTable
    from quart_heure.study.settings import StudySettings

MOST_TERRITORIES = 200_000

_COMMUNE = re.compile(r"((?:\d{2}|2[AB])\d{3})(?:\d{2}|\d{4})?")
"""The code of a commune, or of a quarter of Paris or an IRIS, which begin with it."""

_ARRONDISSEMENTS = {
    **{str(code): "75056" for code in range(75101, 75121)},
    **{str(code): "13055" for code in range(13201, 13217)},
    **{str(code): "69123" for code in range(69381, 69390)},
}
"""The commune of each municipal arrondissement."""

_TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"})


def read_territories(
    studies: Sequence[str], table: Path | None, *, cache: Cache | None = None
) -> list[Territory]:
    """Return what a batch is to run.

    Parameters
    ----------
    studies
        Paths or URLs of study files; none for the packaged Paris.
    table
        Territories that the one study is to be run for: polygons with codes and names, or codes
        alone, of districts that the study has.
    cache
        Keeps the areas of studies for the next run.

    Raises
    ------
    InputFileError
        If a file is missing or unreadable, a code is not known or two territories would have one
        folder.
    """
    cache = cache or Cache(None)
    if table is None:
        found = [_of_study(study, cache) for study in studies or ("",)]
    else:
        if len(studies) > 1:
            msg = f"{shown(table)} is run with one study, and {len(studies)} are given."
            raise InputFileError(msg, hint="Give the one that all its territories share.")
        found = _of_table(table, studies[0] if studies else "", cache)
    by_place: dict[str, Territory] = {}
    for one in found:
        other = by_place.setdefault(one.place, one)
        if other is not one:
            both = " and ".join(repr(each.study or each.label) for each in (other, one))
            msg = f"{both} would both be written into {one.place}."
            raise InputFileError(msg, hint="Give territories codes of their own, in a table.")
    return found


def _of_study(study: str, cache: Cache) -> Territory:
    """Return the territory that a study is of; what is wrong with it stops no other."""
    with opened(study) as file:
        try:
            settings = settings_of(file)
            area = read_study_area(settings, cache)
        except QuartHeureError as error:
            if file is not None and not file.is_file():
                raise
            name = _slug(study, "")
            return Territory(
                code=name, label=name, country="", departement="", study=study, fault=str(error)
            )
    ids = [str(each) for each in area.districts["district_id"]]
    country = _country(settings)
    departements = departements_of(ids, None) if country == "FR" else ()
    code = _commune_of(ids) if country == "FR" else ""
    return Territory(
        code=code or _slug(study, area.name),
        label=area.name,
        country=country,
        departement=departements[0] if len(departements) == 1 else "",
        study=study,
    )


def _commune_of(ids: Sequence[str]) -> str:
    """Return the commune that all districts are of, by their codes; empty where none is.

    Examples
    --------
    >>> _commune_of(["75101", "75102"]), _commune_of(["75113"]), _commune_of(["W", "E"])
    ('75056', '75113', '')
    """
    found = [_COMMUNE.fullmatch(each.strip().upper()) for each in ids]
    codes = {match[1] for match in found if match is not None}
    if len(codes) > 1:
        codes = {_ARRONDISSEMENTS.get(code, code) for code in codes}
    return codes.pop() if all(found) and len(codes) == 1 else ""


def _departement(code: str) -> str:
    """Return the département of a code, empty where it tells none.

    Examples
    --------
    >>> _departement("7510101"), _departement("2A004"), _departement("centre")
    ('75', '2A', '')
    """
    found = _COMMUNE.fullmatch(code.strip().upper())
    return next(iter(departements_of([found[1]], None)), "") if found else ""


def _slug(study: str, name: str) -> str:
    """Return a name for what has no code: that of the study's folder or file, else of its area."""
    path = Path(study)
    given = path.parent.name if path.stem == "study" else path.stem
    return re.sub(r"[^\w-]+", "-", (given or name).lower()).strip("-") or "study"


def _country(settings: StudySettings) -> str:
    return str(settings.analysis.get("country", "FR")).upper()


def _of_table(path: Path, study: str, cache: Cache) -> list[Territory]:
    check_given(path)
    with opened(study) as file:
        settings = settings_of(file)
        if settings.services.soliguide:
            msg = (
                f"{study}: asks Soliguide for places live, which is not done for many territories."
            )
            raise InputFileError(msg, hint="Leave soliguide out of [services].")
        rows = _polygons(path) if _has_polygons(path) else _districts(path, settings, cache)
    if len(rows) > MOST_TERRITORIES:
        msg = f"{shown(path)}: has {len(rows):,} territories."
        raise InputFileError(msg, hint=f"A batch takes {MOST_TERRITORIES:,} at most.")
    country, crs = _country(settings), rows.crs.to_string()
    return [
        Territory(
            code=str(code),
            label=str(label or code),
            country=country,
            departement=_departement(str(code)) if country == "FR" else "",
            study=study,
            outline=outline,
            crs=crs,
        )
        for code, label, outline in zip(
            rows["code"], rows["label"], shapely.to_wkb(rows.geometry.to_numpy()), strict=True
        )
    ]


def _has_polygons(path: Path) -> bool:
    suffix = path.suffix.lower()
    return holds_geometry(path) if "parquet" in suffix else suffix not in _TABLES


def _polygons(path: Path) -> gpd.GeoDataFrame:
    """Return code, label and polygon of each row of a layer."""
    layer = read_layer(path, polygons=True)
    check_layer(layer, path)
    if layer.crs is None:
        msg = f"{shown(path)}: does not say in which coordinate system it is."
        raise InputFileError(msg, hint="Save it with one, as GeoPackage or GeoParquet do.")
    named = _named(layer, path)
    shapes = layer.geometry.to_numpy()
    empty = [code for code, shape in zip(named.ids, shapes, strict=True) if shape is None]
    if empty:
        msg = f"{shown(path)}: {len(empty)} territories have no shape, such as {empty[0]!r}."
        raise InputFileError(msg, hint="Take these rows out, or give their polygons.")
    return _table(named.ids, named.labels, layer.geometry)


def _districts(path: Path, settings: StudySettings, cache: Cache) -> gpd.GeoDataFrame:
    """Return the districts of a study that a table names by their codes."""
    named = _named(_frame(read_raw_table(path)), path)
    districts = read_study_area(settings, cache).districts.set_index("district_id")
    unknown = [code for code in named.ids if code not in districts.index]
    if unknown:
        msg = f"{shown(path)}: {settings.where} has no district {unknown[0]!r}"
        msg += f", nor {len(unknown) - 1} others." if len(unknown) > 1 else "."
        raise InputFileError(msg, hint=nearest_hint(unknown[0], list(map(str, districts.index))))
    chosen = districts.loc[list(named.ids)]
    return _table(named.ids, chosen["label"], chosen.geometry)


def _frame(raw: RawTable) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - only for a table

    return pd.DataFrame({name: list(raw.column(at)) for at, name in enumerate(raw.headings)})


def _table(codes: Sequence[str], labels: Any, shapes: gpd.GeoSeries) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - only for a table

    return gpd.GeoDataFrame(
        {"code": list(codes), "label": list(labels)},
        geometry=shapes.to_numpy(),
        crs=shapes.crs,
    )


def _named(table: pd.DataFrame, path: Path) -> NamedRows:
    """Return codes and names of the rows: a code that stands twice is told, not passed over."""
    by_code = find_column(table, ID_COLUMNS, unique=True) or find_column(table, ID_COLUMNS)
    named = named_rows(table, by_code, None, str(path))
    _check_codes(named.ids, path)
    return named


def _check_codes(codes: Sequence[str], path: Path) -> None:
    if not codes:
        msg = f"{shown(path)}: has no territory."
        raise InputFileError(msg, hint="Give a row for each, with a code.")
    if "" in codes:
        msg = f"{shown(path)}: row {list(codes).index('') + 1} has no code."
        raise InputFileError(msg, hint="Give every territory one.")
    often = [code for code, times in Counter(codes).items() if times > 1]
    if often:
        msg = f"{shown(path)}: two territories have the code {often[0]!r}."
        raise InputFileError(msg, hint="Give each a code of its own.")
