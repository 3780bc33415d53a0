"""Territories by name, INSEE code or file: their outline, their districts, and what is in reach."""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from quart_heure.errors import GeometryError, InputFileError
from quart_heure.fetch.communes import COMMUNES_URL, commune_and_districts
from quart_heure.files import sha256_of
from quart_heure.sources.areas.areas import StudyArea, area_from_districts, read_area
from quart_heure.sources.online.answers import Answer
from quart_heure.sources.online.overpass import LiveOsm
from quart_heure.sources.online.web import Web
from quart_heure.sources.osm.boundaries import (
    Boundary,
    choose_districts,
    commune_statement,
    district_layer,
    inner_boundaries_statement,
    read_boundaries,
)
from quart_heure.sources.projecting import metric_crs

if TYPE_CHECKING:
    import geopandas as gpd


LIMITS = ("osm", "gouv")
_STATE = "Take the outline that the State draws, with --limits gouv."
_FIRST_DAY = datetime.datetime(2012, 9, 12, tzinfo=datetime.UTC)
"""The past that servers keep begins on the day on which OpenStreetMap changed its licence."""

_COARSE_M = 50.0
_COARSE_DEGREES = 0.0003


@dataclasses.dataclass(frozen=True, kw_only=True)
class TerritoryRequest:
    """Which territory is asked for.

    Parameters
    ----------
    place
        A name for Nominatim, such as ``Lyon, France``.
    insee
        The INSEE code of a commune.
    polygon
        A file of polygons; each is a district.
    limits
        Who draws the limits of a commune: ``osm``, or ``gouv`` for the State's own.
    date
        A day or a moment of the past, ISO 8601, of which OpenStreetMap's data are asked for.

    Raises
    ------
    InputFileError
        If not exactly one territory is given, limits are asked of someone else, or the date is
        none or not past.
    """

    place: str = ""
    insee: str = ""
    polygon: Path | None = None
    limits: str = "osm"
    date: str = ""

    def __post_init__(self) -> None:
        """Tidy what was typed, and refuse two territories at a time, or none."""
        object.__setattr__(self, "place", " ".join(self.place.split()))
        object.__setattr__(self, "insee", self.insee.strip().upper())
        object.__setattr__(self, "date", _moment(self.date.strip()))
        given = len(self.asked.keys() - {"limits", "date"})
        if given != 1:
            msg = f"One territory is fetched at a time; {given} are given."
            hint = "Give a place name, an INSEE code or a file of polygons."
            raise InputFileError(msg, hint=hint)
        if self.limits not in LIMITS or (self.limits == "gouv" and not self.insee):
            msg = f"limits are {self.limits!r}, which does not go with {next(iter(self.asked))}."
            raise InputFileError(msg, hint="They are 'osm', or 'gouv' with an INSEE code.")

    @property
    def asked(self) -> dict[str, str]:
        """What is given, by kind."""
        file = "" if self.polygon is None else self.polygon.name
        given = {"place": self.place, "insee": self.insee, "polygon": file}
        given["limits"] = self.limits if self.limits != "osm" and self.insee else ""
        given["date"] = self.date
        return {kind: value for kind, value in given.items() if value}

    @property
    def key(self) -> dict[str, str]:
        """What is given, with the contents of the file instead of its name."""
        if self.polygon is None or not self.polygon.is_file():
            return self.asked
        return {"polygon": sha256_of(self.polygon), "date": self.date}


def _moment(text: str) -> str:
    """Return a day, or a moment, as Overpass wants it: a day stands for its beginning."""
    if not text:
        return ""
    hint = "Write it as 2024-01-01, or 2024-01-01T12:00:00Z."
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"--date is {text!r}, which is no date."
        raise InputFileError(msg, hint=hint) from error
    moment = moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    if not _FIRST_DAY <= moment <= datetime.datetime.now(datetime.UTC):
        msg = f"--date is {text}, not between {_FIRST_DAY:%Y-%m-%d} and today."
        raise InputFileError(msg, hint="Servers keep no days before that of the licence.")
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Territory:
    """A territory that was found.

    Parameters
    ----------
    name, full_name
        In short and in full.
    relation_id
        Its boundary relation, 0 if it came from a file.
    districts
        Columns district_id, label, name; polygons in degrees, on the grid of six decimals that the
        file will have.
    area
        The same as a study area.
    answers
        What the servers were asked on the way.
    """

    name: str
    full_name: str
    relation_id: int
    districts: gpd.GeoDataFrame
    area: StudyArea
    answers: Mapping[str, Answer]


