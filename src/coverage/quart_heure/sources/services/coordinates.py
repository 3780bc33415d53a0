"""Coordinates of rows: from two columns, from one text, in degrees or in metres."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from quart_heure.errors import CrsError
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.sources.projecting import check_places, transformer

_NUMBER = r"[-+]?\d{1,12}(?:\.\d{0,20})?(?:[eE][-+]?\d{1,2})?"
_BREAK = r"(?:\s*[,;|/]\s*|\s+)"
_PAIR = re.compile(rf"[\[(\s]*({_NUMBER}){_BREAK}({_NUMBER})[\])\s]*$")
# Decimal commas: what parts the two numbers is then something else, or a comma and a space.
_COMMAS = re.compile(
    r"[\[(\s]*([-+]?\d{1,12},\d{1,20})(?:\s*[;|/]\s*|,?\s+)([-+]?\d{1,12},\d{1,20})[\])\s]*$"
)
_WKT = re.compile(
    rf"(?:SRID=\d{{1,6}};)?\s*(?:MULTI)?POINT\s*(?:Z|M|ZM)?\s*\(+\s*({_NUMBER})\s+({_NUMBER})"
    rf"(?:\s+{_NUMBER}){{0,2}}\s*\)+\s*$",
    re.IGNORECASE,
)
_GEOJSON = re.compile(
    rf'"coordinates"\s*:\s*\[+\s*({_NUMBER})\s*,\s*({_NUMBER})(?:\s*,\s*{_NUMBER})?\s*\]+\s*(?:\}}|,\s*")'
)
_LONGITUDE = re.compile(
    rf'["\'](?:lon|lng|long|longitude|x)["\']\s*:\s*"?({_NUMBER})', re.IGNORECASE
)
_LATITUDE = re.compile(rf'["\'](?:lat|latitude|y)["\']\s*:\s*"?({_NUMBER})', re.IGNORECASE)
_UNIT = r"[°º˚]"
_DEGREES = re.compile(
    # 48°51'30.5"N, N 48° 51,508', 2° 21′ 03″ O, 48.8566° N: with a mark of degrees or a letter.
    rf"""(?P<before>[NSEWO])?\s*(?P<sign>[-+])?(?P<deg>\d{{1,3}}(?:[.,]\d+)?)\s*(?:{_UNIT}|deg\b|d\b)?
    (?:\s*(?P<min>\d{{1,2}}(?:[.,]\d+)?)\s*['’′´])?
    (?:\s*(?P<sec>\d{{1,2}}(?:[.,]\d+)?)\s*(?:"|″|”|''|’’|′′))?
    \s*(?P<after>[NSEWO](?![a-z]))?""",
    re.IGNORECASE | re.VERBOSE,
)
_BELOW, _SOUTH_WEST, _NORTH_SOUTH = 60.0, "SWO", "NS"

_METRES = 1_000.0
"""Beyond this on both axes of every row, a file holds metres."""

_NEAR_DEG = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Located:
    """Where rows are.

    Parameters
    ----------
    degrees
        Longitude and latitude of each row, NaN where the row does not say.
    doubts
        What is doubtful in the column as a whole: field, value, reason, action.
    """

    degrees: NDArray[np.float64]
    doubts: tuple[tuple[str, str, str, str], ...] = ()


def to_number(text: str | None) -> float:
    """Return a text as a number, with a decimal point or comma; NaN if it is none."""
    try:
        return float((text or "").strip().replace(",", "."))
    except ValueError:
        return float("nan")


def to_degree(text: str | None) -> float:
    r"""Return an angle as degrees: a number, or degrees, minutes and seconds; NaN if it is none.

    O stands for *ouest*, as in French.

    Examples
    --------
    >>> to_degree("48°51'30\"N"), to_degree("2° 21' 36'' O"), to_degree("N 48° 30,6'")
    (48.858333333333334, -2.36, 48.51)
    """
    number = to_number(text)
    if math.isnan(number) and text:
        angle = _DEGREES.fullmatch(text.strip())
        return _angle(angle) if angle else number
    return number


def _angle(angle: re.Match[str]) -> float:
    """Return the degrees of an angle that was read, NaN if it is none."""
    degree, minute, second = (to_number(angle[part] or "0") for part in ("deg", "min", "sec"))
    letters = [letter for letter in (angle["before"], angle["after"]) if letter]
    marked = letters or re.search(_UNIT, angle[0])
    broken = (degree % 1 and (minute or second)) or (minute % 1 and second)
    if not marked or broken or minute >= _BELOW or second >= _BELOW or len(letters) == 2:
        return float("nan")
    value = degree + minute / 60 + second / 3600
    south_west = bool(letters) and letters[0].upper() in _SOUTH_WEST
    return -value if south_west or angle["sign"] == "-" else value


_SCORES = ("resultscore", "geocodescore")
_KINDS = ("resulttype", "geocodetype")
_COARSE = frozenset({"municipality", "city", "locality", "hamlet", "district"})
_LEAST_SCORE = 0.5


def weak_matches(
    headings: Sequence[str], values: Callable[[int], Sequence[str]]
) -> list[tuple[int, str]]:
    """Return the rows of a geocoded table that were placed by guess, and why.

    Parameters
    ----------
    headings
        In small letters and without signs.
    values
        Gives the texts of the column at a position.

    Notes
    -----
    The columns are those that the French national geocoder adds (``result_score``,
    ``result_type``), and our own. A place found by its commune alone is that commune's middle.
    """
    found: dict[int, str] = {}
    for at, heading in enumerate(headings):
        for row, text in enumerate(values(at)) if heading in (*_SCORES, *_KINDS) else ():
            if heading in _KINDS and text.strip().lower() in _COARSE:
                found[row] = f"geocoded as a {text.strip().lower()}"
            elif heading in _SCORES and to_number(text) < _LEAST_SCORE:
                found.setdefault(row, f"geocoded with a score of {to_number(text):g}")
    return sorted(found.items())


def near_box(area: StudyArea) -> shapely.Polygon:
    """Return, in degrees, the box of an area and about ten kilometres around it."""
    import geopandas as gpd  # noqa: PLC0415 - see the note on imports in the package

    bounds = gpd.GeoSeries([shapely.box(*area.geometry.bounds)], crs=area.crs).to_crs(4326)
    west, south, east, north = bounds.total_bounds
    return shapely.box(west - _NEAR_DEG, south - _NEAR_DEG, east + _NEAR_DEG, north + _NEAR_DEG)


def locate_pairs(
    x: Sequence[str], y: Sequence[str], *, crs: str = "", where: Path | str = ""
) -> Located:
    """Read two columns: longitude and latitude, or easting and northing in a CRS.

    Raises
    ------
    CrsError
        If the CRS is not known, or none is given for what can only be metres.
    """
    values = np.stack([_numbers(x), _numbers(y)], axis=1)
    return Located(degrees=_to_degrees(values, crs, where))


def locate_texts(
    texts: Sequence[str], near: shapely.Geometry, *, crs: str = "", where: Path | str = ""
) -> Located:
    """Read one column of places in words.

    Parameters
    ----------
    texts
        Pairs such as ``48.85, 2.35`` (or the other way round), ``{"lon": 2.35, "lat": 48.85}``,
        ``POINT (2.35 48.85)``, GeoJSON.
    near
        Box of the study area in degrees: tells which of two numbers is the latitude. The whole
        column decides; where it does not, portals write the latitude first, and a doubt is told.
    crs, where
        See `locate_pairs`.
    """
    read = [_read_place(text) for text in texts]
    values = np.array([[a, b] for a, b, _ in read], dtype=float).reshape(-1, 2)
    bare = np.array([not ordered for _, _, ordered in read], dtype=bool)
    if crs and not _is_degrees(crs, where):
        return Located(degrees=_to_degrees(values, crs, where))
    bare &= np.isfinite(values).all(axis=1)
    first_is_longitude = int(shapely.contains_xy(near, values[bare]).sum())
    swapped = values[:, ::-1]
    first_is_latitude = int(shapely.contains_xy(near, swapped[bare]).sum())
    doubts: tuple[tuple[str, str, str, str], ...] = ()
    latitude_first = first_is_latitude >= first_is_longitude
    if bare.any() and (first_is_latitude > 0) == (first_is_longitude > 0):
        order = "latitude, longitude" if latitude_first else "longitude, latitude"
        reason = "not certain which number is the latitude"
        doubts = (("coordinates", "", reason, f"read as {order}"),)
    if latitude_first:
        values[bare] = swapped[bare]
    return Located(degrees=_to_degrees(values, "", where), doubts=doubts)


def _numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    try:
        return np.array(list(map(float, texts)), dtype=float)
    except ValueError:  # one has a decimal comma, or is no number
        return np.array(list(map(to_degree, texts)), dtype=float)


def _read_place(text: str) -> tuple[float, float, bool]:
    """Return two numbers of a text, and whether the first is sure to be the longitude."""
    text = " ".join(text.split())
    for pattern in (_PAIR, _COMMAS):
        if pair := pattern.match(text):
            return to_number(pair[1]), to_number(pair[2]), False
    angles = _two_angles(text)
    if angles is not None:
        return angles
    for pattern in (_WKT, _GEOJSON):
        if place := pattern.search(text):
            return float(place[1]), float(place[2]), True
    longitude, latitude = _LONGITUDE.search(text), _LATITUDE.search(text)
    if longitude and latitude:
        return float(longitude[1]), float(latitude[1]), True
    return float("nan"), float("nan"), True


def _two_angles(text: str) -> tuple[float, float, bool] | None:
    """Read two angles in degrees, minutes and seconds; their letters say which is the longitude."""
    first = _DEGREES.match(text)
    if first is None or not (rest := text[first.end() :].lstrip(" ,;/|")):
        return None
    second = _DEGREES.fullmatch(rest)
    if second is None:
        return None
    one, other = _angle(first), _angle(second)
    if math.isnan(one) or math.isnan(other):
        return None
    letters = [(angle["before"] or angle["after"] or "").upper() for angle in (first, second)]
    if not all(letters):
        return one, other, False
    along = [letter in _NORTH_SOUTH for letter in letters]
    if along[0] == along[1]:
        return None
    return (other, one, True) if along[0] else (one, other, True)


def _crs(text: str, where: Path | str) -> pyproj.CRS:
    try:
        crs = pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        msg = f"{where}: there is no CRS {text!r}."
        raise CrsError(msg, hint='Write it as "EPSG:2154".') from error
    return check_places(crs, where)


def _is_degrees(crs: str, where: Path | str) -> bool:
    return _crs(crs, where).equals(pyproj.CRS.from_epsg(4326), ignore_axis_order=True)


def _to_degrees(values: NDArray[np.float64], crs: str, where: Path | str) -> NDArray[np.float64]:
    if crs and not _is_degrees(crs, where):
        move = transformer(_crs(crs, where), 4326)
        degrees = np.stack(move.transform(values[:, 0], values[:, 1]), axis=1)
        degrees[~np.isfinite(degrees).all(axis=1)] = np.nan
        return degrees
    known = values[np.isfinite(values).all(axis=1)]
    if not crs and len(known) and (np.abs(known) > _METRES).all():
        msg = f"{where}: its coordinates are not degrees ({known[0, 0]:g}, {known[0, 1]:g})."
        raise CrsError(msg, hint='Say which metres they are: crs = "EPSG:2154" in [services].')
    return values
