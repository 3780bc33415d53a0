"""The geolocalised file of FINESS, the State's register of health and social establishments.

It has no headings. Its first line says what it is (``finess;etalab;111;2026-05-12``); the lines
``structureet`` are establishments, and further down the lines ``geolocalisation`` place them, each
in the projection that it names: Lambert 93, or the UTM zone of a department overseas.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray

from quart_heure.categories import Category
from quart_heure.errors import InputFileError
from quart_heure.sources.projecting import transformer
from quart_heure.sources.raw_tables import LARGEST_FILE_BYTES
from quart_heure.sources.services.category_rules import read_categories
from quart_heure.sources.services.coordinates import to_number
from quart_heure.sources.services.extracts import Extract, Told, with_columns
from quart_heure.sources.services.rows import KEPT
from quart_heure.sources.text_columns import RawTable

COLUMNS = (
    *("nofinesset", "nofinessej", "rs", "rslongue", "complrs", "compldistrib", "numvoie"),
    *("typvoie", "voie", "compvoie", "lieuditbp", "commune", "departement", "libdepartement"),
    *("ligneacheminement", "telephone", "telecopie", "categetab", "libcategetab"),
    *("categagretab", "libcategagretab", "siret", "codeape", "codemft", "libmft", "codesph"),
    *("libsph", "dateouv", "dateautor", "datemaj", "numuai"),
)
"""What the cells of an establishment are, behind the word ``structureet``."""

PROJECTIONS: Mapping[str, int] = {
    "LAMBERT_93": 2154,
    "UTM_N20": 5490,
    "UTM_N21": 4467,
    "UTM_N22": 2972,
    "UTM_S38": 4471,
    "UTM_S40": 2975,
}
"""Projections by the names of older files: metropolitan France; Guadeloupe and Martinique;
Saint-Pierre-et-Miquelon; Guyane; Mayotte; La Réunion. Newer ones write ``EPSG:2154``."""

_FIRST_LINE = re.compile(rb'(?:\xef\xbb\xbf)?"?finess"?;"?etalab"?;', re.IGNORECASE)
_EPSG = re.compile(r"EPSG:(\d{4,5})\b")
_LEAST_CELLS = 1 + COLUMNS.index("libcategetab") + 1
_NOT_READ = "not read"
_LOW_SCORE = 70.0
"""Matches of a geocoder below this, of 100, are doubted."""


def is_finess(path: Path) -> bool:
    """Tell by its first line whether a file is an extract of FINESS."""
    try:
        with path.open("rb") as file:
            return _FIRST_LINE.match(file.read(64)) is not None
    except OSError:
        return False


def read_finess(path: Path, *, category: str = "", catalogue: Mapping[str, Category]) -> Extract:
    """Read an extract of FINESS in our columns.

    Parameters
    ----------
    path
        As it comes.
    category
        Of the whole file, as the study says.
    catalogue
        Categories. An establishment is of the one that has the label of its kind (``Centre
        Social``) among its words, or its code, as ``finess 220``.

    Raises
    ------
    InputFileError
        If it cannot be read, or holds no establishment.
    """
    date, structures, places, others, broken = _lines(path)
    if not structures:
        msg = f"{path}: is an extract of FINESS without any establishment."
        raise InputFileError(msg, hint="Download it again from data.gouv.fr.")
    numbers = tuple(structures)
    cells = list(structures.values())
    texts = {name: [row[n] for row in cells] for n, name in enumerate(COLUMNS)}
    told: list[Told] = []
    degrees = _degrees(texts["nofinesset"], places, told)
    table = RawTable(
        headings=COLUMNS,
        numbers=numbers,
        column=lambda at: texts[COLUMNS[at]],
        degrees=degrees,
        shifted=np.array([number in broken for number in numbers], dtype=bool),
        doubts=_doubts(texts["nofinesset"], places, others),
    )
    ours = {
        "service_id": [f"finess-{number}" for number in texts["nofinesset"]],
        "category": _categories(texts, category, catalogue),
        "name": [long or short for long, short in zip(texts["rslongue"], texts["rs"], strict=True)],
        "address": [_joined(texts, row) for row in range(len(cells))],
        "postcode": [line[:5] if line[:5].isdigit() else "" for line in texts["ligneacheminement"]],
        "valid_from": [text if _is_date(text) else "" for text in texts["dateouv"]],
        "source": ["FINESS"] * len(cells),
        "source_date": [date] * len(cells),
        "notes": [
            f"{label} (FINESS {code})" if code else label
            for label, code in zip(texts["libcategetab"], texts["categetab"], strict=True)
        ],
    }
    return Extract(table=with_columns(table, ours), told=told)


_Place = tuple[str, str, str]
"""Easting, northing, and what is said of them."""


def _lines(
    path: Path,
) -> tuple[str, dict[int, list[str]], dict[str, list[_Place]], Counter[str], set[int]]:
    """Return the date of a file, and its lines by kind.

    Establishments come by the number of their row, from 1 below the first line; places by the
    number of their establishment; other lines are counted; rows are ``broken`` that have more or
    fewer cells than they may.
    """
    structures: dict[int, list[str]] = {}
    places: dict[str, list[_Place]] = {}
    others: Counter[str] = Counter()
    broken: set[int] = set()
    rows = _rows(path)
    first = next(rows, (0, []))[1]
    date = next((cell for cell in first[2:] if _is_date(cell)), "")
    for number, row in rows:
        kind = row[0].lower()
        if kind == "structureet":
            cells = row[1 : len(COLUMNS) + 1]
            if len(row) < _LEAST_CELLS or any(row[len(COLUMNS) + 1 :]):
                broken.add(number)
            structures[number] = cells + [""] * (len(COLUMNS) - len(cells))
        elif kind == "geolocalisation" and len(row) >= 4:
            places.setdefault(row[1], []).append((row[2], row[3], row[4] if len(row) > 4 else ""))
        elif any(row):
            others[row[0][:40] or "nothing"] += 1
    return date, structures, places, others, broken


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            msg = f"{path}: holds more than {LARGEST_FILE_BYTES / 1e6:,.0f} MB."
            raise InputFileError(msg, hint="Give an extract of FINESS as it comes.")
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})."
        raise InputFileError(msg, hint="Check that it is a file you may read.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # So the files of before 2022 were written.
        text = content.decode("cp1252", errors="replace")
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=";", strict=True)
    try:
        for number, row in enumerate(reader):
            if row:
                yield number, [" ".join(cell.split()) for cell in row]
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: {error}."
        raise InputFileError(msg, hint="Check the quotes around that line.") from error


def _categories(
    texts: Mapping[str, Sequence[str]], category: str, catalogue: Mapping[str, Category]
) -> list[str]:
    """Return the category of each establishment; label and code of its kind, where it has none."""
    labels, codes = texts["libcategetab"], texts["categetab"]
    if category:
        return [""] * len(labels)
    by_label = read_categories(labels, catalogue)
    by_code = read_categories([f"finess {code}" if code else "" for code in codes], catalogue)
    return [
        of_code or of_label or " ".join(part for part in (code, label) if part)
        for of_code, of_label, code, label in zip(by_code, by_label, codes, labels, strict=True)
    ]


def _degrees(
    ids: Sequence[str], places: Mapping[str, Sequence[_Place]], told: list[Told]
) -> NDArray[np.float64]:
    """Return longitude and latitude of each establishment, NaN where no line places it."""
    degrees = np.full((len(ids), 2), np.nan)
    by_crs: dict[int, list[tuple[int, float, float]]] = {}
    for row, number in enumerate(ids):
        here = places.get(number, ())
        if not here:
            continue
        x, y, said = here[0]
        if len({place[:2] for place in here}) > 1:
            reason = f"{len(here)} lines place it"
            told.append(Told(at=row, field="coordinates", value="", reason=reason, action=KEPT))
        crs = _projection(said)
        easting, northing = to_number(x), to_number(y)
        if crs is None and np.isfinite([easting, northing]).all():
            reason = "its projection is not known"
            action = "not placed"
            told.append(
                Told(at=row, field="sourcecoordet", value=said, reason=reason, action=action)
            )
        elif crs is not None:
            by_crs.setdefault(crs, []).append((row, easting, northing))
        score = _score(said)
        if score < _LOW_SCORE:
            reason = f"a geocoder's match of {score:g} of 100"
            told.append(Told(at=row, field="coordinates", value="", reason=reason, action=KEPT))
    for crs, found in by_crs.items():
        rows = np.array([row for row, _, _ in found], dtype=np.intp)
        metres = np.array([[x, y] for _, x, y in found], dtype=float)
        to_degrees = transformer(crs, 4326)
        degrees[rows] = np.stack(to_degrees.transform(metres[:, 0], metres[:, 1]), axis=1)
    degrees[~np.isfinite(degrees).all(axis=1)] = np.nan
    return degrees


def _projection(said: str) -> int | None:
    """Return the EPSG code that the source of coordinates ends with, None if it names none."""
    if found := _EPSG.search(said):
        code = int(found[1])
        return code if code in PROJECTIONS.values() or _is_projection(code) else None
    return PROJECTIONS.get(said.rpartition(",")[2].strip().upper())


def _is_projection(code: int) -> bool:
    try:
        return bool(pyproj.CRS.from_epsg(code).is_projected)
    except pyproj.exceptions.CRSError:
        return False


def _score(said: str) -> float:
    """Return the score of the geocoder, ``2,ATLASANTE,89,BAN,…``; NaN if there is none."""
    parts = said.split(",")
    return to_number(parts[2]) if len(parts) > 3 else float("nan")


def _doubts(
    ids: Sequence[str], places: Mapping[str, Sequence[_Place]], others: Mapping[str, int]
) -> tuple[tuple[str, str, str, str], ...]:
    known = set(ids)
    unknown = sum(len(found) for number, found in places.items() if number not in known)
    doubts = [
        ("line", f"{kind}: {count}", "neither an establishment nor a place", _NOT_READ)
        for kind, count in sorted(others.items())
    ]
    if unknown:
        reason = "places of no establishment in the file"
        doubts.append(("line", f"geolocalisation: {unknown}", reason, _NOT_READ))
    return tuple(doubts)


def _joined(texts: Mapping[str, Sequence[str]], row: int) -> str:
    parts = (texts[name][row] for name in ("numvoie", "compvoie", "typvoie", "voie"))
    return " ".join(part for part in parts if part) or texts["lieuditbp"][row]


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False
