"""Words and phrases of service files: what each is to a sentence, by ``wordings.toml``.

A text becomes tokens, the tokens become marks, the longest phrase first. What has no phrase is
lost, and told.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from quart_heure.sources.texts import fold

LONGEST = 400
"""Signs of a text that are read: what is longer is not read at all."""

_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[-‐‑'_](?=[^\W_])|(?<=[^\W_])['_](?=[^\W_])")
_TOKEN = re.compile(r"[^\W\d_]+|\d{1,3}(?:[ .]\d{3})+(?![\d,.])|\d+(?:[.,]\d+)?|[^\s]")
_PLAIN = re.compile("[a-z]+(?: [a-z]+)*")
_BRACKETED = re.compile(r"\((\w+)\)")

_NAMED_AFTER = frozenset({"referral", "moved"})
"""Marks that proper names may follow: who refers, where a place has gone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or range, or a sign."""

    word: str
    name: bool = False
    low: float = float("nan")
    high: float = float("nan")


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """A phrase: what it is to a sentence, and which; numbers keep their range."""

    kind: str
    value: str
    words: str
    low: float = float("nan")
    high: float = float("nan")


# --- tokens --------------------------------------------------------------------------------------


def tokens_of(text: str) -> list[Token]:
    """Part a text into words without case and accents, numbers, and signs."""
    plain = unicodedata.normalize("NFKC", _unlisted(text)).replace("’", "'").replace("‘", "'")
    if not plain.isprintable():
        plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    plain = _BETWEEN_LETTERS.sub(" ", plain.replace("\n", " ; "))
    shouted = plain.isupper()
    tokens: list[Token] = []
    for found in _TOKEN.finditer(plain):
        said = found[0]
        if said[0].isdecimal():
            tokens.append(_number(said))
        else:
            tokens += [
                Token(word, name=said[0].isupper() and not shouted) for word in fold(said).split()
            ]
    return _joined_ranges(tokens)


def _unlisted(text: str) -> str:
    """Return a list as portals write it, ``["femmes", "jeunes"]``, as words with commas."""
    if not text.lstrip().startswith("["):
        return text
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return text
    words = isinstance(items, list) and all(isinstance(item, str) for item in items)
    return ", ".join(items) if words else text


def _number(said: str) -> Token:
    grouped = re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", said) is not None
    plain = said.replace(" ", "").replace(".", "") if grouped else said.replace(",", ".")
    value = float(plain)
    return Token(plain, low=value, high=value)


def _joined_ranges(tokens: Sequence[Token]) -> list[Token]:
    """Make one number of ``18-25``, ``70 à 100``, ``entre 18 et 25``."""
    joined: list[Token] = []
    at = 0
    while at < len(tokens):
        first, rest = tokens[at], tokens[at + 1 : at + 4]
        at += 1
        # Few words are numbers: nothing else begins a range.
        if len(rest) > 1 and first.low < rest[1].low:
            between = bool(joined) and joined[-1].word == "entre"
            links = {"-", "–", "a", "to", "ou", "or", *(("et",) if between else ())}
            if len(rest) > 2 and rest[2].word == "ans":
                links.add("/")
            if rest[0].word in links:
                if between:
                    joined.pop()
                first = Token(f"{first.word}-{rest[1].word}", low=first.low, high=rest[1].low)
                at += 2
        joined.append(first)
    return joined


def hints_of(phrases: Iterable[Sequence[str]], common: Collection[str] = ()) -> tuple[str, ...]:
    """Return what is in every text that holds one of some phrases: of each, its longest word.

    Parameters
    ----------
    phrases
        Words of each; one that ends in ``*`` stands for all that begin so, ``#`` for a number.
    common
        Words that many texts have, and that tell little where a phrase has others.
    """
    first = set()
    for phrase in phrases:
        words = [word for word in phrase if word != "#"]
        telling = [word for word in words if word not in common] or words
        # Of equals a number, which fewer texts hold.
        longest = max(telling, key=lambda word: (len(word), word.isdecimal()), default="")
        first.add(longest.rstrip("*"))
    # What holds a longer one holds the shorter one in it too.
    return tuple(one for one in sorted(first) if not any(o in one for o in first - {one}))


def may_hold(text: str, hints: Sequence[str]) -> bool:
    """Tell whether a text may hold a phrase of which these are the hints; most do not."""
    if text.lstrip().startswith("["):
        return True  # a list as portals write it may spell its letters
    if not text.isprintable():
        text = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    folded = fold(text)
    # One after the other they are found sooner than by one expression of them all.
    return any(hint in folded for hint in hints)


# --- phrases -------------------------------------------------------------------------------------


class Phrases:
    """The phrases of some kinds, by their words."""

    def __init__(self, kinds: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self.by_words: dict[tuple[str, ...], tuple[str, str]] = {}
        for kind, values in kinds.items():
            for value, phrases in values.items():
                for phrase in itertools.chain.from_iterable(map(spellings, phrases)):
                    self.by_words.setdefault(words_of(phrase), (kind, value))
        self._lengths: dict[str, set[int]] = {}
        """How many words the phrases have that begin with a word."""
        for words in filter(None, self.by_words):
            self._lengths.setdefault(words[0], set()).add(len(words))

    def marks(self, tokens: Sequence[Token]) -> tuple[list[Mark], tuple[str, ...]]:
        """Return the marks of some tokens, the longest phrase first, and the words of no phrase."""
        marks: list[Mark] = []
        lost: list[str] = []
        at, named = 0, False
        while at < len(tokens):
            mark, length = self._longest_at(tokens, at)
            if mark is None and named and tokens[at].name:
                mark = Mark("name", "name", tokens[at].word)
            if mark is None:
                lost.append(tokens[at].word)
            else:
                marks.append(mark)
                if {mark.kind, mark.value} & _NAMED_AFTER:
                    named = True
                elif mark.kind in {"stop", "break", "group", "animals", "not", "except"}:
                    named = False
            at += length
        return marks, tuple(dict.fromkeys(lost))

    def _longest_at(self, tokens: Sequence[Token], at: int) -> tuple[Mark | None, int]:
        first = tokens[at]
        lengths = self._lengths.get(first.word, set())
        if first.low == first.low:
            lengths = lengths | self._lengths.get("#", set())
        for length in sorted(lengths, reverse=True):
            here = tokens[at : at + length]
            if len(here) < length:
                continue
            literal = tuple(token.word for token in here)
            number = next((token for token in here if token.low == token.low), Token(""))
            slots = tuple("#" if token.low == token.low else token.word for token in here)
            for words in (literal, slots):
                if words in self.by_words:
                    kind, value = self.by_words[words]
                    return Mark(kind, value, " ".join(literal), number.low, number.high), length
        return None, 1


def spellings(phrase: str) -> Iterator[str]:
    """Return a phrase with and without each of the letters in brackets."""
    found = _BRACKETED.search(phrase)
    if found is None:
        yield phrase
        return
    before, after = phrase[: found.start()], phrase[found.end() :]
    for rest in spellings(after):
        yield before + rest
        yield before + found[1] + rest


def words_of(phrase: str) -> tuple[str, ...]:
    """Return the words of a phrase of the vocabulary."""
    if _PLAIN.fullmatch(phrase):
        return tuple(phrase.split())
    return tuple(token.word for token in tokens_of(phrase))


@functools.cache
def vocabulary() -> Mapping[str, Any]:
    """Read the packaged words."""
    file = resources.files("quart_heure.sources.services").joinpath("wordings.toml")
    words: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    return words
