"""The words of the dossiers, in French and in English."""

from __future__ import annotations

import functools
import textwrap
import tomllib
from collections.abc import Mapping

from quart_heure.labels import fill, format_plain, read_pairs, text
from quart_heure.outputs.assets import asset
from quart_heure.outputs.results.rows import printable


class Words:
    """Says the phrases of the dossiers, and of pages like them, in one language.

    Parameters
    ----------
    lang
        ``fr`` or ``en``.
    pages
        Folders of pages whose ``words.toml`` are known.

    Examples
    --------
    >>> Words("en")("here"), Words("fr")("n_gaps", n=3) == "zones\u00a0: 3"
    ('here', True)
    >>> Words("en")("headings.category")
    'Category'
    """

    def __init__(self, lang: str, *pages: str) -> None:
        self.lang = lang
        self._phrases = _phrases(pages or ("dossier",))

    def __call__(self, key: str, **values: object) -> str:
        """Return a phrase with values in their places: of the dossiers, or of a table of labels."""
        if "." in key:
            return text(key, self.lang, **values)
        return fill(self._phrases, key, self.lang, values)

    def has(self, key: str) -> bool:
        """Tell whether there is such a phrase."""
        return key in self._phrases

    def plain(self, values: Mapping[str, object]) -> dict[str, str]:
        """Return parameters as people read them."""
        return {key: format_plain(value, self.lang) for key, value in values.items()}


def short(value: object, most: int) -> str:
    """Make a text of a source safe to show on one page: printable, and cut with a sign if long.

    Examples
    --------
    >>> short("Bains-douches  Petitot", 80), short("une très longue phrase", 12)
    ('Bains-douches Petitot', 'une très …')
    >>> short("x" * 50, 10), short(None, 10)
    ('xxxxxxxxx…', '')
    """
    clean = " ".join(printable("" if value is None else str(value)).split())
    if len(clean) <= most:
        return clean
    cut = textwrap.shorten(clean, most, placeholder=" …")
    return cut if len(cut) > most // 2 else clean[: most - 1] + "…"


@functools.cache
def _phrases(pages: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
    entries: dict[str, object] = {}
    for page in pages:
        entries |= tomllib.loads(asset(f"{page}/words.toml"))
    return read_pairs(entries)
