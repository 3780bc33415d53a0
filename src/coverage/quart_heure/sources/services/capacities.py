"""How many a place takes: figures of a text, what they count, and whether they add up.

``20 lits hommes et 10 lits femmes`` are 30 places; of a range the lower figure counts; what stands
in brackets or behind *dont* is a part; people in a day are no capacity. Figures that may be the
same seats, or that count different things, are not read.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import re
from collections.abc import Sequence

from quart_heure.sources.services.phrases import (
    LONGEST,
    Mark,
    Phrases,
    spellings,
    tokens_of,
    vocabulary,
    words_of,
)
from quart_heure.sources.texts import fold

MOST = 1e6
"""No place holds more than this: such a figure is something else."""

CAPACITY_UNITS = ("lockers", "meals", "places", "cabins")

_PEOPLE = frozenset({"women", "men", "families", "children"})


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """A capacity as read: NaN and "" where a text does not say; ``lost`` as for other readings."""

    value: float
    unit: str
    lost: tuple[str, ...] = ()


@dataclasses.dataclass(slots=True)
class _Figure:
    value: float
    unit: str = ""
    whose: str = ""
    when: str = ""
    part: bool = False
    ignored: bool = False
    group: int = 0
    plus: bool = False


def read_capacity(text: str, *, heading: str = "") -> Capacity:
    """Read the capacity that a text states, and what it counts.

    Parameters
    ----------
    text
        For instance ``38 casiers`` or ``150 repas/soir``; of a range, the lower figure counts.
    heading
        Heading of the column, which says what a figure alone counts: ``nb_places``.
    """
    if not text.strip():
        return _none()
    if len(text) > LONGEST:
        return _none(f"a text of {len(text)} signs")
    marks, lost = _phrases().marks(tokens_of(text))
    value, unit = (math.nan, "") if lost else _total(_figures(marks), heading)
    return _none(*(lost or (fold(text),))) if math.isnan(value) else Capacity(value, unit)


def _total(figures: Sequence[_Figure], heading: str) -> tuple[float, str]:
    """Return what figures come to, and its unit: NaN where they do not add up."""
    counted = [each for each in figures if not (each.part or each.ignored)]
    units = {each.unit for each in counted if each.unit}
    odd = any(not (0 <= each.value <= MOST and each.value % 1 == 0) for each in counted)
    if odd or len(units) > 1:
        return math.nan, ""
    if not units:
        # "100 personnes en 2020, 200 en 2025": people, the second time, too.
        single = len(figures) == len(counted) == 1 and not counted[0].whose
        return (counted[0].value, _unit_of(heading)) if single else (math.nan, "")
    unit = units.pop()
    if any(not each.unit and not each.when for each in counted):
        return math.nan, ""
    # "150 repas le midi et 200 le soir"; of seats, what is said of a time alone is of people.
    added = counted if unit == "meals" else [each for each in counted if each.unit]
    return _sum(added, unit), unit


def _none(*lost: str) -> Capacity:
    return Capacity(math.nan, "", lost)


def _figures(marks: Sequence[Mark]) -> list[_Figure]:
    """Return the figures of a text, each with what is said of it."""
    figures: list[_Figure] = []
    depth = group = 0
    part = False
    before = Mark("", "", "")
    for mark in marks:
        if mark.kind in {"open", "close"}:
            depth = max(0, depth + (1 if mark.kind == "open" else -1))
        elif mark.kind == "stop":
            group, part = group + 1, False
        elif mark.kind == "part":
            part = True
        elif mark.kind in {"number", "amount"}:
            unit = mark.value if mark.kind == "amount" else ""
            plus = before.words == "+"
            figures.append(_Figure(mark.low, unit, part=part or depth > 0, group=group, plus=plus))
        elif figures:
            _say(figures, mark, before.kind)
        before = mark
    for last, each in itertools.pairwise(figures):
        # "20 lits pour hommes et 10 pour femmes"
        if not each.unit and each.whose and last.whose and each.group == last.group:
            each.unit = last.unit
    for each in figures:
        # "15 femmes", "50 familles": people, unless seats of others are counted beside.
        if each.whose in _PEOPLE and not each.unit:
            each.ignored = each.ignored or not any(
                other.unit and other.whose in _PEOPLE and other.group == each.group
                for other in figures
            )
    return figures


def _say(figures: Sequence[_Figure], mark: Mark, before: str) -> None:
    """Keep what a mark says of the last figure."""
    last = figures[-1]
    if mark.kind == "unit" and before in {"number", "of"} and not last.unit:
        last.unit = mark.value
    elif mark.kind == "other" and mark.value != "state" and before == "number":
        _ignore_last(figures)
    elif mark.kind == "of":
        last.whose = mark.value
    elif mark.kind == "time":
        last.when = mark.value
    elif mark.kind == "rate" and not last.unit:
        last.when = "rate"  # "environ 100 par jour" are people


def _ignore_last(figures: Sequence[_Figure]) -> None:
    """Ignore the last figure, and those that are added to it: ``6 + 6 machines``."""
    for each in reversed(figures):
        each.ignored = True
        if not each.plus:
            return


def _sum(figures: Sequence[_Figure], unit: str) -> float:
    """Add figures that cannot be the same seats; NaN where they may be."""
    if len(figures) == 1:
        return figures[0].value
    whose = [each.whose for each in figures]
    when = [each.when for each in figures]
    apart = all(whose) and len(set(whose)) == len(whose) and len(set(when)) == 1
    courses = unit == "meals" and all(when) and len(set(when)) == len(when) and len(set(whose)) == 1
    added = all(each.plus for each in figures[1:]) and len(set(when)) == 1
    together = len({each.group for each in figures}) == 1
    if apart or (together and (courses or added)):
        return sum(each.value for each in figures)
    return math.nan


def _unit_of(heading: str) -> str:
    named = f" {fold(re.sub(r'[_-]', ' ', heading))} "
    for unit in CAPACITY_UNITS:
        for phrase in vocabulary()["counts"]["unit"][unit]:
            if any(f" {' '.join(words_of(one))} " in named for one in spellings(phrase)):
                return unit
    return ""


@functools.cache
def _phrases() -> Phrases:
    words = vocabulary()
    counts = {kind: dict(values) for kind, values in words["counts"].items()}
    units = counts.pop("unit")
    amounts = {unit: [f"# {phrase}" for phrase in phrases] for unit, phrases in units.items()}
    small = {kind: words["phrases"][kind] for kind in ("small", "comma", "and")}
    return Phrases(
        {
            "amount": amounts,
            "year": {"year": [str(year) for year in range(1990, 2100)]},
            "open": {"open": ["("]},
            "close": {"close": [")"]},
            "stop": {"stop": [";", ".", "|"]},
            **counts,
            "unit": units,
            **small,
            "number": {"number": ["#"]},
        }
    )
