"""Steep ground: mountain paths and stairs, which tell of slopes where no heights are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.graph import Flags, WalkNetwork
from quart_heure.profiles import WalkProfile
from quart_heure.sources.heights import Heights

LONG_STAIRS_M = 10.0
"""Stairs of at least this length climb a hill; shorter ones a terrace or a station."""

STEEP_PCT = 1.0
"""The ground is steep when at least this share of the streets is long stairs, in percent."""


def demanding_paths(network: WalkNetwork, profile: WalkProfile) -> dict[str, Any]:
    """Count the mountain paths for the sure-footed, T3 and harder; empty where there are none.

    Returns
    -------
    dict
        ``demanding_walked_km``, or ``demanding_left_out_km`` for a walker who takes none.
    """
    length_km = _km(network, _demanding(network))
    if length_km == 0:
        return {}
    walked = profile.demanding_allowed and profile.steps_allowed
    name = "demanding_walked_km" if walked else "demanding_left_out_km"
    return {name: round(length_km, 1) or round(length_km, 3)}


def steep_ground(network: WalkNetwork, heights: Heights | None) -> list[dict[str, object]]:
    """Tell, as rows of problems, that the ground is steep and no heights are given.

    It is where stairs of at least `LONG_STAIRS_M` are `STEEP_PCT` of the streets, or where there
    are paths for the sure-footed. Hills without either are not found: no street tells its slope.
    """
    if heights is not None:
        return []
    mapped = network.flags & Flags.SQUARE_WALK == 0
    stairs = mapped & network.steps & (network.length_m >= LONG_STAIRS_M)
    stairs_pct = 100 * _km(network, stairs) / max(_km(network, mapped), 1e-9)
    paths_km = _km(network, _demanding(network))
    told = [f"{stairs_pct:.1f} % of the streets are long stairs"] * (stairs_pct >= STEEP_PCT)
    told += [f"{paths_km:.1f} km are mountain paths for the sure-footed"] * (paths_km > 0)
    if not told:
        return []
    return [
        {
            "file": "",
            "row": None,
            "field": "network",
            "value": ", ".join(told),
            "reason": "the ground is steep and no heights are given",
            "action": "minutes are those of level ground: give [network] heights",
        }
    ]


def _demanding(network: WalkNetwork) -> NDArray[np.bool_]:
    demanding: NDArray[np.bool_] = network.flags & Flags.DEMANDING > 0
    return demanding


def _km(network: WalkNetwork, edges: NDArray[np.bool_]) -> float:
    return float(network.length_m[edges].sum()) / 1000
