"""Sentences of service files: every word accounted for, and what each *not* and *except* is about.

A text becomes tokens, the tokens become marks by the phrases of ``wordings.toml`` (the longest
first), and each mark that something can be said of gets a sign: said, denied, or nobody knows.
One word without a phrase is enough for a text not to be understood.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from quart_heure.sources.texts import fold

LONGEST = 400
"""Signs of a text that are read: what is longer is not read at all."""

_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[-‐‑'_](?=[^\W_])|(?<=[^\W_])['_](?=[^\W_])")
_TOKEN = re.compile(r"[^\W\d_]+|\d{1,3}(?:[ .]\d{3})+(?![\d,.])|\d+(?:[.,]\d+)?|[^\s]")
_BRACKETED = re.compile(r"\((\w+)\)")

_TARGETS = frozenset(
    {
        *("group", "children", "others", "animals", "wheelchair", "accessible", "steps"),
        *("room", "referral", "walk_in", "appointment", "status"),
    }
)
"""Kinds of marks that are said or denied."""

_SUBJECTS: Mapping[str, str] = {
    **dict.fromkeys(("group", "children", "others"), "people"),
    **dict.fromkeys(("wheelchair", "accessible", "steps", "room"), "wheelchair"),
    **dict.fromkeys(("referral", "walk_in", "appointment"), "access"),
    "animals": "animals",
    "status": "status",
}
_VERDICTS = frozenset({"ok", "refused", "no", "needed", "optional"})
_ENDS = frozenset({"stop", "break", "comma", "and"})
_NAMED_AFTER = frozenset({"referral", "moved"})
"""Marks that proper names may follow: who refers, where a place has gone."""

_AFTER_NE = frozenset({"pas", "plus", "jamais", "aucun", "aucune", "ni"})

SAID, DENIED, UNCLEAR = 1, -1, 0


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


@dataclasses.dataclass(slots=True)
class Signed:
    """A mark in its place: whether it is said, in which statement and part of it."""

    mark: Mark
    sign: int
    statement: int
    part: int
    excepted: bool = False
    joined: bool = False
    """Whether an *and* ties it to what stands before it."""
    told: bool = False
    """Whether a verdict such as *admitted* was passed on it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sentence:
    """A text as read.

    Parameters
    ----------
    marks
        All marks but small words, in their order, signed.
    answer
        A yes or a no that is about nothing named: `SAID`, `DENIED`; None if there is none.
    lost
        Words without a phrase, or what could not be put together.
    """

    marks: Sequence[Signed]
    answer: int | None
    lost: tuple[str, ...]

    def of(self, *kinds: str) -> list[Signed]:
        """Return the marks of some kinds."""
        return [signed for signed in self.marks if signed.mark.kind in kinds]


# --- tokens --------------------------------------------------------------------------------------


def tokens_of(text: str) -> list[Token]:
    """Part a text into words without case and accents, numbers, and signs."""
    plain = unicodedata.normalize("NFKC", _unlisted(text)).replace("’", "'").replace("‘", "'")
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
    rest = list(tokens)
    while rest:
        first = rest.pop(0)
        between = bool(joined) and joined[-1].word == "entre"
        links = {"-", "–", "a", "to", "ou", "or", *(("et",) if between else ())}
        if len(rest) > 2 and rest[2].word == "ans":
            links.add("/")
        if len(rest) > 1 and first.low < rest[1].low and rest[0].word in links:
            if between:
                joined.pop()
            first = Token(f"{first.word}-{rest[1].word}", low=first.low, high=rest[1].low)
            del rest[:2]
        joined.append(first)
    return joined


# --- phrases -------------------------------------------------------------------------------------


