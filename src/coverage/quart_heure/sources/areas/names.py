"""Names of districts: the columns that hold them in usual files, and how they are compared."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quart_heure.errors import InputFileError
from quart_heure.sources.problems import CHOSEN
from quart_heure.sources.texts import fold, plain_word

if TYPE_CHECKING:
    import pandas as pd


ID_COLUMNS = (
    *("subdistrict_id", "quarter_id", "quartier_id", "district_id"),
    *("iris_code", "code_iris", "dcomiris", "iris"),
    *("c_quinsee", "c_qu", "c_arinsee", "c_ar"),
    *("com_arm_code", "code_insee", "insee_com", "insee_arm", "codgeo", "com_code", "insee"),
    *("depco", "grd_quart", "code", "code_postal", "codepostal", "postcode", "id"),
)
"""Columns that usual files of districts name them by, the finest division first."""

LABEL_COLUMNS = (
    *("label", "name"),
    *("nom_iris", "iris_name", "lib_iris", "l_qu", "l_ar", "l_aroff", "nom_qua", "nom_quartier"),
    *("lib_grd_quart", "lib_quart", "com_arm_name", "nom_com", "nom_arm", "com_name"),
    *("nom_commune", "libgeo", "libelle", "libellé", "nom_officiel", "nom"),
    *("arrondissement", "quartier"),
)
"""Columns that hold what people call them."""

CUT_SIGNS = 10
"""A shapefile keeps no more signs of a heading."""

_ROW_NUMBERS = frozenset({"fid", "ogc_fid", "objectid", "objectid_1", "gid", "rowid", "index"})
"""Columns in which programs number rows: they name nothing."""

_MEASURES = re.compile(
    r"(shape|st)_.*|surf.*|superf.*|aire.*|area.*|perim.*|long.*|lat.*|pop.*|x|y|"
    r".*_(m|m2|km2|ha)",
)
_ABOUT_IDS = re.compile(r"(code|id|num|n|no|insee|c)(_.*|\d*)|.*_?(code|id|insee|num)")
_ABOUT_NAMES = re.compile(r"l(_.*)?|(nom|lib|name|label).*|.*_(nom|name|lib)")
_LONGEST_CODE = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class NamedRows:
    """What districts are called, and what was chosen to find it.

    Parameters
    ----------
    ids, labels
        Of each row; labels may be blank.
    told
        Field, value, reason and action of each choice that no usual heading made.
    """

    ids: Sequence[str]
    labels: Sequence[str]
    told: tuple[tuple[str, str, str, str], ...] = ()


def find_column(table: pd.DataFrame, usual: Sequence[str], *, unique: bool = False) -> str | None:
    """Return the first of some usual columns that a table has, in whatever case it is written.

    Parameters
    ----------
    table
        The table. A heading of ten signs may be the beginning of a usual one: shapefiles cut them.
    usual
        Names in lower case, the best first.
    unique
        Whether a column whose values are all there and all different is preferred: a file of
        quarters also names the district of each.
    """
    columns = {str(column).strip().lower(): str(column) for column in reversed(table.columns)}
    cut = {name[:CUT_SIGNS]: name for name in reversed(usual) if len(name) > CUT_SIGNS}
    columns |= {
        cut[name]: column
        for name, column in columns.items()
        if len(name) == CUT_SIGNS and name in cut and name not in usual
    }
    found = [columns[name] for name in usual if name in columns]
    if unique:
        for name in found:
            if _all_different(_words(table[name])):
                return name
        # An id that was meant as one is taken, and told if it stands twice; others are not ids.
        found = [name for name in found if name.lower() in {"district_id", "district_i"}]
    return found[0] if found else None


def named_rows(
    table: pd.DataFrame, id_column: str | None, label_column: str | None, origin: str
) -> NamedRows:
    """Return what the districts of a table are called.

    The columns that are asked for; else those under usual headings; else, and that is told, the
    first of the others that can be one: for ids, short words all different, with a digit and no
    blank; for labels, words with letters. Without ids, labels that all differ are ids too; without
    these, the numbers of the rows, written so that they are the code of nothing (``row-1``).

    Raises
    ------
    InputFileError
        If a column that is asked for is not there.
    """
    for column in (id_column, label_column):
        if column is not None and column not in table.columns:
            msg = f"{origin}: there is no column {column!r}."
            raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, table.columns))}.")
    by_id, by_label, told = _columns(table, id_column, label_column)
    labels = [""] * len(table) if by_label is None else _words(table[by_label])
    if by_id is not None:
        return NamedRows(ids=_words(table[by_id]), labels=labels, told=tuple(told))
    if len(table) and _all_different(labels):
        action = f"{CHOSEN}the names in {by_label!r}, id_column in [area] names another"
        told.append(("district_id", str(by_label), "no column of ids", action))
        return NamedRows(ids=labels, labels=labels, told=tuple(told))
    if len(table) > 1:
        columns = ", ".join(str(column) for column in table.columns)
        action = f"{CHOSEN}numbers of the rows, id_column in [area] names a column"
        told.append(("district_id", columns[:200], "no column of ids or of names", action))
    rows = [f"row-{number}" for number in range(1, len(table) + 1)]
    return NamedRows(ids=rows, labels=labels, told=tuple(told))


def known_names(ids: Iterable[str], labels: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """Return for each word that names a district, reduced by `bare_name`, whose it is.

    A word of several districts, an id of one that is the name of another among them, has several
    positions: who is named by it nobody knows. A whole label decides before what is left of it.
    """
    found: dict[str, set[int]] = {}
    whole: dict[str, set[int]] = {}
    for at, (district_id, label) in enumerate(zip(ids, labels, strict=True)):
        for word in (str(district_id), str(label)):
            found.setdefault(bare_name(word), set()).add(at)
            whole.setdefault(fold(word), set()).add(at)
    for word, owners in whole.items():
        # "3e arrondissement" is the district called so, whoever has 3 as its id.
        if len(owners) == 1 and word != bare_name(word):
            found[word] = owners
    return {word: tuple(sorted(owners)) for word, owners in found.items() if word}


def positions_of(word: str, known: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Return the positions of the districts that a word names: none, one, or several."""
    return known.get(fold(word)) or known.get(bare_name(word)) or ()


