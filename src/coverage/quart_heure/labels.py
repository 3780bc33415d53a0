"""The words and number forms that people read, in French and in English.

Code, files and columns use one English word per idea; `labels.toml` says how it is shown.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Protocol

LANGUAGES = ("fr", "en")

UNKNOWN = "—"
"""How an unknown value is shown, in every language."""

NARROW_SPACE = "\u202f"
"""Separates thousands, and a number from its sign, in French; never breaks a line."""


Forms = list[tuple[re.Pattern[str], tuple[str, str]]]
"""Patterns of texts, and what is said in their place in each language."""

_ORDINAL = re.compile(r"(\d+)(er|e)")


class Labelled(Protocol):
    """What has a label in each language, such as a category."""

    def label(self, lang: str) -> str:
        """Return the label in a language."""
        ...


def word(key: str, lang: str) -> str:
    """Return how a word of the code is shown; a word without an entry is shown as it is.

    Examples
    --------
    >>> word("too_far", "fr"), word("too_far", "en"), word("une raison", "fr")
    ('trop loin', 'too far', 'une raison')
    """
    entry = _texts()["words"].get(key)
    return entry[LANGUAGES.index(lang)] if entry else key


def problem_words(text: str, lang: str) -> str:
    """Return a reason or an action of a table of problems; values in it stay as they are.

    Examples
    --------
    >>> problem_words("the same place as row 3 of lieux.csv", "fr"), problem_words("mended", "fr")
    ('même lieu que la ligne 3 de lieux.csv', 'réparé')
    """
    if text in _texts()["words"]:
        return word(text, lang)
    return _in_form(text, _forms("problems"), lang) or text


def heading(key: str, lang: str) -> str:
    """Return the heading of a column, with its unit."""
    return text(f"headings.{key}", lang)


def phrase(key: str, lang: str, **values: object) -> str:
    """Return a title or sentence of the reports, with values in their places."""
    return text(f"report.{key}", lang, **values)


def text(path: str, lang: str, **values: object) -> str:
    """Return a text by its table and key, with values in their places.

    Examples
    --------
    >>> text("headings.single_pct", "en"), text("report.residents_from", "en", source="a census")
    ('Area (% of on-network)', 'Residents: a census.')
    """
    table, _, key = path.partition(".")
    return fill(_texts()[table], key, lang, values)


def fill(
    texts: Mapping[str, tuple[str, str]], key: str, lang: str, values: Mapping[str, object]
) -> str:
    """Return a text with values in their places: its singular ``KEY_one``, where there is one.

    What is counted is ``k``, or else ``n``. In French, nought is singular too.

    Examples
    --------
    >>> texts = {"more": ("et {n} autres", "and {n} others"), "more_one": ("et {n} autre",
    ...          "and {n} other")}
    >>> [fill(texts, "more", "fr", {"n": n}) for n in (0, 1, 2)]
    ['et 0 autre', 'et 1 autre', 'et 2 autres']
    >>> [fill(texts, "more", "en", {"n": n}) for n in (0, 1, 2)]
    ['and 0 others', 'and 1 other', 'and 2 others']
    """
    count = str(values.get("k", values.get("n")))
    one = f"{key}_one"
    if one in texts and count in {"fr": ("0", "1"), "en": ("1",)}[lang]:
        key = one
    return texts[key][LANGUAGES.index(lang)].format_map(values)


def told(entry: Mapping[str, Any], key: str, lang: str) -> str:
    """Return what an entry tells in a language, else what it tells in any; ``""`` for nothing.

    Examples
    --------
    >>> told({"source": "Streets", "source_fr": "Rues"}, "source", "fr"), told({}, "source", "fr")
    ('Rues', '')
    """
    return str(entry.get(f"{key}_{lang}") or entry.get(key) or "")


def category_label(category: str, lang: str, catalogue: Mapping[str, Labelled]) -> str:
    """Return the label of a category or of a composite indicator."""
    return catalogue[category].label(lang) if category in catalogue else word(category, lang)


def district_label(label: str, lang: str) -> str:
    """Return a district's name for a heading: an ordinal is an arrondissement.

    Examples
    --------
    >>> district_label("13e", "fr"), district_label("13e", "en"), district_label("Lyon", "fr")
    ('13e arrondissement', '13th arrondissement', 'Lyon')
    """
    found = re.fullmatch(_ORDINAL, label)
    return f"{ordinal(int(found[1]), lang)} arrondissement" if found else label


def ordinal(number: int, lang: str) -> str:
    """Write an ordinal number.

    Examples
    --------
    >>> [ordinal(number, "fr") for number in (1, 2, 21)]
    ['1er', '2e', '21e']
    >>> [ordinal(number, "en") for number in (1, 2, 3, 4, 11, 12, 22, 101, 111)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '22nd', '101st', '111th']
    """
    if lang == "fr":
        return "1er" if number == 1 else f"{number}e"
    teens = number % 100 in {11, 12, 13}
    suffix = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def district_word(labels: Iterable[str], lang: str) -> str:
    """Return what districts of these labels are called: ordinals are arrondissements.

    Examples
    --------
    >>> district_word(["1er", "2e"], "fr"), district_word(["Lyon", "Bron"], "fr")
    ('arrondissement', 'secteur')
    """
    ordinals = [re.fullmatch(_ORDINAL, label) is not None for label in labels]
    return word("arrondissement" if ordinals and all(ordinals) else "district", lang)


def format_number(value: float | None, lang: str, decimals: int = 0) -> str:
    """Write a number in the form of the language.

    Examples
    --------
    >>> format_number(2165423, "en"), format_number(31.58, "fr", 1), format_number(None, "fr")
    ('2,165,423', '31,6', '—')
    >>> format_number(7848.5, "en"), format_number(-0.2, "en")
    ('7,849', '0')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    # Halves are rounded up, as people do: a figure that was kept to a tenth and one that was not
    # are then written alike. Adding zero turns the "-0" that rounding leaves into "0".
    exact = decimal.Decimal(str(float(value))).quantize(
        decimal.Decimal(1).scaleb(-decimals),
        rounding=decimal.ROUND_HALF_UP,
        context=decimal.Context(prec=400),  # room for any float
    )
    text = f"{float(exact) + 0.0:,.{decimals}f}"
    if lang == "en":
        return text
    return text.replace(",", NARROW_SPACE).replace(".", ",")


