"""Room on paper: how many rows of the tables fit on the second side of an A4 dossier.

Rows are measured in millimetres for a wide typeface, so that a page holds them with any; what
does not fit is counted on the page.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Room", "fit_rows"]

_SIDE_MM = 273.0
_LINE_MM = 3.05
_ROW_MM = 1.3
"""Padding and line of a row."""

_HEADINGS_MM = 52.0
"""Headings, captions and heads of the tables, and the lines that count what was cut."""

_WEEK_MM = 24.0
_WEEK_ROW_MM = 4.6 + 4.4
"""A category in the heat map and in the table below it."""

_PROSE_CHARS = 60
"""Letters on a line of one of the two columns at the foot."""

_FEWEST = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Room:
    """How many rows of gaps and of services are printed."""

    gaps: int
    services: int


def fit_rows(
    gaps: Sequence[Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    *,
    week_rows: int,
    foot: Sequence[Sequence[str]],
    below: Sequence[str],
) -> Room:
    """Share the second side out between gaps and services.

    Parameters
    ----------
    gaps, services
        Rows in the order in which they are printed.
    week_rows
        Categories of the heat map, 0 without one.
    foot
        The paragraphs of the two columns at the foot.
    below
        The paragraphs that take the whole width.

    Returns
    -------
    Room
        At least a few of each, whatever the room.
    """
    room = _SIDE_MM - _HEADINGS_MM - _prose_mm(below, 2 * _PROSE_CHARS)
    room -= max(_prose_mm(column, _PROSE_CHARS) for column in foot)
    if week_rows:
        room -= _WEEK_MM + _WEEK_ROW_MM * week_rows
    gap_mm = [_row_mm([(gap["label"], 17), (gap["street"], 26), (gap["nearest"], 26)])
              for gap in gaps]  # fmt: skip
    service_mm = [_service_mm(service) for service in services]
    # Each table has half of the room, and what the other one leaves.
    n_gaps = _count(gap_mm, max(room / 2, room - sum(service_mm)))
    n_services = _count(service_mm, room - sum(gap_mm[:n_gaps]))
    return Room(
        gaps=max(n_gaps, min(_FEWEST, len(gaps))),
        services=max(n_services, min(_FEWEST, len(services))),
    )


def _service_mm(service: Mapping[str, Any]) -> float:
    lines = _lines(service["name"], 38) + _lines(service["address"], 42)
    access = f"{service['access']} · {service['audience']}"
    own = [(service["label"], 17), (service["hours"], 27), (access, 27)]
    return max(lines * _LINE_MM + _ROW_MM, _row_mm(own))


def _row_mm(cells: Sequence[tuple[str, int]]) -> float:
    return max(_lines(text, chars) for text, chars in cells) * _LINE_MM + _ROW_MM


def _prose_mm(paragraphs: Sequence[str], chars: int) -> float:
    return sum(_lines(text, chars) * _LINE_MM + 0.8 for text in paragraphs if text)


def _lines(text: str, chars: int) -> int:
    return max(1, len(textwrap.wrap(text, chars)))


def _count(heights: Sequence[float], room: float) -> int:
    used = 0.0
    for n, height in enumerate(heights):
        used += height
        if used > room:
            return n
    return len(heights)
