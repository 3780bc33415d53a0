"""Addresses as people write them, made into questions that a geocoding service understands.

The service compares letters: it finds "bd" for a boulevard and scores it as a word that is not
there, it takes a postcode as a filter to the letter, and it does not search what begins with a
sign. What can be mended without a guess is mended here; the rest is told.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from quart_heure.sources.services.columns import plain_heading
from quart_heure.sources.texts import fold

SHORTEST, LONGEST = 3, 200
"""Lengths of what the service searches: shorter and longer addresses are left out by it."""

_FRONT = re.compile(r'^(?:"[^"]*"|«[^»]*»|“[^”]*”)\s*(?=\d)')
_MARKUP = re.compile(r"<[^<>]{0,60}>")
_QUOTES = re.compile(r'["«»“”]+')
_SEPARATORS = re.compile(r"\s*[;|\t]+\s*")
_NO_START = re.compile(r"^[\W_]+")
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_NUMBER = r"\d+(?:\s*[-/]\s*\d+)*(?:\s*(?:bis|ter|quater)\b|\s?[a-h]\b(?!\.))?"
_STREET = re.compile(
    rf"(?P<before>(?:^|,)\s*(?:{_NUMBER})?[\s,]*)\b(?P<kind>[a-zé]+)\b\.?(?=\s)", re.IGNORECASE
)
_WORD = re.compile(r"\b([a-z]+)\b(\.?)(?=[\s-])", re.IGNORECASE)
_CEDEX = re.compile(r"\bcedex\b(?:\s*\d{1,2}\b)?", re.IGNORECASE)
_COUNTRY = re.compile(r"[\s,]+france\s*$", re.IGNORECASE)
_TAIL = re.compile(
    r"^(?P<street>.*?\S)[\s,–-]+(?:F-?)?(?P<postcode>\d{2}\s?\d{3})[\s,]+(?P<city>[^\d\W][^,;]*)$",
    re.IGNORECASE,
)
_DISTRICT = re.compile(
    r"[\s,-]*\b\d{1,2}\s*(?:er|ere|e|eme|nd|nde)?\b(?:\s*(?:arr|ardt|arrdt|arrondissement)\b\.?)?"
)


@functools.cache
def _words() -> Mapping[str, Any]:
    file = resources.files("quart_heure.sources.online").joinpath("addresses.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@dataclasses.dataclass(frozen=True)
class Question:
    """One address as it is sent; the postcode is a filter, to the letter."""

    address: str
    postcode: str
    city: str

    @property
    def text(self) -> str:
        """What is compared with the addresses of the service."""
        return " ".join(filter(None, (self.address, self.postcode, self.city)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What a row asks for.

    Parameters
    ----------
    typed
        The address, the postcode and the commune as they stand in the file.
    questions
        To be asked in their order until one is answered; none if the service would not search it.
    why_not
        Why there is none.
    told
        What was mended of the postcode, or left out, for people.
    department
        What the postcode of a match begins with, where the postcode itself is no filter.
    """

    typed: Question
    questions: tuple[Question, ...]
    why_not: str = ""
    told: str = ""
    department: str = ""


def city_position(headings: Sequence[str]) -> int | None:
    """Return the position of the column that holds the commune, None if there is none."""
    plain = [plain_heading(heading) for heading in headings]
    known = (plain_heading(name) for name in _words()["headings"])
    return next((plain.index(name) for name in known if name in plain), None)


def asked_of(address: str, postcode: str, city: str) -> Asked:
    """Make the questions of a row.

    Examples
    --------
    >>> asked_of("12 bd. Voltaire", "75 011", "PARIS 11E").questions
    (Question(address='12 Boulevard Voltaire', postcode='75011', city='PARIS'),)
    """
    typed = Question(address, postcode, city)
    text = _clean(address)
    code, told = mend_postcode(postcode)
    text, code, city, cedex = _parted(text, code, city)
    cedex = cedex or _CEDEX.search(postcode) is not None
    text, city = _CEDEX.sub("", text).strip(" ,-"), bare_city(_clean(city))
    department = ""
    if cedex and code:
        department, told = code[:2], f"the postcode {code} is a CEDEX, not that of a street"
        code = ""
    question = Question(write_out(text), code, city)
    if len(question.text) > LONGEST:
        question = dataclasses.replace(question, address=_BRACKETS.sub("", question.address))
    why = ""
    if len(question.text) > LONGEST:
        why = f"too long: the service searches at most {LONGEST} characters"
    elif len(question.address) < SHORTEST:
        why = f"too short: the service searches at least {SHORTEST} characters"
    other = _words()["one_postcode"].get(code)
    questions = (question, dataclasses.replace(question, postcode=other)) if other else (question,)
    return Asked(
        typed=typed,
        questions=() if why else questions,
        why_not=why,
        told=told,
        department=department,
    )