def format_pct(value: float | None, lang: str, decimals: int = 1) -> str:
    """Write a percentage with its sign.

    Examples
    --------
    >>> format_pct(31.58, "en"), format_pct(31.58, "fr") == "31,6\u202f%"
    ('31.6%', True)
    """
    return with_percent_sign(format_number(value, lang, decimals), lang)


def format_about(value: float, lang: str) -> str:
    """Write a number in two figures, as people say it.

    Examples
    --------
    >>> format_about(479226.0, "en"), format_about(1.5528, "fr"), format_about(87.0, "en")
    ('480,000', '1,6', '87')
    >>> format_about(9961.0, "en"), format_about(0.0, "en"), format_about(2.04, "fr")
    ('10,000', '0', '2')
    """
    if not value:
        return "0"
    rounded = float(f"{value:.1e}")
    decimals = 1 if abs(rounded) < 10 and rounded != round(rounded) else 0
    return format_number(rounded, lang, decimals)


def format_signed(value: float | None, lang: str, decimals: int = 1) -> str:
    """Write a change: with its sign, a true minus, and none where it rounds to nothing.

    Examples
    --------
    >>> format_signed(1.25, "en"), format_signed(-0.04, "fr"), format_signed(None, "fr")
    ('+1.3', '0,0', '—')
    """
    shown = format_number(value, lang, decimals)
    if value is None or not math.isfinite(value):
        return shown
    # Hyphens are lost in a column of figures.
    bare = shown.lstrip("-\N{MINUS SIGN}")
    if not bare.strip("0,. "):
        return bare
    return ("+" if value > 0 else "\N{MINUS SIGN}") + bare


