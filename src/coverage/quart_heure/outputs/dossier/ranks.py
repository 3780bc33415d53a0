"""Ranks of districts: figures that are equal as they are shown share a rank."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Rank:
    """Where a district stands among the others.

    Parameters
    ----------
    place
        1 for the best.
    among
        How many districts have a figure.
    tied
        Whether another one has the same figure.
    """

    place: int
    among: int
    tied: bool


def ranks(
    figures: Mapping[str, float], *, least_first: bool = False, decimals: int = 1
) -> dict[str, Rank]:
    """Rank districts by a figure, rounded as it is shown; those without one have no rank.

    Examples
    --------
    >>> found = ranks({"a": 12.04, "b": 50.0, "c": 11.98, "d": float("nan")})
    >>> {name: (rank.place, rank.among, rank.tied) for name, rank in found.items()}
    {'a': (2, 3, True), 'b': (1, 3, False), 'c': (2, 3, True)}
    """
    sign = 1 if least_first else -1
    shown = {
        name: sign * round(float(figure), decimals)
        for name, figure in figures.items()
        if not math.isnan(figure)
    }
    ordered = sorted(shown.values())
    places: dict[float, int] = {}
    for place, figure in enumerate(ordered, start=1):
        places.setdefault(figure, place)
    return {
        name: Rank(places[figure], len(ordered), ordered.count(figure) > 1)
        for name, figure in shown.items()
    }
