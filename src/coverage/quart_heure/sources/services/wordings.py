"""What files say in words, in the few words that we keep: status, access, animals, wheelchairs.

A text is read when every word of it is accounted for, *not* and *except* included; else it is
``unknown``, with the words that were not understood. Whom a place admits is read in ``admission``,
how many it takes in ``capacities``, what must not be shown in ``discretion``.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
from collections.abc import Callable, Mapping

from quart_heure.sources.services.admission import admission_of
from quart_heure.sources.services.phrases import (
    DENIED,
    SAID,
    UNCLEAR,
    Sentence,
    read_sentence,
    spellings,
    tokens_of,
    vocabulary,
    words_of,
)
from quart_heure.sources.texts import fold

UNKNOWN = "unknown"

_LONGEST_DATE = 40
_LONGEST_REMARK = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    Parameters
    ----------
    word
        A word of the schema, ``unknown`` where the text says that it is not known or was not
        understood, "" where it says nothing of it.
    lost
        What was not understood: nothing is read of a text with such words.
    """

    word: str
    lost: tuple[str, ...] = ()


def read_text(field: str, text: str, *, own: bool = True) -> Reading:
    """Read what a text says of a field.

    Parameters
    ----------
    field
        ``status``, ``access``, ``animals``, ``wheelchair`` or ``admits``.
    text
        As the source has it.
    own
        Whether the text stands in a column of that field: there *non* is an answer, and a text
        that says nothing of the field was not understood. A column of the audience may speak of
        other things.
    """
    if not text.strip():
        return Reading("")
    if own and (answer := _bare_answer(text)) is not None:
        word = _ANSWERS[field].get(answer, UNKNOWN)
        return Reading(word, (fold(text),) if word == UNKNOWN else ())
    sentence = read_sentence(text)
    if sentence.lost:
        return Reading(UNKNOWN, sentence.lost)
    if sentence.answer is not None and not own:
        return Reading(UNKNOWN, (fold(text),))
    foreign = [signed.mark.words for signed in sentence.of(*_FOREIGN[field])] if own else []
    if foreign:
        return Reading(UNKNOWN, tuple(foreign))
    word = _READERS[field](sentence)
    if not own or word not in {"", UNKNOWN}:
        return Reading(word)
    # Said, and no word of the schema: who comes by appointment is neither sent nor free to come.
    said = sentence.of("unsaid", *_SAID_ALL_THE_SAME[field])
    return Reading(UNKNOWN, () if said else (fold(text),))


def _bare_answer(text: str) -> int | None:
    words = " ".join(words_of(text)) or text
    answers = vocabulary()["answers"]
    if words in answers["yes"]:
        return SAID
    return DENIED if words in answers["no"] else None


_ANSWERS: Mapping[str, Mapping[int, str]] = {
    "status": {SAID: "open", DENIED: "temporarily_closed"},
    "animals": {SAID: "yes", DENIED: "no"},
    "wheelchair": {SAID: "yes", DENIED: "no"},
    "access": {},
    "admits": {},
}
"""What a bare yes or no in a column means; of whom is admitted, and how, it says nothing."""

_SAID_ALL_THE_SAME: Mapping[str, tuple[str, ...]] = {
    "status": (),
    "access": ("appointment", "conditional"),
    "animals": ("conditional",),
    "wheelchair": (),
    "admits": ("group", "others", "some", "age", "need"),
}

_FOREIGN: Mapping[str, tuple[str, ...]] = {
    "status": ("group", "children", "others", "animals", "wheelchair", "accessible", "referral"),
    "access": (),
    "animals": ("status", "until"),
    "wheelchair": ("status", "until", "animals", "referral"),
    "admits": (),
}
"""Marks that a column of a field does not speak of: what they do there nobody knows."""


# --- status --------------------------------------------------------------------------------------


def _status(sentence: Sentence) -> str:
    said = sentence.of("status")
    if any(signed.sign != SAID for signed in said) or sentence.of("steps", "walk_in"):
        return UNKNOWN
    words = {signed.mark.value for signed in said}
    if sentence.of("street", "name") and words != {"moved"}:
        return UNKNOWN
    limited = bool(sentence.of("part_time"))
    until = bool(sentence.of("until"))
    if sentence.answer is not None:
        words.add("open" if sentence.answer == SAID else "temporarily_closed")
    if {"permanently_closed"} <= words <= {"permanently_closed", "closed"}:
        words = {"closed"}
    elif words == {"closed", "temporarily_closed"} or (words == {"closed"} and until):
        words = {"temporarily_closed"}
    elif words == {"open", "project"}:
        return UNKNOWN
    if words == {"open"} and limited:
        seasons = {signed.mark.value for signed in sentence.of("part_time")}
        words = {"seasonal"} if seasons == {"year"} else set()
        if not words:
            return UNKNOWN
    elif (words == {"open"} and until) or (limited and not words & {"seasonal", "project", "moved", "temporarily_closed"}):
        return UNKNOWN
    if len(words) > 1:
        return UNKNOWN
    return next(iter(words), "")


# --- access --------------------------------------------------------------------------------------


