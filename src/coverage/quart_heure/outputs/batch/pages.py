"""The list of all territories of a batch and their map, each one file that loads nothing."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from quart_heure.labels import (
    format_date,
    format_number,
    format_pct,
    heading,
    text,
    word,
)
from quart_heure.outputs.assets import inlined, page_environment, security_policy, stylesheet
from quart_heure.outputs.palette import PALETTE, shades
from quart_heure.outputs.results.rows import printable
from quart_heure.outputs.shapes import UNITS_PER_DEGREE

_STEPS_PCT = (0.0, 5.0, 10.0, 25.0, 50.0)
"""Where the classes of the map begin."""

_WIDTH = 1000.0
_FRAME = 0.02


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One territory: what ``batch`` of ``schema.csv`` declares, and where it is.

    Parameters
    ----------
    place
        Folder of its results, beside the pages.
    outline
        Outer rings as steps in degrees, see `quart_heure.outputs.shapes`; none where it failed.
    """

    territory: str
    label: str
    country: str
    departement: str
    state: str
    reason: str
    attempts: int
    seconds: float | None
    cpu_seconds: float | None
    peak_mb: float | None
    bytes: int | None
    cells: int | None
    residents: float | None
    services: int | None
    gaps: int | None
    share_of: str
    all_pct: float | None
    none_pct: float | None
    none: float | None
    place: str
    outline: Sequence[Sequence[int]] = ()

    @property
    def failed(self) -> bool:
        """Whether it has no results."""
        return self.state == "failed"

    @property
    def by_area(self) -> bool:
        """Whether its shares are of area, nobody being known to live there."""
        return self.share_of == "area"

    @property
    def href(self) -> str:
        """Where its results are, as an address."""
        return quote(f"{self.place}/", safe="/=")


def render_index(entries: Sequence[Entry], *, lang: str, day: str) -> str:
    """Return the list of all territories, those where most people have nothing within reach first.

    Parameters
    ----------
    entries
        All territories.
    lang
        Language of the page.
    day
        ISO date of the day on which services must be valid.
    """
    order = sorted(
        range(len(entries)),
        key=lambda at: (entries[at].by_area, -(entries[at].none or 0.0), at),
    )
    style = stylesheet("batch")
    page: str = _page("batch_index.html.j2", lang).render(
        lang=lang,
        css=inlined(style),
        policy=security_policy(styles=[style]),
        day=format_date(day, lang),
        counts={
            state: sum(one.state == state for one in entries)
            for state in ("computed", "kept", "failed")
        },
        done=[(at, entries[at]) for at in order if not entries[at].failed],
        failed=[one for one in entries if one.failed],
        by_area=any(one.by_area for one in entries),
        number=lambda value, decimals=0: format_number(value, lang, decimals),
    )
    return page


def render_map(entries: Sequence[Entry], *, lang: str, day: str) -> str:
    """Return the map of all territories, by the share of people who have nothing within reach.

    Parameters
    ----------
    entries, lang, day
        As in `render_index`.
    """
    drawn = [(at, one) for at, one in enumerate(entries) if one.outline]
    ramp = [PALETTE.beyond[0], PALETTE.beyond[-1], PALETTE.gap_line]
    colours = shades(ramp, len(_STEPS_PCT))
    rules = [f".c{n} {{ fill: {colour}; }}" for n, colour in enumerate(colours)]
    rules.append(f".unknown {{ fill: {PALETTE.off_network}; }}")
    style = stylesheet("batch") + "\n".join(rules) + "\n"
    frame = _frame([one for _, one in drawn])
    page: str = _page("batch_map.html.j2", lang).render(
        lang=lang,
        css=inlined(style),
        policy=security_policy(styles=[style]),
        day=format_date(day, lang),
        frame=frame,
        shapes=[
            {
                "at": at,
                "path": _path(one.outline, frame["west"], frame["north"]),
                "kind": _class_of(one.none_pct),
                "told": _told(one, lang),
            }
            for at, one in drawn
        ],
        legend=_legend(lang),
        failed=[printable(one.label) for one in entries if one.failed],
        by_area=any(one.by_area for one in entries),
        width=_WIDTH,
    )
    return page


def _page(name: str, lang: str) -> Any:
    words = {
        "says": lambda key, **values: text(f"batch.{key}", lang, **values),
        "head": lambda key: heading(key, lang),
        "word": lambda key: word(key, lang),
        "printable": printable,
    }
    return page_environment(words).get_template(name)


def _frame(entries: Sequence[Entry]) -> dict[str, float]:
    """Return how units of degrees are put on the page: an even scale at the middle latitude."""
    corners = [_corners(ring) for one in entries for ring in one.outline]
    if not corners:
        return {"west": 0, "north": 0, "kx": 1.0, "ky": 1.0, "height": _WIDTH / 2, "margin": 0.0}
    west, south = min(c[0] for c in corners), min(c[1] for c in corners)
    east, north = max(c[2] for c in corners), max(c[3] for c in corners)
    shrink = math.cos(math.radians((south + north) / 2 / UNITS_PER_DEGREE))
    wide, high = max((east - west) * shrink, 1.0), max(float(north - south), 1.0)
    inner = _WIDTH * (1 - 2 * _FRAME)
    ky = min(inner / wide, inner / high)
    return {
        "west": west,
        "north": north,
        "kx": ky * shrink,
        "ky": ky,
        "height": round(high * ky + 2 * _FRAME * _WIDTH, 1),
        "margin": _FRAME * _WIDTH,
    }


def _corners(ring: Sequence[int]) -> tuple[int, int, int, int]:
    xs = list(itertools.accumulate(ring[0::2]))
    ys = list(itertools.accumulate(ring[1::2]))
    return min(xs), min(ys), max(xs), max(ys)


def _path(outline: Sequence[Sequence[int]], west: float, north: float) -> str:
    """Return an outline as a path whose numbers are units of degrees."""
    parts = []
    for x, y, *steps in outline:
        pairs = zip(steps[0::2], steps[1::2], strict=True)
        lines = " ".join(f"{dx},{-dy}" for dx, dy in pairs)
        parts.append(f"M{x - west:g},{north - y:g}l{lines}z" if lines else "")
    return "".join(parts)


def _class_of(share_pct: float | None) -> str:
    if share_pct is None:
        return "unknown"
    return f"c{sum(share_pct >= step for step in _STEPS_PCT) - 1}"


def _told(one: Entry, lang: str) -> str:
    label = printable(one.label)
    if one.none_pct is None:
        return text("batch.told_unknown", lang, label=label)
    return text("batch.told", lang, label=label, share=format_pct(one.none_pct, lang))


def _legend(lang: str) -> list[tuple[str, str]]:
    steps = [format_number(step, lang) for step in _STEPS_PCT]
    ranges = [
        (f"c{n}", text("batch.from_to", lang, start=start, end=end))
        for n, (start, end) in enumerate(itertools.pairwise(steps))
    ]
    last = text("batch.from", lang, start=steps[-1])
    unknown = text("batch.unknown", lang)
    return [*ranges, (f"c{len(steps) - 1}", last), ("unknown", unknown)]
