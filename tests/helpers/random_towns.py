"""Random stops and walkers in the toy town, and their attachment by brute force."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from helpers import reference
from helpers.reference import Stop, Walker
from quart_heure.network.snapping import Attachment
from quart_heure.profiles import ADULT, STEP_FREE, WalkProfile

CLIMBER = WalkProfile(name="climber", speed_kmh=4.5, steps_factor=2.0)

PROFILES = st.sampled_from([ADULT, CLIMBER, STEP_FREE])

SEEDS = st.integers(0, 2**32 - 1)

SIDES = st.integers(2, 4)


def walker(profile: WalkProfile) -> Walker:
    return Walker(profile.speed_m_per_min, profile.steps_factor, profile.steps_allowed)


def attachment(stops: Sequence[Stop | None]) -> Attachment:
    return Attachment(
        edge=np.array([-1 if s is None else s.edge for s in stops], dtype=np.int32),
        offset_m=np.array([math.nan if s is None else s.offset_m for s in stops]),
        access_m=np.array([math.nan if s is None else s.access_m for s in stops]),
    )


def random_stops(
    rng: random.Random, edges: Sequence[reference.Edge], who: Walker, count: int
) -> list[Stop | None]:
    """Places on edges that can be walked; many at ends, at the same spots, and some nowhere."""
    usable = [k for k, edge in enumerate(edges) if who.can_take(edge)]
    if not usable:
        return [None] * count
    few = rng.sample(usable, min(len(usable), 4))  # so that several share an edge
    stops: list[Stop | None] = []
    for _ in range(count):
        if rng.random() < 0.1:
            stops.append(None)
            continue
        number = rng.choice(few if rng.random() < 0.6 else usable)
        length_m = edges[number].length_m
        offset_m = rng.choice((0.0, length_m, length_m / 2, rng.uniform(0, length_m)))
        stops.append(Stop(number, offset_m, rng.choice((0.0, 25.0, rng.uniform(0, 100)))))
    return stops
