"""Sentences of service files: every word accounted for, and what each *not* and *except* is about.

Each mark of which something can be said gets a sign: said, denied, or nobody knows. One word
without a phrase is enough for a text not to be understood.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

from quart_heure.sources.services.phrases import LONGEST, Mark, Phrases, tokens_of, vocabulary

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
_AFTER_NE = frozenset({"pas", "plus", "jamais", "aucun", "aucune", "ni"})

SAID, DENIED, UNCLEAR = 1, -1, 0


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


def phrases_of(kind: str) -> list[tuple[str, ...]]:
    """Return the words of every phrase of a kind."""
    known = _sentence_phrases().by_words.items()
    return [words for words, (theirs, _) in known if theirs == kind]


@functools.cache
def _sentence_phrases() -> Phrases:
    return Phrases(vocabulary()["phrases"])
