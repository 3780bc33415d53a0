"""Room on paper: how many rows of the tables fit on the second side of an A4 dossier.

Rows are measured in millimetres for a wide typeface, so that a page holds them with any; what
does not fit is counted on the page.
"""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Sequence

from quart_heure.outputs.dossier.services import ServiceLine
from quart_heure.outputs.dossier.structure import GapLine

_SIDE_MM = 271.0
"""What an A4 leaves between its margins, less a line for the unforeseen."""

_LINE_MM = 2.9
_ROW_MM = 1.45
"""Padding and line of a row."""

_HEADINGS_MM = 38.5
"""Headings, captions and heads of the tables, and the lines that count what was cut."""

_WEEK_MM = 21.8
"""Heading, note, head and key of the week's table."""

_FOOT_COLUMNS = 3
_FOOT_CHARS = 46
_FOOT_MM = 8.0
"""Letters on a line at the foot, and its headings in each of its columns."""

_WIDE_CHARS = 130

_FEWEST = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Room:
    """Positions of the gaps that are printed, and how many of the services are."""

    gaps: frozenset[int]
    services: int


def fit_rows(
    gaps: Sequence[GapLine],
    services: Sequence[ServiceLine],
    *,
    week: Sequence[str],
    foot: Sequence[str],
    notes: Sequence[str],
) -> Room:
    """Share the second side out between gaps and services.

    Parameters
    ----------
    gaps, services
        Rows in the order in which they are printed. Of the gaps, the first of each category are
        kept before those with most residents; of the services, the first.
    week
        What stands before each strip of the week; nothing without a week.
    foot
        The paragraphs that flow through the columns at the foot.
    notes
        Paragraphs that take the whole width.

    Returns
    -------
    Room
        At least a few of each, whatever the room.
    """
    room = _SIDE_MM - _HEADINGS_MM - _prose_mm(notes, _WIDE_CHARS)
    room -= _FOOT_MM + _prose_mm(foot, _FOOT_CHARS) / _FOOT_COLUMNS
    if week:
        room -= _WEEK_MM + sum(_row_mm([(name, 29)]) for name in week)
    chosen = sorted(range(len(gaps)), key=lambda at: (gaps[at].number > 1, -_weight(gaps[at])))
    gap_mm = [_gap_mm(gaps[at]) for at in chosen]
    service_mm = [_service_mm(service) for service in services]
    # Each table has half of the room, and what the other one leaves.
    n_gaps = _count(gap_mm, max(room / 2, room - sum(service_mm)))
    n_services = _count(service_mm, room - sum(gap_mm[:n_gaps]))
    return Room(
        gaps=frozenset(chosen[: max(n_gaps, _FEWEST)]),
        services=min(max(n_services, _FEWEST), len(services)),
    )


def _weight(gap: GapLine) -> float:
    """Return the residents of a gap in the district, or its area where they are not known."""
    return gap.area_ha if math.isnan(gap.residents) else gap.residents


def _gap_mm(gap: GapLine) -> float:
    # The name of the category stands beside all of its gaps.
    own = [(gap.label, 20)] if gap.number == 1 else []
    return _row_mm([*own, (gap.street, 26), (gap.nearest, 30)])


def _service_mm(service: ServiceLine) -> float:
    lines = _lines(service.name, 38) + _lines(service.address, 41)
    own = [(service.label, 17), (service.hours, 28), (service.welcome, 28)]
    return max(lines * _LINE_MM + _ROW_MM, _row_mm(own))


def _row_mm(cells: Sequence[tuple[str, int]]) -> float:
    return max(_lines(text, chars) for text, chars in cells) * _LINE_MM + _ROW_MM


def _prose_mm(paragraphs: Sequence[str], chars: int) -> float:
    return sum(_lines(text, chars) * _LINE_MM + 0.4 for text in paragraphs if text)


def _lines(text: str, chars: int) -> int:
    return max(1, len(textwrap.wrap(text, chars)))


def _count(heights: Sequence[float], room: float) -> int:
    used = 0.0
    for n, height in enumerate(heights):
        used += height
        if used > room:
            return n
    return len(heights)