def _access(sentence: Sentence) -> str:
    votes: set[str] = set()
    restricted = bool(sentence.of("some", "conditional", "part_time", "priority"))
    for signed in sentence.of("referral", "walk_in", "appointment"):
        kind, value = signed.mark.kind, signed.mark.value
        if value == "who":
            continue
        if signed.excepted or signed.sign == UNCLEAR:
            votes.add(UNKNOWN)
        elif kind == "referral":
            votes.add("referral" if signed.sign == SAID else "walk_in")
        elif kind == "walk_in":
            votes.add("walk_in" if signed.sign == SAID else UNKNOWN)
        elif value == "appointment":
            votes.add(UNKNOWN if signed.sign == SAID else "walk_in")
    everyone = [s for s in sentence.of("group") if s.mark.value == "everyone"]
    if not votes and everyone and all(signed.sign == SAID for signed in everyone):
        votes.add("walk_in")
    if not votes:
        return UNKNOWN if sentence.of("conditional") else ""
    if votes == {"walk_in"} and restricted:
        return UNKNOWN
    return votes.pop() if len(votes) == 1 else UNKNOWN


# --- animals -------------------------------------------------------------------------------------


def _animals(sentence: Sentence) -> str:
    answers: set[str] = set()
    beside = {signed.mark.value for signed in sentence.of("animal_said")}
    conditional = bool(sentence.of("conditional")) and bool(sentence.of("animals"))
    for signed in sentence.of("animals"):
        if signed.mark.value == "guide":
            # A guide dog is admitted by law: that says nothing of another dog.
            if not signed.excepted:
                answers.add(UNKNOWN)
        elif signed.sign == DENIED:
            answers.add(UNKNOWN if signed.mark.value == "listed" else "no")
        elif signed.mark.words == "attacher les animaux" or (signed.sign == SAID and signed.told):
            answers.add("yes")
        elif "outside" not in beside:
            answers.add(UNKNOWN)
    if "outside" in beside and sentence.of("animals"):
        answers.add(UNKNOWN if "yes" in answers else "no")
    if sentence.answer is not None and not sentence.of("group"):
        answers.add("yes" if sentence.answer == SAID else "no")
    if not answers:
        return ""
    if answers == {"yes"} and ("small" in beside or conditional or sentence.of("part_time")):
        return UNKNOWN
    return answers.pop() if len(answers) == 1 else UNKNOWN


# --- wheelchairs ---------------------------------------------------------------------------------


def _wheelchair(sentence: Sentence) -> str:
    answers: set[str] = set()
    for signed in sentence.of("accessible", "steps"):
        kind, value = signed.mark.kind, signed.mark.value
        if signed.excepted or signed.sign == UNCLEAR:
            answers.add("limited" if kind == "steps" else UNKNOWN)
        elif kind == "steps":
            answers.add("no" if signed.sign == SAID else "yes")
        elif value == "yes":
            answers.add("yes" if signed.sign == SAID else "no")
        else:
            answers.add(value if signed.sign == SAID else UNKNOWN)
    for signed in sentence.of("room"):
        # Of a part of the place alone.
        if (signed.sign == SAID and answers == {"yes"}) or signed.excepted:
            answers.add("limited")
        else:
            answers.add(UNKNOWN)
    for signed in sentence.of("wheelchair"):
        if signed.sign == DENIED:
            answers.add("no" if not signed.excepted else UNKNOWN)
        elif signed.sign == UNCLEAR:
            answers.add(UNKNOWN)
        elif not answers or signed.told:
            answers.add("yes")
    if sentence.answer is not None and not sentence.of("group", "animals"):
        answers.add("yes" if sentence.answer == SAID else "no")
    if answers == {"yes", "limited"}:
        answers = {"limited"}
    if answers == {"yes"} and sentence.of("part_time", "some"):
        return UNKNOWN
    if len(answers) > 1:
        return UNKNOWN
    return next(iter(answers), "")


_READERS: Mapping[str, Callable[[Sentence], str]] = {
    "status": _status,
    "access": _access,
    "animals": _animals,
    "wheelchair": _wheelchair,
    "admits": admission_of,
}


# --- days ----------------------------------------------------------------------------------------


def is_closed_day(text: str) -> bool:
    """Tell whether the text of a day means that the place does not open on it."""
    return fold(text) in vocabulary()["closed_day"]["words"]


_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:$|[T ])")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:$|[T ])")


def date_of(text: str) -> str:
    """Return a date as ISO 8601, "" if the text is none: 2026-01-31, 31/01/2026, 31/01/26."""
    plain = text.strip()[:_LONGEST_DATE]
    if found := _ISO.match(plain):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.match(plain):
        day, month, year = found.groups()
        year = year if len(year) == 4 else f"20{year}"
    else:
        return ""
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


# --- remarks -------------------------------------------------------------------------------------


def status_in_remarks(text: str) -> Reading:
    """Read what remarks say of the status of a place.

    A remark that is understood to its last word says it; in any other, words such as *en projet*
    or *fermé définitivement* make it ``unknown``, and are the ``lost`` ones. Remarks speak of many
    things: what says nothing of a status is no doubt.
    """
    read = read_text("status", text, own=False)
    if read.word not in {"", UNKNOWN, "open"}:
        return read
    words = [token.word for token in tokens_of(text[:_LONGEST_REMARK])]
    for doubt in _doubts():
        size = len(doubt)
        if any(tuple(words[at : at + size]) == doubt for at in range(len(words) - size + 1)):
            return Reading(UNKNOWN, (" ".join(doubt),))
    return Reading("")


@functools.cache
def _doubts() -> tuple[tuple[str, ...], ...]:
    phrases = vocabulary()["remarks"]["doubt"]
    return tuple(words_of(one) for phrase in phrases for one in spellings(phrase))
