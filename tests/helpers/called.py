"""What a command said when it was called, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    steps: tuple[str, ...] = ()


Call = Callable[..., Said]
