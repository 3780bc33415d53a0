"""Limits of communes as the State has them (geo.api.gouv.fr), by INSEE code."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

import shapely

from quart_heure.errors import GeometryError, InputFileError, TryLaterError
from quart_heure.sources.online.web import Web, hopeless_status
from quart_heure.sources.osm.boundaries import Boundary

COMMUNES_URL = "https://geo.api.gouv.fr"

_WITH_DISTRICTS = frozenset({"75056", "69123", "13055"})
"""Paris, Lyon and Marseille have municipal arrondissements."""

_SHAPE: Mapping[str, str | int] = {"format": "geojson", "geometry": "contour"}
_MUNICIPAL: Mapping[str, str | int] = {**_SHAPE, "type": "arrondissement-municipal"}


def commune_and_districts(
    web: Web, insee: str, *, url: str = COMMUNES_URL
) -> tuple[Boundary, tuple[Boundary, ...]]:
    """Return a commune, or a municipal arrondissement, and its arrondissements if it has any.

    Raises
    ------
    GeometryError
        If there is none with that code.
    TryLaterError
        If the service does not answer, or with something else.
    """
    code = urllib.parse.quote(insee, safe="")
    try:
        # Municipal arrondissements are found by their code as communes are.
        found = web.json("boundary", f"{url}/communes/{code}", params=_SHAPE)
    except InputFileError as error:
        if hopeless_status(error) != 404:
            raise
        msg = f"geo.api.gouv.fr knows no commune with the INSEE code {insee}."
        hint = "Check the code (Paris is 75056), or take --limits osm."
        raise GeometryError(msg, hint=hint) from error
    districts: list[Any] = []
    if insee in _WITH_DISTRICTS:
        params = {**_MUNICIPAL, "codeParent": insee}
        districts = _features(web.json("districts", f"{url}/communes", params=params))
    return _boundary(found), tuple(map(_boundary, districts))


def _features(answer: Any) -> list[Any]:
    found = answer.get("features") if isinstance(answer, Mapping) else None
    if not isinstance(found, list):
        msg = "geo.api.gouv.fr answers without any limits."
        raise TryLaterError(msg, hint="Fetch again later, or with --limits osm.")
    return found


def _boundary(feature: Any) -> Boundary:
    try:
        about = feature["properties"]
        shape = shapely.make_valid(shapely.geometry.shape(feature["geometry"]))
        tags = {"name": str(about["nom"]), "ref:INSEE": str(about["code"])}
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        msg = "geo.api.gouv.fr gives a limit without code, name or outline."
        raise TryLaterError(msg, hint="Fetch again later, or with --limits osm.") from error
    return Boundary(relation_id=0, tags=tags, geometry=shape)
