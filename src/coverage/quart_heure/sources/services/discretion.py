"""What must not be shown: the one home of the words of discretion.

A word of secrecy in any cell of a row hides its place: ``NE PAS DIFFUSER`` among the remarks says
as much as a column *confidentiel*. A word that is denied (*adresse non confidentielle*) does not,
and in doubt it does: what was shown by mistake cannot be hidden again.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence

from quart_heure.categories import Category
from quart_heure.sources.services.phrases import (
    hints_of,
    may_hold,
    tokens_of,
    vocabulary,
    words_of,
)
from quart_heure.sources.texts import fold, on_distinct

ASKED = "women's shelters without a word on discretion: are these places public?"
"""The reason under which `check` asks about a category."""

TAKEN_AS_DISCREET = "taken as discreet"

_LONGEST = 2000
_REACH = 4
"""Words between a *not* and what must not be shown."""
_ENDS = frozenset({";", ".", "!", "|", ",", "(", ")"})
_NAMES = frozenset({"name", "address", "operator"})
"""Columns of proper names: *Le Jardin secret* is shown where its row says that it may be."""

_SPELT = re.compile(r"(?<!\w)(?:\w[ .]){4,}\w(?!\w)")
"""C O N F I D E N T I E L"""
_ABBREVIATED = re.compile(r"(?<!\w)(?:\w\.){2,}\w?(?!\w)")
"""N.P.D."""


def is_discreet(text: str) -> bool:
    """Tell whether a cell of the column ``discreet`` hides its place: all but a clear *no*."""
    return fold(text) not in _words("no")


def is_clear(text: str) -> bool:
    """Tell whether a cell of the column ``discreet`` is a clear yes or no."""
    return fold(text) in {*_words("no"), *_words("yes")}


def secrecy_in(text: str, field: str = "") -> str:
    """Return the words of a text that say that its place must not be shown, "" if none do.

    Parameters
    ----------
    text
        A cell.
    field
        Our name for its column, where it is known: an address that is *non communiquée* is
        secret, hours that are so are not known.
    """
    if not text or not _may_hold(text):
        return ""
    plain = text[:_LONGEST]
    for spelt in (_SPELT, _ABBREVIATED):
        plain = spelt.sub(lambda found: re.sub(r"[ .]", "", found[0]), plain)
    words = [token.word for token in tokens_of(plain)]
    for begin, end in _clauses(words):
        clause = words[begin:end]
        found = _secret(clause) or _not_shown(clause) or _held_back(clause, field)
        if found:
            return found
    return ""


def hidden_rows(
    columns: Sequence[tuple[str, str, Sequence[str]]], discreet: Sequence[str]
) -> list[str]:
    """Return for each row the heading of the column that hides it, "" if none does.

    Parameters
    ----------
    columns
        Heading, our field ("" if none) and texts of every column.
    discreet
        The texts of the column ``discreet``: a clear *no* there lets a proper name keep a word.
    """
    hidden = [""] * len(discreet)
    for heading, field, texts in columns:
        if field == "discreet" or not any(texts):
            continue
        for row, hides in enumerate(_hides(heading, field, texts)):
            if not hides or hidden[row]:
                continue
            shown = discreet[row] != "" and not is_discreet(discreet[row])
            if shown and field in _NAMES and hides in {"secret", "secrete"}:
                continue
            hidden[row] = heading or "a column without a heading"
    return hidden


def is_shelter(category: Category) -> bool:
    """Tell whether the places of a category may be shelters of women."""
    words = [words_of(text) for text in (category.id, category.fr, category.en)]
    return any(_find(phrase, each) >= 0 for each in words for phrase in _phrases("shelters"))


def _hides(heading: str, field: str, texts: Sequence[str]) -> list[str]:
    """Return the words of each cell that hide its row."""
    flag = _flag(heading) if not field else ""
    if flag == "hiding":
        return on_distinct(texts, lambda text: heading if is_discreet(text) else "")
    if flag == "showing":
        shown = {*_words("shown"), ""}
        return on_distinct(texts, lambda text: "" if fold(text) in shown else heading)
    return on_distinct(texts, lambda text: secrecy_in(text, field))


@functools.lru_cache(maxsize=1024)
def _flag(heading: str) -> str:
    words = tuple(word for word in words_of(heading[:200]) if word.isalnum())
    for flag in ("showing", "hiding"):
        for phrase in _phrases(f"{flag}_headings"):
            # A column *diffusion* is a flag, one *diffusion de films* is not.
            if flag == "showing" and len(words) != len(phrase):
                continue
            if _find(phrase, words) >= 0:
                return flag
    return ""


# --- one clause ----------------------------------------------------------------------------------


def _clauses(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    begin = 0
    for at, word in enumerate([*words, ";"]):
        if word in _ENDS:
            if at > begin:
                yield begin, at
            begin = at + 1


def _secret(clause: Sequence[str]) -> str:
    """Return a word that is secret by itself, and not denied."""
    for phrase in _possible("secret", clause):
        at = _find(phrase, clause)
        if at >= 0 and not _denied(clause, at, at + len(phrase)):
            return " ".join(clause[at : at + len(phrase)])
    return ""


def _denied(clause: Sequence[str], begin: int, end: int) -> bool:
    """Tell whether a word is denied, once: *non confidentielle*, *confidentiel : non*."""
    before = begin - 1
    while before >= 0 and clause[before] in _words("between"):
        before -= 1
    denied = before >= 0 and _denies(clause, before)
    twice = denied and any(_denies(clause, at) for at in range(before))
    after = [word for word in clause[end:] if word not in {":", "?", "="}]
    answered = len(after) == 1 and after[0] in {"non", "no", "faux", "false", "0"}
    return denied != answered and not twice


def _not_shown(clause: Sequence[str]) -> str:
    """Return *ne pas diffuser* and its like."""
    for phrase in _possible("shown_verbs", clause):
        at = _find(phrase, clause)
        if at >= 0 and _denier(clause, at) >= 0:
            return " ".join(clause[_denier(clause, at) : at + 1])
        after = clause[at + 1 : at + 3]
        if at >= 0 and any(word in {"interdit", "interdite", "non"} for word in after):
            return " ".join(clause[at : at + 3])
    return ""


def _held_back(clause: Sequence[str], field: str) -> str:
    """Return *adresse non communiquée*, *communiquée sur demande*, *adresse masquée*."""
    about, precise = _has(clause, "places"), _has(clause, "precise_places")
    street = any(word in _words("streets") for word in clause)
    numbered = any(word.isdecimal() and word != "115" for word in clause)
    bare = not (street or numbered or _has(clause, "other_subjects"))
    # An address, or a remark, of these words alone is about the place.
    whole = bare and (field == "address" or (field in {"", "notes"} and len(clause) <= 3))
    if not about and not whole:
        return ""
    if any(
        word in _words("publicity") and at and _denies(clause, at - 1)
        for at, word in enumerate(clause)
    ):
        return " ".join(clause)
    back = _has(clause, "held_back")
    for phrase in _possible("place_verbs", clause):
        at = _find(phrase, clause)
        if at >= 0 and (_denier(clause, at) >= 0 or back):
            return " ".join(clause)
    if not street and (
        _has(clause, "masked") or (back and (precise or (whole and field == "address")))
    ):
        return " ".join(clause)
    return ""


def _has(clause: Sequence[str], name: str) -> bool:
    return any(_find(phrase, clause) >= 0 for phrase in _possible(name, clause))


def _denier(clause: Sequence[str], at: int) -> int:
    """Return where a *not* stands before a word, -1 if there is none."""
    for before in range(at - 1, max(-1, at - 1 - _REACH), -1):
        if _denies(clause, before):
            return before
    return -1


def _denies(clause: Sequence[str], at: int) -> bool:
    """Tell whether a word denies; *plus* does after *ne* alone: *plus confidentiel* is more so."""
    if clause[at] == "plus":
        return bool({"ne", "n"} & set(clause[:at]))
    return clause[at] in _words("negators")


# --- words ---------------------------------------------------------------------------------------


def _find(phrase: Sequence[str], words: Sequence[str]) -> int:
    """Return where a phrase stands among words, -1 if nowhere."""
    size = len(phrase)
    for at in range(len(words) - size + 1):
        if all(_fits(one, words[at + k]) for k, one in enumerate(phrase)):
            return at
    return -1


def _possible(name: str, words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the phrases whose first word is the beginning of any of some words."""
    text = f" {' '.join(words)}"
    return [phrase for phrase, lead in _led(name) if lead in text]


@functools.cache
def _led(name: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    return tuple((phrase, f" {phrase[0].removesuffix('*')}") for phrase in _phrases(name))


def _fits(pattern: str, word: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@functools.cache
def _words(name: str) -> frozenset[str]:
    words: Mapping[str, Sequence[str]] = vocabulary()["discretion"]
    return frozenset(words[name])


@functools.cache
def _phrases(name: str) -> tuple[tuple[str, ...], ...]:
    words: Mapping[str, Sequence[str]] = vocabulary()["discretion"]
    return tuple(tuple(fold(phrase).replace("_", " ").split()) for phrase in words[name])


@functools.cache
def _hints() -> tuple[str, ...]:
    """Return what every secret has: most cells have none of it, and are not looked into."""
    names = ("secret", "shown_verbs", "place_verbs", "publicity", "masked", "held_back")
    common = {phrase[0].rstrip("*") for phrase in _phrases("places")}
    return hints_of([phrase for name in names for phrase in _phrases(name)], common)


def _may_hold(text: str) -> bool:
    if _SPELT.search(text) or _ABBREVIATED.search(text):
        return True
    return may_hold(text[:_LONGEST], _hints())