class Phrases:
    """The phrases of some kinds, by their words."""

    def __init__(self, kinds: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self.by_words: dict[tuple[str, ...], tuple[str, str]] = {}
        for kind, values in kinds.items():
            for value, phrases in values.items():
                for phrase in itertools.chain.from_iterable(map(spellings, phrases)):
                    self.by_words.setdefault(words_of(phrase), (kind, value))
        self._longest = max(map(len, self.by_words), default=0)

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
        for length in range(min(self._longest, len(tokens) - at), 0, -1):
            here = tokens[at : at + length]
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
    return tuple(token.word for token in tokens_of(phrase))


@functools.cache
def vocabulary() -> Mapping[str, Any]:
    """Read the packaged words."""
    file = resources.files("quart_heure.sources.services").joinpath("wordings.toml")
    words: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    return words


@functools.cache
def _sentence_phrases() -> Phrases:
    return Phrases(vocabulary()["phrases"])


# --- sentences -----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def read_sentence(text: str) -> Sentence:
    """Read a text: its marks, signed, and the words that were not understood."""
    if len(text) > LONGEST:
        return Sentence((), None, (f"a text of {len(text)} signs",))
    marks, lost = _sentence_phrases().marks(tokens_of(text))
    return _Signing(marks, lost).sentence()


class _Signing:
    """Goes through the marks of a text from left to right and signs what they say."""

    def __init__(self, marks: Sequence[Mark], lost: tuple[str, ...]) -> None:
        # A colon or a small word neither parts nor denies.
        self._marks = [mark for mark in marks if mark.kind != "small"]
        self._lost = list(lost)
        self._signed: list[Signed] = []
        self._answer: int | None = None
        self._statement = self._part = 0
        self._not, self._word = "", ""
        self._used = False
        """Whether the *not* or *except* that is open has something to be about."""
        self._ne = False
        self._joined = False
        self._verb = False

    def sentence(self) -> Sentence:
        for at, mark in enumerate(self._marks):
            following = self._marks[at + 1] if at + 1 < len(self._marks) else None
            self._take(mark, following)
        self._end_statement()
        return Sentence(tuple(self._signed), self._answer, tuple(dict.fromkeys(self._lost)))

    def _take(self, mark: Mark, following: Mark | None) -> None:
        if mark.kind in _ENDS:
            self._end(mark.kind)
        elif mark.kind == "ne":
            # "Aucun homme n'est admis": the *not* has come before.
            self._ne = self._word not in {"aucun", "aucune", "ni"}
        elif mark.kind == "not" or (mark.kind == "plus" and self._ne):
            self._deny(mark, following)
        elif mark.kind == "except":
            self._open("except", mark)
        elif mark.kind in _VERDICTS:
            self._judge(mark, following)
        elif mark.kind in _TARGETS:
            self._sign(mark)
        elif mark.kind == "plus":
            self._lost.append(mark.words)
        else:
            self._beside(mark)

    def _beside(self, mark: Mark) -> None:
        """Keep a mark that is neither said nor denied; a *not* before it is about nothing known."""
        if self._not and not self._used:
            self._lost.append(f"{self._not} {mark.words}")
            self._not = ""
        if mark.kind == "only" and mark.words == "que" and self._ne:
            self._ne = False
        self._signed.append(Signed(mark, SAID, self._statement, self._part))

    def _deny(self, mark: Mark, following: Mark | None) -> None:
        if self._ne and mark.words.split()[0] not in _AFTER_NE:
            self._lost.append(f"ne {mark.words}")
        self._ne = False
        if following is None or following.kind in _ENDS - {"and"} or following.kind in _VERDICTS:
            if self._not and not self._used:
                self._lost.append(f"{self._not} {mark.words}")
            if following is not None and following.kind in _VERDICTS:
                self._not, self._used = f"verdict {mark.words}", False
            else:
                self._not = ""
                self._pass_verdict(DENIED, mark)
        elif following.kind == "and":
            self._lost.append(mark.words)
        else:
            self._open("not", mark)

    def _open(self, kind: str, mark: Mark) -> None:
        if self._not and not self._used:
            self._lost.append(f"{self._not} {mark.words}")
        self._not, self._used, self._word = kind, False, mark.words

    def _judge(self, mark: Mark, following: Mark | None) -> None:
        """Pass a verdict: *admitted*, *refused*, *not admitted*."""
        denied = self._not.startswith("verdict")
        if denied:
            self._not = ""
        if mark.kind in {"needed", "optional"}:
            self._need(mark, denied=denied)
        elif mark.kind == "ok" and not denied and not self._here() and self._leads(mark, following):
            self._verb = True
        elif mark.kind == "ok":
            self._pass_verdict(DENIED if denied else SAID, mark)
        elif denied:
            self._lost.append(f"not {mark.words}")
        else:
            self._pass_verdict(DENIED, mark)

    @staticmethod
    def _leads(mark: Mark, following: Mark | None) -> bool:
        """Tell whether a verb stands before what it is about: *accepte les animaux*."""
        verb = mark.words in {"accepte", "acceptent", "autorise", "tolere"}
        return verb and following is not None and following.kind in {*_TARGETS, "not", "only"}

    def _need(self, mark: Mark, *, denied: bool) -> None:
        """Sign what is needed, or need not be: an *optional* door is open."""
        here = [s for s in self._here() if _SUBJECTS[s.mark.kind] == "access"]
        if not here:
            self._lost.append(mark.words)
        for signed in here:
            if mark.kind == "optional":
                free = mark.words in {"facultatif", "facultative"} and not denied
                signed.sign = DENIED if free and signed.sign == SAID else UNCLEAR
            elif denied:
                signed.sign = DENIED if signed.sign == SAID else UNCLEAR

    def _pass_verdict(self, verdict: int, mark: Mark) -> None:
        here = self._here()
        if not here:
            if (
                self._signed
                and any(
                    s.statement == self._statement and s.mark.kind in _TARGETS for s in self._signed
                )
            ) or self._answer not in (None, verdict):
                self._lost.append(mark.words)
            else:
                self._answer = verdict
            return
        if verdict == SAID:
            if self._not == "except":
                self._lost.append(f"except {mark.words}")
            for signed in here:
                signed.told = True
            return
        subjects = {_SUBJECTS[signed.mark.kind] for signed in here}
        if any(signed.sign == DENIED for signed in here):
            self._lost.append(f"not {mark.words}")  # denied twice
        if any(signed.joined for signed in here):
            # "A, B and C refused": nobody knows whether A is.
            for signed in self._signed:
                before = signed.statement == self._statement and signed.part < self._part
                if before and not signed.told and _SUBJECTS.get(signed.mark.kind) in subjects:
                    signed.sign = UNCLEAR
        for signed in here:
            signed.sign, signed.told = DENIED, True

    def _here(self) -> list[Signed]:
        return [
            signed
            for signed in self._signed
            if (signed.statement, signed.part) == (self._statement, self._part)
            and signed.mark.kind in _TARGETS
        ]

    def _sign(self, mark: Mark) -> None:
        here = self._here()
        sign, excepted = SAID, False
        if self._ne:
            self._lost.append("ne")  # its *pas* comes before what it is about
            self._ne = False
        if self._not.startswith("verdict"):
            self._not = "not"
        if self._not:
            subject = _SUBJECTS[mark.kind]
            others = {_SUBJECTS[signed.mark.kind] for signed in here if signed.sign != SAID} - {
                subject
            }
            sign, excepted = DENIED, self._not == "except"
            if self._used and others:
                sign = UNCLEAR  # "no dogs by referral": is the referral denied?
            self._used = True
        told = self._verb and sign == SAID
        self._signed.append(
            Signed(mark, sign, self._statement, self._part, excepted, self._joined, told)
        )
        self._joined = False

    def _end(self, kind: str) -> None:
        if self._not and not self._used:
            self._lost.append(self._not)
            self._not = ""
        if kind == "and":
            self._joined = bool(self._here())
            return
        self._joined = False
        if kind == "stop":
            self._end_statement()
        else:
            if kind == "break" or self._not != "except":
                self._not = ""
            self._part += 1

    def _end_statement(self) -> None:
        if (self._not and not self._used) or self._ne:
            self._lost.append(self._not or "ne")
        self._not, self._used, self._ne, self._joined = "", False, False, False
        self._word, self._verb = "", False
        self._statement, self._part = self._statement + 1, 0