def mend_postcode(text: str) -> tuple[str, str]:
    """Return a postcode as the service has it, and what was mended of it or is wrong with it.

    Examples
    --------
    >>> mend_postcode("75 010"), mend_postcode("1000.0")
    (('75010', "postcode '75 010' sent as 75010"), ('01000', "postcode '1000.0' sent as 01000"))
    >>> mend_postcode("Paris")
    ('', "postcode 'Paris' is none and was not sent")
    """
    typed = text.strip()
    if not typed:
        return "", ""
    digits = re.sub(
        r"[.,]0+$", "", re.sub(r"^F\s*-?\s*(?=\d)", "", _CEDEX.sub("", typed), flags=re.IGNORECASE)
    )
    digits = re.sub(r"\s+", "", digits)
    # Spreadsheets that take a postcode for a number lose the zero of the first nine departments.
    digits = digits.zfill(5) if re.fullmatch(r"[1-9]\d{3}", digits) else digits
    if not re.fullmatch(r"\d{5}", digits):
        return "", f"postcode {typed!r} is none and was not sent"
    return digits, "" if digits == typed else f"postcode {typed!r} sent as {digits}"


def same_postcode(one: str, other: str) -> bool:
    """Tell whether two postcodes are one."""
    return one == other or _words()["one_postcode"].get(one) == other


def bare_city(text: str) -> str:
    """Return the name of a commune without CEDEX and the number of an arrondissement.

    Examples
    --------
    >>> bare_city("Lyon 3e arrondissement"), bare_city("PARIS CEDEX 10"), bare_city("Le Mans")
    ('Lyon', 'PARIS', 'Le Mans')
    """
    text = " ".join(_CEDEX.sub("", text).split())
    # Behind the name alone: "8 mai 1945" would be a street.
    found = _DISTRICT.search(fold(text))
    whole = len(fold(text)) == len(text) and found and found.end() == len(text) and found.start()
    return text[: found.start()].strip(" ,-(") if found and whole else text.strip(" ,-")


def same_commune(typed: str, found: Mapping[str, str]) -> bool:
    """Tell whether a match lies in the commune that was typed, by either of its names."""
    names = {_plain_city(found.get(name, "")) for name in ("result_city", "result_oldcity")}
    return _plain_city(typed) in names - {""}


def names_its_place(text: str, found: Mapping[str, str]) -> bool:
    """Tell whether an address itself names the commune or the postcode of its match."""
    within = f" {_plain_city(text)} "
    city = _plain_city(found.get("result_city", ""))
    return bool(city and f" {city} " in within) or found.get("result_postcode", "-") in text


def is_of(address: str, found: Mapping[str, str]) -> bool:
    """Tell whether an address holds the number and the street of a match, among other words."""
    within = f" {_plain_city(address)} "
    street = _plain_city(found.get("result_street") or found.get("result_name", ""))
    number = _plain_city(found.get("result_housenumber", ""))
    return bool(street and number) and f" {number} {street} " in within


def write_out(address: str) -> str:
    """Write out the kind of street, and the usual words, that stand in short.

    Examples
    --------
    >>> write_out("8 bis, av. de la République"), write_out("12 r. du fg St Martin")
    ('8 bis, Avenue de la République', '12 Rue du Faubourg Saint Martin')
    """
    kinds, words = _words()["kinds"], _words()["words"]

    def kind(match: re.Match[str]) -> str:
        full = kinds.get(fold(match["kind"]))
        return f"{match['before']}{full}" if full else match[0]

    def word(match: re.Match[str]) -> str:
        return str(words.get(fold(match[1]), match[0]))

    return _WORD.sub(word, _STREET.sub(kind, address))


def _clean(text: str) -> str:
    """Return a text without what the service stumbles over."""
    text = _MARKUP.sub(" ", text)
    text = _QUOTES.sub(" ", _FRONT.sub("", text.strip()))
    text = _SEPARATORS.sub(", ", text)
    return _NO_START.sub("", " ".join(text.split()))


def _parted(text: str, code: str, city: str) -> tuple[str, str, str, bool]:
    """Take the postcode and the commune out of an address that ends in them; tell of a CEDEX."""
    cedex = _CEDEX.search(city) is not None
    tail = _TAIL.match(_COUNTRY.sub("", text))
    if tail is None:
        return text, code, city, cedex or _CEDEX.search(text) is not None
    inside = re.sub(r"\s", "", tail["postcode"])
    its_own = not code or same_postcode(code, inside)
    if not its_own and not _CEDEX.search(tail["city"]):
        return text, code, city, cedex
    street, place = tail["street"].rstrip(" ,-"), tail["city"].strip(" ,-")
    return street, code or inside, city or place, cedex or (its_own and "cedex" in fold(place))


def _plain_city(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", fold(bare_city(text)))
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)
