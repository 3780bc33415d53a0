"""Questions as Overpass servers want them: little declared, no text twice, none without a slot.

A server has room for a question or not by the time and the memory that the question declares,
whatever it asks for. And it takes the same text from one address three times within that time; the
fourth is refused, however long ago the others ended, and one that was refused counts as well.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping

import requests
from requests.auth import AuthBase

_LEAST_S, _LEAST_MB = 25, 64
_S_PER_KM2, _MB_PER_KM2 = 1.0, 4.0
_FULL_MB = 512
"""What a question declares that says nothing."""

_TEXTS = 10
"""So many texts of one question take turns."""

_TIMEOUT = re.compile(r"\[timeout:\d+\]")

Tags = Mapping[str, bool | list[str]]
"""Values that a key may have; True for any."""


def selecting(tags: Tags, around: str) -> str:
    """Return the statement for all elements with any of some tags, and what they are made of.

    A key is asked for once, with all of its values: three dozen values, each with the outline of
    its own, would be a text of a megabyte that a server takes apart statement by statement.

    Parameters
    ----------
    tags
        What is wanted.
    around
        Outline as Overpass wants it: latitudes and longitudes in turn.

    Examples
    --------
    >>> print(selecting({"natural": ["water", "wood"]}, "1 2 1 3 2 3"))
    (nwr['natural'~'^(water|wood)$'](poly:'1 2 1 3 2 3'););(._;>;);out;
    """
    found = [f"nwr['{key}'{_value(values)}](poly:'{around}');" for key, values in tags.items()]
    return f"({''.join(found)});(._;>;);out;"


def _value(values: bool | list[str]) -> str:
    if isinstance(values, bool):
        return ""
    words = [re.escape(word) for word in values]
    return f"='{words[0]}'" if len(words) == 1 else f"~'^({'|'.join(words)})$'"


@dataclasses.dataclass(frozen=True)
class Declared:
    """Seconds and megabytes for which a server must have room before it begins."""

    seconds: int
    megabytes: int

    @classmethod
    def full(cls, seconds: int) -> Declared:
        """Return what large questions declare."""
        return cls(seconds, _FULL_MB)

    @classmethod
    def little(cls, seconds: int, *, km2: float = 0.0) -> Declared:
        """Return what a question on some km² declares: 0 for one by name or code."""
        return cls(
            min(seconds, round(_LEAST_S + _S_PER_KM2 * km2)),
            min(_FULL_MB, round(_LEAST_MB + _MB_PER_KM2 * km2)),
        )


class Asking(AuthBase):
    """What is done to each request before it leaves; answers are kept under its first text.

    Parameters
    ----------
    declared
        What it declares.
    before
        Called first; it may refuse.
    asked
        How often each text was sent; counted on.
    """

    def __init__(
        self, declared: Declared, *, before: Callable[[], None], asked: Counter[str]
    ) -> None:
        self._declared = declared
        self._before = before
        self._asked = asked

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Declare time and memory, a second less each time that the same is asked again."""
        self._before()
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        text = dict(urllib.parse.parse_qsl(body))["data"]
        place = f"{request.url} {text}"
        # Never less than a second; a limit that short is that of a test.
        seconds = max(self._declared.seconds - self._asked[place] % _TEXTS, 1)
        self._asked[place] += 1
        head = f"[timeout:{seconds}][maxsize:{self._declared.megabytes * 2**20}]"
        request.body = urllib.parse.urlencode({"data": _TIMEOUT.sub(head, text, count=1)})
        return request