def several_named(
    word: str, at: Sequence[int], ids: Sequence[str], labels: Sequence[str], where: str
) -> InputFileError:
    """Return the error of a word that names several districts."""
    called = " and ".join(f"{labels[i]!r} (id {ids[i]!r})" for i in at[:4])
    msg = f"{where}: {word!r} names {called}."
    hint = "Give what one of them alone is called, or other ids: id_column in [area]."
    return InputFileError(msg, hint=hint)


def _words(values: pd.Series[Any]) -> list[str]:
    return [_visible(plain_word(value)) for value in values]


def _all_different(words: Sequence[str]) -> bool:
    return all(words) and len(set(words)) == len(words)


def likely_columns(table: pd.DataFrame) -> tuple[str | None, str | None]:
    """Return the columns that ids and names of districts would be taken from, None for neither."""
    by_id, by_label, _ = _columns(table, None, None)
    return by_id, by_label


def _columns(
    table: pd.DataFrame, id_column: str | None, label_column: str | None
) -> tuple[str | None, str | None, list[tuple[str, str, str, str]]]:
    told: list[tuple[str, str, str, str]] = []
    by_id = id_column or find_column(table, ID_COLUMNS, unique=True)
    if by_id is None:
        by_id = _likely(table, like_code=True, but=label_column)
        if by_id is not None:
            action = f"{CHOSEN}column {by_id!r}, id_column in [area] names another"
            told.append(("district_id", by_id, "no usual heading of ids", action))
    by_label = label_column or find_column(table.drop(columns=_some(by_id)), LABEL_COLUMNS)
    if by_label is None:
        by_label = _likely(table, like_code=False, but=by_id)
        if by_label is not None:
            action = f"{CHOSEN}column {by_label!r}, label_column in [area] names another"
            told.append(("label", by_label, "no usual heading of names", action))
    return by_id, by_label, told


def _some(column: str | None) -> list[str]:
    return [] if column is None else [column]


def _likely(table: pd.DataFrame, *, like_code: bool, but: str | None) -> str | None:
    """Return the column that most likely holds ids, or names: by its heading, else by its words."""
    fit: list[str] = []
    shapes = getattr(table, "active_geometry_name", None)
    for column in map(str, table.columns):
        plain = re.sub(r"[^a-z0-9]+", "_", fold(column)).strip("_")
        if column in {but, shapes} or plain in _ROW_NUMBERS or _MEASURES.fullmatch(plain):
            continue
        words = _words(table[column])
        if like_code:
            short = all(len(word) <= _LONGEST_CODE and " " not in word for word in words)
            digits = all(re.search(r"\d", word) for word in words)
            whole = not any(re.fullmatch(r"-?\d*\.\d+", word) for word in words)
            if short and digits and whole and _all_different(words):
                fit.append(column)
        elif all(words) and all(re.search(r"[^\W\d]{2}", word) for word in words):
            fit.append(column)
    pattern = _ABOUT_IDS if like_code else _ABOUT_NAMES
    best = [c for c in fit if pattern.fullmatch(re.sub(r"[^a-z0-9]+", "_", fold(c)).strip("_"))]
    different = [c for c in fit if _all_different(_words(table[c]))]
    return next(iter([*best, *different, *fit]), None)


def _visible(word: str) -> str:
    """Return a word without what cannot be seen: two ids must differ where people read them."""
    signs = (sign if sign.isprintable() else " " if sign.isspace() else "" for sign in word)
    return " ".join("".join(signs).split())


_ORDINAL = re.compile(
    r"(?:(?:paris|lyon|marseille|arrondissement|arrondissement municipal|ardt|arrdt|arr\.?) )*"
    r"0*(\d+) ?(?:er|ere|e|eme|ieme|nd|nde|th|st|rd)?(?: ar.*)?"
)


def bare_name(name: str) -> str:
    """Reduce a district's name to what tells it apart: "13e", "13ème", "Paris 13" are 13.

    Examples
    --------
    >>> bare_name("Paris 13e"), bare_name("1er Ardt"), bare_name("75113"), bare_name("Évry")
    ('13', '1', '75113', 'evry')
    >>> bare_name("Lyon 3e Arrondissement"), bare_name("Arrondissement 3")
    ('3', '3')
    """
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    ordinal = _ORDINAL.fullmatch(plain)
    return ordinal[1] if ordinal else plain
