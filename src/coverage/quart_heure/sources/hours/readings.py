"""Readings of opening hours: the texts that one with holidays or an open end may stand for."""

from __future__ import annotations

import re
from collections.abc import Callable

from opening_hours import validate

BY_THE_SUN = re.compile(r"dawn|sunrise|sunset|dusk", re.I)
"""Hours that need to know where the place is."""

_OPEN_END = re.compile(r"(\d{1,2}):(\d{2})(\s*-\s*\d{1,2}:\d{2})?\+")
_DAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"


def readings_of(text: str, *, country: str | None, sun: bool) -> list[str]:
    """Return the texts that this one may stand for; where they disagree, nobody can say.

    There is none if it cannot be read at all.
    """
    if not text.strip() or not validate(text) or (BY_THE_SUN.search(text) and not sun):
        return []
    readings = [text]
    for kind in ("SH", "PH"):
        if (kind == "SH" or country is None) and _outside_quotes(rf"\b{kind}\b", text):
            readings = [
                changed
                for reading in readings
                for changed in (_never(reading, kind), _always(reading, kind))
            ]
    if _outside_quotes(_OPEN_END.pattern, text):
        readings = [
            _substitute(_OPEN_END, end, reading)
            for reading in readings
            for end in (_shortest, _longest)
        ]
    return readings if all(validate(reading) for reading in readings) else []


def _never(text: str, kind: str) -> str:
    """Read a text as if there were no holidays of a kind: their rules fall out."""
    kept = []
    for rule in re.split(r"(;|\|\|)", text):
        rest = _substitute(re.compile(rf"\b{kind},\s*(?={_DAY}|PH|SH)", re.I), "", rule)
        rest = _substitute(re.compile(rf"(?<=\w),\s*{kind}\b", re.I), "", rest)
        kept.append("" if _outside_quotes(rf"\b{kind}\b", rest) else rest)
    rules = [rule for rule in "".join(kept).split(";") if rule.strip(" |")]
    return ";".join(rules).strip(" |") or "off"


def _always(text: str, kind: str) -> str:
    """Read a text as if every day were a holiday of a kind."""
    text = _substitute(re.compile(rf"\b{kind}\s+(?={_DAY})", re.I), "", text)
    return _substitute(re.compile(rf"\b{kind}\b", re.I), "Mo-Su", text)


def _shortest(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        return f"{hour:02}:{minute:02}{match[3]}"
    close = hour * 60 + minute + 1
    return f"{hour:02}:{minute:02}-{close // 60:02}:{close % 60:02}"


def _longest(match: re.Match[str]) -> str:
    """Let an open end last until four in the morning."""
    return f"{int(match[1]):02}:{match[2]}-{'28:00' if int(match[1]) >= 4 else '24:00'}"


def _outside_quotes(pattern: str, text: str) -> bool:
    return any(re.search(pattern, part, re.I) for part in text.split('"')[::2])


def _substitute(
    pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str], text: str
) -> str:
    """Replace a pattern outside of comments."""
    parts = text.split('"')
    parts[::2] = [pattern.sub(new, part) for part in parts[::2]]
    return '"'.join(parts)
