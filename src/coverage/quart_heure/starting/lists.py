"""Lists of services as they were found: what their columns and their words are taken for."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import shapely

from quart_heure.categories import Category
from quart_heure.sources.projecting import metric_crs, transformer
from quart_heure.sources.services.category_rules import category_words, read_categories
from quart_heure.sources.services.columns import find_columns
from quart_heure.sources.services.coordinates import to_number
from quart_heure.sources.services.discretion import hidden_rows, is_discreet
from quart_heure.sources.services.duplicates import name_key
from quart_heure.sources.text_columns import RawTable
from quart_heure.sources.workbooks import WORKBOOKS

if TYPE_CHECKING:
    import geopandas as gpd

PLACED = "_placed"
"""Ends the name of a list that was given coordinates, after that of the list itself."""

_NEAR, _SURE = 70.0, 90.0
"""How alike a word is to that of a category to be proposed, and to be hardly anything else."""

_NEAR_DEG = 0.1
_OF_FRANCE = (2154, 3857, *range(3942, 3951), 27572)
"""Lambert-93, Web Mercator, the conformal zones, and the Lambert of before."""

_Match = tuple[str, float]
_COMMON = frozenset({"solidaire", "sociale", "social", "sociaux", "solidarity", "municipal"})


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ServiceList:
    """A table of places.

    Parameters
    ----------
    file, part
        Where it is: a sheet or a layer of the file, "" where that is the only one.
    table
        Its rows.
    position
        The column of each field that was found under a usual heading, or one that was named.
    columns
        Headings that were named, by field.
    category
        Category of all its rows, "" where a column tells it.
    crs
        Of the columns of coordinates, where they are metres.
    alone
        Whether other sheets or layers of the file with places are not wanted.
    """

    file: Path
    part: str
    table: RawTable
    position: Mapping[str, int]
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    category: str = ""
    crs: str = ""
    alone: bool = False

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"{self.file.name}, {self.part}" if self.part else self.file.name

    @property
    def has_places(self) -> bool:
        """Whether a column, or the shapes, tell where its rows are."""
        at = self.position
        if self.table.degrees is not None or "point" in at:
            return True
        if not {"longitude", "latitude"} <= at.keys():
            return False
        # Headings alone, such as those that somebody meant to fill in, place nothing.
        return any(self.texts("longitude"))

    def metres(self) -> list[tuple[float, float]]:
        """Return the coordinates that two columns hold, where they are no degrees."""
        if self.table.degrees is not None or "longitude" not in self.position:
            return []
        pairs = zip(
            *(map(to_number, self.texts(n)) for n in ("longitude", "latitude")), strict=True
        )
        known = [(x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
        return known if any(abs(x) > 180 for x, _ in known) else []

    @property
    def unplaced(self) -> int:
        """How many rows tell an address and no place."""
        if self.table.degrees is not None or "address" not in self.position:
            return 0
        columns = [self.texts(field) for field in ("point", "longitude") if field in self.position]
        rows = zip(self.texts("address"), *columns, strict=True)
        return sum(bool(address) and not any(places) for address, *places in rows)

    @property
    def tells_category(self) -> bool:
        """Whether the list says what its places are."""
        return bool(self.category) or "category" in self.position

    def texts(self, field: str) -> list[str]:
        """Return the texts of a field, none where it has no column."""
        if field not in self.position:
            return []
        return [text.strip() for text in self.table.column(self.position[field])]

    def read_as(self) -> list[tuple[str, str]]:
        """Return the headings that are read, and the field that each is taken for."""
        headings = self.table.headings
        ordered = sorted((at, field) for field, at in self.position.items())
        return [(headings[at].strip(), field) for at, field in ordered]

    def example(self) -> Mapping[str, str]:
        """Return what one row says under each heading: the fullest of those that may be shown."""
        headings = self.table.headings
        columns = [self.table.column(at) for at in range(len(headings))]
        fields = {at: field for field, at in self.position.items()}
        of_rows = [(h, fields.get(at, ""), columns[at]) for at, h in enumerate(headings)]
        said = self.texts("discreet") or [""] * len(self.table)
        secret = hidden_rows(of_rows, said)
        hidden = [bool(s) or is_discreet(text) for s, text in zip(secret, said, strict=True)]
        shown = [row for row in range(len(self.table)) if not hidden[row]]
        if not shown:
            return {}
        best = max(shown, key=lambda row: (sum(bool(c[row].strip()) for c in columns), -row))
        return {h: columns[at][best].strip() for at, h in enumerate(headings)}

    def not_read(self) -> list[str]:
        """Return the headings that stand for nothing we know."""
        taken = set(self.position.values())
        return [h.strip() for at, h in enumerate(self.table.headings) if at not in taken and h]

    def unknown_words(self, catalogue: Mapping[str, Category]) -> dict[str, int]:
        """Return the words for a category that are not understood, and how many rows have each."""
        said = [] if self.category else self.texts("category")
        categories = read_categories(said, catalogue)
        # The number of a line of totals is no word.
        words = zip(said, categories, strict=True)
        return dict(Counter(w for w, c in words if re.search(r"[^\W\d]{2}", w) and not c))

    def categories(self, catalogue: Mapping[str, Category]) -> set[str]:
        """Return the categories that occur in it."""
        if self.category:
            return {self.category}
        return {one for one in read_categories(self.texts("category"), catalogue) if one}


def as_list(
    path: Path, table: RawTable, columns: Mapping[str, str] | None = None
) -> ServiceList | None:
    """Return a table as a list of services, None if nothing in it tells of a place.

    Parameters
    ----------
    path, table
        The file, and the table in it.
    columns
        Headings of fields, where they are not found.

    Raises
    ------
    InputFileError
        If a heading that is named is not there.
    """
    # One that is named and is another sheet's is not this one's.
    known = {f: h for f, h in (columns or {}).items() if h in table.headings}
    values = functools.cache(table.column)
    found = find_columns(table.headings, known, values=values, file=path)
    at = found.position
    placed = table.degrees is not None or "point" in at or {"longitude", "latitude"} <= at.keys()
    if not placed and "address" not in at:
        return None
    return ServiceList(file=path, part=table.part, table=table, position=at, columns=known)


def crs_by_place(one: ServiceList, area: gpd.GeoSeries) -> str:
    """Return the CRS in which most places of a list lie in or near an area, "" if there is none.

    Tried are that of the area, those of France, and the zone of the place.
    """
    xy = one.metres()
    x, y = np.array(xy).reshape(-1, 2).T
    west, south, east, north = area.to_crs(4326).total_bounds
    around = shapely.buffer(shapely.box(west, south, east, north), _NEAR_DEG)
    own = pyproj.CRS(area.crs).to_epsg()
    zone = metric_crs(shapely.box(west, south, east, north)).to_epsg()
    for code in dict.fromkeys([own, zone, *_OF_FRANCE]):
        if not xy or code is None or code == 4326:
            continue
        to_degrees = transformer(code, 4326)
        lon, lat = to_degrees.transform(x, y)
        near = shapely.intersects_xy(around, lon, lat)
        if 2 * np.count_nonzero(near) > len(xy):
            return f"EPSG:{code}"
    return ""


def in_place_of_others(lists: Sequence[ServiceList]) -> list[ServiceList]:
    """Leave out lists that another one was made of by giving it coordinates."""
    names = {one.file.stem for one in lists}
    return [one for one in lists if placed_name(one.file).stem not in names]


def placed_name(file: Path) -> Path:
    """Return what a list is called once it was given coordinates."""
    return file.with_name(f"{file.stem}{PLACED}.csv")


def geocoding_command(one: ServiceList, folder: Path) -> str:
    """Return the command that gives a list coordinates, as it is typed in a folder."""
    sheet = ["--sheet", one.part] if one.part and one.file.suffix.lower() in WORKBOOKS else []
    file, placed = (_from(path, folder) for path in (one.file, placed_name(one.file)))
    return shlex.join(["quart-heure", "geocode", file, *sheet, "-o", placed])


def _from(path: Path, folder: Path) -> str:
    try:
        return str(path.resolve().relative_to(folder.resolve()))
    except ValueError:
        return str(path)


def column_of_categories(one: ServiceList, catalogue: Mapping[str, Category]) -> str:
    """Return the heading, of those not read, whose words are mostly those of categories, or ""."""
    best, heading = 0.5, ""
    for name in one.not_read():
        said = [t.strip() for t in one.table.column(one.table.headings.index(name)) if t.strip()]
        if 2 * len(said) < len(one.table):
            continue
        understood = sum(map(bool, read_categories(said, catalogue)))
        if understood / len(said) >= best and len(set(said)) > 1:
            best, heading = understood / len(said), name
    return heading


def category_named(title: str, catalogue: Mapping[str, Category]) -> str:
    """Return the category whose whole name stands in a title, the longest; "" if none does."""
    words = set(name_key(title).split())
    named = [
        (len(said), category)
        for key, category in _keys(catalogue).items()
        if (said := set(key.split())) <= words
    ]
    return max(named)[1] if named else ""


def near_categories(
    words: Iterable[str], catalogue: Mapping[str, Category]
) -> dict[str, tuple[str, bool]]:
    """Return for each word the category that it most likely means, and whether it is hardly else.

    A word that is like none is left out. Nothing of it is ever taken without a word.
    """
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - only where a word is not known

    whole = _keys(catalogue)
    own = {_own_words(key): category for key, category in reversed(whole.items())}
    found = {}

    def likeliest(key: str, known: Mapping[str, str], scorer: Callable[..., float]) -> _Match:
        said, score, _ = process.extractOne(key, list(known), scorer=scorer)
        return known[said], float(score)

    for word in words:
        key = name_key(word)
        category, score = likeliest(key, whole, fuzz.token_sort_ratio)
        if score >= _SURE:
            found[word] = category, True
            continue
        for scorer, least in ((fuzz.token_sort_ratio, _NEAR), (fuzz.token_set_ratio, 99.0)):
            category, score = likeliest(_own_words(key), own, scorer)
            if score >= least:
                found[word] = category, False
                break
    return found


def _own_words(key: str) -> str:
    """Return a name without the words that many kinds of services have, if others are left."""
    own = [word for word in key.split() if word not in _COMMON]
    return " ".join(own) or key


def _keys(catalogue: Mapping[str, Category]) -> dict[str, str]:
    """Return what names of categories have in common with other spellings of them."""
    known: dict[str, str] = {}
    for category in catalogue.values():
        for said in (category.fr, category.en, category.id.replace("_", " "), *category.portal):
            # Codes and single letters of portals are like anything.
            if len(name_key(said)) >= 3 and not said.isdigit():
                known.setdefault(name_key(said), category.id)
    return known


def words_of(
    category: Category, more: Iterable[str], catalogue: Mapping[str, Category]
) -> list[str]:
    """Return the words by which a category is understood, with some more."""
    known = category_words(catalogue)
    new = [word for word in more if known.get(word) is None]
    return list(dict.fromkeys([*category.portal, *new]))