def with_percent_sign(text: str, lang: str) -> str:
    """Add the sign to a figure that is written already; what is not known has none.

    Examples
    --------
    >>> with_percent_sign("25–34", "en"), with_percent_sign("25–34", "fr") == "25–34\u202f%"
    ('25–34%', True)
    """
    if text == UNKNOWN:
        return text
    return f"{text}%" if lang == "en" else f"{text}{NARROW_SPACE}%"


def format_minutes(value: float | None, lang: str, decimals: int = 1) -> str:
    """Write minutes without their unit; what cannot be reached on foot is said.

    Examples
    --------
    >>> format_minutes(17.249, "fr"), format_minutes(float("inf"), "fr")
    ('17,2', 'hors d’atteinte')
    """
    if value is not None and math.isinf(value):
        return "out of reach" if lang == "en" else "hors d’atteinte"
    return format_number(value, lang, decimals)


def format_date(iso: str, lang: str) -> str:
    """Write an ISO date in words; what is not one is shown as it is.

    Examples
    --------
    >>> format_date("2021-08-06", "fr"), format_date("2021-08-06T10:00:00Z", "en")
    ('6 août 2021', '6 August 2021')
    >>> format_date("2014/2015", "fr"), format_date("", "fr")
    ('2014/2015', '—')
    >>> format_date("2023-12-12; 2025-06-20", "fr")
    '2023-12-12; 2025-06-20'
    """
    try:
        if iso[10:11] not in {"", "T", " "}:
            return iso  # several dates: the first of them is not the date
        date = datetime.date.fromisoformat(iso[:10])
    except ValueError:
        return iso or UNKNOWN
    # In a French date only the first of a month is an ordinal.
    day = ordinal(1, lang) if date.day == 1 and lang == "fr" else str(date.day)
    return f"{day} {_MONTHS[lang][date.month - 1]} {date.year}"


def format_moment(iso: str, lang: str) -> str:
    r"""Write a local moment with its day of the week.

    Examples
    --------
    >>> format_moment("2026-12-07T07:30", "fr"), format_moment("2026-12-07 07:30", "en")
    ('lundi 7 décembre 2026 à 7\xa0h\xa030', 'Monday 7 December 2026, 07:30')
    """
    try:
        moment = datetime.datetime.fromisoformat(iso)
    except ValueError:
        return iso or UNKNOWN
    day = f"{word(f'day_{moment.weekday()}', lang)} {format_date(iso, lang)}"
    joined = {"fr": " à ", "en": ", "}[lang]
    return f"{day}{joined}{_clock(moment, lang)}"


def format_window(start: str, end: str, lang: str) -> str:
    """Write a part of a day, with what joins it to a sentence; past midnight, both of its days.

    Examples
    --------
    >>> spaced = format_window("2026-12-06T18:00", "2026-12-06T22:30", "fr")
    >>> spaced.replace("\u00a0", " ")
    'le dimanche 6 décembre 2026, de 18 h à 22 h 30'
    >>> format_window("2026-12-06T18:00", "2026-12-07T00:00", "en")
    'on Sunday 6 December 2026, from 18:00 to 24:00'
    """
    first, last = (datetime.datetime.fromisoformat(iso) for iso in (start, end))
    begin, finish = (_clock(moment, lang) for moment in (first, last))
    midnight = datetime.datetime.combine(first.date(), datetime.time(), first.tzinfo)
    if last == midnight + datetime.timedelta(days=1):
        last, finish = first, {"fr": "24\u00a0h", "en": "24:00"}[lang]
    days = [
        f"{word(f'day_{moment.weekday()}', lang)} {format_date(moment.isoformat(), lang)}"
        for moment in (first, last)
    ]
    if first.date() == last.date():
        return phrase("window_day", lang, day=days[0], start=begin, end=finish)
    return phrase("window_days", lang, first=days[0], start=begin, last=days[1], end=finish)


