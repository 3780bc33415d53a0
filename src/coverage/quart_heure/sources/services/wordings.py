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
from collections.abc import Callable, Mapping, Sequence

from quart_heure.sources.services.admission import admission_of
from quart_heure.sources.services.phrases import (
    hints_of,
    may_hold,
    spellings,
    tokens_of,
    vocabulary,
    words_of,
)
from quart_heure.sources.services.sentences import (
    DENIED,
    SAID,
    UNCLEAR,
    Sentence,
    Signed,
    phrases_of,
    read_sentence,
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
    answer = _bare_answer(text) if own else None
    if answer is not None:
        word = _ANSWERS[field].get(answer, UNKNOWN)
        return Reading(word, (fold(text),) if word == UNKNOWN and answer != UNCLEAR else ())
    sentence = read_sentence(text)
    lost = sentence.lost or _out_of_place(sentence, field, own=own, text=text)
    if lost:
        return Reading(UNKNOWN, lost)
    word = _READERS[field](sentence)
    if not own or word not in {"", UNKNOWN}:
        return Reading(word)
    # Said, and no word of the schema: who comes by appointment is neither sent nor free to come.
    said = sentence.of("unsaid", *_SAID_ALL_THE_SAME[field])
    return Reading(UNKNOWN, () if said else (fold(text),))


def _out_of_place(sentence: Sentence, field: str, *, own: bool, text: str) -> tuple[str, ...]:
    """Return words that a column does not speak of: what they do there nobody knows."""
    if own:
        return tuple(signed.mark.words for signed in sentence.of(*_FOREIGN[field]))
    return () if sentence.answer is None else (fold(text),)


def _bare_answer(text: str) -> int | None:
    words = " ".join(words_of(text)).strip(";.!, ") or text
    answers = vocabulary()["answers"]
    for answer, name in ((SAID, "yes"), (DENIED, "no"), (UNCLEAR, "unknown")):
        if words in answers[name]:
            return answer
    return None


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
"""Marks that a column of a field does not speak of."""


# --- status --------------------------------------------------------------------------------------


def _status(sentence: Sentence) -> str:
    said = sentence.of("status")
    words = {signed.mark.value for signed in said}
    gone = words == {"moved"}
    if any(signed.sign != SAID for signed in said) or (sentence.of("street", "name") and not gone):
        return UNKNOWN
    if sentence.answer is not None:
        words.add("open" if sentence.answer == SAID else "temporarily_closed")
    for together, word in _TOGETHER:
        if words == together:
            words = {word}
    return _for_a_time(sentence, words.pop()) if len(words) == 1 else UNKNOWN if words else ""


_TOGETHER = (
    ({"permanently_closed"}, "closed"),
    ({"permanently_closed", "closed"}, "closed"),
    ({"temporarily_closed", "closed"}, "temporarily_closed"),
)


def _for_a_time(sentence: Sentence, word: str) -> str:
    """Return a status that is said for a season or until a day."""
    times = {signed.mark.value for signed in sentence.of("part_time")}
    until = bool(sentence.of("until"))
    if word == "open" and (times or until):
        return "seasonal" if times == {"year"} and not until else UNKNOWN
    if word == "closed" and sentence.of("status")[0].mark.value != "permanently_closed":
        if times:
            return UNKNOWN  # closed on Mondays: that is of the hours
        return "temporarily_closed" if until else word
    return word


# --- access --------------------------------------------------------------------------------------


def _access(sentence: Sentence) -> str:
    votes: set[str] = set()
    said = sentence.of("referral", "walk_in", "appointment")
    for signed in said:
        if signed.mark.value != "who":
            votes.add(_way_in(signed))
    everyone = [s for s in sentence.of("group") if s.mark.value == "everyone"]
    if not votes and everyone and all(signed.sign == SAID for signed in everyone):
        said = everyone
        votes.add("walk_in")
    restricted = sentence.of("some", "conditional", "priority") or _at_times(sentence, said)
    if not votes:
        return UNKNOWN if sentence.of("conditional") else ""
    # A name belongs to who refers, and to nothing that lets one in.
    if votes == {"walk_in"} and (restricted or sentence.of("name")):
        return UNKNOWN
    return votes.pop() if len(votes) == 1 else UNKNOWN


def _way_in(signed: Signed) -> str:
    if signed.excepted or signed.sign == UNCLEAR:
        return UNKNOWN
    if signed.mark.kind == "referral":
        return "referral" if signed.sign == SAID else "walk_in"
    # By appointment one is neither sent nor free to come; where none is needed, one is.
    said = signed.sign == SAID
    return (
        "walk_in"
        if said == (signed.mark.kind == "walk_in") and (said or signed.mark.value == "appointment")
        else UNKNOWN
    )


def _at_times(sentence: Sentence, said: Sequence[Signed]) -> bool:
    """Tell whether what is said holds for a part of the time alone."""
    here = {signed.statement for signed in said}
    return any(signed.statement in here for signed in sentence.of("part_time"))


# --- animals -------------------------------------------------------------------------------------


def _animals(sentence: Sentence) -> str:
    named = sentence.of("animals")
    beside = {signed.mark.value for signed in sentence.of("animal_said")}
    answers = {_about_animal(signed) for signed in named} - {""}
    if "outside" in beside and named:
        answers = {UNKNOWN if "yes" in answers else "no"}
    if sentence.answer is not None and not sentence.of("group"):
        answers.add("yes" if sentence.answer == SAID else "no")
    limited = "small" in beside or sentence.of("conditional") or _at_times(sentence, named)
    if answers == {"yes"} and limited:
        return UNKNOWN
    return answers.pop() if len(answers) == 1 else UNKNOWN if answers else ""


def _about_animal(signed: Signed) -> str:
    """Return what a mark says of a dog that is no guide dog: of those, the law says it."""
    if signed.mark.value == "guide":
        return "" if signed.excepted else UNKNOWN
    if signed.sign == DENIED:
        return UNKNOWN if signed.mark.value == "listed" else "no"
    tied = signed.mark.words == "attacher les animaux"
    return "yes" if signed.sign == SAID and (signed.told or tied) else UNKNOWN


# --- wheelchairs ---------------------------------------------------------------------------------


def _wheelchair(sentence: Sentence) -> str:
    answers = {_about_way(signed) for signed in sentence.of("accessible", "steps")}
    for signed in sentence.of("room"):
        # Of a part of the place alone.
        whole = signed.sign == SAID and answers == {"yes"}
        answers.add("limited" if whole or signed.excepted else UNKNOWN)
    for signed in sentence.of("wheelchair"):
        if signed.sign == SAID:
            answers |= {"yes"} if signed.told or not answers else set()
        else:
            answers.add("no" if signed.sign == DENIED and not signed.excepted else UNKNOWN)
    if sentence.answer is not None and not sentence.of("group", "animals"):
        answers.add("yes" if sentence.answer == SAID else "no")
    if answers == {"yes", "limited"}:
        answers = {"limited"}
    limited = sentence.of("some") or _at_times(sentence, sentence.of("wheelchair", "accessible"))
    if answers == {"yes"} and limited:
        return UNKNOWN
    return answers.pop() if len(answers) == 1 else UNKNOWN if answers else ""


def _about_way(signed: Signed) -> str:
    steps = signed.mark.kind == "steps"
    if signed.excepted or signed.sign == UNCLEAR:
        return "limited" if steps else UNKNOWN
    value = "no" if steps else signed.mark.value
    if signed.sign == SAID:
        return value
    return {"yes": "no", "no": "yes" if steps else UNKNOWN}.get(value, UNKNOWN)


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
    if not may_hold(text[:_LONGEST_REMARK], _status_hints()):
        return Reading("")
    read = read_text("status", text, own=False)
    if read.word not in {"", UNKNOWN, "open"}:
        return read
    words = f" {' '.join(token.word for token in tokens_of(text[:_LONGEST_REMARK]))} "
    for doubt in _doubts():
        if f" {doubt} " in words:
            return Reading(UNKNOWN, (doubt,))
    return Reading("")


@functools.cache
def _status_hints() -> tuple[str, ...]:
    """Return what every remark has that speaks of a status: most speak of other things."""
    said = [phrase.split() for phrase in _doubts()]
    return hints_of([*said, *phrases_of("status")])


@functools.cache
def _doubts() -> tuple[str, ...]:
    phrases = vocabulary()["remarks"]["doubt"]
    return tuple(" ".join(words_of(one)) for phrase in phrases for one in spellings(phrase))
