"""Tokens: the words, numbers and signs of a text in the syntax, read one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

_PLAIN = str.maketrans({**dict.fromkeys("‐‑‒–—−", "-"), **dict.fromkeys("“”„", '"'), "\xa0": " "})
_TOKEN = re.compile(
    r'\s*(?:(?P<comment>"[^"]*")|(?P<always>24/7)|(?P<time>\d{1,2}:\d{2}(?!\d))'
    r"|(?P<number>\d+)|(?P<word>[A-Za-z]+)|(?P<sign>\|\||[-,;:+/()\[\]]))"
)

Token = tuple[str, str]
"""Its kind (a group of the pattern above), and what stands there."""


class SyntaxFaultError(ValueError):
    """A text that is not in the syntax, and the part at which this shows."""


def read_tokens(text: str) -> list[Token]:
    """Take a text apart.

    Raises
    ------
    SyntaxFaultError
        If a part of it is no token.
    """
    text = text.translate(_PLAIN)
    found: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            msg = f"{text[at : at + 20].strip()!r}"
            raise SyntaxFaultError(msg)
        kind, value = match.lastgroup, match[match.lastgroup]
        if kind == "word" and value == "WE":
            # In French capitals, the week-end; in the syntax, Wednesday.
            msg = "'WE', Wednesday or week-end"
            raise SyntaxFaultError(msg)
        found.append((kind, value if kind == "comment" else value.lower()))
        at = match.end()
    return found


class TokenReader:
    """A reader of tokens in a row."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _end(self, ahead: int = 0) -> bool:
        return self._at + ahead >= len(self._tokens)

    def _kind(self, ahead: int = 0) -> str:
        return "" if self._end(ahead) else self._tokens[self._at + ahead][0]

    def _value(self, ahead: int = 0) -> str:
        return "" if self._end(ahead) else self._tokens[self._at + ahead][1]

    def _take(self) -> str:
        if self._end():
            self._fail()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _took(self, value: str) -> bool:
        if self._value() != value or self._kind() == "comment":
            return False
        self._at += 1
        return True

    def _number(self, least: int, most: int) -> int:
        if self._kind() != "number" or not least <= int(self._value()[:9]) <= most:
            self._fail()
        return int(self._take())

    def _fail(self) -> NoReturn:
        rest = " ".join(value for _, value in self._tokens[self._at : self._at + 4])
        msg = f"{rest!r}" if rest else "an end too early"
        raise SyntaxFaultError(msg)

    def _is_sign(self, sign: str) -> bool:
        return self._kind() == "sign" and self._value() == sign