def _clock(moment: datetime.datetime, lang: str) -> str:
    """Write a time of day as it stands in a sentence."""
    if lang == "en":
        return f"{moment:%H:%M}"
    return f"{moment.hour}\u00a0h" + (f"\u00a0{moment:%M}" if moment.minute else "")


def format_plain(value: Any, lang: str) -> str:
    """Write a parameter of any kind: words translated, numbers in the form of the language.

    Examples
    --------
    >>> format_plain(4.5, "fr"), format_plain(15.0, "fr"), format_plain("slow", "fr")
    ('4,5', '15', 'marche lente')
    >>> format_plain((5, 10), "en"), format_plain(True, "fr"), format_plain(None, "fr")
    ('5, 10', 'oui', '—')
    """
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return {"fr": ("non", "oui"), "en": ("no", "yes")}[lang][value]
    if isinstance(value, int | float):
        decimals = len(f"{value:g}".partition(".")[2])
        return format_number(value, lang, decimals)
    if isinstance(value, list | tuple):
        return ", ".join(format_plain(item, lang) for item in value)
    return word(str(value), lang)


def typeset(text: str) -> str:
    """Keep the signs of a French text from the beginning of a line.

    Examples
    --------
    >>> typeset("Où ? « ici » : 10 %") == "Où\u202f? «\u202fici\u202f»\u00a0: 10\u202f%"
    True
    """
    text = re.sub(r" (?=[;?!%»])|(?<=«) ", NARROW_SPACE, text)
    return text.replace(" :", "\u00a0:")


def source_words(text: str, lang: str) -> str:
    """Return what a source of a service is called, or its date; several are told one by one.

    Examples
    --------
    >>> source_words("2018-2019; undated", "fr"), source_words("Le Monde", "fr")
    ('2018-2019 ; sans date', 'Le Monde')
    """
    forms = _forms("sources")
    if text in _texts()["sources"]:
        return _in_form(text, forms, lang)
    return {"fr": " ; ", "en": "; "}[lang].join(
        _in_form(part, forms, lang) or part for part in text.split("; ")
    )


def _in_form(text: str, forms: Forms, lang: str) -> str:
    for pattern, entry in forms:
        if values := pattern.fullmatch(text):
            return entry[LANGUAGES.index(lang)].format(*values.groups())
    return ""


@functools.cache
def _forms(table: str) -> Forms:
    """Return texts with gaps, as patterns, and what is said in their place."""
    return [
        (re.compile(re.escape(key).replace(r"\{\}", "(.*)"), re.DOTALL), entry)
        for key, entry in _texts()[table].items()
    ]


def read_pairs(entries: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    r"""Return a table of texts, in French and in English; those of other tables by reference.

    Parameters
    ----------
    entries
        A pair of texts for each key, or the table and key of a pair of ``labels.toml``.

    Examples
    --------
    >>> read_pairs({"yes": ["oui !", "yes!"], "where": "headings.street"})
    {'yes': ('oui\u202f!', 'yes!'), 'where': ('Rue', 'Street')}
    """
    return {
        key: _pair(entry) if isinstance(entry, list) else _named(entry)
        for key, entry in entries.items()
    }


def _pair(entry: list[str]) -> tuple[str, str]:
    french, english = entry
    return typeset(french), english


def _named(path: str) -> tuple[str, str]:
    table, _, key = path.partition(".")
    return _pair(_written()[table][key])


@functools.cache
def _texts() -> dict[str, dict[str, tuple[str, str]]]:
    return {table: read_pairs(entries) for table, entries in _written().items()}


@functools.cache
def _written() -> dict[str, dict[str, Any]]:
    file = resources.files("quart_heure").joinpath("labels.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


# fmt: off
_MONTHS = {
    "fr": ["janvier", "février", "mars", "avril", "mai", "juin",
           "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
    "en": ["January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December"],
}
# fmt: on
