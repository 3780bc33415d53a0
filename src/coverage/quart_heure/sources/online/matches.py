"""What a match of the geocoding service is worth: used, or listed with the reason why not."""

from __future__ import annotations

import math

from quart_heure.sources.online.addresses import (
    LONGEST,
    SHORTEST,
    Asked,
    is_of,
    names_its_place,
    same_commune,
    same_postcode,
)
from quart_heure.sources.online.geocoder import REFUSED, Match
from quart_heure.sources.services.coordinates import to_number

_GOOD_TYPES = frozenset({"housenumber", "street"})
_NO_MATCH = {
    "skipped": (
        f"not searched by the service: it takes {SHORTEST} to {LONGEST} characters that begin with"
        " a letter or a digit"
    ),
}


def weakness(match: Match, asked: Asked, min_score: float) -> str:
    """Return why a match is not used, ``""`` if it is."""
    score, kind = to_number(match.get("result_score", "")), match.get("result_type", "")
    place = [to_number(match.get(name, "")) for name in ("longitude", "latitude")]
    status = match.get("result_status") or "not found"
    if status == REFUSED:
        return f"refused by the service: {match['why']}"
    if not all(map(math.isfinite, place)) or not math.isfinite(score):
        where = f" with the postcode {asked.questions[0].postcode}, perhaps a CEDEX"
        where = where if asked.questions[0].postcode and status != "skipped" else ""
        return _NO_MATCH.get(status, f"no match{where} ({status})")
    if kind not in _GOOD_TYPES:
        return f"only the {kind or 'place'} was found, not the street"
    if score < min_score:
        right = is_of(asked.questions[0].address, match)
        but = ", although street and number are those of the address" if right else ""
        return f"score {score:.2f}, below {min_score:g}{but}"
    return _elsewhere(match, asked)


def _elsewhere(match: Match, asked: Asked) -> str:
    """Return why a match does not lie where the row says, ``""`` if it does."""
    sent, postcode = asked.questions[0], match.get("result_postcode", "")
    if sent.postcode:
        wrong = bool(postcode) and not same_postcode(sent.postcode, postcode)
        return f"another postcode ({postcode})" if wrong else ""
    if asked.department and postcode and not postcode.startswith(asked.department):
        return f"another department than that of the CEDEX ({postcode})"
    where = " ".join(filter(None, (postcode, match.get("result_city", "")))) or "a place unknown"
    if sent.city:
        return "" if same_commune(sent.city, match) else f"another commune ({where})"
    if names_its_place(sent.address, match):
        return ""
    return f"found in {where}, and the row names neither postcode nor commune"
