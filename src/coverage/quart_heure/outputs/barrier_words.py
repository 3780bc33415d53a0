"""What cuts a gap off, in the words of a sentence: by the Seine, by railway tracks."""

from __future__ import annotations

import re

from quart_heure.labels import phrase, typeset, word
from quart_heure.outputs.results.rows import printable

_KINDS = frozenset({"water", "rail", "motorway", "wall", "fence"})
_ARTICLE = re.compile(r"^(?:(?:La|Le|Les) |L[’'])")
_MASCULINE = frozenset(
    ("boulevard", "canal", "bassin", "lac", "étang", "ruisseau", "mur", "port", "chemin", "fleuve")
)
_FEMININE = frozenset(("rivière", "rue", "avenue", "autoroute", "voie", "rocade", "route", "ligne"))


def barrier_words(barrier: str, lang: str) -> str:
    """Say what cuts a gap off, "" where it is not known.

    Parameters
    ----------
    barrier
        The column of that name: names and kinds, by ';'.
    lang
        ``fr`` or ``en``.

    Examples
    --------
    >>> barrier_words("La Seine", "fr"), barrier_words("Boulevard Périphérique", "fr")
    ('coupé par la Seine', 'coupé par le boulevard Périphérique')
    >>> barrier_words("rail;La Seine", "en")
    'cut off by railway tracks and La Seine'
    """
    parts = [_told(each, lang) for each in barrier.split(";") if each]
    if not parts:
        return ""
    return phrase("cut_by", lang, what=f" {word('and', lang)} ".join(parts))


def _told(barrier: str, lang: str) -> str:
    if barrier in _KINDS:
        return word(f"cut_{barrier}", lang)
    name = printable(barrier)
    if lang != "fr":
        return name
    if _ARTICLE.match(name):
        return name[0].lower() + name[1:]
    first, _, rest = name.partition(" ")
    kind = first.lower()
    if kind in _MASCULINE and kind[0] not in "aeiouyéèh":
        article = "le "
    elif kind in _FEMININE and kind[0] not in "aeiouyéèh":
        article = "la "
    elif kind in _MASCULINE | _FEMININE:
        article = "l’"
    else:
        return typeset(f"« {name} »")
    return f"{article}{kind}{' ' if rest else ''}{rest}"
