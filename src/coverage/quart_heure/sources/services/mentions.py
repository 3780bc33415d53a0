"""Texts of places that are shown which name one that is not, or tell its address."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from quart_heure.schema import OWN
from quart_heure.sources.texts import fold

FREE_TEXTS = (
    *("audience", "opening_hours_text", "capacity", "operator"),
    *("source", "other_sources", "notes"),
)
"""Columns in which a list may say anything. Name and address are those of the place itself."""

TOLD_BY = ("service_id", "name", "address")
"""What a place can be told by."""

_WORD = re.compile(r"\d+|[^\W\d_]+")
_POSTCODE = re.compile(r"\d{5}")
_BETWEEN = 6
"""Words that may stand between a number and the last word of its street: ``37, de l'impasse``."""

Words = tuple[str, ...]


class Mentions:
    """What tells of some places: names, ids and addresses, in whatever letters and signs.

    A name counts where all its words stand in a row; an address where a number is followed, within
    a few words, by the last word of its street, so that `bd` and `boulevard` are alike. Ids without
    a letter are not looked for: every number would be one.

    Parameters
    ----------
    hidden
        The places: columns `TOLD_BY`.

    Examples
    --------
    >>> told = Mentions(pd.DataFrame({"service_id": ["B3"], "name": ["Maison Mirabelle"],
    ...                               "address": ["37 impasse Cachée, 75000 Paris"]}))
    >>> told.found("Avec la « MAISON-MIRABELLE »."), told.found("au 37, imp. CACHEE")
    (True, True)
    >>> told.found("37 places, impasse Ouverte"), told.found("la maison de Mirabelle")
    (False, False)
    """

    def __init__(self, hidden: pd.DataFrame) -> None:
        self._names: dict[str, set[Words]] = {}
        self._streets: dict[str, set[str]] = {}
        # Analysts bring tables of their own, without what they do not know.
        texts = hidden.reindex(columns=[*TOLD_BY]).fillna("").astype("str")
        for service_id, name, address in texts.itertuples(index=False, name=None):
            for words in (_words(service_id), _words(name)):
                if len("".join(words)) > 1 and not "".join(words).isdigit():
                    self._names.setdefault(words[0], set()).add(words)
            self._add_address(address)

    def __bool__(self) -> bool:
        """Tell whether there is anything to be found."""
        return bool(self._names or self._streets)

    def found(self, text: str) -> bool:
        """Tell whether a text has any of it."""
        words = _words(text)
        for at, word in enumerate(words):
            after = words[at + 1 : at + 2 + _BETWEEN]
            if not self._streets.get(word, set()).isdisjoint(after):
                return True
            names = self._names.get(word, ())
            if any(words[at : at + len(name)] == name for name in names):
                return True
        return False

    def told_in(self, texts: Iterable[str]) -> list[bool]:
        """Tell of each of some texts whether it has any of it."""
        texts = list(texts)
        known = {text: self.found(text) for text in dict.fromkeys(texts)}
        return [known[text] for text in texts]

    def _add_address(self, address: str) -> None:
        parts = [words for part in re.split(r"[,;\n]", address) if (words := _words(part))]
        streets = list(_streets(parts))
        for numbers, last in streets:
            for number in numbers:
                self._streets.setdefault(number, set()).add(last)
        if not streets and parts and len(parts[0]) > 1:  # a place that has a name alone
            self._names.setdefault(parts[0][0], set()).add(parts[0])


def free_texts(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table of services in which a list may say anything."""
    return [str(name) for name in table.columns if name in FREE_TEXTS or str(name).startswith(OWN)]


def _words(text: str) -> Words:
    return tuple(_WORD.findall(fold(text)))


def _streets(parts: Sequence[Words]) -> Iterator[tuple[Words, str]]:
    """Give the numbers of each street of an address, and the street's last word."""
    carried: Words = ()
    for part in parts:
        words = carried + part
        numbers = tuple(itertools.takewhile(str.isdigit, words))
        if len(numbers) == len(words):  # "37, impasse Cachée"
            carried = numbers
            continue
        carried = ()
        rest = list(itertools.takewhile(lambda word: not _POSTCODE.fullmatch(word), words))
        if numbers and len(rest) > len(numbers) + 1:
            yield numbers, rest[-1]