def find_territory(
    live: LiveOsm,
    request: TerritoryRequest,
    *,
    largest_km2: float,
    web: Web | None = None,
    communes_url: str = COMMUNES_URL,
) -> Territory:
    """Find the outline of a territory and its districts.

    A metropolis has its communes as districts, a commune its municipal arrondissements or its
    quarters, and where OpenStreetMap knows none of these, itself.

    Raises
    ------
    GeometryError
        If there is no such place, or it is larger than allowed.
    InputFileError, CrsError
        If the file of polygons cannot be used.
    """
    if request.polygon is not None:
        return _from_file(request.polygon, largest_km2)
    if request.limits == "gouv":
        return _from_state(web or Web(), request.insee, largest_km2, communes_url)
    answers: dict[str, Answer] = {}
    if request.place:
        found = live.place(request.place)
        full_name = found.full_name
        whole = Boundary(
            relation_id=found.relation_id, tags={"name": found.name}, geometry=found.geometry
        )
    else:
        answers["boundary"] = live.query("boundary", commune_statement(request.insee))
        whole = _commune(answers["boundary"], request.insee)
        full_name = whole.name
    _check_size(whole.geometry, whole.name, largest_km2)
    coarse = shapely.make_valid(shapely.simplify(whole.geometry, _COARSE_DEGREES))
    answers["districts"] = live.query("districts", inner_boundaries_statement(coarse))
    around = read_boundaries(answers["districts"].elements)
    itself = tuple(each for each in around if each.relation_id == whole.relation_id)
    districts = choose_districts(around, whole.geometry) or itself or (whole,)
    return _territory(
        whole.name,
        district_layer(districts),
        full_name=full_name,
        relation_id=whole.relation_id,
        answers=answers,
    )


def reach_polygon(area: StudyArea, *, reach_m: float) -> shapely.Geometry:
    """Return an area and all within reach of it, in degrees, with a coarse outline.

    It is never smaller than asked: servers are slow with outlines of thousands of points.
    """
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    wide = shapely.buffer(area.geometry, reach_m + _COARSE_M)
    degrees = gpd.GeoSeries([shapely.simplify(wide, _COARSE_M)], crs=area.crs).to_crs(4326).iloc[0]
    return shapely.make_valid(_rounded(degrees))


def _from_file(path: Path, largest_km2: float) -> Territory:
    area = read_area(path)
    layer = area.districts.to_crs(4326)
    _check_size(layer.geometry.union_all(), area.name, largest_km2)
    return _territory(area.name, layer.assign(name=layer["label"]), full_name=area.name)


def _from_state(web: Web, insee: str, largest_km2: float, url: str) -> Territory:
    commune_statement(insee)  # a code that is none is not asked for
    whole, districts = commune_and_districts(web, insee, url=url)
    _check_size(whole.geometry, whole.name, largest_km2)
    return _territory(whole.name, district_layer(districts or (whole,)), full_name=whole.name)


def _territory(
    name: str,
    layer: gpd.GeoDataFrame,
    *,
    full_name: str,
    relation_id: int = 0,
    answers: Mapping[str, Answer] | None = None,
) -> Territory:
    on_grid = layer.set_geometry([_rounded(shape) for shape in layer.geometry], crs=4326)
    return Territory(
        name=name,
        full_name=full_name,
        relation_id=relation_id,
        districts=on_grid,
        area=area_from_districts(on_grid, name=name, origin=name),
        answers=answers or {},
    )


def _commune(answer: Answer, insee: str) -> Boundary:
    found = [b for b in read_boundaries(answer.elements) if b.tags.get("ref:INSEE") == insee]
    if found:
        return found[0]
    if any(element["type"] == "relation" for element in answer.elements):
        msg = f"The boundary with the INSEE code {insee} is not closed in OpenStreetMap now."
        raise GeometryError(msg, hint=f"{_STATE} Or give it as a file, with --polygon.")
    msg = f"OpenStreetMap knows no commune with the INSEE code {insee}."
    raise GeometryError(msg, hint=f"Check the code (Paris is 75056). {_STATE}")


def _check_size(geometry: shapely.Geometry, name: str, largest_km2: float) -> None:
    import geopandas as gpd  # noqa: PLC0415

    metric = gpd.GeoSeries([geometry], crs=4326).to_crs(metric_crs(geometry))
    area_km2 = float(metric.area.iloc[0]) / 1e6
    if area_km2 > largest_km2:
        msg = f"{name} has {area_km2:,.0f} km², more than the {largest_km2:,.0f} km² allowed."
        hint = "Use a file of OpenStreetMap data: the public servers are for smaller areas."
        raise GeometryError(msg, hint=hint)


def _rounded(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape in degrees on the grid of six decimals that files have, valid there."""
    on_grid = shapely.set_precision(shape, 1e-6)
    return shapely.transform(on_grid, functools.partial(np.round, decimals=6))
