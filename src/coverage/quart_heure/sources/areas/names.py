"""Names of districts: the columns that hold them in usual files, and how they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quart_heure.errors import InputFileError

if TYPE_CHECKING:
    import pandas as pd


ID_COLUMNS = (
    *("subdistrict_id", "quarter_id", "quartier_id", "district_id"),
    *("iris_code", "code_iris", "dcomiris", "iris"),
    *("c_quinsee", "c_qu", "c_arinsee", "c_ar"),
    *("com_arm_code", "code_insee", "insee_com", "insee_arm", "codgeo", "com_code", "insee"),
    *("code", "id"),
)
"""Columns that usual files of districts name them by, the finest division first."""

LABEL_COLUMNS = (
    *("label", "name"),
    *("nom_iris", "iris_name", "lib_iris", "l_qu", "l_ar", "l_aroff"),
    *("com_arm_name", "nom_com", "nom_arm", "com_name", "libgeo", "libelle", "libellé", "nom"),
)
"""Columns that hold what people call them."""


def find_column(table: pd.DataFrame, usual: Sequence[str], *, unique: bool = False) -> str | None:
    """Return the first of some usual columns that a table has, in whatever case it is written.

    Parameters
    ----------
    table
        The table.
    usual
        Names in lower case, the best first.
    unique
        Whether a column whose values are all there and all different is preferred: a file of
        quarters also names the district of each.
    """
    columns = {str(column).strip().lower(): str(column) for column in reversed(table.columns)}
    found = [columns[name] for name in usual if name in columns]
    if unique:
        for name in found:
            words = [plain_word(value) for value in table[name]]
            if all(words) and len(set(words)) == len(words):
                return name
        # An id that was meant as one is taken, and told if it stands twice; others are not ids.
        found = [name for name in found if name.lower() == "district_id"]
    return found[0] if found else None


def column_words(
    table: pd.DataFrame, column: str | None, usual: Sequence[str], origin: str, *, unique: bool
) -> list[str]:
    """Return a column as text, falling back on usual names.

    Without any, ids are the order of the rows, and other words are blank.

    Raises
    ------
    InputFileError
        If the column that is asked for is not there.
    """
    if column is not None and column not in table.columns:
        msg = f"{origin}: there is no column {column!r}."
        raise InputFileError(msg, hint=f"Columns are {', '.join(map(str, table.columns))}.")
    name = column if column is not None else find_column(table, usual, unique=unique)
    if name is None:
        return [str(i + 1) if unique else "" for i in range(len(table))]
    return [_visible(plain_word(value)) for value in table[name]]


def _visible(word: str) -> str:
    """Return a word without what cannot be seen: two ids must differ where people read them."""
    signs = (sign if sign.isprintable() else " " if sign.isspace() else "" for sign in word)
    return " ".join("".join(signs).split())


def plain_word(value: Any) -> str:
    """Return a value of a table as text, "" if missing; whole numbers lose their decimal point."""
    import pandas as pd  # noqa: PLC0415 - half a second that reading raw streets does not need

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def bare_name(name: str) -> str:
    """Reduce a district's name to what tells it apart: "13e", "13ème", "Paris 13" are 13.

    Examples
    --------
    >>> bare_name("Paris 13e"), bare_name("1er Ardt"), bare_name("75113"), bare_name("Évry")
    ('13', '1', '75113', 'evry')
    """
    plain = unicodedata.normalize("NFKD", name.strip().casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    pattern = r"(?:paris )?0*(\d+) ?(?:er|e|eme|th|st|nd|rd)?(?: ar.*)?"
    ordinal = re.fullmatch(pattern, plain)
    return ordinal[1] if ordinal else plain
