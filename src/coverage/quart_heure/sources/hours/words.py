"""Words for hours: what each word or phrase of a text means, in French or English.

Only what is understood to the last word is taken: one that is not may turn the meaning round.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping

from quart_heure.sources.hours.period import Period, find_periods

DAY_NAMES: Mapping[str, int] = {
    name: day
    for day, names in enumerate(
        (
            "lundi lundis lun lu monday mon mo",
            "mardi mardis mar ma tuesday tue tu",
            "mercredi mercredis mer me wednesday wed we",
            "jeudi jeudis jeu je thursday thu th",
            "vendredi vendredis ven ve friday fri fr",
            "samedi samedis sam sa saturday sat",
            "dimanche dimanches dim di sunday sun su",
        )
    )
    for name in names.split()
}
"""Days of the week by their French and English names and short forms, Monday being 0."""

_Range = tuple[int, int]
DayHours = tuple[_Range, ...]
"""Ranges in minutes of the day; none for a day on which the place is closed."""

WHOLE_DAY: DayHours = ((0, 24 * 60),)


def plain_text(text: str) -> str:
    """Return a text in lower case, without accents, with plain dashes, quotes and spaces."""
    folded = unicodedata.normalize("NFKD", str(text)).casefold()
    if not folded.isascii():
        folded = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return re.sub(r" +", " ", folded.translate(_PLAIN_SIGNS)).strip()


_PLAIN_SIGNS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("’‘`´", "'"),
        **dict.fromkeys("\u00a0\u202f\t\r", " "),
        **dict.fromkeys("\ue000\ue001"),
        "\n": " ; ",
    }
)

_A_DAY = "|".join(sorted((name for name in DAY_NAMES if len(name) > 1), key=len, reverse=True))
_ENGLISH = re.compile(
    r"\b(?:mo|tu|th|fr|su|mon|tue|wed|thu|fri|sun|(?:mon|tues|thurs|fri|sun)day)\b"
)
_NTH = {
    **{"1er": 1, "1ers": 1, "premier": 1, "premiers": 1, "2e": 2, "2eme": 2, "deuxieme": 2},
    **{"3e": 3, "3eme": 3, "troisieme": 3, "4e": 4, "4eme": 4, "quatrieme": 4},
    **{"dernier": -1, "derniers": -1},
}
_ONE_NTH = "|".join(sorted(_NTH, key=len, reverse=True))
_NTH_DAY = re.compile(
    rf"\b(?:tous )?(?:les? )?({_ONE_NTH})(?:(?: et |, ?)(?:les? )?({_ONE_NTH}))? "
    rf"({_A_DAY}) (?:du|de chaque|de tous les) mois\b"
)

_WORDS = (
    (r"24 ?h?(?:eures)? ?(?:/|sur) ?24 ?h?\b|\bh24|jour et nuit", "allday"),
    (r"7 ?j?(?:ours)? ?(?:/|sur) ?7 ?j?", "alldays"),
)
_WORDS_LATER = (
    (r"(?:tous )?(?:les )?jours? feries?|feries?", "feries"),
    (r"(?:tous )?(?:les )?jours ouvres|en semaine", "workdays"),
    (r"(?:tous )?(?:les )?jours ouvrables", "openable"),
    (r"tous les jours de la semaine", "semaine"),  # seven of them, or five?
    (r"tous les jours|chaque jour|toute la semaine|tlj", "alldays"),
    (r"tous les matins", "alldays morning"),
    (r"tous les apres[- ]midis?", "alldays afternoon"),
    (r"tous les soirs", "alldays evening"),
    (r"toutes les nuits", "alldays night"),
    (rf"(?:tous les|chaque)(?= (?:{_A_DAY})\b)", ""),
    (r"toute l'annee|sans interruption|non[- ]stop|en continu|journee continue", ""),
    (r"heures d'ouverture|sans rendez-vous", ""),
    (r"(?:ouvert[es]*|ouverture|accueil) (?:au|du) public|ouverte?s?", "opened"),
    (r"week-? ?ends?", "weekend"),
    (r"fermee?s?|fermetures?(?: annuelles?)?", "closed"),
    (r"sauf|excepte|a l'(?:exception|exclusion) d(?:e|es|u)", "sauf"),
    (r"y compris|meme|ainsi que pendant", "including"),
    (r"inclus|compris", "included"),
    (r"(?:(?:dans|pendant|durant) )?(?:les )?(?:petites )?vacances(?: scolaires)?", "sh"),
    (r"(?:en )?periode scolaire", "hors sh"),
    (r"(?:le |en )?(?:matin|matinee)", "morning"),
    (r"(?:l'|en )?apres[- ]midi", "afternoon"),
    (r"(?:le |en )?(?:soir|soiree)", "evening"),
    (r"(?:la )?nuit", "night"),
    (r"midi", "12h00"),
    (r"minuit", "24h00"),
)
_SHORT_DAY = re.compile(r"\b(lun|mar|mer|jeu|ven|sam|dim)\.(?! *\Z)")
_PHRASES, _PHRASES_LATER = (
    tuple((re.compile(rf"\b(?:{pattern})\b"), f" {word} ") for pattern, word in words)
    for words in (_WORDS, _WORDS_LATER)
)
_HOURS_TO_HOURS = re.compile(
    r"(?<![\d:h/.])(?<!h )(\d{1,2}) ?(-|a) ?(?=\d{1,2} ?(?:h|heures?)\b|\d{1,2}h\d)"
)
"""Hours of which only the second is called one: ``9-12h``."""

_TIME = r"(\d{1,2}) ?(?:h(?:eures?|rs?)?\b|h(?=\d)|:)(?: ?(\d{2})(?!\d| ?[h:]))?"
_TOKEN = re.compile(rf"\ue000(\d+)\ue001|{_TIME}|([a-z]+)|([-,;/&:.()])|(\d+|\S)")
_JOINING = frozenset({"et", "&", ",", "puis", "ainsi", "que", "and"})
_TO_WORDS = frozenset({"-", "a", "au", "to"})
_STRONG = frozenset({";", ".", "(", ")"})
_FILLERS = frozenset(
    {"de", "du", "le", "la", "les", "des", "en", "ouverture", "horaire", "horaires", "accueil"}
    | {"permanence", "permanences", ":", "jours", "jour", "uniquement", "seulement"}
)
_KINDS = frozenset(
    {"alldays", "allday", "closed", "opened", "feries", "sauf", "hors", "including", "included"}
)
_GROUPS: Mapping[str, frozenset[int]] = {
    "weekend": frozenset({5, 6}),
    "workdays": frozenset(range(5)),
    "openable": frozenset(range(6)),
}
PARTS: Mapping[str, _Range] = {
    "morning": (4 * 60, 14 * 60),
    "afternoon": (12 * 60, 20 * 60),
    "evening": (17 * 60, 26 * 60),
    "night": (18 * 60, 36 * 60),
}
"""Parts of a day, and the minutes between which hours that are said to be in them lie."""


@dataclasses.dataclass(frozen=True)
class Token:
    """A word or phrase by its kind, with the number, the days or the period that it stands for."""

    kind: str
    value: int = 0
    days: frozenset[int] = frozenset()
    period: Period | None = None
    nth: str = ""
    said: str = ""


class NotUnderstoodError(ValueError):
    """A word that changes the meaning in a way nobody can tell."""


def tokens(plain: str) -> list[Token]:
    """Read plain text word by word.

    Raises
    ------
    NotUnderstoodError
        If a word of it is not known.
    """
    if not _ENGLISH.search(plain):
        plain = re.sub(r"\bw-?e\b", "week-end", plain)
    held: list[Token] = []

    def hold(token: Token) -> str:
        held.append(token)
        return f" \ue000{len(held) - 1}\ue001 "

    plain = _SHORT_DAY.sub(r"\1", plain)
    plain = _NTH_DAY.sub(lambda match: hold(_nth_token(match)), plain)
    for pattern, word in _PHRASES:  # before dates: "7/7" is none
        plain = pattern.sub(word, plain)
    for begin, end, period in reversed(find_periods(plain)):
        token = Token("period", period=period, said=plain[begin:end].strip())
        plain = plain[:begin] + hold(token) + plain[end:]
    for pattern, word in _PHRASES_LATER:
        plain = pattern.sub(word, plain)
    plain = _HOURS_TO_HOURS.sub(r" \1h \2 ", plain)
    return [
        token for match in _TOKEN.finditer(plain) if (token := _token(match, held)).kind != "filler"
    ]


def _token(match: re.Match[str], held: list[Token]) -> Token:  # noqa: PLR0911 - one a kind
    holder, hour, minute, word, sign, other = match.groups()
    said = word or sign
    if holder:
        return held[int(holder)]
    if hour:
        return Token("time", _minutes(int(hour), int(minute or 0)), said=match[0].strip())
    if word in DAY_NAMES:
        return Token("day", DAY_NAMES[word], said=word)
    if word in _GROUPS:
        return Token("days", days=_GROUPS[word], said=word)
    if word in PARTS:
        return Token("part", said=word)
    if word in _KINDS:
        return Token(word, said=word)
    if word == "sh":
        return Token("period", period=Period("SH"), said="vacances scolaires")
    if said in _TO_WORDS:
        return Token("to", said=said)
    if said in _JOINING:
        return Token("and", said=said)
    if said == "/":
        return Token("slash", said=said)
    if said in _STRONG:
        return Token("break", said=said)
    if said in _FILLERS:
        return Token("filler")
    msg = f"not understood: {said or other!r}"
    raise NotUnderstoodError(msg)


def _nth_token(match: re.Match[str]) -> Token:
    numbers = sorted({_NTH[number] for number in match.groups()[:2] if number})
    return Token("nth", DAY_NAMES[match[3]], nth=",".join(map(str, numbers)), said=match[0])


def _minutes(hour: int, minute: int) -> int:
    at = hour * 60 + minute
    if minute >= 60 or at > 24 * 60:
        msg = f"not understood: '{hour}h{minute:02}'"
        raise NotUnderstoodError(msg)
    return at
